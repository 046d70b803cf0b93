//! For tests only. A database of one's own in some 50 ms (cloned from a template that the migrations filled once), and a
//! client that speaks to a router as a telephone would.
//!
//! The PostgreSQL server behind it is started by `testdb`, which the test runner calls before the first test; it has
//! fsync off, and ends by itself when nobody was connected for a while.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot be set up has to fail")]

mod client;
pub mod template;

pub use client::{Answer, Client};

use kernel::Db;
use kernel::db::Sizes;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The variable in which the runner gives the server's URL (its maintenance database).
pub const SERVER_URL: &str = "HOSTOLINK_TEST_SERVER";
/// The variable in which the runner gives the template's name.
pub const TEMPLATE: &str = "HOSTOLINK_TEST_TEMPLATE";

/// A database of one test, dropped with it.
#[derive(Debug)]
pub struct TestDb {
    /// Its pools.
    pub db: Db,
    /// Its URL, for a second set of pools or a child process.
    pub url: String,
    name: String,
    server: String,
}

/// A database with all migrations applied.
pub async fn db() -> TestDb {
    create(&format!("TEMPLATE {} STRATEGY FILE_COPY", variable(TEMPLATE))).await
}

/// A database with nothing in it: migration tests.
pub async fn empty_db() -> TestDb {
    create("TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'").await
}

#[expect(clippy::disallowed_methods, reason = "the runner speaks to tests through the environment")]
fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run the tests with `cargo nextest run` (make test)"))
}

#[expect(clippy::disallowed_methods, reason = "names of test databases have to differ, not to repeat")]
async fn create(clause: &str) -> TestDb {
    let (server, name) = (variable(SERVER_URL), format!("t_{}", uuid::Uuid::new_v4().simple()));
    let mut connection = PgConnection::connect(&server).await.expect("the test server answers");
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name} {clause}"))).execute(&mut connection).await.unwrap();
    let url = template::with_database(&server, &name);
    let sizes = Sizes { write: 12, read: 2, hot: 1 };
    TestDb { db: Db::connect(&url, sizes).unwrap(), url, name, server }
}

impl Drop for TestDb {
    /// On a thread of its own: a test's runtime cannot be waited for from inside of it.
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut connection = PgConnection::connect(&server).await?;
                sqlx::query(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).execute(&mut connection).await
            })
        });
        if let Ok(Err(error)) = dropped.join() {
            eprintln!("a test database stays behind: {error}");
        }
    }
}
