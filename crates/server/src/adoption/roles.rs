//! Rows of `role_permission`: the migration merges our permissions into them.

use sqlx::{AssertSqlSafe, PgConnection};

use super::plan::Plan;
use super::shape::Shape;

/// Roles in a database of the first backend; one with more has another meaning for the table.
const MAX_ROLES: i64 = 1000;

/// Our own roles, which a row of the same name keeps company.
const OURS: [&str; 4] = ["admin", "support", "moderator", "treasury"];

pub(super) async fn inspect(connection: &mut PgConnection, shape: &Shape, plan: &mut Plan) -> sqlx::Result<()> {
    if !shape.has("role_permission") {
        return Ok(());
    }
    let sql = format!(
        "SELECT {}, {} FROM role_permission LIMIT {}",
        shape.text("role_permission", "role_name"),
        match shape.column("role_permission", "permissions") {
            Some(found) if found.sql_type.ends_with("[]") => "to_json(permissions)::text".to_owned(),
            _ => shape.text("role_permission", "permissions"),
        },
        MAX_ROLES + 1,
    );
    let rows: Vec<(Option<String>, Option<String>)> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(connection).await?;
    if i64::try_from(rows.len()).unwrap_or(i64::MAX) > MAX_ROLES {
        plan.report.block(format!("role_permission has more than {MAX_ROLES} rows: is it one row a role?"));
    }
    let mut names: Vec<&str> = rows.iter().filter_map(|(name, _)| name.as_deref()).collect();
    names.sort_unstable();
    let mut twice: Vec<&str> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    twice.dedup();
    for name in twice {
        plan.report.block(format!(
            "role_permission has several rows for the role {name}: keep one, with the permissions of all"
        ));
    }
    let mut odd = 0;
    for (name, permissions) in
        rows.iter().filter_map(|(name, permissions)| Some((name.as_deref()?, permissions.as_deref()?)))
    {
        let list = is_list(permissions);
        match list {
            None => plan
                .report
                .block(format!("role_permission: the permissions of the role {name} are no JSON that can be read")),
            Some(false) => odd += 1,
            Some(true) => {}
        }
        if OURS.contains(&name) {
            plan.report.note(format!("the role {name} keeps its own permissions and gains those of this program"));
        }
    }
    if odd > 0 {
        plan.before.push("ALTER TABLE role_permission ADD COLUMN permissions_origine text".to_owned());
        plan.before.push("UPDATE role_permission SET permissions_origine = permissions::text".to_owned());
        plan.report.note(format!(
            "{odd} role(s) with permissions that are no list grant nothing; they are kept in permissions_origine"
        ));
    }
    Ok(())
}

/// Whether it is a list; none when it cannot be read. A text without brackets is TypeORM's `simple-array`.
fn is_list(permissions: &str) -> Option<bool> {
    if !permissions.trim_start().starts_with(['[', '{']) {
        return Some(
            !matches!(permissions.trim(), "null" | "true" | "false") && !permissions.trim_start().starts_with('"'),
        );
    }
    serde_json::from_str::<serde_json::Value>(permissions).ok().map(|value| value.is_array())
}
