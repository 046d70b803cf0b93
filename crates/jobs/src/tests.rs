use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use kernel::{Clock, Random, new_id};
use serde_json::json;

use super::*;

const POLICY: Policy = Policy { max_tries: 3, lease: Duration::from_secs(5) };

fn job(clock: &Clock) -> NewJob {
    let id = new_id(clock, &Random::system());
    NewJob {
        id,
        kind: "test.say",
        payload: json!({"word": "bonjour"}),
        secret: Some(vec![7]),
        run_at: clock.now(),
        expires_at: None,
    }
}

async fn state(pool: &sqlx::PgPool, id: Uuid) -> (String, Option<Vec<u8>>) {
    sqlx::query_as("SELECT etat, secret FROM travail WHERE id = $1").bind(id).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn a_job_lives_and_dies_with_its_transaction() {
    let (test, clock) = (testkit::db().await, Clock::movable());
    let pool = &test.db.write;
    let (kept, lost) = (job(&clock), job(&clock));
    let mut transaction = pool.begin().await.unwrap();
    enqueue(&mut transaction, &kept).await.unwrap();
    transaction.commit().await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    enqueue(&mut transaction, &lost).await.unwrap();
    transaction.rollback().await.unwrap();

    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = seen.clone();
    let worker = Worker::new(pool.clone(), clock).handle("test.say", POLICY, move |job| {
        notes.lock().unwrap().push((job.id, job.payload["word"].clone(), job.secret));
        async { Outcome::Done }
    });
    worker.round().await;
    assert_eq!(*seen.lock().unwrap(), [(kept.id, json!("bonjour"), Some(vec![7]))]);
    assert_eq!(state(pool, kept.id).await, ("fait".into(), None), "the secret is gone");
}

#[tokio::test]
async fn failures_are_tried_again_later_and_end() {
    let (test, clock) = (testkit::db().await, Clock::movable());
    let pool = &test.db.write;
    let failing = job(&clock);
    enqueue(&mut pool.acquire().await.unwrap(), &failing).await.unwrap();
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    let worker = Worker::new(pool.clone(), clock.clone()).handle("test.say", POLICY, move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Outcome::Retry("not today".into()) }
    });
    worker.round().await;
    worker.round().await;
    assert_eq!(tries.load(Ordering::SeqCst), 1, "the second round came before the back-off");
    for _ in 0..5 {
        clock.shift(TimeDelta::seconds(60));
        worker.round().await;
    }
    assert_eq!(tries.load(Ordering::SeqCst), 3);
    assert_eq!(state(pool, failing.id).await, ("abandonne".into(), None));
}

#[tokio::test]
async fn two_workers_never_do_one_job_at_once_and_a_lost_lease_is_taken_over() {
    let (test, clock) = (testkit::db().await, Clock::movable());
    let pool = &test.db.write;
    for _ in 0..20 {
        enqueue(&mut pool.acquire().await.unwrap(), &job(&clock)).await.unwrap();
    }
    let runs = Arc::new(AtomicUsize::new(0));
    let worker = || {
        let counted = runs.clone();
        Worker::new(pool.clone(), clock.clone()).handle("test.say", POLICY, move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Outcome::Done }
        })
    };
    let (a, b) = (worker(), worker());
    for _ in 0..4 {
        futures_util::join!(a.round(), b.round());
    }
    assert_eq!(runs.load(Ordering::SeqCst), 20);

    // A worker that took a job and died.
    let orphan = job(&clock);
    enqueue(&mut pool.acquire().await.unwrap(), &orphan).await.unwrap();
    let taken = store::take(&mut pool.acquire().await.unwrap(), "test.say", clock.now(), TimeDelta::seconds(5), 8)
        .await
        .unwrap();
    assert_eq!(taken.len(), 1);
    a.round().await;
    assert_eq!(runs.load(Ordering::SeqCst), 20, "under lease");
    clock.shift(TimeDelta::seconds(6));
    a.round().await;
    assert_eq!(runs.load(Ordering::SeqCst), 21);
}

#[tokio::test]
async fn what_came_too_late_is_not_done() {
    let (test, clock) = (testkit::db().await, Clock::movable());
    let pool = &test.db.write;
    let late = NewJob { expires_at: Some(clock.now() + TimeDelta::minutes(5)), ..job(&clock) };
    enqueue(&mut pool.acquire().await.unwrap(), &late).await.unwrap();
    clock.shift(TimeDelta::minutes(6));
    let worker = Worker::new(pool.clone(), clock).handle("test.say", POLICY, |_| async { Outcome::Done });
    worker.round().await;
    assert_eq!(state(pool, late.id).await.0, "abandonne");
}
