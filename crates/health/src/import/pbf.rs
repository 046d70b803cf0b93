//! OSM's PBF: health tags of nodes, ways and their middles. Read piece by piece, in two passes: elements, then the corners
//! of ways. A file that ends in the middle gives what it held.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use osmpbf::{Element, ElementReader};

use super::read::{MAX_ROWS, Table};
use super::{ImportError, Note};

/// Tags that become columns.
const TAGS: [&str; 23] = [
    "amenity",
    "healthcare",
    "healthcare:speciality",
    "name",
    "name:fr",
    "phone",
    "contact:phone",
    "contact:mobile",
    "mobile",
    "opening_hours",
    "operator",
    "operator:type",
    "emergency",
    "dispensing",
    "wheelchair",
    "addr:street",
    "addr:city",
    "addr:suburb",
    "addr:full",
    "disused:amenity",
    "ref:msp",
    "description",
    "beds",
];
const AMENITIES: [&str; 6] = ["pharmacy", "hospital", "clinic", "doctors", "dentist", "health_post"];
/// Corners of one way that count for its middle.
const MAX_CORNERS: usize = 64;

/// The first blob of a PBF is its header: a length, then a message whose first field is the text `OSMHeader`.
pub(super) fn is_pbf(start: &[u8]) -> bool {
    start.get(4..15) == Some(b"\x0a\x09OSMHeader")
}

struct Found {
    reference: String,
    place: Option<(f64, f64)>,
    corners: Vec<i64>,
    tags: Vec<String>,
}

/// All health facilities of the file.
pub(super) fn read(path: &Path) -> Result<Table, ImportError> {
    let mut found: Vec<Found> = Vec::new();
    let first = each(path, |element| {
        if found.len() <= MAX_ROWS {
            found.extend(facility(element));
        }
    })?;
    let wanted: HashSet<i64> = found.iter().flat_map(|one| one.corners.iter().copied()).collect();
    let mut places: HashMap<i64, (f64, f64)> = HashMap::with_capacity(wanted.len());
    let second = if wanted.is_empty() {
        true
    } else {
        each(path, |element| match element {
            Element::Node(node) if wanted.contains(&node.id()) => {
                places.insert(node.id(), (node.lat(), node.lon()));
            }
            Element::DenseNode(node) if wanted.contains(&node.id()) => {
                places.insert(node.id(), (node.lat(), node.lon()));
            }
            _ => {}
        })?
    };
    let mut table = Table { truncated: !(first && second), ..Table::default() };
    if table.truncated {
        table.notes.push(Note::remark(0, "file_truncated", "the PBF ends too early or is damaged"));
    }
    table.header = TAGS
        .iter()
        .map(|tag| (*tag).to_owned())
        .chain(["osm_ref".to_owned(), "lat".to_owned(), "lon".to_owned()])
        .collect();
    table.rows = found.into_iter().zip(1..).map(|(one, line)| (line, one.row(&places))).collect();
    Ok(table)
}

/// `false` when the end was missing.
fn each(path: &Path, mut take: impl FnMut(Element<'_>)) -> Result<bool, ImportError> {
    let reader = ElementReader::from_path(path).map_err(|error| ImportError::Unreadable(error.to_string()))?;
    match reader.for_each(&mut take) {
        Ok(()) => Ok(true),
        Err(error) => {
            tracing::warn!(%error, "an OSM file could not be read to its end");
            Ok(false)
        }
    }
}

fn facility(element: Element<'_>) -> Option<Found> {
    match element {
        Element::Node(node) => {
            let tags = health(node.tags())?;
            Some(Found {
                reference: format!("node/{}", node.id()),
                place: Some((node.lat(), node.lon())),
                corners: Vec::new(),
                tags,
            })
        }
        Element::DenseNode(node) => {
            let tags = health(node.tags())?;
            Some(Found {
                reference: format!("node/{}", node.id()),
                place: Some((node.lat(), node.lon())),
                corners: Vec::new(),
                tags,
            })
        }
        Element::Way(way) => {
            let tags = health(way.tags())?;
            let corners = way.refs().take(MAX_CORNERS).collect();
            Some(Found { reference: format!("way/{}", way.id()), place: None, corners, tags })
        }
        Element::Relation(_) => None,
    }
}

/// The wanted tags in their order, if the element is a health facility.
fn health<'a>(tags: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Vec<String>> {
    let mut row = vec![String::new(); TAGS.len()];
    let mut ours = false;
    for (key, value) in tags {
        ours |= key == "healthcare" || (key == "amenity" && AMENITIES.contains(&value));
        if let Some(at) = TAGS.iter().position(|tag| *tag == key) {
            value.clone_into(&mut row[at]);
        }
    }
    ours.then_some(row)
}

impl Found {
    fn row(self, places: &HashMap<i64, (f64, f64)>) -> Vec<String> {
        let place = self.place.or_else(|| {
            // The last corner of a closed way repeats the first.
            let mut corners = self.corners;
            corners.sort_unstable();
            corners.dedup();
            let known: Vec<(f64, f64)> = corners.iter().filter_map(|id| places.get(id).copied()).collect();
            #[expect(clippy::cast_precision_loss, reason = "at most 64")]
            let count = known.len() as f64;
            (count > 0.0).then(|| {
                (known.iter().map(|p| p.0).sum::<f64>() / count, known.iter().map(|p| p.1).sum::<f64>() / count)
            })
        });
        let mut row = self.tags;
        row.push(self.reference);
        row.extend(
            place.map_or([String::new(), String::new()], |(lat, lon)| [format!("{lat:.7}"), format!("{lon:.7}")]),
        );
        row
    }
}
