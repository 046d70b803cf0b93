//! The tables and columns that a database has.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::sql::quoted;

/// A column as the catalogue describes it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Found {
    table_name: String,
    column_name: String,
    /// Without length: `character varying`.
    pub(super) sql_type: String,
    /// The length of a varchar, when it has one.
    pub(super) length: Option<i32>,
    pub(super) not_null: bool,
    /// A row that does not name it gets a value all the same.
    pub(super) filled: bool,
    /// `GENERATED ALWAYS AS IDENTITY`: it takes no id of ours.
    pub(super) always: bool,
    pub(super) enumerated: bool,
}

impl Found {
    #[cfg(test)]
    pub(super) fn of(sql_type: &str, length: Option<i32>) -> Self {
        let (table_name, column_name, sql_type) = (String::new(), String::new(), sql_type.to_owned());
        Self {
            table_name,
            column_name,
            sql_type,
            length,
            not_null: false,
            filled: false,
            always: false,
            enumerated: false,
        }
    }

    pub(super) fn whole(&self) -> bool {
        matches!(self.sql_type.as_str(), "smallint" | "integer" | "bigint")
    }

    pub(super) fn number(&self) -> bool {
        self.whole() || matches!(self.sql_type.as_str(), "numeric" | "real" | "double precision" | "money")
    }
}

/// Tables by name, their columns by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape(BTreeMap<String, BTreeMap<String, Found>>);

impl Shape {
    /// Of the schema in which the migrations would make their tables.
    pub(super) async fn read(connection: &mut PgConnection) -> sqlx::Result<Self> {
        let columns: Vec<Found> = sqlx::query_as(
            "SELECT c.relname::text AS table_name, a.attname::text AS column_name, format_type(a.atttypid, -1) AS sql_type,
                    CASE WHEN a.atttypid = 'varchar'::regtype AND a.atttypmod > 4 THEN a.atttypmod - 4 END AS length,
                    a.attnotnull AS not_null, a.atthasdef OR a.attidentity <> '' AS filled, a.attidentity = 'a' AS always,
                    t.typtype = 'e' AS enumerated
               FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
              WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
                AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')",
        )
        .fetch_all(connection)
        .await?;
        let mut shape = Self::default();
        for column in columns {
            shape.0.entry(column.table_name.clone()).or_default().insert(column.column_name.clone(), column);
        }
        Ok(shape)
    }

    pub(super) fn table(&self, table: &str) -> Option<&BTreeMap<String, Found>> {
        self.0.get(table)
    }

    pub(super) fn has(&self, table: &str) -> bool {
        self.0.contains_key(table)
    }

    pub(super) fn column(&self, table: &str, column: &str) -> Option<&Found> {
        self.0.get(table)?.get(column)
    }

    /// An expression for the column as text, whatever its type; nothing where the column is missing.
    pub(super) fn text(&self, table: &str, column: &str) -> String {
        match self.column(table, column) {
            Some(_) => format!("{}::text", quoted(column)),
            None => "NULL::text".to_owned(),
        }
    }

    #[cfg(test)]
    pub(super) fn tables(&self) -> impl Iterator<Item = (&String, &BTreeMap<String, Found>)> {
        self.0.iter()
    }
}
