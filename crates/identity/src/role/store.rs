use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// Only a list of names grants anything; whatever else stands in the column of an adopted database does not.
pub(super) async fn may(connection: &mut PgConnection, id_user: i32, permission: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (
           SELECT FROM utilisateur_role ur JOIN role_permission rp ON rp.role_name = ur.role_name
            WHERE ur.id_user = $1 AND jsonb_typeof(rp.permissions::jsonb) = 'array'
              AND (rp.permissions::jsonb ? $2 OR rp.permissions::jsonb ? '*'))",
    )
    .bind(id_user)
    .bind(permission)
    .fetch_one(connection)
    .await
}

pub(super) async fn is_role(connection: &mut PgConnection, role: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM role_permission WHERE role_name = $1)")
        .bind(role)
        .fetch_one(connection)
        .await
}

/// False when the account has the role already.
pub(super) async fn grant(
    connection: &mut PgConnection,
    id_user: i32,
    role: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO utilisateur_role (id_user, role_name, accorde_le) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(id_user)
    .bind(role)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}
