use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::history::store::Row as Operation;

/// Who reads the sealed batches.
const READER: &str = "webhooks";

/// An address.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Endpoint {
    pub(super) id: Uuid,
    pub(super) url: String,
    pub(super) actif: bool,
    pub(super) echecs: i32,
    pub(super) cree_le: DateTime<Utc>,
}

/// An address that is not written yet.
#[derive(Debug)]
pub(super) struct New<'a> {
    pub(super) id: Uuid,
    pub(super) id_user: i32,
    pub(super) id_compte: i64,
    pub(super) url: &'a str,
    pub(super) secret: &'a [u8],
    pub(super) now: DateTime<Utc>,
}

/// A message as its owner sees it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Delivery {
    pub(super) id: Uuid,
    pub(super) evenement: String,
    pub(super) charge: Value,
    pub(super) etat: String,
    pub(super) essais: i16,
    pub(super) dernier_statut: Option<i16>,
    pub(super) derniere_erreur: Option<String>,
    pub(super) cree_le: DateTime<Utc>,
    pub(super) fait_le: Option<DateTime<Utc>>,
}

/// A message to be sent, with what signs it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct ToSend {
    pub(super) webhook: Uuid,
    pub(super) url: String,
    pub(super) charge: Value,
    pub(super) secret: Vec<u8>,
    pub(super) secret_precedent: Option<Vec<u8>>,
    pub(super) precedent_jusqu: Option<DateTime<Utc>>,
}

/// False when the person has as many as may be.
pub(super) async fn insert(connection: &mut PgConnection, new: &New<'_>, most: i64) -> sqlx::Result<bool> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('webhook_sortant', $1))")
        .bind(i64::from(new.id_user))
        .execute(&mut *connection)
        .await?;
    let written = sqlx::query(
        "INSERT INTO webhook_sortant (id, id_user, id_compte, url, secret, cree_le)
         SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT count(*) FROM webhook_sortant WHERE id_user = $2) < $7",
    )
    .bind(new.id)
    .bind(new.id_user)
    .bind(new.id_compte)
    .bind(new.url)
    .bind(new.secret)
    .bind(new.now)
    .bind(most)
    .execute(connection)
    .await?;
    Ok(written.rows_affected() == 1)
}

/// The reader begins where the seals are now, unless it has begun before.
pub(super) async fn start_reading(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO lecture_evenements (lecteur, position) SELECT $1, coalesce(max(position), 0) FROM sceau
         ON CONFLICT (lecteur) DO NOTHING",
    )
    .bind(READER)
    .execute(connection)
    .await
    .map(drop)
}

pub(super) async fn by_id(connection: &mut PgConnection, id_user: i32, id: Uuid) -> sqlx::Result<Option<Endpoint>> {
    sqlx::query_as("SELECT id, url, actif, echecs, cree_le FROM webhook_sortant WHERE id = $1 AND id_user = $2")
        .bind(id)
        .bind(id_user)
        .fetch_optional(connection)
        .await
}

pub(super) async fn list(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<Vec<Endpoint>> {
    sqlx::query_as(
        "SELECT id, url, actif, echecs, cree_le FROM webhook_sortant WHERE id_user = $1 ORDER BY id LIMIT 100",
    )
    .bind(id_user)
    .fetch_all(connection)
    .await
}

pub(super) async fn remove(connection: &mut PgConnection, id_user: i32, id: Uuid) -> sqlx::Result<bool> {
    let removed = sqlx::query("DELETE FROM webhook_sortant WHERE id = $1 AND id_user = $2")
        .bind(id)
        .bind(id_user)
        .execute(connection)
        .await?;
    Ok(removed.rows_affected() == 1)
}

pub(super) async fn rotate(
    connection: &mut PgConnection,
    id_user: i32,
    id: Uuid,
    secret: &[u8],
    until: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let rotated = sqlx::query(
        "UPDATE webhook_sortant SET secret_precedent = secret, precedent_jusqu = $4, secret = $3, actif = true, echecs = 0
          WHERE id = $1 AND id_user = $2",
    )
    .bind(id)
    .bind(id_user)
    .bind(secret)
    .bind(until)
    .execute(connection)
    .await?;
    Ok(rotated.rows_affected() == 1)
}

pub(super) async fn deliveries(
    connection: &mut PgConnection,
    id: Uuid,
    before: Option<Uuid>,
    most: i64,
) -> sqlx::Result<Vec<Delivery>> {
    sqlx::query_as(
        "SELECT id, evenement, charge, etat, essais, dernier_statut, derniere_erreur, cree_le, fait_le FROM webhook_envoi
          WHERE id_webhook = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
    )
    .bind(id)
    .bind(before)
    .bind(most)
    .fetch_all(connection)
    .await
}

/// Opens a message again.
pub(super) async fn again(connection: &mut PgConnection, webhook: Uuid, id: Uuid) -> sqlx::Result<Option<Delivery>> {
    sqlx::query_as(
        "UPDATE webhook_envoi SET etat = 'attente', fait_le = NULL WHERE id = $2 AND id_webhook = $1
         RETURNING id, evenement, charge, etat, essais, dernier_statut, derniere_erreur, cree_le, fait_le",
    )
    .bind(webhook)
    .bind(id)
    .fetch_optional(connection)
    .await
}

/// Where the reader is, and the last seal; none before the first address was registered.
pub(super) async fn position(connection: &mut PgConnection) -> sqlx::Result<Option<(i64, i64)>> {
    sqlx::query_as(
        "SELECT l.position, coalesce((SELECT max(position) FROM sceau), 0) FROM lecture_evenements l WHERE l.lecteur = $1",
    )
    .bind(READER)
    .fetch_optional(connection)
    .await
}

/// Moves the reader on; false when another process was faster.
pub(super) async fn moved(connection: &mut PgConnection, from: i64, to: i64) -> sqlx::Result<bool> {
    let moved = sqlx::query("UPDATE lecture_evenements SET position = $3 WHERE lecteur = $1 AND position = $2")
        .bind(READER)
        .bind(from)
        .bind(to)
        .execute(connection)
        .await?;
    Ok(moved.rows_affected() == 1)
}

/// An operation of a sealed batch that concerns an address: what it was, and as it is shown.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Heard {
    pub(super) webhook: Uuid,
    pub(super) compte: i64,
    /// `nature` of the row in the batch; a settlement is told as the operation that it settles.
    pub(super) faite: String,
    /// The row in the batch: a settlement in parts is told once a part.
    pub(super) sujet: Uuid,
    #[sqlx(flatten)]
    pub(super) operation: Operation,
}

/// What happened between two seals to accounts that have an address. Refusals are nobody else's business.
pub(super) async fn heard(connection: &mut PgConnection, from: i64, to: i64) -> sqlx::Result<Vec<Heard>> {
    sqlx::query_as(
        "SELECT w.id AS webhook, w.id_compte AS compte, f.nature AS faite, f.public_id AS sujet,
                t.id_transaction, t.public_id, t.nature, coalesce(t.statut, '') AS statut,
                coalesce(t.montant, 0)::bigint AS montant, t.frais, t.note,
                coalesce(t.date_transaction AT TIME ZONE 'UTC', 'epoch') AS date, t.regle_le,
                t.id_compte_expediteur AS expediteur, e.id_user AS user_expediteur, r.id_user AS user_recepteur,
                e.code AS code_expediteur, r.code AS code_recepteur, t.solde_expediteur, t.solde_recepteur,
                i.compte_masque, NULL::bigint AS version
           FROM sceau s JOIN lot l ON l.premier = s.lot
           JOIN transaction f ON f.id_transaction BETWEEN l.premier AND l.dernier
           JOIN transaction t ON t.id_transaction = CASE WHEN f.nature = 'reglement' THEN f.lie_a ELSE f.id_transaction END
           JOIN webhook_sortant w ON w.actif AND w.id_compte IN (t.id_compte_expediteur, t.id_compte_recepteur)
           LEFT JOIN compte e ON e.id_compte = t.id_compte_expediteur
           LEFT JOIN compte r ON r.id_compte = t.id_compte_recepteur
           LEFT JOIN instruction_operateur i ON i.id = t.public_id
          WHERE s.position > $1 AND s.position <= $2 AND f.statut <> 'refusee'
          ORDER BY f.id_transaction, w.id",
    )
    .bind(from)
    .bind(to)
    .fetch_all(connection)
    .await
}

/// False: the message is there already.
pub(super) async fn write(
    connection: &mut PgConnection,
    id: Uuid,
    heard: (Uuid, Uuid),
    event: &str,
    payload: &Value,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let (webhook, subject) = heard;
    let written = sqlx::query(
        "INSERT INTO webhook_envoi (id, id_webhook, evenement, sujet, charge, cree_le) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id_webhook, evenement, sujet) DO NOTHING",
    )
    .bind(id)
    .bind(webhook)
    .bind(event)
    .bind(subject.to_string())
    .bind(payload)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(written.rows_affected() == 1)
}

/// A message that waits, of an address that is switched on.
pub(super) async fn to_send(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<ToSend>> {
    sqlx::query_as(
        "SELECT w.id AS webhook, w.url, d.charge, w.secret, w.secret_precedent, w.precedent_jusqu
           FROM webhook_envoi d JOIN webhook_sortant w ON w.id = d.id_webhook
          WHERE d.id = $1 AND d.etat = 'attente' AND w.actif",
    )
    .bind(id)
    .fetch_optional(connection)
    .await
}

/// The end of one try.
pub(super) async fn tried(
    connection: &mut PgConnection,
    id: Uuid,
    state: &str,
    status: Option<i16>,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE webhook_envoi SET etat = $2, essais = least(essais + 1, 32000), dernier_statut = $3, derniere_erreur = $4,
                fait_le = CASE WHEN $2 = 'attente' THEN NULL ELSE $5 END
          WHERE id = $1",
    )
    .bind(id)
    .bind(state)
    .bind(status)
    .bind(error)
    .bind(now)
    .execute(connection)
    .await
    .map(drop)
}

/// Counts messages that were given up in a row; whoever reaches `most`, or says that nobody is there, is switched off.
pub(super) async fn failed(connection: &mut PgConnection, webhook: Uuid, most: i32, gone: bool) -> sqlx::Result<bool> {
    sqlx::query_scalar("UPDATE webhook_sortant SET echecs = echecs + 1, actif = actif AND NOT ($3 OR echecs + 1 >= $2) WHERE id = $1 RETURNING actif")
        .bind(webhook)
        .bind(most)
        .bind(gone)
        .fetch_optional(connection)
        .await
        .map(|active| active.unwrap_or(false))
}

pub(super) async fn received(connection: &mut PgConnection, webhook: Uuid) -> sqlx::Result<()> {
    sqlx::query("UPDATE webhook_sortant SET echecs = 0 WHERE id = $1 AND echecs > 0")
        .bind(webhook)
        .execute(connection)
        .await
        .map(drop)
}
