use chrono::{DateTime, TimeDelta, Utc};

use super::*;

fn deposit(to: &Party, amount: i64) -> Command {
    let from = Party::system("transit:wave:depot");
    Command::new(from.clone(), key(), Fingerprint::of(&[]), Action::Move(moving(Kind::Deposit, &from, to, amount)))
}

fn open_deposit(to: &Party, amount: i64) -> Command {
    let movement = moving(Kind::Deposit, &Party::system("transit:wave:depot"), to, amount);
    Command::new(to.clone(), key(), Fingerprint::of(&[]), Action::Open { movement, expires_at: None })
}

#[tokio::test]
async fn a_tier_bounds_the_balance_whoever_sends() {
    let books = Books::open().await;
    let (awa, rich) = (books.person(0, 0).await, books.person(2, 1_000_000).await);
    books.done(pay(&rich, &awa, 150_000)).await;
    assert_eq!(books.refused(pay(&rich, &awa, 50_001)).await, Refusal::BalanceCeiling);
    books.done(pay(&rich, &awa, 50_000)).await;
    assert_eq!(books.refused(deposit(&awa, 1)).await, Refusal::BalanceCeiling);
    books.run("UPDATE utilisateur SET palier = 1 WHERE palier = 0").await;
    books.done(deposit(&awa, 1)).await;
    assert_eq!(books.balance(&awa).await, 200_001);
    books.close().await;
}

#[tokio::test]
async fn loading_is_counted_by_month_and_reserved_while_open() {
    let books = Books::open().await;
    to_day(&books, 25);
    let (awa, shop) = (books.person(0, 0).await, books.person(2, 0).await);
    books.done(deposit(&awa, 120_000)).await;
    books.done(pay(&awa, &shop, 120_000)).await;
    let pending = books.done(open_deposit(&awa, 60_000)).await;
    assert_eq!(books.refused(deposit(&awa, 20_001)).await, Refusal::PeriodLimit, "120,000 moved and 60,000 reserved");
    let other = books.done(open_deposit(&awa, 20_000)).await;
    books.done(cancel(other.id, Outcome::Failed)).await;
    books.done(settle(pending.id, None, true)).await;
    books.done(deposit(&awa, 20_000)).await;
    assert_eq!(books.refused(deposit(&awa, 1)).await, Refusal::PeriodLimit);
    books.done(pay(&shop, &awa, 1)).await;
    books.clock.shift(TimeDelta::days(10));
    books.done(deposit(&awa, 1)).await;
    books.close().await;
}

#[tokio::test]
async fn windows_turn_at_midnight_of_abidjan() {
    let books = Books::open().await;
    books
        .run("INSERT INTO limite (palier, mesure, nature, fenetre, maximum) VALUES (2, 'nombre', 'transfert', 'jour', 2), \
              (2, 'cumul', 'transfert', 'semaine', 1000); \
              INSERT INTO limite (palier, mesure, nature, maximum) VALUES (2, 'operation', 'transfert', 500)")
        .await;
    let (awa, koffi) = (books.person(2, 10_000).await, books.person(2, 0).await);
    // A Monday, a minute before midnight.
    let monday = DateTime::parse_from_rfc3339("2027-03-01T23:59:00Z").unwrap().with_timezone(&Utc);
    books.clock.shift(monday - books.clock.now());
    assert_eq!(books.refused(pay(&awa, &koffi, 501)).await, Refusal::AmountLimit);
    books.done(pay(&awa, &koffi, 400)).await;
    books.done(pay(&awa, &koffi, 1)).await;
    assert_eq!(books.refused(pay(&awa, &koffi, 1)).await, Refusal::PeriodLimit, "two a day");
    books.clock.shift(TimeDelta::minutes(1));
    books.done(pay(&awa, &koffi, 500)).await;
    assert_eq!(books.refused(pay(&awa, &koffi, 100)).await, Refusal::PeriodLimit, "901 of 1000 in the week");
    books.done(pay(&koffi, &awa, 450)).await;
    books.clock.shift(TimeDelta::days(6));
    books.done(pay(&awa, &koffi, 500)).await;
    books.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_holds_under_a_rush() {
    let books = Books::open().await;
    let awa = books.person(0, 0).await;
    let other = books.another();
    let deposits = |n| (0..n).map(|_| deposit(&awa, 7_000)).collect::<Vec<_>>();
    let (mine, theirs) = tokio::join!(at_once(&books.ledger, deposits(40)), at_once(&other, deposits(40)));
    assert_eq!(count(&mine, fresh) + count(&theirs, fresh), 28, "28 times 7,000 fit into 200,000");
    assert_eq!(books.balance(&awa).await, 196_000);
    books.close().await;
}

#[tokio::test]
async fn an_account_has_a_ceiling_and_a_floor_of_its_own() {
    let books = Books::open().await;
    let (awa, koffi) = (books.person(2, 1000).await, books.person(2, 0).await);
    books.run("UPDATE compte SET plancher = -50 WHERE credits = 1000 AND nature = 'client'").await;
    let account = books.ledger.account_of(&koffi).await.unwrap();
    sqlx::query("UPDATE compte SET plafond = 300 WHERE id_compte = $1")
        .bind(account)
        .execute(&books.test.db.write)
        .await
        .unwrap();
    assert_eq!(books.refused(pay(&awa, &koffi, 301)).await, Refusal::BalanceCeiling);
    books.done(pay(&awa, &koffi, 300)).await;
    let ama = books.person(2, 0).await;
    assert_eq!(books.refused(pay(&awa, &ama, 751)).await, Refusal::InsufficientFunds);
    assert_eq!(books.done(pay(&awa, &ama, 750)).await.from.balance, Some(-50));
    books.close().await;
}

/// Moves the clock to noon of a day of the present or next month, so that a test has days left in its month.
fn to_day(books: &Books, day: u32) {
    use chrono::{Datelike, Months, NaiveTime};
    let now = books.clock.now();
    let next = now.date_naive().with_day(1).unwrap() + Months::new(1);
    let target = next.with_day(day).unwrap().and_time(NaiveTime::from_hms_opt(12, 0, 0).unwrap()).and_utc();
    books.clock.shift(target - now);
}
