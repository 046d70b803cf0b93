//! Reads the tables into an [`Atlas`].

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::search::Index;
use super::{Atlas, Duty, EmergencyNumber, Facility, Number, Town};
use crate::geo::Place;
use crate::hours::{Holidays, Hours};
use crate::kind::Kind;
use crate::phone;
use crate::units::{Level, Units};

#[derive(FromRow)]
struct Row {
    key: i32,
    id: Uuid,
    nom: Option<String>,
    type_id: i16,
    categorie: Option<String>,
    adresse: Option<String>,
    repere: Option<String>,
    lat: Option<f64>,
    lng: Option<f64>,
    statut: Option<String>,
    niveau: Option<String>,
    specialites: Vec<String>,
    services: Vec<String>,
    urgences: Option<bool>,
    horaires: Option<String>,
    etat: String,
    fusion: Option<Uuid>,
    confiance: i16,
    verifie_le: Option<DateTime<Utc>>,
    maj_le: DateTime<Utc>,
    version: i64,
    adm3: Option<String>,
    commune: Option<String>,
    district: Option<String>,
}

const FACILITIES: &str = "
SELECT e.id_etablissement AS key, e.public_id AS id, e.nom, e.type_id, e.categorie, e.adresse, e.repere, ST_Y(e.geom) AS lat, ST_X(e.geom) AS lng,
       e.statut, e.niveau, e.specialites, e.services, e.urgences, e.horaires, e.etat, f.public_id AS fusion, e.confiance, e.verifie_le, e.maj_le,
       e.version, l.adm3_pcode AS adm3, l.commune, l.district_sanitaire AS district
  FROM etablissement_sante e
  LEFT JOIN etablissement_sante f ON f.id_etablissement = e.fusionne_dans
  LEFT JOIN localisation l ON l.id_etablissement = e.id_etablissement AND l.fermee_le IS NULL";

/// One consistent reading of all tables: a repeatable-read transaction, so that a list never names a facility that is missing.
pub async fn load(pool: &PgPool, now: DateTime<Utc>) -> Result<Atlas, sqlx::Error> {
    let units = Units::load(pool).await?;
    let mut tx = pool.begin().await?;
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *tx).await?;
    let days: Vec<NaiveDate> = sqlx::query_scalar("SELECT jour FROM jour_ferie").fetch_all(&mut *tx).await?;
    let holidays = Holidays::new(days);
    let rows: Vec<Row> = sqlx::query_as(FACILITIES).fetch_all(&mut *tx).await?;
    let phones = numbers(&mut tx).await?;
    let sources: Vec<(i32, Vec<String>)> =
        sqlx::query_as("SELECT id_etablissement, array_agg(DISTINCT source::text ORDER BY source::text) FROM source_etablissement GROUP BY 1").fetch_all(&mut *tx).await?;
    let emergency = emergency(&mut tx).await?;
    let removed: Vec<(Uuid, i64)> =
        sqlx::query_as("SELECT public_id, version FROM etablissement_retire").fetch_all(&mut *tx).await?;
    let duties = duties(&mut tx, now).await?;
    let towns = towns(&mut tx).await?;
    tx.commit().await?;
    // Building the trees holds a core for a while: not on the threads that answer.
    let built = tokio::task::spawn_blocking(move || {
        let facilities = Maker::new(&units, &holidays, phones, sources).make(rows);
        let keys: HashMap<i32, u32> =
            facilities.iter().zip(0..).map(|(facility, index)| (facility.key, index)).collect();
        let version = facilities
            .iter()
            .map(|facility| facility.version)
            .chain(removed.iter().map(|(_, version)| *version))
            .max()
            .unwrap_or(0);
        let duties = duties
            .into_iter()
            .map(|(duty, key)| Duty { facility: key.and_then(|key| keys.get(&key).copied()), ..duty })
            .collect();
        let index = Index::with_towns(towns);
        Atlas {
            facilities,
            units,
            holidays,
            duties,
            removed,
            version,
            index,
            numbers: emergency,
            read_at: Some(now),
            ..Atlas::default()
        }
        .build()
    });
    built.await.map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))
}

struct Maker<'a> {
    units: &'a Units,
    holidays: &'a Holidays,
    phones: HashMap<i32, Vec<Number>>,
    sources: HashMap<i32, Vec<String>>,
    parsed: HashMap<String, Option<Hours>>,
    /// Region, department and sub-prefecture of a code.
    names: HashMap<String, [Option<Arc<str>>; 3]>,
}

impl<'a> Maker<'a> {
    fn new(
        units: &'a Units,
        holidays: &'a Holidays,
        phones: HashMap<i32, Vec<Number>>,
        sources: Vec<(i32, Vec<String>)>,
    ) -> Self {
        let names_of = |level: Level| -> HashMap<&str, Arc<str>> {
            units.of(level).map(|unit| (unit.pcode.as_str(), Arc::from(unit.name.as_str()))).collect()
        };
        let (regions, departments) = (names_of(Level::Region), names_of(Level::Department));
        let above = |names: &HashMap<&str, Arc<str>>, code: &str| {
            names.iter().find(|(prefix, _)| code.starts_with(**prefix)).map(|(_, name)| name.clone())
        };
        let names = units
            .of(Level::SubPrefecture)
            .map(|unit| {
                (
                    unit.pcode.clone(),
                    [
                        above(&regions, &unit.pcode),
                        above(&departments, &unit.pcode),
                        Some(Arc::from(unit.name.as_str())),
                    ],
                )
            })
            .collect();
        Self { units, holidays, phones, sources: sources.into_iter().collect(), parsed: HashMap::new(), names }
    }

    fn make(mut self, rows: Vec<Row>) -> Vec<Facility> {
        rows.into_iter().map(|row| self.facility(row)).collect()
    }

    fn facility(&mut self, row: Row) -> Facility {
        let place = row.lat.zip(row.lng).and_then(|(lat, lng)| Place::new(lat, lng));
        // A row written by hand has no localisation: where it lies is found here.
        let (unit, commune, district) = match (&row.adm3, place) {
            (None, Some(place)) if !self.units.is_empty() => {
                let inside = self.units.inside(place);
                let name = |named: Option<(String, String)>| named.map(|(name, _)| name);
                (inside.sub_prefecture.map(|(_, code)| code), name(inside.commune), name(inside.health_district))
            }
            _ => (row.adm3, row.commune, row.district),
        };
        let hours = row.horaires.as_ref().and_then(|text| {
            let holidays = self.holidays;
            self.parsed.entry(text.clone()).or_insert_with(|| Hours::parse(text, holidays)).clone()
        });
        let kind = Kind(row.type_id);
        Facility {
            key: row.key,
            id: row.id,
            name: row
                .nom
                .filter(|name| !name.trim().is_empty())
                .unwrap_or_else(|| format!("{} (sans nom)", kind.label())),
            kind,
            category: row.categorie,
            place,
            address: row.adresse.filter(|text| !text.is_empty()),
            landmark: row.repere,
            names: unit.as_ref().and_then(|code| self.names.get(code).cloned()).unwrap_or_default(),
            unit,
            commune,
            health_district: district,
            status: row.statut,
            level: row.niveau,
            specialities: row.specialites,
            services: row.services,
            emergency: row.urgences,
            // Text that nobody can read is not shown as hours.
            hours_text: row.horaires.filter(|_| hours.is_some()),
            hours,
            state: row.etat,
            merged_into: row.fusion,
            phones: self.phones.remove(&row.key).unwrap_or_default(),
            sources: self.sources.remove(&row.key).unwrap_or_default(),
            confidence: row.confiance,
            verified_at: row.verifie_le,
            updated_at: row.maj_le,
            version: row.version,
        }
    }
}

/// French of the tables, English of the interface.
pub(crate) fn certainty(text: &str) -> &'static str {
    match text {
        "haute" => "high",
        "moyenne" => "medium",
        _ => "low",
    }
}

async fn numbers(tx: &mut sqlx::PgConnection) -> Result<HashMap<i32, Vec<Number>>, sqlx::Error> {
    type NumberRow = (i32, Option<String>, Option<String>, Option<String>, String, String);
    let rows: Vec<NumberRow> = sqlx::query_as(
        "SELECT id_etablissement, numero, tel_uri, libelle, certitude, etat FROM liste_numero_etablissement_sante
          WHERE id_etablissement IS NOT NULL AND tel_uri IS NOT NULL AND etat <> 'mort' ORDER BY id_etablissement, etat <> 'actif', ordre, id_liste_num",
    )
    .fetch_all(tx)
    .await?;
    let mut by_facility: HashMap<i32, Vec<Number>> = HashMap::new();
    for (facility, written, uri, label, sure, state) in rows {
        let number = Number {
            written: written.unwrap_or_default(),
            uri,
            label,
            certainty: certainty(&sure),
            to_verify: state != "actif" || sure == "basse",
        };
        by_facility.entry(facility).or_default().push(number);
    }
    Ok(by_facility)
}

async fn emergency(tx: &mut sqlx::PgConnection) -> Result<Vec<EmergencyNumber>, sqlx::Error> {
    type Row = (Option<String>, Option<String>, Option<String>, String, String, Option<bool>, Option<bool>, String);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT numero, tel_uri, libelle, categorie, portee, gratuit, h24, certitude FROM liste_numero_etablissement_sante
          WHERE id_etablissement IS NULL AND tel_uri IS NOT NULL AND portee <> 'etablissement' AND etat = 'actif' AND certitude IN ('haute', 'moyenne')
          ORDER BY ordre, id_liste_num LIMIT 500",
    )
    .fetch_all(tx)
    .await?;
    let number = |(written, uri, label, category, scope, free, h24, sure): Row| EmergencyNumber {
        number: Number {
            written: written.unwrap_or_default(),
            uri,
            label,
            certainty: certainty(&sure),
            to_verify: false,
        },
        category,
        scope,
        free,
        around_the_clock: h24,
    };
    Ok(rows.into_iter().map(number).collect())
}

type DutyRow = (Uuid, String, Option<f64>, Option<f64>, NaiveDate, NaiveDate, String, String, Vec<String>, Option<i32>);

async fn duties(tx: &mut sqlx::PgConnection, now: DateTime<Utc>) -> Result<Vec<(Duty, Option<i32>)>, sqlx::Error> {
    let rows: Vec<DutyRow> = sqlx::query_as(
        "SELECT g.id, z.nom, ST_Y(z.geom), ST_X(z.geom), g.debut, g.fin, g.nom_brut, g.adresse_brute, g.telephones, g.id_etablissement
           FROM garde_pharmacie g JOIN zone_garde z ON z.id = g.id_zone
          WHERE g.fin >= $1::date - 400 ORDER BY z.nom_norm, g.nom_norm, g.id LIMIT 200000",
    )
    .bind(now.date_naive())
    .fetch_all(tx)
    .await?;
    let duty = |(id, area, lat, lng, start, end, name, address, phones, facility): DutyRow| {
        let number = |text: &String| {
            let dial = phone::read(text).ok()?.dial;
            Some(Number {
                written: dial.written(),
                uri: Some(dial.uri()),
                label: None,
                certainty: "medium",
                to_verify: false,
            })
        };
        let area_place = lat.zip(lng).and_then(|(lat, lng)| Place::new(lat, lng));
        (
            Duty {
                id,
                area,
                area_place,
                start,
                end,
                name,
                address,
                phones: phones.iter().filter_map(number).collect(),
                facility: None,
            },
            facility,
        )
    };
    Ok(rows.into_iter().map(duty).collect())
}

async fn towns(tx: &mut sqlx::PgConnection) -> Result<Vec<(Town, Vec<String>)>, sqlx::Error> {
    type Row = (String, Vec<String>, Option<i32>, Option<f64>, Option<f64>);
    let rows: Vec<Row> = sqlx::query_as("SELECT nom, alias, population, ST_Y(geom), ST_X(geom) FROM localite ORDER BY population DESC NULLS LAST, id LIMIT 100000").fetch_all(tx).await?;
    let town = |(name, aliases, population, lat, lng): Row| {
        (
            Town {
                name,
                place: lat.zip(lng).and_then(|(lat, lng)| Place::new(lat, lng)),
                population: population.unwrap_or(0),
            },
            aliases,
        )
    };
    Ok(rows.into_iter().map(town).collect())
}
