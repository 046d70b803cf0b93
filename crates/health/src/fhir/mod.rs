//! FHIR R5 for other registries: Location (where), Organization (who) and HealthcareService (what) of each facility, with
//! `_since`. A facility is one of each, under the same id.

pub(crate) mod api;

use chrono::{DateTime, NaiveDate, Utc};
use kernel::Timestamp;
use serde_json::{Value, json};

use crate::atlas::Facility;
use crate::hours::Hours;

/// The three resources that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Location,
    Organization,
    HealthcareService,
}

impl Resource {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "Location" => Self::Location,
            "Organization" => Self::Organization,
            "HealthcareService" => Self::HealthcareService,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Location => "Location",
            Self::Organization => "Organization",
            Self::HealthcareService => "HealthcareService",
        }
    }

    /// One facility as this resource.
    pub(crate) fn of(self, facility: &Facility) -> Value {
        let mut value = match self {
            Self::Location => location(facility),
            Self::Organization => organization(facility),
            Self::HealthcareService => service(facility),
        };
        strip(&mut value);
        value
    }
}

/// FHIR knows no null: what is not known is not there.
fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(strip);
            map.retain(|_, value| {
                !(value.is_null()
                    || value.as_array().is_some_and(Vec::is_empty)
                    || value.as_object().is_some_and(serde_json::Map::is_empty))
            });
        }
        Value::Array(list) => list.iter_mut().for_each(strip),
        _ => {}
    }
}

fn meta(facility: &Facility) -> Value {
    json!({"versionId": facility.version.to_string(), "lastUpdated": Timestamp(facility.updated_at)})
}

fn identifiers(facility: &Facility) -> Value {
    json!([{"system": "urn:ietf:rfc:3986", "value": format!("urn:uuid:{}", facility.id)}])
}

/// ExtendedContactDetail of R5. Numbers that nobody verified keep their place in the order and say so.
fn contact(facility: &Facility) -> Value {
    let telecom: Vec<Value> = facility
        .phones
        .iter()
        .zip(1..)
        .filter_map(|(phone, rank)| Some(json!({"system": "phone", "value": phone.uri.as_deref()?.strip_prefix("tel:")?, "use": if phone.to_verify { "old" } else { "work" }, "rank": rank})))
        .collect();
    if telecom.is_empty() { Value::Null } else { json!([{"telecom": telecom}]) }
}

fn address(facility: &Facility) -> Value {
    let [region, department, sub_prefecture] = &facility.names;
    json!({"text": facility.address, "city": facility.commune.as_deref().or(sub_prefecture.as_deref()), "district": department.as_deref(), "state": region.as_deref(), "country": "CI"})
}

fn role(facility: &Facility) -> Value {
    json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": facility.kind.fhir()}], "text": facility.kind.label()})
}

fn location(facility: &Facility) -> Value {
    let status = match facility.state.as_str() {
        "ouvert" => "active",
        "ferme_temporaire" => "suspended",
        _ => "inactive",
    };
    json!({
        "resourceType": "Location", "id": facility.id, "meta": meta(facility), "identifier": identifiers(facility), "status": status,
        "name": facility.name, "description": facility.landmark, "mode": "instance", "type": [role(facility)], "contact": contact(facility),
        "address": address(facility),
        "position": facility.place.map(|place| json!({"longitude": place.lng, "latitude": place.lat})),
        "managingOrganization": {"reference": format!("Organization/{}", facility.id)},
        "hoursOfOperation": facility.hours.as_ref().map(|hours| vec![availability(hours)]),
    })
}

fn organization(facility: &Facility) -> Value {
    json!({
        "resourceType": "Organization", "id": facility.id, "meta": meta(facility), "identifier": identifiers(facility),
        "active": facility.state == "ouvert",
        "type": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/organization-type", "code": "prov"}], "text": facility.category}],
        "name": facility.name, "contact": contact(facility),
    })
}

fn service(facility: &Facility) -> Value {
    let words = |words: &[String]| words.iter().map(|word| json!({"text": word})).collect::<Vec<_>>();
    json!({
        "resourceType": "HealthcareService", "id": facility.id, "meta": meta(facility), "identifier": identifiers(facility),
        "active": facility.state == "ouvert",
        "providedBy": {"reference": format!("Organization/{}", facility.id)},
        "location": [{"reference": format!("Location/{}", facility.id)}],
        "name": facility.name, "type": [{"text": facility.kind.label()}], "characteristic": words(&facility.services), "specialty": words(&facility.specialities),
        "contact": contact(facility), "availability": facility.hours.as_ref().map(|hours| vec![availability(hours)]),
    })
}

/// The hours of an ordinary week, day by day.
fn availability(hours: &Hours) -> Value {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    if hours.always() {
        return json!({"availableTime": [{"daysOfWeek": DAYS, "allDay": true}]});
    }
    // A Monday whose week holds no holiday.
    let Some(monday) = NaiveDate::from_ymd_opt(2026, 3, 2).and_then(|day| day.and_hms_opt(0, 0, 0)) else {
        return Value::Null;
    };
    let times: Vec<Value> = DAYS
        .iter()
        .zip(0..)
        .flat_map(|(day, after)| {
            let start = monday + chrono::Duration::days(after);
            hours.open_between(start, start + chrono::Duration::days(1)).into_iter().map(move |(from, to)| {
                // FHIR's time has no 24:00.
                let end = if to == start + chrono::Duration::days(1) { "23:59:59".to_owned() } else { to.format("%H:%M:%S").to_string() };
                json!({"daysOfWeek": [day], "availableStartTime": from.format("%H:%M:%S").to_string(), "availableEndTime": end})
            })
        })
        .collect();
    json!({"availableTime": times})
}

/// Whether a resource changed after a moment.
pub(crate) fn newer(facility: &Facility, since: Option<DateTime<Utc>>) -> bool {
    since.is_none_or(|since| facility.updated_at >= since)
}
