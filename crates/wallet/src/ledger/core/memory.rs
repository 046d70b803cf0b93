//! The database of the core's tests: the same reads and writes as `store/`, in memory.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::*;
use crate::ledger::command::{AccountId, Fingerprint, Kind};
use crate::ledger::rules::Rules;
use crate::ledger::verdict::{Receipt, Status, Verdict};

#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) accounts: HashMap<AccountId, Account>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) holds: HashMap<i64, Hold>,
    pub(crate) states: HashMap<i64, TargetState>,
    pub(crate) counters: HashMap<CounterKey, Counter>,
    pub(crate) subjects: HashMap<Uuid, Subject>,
    pub(crate) rules: Rules,
    pub(crate) fees: FeeAccounts,
}

impl Memory {
    /// Reads, folds and writes a batch as the writer does.
    pub(crate) fn commit(&mut self, groups: &[Group], now: DateTime<Utc>) -> Plan {
        let (plan, world) = self.fold(groups, now);
        self.write(&plan, &world);
        plan
    }

    /// The fold without the write: what a process does that dies before its commit.
    pub(crate) fn fold(&self, groups: &[Group], now: DateTime<Utc>) -> (Plan, World) {
        let (mut accounts, mut since) = (BTreeSet::new(), None);
        for _ in 0..50 {
            let mut world = self.load(groups, &accounts, since, now);
            let first = i64::try_from(self.operations.len()).unwrap() + 1;
            match fold(&mut world, groups, first) {
                Ok(plan) => return (plan, world),
                Err(Missing::Account(id)) => drop(accounts.insert(id)),
                Err(Missing::CountersSince(day)) => since = Some(since.map_or(day, |known: NaiveDate| known.min(day))),
            }
        }
        panic!("the fold keeps asking");
    }

    fn load(
        &self,
        groups: &[Group],
        more: &BTreeSet<AccountId>,
        since: Option<NaiveDate>,
        now: DateTime<Utc>,
    ) -> World {
        let orders = || groups.iter().flat_map(|group| &group.orders);
        let mut asked = more.clone();
        asked.extend(orders().flat_map(Order::accounts));
        let targets: HashMap<i64, TargetState> = orders()
            .filter_map(|order| order.task.target())
            .filter_map(|target| Some((target.row, *self.states.get(&target.row)?)))
            .collect();
        let mut known = HashMap::new();
        for (g, group) in groups.iter().enumerate() {
            for (o, order) in group.orders.iter().enumerate() {
                known.extend(self.known(order).map(|stored| ((g, o), stored)));
            }
        }
        let fresh = |account: &Account| Account { read: account.figures, ..account.clone() };
        World {
            now,
            accounts: asked.iter().filter_map(|id| Some((*id, fresh(self.accounts.get(id)?)))).collect(),
            asked,
            known,
            targets_read: targets.clone(),
            targets,
            counters_since: since,
            counters: self
                .counters
                .iter()
                .filter(|(key, _)| since.is_some_and(|day| key.1 >= day))
                .map(|(k, c)| (*k, *c))
                .collect(),
            subjects: self.subjects.clone(),
            rules: self.rules.clone(),
            fees: self.fees.clone(),
        }
    }

    pub(crate) fn known(&self, order: &Order) -> Option<Known> {
        let row = self.operations.iter().find(|row| row.initiator == order.initiator && row.key == order.key)?;
        let answer = match row.refusal {
            Some(refusal) => Answer::Refusal(refusal),
            None => Answer::Receipt(Box::new(self.receipt(row))),
        };
        Some(Known { id: row.id, fingerprint: row.fingerprint, answer })
    }

    fn receipt(&self, row: &Operation) -> Receipt {
        let shown = match row.linked {
            Some(target) if row.kind == Kind::Settlement => {
                self.operations.iter().find(|row| row.row == target).unwrap_or(row)
            }
            _ => row,
        };
        let side = |id: AccountId, balance| crate::ledger::Side {
            account: id,
            user: self.accounts[&id].user,
            code: None,
            balance,
        };
        Receipt {
            id: shown.id,
            kind: shown.kind,
            status: self
                .states
                .get(&shown.row)
                .map_or(shown.status, |state| if shown.row == row.row { shown.status } else { state.status }),
            from: side(shown.from, shown.from_balance),
            to: side(shown.to, shown.to_balance),
            amount: shown.amount,
            fee: shown.fee,
            tax: shown.tax,
            note: None,
            created_at: shown.at,
            settled_at: shown.settled_at,
            refunded: 0,
        }
    }

    fn write(&mut self, plan: &Plan, world: &World) {
        for id in &plan.accounts {
            let (stored, new) = (self.accounts.get_mut(id).unwrap(), &world.accounts[id]);
            assert_eq!(stored.figures, new.read, "the fence");
            stored.figures = new.figures;
        }
        for (row, _, _, hold) in &plan.holds {
            self.holds.insert(*row, *hold);
        }
        for row in &plan.operations {
            if row.refusal.is_none() && row.kind != Kind::Settlement {
                let status = if row.deferred { Status::Pending } else { Status::Succeeded };
                let state = TargetState { status, refunded: 0, hold: self.holds.get(&row.row).copied(), settled: None };
                self.states.insert(row.row, state);
            }
        }
        for row in &plan.targets {
            self.states.insert(*row, world.targets[row]);
        }
        for key in &plan.counters {
            self.counters.insert(*key, world.counters[key]);
        }
        for (subject, _) in &plan.used {
            assert!(self.subjects.insert(*subject, Subject::Used).is_none(), "used twice");
        }
        self.operations.extend(plan.operations.iter().cloned());
        self.entries.extend(&plan.entries);
    }

    /// An operation as a command names it.
    pub(crate) fn target(&self, row: &Operation) -> Target {
        Target {
            row: row.row,
            id: row.id,
            kind: row.kind,
            from: row.from,
            to: row.to,
            amount: row.amount,
            fee: row.fee,
            tax: row.tax,
            fee_account: row.fee_account,
            tax_account: row.tax_account,
            deferred: row.deferred,
            note: None,
            created_at: row.at,
        }
    }

    /// What has to hold after every commit.
    pub(crate) fn check(&self) {
        assert_eq!(self.accounts.values().map(|account| account.figures.balance()).sum::<i64>(), 0, "conservation");
        assert_eq!(self.entries.iter().map(|entry| entry.amount).sum::<i64>(), 0, "entries cancel");
        let mut keys = BTreeSet::new();
        for row in &self.operations {
            assert!(keys.insert((row.initiator, row.key.as_str())), "a key twice");
        }
        for (id, account) in &self.accounts {
            assert!(account.floor.is_none_or(|floor| account.figures.available() >= floor), "floor of {id}");
            let mut own: Vec<&Entry> = self.entries.iter().filter(|entry| entry.account == *id).collect();
            own.sort_by_key(|entry| entry.version);
            let mut balance = 0;
            for (version, entry) in (1..).zip(&own) {
                balance += entry.amount;
                assert_eq!((entry.version, entry.balance), (version, balance), "entries of {id}");
            }
            assert!(own.windows(2).all(|pair| pair[0].at <= pair[1].at), "time of {id}");
            assert_eq!(
                (account.figures.balance(), account.figures.version),
                (balance, own.len() as i64),
                "account {id}"
            );
        }
        let held: i64 =
            self.states.values().filter_map(|state| state.hold).map(|hold| hold.left() + hold.fee_left()).sum();
        assert_eq!(self.accounts.values().map(|account| account.figures.held).sum::<i64>(), held, "holds");
        let expected: i64 = self.states.values().filter_map(|state| state.hold).map(Hold::left).sum();
        assert_eq!(self.accounts.values().map(|account| account.figures.expected).sum::<i64>(), expected, "expected");
        for row in self.operations.iter().filter(|row| row.refusal.is_none()) {
            let back = |of: &&Operation| {
                of.linked == Some(row.row) && of.refusal.is_none() && matches!(of.kind, Kind::Refund | Kind::Reversal)
            };
            let given: i64 = self.operations.iter().filter(back).map(|of| of.amount).sum();
            let state = self.states.get(&row.row).map_or(0, |state| state.refunded);
            assert!(given == state && given <= row.amount, "refunds of {}", row.row);
        }
    }
}

/// A fingerprint from a number.
pub(crate) fn print(number: u64) -> Fingerprint {
    Fingerprint::of(&[&number.to_be_bytes()])
}

/// What a verdict says, without its figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Done { replayed: bool },
    Refused(crate::ledger::Refusal, bool),
    NotAuthorised,
    KeyReused,
    Error,
}

pub(crate) fn said<E>(verdict: &Result<Verdict, E>) -> Said {
    match verdict {
        Ok(Verdict::Done { replayed, .. }) => Said::Done { replayed: *replayed },
        Ok(Verdict::Refused { reason, replayed, .. }) => Said::Refused(*reason, *replayed),
        Ok(Verdict::NotAuthorised(_)) => Said::NotAuthorised,
        Ok(Verdict::KeyReused) => Said::KeyReused,
        Err(_) => Said::Error,
    }
}
