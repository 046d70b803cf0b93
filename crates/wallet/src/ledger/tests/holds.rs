use super::*;

fn open(
    from: &Party,
    to: &Party,
    kind: Kind,
    amount: i64,
    expires_at: Option<chrono::DateTime<chrono::Utc>>,
) -> Command {
    let movement = moving(kind, from, to, amount);
    Command::new(from.clone(), key(), Fingerprint::of(&[&amount.to_be_bytes()]), Action::Open { movement, expires_at })
}

fn wave() -> Party {
    Party::system("transit:wave:retrait")
}

#[tokio::test]
async fn what_is_held_cannot_be_spent_and_is_captured_in_parts() {
    let books = Books::open().await;
    let awa = books.person(2, 1000).await;
    let koffi = books.person(2, 0).await;
    let command = open(&awa, &wave(), Kind::Withdrawal, 800, None);
    let held = books.done(command.clone()).await;
    assert_eq!((held.status, held.from.balance, held.settled_at), (Status::Pending, None, None));
    assert_eq!((books.balance(&awa).await, books.available(&awa).await), (1000, 200));
    assert_eq!(books.refused(pay(&awa, &koffi, 201)).await, Refusal::InsufficientFunds);
    assert_eq!(books.refused(settle(held.id, Some(801), false)).await, Refusal::CaptureExceeds);
    let first = books.done(settle(held.id, Some(300), false)).await;
    assert_eq!((first.id, first.status, first.from.balance), (held.id, Status::Pending, Some(700)));
    let last = books.done(settle(held.id, Some(400), true)).await;
    assert_eq!((last.status, last.from.balance), (Status::Succeeded, Some(300)));
    assert_eq!((books.balance(&awa).await, books.available(&awa).await), (300, 300), "the rest is released");
    assert_eq!(books.refused(settle(held.id, Some(1), true)).await, Refusal::NotPending);
    assert_eq!(books.refused(cancel(held.id, Outcome::Failed)).await, Refusal::NotPending);
    let replay = books.ledger.post(command).await.unwrap();
    assert_eq!(replay, Verdict::Done { receipt: held, replayed: true }, "the first answer again: pending");
    books.close().await;
}

#[tokio::test]
async fn a_release_gives_everything_back() {
    let books = Books::open().await;
    let awa = books.person(2, 1000).await;
    let held = books.done(open(&awa, &wave(), Kind::Withdrawal, 800, None)).await;
    assert_eq!(books.done(cancel(held.id, Outcome::Failed)).await.status, Status::Failed);
    assert_eq!((books.balance(&awa).await, books.available(&awa).await), (1000, 1000));
    let account = books.ledger.account_of(&awa).await.unwrap();
    let unposted = books.ledger.unposted(account, None, 10).await.unwrap();
    assert_eq!((unposted.items.len(), unposted.items[0].status), (1, Status::Failed));
    books.close().await;
}

#[tokio::test]
async fn holds_expire_by_date_unless_an_order_is_on_its_way() {
    let books = Books::open().await;
    let awa = books.person(2, 1000).await;
    let soon = books.clock.now() + chrono::TimeDelta::minutes(10);
    let loose = books.done(open(&awa, &wave(), Kind::Withdrawal, 100, Some(soon))).await;
    let sent = books.done(open(&awa, &wave(), Kind::Withdrawal, 200, Some(soon))).await;
    assert!(books.ledger.protect(sent.id).await.unwrap());
    assert_eq!(books.ledger.expire().await.unwrap(), 0, "not due");
    books.clock.shift(chrono::TimeDelta::minutes(11));
    assert!(matches!(books.ledger.post(cancel(sent.id, Outcome::Expired)).await, Err(LedgerError::Invalid(_))));
    assert_eq!(books.ledger.expire().await.unwrap(), 1);
    assert_eq!(books.ledger.operation(loose.id).await.unwrap().unwrap().status, Status::Expired);
    assert_eq!(books.ledger.operation(sent.id).await.unwrap().unwrap().status, Status::Pending);
    assert!(!books.ledger.protect(loose.id).await.unwrap(), "gone: the order must not leave");
    assert!(books.ledger.unprotect(sent.id).await.unwrap());
    assert_eq!(books.ledger.expire().await.unwrap(), 1);
    assert_eq!(books.available(&awa).await, 1000);
    books.close().await;
}

#[tokio::test]
async fn the_fee_is_held_with_the_amount_and_taken_once() {
    let books = Books::open().await;
    books
        .run(
            "INSERT INTO bareme (nature, fournisseur, taxe_pb) VALUES ('retrait', '', 1800); \
              INSERT INTO bareme_tranche (id_bareme, a_partir_de, taux_pb) SELECT id, 0, 100 FROM bareme",
        )
        .await;
    let awa = books.person(2, 2000).await;
    let held = books.done(open(&awa, &wave(), Kind::Withdrawal, 1000, None)).await;
    assert_eq!((held.fee, held.tax), (12, 2));
    assert_eq!(books.available(&awa).await, 988);
    books.done(settle(held.id, Some(500), false)).await;
    assert_eq!(books.balance(&awa).await, 2000 - 500 - 12);
    books.done(settle(held.id, None, true)).await;
    assert_eq!((books.balance(&awa).await, books.available(&awa).await), (988, 988));
    assert_eq!(books.balance(&Party::system("frais:retrait")).await, 10);
    assert_eq!(books.balance(&Party::system("taxe:tva")).await, 2);
    let other = books.done(open(&awa, &wave(), Kind::Withdrawal, 500, None)).await;
    books.done(cancel(other.id, Outcome::Failed)).await;
    assert_eq!(books.available(&awa).await, 988, "no fee for what did not happen");
    assert_eq!(
        books.refused(open(&awa, &wave(), Kind::Withdrawal, 980, None)).await,
        Refusal::InsufficientFunds,
        "fee on top"
    );
    let reversal = Command::new(wave(), key(), Fingerprint::of(&[]), Action::Reverse { operation: held.id });
    assert_eq!(books.done(reversal).await.amount, 1000);
    assert_eq!(books.balance(&awa).await, 1988);
    books.close().await;
}
