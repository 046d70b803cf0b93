//! What would stop a migration is seen before anything is touched.

use server::database;
use sqlx::AssertSqlSafe;

use super::{FIRST_BACKEND, count, started};

/// Everything that the catalogue says about the tables, and how many rows they have.
const STATE: &str = "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM (
    SELECT table_name::text, column_name::text, data_type::text, is_nullable::text, column_default::text FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT conname::text, contype::text, conrelid::regclass::text, '', '' FROM pg_constraint WHERE connamespace = 'public'::regnamespace) t";

#[tokio::test]
async fn the_preflight_sees_what_would_stop_a_migration() {
    let cases = [
        (ROLES, "INSERT INTO role_permission (role_name) VALUES ('chef'), ('chef')", "several rows for the role chef"),
        (
            ROLES,
            "INSERT INTO role_permission (role_name, permissions) VALUES ('chef', '[x')",
            "no JSON that can be read",
        ),
        (
            "",
            "CREATE TABLE session (id varchar PRIMARY KEY, json text)",
            "ALTER TABLE session RENAME TO session_ancien",
        ),
        ("", "CREATE TABLE lot (id int)", "the table lot exists already"),
        ("", "CREATE VIEW v_profil_public AS SELECT 1 AS un", "the view v_profil_public exists already"),
        ("", "CREATE TYPE travail AS ENUM ('a')", "the type travail exists already"),
        (
            "",
            "CREATE FUNCTION exiger(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "the function exiger exists already",
        ),
        (
            "",
            "ALTER TABLE utilisateur ADD COLUMN public_id varchar",
            "utilisateur.public_id exists already (character varying)",
        ),
        (
            "",
            "ALTER TABLE utilisateur ADD COLUMN statut varchar DEFAULT 'BLOQUÉ'",
            "RENAME COLUMN statut TO statut_ancien",
        ),
        ("", "ALTER TABLE compte ADD COLUMN nature integer", "compte.nature exists already"),
        (
            "",
            "ALTER TABLE otp ALTER COLUMN is_valid DROP DEFAULT, ALTER COLUMN is_valid TYPE varchar",
            "otp.is_valid is of the type character varying",
        ),
        ("", "ALTER TABLE annonce RENAME COLUMN id_annonce TO id", "annonce has no column id_annonce (its key is id"),
        ("", "ALTER TABLE annonce DROP CONSTRAINT annonce_pkey", "annonce.id_annonce is not unique"),
        ("", "ALTER TABLE otp RENAME COLUMN user_id TO proprietaire", "otp has no column user_id"),
        ("", "CREATE VIEW riches AS SELECT * FROM compte", "the view riches reads compte"),
        (
            "",
            "ALTER TABLE compte RENAME COLUMN solde_compte TO x; ALTER TABLE compte ADD COLUMN y int",
            "which of x, y is the balance is not clear",
        ),
        (
            "",
            "ALTER TABLE compte RENAME COLUMN solde_compte TO solde; ALTER TABLE compte ALTER COLUMN solde TYPE varchar",
            "compte.solde is of the type character varying",
        ),
        (
            "",
            "ALTER TABLE compte RENAME COLUMN solde_compte TO solde; UPDATE compte SET solde = 1.5",
            "whole number of francs",
        ),
        ("", "UPDATE compte SET solde_compte = 'NaN' WHERE id_compte = 1", "whole number of francs"),
        ("", "UPDATE compte SET solde_compte = -1 WHERE id_compte = 1", "whole number of francs"),
        (
            "",
            "ALTER TABLE otp DROP CONSTRAINT fk_otp_user; ALTER TABLE otp ALTER COLUMN user_id TYPE bigint; UPDATE otp SET user_id = 9999999999",
            "too large for an integer",
        ),
    ];
    let test = started(FIRST_BACKEND, "").await;
    for (table, change, expected) in cases {
        let mut changed = test.db.write.begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("{table}{change}"))).execute(&mut *changed).await.expect(change);
        let plan = server::adoption::preflight(&mut changed, &database::MIGRATIONS).await.expect(change);
        assert!(plan.report().blocks() && plan.report().to_string().contains(expected), "{change}: {}", plan.report());
        changed.rollback().await.unwrap();
    }
    let unchanged =
        server::adoption::preflight(&mut test.db.write.acquire().await.unwrap(), &database::MIGRATIONS).await;
    assert!(!unchanged.unwrap().report().blocks(), "without any of these it is taken over");
}

#[tokio::test]
async fn a_refused_migration_touches_nothing() {
    let test = started(FIRST_BACKEND, "CREATE TABLE session (id varchar PRIMARY KEY, json text)").await;
    let state = async || -> String { sqlx::query_scalar(STATE).fetch_one(&test.db.write).await.unwrap() };
    let before = state().await;
    let refused = format!("{:#}", database::migrate(&test.url).await.unwrap_err());
    assert!(refused.contains("nothing was changed") && refused.contains("ALTER TABLE session RENAME TO"), "{refused}");
    assert!(database::dry_run(&test.url).await.unwrap().contains("ALTER TABLE session RENAME TO"));
    assert_eq!(state().await, before);
}

const ROLES: &str = "CREATE TABLE role_permission (id_role serial PRIMARY KEY, role_name varchar, permissions text);";

/// What no preflight knows: the migrations of an adoption are one transaction.
#[tokio::test]
async fn a_migration_that_fails_leaves_the_old_database_as_it_was() {
    let test = started(
        FIRST_BACKEND,
        "CREATE FUNCTION non() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'non'; END $$;
         CREATE TRIGGER non BEFORE UPDATE ON annonce FOR EACH ROW EXECUTE FUNCTION non()",
    )
    .await;
    let pool = &test.db.write;
    let before: String = sqlx::query_scalar(STATE).fetch_one(pool).await.unwrap();
    let refused = format!("{:#}", database::migrate(&test.url).await.unwrap_err());
    assert!(refused.contains("nothing was changed"), "{refused}");
    assert_eq!(sqlx::query_scalar::<_, String>(STATE).fetch_one(pool).await.unwrap(), before);
    assert_eq!(count(pool, "SELECT count(*) FROM otp WHERE otp_code = '654321'").await, 1);
    sqlx::raw_sql("DROP TRIGGER non ON annonce").execute(pool).await.unwrap();
    database::migrate(&test.url).await.unwrap();
}

/// An account that may not make what the migrations need.
#[tokio::test]
async fn an_account_without_rights_is_told_what_it_needs() {
    let test = started(FIRST_BACKEND, "").await;
    let pool = &test.db.write;
    let role = format!(
        "sans_droits_{}",
        count(pool, "SELECT oid::bigint FROM pg_database WHERE datname = current_database()").await
    );
    let sql = format!("CREATE ROLE {role} LOGIN PASSWORD 'essai'; GRANT pg_read_all_data TO {role}");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.unwrap();
    let mut connection = database::connect(&test.url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("SET ROLE {role}"))).execute(&mut connection).await.unwrap();
    let plan = server::adoption::preflight(&mut connection, &database::MIGRATIONS).await.unwrap();
    let report = plan.report().to_string();
    for expected in [
        "may not create tables in the schema public",
        "may not create the extension postgis",
        "the table utilisateur belongs to somebody else",
    ] {
        assert!(report.contains(expected), "{report}");
    }
    sqlx::raw_sql(AssertSqlSafe(format!("RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")))
        .execute(&mut connection)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_address_of_another_kind_of_database_is_named_without_being_shown() {
    for address in ["mysql://root:secret@localhost/x", "localhost:5432", ""] {
        let refused = format!("{:#}", database::connect(address).await.unwrap_err());
        assert!(
            refused.contains("not the address of a PostgreSQL database") && !refused.contains("secret"),
            "{refused}"
        );
    }
}

/// `?host=` beside a host means something else to each of the two drivers.
#[tokio::test]
async fn an_address_that_only_one_driver_understands_is_refused_before_anything_changes() {
    let test = started(FIRST_BACKEND, "").await;
    let (user, rest) = test.url.split_once('@').unwrap();
    let (socket, name) = rest.split_once('/').unwrap();
    let odd = format!("{user}@localhost/{name}?host={}", socket.split(':').next().unwrap());
    let refused = format!("{:#}", database::migrate(&odd).await.unwrap_err());
    assert!(refused.contains("nothing was changed") && refused.contains("%2Frun%2Fpostgresql"), "{refused}");
    assert_eq!(count(&test.db.write, "SELECT count(*) FROM pg_tables WHERE tablename = '_sqlx_migrations'").await, 0);
}
