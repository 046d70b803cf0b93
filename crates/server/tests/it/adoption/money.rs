//! Money and its owners.

use serde_json::json;
use server::database;
use sqlx::AssertSqlSafe;

use super::{FIRST_BACKEND, count, started};
use crate::house::House;

#[tokio::test]
async fn a_balance_is_recognised_under_other_names_and_types() {
    for column in ["solde bigint", "solde double precision", "\"montantDisponible\" numeric(12, 0)"] {
        let name = column.split(' ').next().unwrap();
        let change = format!(
            "ALTER TABLE compte ADD COLUMN {column}; UPDATE compte SET {name} = solde_compte; ALTER TABLE compte DROP COLUMN solde_compte;"
        );
        let test = started(FIRST_BACKEND, &change).await;
        let pool = &test.db.write;
        database::migrate(&test.url).await.unwrap();
        let opened = "SELECT sum(montant)::bigint FROM transaction WHERE nature = 'ouverture'";
        assert_eq!(count(pool, opened).await, 12_500, "{column}");
        let kept = format!("SELECT sum({name})::bigint FROM compte");
        let kept: i64 = sqlx::query_scalar(AssertSqlSafe(kept)).fetch_one(pool).await.unwrap();
        assert_eq!(kept, 12_500, "the old column stays");
    }
}

#[tokio::test]
async fn without_any_number_accounts_start_at_nothing() {
    let test = started(FIRST_BACKEND, "ALTER TABLE compte DROP COLUMN solde_compte").await;
    assert!(database::dry_run(&test.url).await.unwrap().contains("accounts start at 0"));
    database::migrate(&test.url).await.unwrap();
    assert_eq!(count(&test.db.write, "SELECT sum(solde_compte)::bigint FROM compte").await, 0);
}

#[tokio::test]
async fn several_accounts_of_a_person_come_together_and_nobody_s_are_told() {
    let test = started(
        FIRST_BACKEND,
        "INSERT INTO compte (id_compte, id_user, solde_compte) VALUES (20, 3, 400), (21, 3, 0), (22, 7, 99), (30, NULL, 77), (31, NULL, 0);
         SELECT setval('compte_id_compte_seq', 31)",
    )
    .await;
    let expected = ["2 people have several accounts", "the other 3 moves", "compte 30 belongs to nobody and holds 77"];
    let said = database::dry_run(&test.url).await.unwrap();
    assert!(expected.iter().all(|line| said.contains(line)) && !said.contains("compte 31"), "{said}");
    let report = database::migrate(&test.url).await.unwrap().to_string();
    assert!(expected.iter().all(|line| report.contains(line)), "{report}");
    let pool = &test.db.write;
    let balances: Vec<(i64, i64)> =
        sqlx::query_as("SELECT id_compte, solde_compte::bigint FROM compte WHERE nature = 'client' ORDER BY 1")
            .fetch_all(pool)
            .await
            .unwrap();
    assert_eq!(balances, [(1, 10_400), (2, 2599), (20, 0), (21, 0), (22, 0), (30, 77), (31, 0)]);
    let audit = wallet::ledger::audit::audit(&test.db, &kernel::Clock::system()).await.unwrap();
    assert!(audit.clean(), "{:?}", audit.findings);
    database::migrate(&test.url).await.unwrap();
    assert_eq!(count(pool, "SELECT count(*) FROM transaction WHERE nature = 'ajustement'").await, 2, "once");

    let house = House::of(test).await;
    let signed = house
        .client()
        .post("/api/verify-pin", json!({"identifier": "awa@example.ci", "password": "motdepasse-clair"}))
        .await;
    let client = house.client().bearer(signed.data(200)["accessToken"].as_str().unwrap());
    let history = client.get("/api/transactions").await.data(200);
    let gathered = history["items"].as_array().unwrap().iter().find(|one| one["type"] == "adjustment").unwrap().clone();
    assert_eq!((gathered["amount"].as_i64(), gathered["direction"].as_str()), (Some(400), Some("in")));
    assert_eq!(gathered["note"], "Regroupement de vos comptes");
}

/// A crash between the commit of the migrations and the openings: the next run ends what was begun.
#[tokio::test]
async fn an_interrupted_adoption_is_ended_by_the_next_run() {
    let test = started(FIRST_BACKEND, "").await;
    database::migrate(&test.url).await.unwrap();
    let pool = &test.db.write;
    sqlx::raw_sql("UPDATE adoption SET termine_le = NULL").execute(pool).await.unwrap();
    let mut connection = database::connect(&test.url).await.unwrap();
    let pending = database::pending(&mut connection).await.unwrap();
    assert_eq!(
        pending,
        ["adoption: utilisateurs", "adoption: etablissements", "adoption: comptes"],
        "serve refuses until then"
    );
    let before = count(pool, "SELECT count(*) FROM transaction").await;
    database::migrate(&test.url).await.unwrap();
    assert_eq!(count(pool, "SELECT count(*) FROM transaction").await, before, "nothing twice");
    assert_eq!(database::pending(&mut connection).await.unwrap(), Vec::<String>::new());
}
