use chrono::{DateTime, Utc};
use providers::mobile_money::Exchange;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::{Side, StoredAction};

/// An order.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) id_user: i32,
    pub(crate) sens: String,
    pub(crate) operateur: String,
    pub(crate) montant: i64,
    pub(crate) compte_masque: String,
    pub(crate) secret: Vec<u8>,
    pub(crate) reference: String,
    pub(crate) cle_operateur: Uuid,
    pub(crate) cle: String,
    pub(crate) empreinte: Vec<u8>,
    pub(crate) etat: String,
    pub(crate) action: Option<Value>,
    /// Whom we called; none: nobody yet.
    pub(crate) route: Option<String>,
    /// Routes that certainly did not take it.
    pub(crate) routes_essayees: Vec<String>,
    /// A call may have had an effect.
    pub(crate) doute: bool,
    pub(crate) reference_operateur: Option<String>,
    pub(crate) envoye_le: Option<DateTime<Utc>>,
    pub(crate) limite_le: DateTime<Utc>,
}

impl Row {
    /// What the customer has to do now.
    pub(crate) fn next_action(&self) -> Option<StoredAction> {
        self.action.clone().and_then(|action| serde_json::from_value(action).ok())
    }
}

/// The columns of a [`Row`]: a macro because statements are literals.
macro_rules! row {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " id, id_user, sens, operateur, montant, compte_masque, secret, reference, cle_operateur, cle, empreinte,
              etat, action, route, routes_essayees, doute, reference_operateur, envoye_le, limite_le ",
            $after
        )
    };
}

/// An order that is not written yet.
#[derive(Debug)]
pub(super) struct New<'a> {
    pub(super) id: Uuid,
    pub(super) id_user: i32,
    pub(super) side: Side,
    pub(super) provider: &'a str,
    pub(super) amount: i64,
    pub(super) masked: String,
    pub(super) secret: Vec<u8>,
    pub(super) reference: String,
    pub(super) provider_key: Uuid,
    pub(super) key: &'a str,
    pub(super) fingerprint: &'a [u8],
    /// What the customer has to do before anything leaves.
    pub(super) action: Option<Value>,
    pub(super) deadline: DateTime<Utc>,
    pub(super) now: DateTime<Utc>,
}

/// False: the person used the key before.
pub(super) async fn insert(connection: &mut PgConnection, new: &New<'_>) -> sqlx::Result<bool> {
    let written = sqlx::query(
        "INSERT INTO instruction_operateur (id, id_user, sens, operateur, montant, compte_masque, secret, reference,
                                            cle_operateur, cle, empreinte, limite_le, cree_le, action)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (id_user, cle) DO NOTHING",
    )
    .bind(new.id)
    .bind(new.id_user)
    .bind(new.side.stored())
    .bind(new.provider)
    .bind(new.amount)
    .bind(&new.masked)
    .bind(&new.secret)
    .bind(&new.reference)
    .bind(new.provider_key)
    .bind(new.key)
    .bind(new.fingerprint)
    .bind(new.deadline)
    .bind(new.now)
    .bind(&new.action)
    .execute(connection)
    .await?;
    Ok(written.rows_affected() == 1)
}

pub(super) async fn by_key(connection: &mut PgConnection, id_user: i32, key: &str) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar("SELECT id FROM instruction_operateur WHERE id_user = $1 AND cle = $2")
        .bind(id_user)
        .bind(key)
        .fetch_optional(connection)
        .await
}

pub(super) async fn by_id(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Row>> {
    sqlx::query_as(row!("SELECT", "FROM instruction_operateur WHERE id = $1")).bind(id).fetch_optional(connection).await
}

/// By our reference, else by the operator's own.
pub(super) async fn by_reference(
    connection: &mut PgConnection,
    reference: Option<&str>,
    provider_id: Option<&str>,
    providers: &[&str],
) -> sqlx::Result<Option<Row>> {
    sqlx::query_as(row!(
        "SELECT",
        "FROM instruction_operateur
          WHERE operateur = ANY($3) AND (reference = $1 OR reference_operateur = $2)
          ORDER BY reference = $1 DESC NULLS LAST LIMIT 1"
    ))
    .bind(reference)
    .bind(provider_id)
    .bind(providers)
    .fetch_optional(connection)
    .await
}

/// The ledger refused it, or the key belongs to another operation: only an order that never left is closed so.
pub(super) async fn refuse(
    connection: &mut PgConnection,
    id_user: i32,
    key: &str,
    code: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE instruction_operateur i SET etat = 'refuse', code = $3, regle_le = $4
          WHERE id_user = $1 AND cle = $2 AND etat = 'cree'
            AND NOT EXISTS (SELECT FROM transaction t WHERE t.public_id = i.id AND t.statut = 'attente')",
    )
    .bind(id_user)
    .bind(key)
    .bind(code)
    .bind(now)
    .execute(connection)
    .await
    .map(drop)
}

/// Whoever gets the row sends it by this route; from now on it may have left.
pub(super) async fn claim(
    connection: &mut PgConnection,
    row: &Row,
    route: &str,
    secret: &[u8],
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let claimed = sqlx::query(
        "UPDATE instruction_operateur SET etat = 'inconnu', envoye_le = $3, secret = $2, route = $4, doute = true, action = NULL
          WHERE id = $1 AND etat = 'cree' AND doute = $5",
    )
    .bind(row.id)
    .bind(secret)
    .bind(now)
    .bind(route)
    .bind(row.doute)
    .execute(connection)
    .await?;
    Ok(claimed.rows_affected() == 1)
}

/// The operator knows it.
pub(super) async fn sent(
    connection: &mut PgConnection,
    id: Uuid,
    secret: &[u8],
    provider_id: Option<&str>,
    action: Option<Value>,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE instruction_operateur SET etat = 'envoye', secret = $2, reference_operateur = $3, action = $4
          WHERE id = $1 AND etat = 'inconnu'",
    )
    .bind(id)
    .bind(secret)
    .bind(provider_id)
    .bind(action)
    .execute(connection)
    .await
    .map(drop)
}

/// The operator knows nothing of it long after it left: it may leave again, by the same route.
pub(super) async fn back(connection: &mut PgConnection, id: Uuid, code: &str) -> sqlx::Result<bool> {
    let put =
        sqlx::query("UPDATE instruction_operateur SET etat = 'cree', code = $2 WHERE id = $1 AND etat = 'inconnu'")
            .bind(id)
            .bind(code)
            .execute(connection)
            .await?;
    Ok(put.rows_affected() == 1)
}

/// This call had no effect. When none before it may have had one either, the order is free to take another route.
pub(super) async fn not_taken(connection: &mut PgConnection, row: &Row, route: &str, code: &str) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE instruction_operateur
            SET etat = 'cree', code = $2, doute = $3, route = CASE WHEN $3 THEN route END,
                routes_essayees = CASE WHEN $3 THEN routes_essayees ELSE routes_essayees || $4::varchar END
          WHERE id = $1 AND etat IN ('inconnu', 'envoye')",
    )
    .bind(row.id)
    .bind(code)
    .bind(row.doute)
    .bind(route)
    .execute(connection)
    .await
    .map(drop)
}

/// No route took it: the next look begins with the first one again.
pub(super) async fn start_over(connection: &mut PgConnection, id: Uuid, action: Option<Value>) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE instruction_operateur SET routes_essayees = '{}', action = coalesce($2, action) WHERE id = $1 AND etat = 'cree'",
    )
    .bind(id)
    .bind(action)
    .execute(connection)
    .await
    .map(drop)
}

/// A signed webhook told the operator's identifier, which a lost answer had kept from us.
pub(super) async fn learned(
    connection: &mut PgConnection,
    id: Uuid,
    secret: &[u8],
    provider_id: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE instruction_operateur SET secret = $2, reference_operateur = $3
          WHERE id = $1 AND reference_operateur IS NULL AND etat IN ('inconnu', 'envoye')",
    )
    .bind(id)
    .bind(secret)
    .bind(provider_id)
    .execute(connection)
    .await
    .map(drop)
}

/// What the operator told of it beside its state.
pub(super) async fn told(
    connection: &mut PgConnection,
    id: Uuid,
    transaction: Option<&str>,
    fee: Option<i64>,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE instruction_operateur SET reference_releve = coalesce($2, reference_releve), frais_operateur = coalesce($3, frais_operateur)
          WHERE id = $1 AND ($2 IS DISTINCT FROM reference_releve OR $3 IS DISTINCT FROM frais_operateur)",
    )
    .bind(id)
    .bind(transaction)
    .bind(fee)
    .execute(connection)
    .await
    .map(drop)
}

/// The customer brought the operator's code: the order leaves again with it.
pub(super) async fn with_code(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<bool> {
    let put = sqlx::query(
        "UPDATE instruction_operateur SET etat = 'cree', action = NULL
          WHERE id = $1 AND etat IN ('cree', 'envoye') AND action ->> 'type' = 'enter_code'",
    )
    .bind(id)
    .execute(connection)
    .await?;
    Ok(put.rows_affected() == 1)
}

/// It ended, in one of the states that are final. What succeeded stays so, and what waits for a person waits.
pub(super) async fn finish(
    connection: &mut PgConnection,
    id: Uuid,
    state: &str,
    code: Option<&str>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE instruction_operateur SET etat = $2, code = coalesce($3, code), action = NULL, regle_le = $4
          WHERE id = $1 AND etat NOT IN ('reussi', 'a_revoir')",
    )
    .bind(id)
    .bind(state)
    .bind(code)
    .bind(now)
    .execute(connection)
    .await
    .map(drop)
}

/// It was looked at.
pub(super) async fn looked(connection: &mut PgConnection, id: Uuid, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("UPDATE instruction_operateur SET sondes = least(sondes + 1, 32000), sonde_le = $2 WHERE id = $1")
        .bind(id)
        .bind(now)
        .execute(connection)
        .await
        .map(drop)
}

/// Keeps a masked exchange.
pub(super) async fn exchanged(
    connection: &mut PgConnection,
    id: Uuid,
    instruction: Uuid,
    exchange: &Exchange,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO echange_operateur (id, id_instruction, operation, methode, chemin, tentative, duree_ms, statut, echec,
                                        requete, reponse, cree_le)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(id)
    .bind(instruction)
    .bind(exchange.operation)
    .bind(&exchange.method)
    .bind(&exchange.path)
    .bind(i32::try_from(exchange.attempt).unwrap_or(i32::MAX))
    .bind(i64::try_from(exchange.elapsed_ms).unwrap_or(i64::MAX))
    .bind(exchange.status.and_then(|status| i16::try_from(status).ok()))
    .bind(exchange.failure)
    .bind(&exchange.request)
    .bind(&exchange.response)
    .bind(now)
    .execute(connection)
    .await
    .map(drop)
}
