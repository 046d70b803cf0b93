use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::{Line, Statement};

/// The statement's row; the same file again finds the first one.
pub(super) async fn statement(
    connection: &mut PgConnection,
    id: Uuid,
    provider: &str,
    statement: &Statement,
    digest: &[u8],
    now: DateTime<Utc>,
) -> sqlx::Result<Uuid> {
    sqlx::query_scalar(
        "INSERT INTO releve (id, operateur, format, empreinte, debut, fin, lignes, solde_final, importe_le)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (operateur, empreinte) DO UPDATE SET lignes = excluded.lignes RETURNING id",
    )
    .bind(id)
    .bind(provider)
    .bind(statement.format.stored())
    .bind(digest)
    .bind(statement.from)
    .bind(statement.to)
    .bind(i32::try_from(statement.lines.len()).unwrap_or(i32::MAX))
    .bind(statement.closing)
    .bind(now)
    .fetch_one(connection)
    .await
}

/// False: an earlier statement held it.
pub(super) async fn line(
    connection: &mut PgConnection,
    statement: Uuid,
    provider: &str,
    line: &Line,
) -> sqlx::Result<bool> {
    let written = sqlx::query(
        "INSERT INTO releve_ligne (id_releve, operateur, identifiant, libelle, montant, frais, reference, fait_le)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (operateur, identifiant, libelle) DO NOTHING",
    )
    .bind(statement)
    .bind(provider)
    .bind(&line.id)
    .bind(&line.label)
    .bind(line.amount)
    .bind(line.fee)
    .bind(&line.reference)
    .bind(line.at)
    .execute(connection)
    .await?;
    Ok(written.rows_affected() == 1)
}

/// A line that nobody judged yet.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Kept {
    pub(super) id: i64,
    pub(super) identifiant: String,
    pub(super) montant: i64,
    pub(super) frais: i64,
    pub(super) reference: Option<String>,
}

pub(super) async fn unread(connection: &mut PgConnection, provider: &str) -> sqlx::Result<Vec<Kept>> {
    sqlx::query_as(
        "SELECT id, identifiant, montant, frais, reference FROM releve_ligne WHERE operateur = $1 AND etat = 'lue' ORDER BY id LIMIT 500000",
    )
    .bind(provider)
    .fetch_all(connection)
    .await
}

/// An order, as far as a line is compared with it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Order {
    pub(super) id: Uuid,
    pub(super) sens: String,
    pub(super) montant: i64,
    /// What the customer paid on top.
    pub(super) frais: i64,
    pub(super) etat: String,
}

/// By our reference, else by the operator's own identifiers.
pub(super) async fn order_of(
    connection: &mut PgConnection,
    provider: &str,
    reference: Option<&str>,
    transaction: &str,
) -> sqlx::Result<Option<Order>> {
    sqlx::query_as(
        "SELECT i.id, i.sens, i.montant, coalesce(t.frais, 0) AS frais, i.etat
           FROM instruction_operateur i LEFT JOIN transaction t ON t.public_id = i.id
          WHERE i.operateur = $1 AND (i.reference = $2 OR i.reference_operateur = $3 OR i.reference_releve = $3)
          ORDER BY (i.reference = $2) DESC NULLS LAST LIMIT 1",
    )
    .bind(provider)
    .bind(reference)
    .bind(transaction)
    .fetch_optional(connection)
    .await
}

/// Whether another line was ticked for this order.
pub(super) async fn ticked(connection: &mut PgConnection, order: Uuid, line: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM releve_ligne WHERE id_instruction = $1 AND id <> $2 AND etat <> 'lue')",
    )
    .bind(order)
    .bind(line)
    .fetch_one(connection)
    .await
}

pub(super) async fn tick(
    connection: &mut PgConnection,
    line: i64,
    state: &str,
    order: Option<Uuid>,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE releve_ligne SET etat = $2, id_instruction = $3 WHERE id = $1")
        .bind(line)
        .bind(state)
        .bind(order)
        .execute(connection)
        .await
        .map(drop)
}

/// Orders that ended well on days that the statement covers, an hour from its edges, and that it does not hold.
pub(super) async fn missing(
    connection: &mut PgConnection,
    provider: &str,
    route: &str,
    from: NaiveDate,
    to: NaiveDate,
) -> sqlx::Result<Vec<Order>> {
    sqlx::query_as(
        "SELECT i.id, i.sens, i.montant, 0::bigint AS frais, i.etat FROM instruction_operateur i
          WHERE i.operateur = $1 AND i.route = $2 AND i.etat = 'reussi'
            AND i.regle_le >= $3::date + interval '1 hour' AND i.regle_le < $4::date + interval '23 hours'
            AND NOT EXISTS (SELECT FROM releve_ligne l WHERE l.id_instruction = i.id)
          ORDER BY i.id LIMIT 10000",
    )
    .bind(provider)
    .bind(route)
    .bind(from)
    .bind(to)
    .fetch_all(connection)
    .await
}

/// False: it stands on the list already.
#[expect(clippy::too_many_arguments, reason = "the columns of one row")]
pub(super) async fn difference(
    connection: &mut PgConnection,
    id: Uuid,
    provider: &str,
    kind: &str,
    line: Option<i64>,
    order: Option<Uuid>,
    francs: i64,
    operation: Option<Uuid>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let written = sqlx::query(
        "INSERT INTO ecart_rapprochement (id, operateur, nature, id_ligne, id_instruction, montant, id_operation, cree_le)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(provider)
    .bind(kind)
    .bind(line)
    .bind(order)
    .bind(francs)
    .bind(operation)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(written.rows_affected() == 1)
}

/// A row of the work list.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Difference {
    pub(crate) id: Uuid,
    pub(crate) operateur: String,
    pub(crate) nature: String,
    pub(crate) id_instruction: Option<Uuid>,
    pub(crate) montant: i64,
    pub(crate) etat: String,
    pub(crate) identifiant: Option<String>,
    pub(crate) cree_le: DateTime<Utc>,
    pub(crate) clos_le: Option<DateTime<Utc>>,
    pub(crate) motif: Option<String>,
}

/// The columns of a [`Difference`]: a macro because statements are literals.
macro_rules! difference {
    ($after:literal) => {
        concat!(
            "SELECT e.id, e.operateur, e.nature, e.id_instruction, e.montant, e.etat, l.identifiant, e.cree_le, e.clos_le, e.motif
               FROM ecart_rapprochement e LEFT JOIN releve_ligne l ON l.id = e.id_ligne ",
            $after
        )
    };
}

pub(super) async fn differences(
    connection: &mut PgConnection,
    open: bool,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<Difference>> {
    sqlx::query_as(difference!(
        "WHERE (e.etat = 'ouvert') = $1 AND ($2::uuid IS NULL OR e.id < $2) ORDER BY e.id DESC LIMIT $3"
    ))
    .bind(open)
    .bind(after)
    .bind(rows)
    .fetch_all(connection)
    .await
}

pub(super) async fn one_difference(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Difference>> {
    sqlx::query_as(difference!("WHERE e.id = $1")).bind(id).fetch_optional(connection).await
}

/// Whose wallet an order is about.
pub(super) async fn owner(connection: &mut PgConnection, order: Option<Uuid>) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar("SELECT id_user FROM instruction_operateur WHERE id = $1")
        .bind(order)
        .fetch_optional(connection)
        .await
}

/// None: somebody closed it a moment ago.
pub(super) async fn close(
    connection: &mut PgConnection,
    id: Uuid,
    by: Uuid,
    reason: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Difference>> {
    let closed = sqlx::query(
        "UPDATE ecart_rapprochement SET etat = 'clos', clos_le = $3, clos_par = $2, motif = $4 WHERE id = $1 AND etat = 'ouvert'",
    )
    .bind(id)
    .bind(by)
    .bind(now)
    .bind(reason)
    .execute(&mut *connection)
    .await?;
    if closed.rows_affected() == 1 { one_difference(connection, id).await } else { Ok(None) }
}
