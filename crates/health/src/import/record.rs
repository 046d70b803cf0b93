//! One facility as one source tells it: columns found by their usual names, each value checked, each repair noted.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Note, Source};
use crate::geo::Place;
use crate::kind::Kind;
use crate::text::{normal, tidy};
use crate::{hours, phone};

/// A telephone number of a facility.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RecordPhone {
    pub(super) e164: Option<String>,
    pub(super) court: Option<String>,
    pub(super) ecrit: String,
    pub(super) ancien: Option<String>,
    /// `haute`, `moyenne`, `basse`
    pub(super) certitude: String,
    /// `actif`, `a_verifier`
    pub(super) etat: String,
}

/// The words of this struct are kept as JSON beside the row (`source_etablissement.brut`) and compared field by field with the next file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    pub(super) nom: String,
    pub(super) type_id: i16,
    pub(super) categorie: String,
    pub(super) lat: f64,
    pub(super) lng: f64,
    pub(super) methode: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) statut: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) niveau: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code_msp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) osm_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) adresse: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) repere: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) district_declare: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) horaires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) urgences: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) specialites: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) services: Vec<String>,
    pub(super) etat: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) telephones: Vec<RecordPhone>,
}

impl Record {
    pub(super) fn place(&self) -> Place {
        Place { lat: self.lat, lng: self.lng }
    }

    pub(super) fn kind(&self) -> Kind {
        Kind(self.type_id)
    }

    /// What tells a changed row from the same one.
    pub(super) fn fingerprint(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).unwrap_or_default();
        Sha256::digest(json)[..16].to_vec()
    }
}

/// Where each logical field stands in the header.
#[derive(Debug)]
pub(super) struct Columns(Vec<(&'static str, Vec<usize>)>);

/// Logical field, then the names it goes by, in normal form; earlier names win.
const ALIASES: [(&str, &[&str]); 30] = [
    ("id", &["source id", "id", "row id", "rowid", "identifiant", "public id"]),
    ("osm_ref", &["osm ref", "feature id"]),
    ("osm_id", &["osm id"]),
    ("osm_type", &["osm type"]),
    ("code", &["msp code", "code msp", "ref msp", "code", "code etablissement", "code ets"]),
    (
        "name",
        &[
            "nom",
            "name fr",
            "name",
            "nom etablissement",
            "etablissement",
            "nom de l etablissement",
            "nom ets",
            "facility name",
        ],
    ),
    ("type", &["type", "type etablissement", "categorie", "type ets", "type9", "facility type"]),
    ("amenity", &["amenity"]),
    ("healthcare", &["healthcare"]),
    ("status", &["statut", "ownership", "operator type", "status"]),
    ("level", &["niveau", "level"]),
    ("lat", &["lat", "latitude", "y"]),
    ("lng", &["lon", "lng", "longitude", "long", "x"]),
    ("district", &["district sanitaire", "district"]),
    ("address", &["adresse", "address", "addr full", "addr street", "localisation"]),
    ("landmark", &["repere", "landmark"]),
    (
        "phone",
        &["telephone", "telephones", "phones", "phone", "contact number", "contact phone", "numero", "tel", "contact"],
    ),
    ("phone2", &["contact mobile", "mobile", "telephone 2"]),
    ("phone_certainty", &["phone certainty", "certitude"]),
    ("hours", &["opening hours", "horaires", "heures d ouverture", "horaire"]),
    ("emergency", &["emergency", "urgences"]),
    ("speciality", &["speciality", "healthcare speciality", "specialites", "specialite"]),
    ("services", &["services"]),
    ("dispensing", &["dispensing"]),
    ("changed", &["changeset timestamp"]),
    ("disused", &["disused amenity"]),
    ("method", &["ll source", "coord source", "methode"]),
    ("country", &["iso3c", "country code"]),
    ("state", &["etat", "state"]),
    ("zone", &["zone", "area"]),
];

impl Columns {
    /// `chosen` are the operator's own pairs (logical field, column name); they win over the usual names.
    pub(super) fn find(header: &[String], chosen: &[(String, String)]) -> Self {
        let normal_header: Vec<String> = header.iter().map(|name| normal(name)).collect();
        let position = |name: &str| normal_header.iter().position(|one| *one == normal(name));
        let found = ALIASES.iter().map(|(field, names)| {
            let own = chosen.iter().filter(|(logical, _)| logical == field).filter_map(|(_, name)| position(name));
            (*field, own.chain(names.iter().filter_map(|name| position(name))).collect::<Vec<_>>())
        });
        Self(found.filter(|(_, columns)| !columns.is_empty()).collect())
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.0.iter().any(|(known, _)| *known == field)
    }

    /// The first of its cells that is not empty, trimmed.
    pub(super) fn get<'a>(&self, row: &'a [String], field: &str) -> &'a str {
        let columns = self.0.iter().find(|(known, _)| *known == field).map_or(&[][..], |(_, columns)| columns);
        columns.iter().filter_map(|at| row.get(*at)).map(|cell| cell.trim()).find(|cell| !cell.is_empty()).unwrap_or("")
    }
}

/// What a row gives: the record with the name by which its source knows it.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) line: u32,
    /// Empty when the source gives none that can be trusted.
    pub(super) own_id: String,
    /// Which of two rows with the same id is the newer.
    pub(super) changed: i64,
    pub(super) record: Record,
}

/// Reads one row; repairs are noted, a row that cannot be kept is the error.
pub(super) fn read(
    source: Source,
    columns: &Columns,
    line: u32,
    row: &[String],
    country: &dyn Fn(Place) -> bool,
    notes: &mut Vec<Note>,
) -> Result<Read, Note> {
    let get = |field: &str| columns.get(row, field);
    let (code, osm_ref) = (code(line, get("code"), notes), osm_ref(columns, row));
    let nom = tidy(get("name"));
    let place = place(line, get("lat"), get("lng"), country)?;
    let (type_id, categorie) = kind(source, columns, row, &nom);
    let nom = if nom.is_empty() {
        notes.push(Note::remark(line, "name_missing", Kind(type_id).label()));
        format!("{} (sans nom)", Kind(type_id).label())
    } else {
        nom
    };
    let working = !normal(&nom).contains("non fonctionnel") && get("disused").is_empty();
    let record = Record {
        type_id,
        categorie,
        lat: place.lat,
        lng: place.lng,
        methode: method(source, get("method")).to_owned(),
        statut: some(&status(get("status"))),
        niveau: some(&normal(get("level"))),
        code_msp: code.clone().filter(|_| matches!(source, Source::Ministry | Source::Hospitals | Source::Custom)),
        osm_ref: osm_ref.clone(),
        adresse: some(&tidy(get("address"))),
        repere: some(&tidy(get("landmark"))),
        district_declare: some(&tidy(get("district"))),
        horaires: opening(line, get("hours"), notes),
        urgences: yes_no(get("emergency")),
        specialites: words(get("speciality")),
        services: services(get("services"), get("dispensing"), get("emergency")),
        etat: if working { state(get("state")) } else { "non_fonctionnel" }.to_owned(),
        telephones: phones(line, source, columns, row, notes),
        nom,
    };
    let own_id = match source {
        Source::Osm => osm_ref.unwrap_or_default(),
        Source::Ministry => code.unwrap_or_default(),
        _ if columns.has("id") => get("id").to_owned(),
        _ => code.or(osm_ref).unwrap_or_default(),
    };
    Ok(Read { line, own_id, changed: get("changed").parse().unwrap_or(0), record })
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Four digits. Excel leaves an apostrophe, a blank or a lost zero; other sources have other codes.
fn code(line: u32, text: &str, notes: &mut Vec<Note>) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    let bare: String = text.chars().filter(|c| !c.is_whitespace() && *c != '\'' && *c != '’').collect();
    let digits = bare.chars().all(|c| c.is_ascii_digit());
    let repaired = if digits && bare.len() < 4 { format!("{bare:0>4}") } else { bare };
    if repaired != text {
        notes.push(Note::remark(line, "code_repaired", &format!("{text} → {repaired}")));
    }
    some(&repaired)
}

fn osm_ref(columns: &Columns, row: &[String]) -> Option<String> {
    let whole = columns.get(row, "osm_ref");
    let well_formed = |text: &str| {
        text.split_once('/').is_some_and(|(kind, id)| {
            matches!(kind, "node" | "way" | "relation") && id.bytes().all(|b| b.is_ascii_digit()) && !id.is_empty()
        })
    };
    if well_formed(whole) {
        return Some(whole.to_owned());
    }
    let made = format!("{}/{}", columns.get(row, "osm_type"), columns.get(row, "osm_id"));
    well_formed(&made).then_some(made)
}

fn number(text: &str) -> Option<f64> {
    let text = text.trim().replace(',', ".");
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

fn place(line: u32, lat: &str, lng: &str, country: &dyn Fn(Place) -> bool) -> Result<Place, Note> {
    if lat.is_empty() || lng.is_empty() {
        return Err(Note::refusal(line, "coordinates_missing", ""));
    }
    let (Some(lat), Some(lng)) = (number(lat), number(lng)) else {
        return Err(Note::refusal(line, "coordinates_invalid", &format!("{lat} / {lng}")));
    };
    if lat == 0.0 && lng == 0.0 {
        return Err(Note::refusal(line, "coordinates_zero", ""));
    }
    match Place::new(lat, lng) {
        Some(place) if country(place) => Ok(place),
        _ if Place::new(lng, lat).is_some_and(country) => Err(Note::refusal(
            line,
            "coordinates_swapped",
            &format!("latitude {lng}, longitude {lat} would lie in the country"),
        )),
        Some(_) => Err(Note::refusal(line, "outside_country", &format!("{lat} / {lng}"))),
        None => Err(Note::refusal(line, "coordinates_invalid", &format!("{lat} / {lng}"))),
    }
}

fn kind(source: Source, columns: &Columns, row: &[String], name: &str) -> (i16, String) {
    let get = |field: &str| columns.get(row, field);
    if columns.has("amenity") || columns.has("healthcare") {
        let (amenity, healthcare) = (get("amenity"), get("healthcare"));
        let kind = match Kind::of_osm(amenity, healthcare) {
            Kind::OTHER => Kind::of_words(name),
            known => known,
        };
        return (kind.0, if amenity.is_empty() { healthcare } else { amenity }.to_owned());
    }
    let word = get("type");
    let kind = match source {
        Source::Ministry | Source::Hospitals => Kind::of_ministry(word, name),
        _ => match Kind::of_words(word) {
            Kind::OTHER => Kind::of_words(name),
            known => known,
        },
    };
    (kind.0, tidy(word))
}

fn method(source: Source, told: &str) -> &'static str {
    let told = normal(told);
    match source {
        _ if told.contains("digitized") => "numerise",
        _ if told.contains("geonames") => "geocode",
        Source::Ministry => "gps_ministere",
        Source::Hospitals if told.contains("ministry") => "gps_ministere",
        Source::Osm | Source::Hospitals => "osm",
        Source::Custom => "terrain",
        Source::Who => "inconnue",
    }
}

fn status(text: &str) -> String {
    match normal(text).as_str() {
        "public" | "government" | "govt" | "local authority" | "state" => "public",
        "prive" | "private" => "prive",
        "confessionnel" | "religious" | "fbo" => "confessionnel",
        "ong" | "ngo" => "ong",
        "communautaire" | "community" | "cbo" => "communautaire",
        "militaire" | "military" => "militaire",
        _ => "",
    }
    .to_owned()
}

fn state(text: &str) -> &'static str {
    match normal(text).as_str() {
        "ferme" | "closed" => "ferme",
        "ferme temporaire" | "ferme temporairement" => "ferme_temporaire",
        "non fonctionnel" => "non_fonctionnel",
        _ => "ouvert",
    }
}

fn yes_no(text: &str) -> Option<bool> {
    match normal(text).as_str() {
        "yes" | "oui" | "true" | "1" => Some(true),
        "no" | "non" | "false" | "0" => Some(false),
        _ => None,
    }
}

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> =
        text.split([';', ',', '|']).map(normal).filter(|word| !word.is_empty()).take(20).collect();
    words.sort_unstable();
    words.dedup();
    words
}

fn services(text: &str, dispensing: &str, emergency: &str) -> Vec<String> {
    let mut services = words(text);
    if yes_no(dispensing) == Some(true) {
        services.push("dispensing".to_owned());
    }
    if yes_no(emergency) == Some(true) {
        services.push("emergency".to_owned());
    }
    services.sort_unstable();
    services.dedup();
    services
}

fn opening(line: u32, text: &str, notes: &mut Vec<Note>) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    match hours::tidy(text) {
        Ok(tidied) => {
            if tidied != text {
                notes.push(Note::remark(line, "hours_repaired", &tidied));
            }
            Some(tidied)
        }
        Err(refusal) => {
            let detail =
                if refusal == hours::Refusal::PhoneNumber { String::new() } else { text.chars().take(80).collect() };
            notes.push(Note::remark(line, refusal.code(), &detail));
            None
        }
    }
}

fn phones(line: u32, source: Source, columns: &Columns, row: &[String], notes: &mut Vec<Note>) -> Vec<RecordPhone> {
    let told = match columns.get(row, "phone_certainty") {
        "high" | "haute" => "haute",
        "medium" | "moyenne" => "moyenne",
        "low" | "basse" => "basse",
        // What an operator enters by hand was looked up; what a map says was seen on a sign, once.
        _ if source == Source::Custom => "moyenne",
        _ => "basse",
    };
    let cell = format!("{};{}", columns.get(row, "phone"), columns.get(row, "phone2"));
    let (numbers, refused) = phone::read_all(&cell);
    // The number itself stays out of the report: it may be somebody's own.
    notes.extend(refused.iter().map(|(_, reason)| Note::remark(line, reason.code(), "")));
    numbers
        .into_iter()
        .map(|number| {
            let certain = if number.former.is_some() { "basse" } else { told };
            if number.former.is_some() {
                notes.push(Note::remark(line, "phone_renumbered", ""));
            }
            RecordPhone {
                e164: number.dial.e164().map(str::to_owned),
                court: number.dial.short().map(str::to_owned),
                ecrit: number.dial.written(),
                ancien: number.former,
                certitude: certain.to_owned(),
                etat: if certain == "basse" { "a_verifier" } else { "actif" }.to_owned(),
            }
        })
        .collect()
}
