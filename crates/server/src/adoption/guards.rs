//! Rules that stand on the tables of the first backend: keys, unique columns, checks, views, owners, triggers.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::plan::Plan;
use super::sql::quoted;
use super::tables::names_of;
use super::wanted::Table;

/// A unique index on one whole column, or a constraint of it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Unique {
    pub(super) name: String,
    pub(super) constraint: bool,
    primary: bool,
    table_name: String,
    columns: Vec<String>,
}

#[derive(Clone, Debug, sqlx::FromRow)]
struct Check {
    name: String,
    table_name: String,
    columns: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct Guards {
    unique: Vec<Unique>,
    checks: Vec<Check>,
    views: Vec<(String, String)>,
    foreign_owners: Vec<String>,
    triggers: BTreeMap<String, Vec<String>>,
}

/// Columns that are unique with us too.
const UNIQUE: [(&str, &str); 4] =
    [("utilisateur", "email"), ("utilisateur", "telephone"), ("role_permission", "role_name"), ("compte", "id_user")];

impl Guards {
    pub(super) async fn read(connection: &mut PgConnection, tables: &[String]) -> sqlx::Result<Self> {
        let unique = sqlx::query_as(
            "SELECT i.relname::text AS name, k.oid IS NOT NULL AS constraint, x.indisprimary AS primary, c.relname::text AS table_name,
                    array_agg(a.attname::text ORDER BY a.attnum) AS columns
               FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (x.indkey::int2[])
               LEFT JOIN pg_constraint k ON k.conindid = i.oid AND k.contype IN ('p', 'u')
              WHERE x.indisunique AND x.indpred IS NULL AND x.indexprs IS NULL
                AND c.relnamespace = current_schema()::regnamespace AND c.relname = ANY ($1)
              GROUP BY i.relname, k.oid, x.indisprimary, c.relname ORDER BY x.indisprimary DESC, i.relname",
        )
        .bind(tables)
        .fetch_all(&mut *connection)
        .await?;
        let checks = sqlx::query_as(
            "SELECT k.conname::text AS name, c.relname::text AS table_name,
                    ARRAY (SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (k.conkey)) AS columns
               FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
              WHERE k.contype = 'c' AND c.relnamespace = current_schema()::regnamespace AND c.relname = ANY ($1) ORDER BY 2, 1",
        )
        .bind(tables)
        .fetch_all(&mut *connection)
        .await?;
        let views = sqlx::query_as(
            "SELECT DISTINCT v.oid::regclass::text, c.relname::text
               FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
               JOIN pg_class c ON c.oid = d.refobjid AND d.refclassid = 'pg_class'::regclass AND c.oid <> v.oid
              WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY ($1) ORDER BY 1, 2",
        )
        .bind(tables)
        .fetch_all(&mut *connection)
        .await?;
        let foreign_owners = sqlx::query_scalar(
            "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
                AND relname = ANY ($1) AND NOT pg_has_role(relowner, 'USAGE') ORDER BY 1",
        )
        .bind(tables)
        .fetch_all(&mut *connection)
        .await?;
        let triggers: Vec<(String, String)> = sqlx::query_as(
            "SELECT c.relname::text, t.tgname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
              WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace AND c.relname = ANY ($1) ORDER BY 1, 2",
        )
        .bind(tables)
        .fetch_all(connection)
        .await?;
        let mut guards = Self { unique, checks, views, foreign_owners, triggers: BTreeMap::new() };
        for (table, trigger) in triggers {
            guards.triggers.entry(table).or_default().push(trigger);
        }
        Ok(guards)
    }

    pub(super) fn unique(&self, table: &str, column: &str) -> Option<&Unique> {
        self.unique.iter().find(|rule| rule.table_name == table && rule.columns == [column])
    }

    pub(super) fn is_unique(&self, table: &str, column: &str) -> bool {
        self.unique(table, column).is_some()
    }

    /// The columns of the primary key.
    pub(super) fn keys(&self, table: &str) -> &[String] {
        self.unique.iter().find(|rule| rule.table_name == table && rule.primary).map_or(&[], |rule| &rule.columns)
    }

    pub(super) fn in_key(&self, table: &str, column: &str) -> bool {
        self.keys(table).iter().any(|key| key == column)
    }

    /// What stops the migrations, and what goes on acting.
    pub(super) fn report(&self, plan: &mut Plan) {
        for table in &self.foreign_owners {
            plan.report.block(format!(
                "the table {table} belongs to somebody else: run this as its owner, or make this account its owner"
            ));
        }
        for (view, table) in &self.views {
            plan.report.block(format!(
                "the view {view} reads {table}, whose columns change: drop it, and make it again afterwards"
            ));
        }
        for (table, triggers) in &self.triggers {
            plan.report.note(format!("{table}: the triggers {} stay and go on acting", triggers.join(", ")));
        }
    }

    /// Rules of the first backend on columns that we write are replaced by ours: a balance may be negative in a system
    /// account, a person may have a second card.
    pub(super) fn loosen(&self, name: &str, table: &Table, plan: &mut Plan) {
        let ours = names_of(table);
        for check in self.checks.iter().filter(|check| check.table_name == name) {
            if check.columns.iter().any(|column| ours.contains(column.as_str())) {
                plan.before.push(format!("ALTER TABLE {} DROP CONSTRAINT {}", quoted(name), quoted(&check.name)));
                plan.report.note(format!("{name}: the rule {} is replaced by those of this program", check.name));
            }
        }
        for rule in self.unique.iter().filter(|rule| rule.table_name == name && !rule.primary) {
            let [column] = rule.columns.as_slice() else { continue };
            let key = table.key().is_some_and(|key| key.name == *column);
            if key || !ours.contains(column.as_str()) || UNIQUE.contains(&(name, column)) {
                continue;
            }
            plan.before.push(if rule.constraint {
                format!("ALTER TABLE {} DROP CONSTRAINT {}", quoted(name), quoted(&rule.name))
            } else {
                format!("DROP INDEX {}", quoted(&rule.name))
            });
            plan.report.note(format!("{name}.{column} may be the same in several rows"));
        }
    }
}
