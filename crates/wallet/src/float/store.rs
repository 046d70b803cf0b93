use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use sqlx::PgConnection;

/// A provider's accounts, as reports show them: positive is what we have, or what we owe.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Books {
    pub(crate) operateur: String,
    /// Ours at the operator, by the books.
    pub(crate) flottant: i64,
    /// Neither the customer's nor ours yet.
    pub(crate) suspens: i64,
    /// What it charged us.
    pub(crate) charge: i64,
    pub(crate) seuil: i64,
    /// Deposits that are on their way.
    pub(crate) entrees_en_cours: i64,
    /// Withdrawals that are on their way.
    pub(crate) sorties_en_cours: i64,
    /// Orders that wait for a person.
    pub(crate) a_revoir: i64,
}

pub(super) async fn books(connection: &mut PgConnection) -> sqlx::Result<Vec<Books>> {
    sqlx::query_as(
        "SELECT p.code AS operateur, coalesce(f.debits - f.credits, 0) AS flottant, coalesce(s.credits - s.debits, 0) AS suspens,
                coalesce(c.debits - c.credits, 0) AS charge, coalesce(t.seuil, 0) AS seuil,
                coalesce(sum(i.montant) FILTER (WHERE i.sens = 'depot' AND i.etat IN ('envoye', 'inconnu')), 0)::bigint AS entrees_en_cours,
                coalesce(sum(i.montant) FILTER (WHERE i.sens = 'retrait' AND i.etat IN ('envoye', 'inconnu')), 0)::bigint AS sorties_en_cours,
                count(i.id) FILTER (WHERE i.etat = 'a_revoir') AS a_revoir
           FROM operateur_produit p
           LEFT JOIN compte f ON f.code = 'flottant:' || p.code
           LEFT JOIN compte s ON s.code = 'suspens:' || p.code
           LEFT JOIN compte c ON c.code = 'charge:' || p.code
           LEFT JOIN seuil_flottant t ON t.operateur = p.code
           LEFT JOIN instruction_operateur i ON i.operateur = p.code AND i.etat IN ('envoye', 'inconnu', 'a_revoir')
          GROUP BY p.code, p.rang, f.debits, f.credits, s.debits, s.credits, c.debits, c.credits, t.seuil
          ORDER BY p.rang",
    )
    .fetch_all(connection)
    .await
}

/// What a route told.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Told {
    pub(crate) route: String,
    pub(crate) solde: Option<i64>,
    pub(crate) vu_le: Option<DateTime<Utc>>,
}

pub(super) async fn told(connection: &mut PgConnection) -> sqlx::Result<Vec<Told>> {
    sqlx::query_as("SELECT route, solde, vu_le FROM flottant_route ORDER BY route").fetch_all(connection).await
}

pub(super) async fn thresholds(connection: &mut PgConnection) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as("SELECT operateur, seuil FROM seuil_flottant ORDER BY operateur").fetch_all(connection).await
}

/// False: somebody asked a moment ago.
pub(super) async fn claim(
    connection: &mut PgConnection,
    route: &str,
    now: DateTime<Utc>,
    since: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let claimed = sqlx::query(
        "INSERT INTO flottant_route (route, demande_le) VALUES ($1, $2)
         ON CONFLICT (route) DO UPDATE SET demande_le = excluded.demande_le WHERE flottant_route.demande_le <= $3",
    )
    .bind(route)
    .bind(now)
    .bind(since)
    .execute(connection)
    .await?;
    Ok(claimed.rows_affected() == 1)
}

pub(super) async fn keep(
    connection: &mut PgConnection,
    route: &str,
    balance: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE flottant_route SET solde = $2, vu_le = $3 WHERE route = $1")
        .bind(route)
        .bind(balance)
        .bind(now)
        .execute(connection)
        .await
        .map(drop)
}

/// Sums of the books, in francs.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(super) struct Sums {
    /// What we owe customers.
    pub(super) clients: i64,
    /// What stands at the operators and in the bank for them.
    pub(super) avoirs: i64,
    /// Everything else that we owe or earned: suspense, fees, taxes.
    pub(super) autres: i64,
    /// Wallets that are below zero.
    pub(super) negatifs: i64,
}

pub(super) async fn sums(connection: &mut PgConnection) -> sqlx::Result<Sums> {
    sqlx::query_as(
        "SELECT coalesce(sum(credits - debits) FILTER (WHERE nature <> 'systeme'), 0)::bigint AS clients,
                coalesce(sum(debits - credits) FILTER (WHERE nature = 'systeme' AND sens = -1), 0)::bigint AS avoirs,
                coalesce(sum(credits - debits) FILTER (WHERE nature = 'systeme' AND sens = 1), 0)::bigint AS autres,
                count(*) FILTER (WHERE nature <> 'systeme' AND credits < debits) AS negatifs
           FROM compte",
    )
    .fetch_one(connection)
    .await
}

/// A proof as it is kept.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Kept {
    pub(super) rapport: Value,
    pub(super) juste: bool,
    pub(super) signature: Vec<u8>,
    pub(super) version_cle: i16,
    pub(super) etabli_le: DateTime<Utc>,
}

pub(super) async fn proof(connection: &mut PgConnection, day: NaiveDate) -> sqlx::Result<Option<Kept>> {
    sqlx::query_as("SELECT rapport, juste, signature, version_cle, etabli_le FROM preuve_cantonnement WHERE jour = $1")
        .bind(day)
        .fetch_optional(connection)
        .await
}

pub(super) async fn keep_proof(connection: &mut PgConnection, day: NaiveDate, kept: &Kept) -> sqlx::Result<bool> {
    let written = sqlx::query(
        "INSERT INTO preuve_cantonnement (jour, rapport, juste, signature, version_cle, etabli_le)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (jour) DO NOTHING",
    )
    .bind(day)
    .bind(&kept.rapport)
    .bind(kept.juste)
    .bind(&kept.signature)
    .bind(kept.version_cle)
    .bind(kept.etabli_le)
    .execute(connection)
    .await?;
    Ok(written.rows_affected() == 1)
}
