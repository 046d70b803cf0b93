//! Pharmacies on duty, by area and by distance. A list that nobody imported in time raises an alarm, not an empty evening.

pub(crate) mod api;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc, Weekday};

use crate::atlas::{Atlas, Duty, Moment};
use crate::geo::Place;
use crate::text::{likeness, normal};

/// Friday's hour from which next week's list is missed, UTC.
const ALARM_HOUR: u32 = 12;

/// A row with its distance: of the pharmacy where it is known (exact), else of the area (rough).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed<'a> {
    pub(crate) duty: &'a Duty,
    pub(crate) metres: Option<f64>,
    pub(crate) exact: bool,
}

/// The lists of a moment, of one area or all, the nearest first when it is asked from somewhere. Rows without any place are last, never lost.
pub(crate) fn list<'a>(atlas: &'a Atlas, moment: Moment, area: Option<&str>, from: Option<Place>) -> Vec<Placed<'a>> {
    let wanted = area.map(normal);
    let mut rows: Vec<Placed<'a>> = atlas
        .on_duty(moment)
        .filter(|duty| wanted.as_ref().is_none_or(|wanted| is_area(&normal(&duty.area), wanted)))
        .map(|duty| {
            let known = duty.facility.and_then(|index| atlas.at(index)).and_then(|facility| facility.place);
            let metres = from.zip(known.or(duty.area_place)).map(|(from, place)| from.metres_to(place));
            Placed { duty, metres, exact: known.is_some() }
        })
        .collect();
    if from.is_some() {
        rows.sort_by(|a, b| {
            let far = |row: &Placed<'_>| row.metres.unwrap_or(f64::INFINITY);
            far(a).total_cmp(&far(b)).then(a.duty.id.cmp(&b.duty.id))
        });
    }
    rows
}

/// `yopougon` is all of `yopougon secteur 9`; a wrong letter is forgiven.
fn is_area(area: &str, wanted: &str) -> bool {
    let whole_words = |text: &str, part: &str| {
        text == part
            || text.starts_with(&format!("{part} "))
            || text.ends_with(&format!(" {part}"))
            || text.contains(&format!(" {part} "))
    };
    !wanted.is_empty() && (whole_words(area, wanted) || likeness(area, wanted) >= 0.8)
}

/// A day of the coming week that no list covers, once it is time to have one: from Friday noon for the week that begins on Saturday.
pub(crate) fn missing(atlas: &Atlas, now: DateTime<Utc>) -> Option<NaiveDate> {
    // Where nobody ever imported a list there is no service that could be late.
    if atlas.duties.is_empty() {
        return None;
    }
    let today = now.date_naive();
    let covered = |day: NaiveDate| atlas.duties.iter().any(|duty| duty.covers(day));
    if !covered(today) {
        return Some(today);
    }
    let friday_noon = today.weekday() == Weekday::Fri && chrono::Timelike::hour(&now) >= ALARM_HOUR;
    let tomorrow = today.checked_add_days(Days::new(1))?;
    (friday_noon && !covered(tomorrow)).then_some(tomorrow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_is_found_by_its_words() {
        assert!(is_area("yopougon secteur 9", "yopougon"));
        assert!(is_area("zone akouedo palmeraie abatta", "palmeraie"));
        assert!(is_area("abengourou", "abengouru"));
        assert!(!is_area("abobodoume locodjro", "abobo"));
        assert!(!is_area("abobo", ""));
    }
}
