//! The tables of the first backend beside those of the brief: what is missing is added, what differs is made to fit
//! without touching a value, and what no rule covers is for a person to decide.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, PgConnection};

use super::columns::{Fit, fit};
use super::guards::Guards;
use super::plan::Plan;
use super::shape::{Found, Shape};
use super::sql::quoted;
use super::wanted::{Column, Table, Wanted};

/// Names that the migrations will take, and that something else has.
pub(super) async fn names(connection: &mut PgConnection, wanted: &Wanted, plan: &mut Plan) -> sqlx::Result<()> {
    let ours = wanted.tables.iter().filter(|(_, table)| !table.brief).map(|(name, _)| name);
    let relations: Vec<&String> = ours.chain(&wanted.relations).collect();
    let functions: Vec<&String> = wanted.functions.iter().collect();
    let taken: Vec<(String, String)> = sqlx::query_as(
        "SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' ELSE 'table' END,
                relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = ANY ($1)
         UNION ALL
         SELECT 'type', typname::text FROM pg_type WHERE typnamespace = current_schema()::regnamespace AND typrelid = 0 AND typname = ANY ($1)
         UNION ALL
         SELECT 'function', proname::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND proname = ANY ($2)
         ORDER BY 1, 2",
    )
    .bind(relations)
    .bind(functions)
    .fetch_all(connection)
    .await?;
    for (kind, name) in taken {
        plan.report.block(format!(
            "the {kind} {name} exists already, and this program makes one of that name: rename it first (ALTER {} {name} RENAME TO {name}_ancien)",
            kind.to_uppercase()
        ));
    }
    Ok(())
}

/// Each table of the brief that is there.
pub(super) async fn inspect(
    connection: &mut PgConnection,
    wanted: &Wanted,
    shape: &Shape,
    plan: &mut Plan,
) -> sqlx::Result<()> {
    plan.tables = wanted.brief().map(|(name, _)| name.clone()).filter(|name| shape.has(name)).collect();
    let guards = Guards::read(connection, &plan.tables).await?;
    guards.report(plan);
    for (name, table) in wanted.brief() {
        let Some(found) = shape.table(name) else { continue };
        let mut examined = Examined {
            name,
            table,
            found,
            guards: &guards,
            added: Vec::new(),
            converted: Vec::new(),
            loosened: Vec::new(),
        };
        examined.plan(connection, plan).await?;
    }
    Ok(())
}

struct Examined<'a> {
    name: &'a str,
    table: &'a Table,
    found: &'a BTreeMap<String, Found>,
    guards: &'a Guards,
    added: Vec<String>,
    converted: Vec<String>,
    loosened: Vec<String>,
}

impl Examined<'_> {
    async fn plan(&mut self, connection: &mut PgConnection, plan: &mut Plan) -> sqlx::Result<()> {
        // First: an old rule may not stand the types that follow.
        self.guards.loosen(self.name, self.table, plan);
        self.key(plan);
        for column in &self.table.columns {
            match (self.found.get(&column.name), column.brief) {
                (None, true) if !column.key => {
                    if column.required && self.holds_rows(connection).await? {
                        plan.report.block(format!(
                            "{} has no column {}, which its rows need: the column of that meaning has to get this name",
                            self.name, column.name
                        ));
                    }
                    self.add(column, plan);
                }
                (Some(found), true) => self.existing(connection, column, found, plan).await?,
                (Some(found), false) => self.taken(column, found, plan),
                (None, _) => {}
            }
        }
        self.strangers(plan);
        for (what, columns) in [
            ("added", &self.added),
            ("of another type from now on, with the same values", &self.converted),
            ("allowed to be empty in new rows", &self.loosened),
        ] {
            if !columns.is_empty() {
                plan.report.note(format!("{}: columns {what}: {}", self.name, columns.join(", ")));
            }
        }
        Ok(())
    }

    async fn holds_rows(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let sql = format!("SELECT EXISTS (SELECT FROM {})", quoted(self.name));
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await
    }

    /// Rows keep their ids, and new ones get theirs from a sequence.
    fn key(&self, plan: &mut Plan) {
        let Some(key) = self.table.key() else { return };
        let (table, column) = (quoted(self.name), quoted(&key.name));
        let Some(found) = self.found.get(&key.name) else {
            let there = self.guards.keys(self.name).join(", ");
            let hint = if there.is_empty() {
                String::new()
            } else {
                format!(" (its key is {there}: rename it, or the table)")
            };
            plan.report.block(format!("{} has no column {}{hint}", self.name, key.name));
            return;
        };
        if !self.guards.is_unique(self.name, &key.name) {
            plan.report.block(format!(
                "{}.{} is not unique: ALTER TABLE {} ADD PRIMARY KEY ({})",
                self.name, key.name, self.name, key.name
            ));
        }
        if found.always {
            plan.before.push(format!("ALTER TABLE {table} ALTER COLUMN {column} SET GENERATED BY DEFAULT"));
        } else if !found.filled {
            let sequence = quoted(&format!("{}_{}_seq", self.name, key.name));
            plan.before.push(format!("CREATE SEQUENCE {sequence} OWNED BY {table}.{column}"));
            plan.before.push(format!(
                "SELECT setval('{sequence}', greatest((SELECT max({column}) FROM {table}), 0) + 1, false)"
            ));
            plan.before.push(format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT nextval('{sequence}')"));
        }
    }

    /// Old rows stay empty there: a default is for new ones.
    fn add(&mut self, column: &Column, plan: &mut Plan) {
        let (table, name) = (quoted(self.name), quoted(&column.name));
        plan.before.push(format!("ALTER TABLE {table} ADD COLUMN {name} {}", column.sql_type));
        if let Some(default) = &column.default {
            plan.before.push(format!("ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {default}"));
        }
        self.added.push(column.name.clone());
    }

    async fn existing(
        &mut self,
        connection: &mut PgConnection,
        column: &Column,
        found: &Found,
        plan: &mut Plan,
    ) -> sqlx::Result<()> {
        match fit(column, found) {
            Fit::AsIs => {}
            Fit::Convert { to, using } => self.convert(column, found, &to, &using, plan),
            Fit::Narrow => {
                let name = quoted(&column.name);
                let sql = format!(
                    "SELECT EXISTS (SELECT FROM {} WHERE {name} NOT BETWEEN -2147483648 AND 2147483647)",
                    quoted(self.name)
                );
                if sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await? {
                    plan.report.block(format!(
                        "{}.{} holds numbers that are too large for an integer",
                        self.name, column.name
                    ));
                }
                self.convert(column, found, "integer", &name, plan);
            }
            Fit::Refused => plan.report.block(format!(
                "{}.{} is of the type {} and has to be {}: change its type, or rename it",
                self.name,
                column.name,
                found.sql_type,
                column.base()
            )),
        }
        if found.not_null && !column.not_null && !self.guards.in_key(self.name, &column.name) {
            self.loosen(&column.name, plan);
        }
        Ok(())
    }

    fn convert(&mut self, column: &Column, found: &Found, to: &str, using: &str, plan: &mut Plan) {
        let (table, name) = (quoted(self.name), quoted(&column.name));
        let alter = |action: String| format!("ALTER TABLE {table} ALTER COLUMN {name} {action}");
        // A default of the old type may have no cast; the one of a key is a sequence, and stays.
        if found.filled && !column.key {
            plan.before.push(alter("DROP DEFAULT".to_owned()));
        }
        plan.before.push(alter(format!("TYPE {to} USING {using}")));
        if let Some(default) = column.default.as_ref().filter(|_| !column.key) {
            plan.before.push(alter(format!("SET DEFAULT {default}")));
        }
        // A wider integer and a longer text are no news to anybody.
        let wider = (found.whole() && to == "bigint") || (found.length.is_some() && to == "varchar");
        if !wider {
            self.converted.push(format!("{} ({} → {to})", column.name, found.sql_type));
        }
    }

    /// A column that has the name of one that we add.
    fn taken(&self, column: &Column, found: &Found, plan: &mut Plan) {
        let hopeless = column.not_null && column.default.is_none();
        if column.bound || hopeless || column.base() != found.sql_type {
            plan.report.block(format!(
                "{table}.{name} exists already ({}), and this program adds a column of that name with rules of its own: \
                 rename it first (ALTER TABLE {table} RENAME COLUMN {name} TO {name}_ancien)",
                found.sql_type,
                table = self.name,
                name = column.name,
            ));
            return;
        }
        let (table, name) = (quoted(self.name), quoted(&column.name));
        if let Some(default) = &column.default {
            if column.not_null {
                plan.after.push(format!("UPDATE {table} SET {name} = {default} WHERE {name} IS NULL"));
                plan.after.push(format!("ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL"));
            }
            plan.after.push(format!("ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {default}"));
        }
        plan.report.note(format!("{}.{} exists already and is used as it is", self.name, column.name));
    }

    /// Columns that we do not know must not stop rows that do not fill them.
    fn strangers(&mut self, plan: &mut Plan) {
        for (name, found) in self.found {
            let stranger = self.table.column(name).is_none() && !self.guards.in_key(self.name, name);
            if stranger && found.not_null && !found.filled {
                self.loosen(name, plan);
            }
        }
    }

    fn loosen(&mut self, column: &str, plan: &mut Plan) {
        plan.before.push(format!("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL", quoted(self.name), quoted(column)));
        self.loosened.push(column.to_owned());
    }
}

/// E-mail addresses and numbers have one owner each, under the names by which the program knows these rules.
pub(super) async fn owners(connection: &mut PgConnection, shape: &Shape, plan: &mut Plan) -> sqlx::Result<()> {
    let known = Guards::read(connection, &["utilisateur".to_owned()]).await?;
    for (column, name) in [("telephone", "UQ_80273015241cbddf8152908bd5b"), ("email", "UQ_e1136325a6b28e2a02b81b2f5e1")]
    {
        if !shape.has("utilisateur") {
            continue;
        }
        let (quoted_column, name) = (quoted(column), quoted(name));
        match known.unique("utilisateur", column) {
            Some(rule) if quoted(&rule.name) == name => {}
            Some(rule) if rule.constraint => {
                plan.before.push(format!("ALTER TABLE utilisateur RENAME CONSTRAINT {} TO {name}", quoted(&rule.name)))
            }
            Some(rule) => plan.before.push(format!("ALTER INDEX {} RENAME TO {name}", quoted(&rule.name))),
            None => {
                plan.before
                    .push(format!("UPDATE utilisateur SET {quoted_column} = NULL WHERE btrim({quoted_column}) = ''"));
                plan.before.push(format!("ALTER TABLE utilisateur ADD CONSTRAINT {name} UNIQUE ({quoted_column})"));
                plan.report.note(format!("utilisateur.{column} is unique from now on"));
            }
        }
    }
    Ok(())
}

/// Columns of the brief by table, for what looks at rules.
pub(super) fn names_of(table: &Table) -> BTreeSet<&str> {
    table.columns.iter().map(|column| column.name.as_str()).collect()
}
