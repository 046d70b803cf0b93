//! The SQL of an import. Batches travel as one JSON array each: a thousand rows are six statements.

use std::collections::HashMap;

use kernel::new_id;
use serde_json::{Value, json};
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::matching::Likely;
use super::plan::{Known, Neighbour, Plan, Step, Target, Words};
use super::record::Record;
use super::{ImportError, Progress, Report, Severity, Source, World};
use crate::geo::Place;
use crate::kind::Kind;
use crate::units::Units;

/// Rows of one transaction.
const BATCH: usize = 1000;

/// What the source gave before.
pub(super) async fn known(pool: &PgPool, source: Source) -> Result<HashMap<String, Known>, sqlx::Error> {
    let rows: Vec<(String, i32, Vec<u8>, bool)> =
        sqlx::query_as("SELECT source_id, id_etablissement, empreinte, disparu_le IS NOT NULL FROM source_etablissement WHERE source = $1")
            .bind(source.code())
            .fetch_all(pool)
            .await?;
    Ok(rows.into_iter().map(|(id, facility, fingerprint, gone)| (id, Known { facility, fingerprint, gone })).collect())
}

/// Facilities that this source does not know yet.
pub(super) async fn neighbours(pool: &PgPool, source: Source, wanted: bool) -> Result<Vec<Neighbour>, sqlx::Error> {
    if !wanted {
        return Ok(Vec::new());
    }
    type Row = (i32, Uuid, Option<String>, i16, f64, f64, Option<String>, Option<String>, Vec<String>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT e.id_etablissement, e.public_id, e.nom, e.type_id, ST_Y(e.geom), ST_X(e.geom), e.osm_ref, 'msp:' || e.code_msp,
                ARRAY(SELECT n.e164 FROM liste_numero_etablissement_sante n WHERE n.id_etablissement = e.id_etablissement AND n.e164 IS NOT NULL)
           FROM etablissement_sante e
          WHERE e.geom IS NOT NULL AND e.etat <> 'fusionne'
            AND NOT EXISTS (SELECT FROM source_etablissement s WHERE s.id_etablissement = e.id_etablissement AND s.source = $1)",
    )
    .bind(source.code())
    .fetch_all(pool)
    .await?;
    let neighbour = |(facility, public_id, name, kind, lat, lng, osm, code, phones): Row| {
        let evidence = phones.into_iter().chain(osm).chain(code).collect();
        Neighbour {
            facility,
            public_id,
            likely: Likely::new(&name.unwrap_or_default(), Kind(kind), Place { lat, lng }, evidence),
        }
    };
    Ok(rows.into_iter().map(neighbour).collect())
}

/// Everything that all sources say of these facilities.
pub(super) async fn words(pool: &PgPool, facilities: &[i32]) -> Result<Words, sqlx::Error> {
    let rows: Vec<(i32, String, String, Json<Value>)> =
        sqlx::query_as("SELECT id_etablissement, source, source_id, brut FROM source_etablissement WHERE id_etablissement = ANY($1) ORDER BY source, source_id")
            .bind(facilities)
            .fetch_all(pool)
            .await?;
    let word = |(facility, source, id, Json(raw)): (i32, String, String, Json<Value>)| {
        Some((facility, Source::of_code(&source)?, id, serde_json::from_value::<Record>(raw).ok()?))
    };
    Ok(rows.into_iter().filter_map(word).collect())
}

/// Carries a plan out.
pub(super) async fn apply(
    world: &World,
    source: Source,
    file: &str,
    plan: &Plan,
    units: &Units,
    report: &Report,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(), ImportError> {
    let lot = open_lot(world, source, file, report).await?;
    let mut ids = Sequence::new(world);
    let mut done = report.unchanged;
    let total = report.unchanged + plan.steps.len();
    for batch in plan.steps.chunks(BATCH) {
        let rows: Vec<Value> = batch.iter().filter_map(|step| row(step, units, &mut ids)).collect();
        let mut tx = world.db.write.begin().await?;
        write_batch(&mut tx, source, rows, world).await?;
        tx.commit().await?;
        done += batch.len();
        progress(Progress { done, total, refused: report.refused });
    }
    close_lot(world, source, lot, plan, report).await
}

/// Ids of one run: UUIDv7 with a counter in the last 32 bits, as RFC 9562 has it for batches. Telephones download them all,
/// and neighbours in a list that share 12 of 16 bytes pack well.
struct Sequence(u128, u32);

impl Sequence {
    fn new(world: &World) -> Self {
        Self(new_id(&world.clock, &world.random).as_u128() & !u128::from(u32::MAX), 0)
    }

    fn next(&mut self) -> Uuid {
        self.1 = self.1.wrapping_add(1);
        Uuid::from_u128(self.0 | u128::from(self.1))
    }
}

fn row(step: &Step, units: &Units, ids: &mut Sequence) -> Option<Value> {
    let published = step.published.as_ref()?;
    let inside = units.inside(Place { lat: published.latitude, lng: published.longitude });
    let (public_id, facility) = match step.target {
        Target::New => (Some(ids.next()), None),
        Target::Linked(facility) | Target::Known(facility) => (None, Some(facility)),
    };
    let mut row = serde_json::to_value(published).ok()?;
    let object = row.as_object_mut()?;
    object.insert("public_id".into(), json!(public_id));
    object.insert("id".into(), json!(facility));
    object.insert("adm3_pcode".into(), json!(inside.sub_prefecture.map(|(_, code)| code)));
    object.insert("commune".into(), json!(inside.commune.map(|(name, _)| name)));
    object.insert("district".into(), json!(inside.health_district.map(|(name, _)| name)));
    object.insert("source_id".into(), json!(step.source_id));
    object.insert("brut".into(), serde_json::to_value(&step.record).ok()?);
    object.insert("empreinte".into(), json!(hex::encode(step.record.fingerprint())));
    object.insert("telephones".into(), serde_json::to_value(&step.record.telephones).ok()?);
    object.insert("revoir".into(), json!(step.review));
    Some(row)
}

/// Statements that would find nothing to do are not sent.
async fn write_batch(
    tx: &mut PgConnection,
    source: Source,
    mut rows: Vec<Value>,
    world: &World,
) -> Result<(), sqlx::Error> {
    // A table that just grew from nothing has no statistics yet: without this each batch would read all of it.
    sqlx::query("SET LOCAL enable_seqscan = off").execute(&mut *tx).await?;
    let old: Vec<Value> = rows.iter().filter(|row| !row["id"].is_null()).cloned().collect();
    if old.len() < rows.len() {
        let new: Vec<&Value> = rows.iter().filter(|row| row["id"].is_null()).collect();
        let made: Vec<(Uuid, i32)> = sqlx::query_as(INSERT).bind(Json(new)).fetch_all(&mut *tx).await?;
        let made: HashMap<String, i32> = made.into_iter().map(|(public_id, id)| (public_id.to_string(), id)).collect();
        for row in rows.iter_mut().filter(|row| row["id"].is_null()) {
            row["id"] = json!(row["public_id"].as_str().and_then(|id| made.get(id)));
        }
    }
    if !old.is_empty() {
        sqlx::query(UPDATE).bind(Json(&old)).execute(&mut *tx).await?;
        sqlx::query(CLOSE_PLACE).bind(Json(&old)).execute(&mut *tx).await?;
        sqlx::query(OLD_NUMBERS).bind(Json(&old)).bind(source.code()).execute(&mut *tx).await?;
    }
    sqlx::query(OPEN_PLACE).bind(Json(&rows)).bind(source.code()).execute(&mut *tx).await?;
    sqlx::query(SOURCE)
        .bind(Json(&rows))
        .bind(source.code())
        .bind(source.licence())
        .bind(world.clock.now())
        .execute(&mut *tx)
        .await?;
    let some = |field: &str| {
        rows.iter().filter(|row| row[field].as_array().is_some_and(|list| !list.is_empty())).collect::<Vec<_>>()
    };
    let (called, doubtful) = (some("telephones"), some("revoir"));
    if !called.is_empty() {
        sqlx::query(NUMBERS).bind(Json(&called)).bind(source.code()).execute(&mut *tx).await?;
    }
    if !doubtful.is_empty() {
        sqlx::query(REVIEW).bind(Json(&doubtful)).execute(&mut *tx).await?;
    }
    Ok(())
}

const INSERT: &str = "
INSERT INTO etablissement_sante (public_id, nom, adresse, telephone, latitude, longitude, categorie, type_id, statut, niveau, specialites,
    services, urgences, horaires, etat, repere, code_msp, osm_ref, confiance, origine)
SELECT r.public_id, r.nom, r.adresse, r.telephone, r.latitude, r.longitude, r.categorie, r.type_id, r.statut, r.niveau, r.specialites,
    r.services, r.urgences, r.horaires, r.etat, r.repere, r.code_msp, r.osm_ref, r.confiance, r.origine
  FROM jsonb_to_recordset($1) AS r(public_id uuid, nom text, adresse text, telephone text, latitude float8, longitude float8,
    categorie text, type_id smallint, statut text, niveau text, specialites text[], services text[], urgences boolean, horaires text,
    etat text, repere text, code_msp text, osm_ref text, confiance smallint, origine jsonb)
RETURNING public_id, id_etablissement";

/// What people corrected stays: its origin names the correction.
const UPDATE: &str = "
UPDATE etablissement_sante e SET
    nom = CASE WHEN e.origine ->> 'name' LIKE 'correction:%' THEN e.nom ELSE r.nom END,
    type_id = CASE WHEN e.origine ->> 'type' LIKE 'correction:%' THEN e.type_id ELSE r.type_id END,
    adresse = CASE WHEN e.origine ->> 'address' LIKE 'correction:%' THEN e.adresse ELSE r.adresse END,
    repere = CASE WHEN e.origine ->> 'landmark' LIKE 'correction:%' THEN e.repere ELSE r.repere END,
    horaires = CASE WHEN e.origine ->> 'openingHours' LIKE 'correction:%' THEN e.horaires ELSE r.horaires END,
    urgences = CASE WHEN e.origine ->> 'emergency' LIKE 'correction:%' THEN e.urgences ELSE r.urgences END,
    etat = CASE WHEN e.origine ->> 'state' LIKE 'correction:%' OR e.etat = 'fusionne' THEN e.etat ELSE r.etat END,
    latitude = CASE WHEN e.origine ->> 'location' LIKE 'correction:%' THEN e.latitude ELSE r.latitude END,
    longitude = CASE WHEN e.origine ->> 'location' LIKE 'correction:%' THEN e.longitude ELSE r.longitude END,
    categorie = r.categorie, statut = r.statut, niveau = r.niveau, specialites = r.specialites, services = r.services,
    code_msp = r.code_msp, osm_ref = r.osm_ref, confiance = r.confiance, telephone = COALESCE(r.telephone, e.telephone),
    origine = r.origine || COALESCE((SELECT jsonb_object_agg(o.key, o.value) FROM jsonb_each(e.origine) o WHERE o.value #>> '{}' LIKE 'correction:%'), '{}')
  FROM jsonb_to_recordset($1) AS r(id integer, nom text, adresse text, telephone text, latitude float8, longitude float8, categorie text,
    type_id smallint, statut text, niveau text, specialites text[], services text[], urgences boolean, horaires text, etat text, repere text,
    code_msp text, osm_ref text, confiance smallint, origine jsonb)
 WHERE e.id_etablissement = r.id";

const CLOSE_PLACE: &str = "
UPDATE localisation l SET fermee_le = now()
  FROM jsonb_to_recordset($1) AS r(id integer), etablissement_sante e
 WHERE e.id_etablissement = r.id AND l.id_etablissement = e.id_etablissement AND l.fermee_le IS NULL
   AND (l.geom IS NULL OR NOT ST_Equals(l.geom, e.geom))";

const OPEN_PLACE: &str = "
INSERT INTO localisation (id_etablissement, latitude, longitude, geom, methode, adm3_pcode, commune, district_sanitaire, source)
SELECT e.id_etablissement, e.latitude, e.longitude, e.geom, r.methode, r.adm3_pcode, r.commune, r.district, $2
  FROM jsonb_to_recordset($1) AS r(id integer, methode text, adm3_pcode text, commune text, district text)
  JOIN etablissement_sante e ON e.id_etablissement = r.id
 WHERE e.geom IS NOT NULL
   AND NOT EXISTS (SELECT FROM localisation l WHERE l.id_etablissement = e.id_etablissement AND l.fermee_le IS NULL)";

const SOURCE: &str = "
INSERT INTO source_etablissement (source, source_id, id_etablissement, brut, empreinte, licence, vu_le)
SELECT $2, r.source_id, r.id, r.brut, decode(r.empreinte, 'hex'), $3, $4
  FROM jsonb_to_recordset($1) AS r(id integer, source_id text, brut jsonb, empreinte text)
ON CONFLICT (source, source_id) DO UPDATE SET brut = excluded.brut, empreinte = excluded.empreinte, vu_le = excluded.vu_le, disparu_le = NULL";

/// A number that people declared dead, or that was verified by a call, does not change with a file.
const NUMBERS: &str = "
INSERT INTO liste_numero_etablissement_sante AS n (id_etablissement, nom_etablissement, numero, e164, numero_court, certitude, etat, ancien_numero, source, ordre)
SELECT e.id_etablissement, e.nom, t.ecrit, t.e164, t.court, t.certitude, t.etat, t.ancien, $2,
       CASE t.certitude WHEN 'haute' THEN 10 WHEN 'moyenne' THEN 20 ELSE 30 END
  FROM jsonb_to_recordset($1) AS r(id integer, telephones jsonb)
  JOIN etablissement_sante e ON e.id_etablissement = r.id
 CROSS JOIN LATERAL jsonb_to_recordset(r.telephones) AS t(e164 text, court text, ecrit text, ancien text, certitude text, etat text)
ON CONFLICT (id_etablissement, e164, numero_court) WHERE e164 IS NOT NULL OR numero_court IS NOT NULL
DO UPDATE SET certitude = excluded.certitude, etat = excluded.etat, ordre = excluded.ordre, source = excluded.source, numero = excluded.numero
 WHERE n.verifie_le IS NULL AND n.etat <> 'mort' AND excluded.ordre < n.ordre";

/// A number that its own source does not give any more is doubtful.
const OLD_NUMBERS: &str = "
UPDATE liste_numero_etablissement_sante n SET etat = 'a_verifier'
  FROM jsonb_to_recordset($1) AS r(id integer, telephones jsonb)
 WHERE n.id_etablissement = r.id AND n.source = $2 AND n.etat = 'actif' AND n.verifie_le IS NULL
   AND NOT EXISTS (SELECT FROM jsonb_to_recordset(r.telephones) AS t(e164 text, court text) WHERE t.e164 = n.e164 OR t.court = n.numero_court)";

const REVIEW: &str = "
INSERT INTO doublon_a_revoir (id, premier, second, score)
SELECT uuid_v7(), LEAST(e.id_etablissement, autre.id_etablissement), GREATEST(e.id_etablissement, autre.id_etablissement), (paire ->> 1)::real
  FROM jsonb_to_recordset($1) AS r(id integer, revoir jsonb)
  JOIN etablissement_sante e ON e.id_etablissement = r.id
 CROSS JOIN LATERAL jsonb_array_elements(r.revoir) AS paire
  JOIN etablissement_sante autre ON autre.public_id = (paire ->> 0)::uuid
ON CONFLICT (premier, second) DO NOTHING";

async fn open_lot(world: &World, source: Source, file: &str, report: &Report) -> Result<Uuid, sqlx::Error> {
    let id = new_id(&world.clock, &world.random);
    sqlx::query("INSERT INTO import_lot (id, source, fichier, empreinte, lignes, refuses, commence_le) VALUES ($1, $2, $3, '', $4, $5, $6)")
        .bind(id)
        .bind(source.code())
        .bind(file)
        .bind(count(report.rows))
        .bind(count(report.refused))
        .bind(world.clock.now())
        .execute(&world.db.write)
        .await?;
    Ok(id)
}

/// The end of a run: what vanished, what was refused, and the lot's own numbers.
async fn close_lot(world: &World, source: Source, lot: Uuid, plan: &Plan, report: &Report) -> Result<(), ImportError> {
    let mut tx = world.db.write.begin().await?;
    sqlx::query("UPDATE source_etablissement SET disparu_le = $3 WHERE source = $1 AND source_id = ANY($2)")
        .bind(source.code())
        .bind(&plan.vanished)
        .bind(world.clock.now())
        .execute(&mut *tx)
        .await?;
    for notes in report.notes.chunks(BATCH * 10) {
        sqlx::query(
            "INSERT INTO import_ligne (id_lot, ligne, gravite, motif, detail)
             SELECT $1, * FROM unnest($2::integer[], $3::text[], $4::text[], $5::text[])",
        )
        .bind(lot)
        .bind(notes.iter().map(|note| i32::try_from(note.line).unwrap_or(i32::MAX)).collect::<Vec<_>>())
        .bind(
            notes
                .iter()
                .map(|note| if note.severity == Severity::Refusal { "refus" } else { "remarque" })
                .collect::<Vec<_>>(),
        )
        .bind(notes.iter().map(|note| note.code).collect::<Vec<_>>())
        .bind(notes.iter().map(|note| note.detail.as_str()).collect::<Vec<_>>())
        .execute(&mut *tx)
        .await?;
    }
    sqlx::query("UPDATE import_lot SET crees = $2, modifies = $3, fini_le = $4 WHERE id = $1")
        .bind(lot)
        .bind(count(report.created))
        .bind(count(report.changed + report.linked))
        .bind(world.clock.now())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
