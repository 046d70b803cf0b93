//! The directory in memory: what people ask for in an emergency is answered from here, with or without a database.
//!
//! An [`Atlas`] never changes; a new one replaces it when the tables did. At national size it is read in a fraction of a
//! second, at a million facilities in some.

pub(crate) mod live;
pub(crate) mod search;
mod store;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use uuid::Uuid;

use crate::geo::{Near, Place, nearest};
use crate::hours::{Holidays, Hours};
use crate::kind::Kind;
use crate::units::Units;
use search::Index;

pub use store::load;

/// A number to call.
#[derive(Clone, Debug)]
pub struct Number {
    /// As people write it.
    pub written: String,
    /// `tel:…`, absent where no rule could read what stands there.
    pub uri: Option<String>,
    /// Whose it is, when that is told.
    pub label: Option<String>,
    /// `high`, `medium`, `low`.
    pub certainty: &'static str,
    /// Not a button until somebody called it.
    pub to_verify: bool,
}

/// A facility as it is published.
#[derive(Clone, Debug)]
pub struct Facility {
    /// The key of the tables.
    pub key: i32,
    /// The visible id.
    pub id: Uuid,
    /// As it is called.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The source's own word: CHU, CSR, `doctors`.
    pub category: Option<String>,
    /// Where it stands, when that is known.
    pub place: Option<Place>,
    /// Street.
    pub address: Option<String>,
    /// How people explain the way.
    pub landmark: Option<String>,
    /// Sub-prefecture's code, and the names around it.
    pub unit: Option<String>,
    /// Region, department, sub-prefecture.
    pub names: [Option<Arc<str>>; 3],
    /// Where imported polygons tell it.
    pub commune: Option<String>,
    /// Likewise.
    pub health_district: Option<String>,
    /// public, prive…
    pub status: Option<String>,
    /// primaire, secondaire, tertiaire.
    pub level: Option<String>,
    /// Medical specialities.
    pub specialities: Vec<String>,
    /// Services.
    pub services: Vec<String>,
    /// Whether it takes emergencies.
    pub emergency: Option<bool>,
    /// OSM syntax.
    pub hours_text: Option<String>,
    /// The same, parsed.
    pub hours: Option<Hours>,
    /// `ouvert` and so on.
    pub state: String,
    /// The facility that it became.
    pub merged_into: Option<Uuid>,
    /// Numbers, the best first.
    pub phones: Vec<Number>,
    /// Sources by code.
    pub sources: Vec<String>,
    /// 0 to 100.
    pub confidence: i16,
    /// When somebody looked.
    pub verified_at: Option<DateTime<Utc>>,
    /// When the row changed.
    pub updated_at: DateTime<Utc>,
    /// In the order of commits.
    pub version: i64,
}

impl Facility {
    /// Exactly the condition of `v_etablissement_carte`.
    pub fn on_map(&self) -> bool {
        self.state == "ouvert" && self.place.is_some()
    }
}

/// One row of a duty list.
#[derive(Clone, Debug)]
pub struct Duty {
    /// The row's id.
    pub id: Uuid,
    /// The list's area.
    pub area: String,
    /// Where the area is, roughly.
    pub area_place: Option<Place>,
    /// First day.
    pub start: NaiveDate,
    /// Last day, included.
    pub end: NaiveDate,
    /// As printed.
    pub name: String,
    /// As printed.
    pub address: String,
    /// Well-formed numbers.
    pub phones: Vec<Number>,
    /// Index of the facility, when exactly one carries the name.
    pub facility: Option<u32>,
}

/// A number of the nation.
#[derive(Clone, Debug)]
pub struct EmergencyNumber {
    /// The number.
    pub number: Number,
    /// medical, fire, police…
    pub category: String,
    /// national, or a town.
    pub scope: String,
    /// Costs nothing.
    pub free: Option<bool>,
    /// Around the clock.
    pub around_the_clock: Option<bool>,
}

/// A town, commune or quarter that a search may name.
#[derive(Clone, Debug)]
pub struct Town {
    /// As it is shown.
    pub name: String,
    /// Its middle.
    pub place: Option<Place>,
    /// Inhabitants, when told.
    pub population: i32,
}

/// Everything, at one moment.
#[derive(Debug, Default)]
pub struct Atlas {
    /// By index.
    pub facilities: Vec<Facility>,
    by_id: HashMap<Uuid, u32>,
    all: Near,
    by_kind: HashMap<Kind, Near>,
    /// Names.
    pub index: Index,
    /// Areas.
    pub units: Units,
    /// Lists of the last year and the coming weeks.
    pub duties: Vec<Duty>,
    duties_of: HashMap<u32, Vec<u32>>,
    /// The nation's numbers.
    pub numbers: Vec<EmergencyNumber>,
    /// Holidays.
    pub holidays: Holidays,
    /// Ids that are gone, with the version of their going.
    pub removed: Vec<(Uuid, i64)>,
    /// The greatest version.
    pub version: i64,
    /// When it was read.
    pub read_at: Option<DateTime<Utc>>,
}

/// What a search for the nearest wants.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Any of these kinds; empty for all.
    pub kinds: Vec<Kind>,
    /// A service that it must have.
    pub service: Option<String>,
    /// A speciality that it must have.
    pub speciality: Option<String>,
    /// Open now: `Some(true)` only what is known to be open.
    pub open_now: Option<bool>,
    /// ... or what nobody knows of.
    pub or_unknown: bool,
    /// On duty now.
    pub on_duty: bool,
    /// Metres.
    pub radius_m: Option<f64>,
}

/// How a facility stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Open, closed, nobody knows.
    pub open: Option<bool>,
    /// When that changes.
    pub until: Option<DateTime<Utc>>,
    /// On duty.
    pub on_duty: bool,
}

impl Atlas {
    /// Puts the parts together; this is the costly step.
    pub fn build(mut self) -> Self {
        self.by_id = self.facilities.iter().zip(0..).map(|(facility, index)| (facility.id, index)).collect();
        let placed: Vec<(u32, Kind, Place)> = self
            .facilities
            .iter()
            .zip(0..)
            .filter(|(facility, _)| facility.on_map())
            .filter_map(|(facility, index)| Some((index, facility.kind, facility.place?)))
            .collect();
        let mut kinds: HashMap<Kind, Vec<(u32, Place)>> = HashMap::new();
        for (index, kind, place) in &placed {
            kinds.entry(*kind).or_default().push((*index, *place));
        }
        self.by_kind = kinds.into_iter().map(|(kind, places)| (kind, Near::new(places.into_iter()))).collect();
        self.all = Near::new(placed.into_iter().map(|(index, _, place)| (index, place)));
        for (duty, at) in self.duties.iter().zip(0..) {
            if let Some(facility) = duty.facility {
                self.duties_of.entry(facility).or_default().push(at);
            }
        }
        self.index.add_names(
            self.facilities
                .iter()
                .zip(0..)
                .filter(|(facility, _)| facility.state == "ouvert")
                .map(|(facility, index)| (index, facility.name.as_str())),
        );
        self
    }

    /// A facility by its id.
    pub fn get(&self, id: Uuid) -> Option<(u32, &Facility)> {
        let index = *self.by_id.get(&id)?;
        Some((index, self.facilities.get(index as usize)?))
    }

    /// A facility by its index.
    pub fn at(&self, index: u32) -> Option<&Facility> {
        self.facilities.get(index as usize)
    }

    /// How many are on the map.
    pub fn on_map(&self) -> usize {
        self.all.size()
    }

    /// Open or not, on duty or not. A pharmacy on duty is open whatever its door says.
    pub fn now(&self, index: u32, facility: &Facility, moment: Moment) -> Now {
        let duty = self.duties_of.get(&index).and_then(|rows| {
            rows.iter().find_map(|row| self.duties.get(*row as usize).filter(|duty| duty.covers(moment.duty_day)))
        });
        if facility.state != "ouvert" {
            return Now { open: Some(false), until: None, on_duty: duty.is_some() };
        }
        if let Some(duty) = duty {
            let ends = duty
                .end
                .and_hms_opt(0, 0, 0)
                .map(|start| start.and_utc() + Duration::days(1) + Duration::hours(i64::from(moment.switch_hour)));
            return Now { open: Some(true), until: ends, on_duty: true };
        }
        match &facility.hours {
            Some(hours) => {
                let state = hours.at(moment.now);
                Now { open: state.open, until: state.until, on_duty: false }
            }
            None => Now { open: None, until: None, on_duty: false },
        }
    }

    /// The nearest that a wish fits, with metres on the spheroid, exactly.
    pub fn nearest(&self, from: Place, n: usize, wish: &Wish, moment: Moment) -> Vec<(u32, f64)> {
        let empty = Near::default();
        let trees: Vec<&Near> = if wish.kinds.is_empty() {
            vec![&self.all]
        } else {
            wish.kinds.iter().map(|kind| self.by_kind.get(kind).unwrap_or(&empty)).collect()
        };
        nearest(&trees, from, n, wish.radius_m, |index| {
            let facility = self.at(index)?;
            self.fits(index, facility, wish, moment).then_some((facility.place?, facility.id))
        })
    }

    /// Whether a facility is what is wished for, kinds and radius apart.
    pub fn fits(&self, index: u32, facility: &Facility, wish: &Wish, moment: Moment) -> bool {
        if wish.service.as_ref().is_some_and(|service| !facility.services.contains(service)) {
            return false;
        }
        if wish.speciality.as_ref().is_some_and(|speciality| !facility.specialities.contains(speciality)) {
            return false;
        }
        if wish.open_now.is_none() && !wish.on_duty {
            return true;
        }
        let now = self.now(index, facility, moment);
        (wish.open_now.is_none() || now.open == wish.open_now || (wish.or_unknown && now.open.is_none()))
            && (!wish.on_duty || now.on_duty)
    }

    /// The duty lists of a moment.
    pub fn on_duty(&self, moment: Moment) -> impl Iterator<Item = &Duty> {
        self.duties.iter().filter(move |duty| duty.covers(moment.duty_day))
    }

    /// The last day that a list covers.
    pub fn duty_until(&self) -> Option<NaiveDate> {
        self.duties.iter().map(|duty| duty.end).max()
    }
}

impl Duty {
    /// Whether it holds on a day.
    pub fn covers(&self, day: NaiveDate) -> bool {
        self.start <= day && day <= self.end
    }
}

/// A moment as opening hours and duty lists need it.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// UTC, which is the time of Abidjan.
    pub now: DateTime<Utc>,
    /// The day whose list holds: lists change at the switch hour.
    pub duty_day: NaiveDate,
    switch_hour: u8,
}

impl Moment {
    /// At a time, with the hour at which duty lists change.
    pub fn new(now: DateTime<Utc>, switch_hour: u8) -> Self {
        Self { now, duty_day: (now - Duration::hours(i64::from(switch_hour))).date_naive(), switch_hour }
    }
}
