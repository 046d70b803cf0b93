//! The weekly list of pharmacies on duty. It stands by itself: area, name, address, numbers; a facility with coordinates is
//! added where exactly one pharmacy carries the name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use kernel::new_id;
use serde_json::{Value, json};
use sqlx::types::Json;

use super::read::Table;
use super::{ImportError, ImportOptions, Note, Report, World};
use crate::kind::{is_filler, word_kind};
use crate::phone;
use crate::text::{normal, tidy};

/// A duty longer than this is a mistake, in days.
const MAX_DAYS: i64 = 31;
const SOURCE: &str = "garde";

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Duty {
    start: NaiveDate,
    end: NaiveDate,
    area: String,
    name: String,
    address: String,
    phones: Vec<String>,
    raw_phones: String,
}

/// Replaces the lists of the periods that the file tells of, each in one transaction; the same list again writes nothing.
pub(super) async fn import(world: &World, options: &ImportOptions, table: Table) -> Result<Report, ImportError> {
    let rows_in_file = table.rows.len();
    let (duties, notes) = read(table)?;
    let mut report = Report { rows: rows_in_file, ..Report::default() };
    let mut periods: BTreeMap<(NaiveDate, NaiveDate), BTreeSet<Duty>> = BTreeMap::new();
    for duty in duties {
        periods.entry((duty.start, duty.end)).or_default().insert(duty);
    }
    for ((start, end), wanted) in periods {
        let present = present(world, start, end).await?;
        if present == wanted {
            report.unchanged += wanted.len();
            continue;
        }
        report.created += wanted.difference(&present).count();
        report.unchanged += wanted.intersection(&present).count();
        report.vanished += present.difference(&wanted).count();
        if !options.dry_run {
            replace(world, start, end, &wanted).await?;
        }
    }
    Ok(report.with_notes(notes))
}

fn read(table: Table) -> Result<(Vec<Duty>, Vec<Note>), ImportError> {
    let header: Vec<String> = table.header.iter().map(|name| normal(name)).collect();
    let column = |names: &[&str]| names.iter().find_map(|name| header.iter().position(|one| one == name));
    let start = column(&["week start", "debut", "date debut", "du"]).ok_or(ImportError::NoColumn("week_start"))?;
    let end = column(&["week end", "fin", "date fin", "au"]).ok_or(ImportError::NoColumn("week_end"))?;
    let area = column(&["area", "zone", "commune", "secteur"]).ok_or(ImportError::NoColumn("area"))?;
    let name = column(&["name", "nom", "pharmacie"]).ok_or(ImportError::NoColumn("name"))?;
    let (address, phones) = (
        column(&["address", "adresse", "situation"]),
        column(&["phones", "telephones", "telephone", "contacts", "contact"]),
    );
    let mut notes = table.notes;
    let mut duties = Vec::new();
    for (line, row) in &table.rows {
        let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).map(|text| tidy(text)).unwrap_or_default();
        let (Some(from), Some(to)) = (date(&cell(Some(start))), date(&cell(Some(end)))) else {
            notes.push(Note::refusal(*line, "date_invalid", &format!("{} – {}", cell(Some(start)), cell(Some(end)))));
            continue;
        };
        if to < from || (to - from).num_days() > MAX_DAYS {
            notes.push(Note::refusal(*line, "period_invalid", &format!("{from} – {to}")));
            continue;
        }
        if cell(Some(name)).is_empty() || cell(Some(area)).is_empty() {
            notes.push(Note::refusal(*line, "name_missing", ""));
            continue;
        }
        let raw_phones = cell(phones);
        let (numbers, refused) = phone::read_all(&raw_phones);
        // What is printed stays visible; only a well-formed number becomes a button.
        notes.extend(refused.iter().map(|(_, reason)| Note::remark(*line, reason.code(), "")));
        notes.extend(
            numbers
                .iter()
                .filter(|number| number.former.is_some())
                .map(|_| Note::remark(*line, "phone_renumbered", "")),
        );
        let phones = numbers
            .iter()
            .map(|number| number.dial.e164().or(number.dial.short()).unwrap_or_default().to_owned())
            .collect();
        duties.push(Duty {
            start: from,
            end: to,
            area: cell(Some(area)),
            name: cell(Some(name)),
            address: cell(address),
            phones,
            raw_phones,
        });
    }
    Ok((duties, notes))
}

/// `2026-02-21` or `21/02/2026`.
fn date(text: &str) -> Option<NaiveDate> {
    let text = text.get(..10).unwrap_or(text);
    NaiveDate::parse_from_str(text, "%Y-%m-%d").or_else(|_| NaiveDate::parse_from_str(text, "%d/%m/%Y")).ok()
}

async fn present(world: &World, start: NaiveDate, end: NaiveDate) -> Result<BTreeSet<Duty>, sqlx::Error> {
    let rows: Vec<(String, String, String, Vec<String>, String)> = sqlx::query_as(
        "SELECT z.nom, g.nom_brut, g.adresse_brute, g.telephones, g.telephones_bruts
           FROM garde_pharmacie g JOIN zone_garde z ON z.id = g.id_zone WHERE g.source = $1 AND g.debut = $2 AND g.fin = $3",
    )
    .bind(SOURCE)
    .bind(start)
    .bind(end)
    .fetch_all(&world.db.write)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(area, name, address, phones, raw_phones)| Duty { start, end, area, name, address, phones, raw_phones })
        .collect())
}

/// The words of a pharmacy's name that tell it from others, sorted.
pub(super) fn core(name: &str) -> String {
    let text = normal(name);
    let mut words: Vec<&str> = text.split(' ').filter(|word| word_kind(word).is_none() && !is_filler(word)).collect();
    words.sort_unstable();
    words.join(" ")
}

async fn replace(world: &World, start: NaiveDate, end: NaiveDate, wanted: &BTreeSet<Duty>) -> Result<(), ImportError> {
    let links = pharmacies(world).await?;
    let lot = new_id(&world.clock, &world.random);
    let areas: BTreeMap<String, &str> = wanted.iter().map(|duty| (normal(&duty.area), duty.area.as_str())).collect();
    let rows: Vec<Value> = wanted
        .iter()
        .map(|duty| {
            json!({"id": new_id(&world.clock, &world.random), "zone": normal(&duty.area), "lien": links.get(&core(&duty.name)).copied().flatten(),
                "nom": duty.name, "norm": normal(&duty.name), "adresse": duty.address, "tels": duty.phones, "brut": duty.raw_phones})
        })
        .collect();
    let mut tx = world.db.write.begin().await?;
    sqlx::query("INSERT INTO zone_garde (nom, nom_norm) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT (nom_norm) DO NOTHING")
        .bind(areas.values().copied().collect::<Vec<_>>())
        .bind(areas.keys().cloned().collect::<Vec<_>>())
        .execute(&mut *tx)
        .await?;
    // An area is placed at the town of its name; a pharmacy without a place is then found near its area.
    sqlx::query(
        "UPDATE zone_garde z SET geom = (SELECT l.geom FROM localite l WHERE l.geom IS NOT NULL AND l.source = 'geonames'
            AND (lower(l.nom) = lower(z.nom) OR lower(z.nom) = ANY (SELECT lower(a) FROM unnest(l.alias) a)) ORDER BY l.population DESC NULLS LAST LIMIT 1)
          WHERE z.geom IS NULL AND z.nom_norm = ANY($1)",
    )
    .bind(areas.keys().cloned().collect::<Vec<_>>())
    .execute(&mut *tx)
    .await?;
    sqlx::query("DELETE FROM garde_pharmacie WHERE source = $1 AND debut = $2 AND fin = $3")
        .bind(SOURCE)
        .bind(start)
        .bind(end)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "INSERT INTO garde_pharmacie (id, id_zone, debut, fin, id_etablissement, nom_brut, nom_norm, adresse_brute, telephones, telephones_bruts, source, lot)
         SELECT r.id, z.id, $2, $3, r.lien, r.nom, r.norm, r.adresse, r.tels, r.brut, $4, $5
           FROM jsonb_to_recordset($1) AS r(id uuid, zone text, lien integer, nom text, norm text, adresse text, tels text[], brut text)
           JOIN zone_garde z ON z.nom_norm = r.zone
         ON CONFLICT (id_zone, debut, fin, nom_norm, adresse_brute) DO NOTHING",
    )
    .bind(Json(Value::Array(rows)))
    .bind(start)
    .bind(end)
    .bind(SOURCE)
    .bind(lot)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Pharmacies by the words of their names; `None` where two carry the same.
async fn pharmacies(world: &World) -> Result<HashMap<String, Option<i32>>, sqlx::Error> {
    let rows: Vec<(i32, String)> = sqlx::query_as("SELECT id_etablissement, nom FROM etablissement_sante WHERE type_id = 1 AND etat = 'ouvert' AND nom IS NOT NULL")
        .fetch_all(&world.db.write)
        .await?;
    let mut names: HashMap<String, Option<i32>> = HashMap::with_capacity(rows.len());
    for (id, name) in rows {
        let core = core(&name);
        if !core.is_empty() {
            names.entry(core).and_modify(|known| *known = None).or_insert(Some(id));
        }
    }
    Ok(names)
}
