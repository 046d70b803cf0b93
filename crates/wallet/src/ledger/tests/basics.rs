use super::*;

#[tokio::test]
async fn money_moves_and_both_sides_know() {
    let books = Books::open().await;
    let (awa, koffi) = (books.person(2, 1000).await, books.person(2, 0).await);
    let mut command = pay(&awa, &koffi, 300);
    command.note = Some("loyer".into());
    let receipt = books.done(command).await;
    assert_eq!(
        (receipt.kind, receipt.status, receipt.amount, receipt.fee),
        (Kind::Transfer, Status::Succeeded, 300, 0)
    );
    assert_eq!((receipt.from.balance, receipt.to.balance), (Some(700), Some(300)));
    assert_eq!(books.ledger.operation(receipt.id).await.unwrap(), Some(receipt.clone()));
    let account = books.ledger.account_of(&koffi).await.unwrap();
    let page = books.ledger.entries(account, 0, None, 10).await.unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!((page.items[0].amount, page.items[0].balance, &page.items[0].operation), (300, 300, &receipt));
    let projected: i64 = sqlx::query_scalar("SELECT solde_compte::bigint FROM compte WHERE id_compte = $1")
        .bind(account)
        .fetch_one(&books.test.db.write)
        .await
        .unwrap();
    assert_eq!(projected, 300);
    books.close().await;
}

#[tokio::test]
async fn a_key_is_answered_again_and_for_ever() {
    let books = Books::open().await;
    let (awa, koffi) = (books.person(2, 1000).await, books.person(2, 0).await);
    let command = with_key(&awa, &koffi, 400, "k".into());
    let first = books.done(command.clone()).await;
    books.done(pay(&awa, &koffi, 600)).await;
    assert_eq!(
        books.ledger.post(command.clone()).await.unwrap(),
        Verdict::Done { receipt: first.clone(), replayed: true }
    );
    let replay = books.ledger.replay(&awa, "k", command.fingerprint).await.unwrap();
    assert_eq!(replay, Some(Verdict::Done { receipt: first, replayed: true }));
    assert_eq!(books.ledger.post(with_key(&awa, &koffi, 401, "k".into())).await.unwrap(), Verdict::KeyReused);
    assert_eq!(books.ledger.replay(&awa, "other", command.fingerprint).await.unwrap(), None);
    assert_eq!(books.done(with_key(&koffi, &awa, 1, "k".into())).await.amount, 1, "keys belong to their account");
    books.close().await;
}

#[tokio::test]
async fn a_refusal_stays_refused_when_money_has_come() {
    let books = Books::open().await;
    let (awa, koffi) = (books.person(2, 100).await, books.person(2, 0).await);
    let command = with_key(&awa, &koffi, 500, "late".into());
    assert_eq!(books.refused(command.clone()).await, Refusal::InsufficientFunds);
    books.fund(&awa, 10_000).await;
    let again = books.ledger.post(command).await.unwrap();
    assert!(matches!(again, Verdict::Refused { reason: Refusal::InsufficientFunds, replayed: true, .. }), "{again:?}");
    assert_eq!(books.balance(&awa).await, 10_100);
    books.close().await;
}

#[tokio::test]
async fn without_confirmation_nothing_is_written_and_a_replay_needs_none() {
    let books = Books::open().await;
    let (awa, koffi) = (books.person(2, 1000).await, books.person(2, 0).await);
    let mut command = with_key(&awa, &koffi, 100, "pin".into());
    command.authorised = Authorisation::PinRequired(Unconfirmed::PinMissing);
    assert_eq!(books.ledger.post(command.clone()).await.unwrap(), Verdict::NotAuthorised(Unconfirmed::PinMissing));
    assert_eq!(books.balance(&awa).await, 1000);
    books.done(Command { authorised: Authorisation::Confirmed, ..command.clone() }).await;
    assert!(matches!(books.ledger.post(command).await.unwrap(), Verdict::Done { replayed: true, .. }));
    books.close().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_reason() {
    let books = Books::open().await;
    let (awa, koffi) = (books.person(2, 1000).await, books.person(2, 0).await);
    assert_eq!(books.refused(pay(&awa, &awa, 1)).await, Refusal::SameAccount);
    assert!(matches!(books.ledger.post(pay(&awa, &Party::User(i32::MAX), 1)).await, Err(LedgerError::UnknownParty)));
    assert!(matches!(books.ledger.post(pay(&awa, &Party::Account(i64::MAX), 1)).await, Err(LedgerError::UnknownParty)));
    assert!(matches!(books.ledger.post(refund(&awa, Uuid::nil(), None)).await, Err(LedgerError::UnknownOperation)));
    assert!(matches!(books.ledger.post(with_key(&awa, &koffi, 1, String::new())).await, Err(LedgerError::Invalid(_))));
    let account = books.ledger.account_of(&koffi).await.unwrap();
    books.ledger.freeze(account, "fraude signalée", "conformité").await.unwrap();
    assert!(books.ledger.freeze(account, "encore", "conformité").await.is_err());
    assert_eq!(books.refused(pay(&awa, &koffi, 1)).await, Refusal::PayeeFrozen);
    assert_eq!(books.refused(pay(&koffi, &awa, 1)).await, Refusal::PayerFrozen);
    books.ledger.unfreeze(account, "conformité").await.unwrap();
    books.done(pay(&awa, &koffi, 1)).await;
    books
        .run("UPDATE utilisateur SET statut = 'suspendu' WHERE id_user = (SELECT max(id_user) FROM utilisateur)")
        .await;
    assert_eq!(books.refused(pay(&awa, &koffi, 1)).await, Refusal::PayeeFrozen);
    books.close().await;
}

#[tokio::test]
async fn effects_hold_or_refuse() {
    let books = Books::open().await;
    let (awa, koffi) = (books.person(2, 1000).await, books.person(2, 0).await);
    let subject = kernel::new_id(&books.clock, &Random::system());
    let once = Effect::UseOnce { subject, used: Refusal::QrUsed, closed: Refusal::QrClosed };
    let with = |effect: &Effect| Command { effects: vec![effect.clone()], ..pay(&awa, &koffi, 10) };
    books.done(with(&once)).await;
    assert_eq!(books.refused(with(&once)).await, Refusal::QrUsed);
    assert!(!books.ledger.close_subject(subject).await.unwrap());
    let other = Uuid::from_u128(7);
    assert!(books.ledger.close_subject(other).await.unwrap());
    let closed = Effect::UseOnce { subject: other, used: Refusal::RequestPaid, closed: Refusal::RequestClosed };
    assert_eq!(books.refused(with(&closed)).await, Refusal::RequestClosed);
    let late = Effect::Before { deadline: books.clock.now(), late: Refusal::QrExpired };
    assert_eq!(books.refused(with(&late)).await, Refusal::QrExpired);
    books.close().await;
}

#[tokio::test]
async fn linked_commands_are_done_together_or_not_at_all() {
    let books = Books::open().await;
    let (awa, koffi, ama) = (books.person(2, 1000).await, books.person(2, 0).await, books.person(2, 0).await);
    let good = vec![pay(&awa, &koffi, 600), pay(&koffi, &ama, 500)];
    let verdicts = books.ledger.post_many(good.clone(), Together::Linked).await.unwrap();
    assert!(verdicts.iter().all(|verdict| fresh(verdict.as_ref().unwrap())), "{verdicts:?}");
    let bad = vec![pay(&awa, &koffi, 300), pay(&koffi, &ama, 5000), pay(&awa, &ama, 1)];
    let verdicts: Vec<Verdict> =
        books.ledger.post_many(bad.clone(), Together::Linked).await.unwrap().into_iter().map(Result::unwrap).collect();
    assert!(refused_for(Refusal::Linked)(&verdicts[0]) && refused_for(Refusal::InsufficientFunds)(&verdicts[1]));
    assert!(refused_for(Refusal::Linked)(&verdicts[2]));
    assert_eq!((books.balance(&awa).await, books.balance(&koffi).await, books.balance(&ama).await), (400, 100, 500));
    let again = books.ledger.post_many(bad, Together::Linked).await.unwrap();
    assert!(again.iter().all(|verdict| matches!(verdict, Ok(Verdict::Refused { replayed: true, .. }))), "{again:?}");
    let again = books.ledger.post_many(good, Together::Linked).await.unwrap();
    assert!(again.iter().all(|verdict| matches!(verdict, Ok(Verdict::Done { replayed: true, .. }))), "{again:?}");
    books.close().await;
}

#[tokio::test]
async fn a_thousand_are_taken_and_one_more_is_not() {
    let books = Books::open().await;
    let (awa, koffi) = (books.person(2, 999).await, books.person(2, 0).await);
    let many = |n: usize| (0..n).map(|_| pay(&awa, &koffi, 1)).collect::<Vec<_>>();
    assert!(matches!(books.ledger.post_many(many(1001), Together::Each).await, Err(LedgerError::Invalid(_))));
    let verdicts: Vec<Verdict> =
        books.ledger.post_many(many(1000), Together::Each).await.unwrap().into_iter().map(Result::unwrap).collect();
    assert_eq!((count(&verdicts, fresh), count(&verdicts, refused_for(Refusal::InsufficientFunds))), (999, 1));
    assert_eq!(books.balance(&koffi).await, 999);
    books.close().await;
}

#[tokio::test]
async fn balances_of_the_past_are_found() {
    let books = Books::open().await;
    let (awa, koffi) = (books.person(2, 1000).await, books.person(2, 0).await);
    let mut moments = Vec::new();
    for amount in 1..=9 {
        books.clock.shift(chrono::TimeDelta::hours(1));
        let receipt = books.done(pay(&awa, &koffi, amount)).await;
        moments.push((receipt.created_at, receipt.to.balance.unwrap()));
    }
    // The clock is set back: entries stay in order of time.
    books.clock.shift(chrono::TimeDelta::hours(-30));
    let late = books.done(pay(&awa, &koffi, 1)).await;
    assert!(late.created_at >= moments[8].0);
    let account = books.ledger.account_of(&koffi).await.unwrap();
    for (at, balance) in &moments[..8] {
        assert_eq!(books.ledger.balance_at(account, *at).await.unwrap(), *balance);
        assert_eq!(books.ledger.balance_at(account, *at + chrono::TimeDelta::minutes(30)).await.unwrap(), *balance);
    }
    assert_eq!(books.ledger.balance_at(account, moments[0].0 - chrono::TimeDelta::seconds(1)).await.unwrap(), 0);
    let page = books.ledger.entries(account, 0, None, 4).await.unwrap();
    let rest = books.ledger.entries(account, 0, page.next, 100).await.unwrap();
    assert_eq!((page.items.len(), rest.items.len(), rest.next), (4, 6, None));
    books.close().await;
}
