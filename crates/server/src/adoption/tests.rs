use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgPool;

use super::*;
use crate::database::MIGRATIONS;

async fn own_names(pool: &PgPool, sql: &'static str) -> BTreeSet<String> {
    let names: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap();
    names.into_iter().collect()
}

/// The preflight knows our tables from the text of the migrations: here is what the database made of it.
#[tokio::test]
async fn the_migrations_are_read_as_the_database_reads_them() {
    let test = testkit::db().await;
    let wanted = Wanted::of(&MIGRATIONS);
    let shape = Shape::read(&mut test.db.write.acquire().await.unwrap()).await.unwrap();
    let made: BTreeSet<&String> =
        shape.tables().map(|(name, _)| name).filter(|name| *name != "_sqlx_migrations").collect();
    assert_eq!(wanted.tables.keys().collect::<BTreeSet<_>>(), made);
    assert_eq!(wanted.brief().count(), 23);
    for (name, table) in &wanted.tables {
        // A composite key forbids NULL where the text of the column does not: none of the brief's tables has one.
        let said =
            table.columns.iter().map(|column| (column.name.clone(), (column.base(), table.brief && column.not_null)));
        let found = shape.table(name).unwrap().iter();
        let is = found.map(|(column, found)| (column.clone(), (found.sql_type.clone(), table.brief && found.not_null)));
        assert_eq!(said.collect::<BTreeMap<_, _>>(), is.collect::<BTreeMap<_, _>>(), "{name}");
    }
    let relations = "SELECT relname::text FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm', 'i', 'S')
        AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid)
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i', 'e') AND c.relkind IN ('S', 'v'))";
    assert_eq!(wanted.relations, own_names(&test.db.write, relations).await);
    let functions = "SELECT proname::text FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')";
    assert_eq!(wanted.functions, own_names(&test.db.write, functions).await);
    let extensions =
        own_names(&test.db.write, "SELECT extname::text FROM pg_extension WHERE extname <> 'plpgsql'").await;
    assert_eq!(wanted.extensions, extensions);
}
