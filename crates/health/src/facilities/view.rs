//! A facility as clients see it.

use std::borrow::Cow;

use kernel::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::atlas::{Atlas, Facility, Moment, Number};
use crate::geo::Place;
use crate::import::Source;

/// Une position, en degrés WGS 84.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Location {
    #[schema(examples(5.3458))]
    pub(crate) lat: f64,
    #[schema(examples(-3.9946))]
    pub(crate) lng: f64,
}

impl From<Place> for Location {
    fn from(place: Place) -> Self {
        Self { lat: place.lat, lng: place.lng }
    }
}

/// Un numéro à appeler.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PhoneView<'a> {
    /// Comme on l'écrit.
    #[schema(examples("27 22 48 10 00"))]
    pub(crate) number: &'a str,
    pub(crate) label: Option<&'a str>,
    /// À ouvrir pour appeler.
    #[schema(examples("tel:+2252722481000"))]
    pub(crate) tel_uri: &'a str,
    /// `high`, `medium` ou `low`.
    #[schema(examples("high"))]
    pub(crate) certainty: &'a str,
    /// Vrai : à montrer comme « à vérifier », pas comme un bouton.
    pub(crate) to_verify: bool,
}

pub(crate) fn phones(numbers: &[Number]) -> Vec<PhoneView<'_>> {
    let button = |number: &Number| number.uri.is_some();
    numbers.iter().filter(|number| button(number)).filter_map(phone).collect()
}

fn phone(number: &Number) -> Option<PhoneView<'_>> {
    Some(PhoneView {
        number: &number.written,
        label: number.label.as_deref(),
        tel_uri: number.uri.as_deref()?,
        certainty: number.certainty,
        to_verify: number.to_verify,
    })
}

/// D'où vient ce qui est montré.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceView<'a> {
    /// `ministry`, `osm`, `who`, `hospitals`, `custom`.
    pub(crate) name: Cow<'a, str>,
    /// Le crédit à afficher.
    pub(crate) licence: &'static str,
}

/// Un établissement de santé.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FacilityView<'a> {
    pub(crate) id: Uuid,
    #[schema(examples("CHU de Cocody"))]
    pub(crate) name: &'a str,
    /// `pharmacy`, `hospital`, `clinic`, `health_center`, `doctor`, `dentist`, `laboratory`, `maternity`…
    #[serde(rename = "type")]
    #[schema(examples("hospital"))]
    pub(crate) kind: &'a str,
    pub(crate) type_label: &'a str,
    /// Le mot de la source : CHU, CSR, `doctors`…
    pub(crate) category: Option<&'a str>,
    pub(crate) address: Option<&'a str>,
    pub(crate) landmark: Option<&'a str>,
    /// Null tant qu'aucun polygone importé ne la donne.
    pub(crate) commune: Option<&'a str>,
    pub(crate) sub_prefecture: Option<&'a str>,
    pub(crate) department: Option<&'a str>,
    pub(crate) region: Option<&'a str>,
    pub(crate) health_district: Option<&'a str>,
    pub(crate) location: Option<Location>,
    /// En mètres sur l'ellipsoïde ; null sans point de départ.
    #[schema(examples(1240))]
    pub(crate) distance_meters: Option<i64>,
    pub(crate) phones: Vec<PhoneView<'a>>,
    /// Syntaxe `opening_hours` d'OpenStreetMap.
    #[schema(examples("Mo-Fr 08:00-18:00; PH off"))]
    pub(crate) opening_hours: Option<&'a str>,
    /// Null : on ne sait pas.
    pub(crate) open_now: Option<bool>,
    /// Quand cela change, dans les huit jours.
    #[schema(value_type = Option<String>)]
    pub(crate) open_until: Option<Timestamp>,
    pub(crate) open_around_the_clock: bool,
    /// Pharmacie de garde en ce moment.
    pub(crate) on_duty: bool,
    pub(crate) emergency: Option<bool>,
    pub(crate) services: &'a [String],
    pub(crate) specialities: &'a [String],
    /// `public`, `prive`, `confessionnel`, `ong`, `communautaire`, `militaire`.
    pub(crate) status: Option<&'a str>,
    /// `open`, `closed_temporarily`, `closed`, `not_working`.
    pub(crate) state: &'a str,
    /// 0 à 100.
    pub(crate) confidence: i16,
    #[schema(value_type = Option<String>)]
    pub(crate) verified_at: Option<Timestamp>,
    #[schema(value_type = String)]
    pub(crate) updated_at: Timestamp,
    pub(crate) sources: Vec<SourceView<'a>>,
    /// L'itinéraire, dans la carte du téléphone ou du navigateur.
    pub(crate) directions_uri: Option<String>,
}

/// States of the table in the words of the interface.
pub(crate) fn state(french: &str) -> &'static str {
    match french {
        "ouvert" => "open",
        "ferme_temporaire" => "closed_temporarily",
        "non_fonctionnel" => "not_working",
        "fusionne" => "merged",
        _ => "closed",
    }
}

/// The way there, for any telephone or browser.
pub(crate) fn directions(place: Place) -> String {
    format!("https://www.google.com/maps/dir/?api=1&destination={},{}", place.lat, place.lng)
}

pub(crate) fn sources(codes: &[String]) -> Vec<SourceView<'_>> {
    let credit = |code: &str| Source::of_code(code).map_or("", Source::licence);
    codes.iter().map(|code| SourceView { name: Cow::Borrowed(code), licence: credit(code) }).collect()
}

/// Whole metres, as clients show them.
pub(crate) fn whole(metres: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "half the earth's girth at most")]
    let whole = metres.round() as i64;
    whole
}

impl<'a> FacilityView<'a> {
    pub(crate) fn of(atlas: &Atlas, index: u32, facility: &'a Facility, metres: Option<f64>, moment: Moment) -> Self {
        let now = atlas.now(index, facility, moment);
        let [region, department, sub_prefecture] = &facility.names;
        Self {
            id: facility.id,
            name: &facility.name,
            kind: facility.kind.code(),
            type_label: facility.kind.label(),
            category: facility.category.as_deref(),
            address: facility.address.as_deref(),
            landmark: facility.landmark.as_deref(),
            commune: facility.commune.as_deref(),
            sub_prefecture: sub_prefecture.as_deref(),
            department: department.as_deref(),
            region: region.as_deref(),
            health_district: facility.health_district.as_deref(),
            location: facility.place.map(Location::from),
            distance_meters: metres.map(whole),
            phones: phones(&facility.phones),
            opening_hours: facility.hours_text.as_deref(),
            open_now: now.open,
            open_until: now.until.map(Timestamp),
            open_around_the_clock: facility.hours.as_ref().is_some_and(crate::hours::Hours::always),
            on_duty: now.on_duty,
            emergency: facility.emergency,
            services: &facility.services,
            specialities: &facility.specialities,
            status: facility.status.as_deref(),
            state: state(&facility.state),
            confidence: facility.confidence,
            verified_at: facility.verified_at.map(Timestamp),
            updated_at: Timestamp(facility.updated_at),
            sources: sources(&facility.sources),
            directions_uri: facility.place.map(directions),
        }
    }
}
