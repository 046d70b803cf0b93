//! Connections that die in the middle: what was acknowledged stays, what was not is told by its key.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;

/// Ends every backend of this database but the caller's, as an administrator or a crash would.
const KILL: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";

/// How often every connection is killed, and how long apart: longer than it takes to connect again.
const ROUNDS: usize = 8;
const APART: Duration = Duration::from_millis(300);

/// A client sends its payment until it is answered, with the same key, as a telephone would; then the next one.
async fn client(
    number: usize,
    ledger: Ledger,
    awa: Party,
    koffi: Party,
    running: Arc<AtomicBool>,
) -> HashMap<String, Uuid> {
    let mut paid = HashMap::new();
    while running.load(Ordering::SeqCst) {
        let command = with_key(&awa, &koffi, 1, format!("{number}:{}", paid.len()));
        let mut tries = 0;
        let id = loop {
            match ledger.post(command.clone()).await {
                Ok(Verdict::Done { receipt, .. }) => break receipt.id,
                Ok(other) => panic!("{other:?}"),
                Err(error) if tries == 500 => panic!("{error}"),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        paid.insert(command.key, id);
    }
    paid
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_killed_under_load_and_nothing_is_lost_or_doubled() {
    let books = Books::open().await;
    let (awa, koffi) = (books.person(2, 1_000_000).await, books.person(2, 0).await);
    let running = Arc::new(AtomicBool::new(true));
    let clients: Vec<_> = (0..30)
        .map(|number| tokio::spawn(client(number, books.ledger.clone(), awa.clone(), koffi.clone(), running.clone())))
        .collect();
    let mut killed = 0;
    for _ in 0..ROUNDS {
        tokio::time::sleep(APART).await;
        killed += sqlx::query_scalar::<_, i64>(KILL).fetch_one(&books.test.db.write).await.unwrap_or(0);
    }
    running.store(false, Ordering::SeqCst);
    let mut acknowledged = HashMap::new();
    for paid in futures_util::future::join_all(clients).await {
        acknowledged.extend(paid.unwrap());
    }
    assert!(killed >= 4, "connections were killed: {killed}");
    assert!(acknowledged.len() > 100, "{} payments", acknowledged.len());
    assert_eq!(books.balance(&koffi).await, acknowledged.len() as i64, "each once, none without an answer");
    let stored: Vec<(String, Uuid)> =
        sqlx::query_as("SELECT cle, public_id FROM transaction WHERE nature = 'transfert'")
            .fetch_all(&books.test.db.write)
            .await
            .unwrap();
    assert_eq!(stored.into_iter().collect::<HashMap<_, _>>(), acknowledged);
    books.close().await;
}

#[tokio::test]
async fn a_command_that_the_database_cannot_take_fails_alone() {
    let books = Books::open().await;
    let (awa, koffi) = (books.person(2, 1000).await, books.person(2, 0).await);
    // A constraint that the fold knows nothing about stands for any surprise of the database.
    books.run("ALTER TABLE transaction ADD CONSTRAINT surprise CHECK (montant <> 13 OR nature <> 'transfert')").await;
    let commands: Vec<Command> = (1..=40).map(|i| pay(&awa, &koffi, if i == 17 { 13 } else { 1 })).collect();
    let posts = commands.into_iter().map(|command| {
        let ledger = books.ledger.clone();
        tokio::spawn(async move { ledger.post(command).await })
    });
    let answers: Vec<_> = futures_util::future::join_all(posts).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Ok(verdict) if fresh(verdict))).count(), 39);
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Err(LedgerError::Failure(_)))).count(), 1);
    assert_eq!(books.balance(&koffi).await, 39);
    books.close().await;
}

#[tokio::test]
async fn a_full_queue_says_so() {
    let books = Books::open().await;
    let (awa, koffi) = (books.person(2, 1000).await, books.person(2, 0).await);
    let config = LedgerConfig { background: false, queue: 10, ..LedgerConfig::default() };
    let small = Ledger::start(&books.test.db, &books.clock, &Random::system(), config);
    let many = (0..11).map(|_| pay(&awa, &koffi, 1)).collect();
    assert!(matches!(small.post_many(many, Together::Each).await, Err(LedgerError::Busy)));
    let fits = small.post_many((0..10).map(|_| pay(&awa, &koffi, 1)).collect(), Together::Each).await.unwrap();
    assert_eq!(fits.len(), 10);
    let again = small.post_many((0..10).map(|_| pay(&awa, &koffi, 1)).collect(), Together::Each).await;
    assert!(again.is_ok(), "room is given back");
    books.close().await;
}
