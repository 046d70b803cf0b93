//! The directory for a telephone without a network: the country once, then only what changed.

pub(crate) mod api;

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderValue;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use kernel::http::render;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::atlas::{Atlas, Facility};
use crate::emergency::api::views;
use crate::import::Source;
use crate::kind::Kind;

/// A change of the format is a new number; clients that do not know it ask for the list instead.
const FORMAT: u32 = 1;
/// Packs that are kept ready: the country and its regions.
const MAX_KEPT: usize = 64;
const FIELDS: [&str; 10] =
    ["id", "name", "type", "lat", "lng", "phones", "openingHours", "address", "unit", "emergency"];

/// A pack, ready to send.
#[derive(Clone, Debug)]
pub(crate) struct Pack {
    pub(crate) tag: HeaderValue,
    pub(crate) gzip: Bytes,
    pub(crate) plain: Bytes,
}

/// Whole packs of the present version, by area.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<HashMap<String, (i64, Arc<Pack>)>>);

/// What an area holds: the country, or a region by its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PackArea {
    Country,
    Region(String),
}

impl PackArea {
    /// `ci`, or the code of a region.
    pub(crate) fn parse(atlas: &Atlas, text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("ci") {
            return Some(Self::Country);
        }
        let code = text.to_ascii_uppercase();
        atlas.units.of(crate::units::Level::Region).any(|unit| unit.pcode == code).then_some(Self::Region(code))
    }

    fn holds(&self, facility: &Facility) -> bool {
        match self {
            Self::Country => true,
            Self::Region(code) => facility.unit.as_ref().is_some_and(|unit| unit.starts_with(code)),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Country => "ci",
            Self::Region(code) => code,
        }
    }
}

/// A whole pack, kept until the version moves.
pub(crate) fn whole(cache: &Cache, atlas: &Atlas, area: &PackArea) -> std::io::Result<Arc<Pack>> {
    let name = area.name().to_owned();
    if let Some((version, pack)) = cache.0.lock().unwrap_or_else(PoisonError::into_inner).get(&name)
        && *version == atlas.version
    {
        return Ok(pack.clone());
    }
    let pack = Arc::new(packed(&full(atlas, area))?);
    let mut kept = cache.0.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= MAX_KEPT {
        kept.clear();
    }
    kept.insert(name, (atlas.version, pack.clone()));
    Ok(pack)
}

/// What changed after a version.
pub(crate) fn delta(atlas: &Atlas, area: &PackArea, since: i64) -> std::io::Result<Pack> {
    let rows: Vec<Value> = sorted(atlas)
        .filter(|facility| facility.version > since && facility.on_map() && area.holds(facility))
        .map(row)
        .collect();
    // A facility that moved to another region, closed or was merged is told by its id alone.
    let hidden = atlas
        .facilities
        .iter()
        .filter(|facility| facility.version > since && !(facility.on_map() && area.holds(facility)));
    let gone = atlas.removed.iter().filter(|(_, version)| *version > since).map(|(id, _)| *id);
    let removed: Vec<Uuid> = hidden.map(|facility| facility.id).chain(gone).collect();
    packed(
        &json!({"format": FORMAT, "area": area.name(), "version": atlas.version, "since": since, "facilities": rows, "removed": removed}),
    )
}

fn full(atlas: &Atlas, area: &PackArea) -> Value {
    let rows: Vec<Value> =
        sorted(atlas).filter(|facility| facility.on_map() && area.holds(facility)).map(row).collect();
    let types: serde_json::Map<String, Value> =
        Kind::all().map(|kind| (kind.0.to_string(), json!([kind.code(), kind.label()]))).collect();
    let numbers = if atlas.numbers.is_empty() { &*crate::emergency::BUILT_IN } else { &atlas.numbers };
    let credits: Vec<&str> =
        [Source::Osm, Source::Ministry, Source::Who].iter().map(|source| source.licence()).collect();
    json!({"format": FORMAT, "area": area.name(), "version": atlas.version, "since": null, "types": types, "fields": FIELDS,
        "scale": 100_000, "facilities": rows, "removed": [], "emergencyNumbers": views(numbers), "credits": credits})
}

/// By id: neighbours in the list then share most of their ids, which pack to nearly nothing.
fn sorted(atlas: &Atlas) -> impl Iterator<Item = &Facility> {
    let mut all: Vec<&Facility> = atlas.facilities.iter().collect();
    all.sort_unstable_by_key(|facility| facility.id);
    all.into_iter()
}

/// Places in hundred-thousandths of a degree (a metre); numbers to verify begin with a question mark; empty ends are left out.
fn row(facility: &Facility) -> Value {
    let scaled = |degrees: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "180 degrees are 18 million")]
        let whole = (degrees * 100_000.0).round() as i64;
        whole
    };
    let phones: Vec<String> = facility
        .phones
        .iter()
        .filter_map(|number| Some((number.uri.as_deref()?.strip_prefix("tel:")?, number.to_verify)))
        .map(|(number, doubtful)| {
            format!("{}{}", if doubtful { "?" } else { "" }, number.strip_prefix("+225").unwrap_or(number))
        })
        .collect();
    let place = facility.place;
    let mut row = vec![
        json!(facility.id),
        json!(facility.name),
        json!(facility.kind.0),
        json!(place.map(|place| scaled(place.lat))),
        json!(place.map(|place| scaled(place.lng))),
        if phones.is_empty() { Value::Null } else { json!(phones.join(" ")) },
        json!(facility.hours_text),
        json!(facility.address),
        json!(facility.unit),
        json!(facility.emergency.map(u8::from)),
    ];
    while row.last().is_some_and(Value::is_null) {
        row.pop();
    }
    Value::Array(row)
}

fn packed(content: &Value) -> std::io::Result<Pack> {
    let plain = serde_json::to_vec(content)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&plain)?;
    Ok(Pack { tag: render::etag(&plain), gzip: encoder.finish()?.into(), plain: plain.into() })
}
