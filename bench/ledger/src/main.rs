//! `ledger-load URL PEOPLE CLIENTS SECONDS`: that many clients at once pay between people 1..PEOPLE, each one payment after
//! the other, in the process of the ledger. Prints one line of JSON.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use kernel::db::Sizes;
use kernel::{Clock, Db, Francs, Random};
use wallet::ledger::{Action, Command, Fingerprint, Kind, Ledger, LedgerConfig, Movement, Party, Tariff, Verdict};

/// What one client saw.
#[derive(Default)]
struct Seen {
    done: u64,
    refused: u64,
    /// How long each took, in milliseconds.
    took: Vec<f64>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, people, clients, seconds] = arguments.as_slice() else { bail!("ledger-load URL PEOPLE CLIENTS SECONDS") };
    let (people, clients): (u32, u32) = (people.parse()?, clients.parse()?);
    ensure!(people >= 2 && clients >= 1, "at least two people and one client are needed");
    let length = Duration::from_secs(seconds.parse()?);
    let random = Random::system();
    let db = Db::connect(url, Sizes::default())?;
    let ledger = Ledger::start(&db, &Clock::system(), &random, LedgerConfig::default());
    let run = hex::encode(random.bytes::<8>());
    let started = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            tokio::spawn(pay(ledger.clone(), random.clone(), people, format!("{run}-{client}"), started + length))
        })
        .collect();
    let mut all = Seen::default();
    for task in tasks {
        let seen = task.await?.context("a client broke off")?;
        all.done += seen.done;
        all.refused += seen.refused;
        all.took.extend(seen.took);
    }
    report(all, started.elapsed())
}

/// One payment after the other until the time is over.
async fn pay(ledger: Ledger, random: Random, people: u32, run: String, until: Instant) -> anyhow::Result<Seen> {
    let amount = Francs::new(1).context("one franc is an amount")?;
    let mut seen = Seen::default();
    for number in 0_u64.. {
        if Instant::now() >= until {
            break;
        }
        let payer = random.below(people);
        let payee = (payer + 1 + random.below(people - 1)) % people;
        let (from, to) = (person(payer)?, person(payee)?);
        let movement =
            Movement { kind: Kind::Transfer, from: from.clone(), to, amount, tariff: Tariff::Schedule(None) };
        let key = format!("{run}-{number}");
        let fingerprint = Fingerprint::of(&[&payer.to_be_bytes(), &payee.to_be_bytes()]);
        let asked = Instant::now();
        match ledger.post(Command::new(from, key, fingerprint, Action::Move(movement))).await? {
            Verdict::Done { .. } => seen.done += 1,
            _ => seen.refused += 1,
        }
        seen.took.push(asked.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(seen)
}

/// Rows are counted from 1.
fn person(index: u32) -> anyhow::Result<Party> {
    Ok(Party::User(i32::try_from(index)? + 1))
}

#[expect(clippy::print_stdout, reason = "its one line is what it is for")]
fn report(mut seen: Seen, elapsed: Duration) -> anyhow::Result<()> {
    seen.took.sort_by(f64::total_cmp);
    let at = |percent: usize| seen.took.get(seen.took.len() * percent / 100).copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a count of payments of a few seconds")]
    let rate = seen.done as f64 / elapsed.as_secs_f64();
    let line = serde_json::json!({"n": seen.done, "rate": rate, "p50": at(50), "p99": at(99), "bad": seen.refused, "io_err": 0});
    println!("{line}");
    Ok(())
}
