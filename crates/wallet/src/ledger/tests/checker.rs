//! Each kind of tampering is found, by the check that is about it.

use super::*;

/// Payments, a refund, a hold in part captured, a fee, a deposit that counts, a used code, seals.
async fn busy() -> Books {
    let books = Books::open().await;
    books
        .run("INSERT INTO bareme (nature) VALUES ('transfert'); INSERT INTO bareme_tranche (id_bareme, a_partir_de, fixe) SELECT id, 0, 5 FROM bareme")
        .await;
    let (awa, koffi) = (books.person(2, 10_000).await, books.person(1, 500).await);
    let paid = books.done(pay(&awa, &koffi, 1000)).await;
    let code = Effect::UseOnce { subject: Uuid::from_u128(9), used: Refusal::QrUsed, closed: Refusal::QrClosed };
    books.done(Command { effects: vec![code], ..pay(&awa, &koffi, 100) }).await;
    books.done(refund(&koffi, paid.id, Some(400))).await;
    let movement = moving(Kind::Withdrawal, &awa, &Party::system("transit:wave:retrait"), 2000);
    let held = books
        .done(Command::new(awa.clone(), key(), Fingerprint::of(&[]), Action::Open { movement, expires_at: None }))
        .await;
    books.done(settle(held.id, Some(700), false)).await;
    let transit = Party::system("transit:wave:depot");
    let deposit = moving(Kind::Deposit, &transit, &koffi, 900);
    books.done(Command::new(transit, key(), Fingerprint::of(&[]), Action::Move(deposit))).await;
    seal::seal_all(&books.test.db, &books.clock).await.unwrap();
    let report = audit::audit(&books.test.db, &books.clock).await.unwrap();
    assert!(report.clean() && report.seal.is_some() && report.batches > 0, "{report:#?}");
    books
}

/// Does the damage as an owner of the database could, and gives the checks that found it.
async fn found(books: &Books, damage: &'static str) -> Vec<&'static str> {
    books.run("ALTER TABLE ecriture DISABLE TRIGGER ecriture_ajout_seul").await;
    books.run("ALTER TABLE compte DROP CONSTRAINT IF EXISTS compte_projection_juste, DROP CONSTRAINT IF EXISTS compte_plancher_tenu").await;
    books.run(damage).await;
    let report = audit::audit(&books.test.db, &books.clock).await.unwrap();
    report.findings.iter().map(|finding| finding.check).collect()
}

macro_rules! tampering {
    ($($name:ident: $check:literal, $damage:literal;)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                let books = busy().await;
                let found = found(&books, $damage).await;
                assert!(found.contains(&$check), "{found:?}");
            }
        )+
    };
}

// Each line: the test, the check that has to speak, the damage.
tampering! {
    money_out_of_nothing: "sum_zero", "UPDATE compte SET credits = credits + 1 WHERE id_user = 1";
    a_changed_balance: "balances", "UPDATE compte SET debits = debits + 1, credits = credits + 1 WHERE id_user = 1";
    a_changed_projection: "projection", "UPDATE compte SET solde_compte = solde_compte + 1 WHERE id_user = 1";
    a_removed_entry: "versions", "DELETE FROM ecriture WHERE version = 1 AND id_compte = (SELECT id_compte FROM compte WHERE id_user = 1)";
    a_changed_entry: "running_balance", "UPDATE ecriture SET montant = montant + 1 WHERE version = 2";
    an_entry_of_nobody: "postings", "INSERT INTO ecriture SELECT id_compte, version + 1, 1, 5, solde_apres + 5, cree_le FROM ecriture ORDER BY version DESC LIMIT 1";
    a_changed_amount: "postings", "UPDATE transaction SET montant = montant + 1 WHERE nature = 'transfert' AND rembourse = 0";
    a_changed_receipt: "operation_balances", "UPDATE transaction SET solde_recepteur = solde_recepteur + 1 WHERE nature = 'depot'";
    a_hold_made_smaller: "holds", "UPDATE compte SET debits_attente = debits_attente - 1 WHERE debits_attente > 0";
    a_capture_made_smaller: "captures", "UPDATE retenue SET capture = capture - 1";
    a_hold_called_done: "open_states", "UPDATE transaction SET statut = 'reussie' WHERE statut = 'attente'";
    a_refund_forgotten: "refunds", "UPDATE transaction SET rembourse = 0 WHERE rembourse > 0";
    a_counter_set_back: "counters", "UPDATE compteur_argent SET montant = 0";
    a_floor_broken: "floors", "UPDATE compte SET plancher = 1000000 WHERE id_user = 1";
    a_code_usable_again: "used_once", "UPDATE usage_unique SET id_transaction = 1";
    an_account_made_deletable: "deletable", "DELETE FROM compte_titulaire WHERE id_compte = (SELECT id_compte FROM compte WHERE id_user = 1)";
    another_key: "batches", "UPDATE transaction SET cle = cle || 'x' WHERE nature = 'depot'";
    another_time: "batches", "UPDATE transaction SET date_transaction = date_transaction - interval '1 day' WHERE nature = 'depot'";
    a_payment_slipped_in: "batches", "INSERT INTO transaction (nature, statut, initiateur, cle, montant, id_compte_expediteur, id_compte_recepteur) VALUES ('transfert', 'refusee', 1, 'faux', 1, 1, 2)";
    an_operation_removed: "batches", "DELETE FROM transaction WHERE code_refus IS NULL AND nature = 'depot'";
    a_root_rewritten: "seals", "UPDATE lot SET racine = sha256('faux') WHERE premier = (SELECT max(premier) FROM lot)";
    a_batch_removed: "seals", "DELETE FROM lot WHERE premier = (SELECT min(premier) FROM lot)";
    a_seal_removed: "seals", "DELETE FROM sceau WHERE position = 2";
}

#[tokio::test]
async fn entries_cannot_be_changed_by_accident() {
    let books = busy().await;
    for accident in ["UPDATE ecriture SET montant = 1", "DELETE FROM ecriture", "TRUNCATE ecriture"] {
        let refused = sqlx::raw_sql(accident).execute(&books.test.db.write).await.unwrap_err();
        assert!(refused.to_string().contains("ajout seul"), "{refused}");
    }
    books.close().await;
}
