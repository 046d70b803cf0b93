//! Files as they come: CSV of any delimiter and encoding, Excel old and new, GeoJSON, OSM PBF, any of the text forms gzipped.
//! All become rows of named columns; what is broken in a file is a note and never the end of the good part.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use calamine::{Data, Reader as _, open_workbook_auto_from_rs};
use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::{ImportError, Note, pbf};

/// The largest file, unpacked, in bytes (a PBF of a whole country is read piece by piece and not bound by it).
const MAX_BYTES: u64 = 1 << 30;
/// The most rows of one file.
pub(super) const MAX_ROWS: usize = 2_000_000;
/// The longest cell that is kept, in characters; a longer one is a swallowed file behind a lost quote.
const MAX_CELL: usize = 20_000;

/// A file's rows under one header.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Column names as they stand in the file.
    pub(super) header: Vec<String>,
    /// Each with its line (or feature, or element) number in the file.
    pub(super) rows: Vec<(u32, Vec<String>)>,
    /// Polygons of GeoJSON features, by position in `rows`.
    pub(super) shapes: Vec<Option<Value>>,
    /// What was wrong while reading.
    pub(super) notes: Vec<Note>,
    /// The file ended too early: nothing may be concluded from what it does not hold.
    pub(super) truncated: bool,
}

/// Reads a whole file.
pub(super) fn file(path: &Path) -> Result<Table, ImportError> {
    let mut start = [0_u8; 64];
    let mut opened = File::open(path).map_err(|error| ImportError::Unreadable(error.to_string()))?;
    let got = opened.read(&mut start).map_err(|error| ImportError::Unreadable(error.to_string()))?;
    if pbf::is_pbf(&start[..got]) {
        return pbf::read(path);
    }
    let mut bytes = Vec::new();
    let opened = File::open(path).map_err(|error| ImportError::Unreadable(error.to_string()))?;
    opened.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| ImportError::Unreadable(error.to_string()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ImportError::TooLarge);
    }
    bytes_of(&bytes)
}

/// Reads what is in memory already.
pub(super) fn bytes_of(bytes: &[u8]) -> Result<Table, ImportError> {
    let mut truncated = false;
    let unpacked;
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        (unpacked, truncated) = gunzip(bytes)?;
        &unpacked[..]
    } else {
        bytes
    };
    let mut table = if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        excel(bytes)?
    } else {
        text(bytes)?
    };
    if truncated {
        table.truncated = true;
        table.notes.push(Note::remark(0, "file_truncated", "the compressed file ends too early"));
    }
    if table.rows.len() > MAX_ROWS {
        return Err(ImportError::TooLarge);
    }
    Ok(table)
}

/// As much as can be unpacked, and whether the end was missing.
fn gunzip(bytes: &[u8]) -> Result<(Vec<u8>, bool), ImportError> {
    let mut out = Vec::new();
    let mut reader = MultiGzDecoder::new(bytes).take(MAX_BYTES + 1);
    let cut = reader.read_to_end(&mut out).is_err();
    if out.len() as u64 > MAX_BYTES {
        return Err(ImportError::TooLarge);
    }
    if cut && out.is_empty() {
        return Err(ImportError::Unreadable("the compressed file holds nothing readable".to_owned()));
    }
    Ok((out, cut))
}

fn text(bytes: &[u8]) -> Result<Table, ImportError> {
    let mut notes = Vec::new();
    let text = decode(bytes, &mut notes);
    let mut table = if text.trim_start().starts_with('{') { geojson(&text)? } else { delimited(&text)? };
    table.notes.splice(0..0, notes);
    Ok(table)
}

/// UTF-8, UTF-16 with its mark, or Windows-1252, which every byte is valid in.
fn decode(bytes: &[u8], notes: &mut Vec<Note>) -> String {
    let wide = |big: bool| {
        let units: Vec<u16> = bytes[2..]
            .chunks_exact(2)
            .map(|b| if big { u16::from_be_bytes([b[0], b[1]]) } else { u16::from_le_bytes([b[0], b[1]]) })
            .collect();
        String::from_utf16_lossy(&units)
    };
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        notes.push(Note::remark(0, "encoding_utf16", "read as UTF-16"));
        return wide(bytes[0] == 0xfe);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // A file cut inside of a letter is still UTF-8.
        Err(error) if error.error_len().is_none() => {
            String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned()
        }
        Err(_) => {
            notes.push(Note::remark(0, "encoding_windows_1252", "not UTF-8: read as Windows-1252"));
            bytes.iter().map(|byte| windows_1252(*byte)).collect()
        }
    }
}

fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        other => char::from(other),
    }
}

fn delimited(text: &str) -> Result<Table, ImportError> {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let delimiter =
        *[b',', b';', b'\t', b'|'].iter().max_by_key(|d| first.bytes().filter(|b| b == *d).count()).unwrap_or(&b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let header: Vec<String> = reader
        .headers()
        .map_err(|error| ImportError::Unreadable(error.to_string()))?
        .iter()
        .map(str::to_owned)
        .collect();
    if header.len() < 2 {
        return Err(ImportError::NoTable);
    }
    let mut table = Table { header, ..Table::default() };
    for record in reader.records() {
        let Ok(record) = record else {
            table.notes.push(Note::refusal(0, "row_unreadable", ""));
            continue;
        };
        let line = record.position().map_or(0, |position| u32::try_from(position.line()).unwrap_or(u32::MAX));
        if record.len() != table.header.len() {
            let detail = format!("{} fields, the header has {}", record.len(), table.header.len());
            table.notes.push(Note::refusal(line, "row_incomplete", &detail));
            continue;
        }
        if record.iter().any(|cell| cell.len() > MAX_CELL) {
            table.notes.push(Note::refusal(line, "cell_too_long", ""));
            continue;
        }
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        table.rows.push((line, record.iter().map(str::to_owned).collect()));
        if table.rows.len() > MAX_ROWS {
            return Err(ImportError::TooLarge);
        }
    }
    // The last line of a whole file is whole: a short one means that the end is missing.
    let last = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
    if !text.ends_with('\n') && table.notes.iter().any(|note| note.code == "row_incomplete" && note.line == last) {
        table.truncated = true;
        table.notes.push(Note::remark(last, "file_truncated", "the last line is not whole"));
    }
    Ok(table)
}

/// The first sheet that has a header; numbers lose the `.0` that Excel gives to codes.
fn excel(bytes: &[u8]) -> Result<Table, ImportError> {
    let mut book =
        open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(|error| ImportError::Unreadable(error.to_string()))?;
    for name in book.sheet_names() {
        let Ok(range) = book.worksheet_range(&name) else { continue };
        let top = range.start().map_or(1, |(row, _)| row + 1);
        let mut rows = range.rows().zip(top..);
        // A title above the table has one cell; the header is the first row with two or more.
        let Some((header, _)) =
            rows.find(|(row, _)| row.iter().filter(|cell| !matches!(cell, Data::Empty)).count() >= 2)
        else {
            continue;
        };
        let header: Vec<String> = header.iter().map(cell).collect();
        let rows = rows.take(MAX_ROWS + 1).map(|(row, line)| (line, row.iter().map(cell).collect::<Vec<_>>()));
        let rows = rows.filter(|(_, row)| row.iter().any(|cell| !cell.trim().is_empty())).collect();
        return Ok(Table { header, rows, ..Table::default() });
    }
    Err(ImportError::NoTable)
}

fn cell(data: &Data) -> String {
    match data {
        Data::Empty | Data::Error(_) => String::new(),
        Data::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        other => other.to_string(),
    }
}

/// A FeatureCollection: properties are columns, the geometry gives `lat` and `lon` (of a point, or the middle of a shape).
fn geojson(text: &str) -> Result<Table, ImportError> {
    let root: Value = serde_json::from_str(text).map_err(|error| ImportError::Unreadable(error.to_string()))?;
    let Some(features) = root.get("features").and_then(Value::as_array) else { return Err(ImportError::NoTable) };
    let mut header: Vec<String> = Vec::new();
    for feature in features.iter().take(MAX_ROWS) {
        for key in feature.get("properties").and_then(Value::as_object).into_iter().flat_map(|map| map.keys()) {
            if !header.contains(key) && header.len() < 300 {
                header.push(key.clone());
            }
        }
    }
    let keys = header.clone();
    header.extend(["lat".to_owned(), "lon".to_owned(), "feature_id".to_owned()]);
    let mut table = Table { header, ..Table::default() };
    for (feature, line) in features.iter().take(MAX_ROWS).zip(1..) {
        let middle = feature.pointer("/geometry/coordinates").and_then(middle);
        let mut row: Vec<String> =
            keys.iter().map(|key| plain(feature.pointer("/properties").and_then(|map| map.get(key)))).collect();
        row.extend(middle.map_or([String::new(), String::new()], |[x, y]| [y.to_string(), x.to_string()]));
        row.push(plain(feature.get("id")));
        table.rows.push((line, row));
        let area =
            feature.pointer("/geometry/type").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("Polygon"));
        table.shapes.push(feature.get("geometry").filter(|_| area).cloned());
    }
    Ok(table)
}

fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The point, or the middle of all corners.
fn middle(coordinates: &Value) -> Option<[f64; 2]> {
    let mut corners = Vec::new();
    collect(coordinates, &mut corners, 0);
    #[expect(clippy::cast_precision_loss, reason = "far fewer corners than 2^52")]
    let count = corners.len() as f64;
    let sum = corners.iter().fold([0.0, 0.0], |sum, corner| [sum[0] + corner[0], sum[1] + corner[1]]);
    (count > 0.0).then(|| [sum[0] / count, sum[1] / count])
}

/// Coordinates nest at most four deep (MultiPolygon).
fn collect(value: &Value, corners: &mut Vec<[f64; 2]>, depth: u8) {
    let Some(list) = value.as_array() else { return };
    match (list.first().and_then(Value::as_f64), list.get(1).and_then(Value::as_f64)) {
        (Some(x), Some(y)) => corners.push([x, y]),
        _ if depth < 4 => list.iter().for_each(|one| collect(one, corners, depth + 1)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_and_encodings() {
        let latin = bytes_of(b"nom;lat\nH\xf4pital;5,3\n").unwrap();
        assert_eq!(latin.rows, [(2, vec!["Hôpital".to_owned(), "5,3".to_owned()])]);
        assert_eq!(latin.notes[0].code, "encoding_windows_1252");
        let marked = bytes_of("\u{feff}nom,lat\n\"a, b\",5\n".as_bytes()).unwrap();
        assert_eq!((marked.header[0].as_str(), marked.rows[0].1[0].as_str()), ("nom", "a, b"));
    }

    #[test]
    fn a_short_last_line_is_a_cut_file_and_the_rest_is_kept() {
        let table = bytes_of(b"nom,lat,lon\na,1,2\nb,3").unwrap();
        assert!(table.truncated);
        assert_eq!((table.rows.len(), table.notes[0].code), (1, "row_incomplete"));
        let middle = bytes_of(b"nom,lat,lon\nb,3\na,1,2\n").unwrap();
        assert!(!middle.truncated);
    }

    #[test]
    fn features_become_rows() {
        let text = r#"{"type":"FeatureCollection","features":[
          {"type":"Feature","id":"node/7","properties":{"name":"A"},"geometry":{"type":"Point","coordinates":[-4.0,5.3]}},
          {"type":"Feature","properties":{"NOM":"Z"},"geometry":{"type":"Polygon","coordinates":[[[0,0],[2,0],[2,2],[0,2]]]}}]}"#;
        let table = bytes_of(text.as_bytes()).unwrap();
        assert_eq!(table.header, ["name", "NOM", "lat", "lon", "feature_id"]);
        assert_eq!(table.rows[0].1, ["A", "", "5.3", "-4", "node/7"]);
        assert!(table.shapes[0].is_none() && table.shapes[1].is_some());
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for bytes in [&b""[..], b"bonjour", b"{}", b"PK\x03\x04rien"] {
            assert!(bytes_of(bytes).is_err());
        }
    }
}
