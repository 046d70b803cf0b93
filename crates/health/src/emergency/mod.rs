//! The emergency numbers: answered whatever happens to the database. Until the tables are read the numbers that the
//! program carries in itself are told; they are the ones whose certainty is high or medium.

pub(crate) mod api;

use std::sync::LazyLock;

use crate::atlas::{EmergencyNumber, Number};
use crate::phone;

/// Also what the first start writes into the table.
pub(crate) const SHIPPED: &str = include_str!("../../data/emergency_numbers.csv");

/// The numbers of the program itself.
pub(crate) static BUILT_IN: LazyLock<Vec<EmergencyNumber>> = LazyLock::new(|| {
    let mut reader = csv::Reader::from_reader(SHIPPED.as_bytes());
    reader.records().filter_map(Result::ok).filter_map(|row| read(&row)).collect()
});

/// number,label,category,scope,free,h24,certainty
fn read(row: &csv::StringRecord) -> Option<EmergencyNumber> {
    let cell = |at: usize| row.get(at).unwrap_or("").trim();
    let flag = |at: usize| match cell(at) {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    let dial = phone::read(cell(0)).ok()?.dial;
    let certainty = match cell(6) {
        "high" => "high",
        "medium" => "medium",
        _ => return None,
    };
    let number = Number {
        written: dial.written(),
        uri: Some(dial.uri()),
        label: Some(cell(1).to_owned()),
        certainty,
        to_verify: false,
    };
    Some(EmergencyNumber {
        number,
        category: cell(2).to_owned(),
        scope: cell(3).to_owned(),
        free: flag(4),
        around_the_clock: flag(5),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_carries_the_numbers_that_are_sure() {
        let uris: Vec<&str> = BUILT_IN.iter().filter_map(|one| one.number.uri.as_deref()).collect();
        assert_eq!(uris.len(), 18);
        for uri in ["tel:185", "tel:180", "tel:110", "tel:111", "tel:170", "tel:143", "tel:116", "tel:1308"] {
            assert!(uris.contains(&uri), "{uri}");
        }
        assert_eq!(uris[0], "tel:185", "the ambulance comes first");
    }
}
