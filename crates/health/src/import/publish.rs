//! What is shown of a facility that several sources tell of: for each field the best source that has a value, and its name.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Source;
use super::record::Record;

/// The published row, by the columns of `etablissement_sante`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Published {
    pub(super) nom: String,
    pub(super) type_id: i16,
    pub(super) categorie: String,
    pub(super) latitude: f64,
    pub(super) longitude: f64,
    pub(super) methode: String,
    pub(super) statut: Option<String>,
    pub(super) niveau: Option<String>,
    pub(super) code_msp: Option<String>,
    pub(super) osm_ref: Option<String>,
    pub(super) adresse: Option<String>,
    pub(super) repere: Option<String>,
    pub(super) horaires: Option<String>,
    pub(super) urgences: Option<bool>,
    pub(super) specialites: Vec<String>,
    pub(super) services: Vec<String>,
    pub(super) etat: String,
    pub(super) confiance: i16,
    pub(super) telephone: Option<String>,
    pub(super) origine: Value,
}

/// Lower is better.
type Rank = fn(Source) -> u8;

/// Name, kind, status: the authority first. Where people go: who stood there first. What people see on the door: who looked last.
const AUTHORITY: Rank = |source| match source {
    Source::Ministry => 1,
    Source::Hospitals => 2,
    Source::Custom => 3,
    Source::Osm => 4,
    Source::Who => 5,
};
const PLACE: Rank = |source| match source {
    Source::Custom => 1,
    Source::Ministry => 2,
    Source::Hospitals => 3,
    Source::Osm => 4,
    Source::Who => 5,
};
const DOOR: Rank = |source| match source {
    Source::Custom => 1,
    Source::Osm => 2,
    Source::Hospitals => 3,
    Source::Ministry => 4,
    Source::Who => 5,
};

/// One source's word: who, its row, what it says.
pub(super) type Word<'a> = (Source, &'a str, &'a Record);

struct Chooser<'a> {
    words: &'a [Word<'a>],
    origin: Map<String, Value>,
}

impl<'a> Chooser<'a> {
    /// The best source for which `value` gives something.
    fn pick<T>(&mut self, field: &str, rank: Rank, value: impl Fn(&'a Record) -> Option<T>) -> Option<T> {
        let mut best: Option<(u8, &Word<'_>, T)> = None;
        for word in self.words {
            let place = rank(word.0);
            if best.as_ref().is_some_and(|(known, ..)| *known <= place) {
                continue;
            }
            if let Some(found) = value(word.2) {
                best = Some((place, word, found));
            }
        }
        let (_, word, found) = best?;
        self.origin.insert(field.to_owned(), Value::from(format!("{}:{}", word.0.code(), word.1)));
        Some(found)
    }
}

/// `None` only when there is no word at all.
pub(super) fn publish(words: &[Word<'_>]) -> Option<Published> {
    let mut chooser = Chooser { words, origin: Map::new() };
    let at = chooser.pick("location", PLACE, |record| Some((record.lat, record.lng, record.methode.clone())))?;
    let union = |get: fn(&Record) -> &Vec<String>| {
        let mut all: Vec<String> = words.iter().flat_map(|word| get(word.2).iter().cloned()).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let telephone = chooser.pick("phones", DOOR, |record| record.telephones.first().map(|phone| phone.ecrit.clone()));
    let horaires = chooser.pick("openingHours", DOOR, |record| record.horaires.clone());
    let confidence = 20
        + 20 * words.len().min(3)
        + if telephone.is_some() { 10 } else { 0 }
        + if horaires.is_some() { 10 } else { 0 };
    Some(Published {
        nom: chooser.pick("name", AUTHORITY, |record| Some(record.nom.clone()))?,
        type_id: chooser.pick("type", AUTHORITY, |record| Some(record.type_id))?,
        categorie: chooser.pick("category", AUTHORITY, |record| Some(record.categorie.clone()))?,
        etat: chooser.pick("state", AUTHORITY, |record| Some(record.etat.clone()))?,
        statut: chooser.pick("status", AUTHORITY, |record| record.statut.clone()),
        niveau: chooser.pick("level", AUTHORITY, |record| record.niveau.clone()),
        code_msp: chooser.pick("code", AUTHORITY, |record| record.code_msp.clone()),
        osm_ref: chooser.pick("osmRef", DOOR, |record| record.osm_ref.clone()),
        adresse: chooser.pick("address", DOOR, |record| record.adresse.clone()),
        repere: chooser.pick("landmark", DOOR, |record| record.repere.clone()),
        urgences: chooser.pick("emergency", DOOR, |record| record.urgences),
        specialites: union(|record| &record.specialites),
        services: union(|record| &record.services),
        latitude: at.0,
        longitude: at.1,
        methode: at.2,
        confiance: i16::try_from(confidence).unwrap_or(100),
        telephone,
        horaires,
        origine: Value::Object(chooser.origin),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_comes_from_its_best_source_and_says_so() {
        let ministry = Record {
            nom: "HG PUBLIC de LAKOTA".into(),
            type_id: 2,
            lat: 5.8,
            lng: -5.6,
            etat: "ouvert".into(),
            ..Record::default()
        };
        let map = Record {
            nom: "Hôpital".into(),
            type_id: 2,
            lat: 5.9,
            lng: -5.7,
            horaires: Some("24/7".into()),
            etat: "ouvert".into(),
            ..Record::default()
        };
        let shown = publish(&[(Source::Osm, "node/1", &map), (Source::Ministry, "0993", &ministry)]).unwrap();
        assert_eq!(
            (shown.nom.as_str(), shown.latitude, shown.horaires.as_deref()),
            ("HG PUBLIC de LAKOTA", 5.8, Some("24/7"))
        );
        assert_eq!(
            (&shown.origine["name"], &shown.origine["openingHours"]),
            (&Value::from("ministry:0993"), &Value::from("osm:node/1"))
        );
    }
}
