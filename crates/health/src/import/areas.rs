//! Polygons, towns, names of localities and the nation's emergency numbers: small files, written whole or not at all.

use serde_json::Value;

use super::read::Table;
use super::{Content, ImportError, ImportOptions, Note, Report, World};
use crate::geo::Place;
use crate::phone;
use crate::text::{normal, tidy};

/// What the polygons are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AreaKind {
    /// Sub-prefectures of COD-AB; departments and regions are made of them.
    Boundaries,
    /// Communes.
    Communes,
    /// Health districts.
    HealthDistricts,
}

impl AreaKind {
    fn level(self) -> &'static str {
        match self {
            Self::Boundaries => "sous_prefecture",
            Self::Communes => "commune",
            Self::HealthDistricts => "district_sanitaire",
        }
    }
}

struct Columns(Vec<String>);

impl Columns {
    fn get<'a>(&self, row: &'a [String], names: &[&str]) -> &'a str {
        let at = names.iter().find_map(|name| self.0.iter().position(|one| one == name));
        at.and_then(|at| row.get(at)).map_or("", |cell| cell.trim())
    }
}

fn columns(table: &Table) -> Columns {
    Columns(table.header.iter().map(|name| normal(name)).collect())
}

/// Inserts or replaces areas by code; one of the same shape is left alone.
pub(super) async fn polygons(
    world: &World,
    options: &ImportOptions,
    kind: AreaKind,
    table: Table,
) -> Result<Report, ImportError> {
    let columns = columns(&table);
    let (mut notes, mut codes, mut names, mut shapes, mut parents) =
        (table.notes, Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((line, row), shape) in table.rows.iter().zip(&table.shapes) {
        let name = tidy(columns.get(row, &["adm3 fr", "name fr", "name", "nom"]));
        let (Some(shape), false) = (shape, name.is_empty()) else {
            notes.push(Note::refusal(*line, if name.is_empty() { "name_missing" } else { "no_polygon" }, &name));
            continue;
        };
        let code = columns.get(row, &["adm3 pcode", "pcode", "code", "ref", "osm id"]);
        let code = if code.is_empty() { normal(&name).replace(' ', "-") } else { code.to_owned() };
        if codes.contains(&code) {
            notes.push(Note::refusal(*line, "duplicate_row", &code));
            continue;
        }
        let parent = [("adm2 pcode", "adm2 fr"), ("adm1 pcode", "adm1 fr")]
            .map(|(code, name)| [columns.get(row, &[code]), columns.get(row, &[name])].map(str::to_owned));
        parents.push(parent);
        codes.push(code);
        names.push(name);
        shapes.push(shape.to_string());
    }
    let mut report = Report { rows: table.rows.len(), ..Report::default() };
    if codes.is_empty() {
        return Ok(report.with_notes(notes));
    }
    let mut tx = world.db.write.begin().await?;
    let written = sqlx::query(
        "INSERT INTO unite_administrative AS u (niveau, pcode, nom, parent, source, geom)
         SELECT $1, r.code, r.nom, NULLIF(r.parent, ''), $6, ST_Multi(ST_CollectionExtract(ST_MakeValid(ST_SetSRID(ST_GeomFromGeoJSON(r.forme), 4326)), 3))
           FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS r(code, nom, parent, forme)
         ON CONFLICT (niveau, pcode) DO UPDATE SET nom = excluded.nom, parent = excluded.parent, geom = excluded.geom, source = excluded.source
          WHERE u.nom <> excluded.nom OR NOT ST_OrderingEquals(u.geom, excluded.geom)",
    )
    .bind(kind.level())
    .bind(&codes)
    .bind(&names)
    .bind(parents.iter().map(|parent| parent[0][0].clone()).collect::<Vec<_>>())
    .bind(&shapes)
    .bind(file_stem(options))
    .execute(&mut *tx)
    .await?
    .rows_affected();
    report.created = usize::try_from(written).unwrap_or(usize::MAX);
    report.unchanged = codes.len() - report.created.min(codes.len());
    if report.created > 0 {
        if kind == AreaKind::Boundaries {
            higher(&mut tx, &parents, &file_stem(options)).await?;
        }
        place_again(&mut tx).await?;
    }
    if options.dry_run {
        tx.rollback().await?;
    } else {
        tx.commit().await?;
    }
    Ok(report.with_notes(notes))
}

fn file_stem(options: &ImportOptions) -> String {
    options.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Departments and regions are the union of their sub-prefectures: borders then agree exactly.
async fn higher(tx: &mut sqlx::PgConnection, parents: &[[[String; 2]; 2]], source: &str) -> Result<(), sqlx::Error> {
    for (level, below, at) in [("departement", "sous_prefecture", 0), ("region", "departement", 1)] {
        let mut names: Vec<[String; 3]> = parents
            .iter()
            .map(|parent| {
                [
                    parent[at][0].clone(),
                    parent[at][1].clone(),
                    if at == 0 { parent[1][0].clone() } else { String::new() },
                ]
            })
            .collect();
        names.sort_unstable();
        names.dedup_by(|a, b| a[0] == b[0]);
        names.retain(|name| !name[0].is_empty());
        sqlx::query(
            "INSERT INTO unite_administrative AS u (niveau, pcode, nom, parent, source, geom)
             SELECT $1, r.code, r.nom, NULLIF(r.parent, ''), $6, ST_Multi(ST_CollectionExtract(ST_UnaryUnion(ST_Collect(b.geom)), 3))
               FROM unnest($2::text[], $3::text[], $4::text[]) AS r(code, nom, parent)
               JOIN unite_administrative b ON b.niveau = $5 AND b.parent = r.code
              GROUP BY r.code, r.nom, r.parent
             ON CONFLICT (niveau, pcode) DO UPDATE SET nom = excluded.nom, geom = excluded.geom",
        )
        .bind(level)
        .bind(names.iter().map(|name| name[0].clone()).collect::<Vec<_>>())
        .bind(names.iter().map(|name| name[1].clone()).collect::<Vec<_>>())
        .bind(names.iter().map(|name| name[2].clone()).collect::<Vec<_>>())
        .bind(below)
        .bind(source)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// Facilities that were imported before the polygons learn where they are.
async fn place_again(tx: &mut sqlx::PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "WITH ou AS (
           SELECT l.id_localisation,
                  (SELECT u.pcode FROM unite_administrative u WHERE u.niveau = 'sous_prefecture' AND ST_DWithin(u.geom, l.geom, 0.027) ORDER BY u.geom <-> l.geom LIMIT 1) AS adm3,
                  (SELECT u.nom FROM unite_administrative u WHERE u.niveau = 'commune' AND ST_Covers(u.geom, l.geom) LIMIT 1) AS commune,
                  (SELECT u.nom FROM unite_administrative u WHERE u.niveau = 'district_sanitaire' AND ST_Covers(u.geom, l.geom) LIMIT 1) AS district
             FROM localisation l WHERE l.fermee_le IS NULL AND l.geom IS NOT NULL)
         UPDATE localisation l SET adm3_pcode = ou.adm3, commune = ou.commune, district_sanitaire = ou.district
           FROM ou WHERE ou.id_localisation = l.id_localisation
            AND (l.adm3_pcode, l.commune, l.district_sanitaire) IS DISTINCT FROM (ou.adm3, ou.commune, ou.district)",
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Towns with points (GeoNames) or names alone.
pub(super) async fn localities(world: &World, options: &ImportOptions, table: Table) -> Result<Report, ImportError> {
    let columns = columns(&table);
    let source = if options.content == Content::Towns { "geonames" } else { "localites" };
    let mut notes = table.notes;
    let mut rows = Vec::new();
    for (line, row) in &table.rows {
        let (id, name) =
            (columns.get(row, &["geonameid", "code", "id"]), tidy(columns.get(row, &["name", "localite", "nom"])));
        if id.is_empty() || name.is_empty() {
            notes.push(Note::refusal(*line, "name_missing", ""));
            continue;
        }
        let number = |names: &[&str]| columns.get(row, names).parse::<f64>().ok();
        let place = number(&["lat", "latitude"])
            .zip(number(&["lon", "lng", "longitude"]))
            .and_then(|(lat, lng)| Place::new(lat, lng));
        if source == "geonames" && place.is_none() {
            notes.push(Note::refusal(*line, "coordinates_missing", ""));
            continue;
        }
        let aliases: Vec<&str> = columns
            .get(row, &["alternatenames", "alias"])
            .split('|')
            .map(str::trim)
            .filter(|alias| !alias.is_empty())
            .take(30)
            .collect();
        let within = ["sous prefecture", "departement", "region"]
            .map(|level| columns.get(row, &[level]))
            .into_iter()
            .filter(|name| !name.is_empty())
            .collect::<Vec<_>>()
            .join(", ");
        rows.push(serde_json::json!({"id": id, "nom": name, "alias": aliases, "population": columns.get(row, &["population"]).parse::<i32>().ok(),
            "dans": (!within.is_empty()).then_some(within), "lat": place.map(|p| p.lat), "lng": place.map(|p| p.lng)}));
    }
    let mut report = Report { rows: table.rows.len(), ..Report::default() };
    let good = rows.len();
    let mut tx = world.db.write.begin().await?;
    let written = sqlx::query(
        "INSERT INTO localite AS l (source, source_id, nom, alias, population, rattachement, geom)
         SELECT DISTINCT ON (r.id) $2, r.id, r.nom, r.alias, r.population, r.dans, ST_SetSRID(ST_MakePoint(r.lng, r.lat), 4326)
           FROM jsonb_to_recordset($1) AS r(id text, nom text, alias text[], population integer, dans text, lat float8, lng float8) ORDER BY r.id
         ON CONFLICT (source, source_id) DO UPDATE SET nom = excluded.nom, alias = excluded.alias, population = excluded.population,
            rattachement = excluded.rattachement, geom = excluded.geom
          WHERE (l.nom, l.alias, l.population, l.rattachement) IS DISTINCT FROM (excluded.nom, excluded.alias, excluded.population, excluded.rattachement)
             OR NOT COALESCE(ST_Equals(l.geom, excluded.geom), l.geom IS NULL AND excluded.geom IS NULL)",
    )
    .bind(sqlx::types::Json(Value::Array(rows)))
    .bind(source)
    .execute(&mut *tx)
    .await?
    .rows_affected();
    report.created = usize::try_from(written).unwrap_or(usize::MAX);
    report.unchanged = good - report.created.min(good);
    if options.dry_run {
        tx.rollback().await?;
    } else {
        tx.commit().await?;
    }
    Ok(report.with_notes(notes))
}

/// The nation's numbers. Rows of low certainty are kept and not shown until somebody called them.
pub(super) async fn numbers(world: &World, options: &ImportOptions, table: Table) -> Result<Report, ImportError> {
    let columns = columns(&table);
    let mut notes = table.notes;
    let mut rows = Vec::new();
    for ((line, row), order) in table.rows.iter().zip(1..) {
        let number = match phone::read(columns.get(row, &["number", "numero"])) {
            Ok(number) => number,
            Err(reason) => {
                notes.push(Note::refusal(*line, reason.code(), ""));
                continue;
            }
        };
        let certainty = match columns.get(row, &["certainty", "certitude"]) {
            "high" | "haute" => "haute",
            "medium" | "moyenne" => "moyenne",
            _ => "basse",
        };
        let flag = |names: &[&str]| match columns.get(row, names) {
            "yes" | "oui" => Some(true),
            "no" | "non" => Some(false),
            _ => None,
        };
        rows.push(serde_json::json!({"e164": number.dial.e164(), "court": number.dial.short(), "ecrit": number.dial.written(),
            "libelle": tidy(columns.get(row, &["label fr", "libelle", "label"])), "categorie": columns.get(row, &["category", "categorie"]),
            "portee": columns.get(row, &["scope", "portee"]), "gratuit": flag(&["free", "gratuit"]), "h24": flag(&["h24"]), "ordre": order,
            "certitude": certainty, "etat": if certainty == "basse" { "a_verifier" } else { "actif" }}));
    }
    let mut report = Report { rows: table.rows.len(), ..Report::default() };
    let good = rows.len();
    let mut tx = world.db.write.begin().await?;
    let written = sqlx::query(
        "INSERT INTO liste_numero_etablissement_sante AS n (nom_etablissement, numero, e164, numero_court, libelle, categorie, portee, gratuit, h24, ordre, certitude, etat, source)
         SELECT r.libelle, r.ecrit, r.e164, r.court, r.libelle, r.categorie, r.portee, r.gratuit, r.h24, r.ordre, r.certitude, r.etat, 'numbers'
           FROM jsonb_to_recordset($1) AS r(e164 text, court text, ecrit text, libelle text, categorie text, portee text, gratuit boolean, h24 boolean,
                ordre smallint, certitude text, etat text)
         ON CONFLICT (id_etablissement, e164, numero_court) WHERE e164 IS NOT NULL OR numero_court IS NOT NULL
         DO UPDATE SET libelle = excluded.libelle, categorie = excluded.categorie, portee = excluded.portee, certitude = excluded.certitude, etat = excluded.etat
          WHERE n.verifie_le IS NULL AND (n.libelle, n.categorie, n.portee, n.certitude) IS DISTINCT FROM (excluded.libelle, excluded.categorie, excluded.portee, excluded.certitude)",
    )
    .bind(sqlx::types::Json(Value::Array(rows)))
    .execute(&mut *tx)
    .await?
    .rows_affected();
    report.created = usize::try_from(written).unwrap_or(usize::MAX);
    report.unchanged = good - report.created.min(good);
    if options.dry_run {
        tx.rollback().await?;
    } else {
        tx.commit().await?;
    }
    Ok(report.with_notes(notes))
}
