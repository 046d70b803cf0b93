//! A database of the first backend becomes ours.

use super::*;
use sqlx::AssertSqlSafe;

#[tokio::test]
async fn rows_of_the_first_backend_enter_the_books_once() {
    let test = testkit::empty_db().await;
    let mut files: Vec<_> =
        std::fs::read_dir(testkit::template::migrations_dir()).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let ours = |file: &std::path::PathBuf| file.file_name().unwrap().to_str().unwrap() >= "0030";
    let (before, from_ledger): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| !ours(file));
    let apply = async |files: &[std::path::PathBuf]| {
        for file in files {
            let sql = std::fs::read_to_string(file).unwrap();
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&test.db.write).await.unwrap();
        }
    };
    apply(&before).await;
    sqlx::raw_sql(
        "INSERT INTO utilisateur (nom) VALUES ('A'), ('B'), ('C'); \
         INSERT INTO compte (id_user, solde_compte) VALUES (1, 1500.00), (1, 20.75), (2, -40.00), (3, NULL), (NULL, 7); \
         INSERT INTO transaction (id_compte_expediteur, id_compte_recepteur, montant, statut) VALUES (1, 2, 10.50, 'SUCCESS'), (1, NULL, NULL, NULL)",
    )
    .execute(&test.db.write)
    .await
    .unwrap();
    apply(&from_ledger[..1]).await;
    let clock = Clock::movable();
    let ledger = Ledger::start(
        &test.db,
        &clock,
        &Random::system(),
        LedgerConfig { background: false, ..LedgerConfig::default() },
    );
    assert_eq!((ledger.adopt().await.unwrap(), ledger.adopt().await.unwrap()), (4, 0));
    let books = Books { ledger, clock, test };
    assert_eq!(books.balance(&Party::User(1)).await, 1500);
    assert_eq!(books.balance(&Party::User(2)).await, -40);
    assert_eq!(books.balance(&Party::User(3)).await, 0);
    assert_eq!(books.balance(&Party::system("ouverture")).await, -(1500 + 20 - 40 + 7));
    assert_eq!(books.refused(pay(&Party::User(2), &Party::User(3), 1)).await, Refusal::PayerFrozen);
    let old = books.ledger.unposted(1, None, 10).await.unwrap();
    assert_eq!(old.items.len(), 2, "the old history is shown");
    books.done(pay(&Party::User(1), &Party::User(3), 500)).await;
    books.close().await;
}
