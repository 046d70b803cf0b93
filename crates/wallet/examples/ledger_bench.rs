//! How many payments a second the ledger takes in process, without HTTP.
//!
//! ```text
//! createdb bench && for each migration: psql bench -f …
//! cargo run --release -p wallet --example ledger_bench -- postgres://…/bench [accounts=100000] [clients=64] [seconds=10]
//! ```
//!
//! The database has to be migrated and is filled with accounts of a tier without limits. Spread and hot payments are
//! measured in turn, three times; then the books are checked.

#![expect(clippy::print_stdout, reason = "a bench speaks to its user")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use kernel::db::Sizes;
use kernel::{Clock, Db, Francs, Random, new_id};
use wallet::ledger::{
    Action, Command, Fingerprint, Kind, Ledger, LedgerConfig, Movement, Party, Tariff, Together, Verdict, audit,
};

struct Setting {
    accounts: u32,
    clients: usize,
    seconds: u64,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let url = arguments.first().context("the URL of a migrated database")?;
    let number = |name: &str, default: u64| -> anyhow::Result<u64> {
        let given = arguments.iter().find_map(|argument| argument.strip_prefix(&format!("{name}=")));
        Ok(given.map(str::parse).transpose()?.unwrap_or(default))
    };
    let setting = Setting {
        accounts: u32::try_from(number("accounts", 100_000)?)?.max(2),
        clients: usize::try_from(number("clients", 64)?)?.clamp(1, 4096),
        seconds: number("seconds", 10)?.clamp(1, 3600),
    };
    let db = Db::connect(url, Sizes::default())?;
    let (clock, random) = (Clock::system(), Random::system());
    let ledger = Ledger::start(&db, &clock, &random, LedgerConfig::default());
    let first = fill(&db, &ledger, &setting).await?;
    for turn in 1..=3 {
        for hot in [false, true] {
            let before = wal(&db).await?;
            let (done, p50, p99) = measure(&ledger, &setting, first, hot).await?;
            let bytes = (wal(&db).await? - before) / i64::try_from(done.max(1))?;
            let rate = done / setting.seconds;
            let name = if hot { "one merchant" } else { "spread" };
            println!("turn {turn} {name:12} {rate:>7}/s  p50 {p50:.1} ms  p99 {p99:.1} ms  WAL {bytes} B a payment");
        }
    }
    println!("idle, one client: p50 {:.2} ms", idle(&ledger, &setting, first).await?);
    let report = audit::audit(&db, &clock).await?;
    println!(
        "{} operations, {} entries, {} batches: {}",
        report.operations,
        report.entries,
        report.batches,
        if report.clean() { "books right" } else { "BOOKS WRONG" }
    );
    if !report.clean() {
        bail!("{:#?}", report.findings);
    }
    Ok(())
}

/// Users with accounts and money, once; gives the first user's number.
async fn fill(db: &Db, ledger: &Ledger, setting: &Setting) -> anyhow::Result<i32> {
    let known: i64 =
        sqlx::query_scalar("SELECT count(*) FROM utilisateur WHERE nom = 'banc'").fetch_one(&db.write).await?;
    if known < i64::from(setting.accounts) {
        sqlx::query("INSERT INTO utilisateur (nom, palier) SELECT 'banc', 2 FROM generate_series(1, $1)")
            .bind(i32::try_from(setting.accounts)? - i32::try_from(known)?)
            .execute(&db.write)
            .await?;
        sqlx::raw_sql("ANALYZE utilisateur").execute(&db.write).await?;
    }
    let first: i32 =
        sqlx::query_scalar("SELECT min(id_user) FROM utilisateur WHERE nom = 'banc'").fetch_one(&db.write).await?;
    let users: Vec<i32> = (first..first + i32::try_from(setting.accounts)?).collect();
    for some in users.chunks(1000) {
        let openings = some.iter().map(|user| {
            let ouverture = Party::system("ouverture");
            let movement = Movement {
                kind: Kind::Opening,
                from: ouverture.clone(),
                to: Party::User(*user),
                amount: Francs::new(1_000_000_000)?,
                tariff: Tariff::Free,
            };
            Some(Command::new(ouverture, format!("banc:{user}"), Fingerprint::of(&[]), Action::Move(movement)))
        });
        let openings: Option<Vec<Command>> = openings.collect();
        for verdict in ledger.post_many(openings.context("an amount")?, Together::Each).await? {
            verdict?;
        }
    }
    sqlx::raw_sql("ANALYZE compte; ANALYZE transaction; CHECKPOINT").execute(&db.write).await?;
    Ok(first)
}

async fn wal(db: &Db) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").fetch_one(&db.write).await?)
}

fn payment(random: &Random, clock: &Clock, setting: &Setting, first: i32, hot: bool) -> Option<Command> {
    let any = || first + i32::try_from(random.below(setting.accounts)).unwrap_or(0);
    let to = if hot { first } else { any() };
    let mut from = any();
    while from == to {
        from = any();
    }
    let amount = i64::from(random.below(1000)) + 1;
    let movement = Movement {
        kind: Kind::QrPayment,
        from: Party::User(from),
        to: Party::User(to),
        amount: Francs::new(amount)?,
        tariff: Tariff::Schedule(None),
    };
    let fingerprint = Fingerprint::of(&[&to.to_be_bytes(), &amount.to_be_bytes()]);
    Some(Command::new(Party::User(from), new_id(clock, random).to_string(), fingerprint, Action::Move(movement)))
}

async fn measure(ledger: &Ledger, setting: &Setting, first: i32, hot: bool) -> anyhow::Result<(u64, f64, f64)> {
    let running = Arc::new(AtomicBool::new(true));
    let failed = Arc::new(AtomicU64::new(0));
    let mut clients = Vec::new();
    for client in 0..setting.clients {
        let (ledger, running, failed) = (ledger.clone(), running.clone(), failed.clone());
        let setting = Setting { ..*setting };
        clients.push(tokio::spawn(async move {
            let (clock, random) =
                (Clock::system(), Random::seeded(client as u64 ^ u64::from(std::process::id()) << 20));
            let mut times = Vec::new();
            while running.load(Ordering::Relaxed) {
                let Some(command) = payment(&random, &clock, &setting, first, hot) else { continue };
                let started = Instant::now();
                match ledger.post(command).await {
                    Ok(Verdict::Done { .. }) => times.push(started.elapsed()),
                    _ => {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
            times
        }));
    }
    tokio::time::sleep(Duration::from_secs(setting.seconds)).await;
    running.store(false, Ordering::Relaxed);
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await?);
    }
    if failed.load(Ordering::Relaxed) > 0 {
        bail!("{} payments failed", failed.load(Ordering::Relaxed));
    }
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).map_or(0.0, |time| time.as_secs_f64() * 1000.0);
    Ok((times.len() as u64, at(50), at(99)))
}

async fn idle(ledger: &Ledger, setting: &Setting, first: i32) -> anyhow::Result<f64> {
    let alone = Setting { clients: 1, seconds: 2, ..*setting };
    Ok(measure(ledger, &alone, first, false).await?.1)
}
