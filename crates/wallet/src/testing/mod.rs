//! A wallet on a database of its own, people who are signed in, and francs to begin with.

pub(crate) mod operators;

use std::sync::Arc;

use axum::Router;
use identity::Identity;
use identity::testing::{self as people, Someone};
use kernel::http::Lexicon;
use kernel::identifier::Countries;
use kernel::{Clock, Francs, Keys, Random};
use serde_json::{Value, json};
use testkit::{Answer, Client, TestDb};

use crate::ledger::{Action, Command, Fingerprint, Kind, Ledger, LedgerConfig, Movement, Party, Tariff};
use crate::provider::Connector;
use crate::{Config, Deps, Wallet};

pub(crate) struct World {
    pub(crate) test: TestDb,
    pub(crate) clock: Clock,
    pub(crate) identity: Identity,
    pub(crate) wallet: Wallet,
    pub(crate) router: Router,
    pub(crate) anybody: Client,
}

/// Somebody with a client.
pub(crate) struct Member {
    pub(crate) someone: Someone,
    pub(crate) client: Client,
}

/// Without any operator.
pub(crate) async fn world() -> World {
    world_with(testkit::db().await, Vec::new(), "http://localhost:3000/api").await
}

pub(crate) async fn world_with(test: TestDb, connectors: Vec<Connector>, public_url: &str) -> World {
    let clock = Clock::movable();
    let identity = people::identity(&test.db, &clock);
    let ledger = Ledger::start(&test.db, &clock, &Random::system(), LedgerConfig::default());
    let wallet = Wallet::new(Deps {
        db: test.db.clone(),
        clock: clock.clone(),
        random: Random::system(),
        keys: Keys::new([9; 32], None),
        identity: identity.clone(),
        ledger,
        connectors,
        lexicon: Arc::new(Lexicon::default()),
        config: Config { countries: Countries::default(), public_url: public_url.to_owned(), private_webhooks: true },
    });
    let routes = crate::routes(wallet.clone()).split_for_parts().0;
    let router = Router::new().nest("/api", routes).layer(identity.layer());
    World { anybody: Client::new(router.clone()), router, test, clock, identity, wallet }
}

impl World {
    /// Proved, with a PIN, unlocked for some minutes.
    pub(crate) async fn member(&self, identifier: &str) -> Member {
        self.signed_in(people::sign_up_unlocked(&self.identity, identifier).await)
    }

    /// Proved; no PIN.
    pub(crate) async fn locked_member(&self, identifier: &str) -> Member {
        self.signed_in(people::sign_up(&self.identity, identifier).await)
    }

    /// A member who has something.
    pub(crate) async fn rich(&self, identifier: &str, francs: i64) -> Member {
        let member = self.member(identifier).await;
        self.give(&member, francs).await;
        member
    }

    pub(crate) fn signed_in(&self, someone: Someone) -> Member {
        Member { client: self.anybody.bearer(&someone.tokens.access_token), someone }
    }

    /// Francs from nowhere that the books know: an opening.
    pub(crate) async fn give(&self, member: &Member, francs: i64) {
        let movement = Movement {
            kind: Kind::Opening,
            from: Party::system("ouverture"),
            to: Party::User(member.someone.id_user),
            amount: Francs::new(francs).unwrap(),
            tariff: Tariff::Free,
        };
        let key = format!("test:{}", uuid::Uuid::from_bytes(Random::system().bytes()));
        let command = Command::new(Party::system("systeme"), key, Fingerprint([0; 16]), Action::Move(movement));
        self.wallet.ledger.post(command).await.unwrap().accepted().unwrap();
    }

    /// The books are right: sum zero, balances, versions, holds, seals.
    pub(crate) async fn audit(&self) {
        let report = crate::ledger::audit::audit(&self.test.db, &self.clock).await.unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
    }
}

impl Member {
    pub(crate) async fn balance(&self) -> i64 {
        self.client.get("/api/wallet").await.data(200)["balance"].as_i64().unwrap()
    }

    pub(crate) async fn available(&self) -> i64 {
        self.client.get("/api/wallet").await.data(200)["available"].as_i64().unwrap()
    }

    /// POST with an idempotency key.
    pub(crate) async fn pay(&self, key: &str, path: &str, body: Value) -> Answer {
        self.client.with("idempotency-key", key).post(path, body).await
    }

    pub(crate) async fn send(&self, key: &str, to: &str, amount: i64) -> Answer {
        self.pay(key, "/api/transfers", json!({"to": to, "amount": amount})).await
    }
}
