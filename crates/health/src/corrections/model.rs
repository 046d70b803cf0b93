use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::HealthError;
use crate::geo::Place;
use crate::kind::Kind;
use crate::text::tidy;
use crate::{hours, phone};

/// Agreements of different people after which a harmless correction is published without a moderator.
pub(crate) const AGREEMENTS: i64 = 2;
/// Corrections of one person in a day.
pub(crate) const A_DAY: i64 = 30;
/// An account younger than this proposes but does not count, in days.
const NEW_DAYS: i64 = 7;
/// The longest name, address, landmark or comment, in characters.
const MAX_TEXT: usize = 250;

/// What can be corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Name,
    Kind,
    Address,
    Landmark,
    OpeningHours,
    Emergency,
    State,
    Location,
    /// A number that is missing.
    Phone,
    /// A number that nobody answers.
    DeadPhone,
}

impl Field {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Name, "name"),
        (Self::Kind, "type"),
        (Self::Address, "address"),
        (Self::Landmark, "landmark"),
        (Self::OpeningHours, "openingHours"),
        (Self::Emergency, "emergency"),
        (Self::State, "state"),
        (Self::Location, "location"),
        (Self::Phone, "phone"),
        (Self::DeadPhone, "deadPhone"),
    ];

    /// As the interface and `etablissement_sante.origine` call it.
    pub(crate) fn code(self) -> &'static str {
        Self::ALL.iter().find(|(field, _)| *field == self).map_or("name", |(_, code)| code)
    }

    pub(crate) fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == code).map(|(field, _)| *field)
    }

    /// The column and its type, for the fields that are one column.
    pub(crate) fn column(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Name => ("nom", "text"),
            Self::Kind => ("type_id", "smallint"),
            Self::Address => ("adresse", "text"),
            Self::Landmark => ("repere", "text"),
            Self::OpeningHours => ("horaires", "text"),
            Self::Emergency => ("urgences", "boolean"),
            Self::State => ("etat", "text"),
            Self::Location | Self::Phone | Self::DeadPhone => return None,
        })
    }

    /// Wrong hours or a wrong landmark cost a walk; a wrong place, name or number may cost more and waits for a moderator.
    /// A dead number steps back by agreement, since leaving it first costs the most.
    pub(crate) fn by_agreement(self) -> bool {
        matches!(self, Self::OpeningHours | Self::Landmark | Self::DeadPhone)
    }

    /// The value as it would be stored, or why not.
    pub(crate) fn checked(self, value: &Value) -> Result<Value, HealthError> {
        let invalid = || HealthError::Field("value", "invalid");
        match self {
            Self::Name | Self::Address | Self::Landmark => {
                let text = tidy(value.as_str().ok_or_else(invalid)?);
                match text.chars().count() {
                    0 => Err(HealthError::Field("value", "required")),
                    length if length > MAX_TEXT => Err(HealthError::Field("value", "too_long")),
                    _ => Ok(json!(text)),
                }
            }
            Self::Kind => value.as_str().and_then(Kind::parse).map(|kind| json!(kind.0)).ok_or_else(invalid),
            Self::OpeningHours => value
                .as_str()
                .and_then(|text| hours::tidy(text).ok())
                .filter(|text| !text.is_empty())
                .map(|text| json!(text))
                .ok_or_else(invalid),
            Self::Emergency => value.as_bool().map(|yes| json!(yes)).ok_or_else(invalid),
            Self::State => match value.as_str() {
                Some("open") => Ok(json!("ouvert")),
                Some("closed_temporarily") => Ok(json!("ferme_temporaire")),
                Some("closed") => Ok(json!("ferme")),
                Some("not_working") => Ok(json!("non_fonctionnel")),
                _ => Err(invalid()),
            },
            Self::Location => {
                let number = |name: &str| value.get(name).and_then(Value::as_f64);
                let place =
                    number("lat").zip(number("lng")).and_then(|(lat, lng)| Place::new(lat, lng)).ok_or_else(invalid)?;
                Ok(json!({"lat": place.lat, "lng": place.lng}))
            }
            Self::Phone | Self::DeadPhone => {
                let number = value
                    .as_str()
                    .and_then(|text| phone::read(text).ok())
                    .filter(|number| number.former.is_none())
                    .ok_or_else(invalid)?;
                Ok(json!({"e164": number.dial.e164(), "short": number.dial.short(), "written": number.dial.written()}))
            }
        }
    }
}

/// A comment of a correction: optional, bounded.
pub(crate) fn comment(text: Option<&str>) -> Result<String, HealthError> {
    let text = tidy(text.unwrap_or(""));
    if text.chars().count() > MAX_TEXT { Err(HealthError::Field("comment", "too_long")) } else { Ok(text) }
}

/// Whether an account is old enough to count. Its visible id is a UUIDv7 and holds the moment of its making.
pub(crate) fn is_old(account: Uuid, now: DateTime<Utc>) -> bool {
    let made = account.get_timestamp().and_then(|at| DateTime::from_timestamp(i64::try_from(at.to_unix().0).ok()?, 0));
    made.is_some_and(|made| now - made >= TimeDelta::days(NEW_DAYS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_before_anybody_sees_them() {
        assert_eq!(Field::OpeningHours.checked(&json!("Lu-Ve 8h-15h30")).unwrap(), json!("Mo-Fr 08:00-15:30"));
        assert_eq!(Field::Phone.checked(&json!("27 22 48 10 00")).unwrap()["e164"], "+2252722481000");
        assert_eq!(
            Field::Location.checked(&json!({"lat": 5.0, "lng": -4.0})).unwrap(),
            json!({"lat": 5.0, "lng": -4.0})
        );
        for (field, value) in [
            (Field::OpeningHours, json!("quand il fait beau")),
            (Field::Phone, json!("22 48 10 00")),
            (Field::Location, json!({"lat": 95.0, "lng": -4.0})),
            (Field::Name, json!("  ")),
            (Field::Name, json!(7)),
            (Field::State, json!("merged")),
            (Field::Kind, json!("restaurant")),
        ] {
            assert!(field.checked(&value).is_err(), "{field:?} {value}");
        }
    }

    #[test]
    fn a_new_account_does_not_count() {
        let clock = kernel::Clock::movable();
        let id = kernel::new_id(&clock, &kernel::Random::seeded(1));
        assert!(!is_old(id, clock.now()));
        assert!(is_old(id, clock.now() + TimeDelta::days(8)));
        assert!(!is_old(Uuid::nil(), clock.now()));
    }

    #[test]
    fn every_field_reads_back() {
        for (field, code) in Field::ALL {
            assert_eq!((Field::parse(code), field.code()), (Some(field), code));
        }
    }
}
