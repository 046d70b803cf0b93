//! The fold over a batch: key first, then confirmation, then the decision; undo of linked groups.

use std::collections::HashMap;

use super::state::*;
use crate::ledger::command::{AccountId, Authorisation, Effect, Fingerprint, Kind};
use crate::ledger::verdict::{LedgerError, Receipt, Refusal, Status, Verdict};
use uuid::Uuid;

/// Why an order is not done.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    Refused(Refusal),
    Missing(Missing),
    Error(LedgerError),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Stop::Refused(refusal)
    }
}

pub(super) struct Fold<'w> {
    pub(super) world: &'w mut World,
    pub(super) plan: Plan,
    first_row: i64,
    seen: HashMap<(AccountId, String), (Fingerprint, Verdict)>,
    /// Kept only while a linked group is decided.
    journal: Option<Journal>,
}

/// What a linked group changed, in order, with the values before.
#[derive(Default)]
struct Journal {
    undo: Vec<Undo>,
    operations: usize,
    entries: usize,
    holds: usize,
    used: usize,
    keys: Vec<(AccountId, String)>,
}

pub(super) enum Undo {
    Account(AccountId, Figures),
    Target(i64, TargetState),
    Counter(CounterKey, Option<Counter>),
    Subject(Uuid),
}

/// Decides a batch. `first_row` is the id of the first operation; the following ones count up from it.
pub(crate) fn fold(world: &mut World, groups: &[Group], first_row: i64) -> Result<Plan, Missing> {
    let mut fold = Fold { world, plan: Plan::default(), first_row, seen: HashMap::new(), journal: None };
    for (position, group) in groups.iter().enumerate() {
        let verdicts = if group.linked && group.orders.len() > 1 {
            fold.linked(position, group)?
        } else {
            let decided = group.orders.iter().enumerate().map(|(index, order)| fold.single((position, index), order));
            decided.collect::<Result<_, _>>()?
        };
        fold.plan.verdicts.push(verdicts);
    }
    Ok(fold.plan)
}

type Verdicts = Vec<Result<Verdict, LedgerError>>;

impl Fold<'_> {
    fn single(&mut self, place: (usize, usize), order: &Order) -> Result<Result<Verdict, LedgerError>, Missing> {
        if let Some(verdict) = self.before_deciding(place, order) {
            return Ok(Ok(verdict));
        }
        match self.decide(order) {
            Ok(receipt) => Ok(Ok(self.remember(order, Verdict::Done { receipt, replayed: false }))),
            Err(Stop::Refused(reason)) => Ok(Ok(self.refuse(order, reason))),
            Err(Stop::Error(error)) => Ok(Err(error)),
            Err(Stop::Missing(missing)) => Err(missing),
        }
    }

    /// All or nothing: at the first refusal everything is undone, and all are refused.
    fn linked(&mut self, position: usize, group: &Group) -> Result<Verdicts, Missing> {
        let known: Vec<Option<Verdict>> =
            (0..).zip(&group.orders).map(|(i, order)| self.before_deciding((position, i), order)).collect();
        if known.iter().any(Option::is_some) {
            // The group was decided before, or may not be decided: what is new in it came under a used key.
            let unconfirmed =
                known.iter().flatten().find(|verdict| matches!(verdict, Verdict::NotAuthorised(_))).cloned();
            let other = unconfirmed.unwrap_or(Verdict::KeyReused);
            return Ok(known.into_iter().map(|verdict| Ok(verdict.unwrap_or_else(|| other.clone()))).collect());
        }
        self.journal = Some(Journal {
            operations: self.plan.operations.len(),
            entries: self.plan.entries.len(),
            holds: self.plan.holds.len(),
            used: self.plan.used.len(),
            ..Journal::default()
        });
        let mut verdicts = Vec::with_capacity(group.orders.len());
        let mut stopped = None;
        for (index, order) in group.orders.iter().enumerate() {
            if let Some(verdict) = self.seen_here(order) {
                verdicts.push(Ok(verdict));
                continue;
            }
            match self.decide(order) {
                Ok(receipt) => verdicts.push(Ok(self.remember(order, Verdict::Done { receipt, replayed: false }))),
                Err(stop) => {
                    stopped = Some((index, stop));
                    break;
                }
            }
        }
        let journal = self.journal.take().unwrap_or_default();
        match stopped {
            None => Ok(verdicts),
            Some((_, Stop::Missing(missing))) => Err(missing),
            Some((_, Stop::Error(error))) => {
                self.roll_back(journal);
                Ok(group.orders.iter().map(|_| Err(error.clone())).collect())
            }
            Some((culprit, Stop::Refused(reason))) => {
                self.roll_back(journal);
                Ok(self.refuse_all(group, culprit, reason))
            }
        }
    }

    fn refuse_all(&mut self, group: &Group, culprit: usize, reason: Refusal) -> Verdicts {
        let mut verdicts = Vec::with_capacity(group.orders.len());
        for (index, order) in group.orders.iter().enumerate() {
            let reason = if index == culprit { reason } else { Refusal::Linked };
            let verdict = self.seen_here(order).unwrap_or_else(|| self.refuse(order, reason));
            verdicts.push(Ok(verdict));
        }
        verdicts
    }

    /// The key comes first, then the confirmation.
    fn before_deciding(&self, place: (usize, usize), order: &Order) -> Option<Verdict> {
        if let Some(known) = self.world.known.get(&place) {
            return Some(known.verdict(order.fingerprint, order.id));
        }
        if let Some(verdict) = self.seen_here(order) {
            return Some(verdict);
        }
        match order.authorised {
            Authorisation::Confirmed => None,
            Authorisation::PinRequired(missing) => Some(Verdict::NotAuthorised(missing)),
        }
    }

    /// The key was used earlier in this batch.
    fn seen_here(&self, order: &Order) -> Option<Verdict> {
        let (fingerprint, verdict) = self.seen.get(&(order.initiator, order.key.clone()))?;
        Some(if *fingerprint == order.fingerprint { replay(verdict) } else { Verdict::KeyReused })
    }

    fn remember(&mut self, order: &Order, verdict: Verdict) -> Verdict {
        let key = (order.initiator, order.key.clone());
        if let Some(journal) = &mut self.journal {
            journal.keys.push(key.clone());
        }
        self.seen.insert(key, (order.fingerprint, verdict.clone()));
        verdict
    }

    /// A refusal is an operation too: it is kept, and stays one.
    fn refuse(&mut self, order: &Order, reason: Refusal) -> Verdict {
        let mut row = self.row(order);
        (row.status, row.refusal) = (Status::Refused, Some(reason));
        self.plan.operations.push(row);
        self.remember(order, Verdict::Refused { id: order.id, reason, replayed: false })
    }

    fn decide(&mut self, order: &Order) -> Result<Receipt, Stop> {
        for account in order.accounts() {
            self.known_account(account)?;
        }
        self.check_effects(order)?;
        let receipt = match &order.task {
            Task::Move(legs) => self.transfer(order, legs)?,
            Task::Open { legs, expires_at } => self.open(order, legs, *expires_at)?,
            Task::Settle { target, amount, last } => self.settle(order, target, *amount, *last)?,
            Task::Cancel { target, outcome } => self.cancel(order, target, *outcome)?,
            Task::Refund { target, amount } => self.give_back(order, target, Kind::Refund, *amount)?,
            Task::Reverse { target } => self.give_back(order, target, Kind::Reversal, None)?,
        };
        self.apply_effects(order);
        Ok(receipt)
    }

    /// An account that was not asked for is asked for; one that was and is not there does not exist.
    pub(super) fn known_account(&self, id: AccountId) -> Result<(), Stop> {
        if self.world.accounts.contains_key(&id) {
            Ok(())
        } else if self.world.asked.contains(&id) {
            Err(Stop::Error(LedgerError::UnknownParty))
        } else {
            Err(Stop::Missing(Missing::Account(id)))
        }
    }

    fn check_effects(&self, order: &Order) -> Result<(), Stop> {
        for effect in &order.effects {
            match effect {
                Effect::Before { deadline, late } if self.world.now >= *deadline => return Err(Stop::Refused(*late)),
                Effect::Before { .. } => {}
                Effect::UseOnce { subject, used, closed } => match self.world.subjects.get(subject) {
                    Some(Subject::Used) => return Err(Stop::Refused(*used)),
                    Some(Subject::Closed) => return Err(Stop::Refused(*closed)),
                    None => {}
                },
            }
        }
        Ok(())
    }

    /// The operation's row is the last one by now.
    fn apply_effects(&mut self, order: &Order) {
        let row = self.next_row() - 1;
        for effect in &order.effects {
            if let Effect::UseOnce { subject, .. } = effect {
                self.log(Undo::Subject(*subject));
                self.world.subjects.insert(*subject, Subject::Used);
                self.plan.used.push((*subject, row));
            }
        }
    }

    pub(super) fn log(&mut self, undo: Undo) {
        if let Some(journal) = &mut self.journal {
            journal.undo.push(undo);
        }
    }

    fn roll_back(&mut self, journal: Journal) {
        for undo in journal.undo.into_iter().rev() {
            match undo {
                Undo::Account(id, figures) => {
                    if let Some(account) = self.world.accounts.get_mut(&id) {
                        account.figures = figures;
                    }
                }
                Undo::Target(row, state) => {
                    self.world.targets.insert(row, state);
                }
                Undo::Counter(key, Some(counter)) => {
                    self.world.counters.insert(key, counter);
                }
                Undo::Counter(key, None) => {
                    self.world.counters.remove(&key);
                    self.plan.counters.remove(&key);
                }
                Undo::Subject(subject) => {
                    self.world.subjects.remove(&subject);
                }
            }
        }
        for key in journal.keys {
            self.seen.remove(&key);
        }
        self.plan.operations.truncate(journal.operations);
        self.plan.entries.truncate(journal.entries);
        self.plan.holds.truncate(journal.holds);
        self.plan.used.truncate(journal.used);
    }

    pub(super) fn next_row(&self) -> i64 {
        self.first_row + i64::try_from(self.plan.operations.len()).unwrap_or(i64::MAX / 2)
    }

    /// The row that an order will leave, before it is known how it ends.
    pub(super) fn row(&self, order: &Order) -> Operation {
        let (from, to) = order.task.sides();
        let (kind, amount) = match &order.task {
            Task::Move(legs) | Task::Open { legs, .. } => (legs.kind, legs.amount),
            Task::Settle { amount, .. } => (Kind::Settlement, amount.unwrap_or(0)),
            Task::Cancel { .. } => (Kind::Settlement, 0),
            Task::Refund { target, amount } => (Kind::Refund, amount.unwrap_or(target.amount)),
            Task::Reverse { target } => (Kind::Reversal, target.amount),
        };
        Operation {
            row: self.next_row(),
            id: order.id,
            kind,
            status: Status::Succeeded,
            initiator: order.initiator,
            key: order.key.clone(),
            fingerprint: order.fingerprint,
            from,
            to,
            amount,
            fee: 0,
            tax: 0,
            fee_account: None,
            tax_account: None,
            refusal: None,
            linked: order.task.target().map(|target| target.row),
            from_balance: None,
            to_balance: None,
            deferred: false,
            at: self.world.now,
            settled_at: None,
            note: order.note.clone(),
        }
    }
}

fn replay(verdict: &Verdict) -> Verdict {
    match verdict.clone() {
        Verdict::Done { receipt, .. } => Verdict::Done { receipt, replayed: true },
        Verdict::Refused { id, reason, .. } => Verdict::Refused { id, reason, replayed: true },
        other => other,
    }
}
