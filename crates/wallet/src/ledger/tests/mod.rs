//! The ledger on a real database.

mod adopted;
mod basics;
mod checker;
mod faults;
mod holds;
mod limits;
mod races;

use kernel::{Clock, Francs, Random};
use testkit::TestDb;
use uuid::Uuid;

use super::*;

/// A database, a ledger on it, a clock that moves.
struct Books {
    ledger: Ledger,
    clock: Clock,
    test: TestDb,
}

impl Books {
    async fn open() -> Self {
        let test = testkit::db().await;
        let clock = Clock::movable();
        // Sealing and expiry are called by the tests that are about them.
        let config = LedgerConfig { background: false, ..LedgerConfig::default() };
        let ledger = Ledger::start(&test.db, &clock, &Random::system(), config);
        Self { ledger, clock, test }
    }

    /// A second process on the same database.
    fn another(&self) -> Ledger {
        let db = Db::connect(&self.test.url, kernel::db::Sizes { write: 2, read: 1, hot: 1 }).unwrap();
        let config = LedgerConfig { background: false, ..LedgerConfig::default() };
        Ledger::start(&db, &self.clock, &Random::system(), config)
    }

    /// A user of a tier with some money.
    async fn person(&self, tier: i16, balance: i64) -> Party {
        let user: i32 = sqlx::query_scalar("INSERT INTO utilisateur (palier) VALUES ($1) RETURNING id_user")
            .bind(tier)
            .fetch_one(&self.test.db.write)
            .await
            .unwrap();
        if balance > 0 {
            self.fund(&Party::User(user), balance).await;
        }
        Party::User(user)
    }

    async fn fund(&self, party: &Party, amount: i64) {
        let movement = moving(Kind::Opening, &Party::system("ouverture"), party, amount);
        self.done(Command::new(Party::system("ouverture"), key(), Fingerprint::of(&[]), Action::Move(movement))).await;
    }

    async fn done(&self, command: Command) -> Receipt {
        match self.ledger.post(command).await.unwrap() {
            Verdict::Done { receipt, .. } => receipt,
            other => panic!("{other:?}"),
        }
    }

    async fn refused(&self, command: Command) -> Refusal {
        match self.ledger.post(command).await.unwrap() {
            Verdict::Refused { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    }

    async fn balance(&self, party: &Party) -> i64 {
        let account = self.ledger.account_of(party).await.unwrap();
        self.ledger.balance(account).await.unwrap().unwrap().balance
    }

    async fn available(&self, party: &Party) -> i64 {
        let account = self.ledger.account_of(party).await.unwrap();
        self.ledger.balance(account).await.unwrap().unwrap().available
    }

    async fn run(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.test.db.write).await.unwrap();
    }

    /// The books have to be right at the end of every test.
    async fn close(self) {
        seal::seal_all(&self.test.db, &self.clock).await.unwrap();
        let report = audit::audit(&self.test.db, &self.clock).await.unwrap();
        assert!(report.clean(), "{report:#?}");
    }
}

fn key() -> String {
    kernel::new_id(&Clock::system(), &Random::system()).to_string()
}

fn francs(amount: i64) -> Francs {
    Francs::new(amount).unwrap()
}

fn moving(kind: Kind, from: &Party, to: &Party, amount: i64) -> Movement {
    Movement { kind, from: from.clone(), to: to.clone(), amount: francs(amount), tariff: Tariff::Schedule(None) }
}

/// A transfer whose fingerprint is what it asks, as a flow makes it.
fn pay(from: &Party, to: &Party, amount: i64) -> Command {
    with_key(from, to, amount, key())
}

fn with_key(from: &Party, to: &Party, amount: i64, key: String) -> Command {
    let fingerprint = Fingerprint::of(&[format!("{to:?} {amount}").as_bytes()]);
    Command::new(from.clone(), key, fingerprint, Action::Move(moving(Kind::Transfer, from, to, amount)))
}

fn refund(by: &Party, operation: Uuid, amount: Option<i64>) -> Command {
    let fingerprint = Fingerprint::of(&[operation.as_bytes(), &amount.unwrap_or(0).to_be_bytes()]);
    Command::new(by.clone(), key(), fingerprint, Action::Refund { operation, amount: amount.map(francs) })
}

fn settle(operation: Uuid, amount: Option<i64>, last: bool) -> Command {
    let action = Action::Settle { operation, amount: amount.map(francs), last };
    Command::new(Party::system("systeme"), key(), Fingerprint::of(&[operation.as_bytes()]), action)
}

fn cancel(operation: Uuid, outcome: Outcome) -> Command {
    Command::new(
        Party::system("systeme"),
        key(),
        Fingerprint::of(&[operation.as_bytes()]),
        Action::Cancel { operation, outcome },
    )
}

/// Posts all of them at once.
async fn at_once(ledger: &Ledger, commands: Vec<Command>) -> Vec<Verdict> {
    let posts = commands.into_iter().map(|command| {
        let ledger = ledger.clone();
        tokio::spawn(async move { ledger.post(command).await.unwrap() })
    });
    futures_util::future::join_all(posts).await.into_iter().map(Result::unwrap).collect()
}

fn count(verdicts: &[Verdict], of: impl Fn(&Verdict) -> bool) -> usize {
    verdicts.iter().filter(|verdict| of(verdict)).count()
}

fn fresh(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Done { replayed: false, .. })
}

fn refused_for(reason: Refusal) -> impl Fn(&Verdict) -> bool {
    move |verdict| matches!(verdict, Verdict::Refused { reason: told, .. } if *told == reason)
}
