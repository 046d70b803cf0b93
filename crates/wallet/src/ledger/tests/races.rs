//! The races by name: whatever runs beside what, once is once and more than all is refused.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_captures_of_one_hold() {
    let books = Books::open().await;
    let awa = books.person(2, 1000).await;
    let movement = moving(Kind::Withdrawal, &awa, &Party::system("transit:wave:retrait"), 1000);
    let held = books
        .done(Command::new(awa.clone(), key(), Fingerprint::of(&[]), Action::Open { movement, expires_at: None }))
        .await;
    let verdicts = at_once(&books.ledger, (0..100).map(|_| settle(held.id, Some(300), false)).collect()).await;
    assert_eq!((count(&verdicts, fresh), count(&verdicts, refused_for(Refusal::CaptureExceeds))), (3, 97));
    assert_eq!((books.balance(&awa).await, books.available(&awa).await), (100, 0));
    books.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twice_sixty_refunds_of_a_hundred_over_two_processes() {
    let books = Books::open().await;
    let (awa, shop) = (books.person(2, 100).await, books.person(2, 10_000).await);
    let paid = books.done(pay(&awa, &shop, 100)).await;
    let other = books.another();
    let mine = at_once(&books.ledger, (0..60).map(|_| refund(&shop, paid.id, Some(3))).collect());
    let theirs = at_once(&other, (0..60).map(|_| refund(&shop, paid.id, Some(3))).collect());
    let (mut verdicts, theirs) = tokio::join!(mine, theirs);
    verdicts.extend(theirs);
    assert_eq!((count(&verdicts, fresh), count(&verdicts, refused_for(Refusal::RefundExceeds))), (33, 87));
    assert_eq!(books.balance(&awa).await, 99);
    assert_eq!(books.done(refund(&shop, paid.id, None)).await.amount, 1, "the rest");
    assert_eq!(books.refused(refund(&shop, paid.id, None)).await, Refusal::RefundExceeds);
    assert!(
        matches!(books.ledger.post(refund(&awa, paid.id, None)).await, Err(LedgerError::UnknownOperation)),
        "only the payee"
    );
    books.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_a_hundred_times() {
    let books = Books::open().await;
    let (awa, koffi) = (books.person(2, 100_000).await, books.person(2, 0).await);
    let other = books.another();
    let same = |n| (0..n).map(|_| with_key(&awa, &koffi, 10, "même".into())).collect::<Vec<_>>();
    let (mut verdicts, theirs) = tokio::join!(at_once(&books.ledger, same(50)), at_once(&other, same(50)));
    verdicts.extend(theirs);
    assert_eq!(
        (count(&verdicts, fresh), count(&verdicts, |v| matches!(v, Verdict::Done { replayed: true, .. }))),
        (1, 99)
    );
    let ids: std::collections::HashSet<Uuid> = verdicts
        .iter()
        .map(|verdict| if let Verdict::Done { receipt, .. } = verdict { receipt.id } else { Uuid::nil() })
        .collect();
    assert_eq!(ids.len(), 1);
    let different = (1..=100).map(|amount| with_key(&awa, &koffi, amount, "autre".into())).collect();
    let verdicts = at_once(&books.ledger, different).await;
    assert_eq!((count(&verdicts, fresh), count(&verdicts, |v| *v == Verdict::KeyReused)), (1, 99));
    books.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_use_code_a_hundred_times() {
    let books = Books::open().await;
    let shop = books.person(2, 0).await;
    let mut payers = Vec::new();
    for _ in 0..20 {
        payers.push(books.person(2, 1000).await);
    }
    let other = books.another();
    let subject = Uuid::from_u128(42);
    let scan = |payer: &Party| Command {
        effects: vec![Effect::UseOnce { subject, used: Refusal::QrUsed, closed: Refusal::QrClosed }],
        ..pay(payer, &shop, 10)
    };
    let all: Vec<Command> = payers.iter().cycle().take(100).map(scan).collect();
    let (mine, theirs) = all.split_at(50);
    let (mut verdicts, theirs) = tokio::join!(at_once(&books.ledger, mine.to_vec()), at_once(&other, theirs.to_vec()));
    verdicts.extend(theirs);
    assert_eq!((count(&verdicts, fresh), count(&verdicts, refused_for(Refusal::QrUsed))), (1, 99));
    assert_eq!(books.balance(&shop).await, 10);
    books.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_balance_is_spent_once_over_two_processes() {
    let books = Books::open().await;
    let (awa, koffi, ama) = (books.person(2, 5050).await, books.person(2, 1000).await, books.person(2, 1000).await);
    let other = books.another();
    let to = |payee: &Party, n| (0..n).map(|_| pay(&awa, payee, 100)).collect::<Vec<_>>();
    // The others pay back and forth meanwhile, in both directions: nobody waits in a circle.
    let circle: Vec<Command> =
        (0..100).map(|i| if i % 2 == 0 { pay(&koffi, &ama, 1) } else { pay(&ama, &koffi, 1) }).collect();
    let (mine, theirs, also) =
        tokio::join!(at_once(&books.ledger, to(&koffi, 200)), at_once(&other, to(&ama, 200)), at_once(&other, circle));
    assert_eq!(count(&mine, fresh) + count(&theirs, fresh), 50);
    assert_eq!(count(&also, fresh), 100);
    assert_eq!(books.balance(&awa).await, 50);
    books.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_payment_to_a_newcomer_opens_one_account() {
    let books = Books::open().await;
    let awa = books.person(2, 1000).await;
    let newcomer = books.person(2, 0).await;
    let other = books.another();
    let pays = |n| (0..n).map(|_| pay(&awa, &newcomer, 1)).collect::<Vec<_>>();
    let (mine, theirs) = tokio::join!(at_once(&books.ledger, pays(20)), at_once(&other, pays(20)));
    assert_eq!(count(&mine, fresh) + count(&theirs, fresh), 40);
    assert_eq!(books.balance(&newcomer).await, 40);
    books.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_an_account_cannot_be_deleted() {
    let books = Books::open().await;
    let (awa, koffi) = (books.person(2, 1000).await, books.person(2, 0).await);
    let pays = at_once(&books.ledger, (0..50).map(|_| pay(&awa, &koffi, 1)).collect());
    let deletion = async { sqlx::query("DELETE FROM utilisateur").execute(&books.test.db.write).await };
    let (verdicts, deleted) = tokio::join!(pays, deletion);
    assert!(deleted.unwrap_err().to_string().contains("compte_titulaire"));
    assert_eq!(count(&verdicts, fresh), 50);
    books.close().await;
}
