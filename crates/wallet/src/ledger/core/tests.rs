//! The fold against the naive model, on commands of every kind with few accounts, few keys and small amounts, so that
//! everything meets everything.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use super::memory::{Memory, print, said};
use super::naive::{FEES, Naive, Person, TAX};
use super::*;
use crate::ledger::command::{AccountId, Authorisation, Effect, Kind, Outcome, Tariff, Unconfirmed};
use crate::ledger::rules::{Bracket, Limit, Measure, Rules, Schedule, Window};
use crate::ledger::verdict::Refusal;

/// A command before it is known what its target is.
#[derive(Clone, Debug)]
struct Wish {
    initiator: AccountId,
    key: u8,
    print: u8,
    confirmed: bool,
    subject: Option<u8>,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Move(Kind, AccountId, AccountId, i64),
    Open(Kind, AccountId, AccountId, i64),
    Settle(prop::sample::Index, Option<i64>, bool),
    Cancel(prop::sample::Index),
    Refund(prop::sample::Index, Option<i64>),
    Reverse(prop::sample::Index),
}

const SYSTEM: AccountId = 10;

fn people() -> HashMap<AccountId, Person> {
    let user = |tier| Person { tier: Some(tier), frozen: false, floor: Some(0) };
    let system = Person { tier: None, frozen: false, floor: None };
    HashMap::from([
        (1, user(0)),
        (2, user(1)),
        (3, user(2)),
        (4, Person { floor: Some(-100), ..user(2) }),
        (5, Person { frozen: true, ..user(2) }),
        (SYSTEM, system),
        (FEES, system),
        (TAX, system),
    ])
}

fn rules() -> Rules {
    let limit = |tier, measure, maximum| Limit { tier, measure, maximum, since: DateTime::<Utc>::MIN_UTC };
    Rules {
        limits: vec![
            limit(0, Measure::Balance, 500),
            limit(0, Measure::Sum(Kind::Deposit, Window::Month), 400),
            limit(1, Measure::Operation(Kind::Transfer), 100),
            limit(1, Measure::Count(Kind::Transfer, Window::Week), 3),
            limit(1, Measure::Sum(Kind::Withdrawal, Window::Week), 250),
            limit(2, Measure::Count(Kind::Deposit, Window::Week), 2),
        ],
        schedules: vec![Schedule {
            kind: Kind::QrPayment,
            provider: String::new(),
            minimum: 1,
            maximum: Some(9),
            tax_bp: 1800,
            brackets: vec![Bracket { from: 0, fixed: 3, rate_bp: 0 }, Bracket { from: 100, fixed: 0, rate_bp: 500 }],
        }],
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Transfer), Just(Kind::QrPayment), Just(Kind::Deposit), Just(Kind::Withdrawal)]
}

fn account() -> impl Strategy<Value = AccountId> {
    prop_oneof![8 => 1..=4_i64, 1 => Just(5_i64), 3 => Just(SYSTEM)]
}

fn what() -> impl Strategy<Value = What> {
    let amount = || 1..=300_i64;
    let target = any::<prop::sample::Index>;
    prop_oneof![
        6 => (kind(), account(), account(), amount()).prop_map(|(k, f, t, a)| What::Move(k, f, t, a)),
        3 => (kind(), account(), account(), amount()).prop_map(|(k, f, t, a)| What::Open(k, f, t, a)),
        3 => (target(), prop::option::of(amount()), any::<bool>()).prop_map(|(t, a, l)| What::Settle(t, a, l)),
        2 => target().prop_map(What::Cancel),
        3 => (target(), prop::option::of(amount())).prop_map(|(t, a)| What::Refund(t, a)),
        1 => target().prop_map(What::Reverse),
    ]
}

fn wish() -> impl Strategy<Value = Wish> {
    (account(), any::<u8>(), 0..4_u8, prop::bool::weighted(0.9), prop::option::weighted(0.1, 0..6_u8), what()).prop_map(
        |(initiator, key, print, confirmed, subject, what)| Wish { initiator, key, print, confirmed, subject, what },
    )
}

/// Groups of a batch: their commands, whether they are linked; and hours since the last batch, at times negative.
fn batch() -> impl Strategy<Value = (Vec<(Vec<Wish>, bool)>, i64)> {
    let group = (prop::collection::vec(wish(), 1..4), prop::bool::weighted(0.3));
    (prop::collection::vec(group, 1..8), -5..20_i64)
}

impl Wish {
    fn order(&self, memory: &Memory, number: u128) -> Order {
        let named = |index: &prop::sample::Index, open: bool| {
            let fits =
                |row: &&Operation| row.refusal.is_none() && row.kind != Kind::Settlement && (row.deferred || !open);
            let rows: Vec<&Operation> = memory.operations.iter().filter(fits).collect();
            (!rows.is_empty()).then(|| memory.target(rows[index.index(rows.len())]))
        };
        let legs = |kind: &Kind, from: &i64, to: &i64, amount: &i64| Legs {
            kind: *kind,
            from: *from,
            to: *to,
            amount: *amount,
            tariff: Tariff::Schedule(None),
        };
        let fallback = || Task::Move(legs(&Kind::Transfer, &SYSTEM, &3, &7));
        let task = match &self.what {
            What::Move(kind, from, to, amount) => Task::Move(legs(kind, from, to, amount)),
            What::Open(kind, from, to, amount) => Task::Open { legs: legs(kind, from, to, amount), expires_at: None },
            What::Settle(index, amount, last) => {
                named(index, true).map_or_else(fallback, |target| Task::Settle { target, amount: *amount, last: *last })
            }
            What::Cancel(index) => {
                named(index, true).map_or_else(fallback, |target| Task::Cancel { target, outcome: Outcome::Failed })
            }
            What::Refund(index, amount) => {
                named(index, false).map_or_else(fallback, |target| Task::Refund { target, amount: *amount })
            }
            What::Reverse(index) => named(index, false).map_or_else(fallback, |target| Task::Reverse { target }),
        };
        let effect = |subject: u8| Effect::UseOnce {
            subject: Uuid::from_u128(subject.into()),
            used: Refusal::QrUsed,
            closed: Refusal::QrClosed,
        };
        Order {
            id: Uuid::from_u128(1000 + number),
            initiator: self.initiator,
            key: self.key.to_string(),
            fingerprint: print(self.print.into()),
            authorised: if self.confirmed {
                Authorisation::Confirmed
            } else {
                Authorisation::PinRequired(Unconfirmed::PinMissing)
            },
            note: None,
            effects: self.subject.map(effect).into_iter().collect(),
            task,
        }
    }
}

pub(crate) fn memory() -> Memory {
    let accounts = people().into_iter().map(|(id, person)| {
        let user = (id < SYSTEM).then_some(id as i32);
        (id, Account { user, tier: person.tier, frozen: person.frozen, floor: person.floor, ..Account::default() })
    });
    let kinds = [Kind::Transfer, Kind::QrPayment, Kind::Deposit, Kind::Withdrawal];
    let fees = FeeAccounts { by_kind: kinds.into_iter().map(|kind| (kind, FEES)).collect(), tax: TAX };
    Memory { accounts: accounts.collect(), rules: rules(), fees, ..Memory::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_fold_says_what_the_naive_model_says(batches in prop::collection::vec(batch(), 1..25)) {
        let mut memory = memory();
        let mut naive = Naive::new(people(), rules());
        let mut now = "2026-11-20T08:00:00Z".parse::<DateTime<Utc>>().unwrap();
        let mut number = 0;
        for (groups, hours) in batches {
            now += TimeDelta::hours(hours);
            let groups: Vec<Group> = groups
                .into_iter()
                .map(|(wishes, linked)| Group {
                    orders: wishes.iter().map(|wish| { number += 1; wish.order(&memory, number) }).collect(),
                    linked,
                })
                .collect();
            let expected: Vec<_> = groups.iter().map(|group| naive.group(group, now)).collect();
            let plan = memory.commit(&groups, now);
            let got: Vec<Vec<_>> = plan.verdicts.iter().map(|group| group.iter().map(said).collect()).collect();
            prop_assert_eq!(got, expected);
            memory.check();
            for id in people().keys().filter(|id| **id != FEES && **id != TAX) {
                prop_assert_eq!(memory.accounts[id].figures.balance(), naive.balance(*id), "account {}", id);
            }
        }
    }
}
