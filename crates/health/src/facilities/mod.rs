//! Nearest, list, search and details: all from memory, no connection is touched.

pub(crate) mod api;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod view;

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::atlas::{Atlas, Moment, Wish};
use crate::geo::Place;
use crate::text::normal;

/// Ranked answers that one search can be paged through.
const SEARCH_DEPTH: usize = 500;

/// What a list is restricted to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// West, south, east, north.
    pub(crate) bbox: Option<[f64; 4]>,
    /// Commune, sub-prefecture, department or region, in normal form.
    pub(crate) commune: Option<String>,
    pub(crate) wish: Wish,
}

/// A page of facilities, and how many there are by kind.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) indexes: Vec<u32>,
    pub(crate) counts: BTreeMap<&'static str, usize>,
    pub(crate) town: Option<crate::atlas::Town>,
}

/// All on the map that the filter holds, by id; one row more than the limit tells whether there is a next page.
pub(crate) fn list(atlas: &Atlas, filter: &Filter, after: Option<Uuid>, rows: usize, moment: Moment) -> Listed {
    let mut listed = Listed::default();
    let mut found: Vec<(Uuid, u32)> = Vec::new();
    for (facility, index) in atlas.facilities.iter().zip(0..) {
        if !holds(atlas, index, filter, moment) {
            continue;
        }
        *listed.counts.entry(facility.kind.code()).or_default() += 1;
        if after.is_none_or(|after| facility.id > after) {
            found.push((facility.id, index));
        }
    }
    if found.len() > rows {
        found.select_nth_unstable(rows - 1);
        found.truncate(rows);
    }
    found.sort_unstable();
    listed.indexes = found.into_iter().map(|(_, index)| index).collect();
    listed
}

fn holds(atlas: &Atlas, index: u32, filter: &Filter, moment: Moment) -> bool {
    let Some(facility) = atlas.at(index).filter(|facility| facility.on_map()) else { return false };
    let Some(place) = facility.place else { return false };
    let boxed = filter.bbox.is_none_or(|[west, south, east, north]| {
        // A box over the date line has its west east of its east.
        let between =
            if west <= east { (west..=east).contains(&place.lng) } else { place.lng >= west || place.lng <= east };
        between && (south..=north).contains(&place.lat)
    });
    let kinds = &filter.wish.kinds;
    boxed
        && (kinds.is_empty() || kinds.contains(&facility.kind))
        && filter.commune.as_ref().is_none_or(|wanted| {
            let names = facility
                .names
                .iter()
                .flatten()
                .map(AsRef::as_ref)
                .chain(facility.commune.as_deref())
                .chain(facility.health_district.as_deref());
            names.into_iter().any(|name| normal(name) == *wanted)
        })
        && atlas.fits(index, facility, &filter.wish, moment)
}

/// The best answers to a query, from behind the last one that was seen.
pub(crate) fn search(
    atlas: &Atlas,
    query: &str,
    near: Option<Place>,
    filter: &Filter,
    after: Option<Uuid>,
    rows: usize,
    moment: Moment,
) -> Listed {
    let (understood, found) = atlas.search(query, near, &filter.wish, SEARCH_DEPTH, moment);
    let found: Vec<u32> = found.into_iter().filter(|index| holds(atlas, *index, filter, moment)).collect();
    let mut counts = BTreeMap::new();
    for facility in found.iter().filter_map(|index| atlas.at(*index)) {
        *counts.entry(facility.kind.code()).or_default() += 1;
    }
    let start = after.map_or(0, |after| {
        found
            .iter()
            .position(|index| atlas.at(*index).is_some_and(|facility| facility.id == after))
            .map_or(found.len(), |at| at + 1)
    });
    Listed { indexes: found.into_iter().skip(start).take(rows).collect(), counts, town: understood.town }
}
