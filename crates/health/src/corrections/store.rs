use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use uuid::Uuid;

use super::model::Field;

type Result<T> = std::result::Result<T, sqlx::Error>;

/// A row of `signalement`.
pub(super) struct New<'a> {
    pub(super) id: Uuid,
    pub(super) facility: i32,
    pub(super) user: i32,
    pub(super) field: Field,
    pub(super) value: &'a Value,
    pub(super) comment: &'a str,
    pub(super) verified: bool,
    pub(super) old: bool,
    pub(super) now: DateTime<Utc>,
}

/// A proposal as moderators and its author see it.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Suggestion {
    pub(crate) id: Uuid,
    pub(crate) facility_id: Uuid,
    pub(crate) facility_name: Option<String>,
    pub(crate) field: String,
    pub(crate) value: Option<Json<Value>>,
    pub(crate) comment: String,
    pub(crate) state: String,
    pub(crate) change_id: Option<Uuid>,
    pub(crate) created_at: DateTime<Utc>,
}

/// A row of `modification_etablissement`.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) id: Uuid,
    pub(crate) field: String,
    pub(crate) before: Value,
    pub(crate) after: Value,
    /// Where the value before came from.
    pub(crate) origin: Value,
    pub(crate) author: Option<Uuid>,
    pub(crate) made_at: DateTime<Utc>,
    pub(crate) undone_at: Option<DateTime<Utc>>,
}

/// The writers' lock of `etablissement_sante`, taken before any row: taken in the other order, an import and a correction
/// could wait for each other.
pub(super) async fn lock_directory(tx: &mut PgConnection) -> Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock(4004001)").execute(tx).await?;
    Ok(())
}

/// The key of a facility that was not merged into another, locked until the end.
pub(super) async fn facility(tx: &mut PgConnection, id: Uuid) -> Result<Option<i32>> {
    sqlx::query_scalar(
        "SELECT id_etablissement FROM etablissement_sante WHERE public_id = $1 AND etat <> 'fusionne' FOR UPDATE",
    )
    .bind(id)
    .fetch_optional(tx)
    .await
}

pub(super) async fn lock_person(tx: &mut PgConnection, user: i32) -> Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock(4004002, $1)").bind(user).execute(tx).await?;
    Ok(())
}

pub(super) async fn today(tx: &mut PgConnection, user: i32, now: DateTime<Utc>) -> Result<i64> {
    sqlx::query_scalar("SELECT count(*) FROM signalement WHERE id_user = $1 AND cree_le > $2 - interval '1 day'")
        .bind(user)
        .bind(now)
        .fetch_one(tx)
        .await
}

pub(super) async fn insert(tx: &mut PgConnection, row: &New<'_>) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO signalement (id, id_etablissement, id_user, champ, proposee, commentaire, compte_verifie, compte_ancien, cree_le)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (id_etablissement, id_user, champ, proposee) WHERE etat = 'attente' DO NOTHING",
    )
    .bind(row.id)
    .bind(row.facility)
    .bind(row.user)
    .bind(row.field.code())
    .bind(Json(row.value))
    .bind(row.comment)
    .bind(row.verified)
    .bind(row.old)
    .bind(row.now)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many people who count propose exactly this and wait.
pub(super) async fn agreements(tx: &mut PgConnection, facility: i32, field: Field, value: &Value) -> Result<i64> {
    sqlx::query_scalar(
        "SELECT count(DISTINCT id_user) FROM signalement
          WHERE id_etablissement = $1 AND champ = $2 AND proposee = $3 AND etat = 'attente' AND compte_verifie AND compte_ancien",
    )
    .bind(facility)
    .bind(field.code())
    .bind(Json(value))
    .fetch_one(tx)
    .await
}

pub(super) async fn close_agreed(
    tx: &mut PgConnection,
    facility: i32,
    field: Field,
    value: &Value,
    change: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query("UPDATE signalement SET etat = 'accepte', decide_le = $4, id_modification = $5 WHERE id_etablissement = $1 AND champ = $2 AND proposee = $3 AND etat = 'attente'")
        .bind(facility)
        .bind(field.code())
        .bind(Json(value))
        .bind(now)
        .bind(change)
        .execute(tx)
        .await?;
    Ok(())
}

const SUGGESTION: &str = "SELECT s.id, e.public_id AS facility_id, e.nom AS facility_name, s.champ AS field, s.proposee AS value, s.commentaire AS comment,
    s.etat AS state, s.id_modification AS change_id, s.cree_le AS created_at
  FROM signalement s JOIN etablissement_sante e USING (id_etablissement)";

pub(super) async fn get(tx: &mut PgConnection, id: Uuid) -> Result<Option<Suggestion>> {
    sqlx::query_as(AssertSqlSafe(format!("{SUGGESTION} WHERE s.id = $1"))).bind(id).fetch_optional(tx).await
}

/// The oldest first.
pub(super) async fn waiting(tx: &mut PgConnection, after: Option<Uuid>, rows: i64) -> Result<Vec<Suggestion>> {
    sqlx::query_as(AssertSqlSafe(format!(
        "{SUGGESTION} WHERE s.etat = 'attente' AND ($1::uuid IS NULL OR s.id > $1) ORDER BY s.id LIMIT $2"
    )))
    .bind(after)
    .bind(rows)
    .fetch_all(tx)
    .await
}

/// Facility, field and value; the value is absent when somebody decided before.
pub(super) async fn pending(tx: &mut PgConnection, id: Uuid) -> Result<Option<(i32, String, Option<Value>)>> {
    let row: Option<(i32, String, Option<Json<Value>>)> =
        sqlx::query_as("SELECT id_etablissement, champ, CASE WHEN etat = 'attente' THEN proposee END FROM signalement WHERE id = $1 FOR UPDATE").bind(id).fetch_optional(tx).await?;
    Ok(row.map(|(facility, field, value)| (facility, field, value.map(|value| value.0))))
}

pub(super) async fn decided(
    tx: &mut PgConnection,
    id: Uuid,
    moderator: Uuid,
    change: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query("UPDATE signalement SET etat = CASE WHEN $3::uuid IS NULL THEN 'refuse' ELSE 'accepte' END, moderateur = $2, id_modification = $3, decide_le = $4 WHERE id = $1")
        .bind(id)
        .bind(moderator)
        .bind(change)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

/// Sets a column to a JSON scalar and gives the one before. Column and type come from [`Field::column`], never from a request.
pub(super) async fn set_column(tx: &mut PgConnection, facility: i32, field: Field, value: &Value) -> Result<Value> {
    let Some((column, kind)) = field.column() else { return Ok(Value::Null) };
    let before: Option<Json<Value>> = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT to_jsonb({column}) FROM etablissement_sante WHERE id_etablissement = $1 FOR UPDATE"
    )))
    .bind(facility)
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query(AssertSqlSafe(format!(
        "UPDATE etablissement_sante SET {column} = ($2::jsonb #>> '{{}}')::{kind} WHERE id_etablissement = $1"
    )))
    .bind(facility)
    .bind(Json(value))
    .execute(tx)
    .await?;
    Ok(before.map_or(Value::Null, |before| before.0))
}

pub(super) async fn location(tx: &mut PgConnection, facility: i32) -> Result<Value> {
    let place: Option<(f64, f64)> =
        sqlx::query_as("SELECT latitude, longitude FROM etablissement_sante WHERE id_etablissement = $1 AND geom IS NOT NULL FOR UPDATE").bind(facility).fetch_optional(tx).await?;
    Ok(place.map_or(Value::Null, |(lat, lng)| json!({"lat": lat, "lng": lng})))
}

/// Closes the place where it stands and opens the new one; null takes it off the map.
pub(super) async fn move_to(tx: &mut PgConnection, facility: i32, value: &Value) -> Result<()> {
    let coordinate = |name: &str| value.get(name).and_then(Value::as_f64);
    sqlx::query("UPDATE localisation SET fermee_le = now() WHERE id_etablissement = $1 AND fermee_le IS NULL")
        .bind(facility)
        .execute(&mut *tx)
        .await?;
    let place = coordinate("lat").zip(coordinate("lng"));
    sqlx::query("UPDATE etablissement_sante SET latitude = $2, longitude = $3, geom = ST_SetSRID(ST_MakePoint($3, $2), 4326) WHERE id_etablissement = $1")
        .bind(facility)
        .bind(place.map(|place| place.0))
        .bind(place.map(|place| place.1))
        .execute(&mut *tx)
        .await?;
    if let Some((lat, lng)) = place {
        sqlx::query(
            "INSERT INTO localisation (id_etablissement, latitude, longitude, geom, methode, source, adm3_pcode, commune, district_sanitaire)
             SELECT $1, $2, $3, p.g, 'correction', 'correction',
                    (SELECT u.pcode FROM unite_administrative u WHERE u.niveau = 'sous_prefecture' AND ST_DWithin(u.geom, p.g, 0.027) ORDER BY u.geom <-> p.g LIMIT 1),
                    (SELECT u.nom FROM unite_administrative u WHERE u.niveau = 'commune' AND ST_Covers(u.geom, p.g) LIMIT 1),
                    (SELECT u.nom FROM unite_administrative u WHERE u.niveau = 'district_sanitaire' AND ST_Covers(u.geom, p.g) LIMIT 1)
               FROM (SELECT ST_SetSRID(ST_MakePoint($3, $2), 4326) AS g) p",
        )
        .bind(facility)
        .bind(lat)
        .bind(lng)
        .execute(tx)
        .await?;
    }
    Ok(())
}

fn dial(value: &Value) -> (Option<&str>, Option<&str>) {
    (value.get("e164").and_then(Value::as_str), value.get("short").and_then(Value::as_str))
}

pub(super) async fn has_number(tx: &mut PgConnection, facility: i32, value: &Value) -> Result<bool> {
    let (e164, short) = dial(value);
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM liste_numero_etablissement_sante WHERE id_etablissement = $1 AND etat <> 'mort' AND (e164 = $2 OR numero_court = $3))")
        .bind(facility)
        .bind(e164)
        .bind(short)
        .fetch_one(tx)
        .await
}

pub(super) async fn is_national(tx: &mut PgConnection, value: &Value) -> Result<bool> {
    let (e164, short) = dial(value);
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM liste_numero_etablissement_sante WHERE id_etablissement IS NULL AND portee <> 'etablissement' AND (e164 = $1 OR numero_court = $2))")
        .bind(e164)
        .bind(short)
        .fetch_one(tx)
        .await
}

pub(super) async fn add_number(tx: &mut PgConnection, facility: i32, value: &Value, now: DateTime<Utc>) -> Result<()> {
    let (e164, short) = dial(value);
    sqlx::query(
        "INSERT INTO liste_numero_etablissement_sante (id_etablissement, nom_etablissement, numero, e164, numero_court, certitude, etat, ordre, source, verifie_le)
         SELECT id_etablissement, nom, $2, $3, $4, 'moyenne', 'actif', 15, 'correction', $5 FROM etablissement_sante WHERE id_etablissement = $1
         ON CONFLICT (id_etablissement, e164, numero_court) WHERE e164 IS NOT NULL OR numero_court IS NOT NULL
         DO UPDATE SET certitude = 'moyenne', etat = 'actif', ordre = 15, verifie_le = excluded.verifie_le",
    )
    .bind(facility)
    .bind(value.get("written").and_then(Value::as_str))
    .bind(e164)
    .bind(short)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Changes the state of a facility's number and gives the one before; what is not active stands behind all others.
pub(super) async fn number_state(tx: &mut PgConnection, facility: i32, value: &Value, state: &str) -> Result<Value> {
    let (e164, short) = dial(value);
    let before: Option<String> = sqlx::query_scalar(
        "UPDATE liste_numero_etablissement_sante n SET etat = $4, ordre = CASE WHEN $4 = 'actif' THEN 20 ELSE 200 END
           FROM (SELECT id_liste_num, etat FROM liste_numero_etablissement_sante WHERE id_etablissement = $1 AND (e164 = $2 OR numero_court = $3) FOR UPDATE) avant
          WHERE n.id_liste_num = avant.id_liste_num RETURNING avant.etat",
    )
    .bind(facility)
    .bind(e164)
    .bind(short)
    .bind(state)
    .fetch_optional(tx)
    .await?;
    Ok(json!(before))
}

/// Names the correction as the origin of a field and gives the origin before.
pub(super) async fn mark_origin(tx: &mut PgConnection, facility: i32, field: Field, origin: &str) -> Result<Value> {
    let before: Option<Json<Value>> = sqlx::query_scalar(
        "UPDATE etablissement_sante e SET origine = e.origine || jsonb_build_object($2::text, $3::text)
           FROM (SELECT id_etablissement, origine -> $2 AS valeur FROM etablissement_sante WHERE id_etablissement = $1) avant
          WHERE e.id_etablissement = avant.id_etablissement RETURNING avant.valeur",
    )
    .bind(facility)
    .bind(field.code())
    .bind(origin)
    .fetch_one(tx)
    .await?;
    Ok(before.map_or(Value::Null, |before| before.0))
}

pub(super) async fn remember(tx: &mut PgConnection, change: &Change, facility: i32) -> Result<()> {
    sqlx::query("INSERT INTO modification_etablissement (id, id_etablissement, champ, ancienne, nouvelle, source, auteur, faite_le) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(change.id)
        .bind(facility)
        .bind(&change.field)
        .bind(Json(&change.before))
        .bind(Json(&change.after))
        .bind(change.origin.as_str().unwrap_or(""))
        .bind(change.author)
        .bind(change.made_at)
        .execute(tx)
        .await?;
    Ok(())
}

type ChangeRow = (
    i32,
    Uuid,
    String,
    Option<Json<Value>>,
    Option<Json<Value>>,
    String,
    Option<Uuid>,
    DateTime<Utc>,
    Option<DateTime<Utc>>,
);

const CHANGE: &str = "SELECT m.id_etablissement, m.id, m.champ, m.ancienne, m.nouvelle, m.source, m.auteur, m.faite_le, m.annulee_le FROM modification_etablissement m";

fn read(row: ChangeRow) -> (i32, Change) {
    let (facility, id, field, before, after, origin, author, made_at, undone_at) = row;
    let plain = |value: Option<Json<Value>>| value.map_or(Value::Null, |value| value.0);
    let origin = if origin.is_empty() { Value::Null } else { json!(origin) };
    (facility, Change { id, field, before: plain(before), after: plain(after), origin, author, made_at, undone_at })
}

pub(super) async fn change(tx: &mut PgConnection, id: Uuid) -> Result<Option<(i32, Change)>> {
    let row: Option<ChangeRow> = sqlx::query_as(AssertSqlSafe(format!("{CHANGE} WHERE m.id = $1 FOR UPDATE")))
        .bind(id)
        .fetch_optional(tx)
        .await?;
    Ok(row.map(read))
}

/// The latest first; bounded.
pub(super) async fn history(tx: &mut PgConnection, facility: Uuid) -> Result<Vec<Change>> {
    let rows: Vec<ChangeRow> =
        sqlx::query_as(AssertSqlSafe(format!("{CHANGE} JOIN etablissement_sante e USING (id_etablissement) WHERE e.public_id = $1 ORDER BY m.faite_le DESC, m.id DESC LIMIT 200")))
            .bind(facility)
            .fetch_all(tx)
            .await?;
    Ok(rows.into_iter().map(|row| read(row).1).collect())
}

/// A later change of the same field (of the same number) stands on top of this one.
pub(super) async fn is_overtaken(tx: &mut PgConnection, facility: i32, change: &Change) -> Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM modification_etablissement WHERE id_etablissement = $1 AND champ = $2 AND annulee_le IS NULL AND id <> $3
            AND (faite_le, id) > ($4, $3) AND (champ NOT IN ('phone', 'deadPhone') OR nouvelle = $5))",
    )
    .bind(facility)
    .bind(&change.field)
    .bind(change.id)
    .bind(change.made_at)
    .bind(Json(&change.after))
    .fetch_one(tx)
    .await
}

/// The origin before is the origin again, and the proposals that led here are closed as undone.
pub(super) async fn undone(tx: &mut PgConnection, facility: i32, change: &Change, now: DateTime<Utc>) -> Result<()> {
    sqlx::query("UPDATE etablissement_sante SET origine = CASE WHEN $3::text IS NULL THEN origine - $2 ELSE origine || jsonb_build_object($2, $3::text) END WHERE id_etablissement = $1")
        .bind(facility)
        .bind(&change.field)
        .bind(change.origin.as_str())
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE signalement SET etat = 'annule' WHERE id_modification = $1")
        .bind(change.id)
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE modification_etablissement SET annulee_le = $2 WHERE id = $1")
        .bind(change.id)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}
