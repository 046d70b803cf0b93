//! Pairs that an import took for one place and did not dare to join. A moderator joins them or says that they are two; a
//! join can be parted again.

use kernel::new_id;
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{Health, HealthError};

/// A pair that waits.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Pair {
    pub(crate) id: Uuid,
    pub(crate) first_id: Uuid,
    pub(crate) first_name: Option<String>,
    pub(crate) second_id: Uuid,
    pub(crate) second_name: Option<String>,
    pub(crate) score: f32,
    pub(crate) distance_meters: Option<f64>,
}

/// The likeliest first would change under a reader's hand: by id, the oldest first.
pub(super) async fn waiting(health: &Health, after: Option<Uuid>, rows: i64) -> Result<Vec<Pair>, HealthError> {
    let pairs = sqlx::query_as(
        "SELECT d.id, a.public_id AS first_id, a.nom AS first_name, b.public_id AS second_id, b.nom AS second_name, d.score,
                ST_Distance(a.geom::geography, b.geom::geography) AS distance_meters
           FROM doublon_a_revoir d JOIN etablissement_sante a ON a.id_etablissement = d.premier JOIN etablissement_sante b ON b.id_etablissement = d.second
          WHERE d.etat = 'attente' AND ($1::uuid IS NULL OR d.id > $1) ORDER BY d.id LIMIT $2",
    )
    .bind(after)
    .bind(rows)
    .fetch_all(&health.db().read)
    .await?;
    Ok(pairs)
}

/// Decides a pair. `keep` is the facility that stays; absent, they are two.
pub(super) async fn decide(health: &Health, moderator: Uuid, id: Uuid, keep: Option<Uuid>) -> Result<(), HealthError> {
    let mut tx = health.db().write.begin().await?;
    super::store::lock_directory(&mut tx).await?;
    let row: Option<(i32, Uuid, i32, Uuid, String)> = sqlx::query_as(
        "SELECT a.id_etablissement, a.public_id, b.id_etablissement, b.public_id, d.etat
           FROM doublon_a_revoir d JOIN etablissement_sante a ON a.id_etablissement = d.premier JOIN etablissement_sante b ON b.id_etablissement = d.second
          WHERE d.id = $1 FOR UPDATE OF d, a, b",
    )
    .bind(id)
    .fetch_optional(&mut *tx)
    .await?;
    let (first, first_id, second, second_id, state) = row.ok_or(HealthError::NotFound)?;
    if state != "attente" {
        return Err(HealthError::AlreadyDecided);
    }
    let (kept, gone) = match keep {
        None => (None, None),
        Some(keep) if keep == first_id => (Some(first), Some(second)),
        Some(keep) if keep == second_id => (Some(second), Some(first)),
        Some(_) => return Err(HealthError::Field("keep", "invalid")),
    };
    if let Some((kept, gone)) = kept.zip(gone) {
        let moved: Vec<(String, String)> =
            sqlx::query_as("UPDATE source_etablissement SET id_etablissement = $1 WHERE id_etablissement = $2 RETURNING source, source_id").bind(kept).bind(gone).fetch_all(&mut *tx).await?;
        // Numbers of the one that goes are numbers of the one that stays, behind its own.
        let numbers: Vec<i32> = sqlx::query_scalar(
            "UPDATE liste_numero_etablissement_sante n SET id_etablissement = $1, ordre = LEAST(ordre + 50, 32000) WHERE id_etablissement = $2
                AND NOT EXISTS (SELECT FROM liste_numero_etablissement_sante a WHERE a.id_etablissement = $1 AND a.e164 IS NOT DISTINCT FROM n.e164 AND a.numero_court IS NOT DISTINCT FROM n.numero_court)
             RETURNING id_liste_num",
        )
        .bind(kept)
        .bind(gone)
        .fetch_all(&mut *tx)
        .await?;
        sqlx::query("UPDATE garde_pharmacie SET id_etablissement = $1 WHERE id_etablissement = $2")
            .bind(kept)
            .bind(gone)
            .execute(&mut *tx)
            .await?;
        sqlx::query("UPDATE etablissement_sante SET etat = 'fusionne', fusionne_dans = $1 WHERE id_etablissement = $2")
            .bind(kept)
            .bind(gone)
            .execute(&mut *tx)
            .await?;
        // What was merged into the one that goes follows it.
        sqlx::query("UPDATE etablissement_sante SET fusionne_dans = $1 WHERE fusionne_dans = $2")
            .bind(kept)
            .bind(gone)
            .execute(&mut *tx)
            .await?;
        sqlx::query("UPDATE etablissement_sante SET maj_le = now() WHERE id_etablissement = $1")
            .bind(kept)
            .execute(&mut *tx)
            .await?;
        let trace = json!({"kept": kept, "gone": gone, "sources": moved, "numbers": numbers, "pair": id});
        sqlx::query("INSERT INTO modification_etablissement (id, id_etablissement, champ, ancienne, nouvelle, source, auteur, faite_le) VALUES ($1, $2, 'merge', NULL, $3, '', $4, $5)")
            .bind(new_id(health.clock(), health.random()))
            .bind(kept)
            .bind(Json(trace))
            .bind(moderator)
            .bind(health.now())
            .execute(&mut *tx)
            .await?;
    }
    sqlx::query("UPDATE doublon_a_revoir SET etat = $2, decide_par = $3, decide_le = $4 WHERE id = $1")
        .bind(id)
        .bind(if kept.is_some() { "fusionne" } else { "distinct" })
        .bind(moderator)
        .bind(health.now())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// Parts two that were joined: the rows and numbers that came along go back.
pub(super) async fn part(health: &Health, change: Uuid) -> Result<(), HealthError> {
    let mut tx = health.db().write.begin().await?;
    super::store::lock_directory(&mut tx).await?;
    let trace: Option<Option<Json<Value>>> =
        sqlx::query_scalar("SELECT nouvelle FROM modification_etablissement WHERE id = $1 AND champ = 'merge' AND annulee_le IS NULL FOR UPDATE").bind(change).fetch_optional(&mut *tx).await?;
    let Some(Some(Json(trace))) = trace else { return Err(HealthError::NotReversible) };
    let key = |name: &str| trace.get(name).and_then(Value::as_i64).and_then(|key| i32::try_from(key).ok());
    let Some(gone) = key("gone") else { return Err(HealthError::NotReversible) };
    sqlx::query("UPDATE source_etablissement s SET id_etablissement = $1 FROM jsonb_array_elements($2::jsonb) AS r WHERE s.source = r ->> 0 AND s.source_id = r ->> 1")
        .bind(gone)
        .bind(Json(trace.get("sources")))
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE liste_numero_etablissement_sante n SET id_etablissement = $1, ordre = GREATEST(ordre - 50, 0) FROM jsonb_array_elements_text($2::jsonb) AS r WHERE n.id_liste_num = r::integer")
        .bind(gone)
        .bind(Json(trace.get("numbers")))
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE etablissement_sante SET etat = 'ouvert', fusionne_dans = NULL WHERE id_etablissement = $1")
        .bind(gone)
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE etablissement_sante SET maj_le = now() WHERE id_etablissement = $1")
        .bind(key("kept"))
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "UPDATE doublon_a_revoir SET etat = 'attente', decide_par = NULL, decide_le = NULL WHERE id = ($1::text)::uuid",
    )
    .bind(trace.get("pair").and_then(Value::as_str))
    .execute(&mut *tx)
    .await?;
    sqlx::query("UPDATE modification_etablissement SET annulee_le = $2 WHERE id = $1")
        .bind(change)
        .bind(health.now())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}
