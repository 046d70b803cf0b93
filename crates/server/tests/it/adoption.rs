//! The running database of the first backend is taken over without losing a row.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has to fail")]

mod money;
mod refusals;
mod variant;

use axum::http::StatusCode;
use serde_json::json;
use server::database;
use sqlx::{AssertSqlSafe, PgPool};
use testkit::TestDb;

use crate::house::House;

/// The tables as TypeORM made them, with rows in them.
const FIRST_BACKEND: &str = include_str!("../fixtures/first_backend.sql");

async fn first_backend() -> TestDb {
    started(FIRST_BACKEND, "").await
}

/// A database with these tables, changed in one way.
async fn started(tables: &'static str, change: &str) -> TestDb {
    let test = testkit::empty_db().await;
    sqlx::raw_sql(tables).execute(&test.db.write).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(change.to_owned())).execute(&test.db.write).await.unwrap();
    test
}

async fn count(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn people_keep_their_rows_ids_and_passwords() {
    let test = first_backend().await;
    let pool = &test.db.write;
    let before: Vec<(i32, Option<String>)> =
        sqlx::query_as("SELECT id_user, nom FROM utilisateur ORDER BY 1").fetch_all(pool).await.unwrap();
    database::migrate(&test.url).await.unwrap();
    let after: Vec<(i32, Option<String>)> =
        sqlx::query_as("SELECT id_user, nom FROM utilisateur ORDER BY 1").fetch_all(pool).await.unwrap();
    assert_eq!(before, after);
    assert_eq!(count(pool, "SELECT count(*) FROM publication").await, 2);
    assert_eq!(
        count(pool, "SELECT count(*) FROM utilisateur WHERE date_inscription IS NULL").await,
        0,
        "today, when unknown"
    );
    assert_eq!(count(pool, "SELECT count(*) FROM migrations").await, 1);
    assert_eq!(
        count(pool, "SELECT count(*) FROM utilisateur WHERE code_confirmation IS NOT NULL").await,
        0,
        "codes are erased"
    );
    assert_eq!(count(pool, "SELECT count(*) FROM otp WHERE is_valid OR otp_code <> ''").await, 0, "codes are erased");
    assert_eq!(count(pool, "SELECT count(*) FROM otp").await, 1, "the row stays");
    assert_eq!(
        count(pool, "SELECT count(*) FROM utilisateur WHERE mdp = 'motdepasse-clair'").await,
        0,
        "nothing stays in clear"
    );

    let house = House::of(test).await;
    for (identifier, password) in [("AWA@example.ci", "motdepasse-clair"), ("07 07 07 07 21", "bcrypt-secret-1")] {
        let signed =
            house.client().post("/api/verify-pin", json!({"identifier": identifier, "password": password})).await;
        let data = signed.data(200);
        let client = house.client().bearer(data["accessToken"].as_str().unwrap());
        let dashboard = client.get("/api/dashboard").await.data(200);
        assert!(dashboard["user"]["emailVerified"] == false && dashboard["user"]["phoneVerified"] == false);
        let paid =
            client.with("idempotency-key", "k1").post("/api/transfers", json!({"to": "0707070721", "amount": 5})).await;
        assert_eq!(paid.code(403), "wallet.not_verified", "an identifier has to be proved before money moves");
    }
    let upgraded: String = sqlx::query_scalar("SELECT mdp FROM utilisateur WHERE id_user = 7")
        .fetch_one(&house.test.db.write)
        .await
        .unwrap();
    assert!(upgraded.starts_with("$argon2id$"), "bcrypt is upgraded at the next sign-in");
}

#[tokio::test]
async fn balances_enter_the_books_and_a_second_run_changes_nothing() {
    let test = first_backend().await;
    database::migrate(&test.url).await.unwrap();
    let snapshot = async || -> (i64, i64, String) {
        sqlx::query_as("SELECT (SELECT count(*) FROM transaction), (SELECT sum(solde_compte)::bigint FROM compte WHERE id_user IS NOT NULL), (SELECT md5(string_agg(u::text, '' ORDER BY id_user)) FROM utilisateur u)")
            .fetch_one(&test.db.write)
            .await
            .unwrap()
    };
    let first = snapshot().await;
    assert_eq!(first.1, 12_500, "every franc is there");
    let report = wallet::ledger::audit::audit(&test.db, &kernel::Clock::system()).await.unwrap();
    assert!(report.clean(), "{:?}", report.findings);
    database::migrate(&test.url).await.unwrap();
    assert_eq!(snapshot().await, first);
    assert_eq!(database::dry_run(&test.url).await.unwrap(), "0 migration(s) to apply\n");

    let error = sqlx::query("DELETE FROM utilisateur WHERE id_user = 3").execute(&test.db.write).await.unwrap_err();
    assert!(
        error.as_database_error().is_some_and(|error| error.is_foreign_key_violation()),
        "money is never deleted with a person"
    );
}

#[tokio::test]
async fn what_a_person_has_to_decide_stops_everything() {
    let cases = [
        ("INSERT INTO utilisateur (email) VALUES ('AWA@example.ci')", "belongs to several rows"),
        ("INSERT INTO utilisateur (telephone) VALUES ('07070707')", "identifier_eight_digits"),
        ("INSERT INTO utilisateur (telephone) VALUES ('un numéro')", "identifier_look_alike"),
        ("UPDATE compte SET solde_compte = 12.50 WHERE id_compte = 1", "whole number of francs"),
    ];
    for (change, expected) in cases {
        let test = first_backend().await;
        sqlx::query(AssertSqlSafe(change)).execute(&test.db.write).await.unwrap();
        let refused = format!("{:#}", database::migrate(&test.url).await.unwrap_err());
        assert!(refused.contains(expected), "{refused}");
        assert!(!refused.to_lowercase().contains("awa@example.ci"), "identifiers are masked: {refused}");
        assert!(database::dry_run(&test.url).await.unwrap().contains(expected));
        assert_eq!(
            count(&test.db.write, "SELECT count(*) FROM pg_tables WHERE tablename IN ('_sqlx_migrations', 'session')")
                .await,
            0,
            "nothing was touched"
        );
    }
}

/// The brief's table after a migration of an empty database, to the letter.
#[tokio::test]
async fn a_new_database_has_the_brief_s_tables() {
    let test = testkit::db().await;
    let pool = &test.db.write;
    let tables = [
        "annonce",
        "carte_bancaire",
        "commentaire",
        "compte",
        "contacts_enregistres",
        "etablissement_sante",
        "liker",
        "liste_numero_etablissement_sante",
        "localisation",
        "message",
        "migrations",
        "notification",
        "otp",
        "partages",
        "publication",
        "publicite",
        "qr_code_paiement",
        "role_permission",
        "thematiques",
        "transaction",
        "utilisateur",
        "verification_compte",
        "verification_identite",
    ];
    for table in tables {
        let there: bool =
            sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(table).fetch_one(pool).await.unwrap();
        assert!(there, "{table}");
    }
    let column = async |table: &str, column: &str| -> (String, String, Option<String>) {
        sqlx::query_as("SELECT data_type::text, is_nullable::text, column_default::text FROM information_schema.columns WHERE table_name = $1 AND column_name = $2")
            .bind(table)
            .bind(column)
            .fetch_one(pool)
            .await
            .unwrap()
    };
    let varchar = ("character varying".to_owned(), "YES".to_owned(), None);
    for name in ["nom", "prenom", "email", "telephone", "pays", "photo_profile", "mdp", "code_confirmation"] {
        assert_eq!(column("utilisateur", name).await, varchar, "{name}");
    }
    assert_eq!(
        column("utilisateur", "date_inscription").await,
        ("timestamp without time zone".into(), "YES".into(), Some("CURRENT_TIMESTAMP".into()))
    );
    assert_eq!(column("utilisateur", "type_utilisateur").await.2.as_deref(), Some("'CITIZEN'::character varying"));
    assert_eq!(column("otp", "expires_at").await, ("timestamp without time zone".into(), "NO".into(), None));
    assert_eq!(column("otp", "is_valid").await, ("boolean".into(), "YES".into(), Some("true".into())));
    let constraints: Vec<String> =
        sqlx::query_scalar("SELECT conname::text FROM pg_constraint").fetch_all(pool).await.unwrap();
    for name in [
        "utilisateur_pkey",
        "UQ_80273015241cbddf8152908bd5b",
        "UQ_e1136325a6b28e2a02b81b2f5e1",
        "otp_pkey",
        "fk_otp_user",
        "carte_bancaire_ibfk_1",
        "commentaire_ibfk_2",
        "compte_ibfk_1",
        "contacts_enregistres_ibfk_1",
        "contacts_enregistres_ibfk_2",
        "liker_ibfk_2",
        "message_ibfk_1",
        "partages_ibfk_2",
        "publication_ibfk_1",
        "qr_code_paiement_ibfk_1",
        "verification_compte_ibfk_1",
        "verification_identite_ibfk_1",
    ] {
        assert!(constraints.iter().any(|known| known == name), "{name}");
    }
}

#[tokio::test]
async fn a_new_database_answers_at_once() {
    let test = testkit::empty_db().await;
    database::migrate(&test.url).await.unwrap();
    let house = House::of(test).await;
    assert_eq!(house.client().get("/readyz").await.status, StatusCode::OK);
}
