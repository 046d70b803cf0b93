//! Databases that are not like our guess: other types, other names, other rules.

use serde_json::json;
use server::database;
use testkit::TestDb;

use super::{count, started};
use crate::house::House;

const VARIANT: &str = include_str!("../../fixtures/typeorm_variant.sql");
/// The tables of the NestJS application that the benchmark runs beside ours.
const PEER: &str = include_str!("../../../../../bench/peers/nestjs/schema.sql");

async fn variant() -> TestDb {
    started(VARIANT, "").await
}

#[tokio::test]
async fn other_types_and_names_are_fitted_without_losing_a_value() {
    let test = variant().await;
    let pool = &test.db.write;
    let report = database::migrate(&test.url).await.unwrap().to_string();
    for line in [
        "compte.solde is the balance",
        "compte_source is copied",
        "1 operations succeeded, 1 failed, 1 were never settled",
        "\"BIZARRE\"",
        "the role admin keeps",
    ] {
        assert!(report.contains(line), "{line} in {report}");
    }
    let people: Vec<(i32, String, chrono::NaiveDateTime, String)> =
        sqlx::query_as("SELECT id_user, nom, date_inscription, ville FROM utilisateur ORDER BY 1")
            .fetch_all(pool)
            .await
            .unwrap();
    assert_eq!(people[0].2.to_string(), "2024-05-06 05:08:09", "in UTC");
    assert_eq!((people[1].0, people[1].3.as_str()), (2, "Bouaké"));
    let balances: Vec<(i64, i64, String)> = sqlx::query_as(
        "SELECT solde_compte::bigint, solde, numero FROM compte WHERE id_user IS NOT NULL ORDER BY id_compte",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert_eq!(balances, [(10_000, 10_000, "A1".to_owned()), (2500, 2500, "B1".to_owned())]);
    for (sql, expected) in [
        ("SELECT count(*) FROM otp WHERE otp_code = '' AND NOT is_valid", 1),
        ("SELECT count(*) FROM publication", 2),
        ("SELECT count(*) FROM journal", 1),
        (
            "SELECT count(*) FROM transaction WHERE initiateur IS NULL AND id_compte_expediteur = compte_source AND id_compte_recepteur = compte_destination",
            4,
        ),
        ("SELECT count(*) FROM transaction WHERE statut_origine = 'Annulé' AND statut = 'echouee'", 1),
        ("SELECT count(*) FROM etablissement_sante WHERE geom IS NOT NULL AND latitude = 5.32", 1),
        ("SELECT count(*) FROM liste_numero_etablissement_sante WHERE e164 = '+2252720212223'", 1),
        (
            "SELECT count(*) FROM role_permission WHERE role_name = 'admin' AND permissions::jsonb @> '[\"x\", \"y\", \"*\"]'",
            1,
        ),
        (
            "SELECT count(*) FROM role_permission WHERE role_name = 'livreur' AND permissions::jsonb = '[\"courses\"]'",
            1,
        ),
        ("SELECT count(*) FROM pg_constraint WHERE conname = 'UQ_e1136325a6b28e2a02b81b2f5e1'", 1),
    ] {
        assert_eq!(count(pool, sql).await, expected, "{sql}");
    }
    let audit = wallet::ledger::audit::audit(&test.db, &kernel::Clock::system()).await.unwrap();
    assert!(audit.clean(), "{:?}", audit.findings);
    assert!(database::migrate(&test.url).await.unwrap().to_string().is_empty(), "again there is nothing to do");
}

#[tokio::test]
async fn people_of_such_a_database_live_on() {
    let test = variant().await;
    database::migrate(&test.url).await.unwrap();
    let house = House::of(test).await;
    let client = house.client();
    let checked = client.post("/api/check-user", json!({"identifier": "awa@example.ci"})).await;
    checked.data(200);
    let signed =
        client.post("/api/verify-pin", json!({"identifier": "awa@example.ci", "password": "motdepasse-clair"})).await;
    let client = client.bearer(signed.data(200)["accessToken"].as_str().unwrap());
    let dashboard = client.get("/api/dashboard").await.data(200);
    assert_eq!(dashboard["user"]["createdAt"], "2024-05-06T05:08:09.000Z");
    let history = client.get("/api/transactions").await.data(200);
    let shown: Vec<(i64, &str, Option<&str>)> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["amount"].as_i64().unwrap(), one["status"].as_str().unwrap(), one["note"].as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            (10_000, "succeeded", None),
            (90, "expired", Some("État d'origine inconnu : « BIZARRE »")),
            (80, "failed", None),
            (70, "expired", None),
            (500, "succeeded", None),
        ],
        "nothing is pending"
    );
    house.someone("nouvelle@example.ci").await;
    house.app.identity.admin_grant("awa@example.ci", "admin").await.unwrap();
    client.get("/api/users").await.data(200);
    let codes = count(&house.test.db.write, "SELECT count(*) FROM carte_bancaire WHERE id_user = 1").await;
    assert_eq!(codes, 2, "the old card, and ours beside it");
}

/// It has a table `ecriture`, which is one of ours: a clear sentence, and when the person has followed it, every row.
#[tokio::test]
async fn the_benchmark_s_own_application_can_be_taken_over() {
    let test = started(
        PEER,
        "INSERT INTO utilisateur (nom, email) VALUES ('A', 'a@example.ci'), ('B', 'b@example.ci');
        INSERT INTO compte (id_user, solde) VALUES (1, 700), (2, 300);
        INSERT INTO transaction (compte_source, compte_destination, montant) VALUES (1, 2, 50);
        INSERT INTO ecriture (id_transaction, id_compte, montant, solde_apres) VALUES (1, 1, -50, 700), (1, 2, 50, 300);
        INSERT INTO idempotence VALUES (1, 'k', 'e', '{}')",
    )
    .await;
    let pool = &test.db.write;
    let refused = format!("{:#}", database::migrate(&test.url).await.unwrap_err());
    assert!(refused.contains("ALTER TABLE ecriture RENAME TO ecriture_ancien"), "{refused}");
    assert_eq!(count(pool, "SELECT count(*) FROM pg_tables WHERE tablename = '_sqlx_migrations'").await, 0);
    sqlx::raw_sql("ALTER TABLE ecriture RENAME TO ecriture_ancien").execute(pool).await.unwrap();
    let report = database::migrate(&test.url).await.unwrap().to_string();
    assert!(report.contains("its 1 operations are shown as succeeded"), "{report}");
    for (sql, expected) in [
        ("SELECT sum(solde_compte)::bigint FROM compte WHERE id_user IS NOT NULL", 1000),
        ("SELECT count(*) FROM ecriture_ancien", 2),
        ("SELECT count(*) FROM idempotence", 1),
        (
            "SELECT count(*) FROM transaction WHERE statut = 'reussie' AND initiateur IS NULL AND id_compte_expediteur = 1",
            1,
        ),
    ] {
        assert_eq!(count(pool, sql).await, expected, "{sql}");
    }
}
