//! A whole server on a database of its own, without a listener.

use axum::Router;
use identity::{Mode, testing};
use kernel::{Clock, Keys, Random};
use server::config::{Config, Overrides};
use server::router;
use server::wiring::{App, Parts};
use testkit::{Client, TestDb};

pub(crate) struct House {
    pub(crate) app: App,
    pub(crate) router: Router,
    pub(crate) test: TestDb,
    pub(crate) clock: Clock,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::of(testkit::db().await).await
    }

    pub(crate) async fn of(test: TestDb) -> Self {
        let clock = Clock::movable();
        let config = Config::read(Mode::Development, &Overrides::default(), &|_| None).unwrap();
        let parts = Parts {
            database_url: test.url.clone(),
            keys: Keys::new([7; 32], None),
            clock: clock.clone(),
            random: Random::system(),
            connectors: Vec::new(),
        };
        let app = App::new(config, parts).unwrap();
        app.start().await.unwrap();
        app.readiness.set_simulator(true);
        let router = router::build(&app, None).unwrap();
        Self { app, router, test, clock }
    }

    /// A client of the whole router: sentences are those of `messages/`.
    pub(crate) fn client(&self) -> Client {
        Client::bare(self.router.clone())
    }

    pub(crate) async fn someone(&self, identifier: &str) -> testing::Someone {
        testing::sign_up_unlocked(&self.app.identity, identifier).await
    }
}
