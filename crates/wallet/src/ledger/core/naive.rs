//! What the ledger should say, the slow way: a list of what happened, and sums over the whole list for every question.
//! It shares no line of deciding with the fold.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::memory::Said;
use super::*;
use crate::ledger::command::{AccountId, Authorisation, Effect, Fingerprint, Kind, Outcome, Tariff};
use crate::ledger::rules::{Measure, Rules};
use crate::ledger::verdict::Refusal;

/// Something that happened to money.
#[derive(Clone, Debug)]
struct Fact {
    id: Uuid,
    kind: Kind,
    from: AccountId,
    to: AccountId,
    amount: i64,
    fee: i64,
    at: DateTime<Utc>,
    /// For what was opened: captured, released, fee taken.
    open: Option<(i64, i64, bool)>,
    gives_back: Option<Uuid>,
}

impl Fact {
    fn moved(&self) -> i64 {
        self.open.map_or(self.amount, |(captured, _, _)| captured)
    }

    fn fee_paid(&self) -> i64 {
        if self.open.is_none_or(|(_, _, taken)| taken) { self.fee } else { 0 }
    }

    fn left(&self) -> i64 {
        self.open.map_or(0, |(captured, released, _)| self.amount - captured - released)
    }
}

/// What the model needs to know of an account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person {
    pub(crate) tier: Option<i16>,
    pub(crate) frozen: bool,
    pub(crate) floor: Option<i64>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Naive {
    people: HashMap<AccountId, Person>,
    rules: Rules,
    facts: Vec<Fact>,
    answers: HashMap<(AccountId, String), (Fingerprint, Said)>,
    used: HashSet<Uuid>,
    last: HashMap<AccountId, DateTime<Utc>>,
}

impl Naive {
    pub(crate) fn new(people: HashMap<AccountId, Person>, rules: Rules) -> Self {
        Self { people, rules, ..Self::default() }
    }

    pub(crate) fn group(&mut self, group: &Group, now: DateTime<Utc>) -> Vec<Said> {
        if !group.linked || group.orders.len() == 1 {
            return group.orders.iter().map(|order| self.one(order, now)).collect();
        }
        let first: Vec<Option<Said>> = group.orders.iter().map(|order| self.first(order)).collect();
        if first.iter().any(Option::is_some) {
            let rest = if first.contains(&Some(Said::NotAuthorised)) { Said::NotAuthorised } else { Said::KeyReused };
            return first.into_iter().map(|said| said.unwrap_or(rest)).collect();
        }
        let before = self.clone();
        let said: Vec<Said> = group.orders.iter().map(|order| self.one(order, now)).collect();
        let Some(culprit) = said.iter().position(|said| matches!(said, Said::Refused(_, false) | Said::Error)) else {
            return said;
        };
        *self = before;
        let Said::Refused(reason, _) = said[culprit] else { return vec![Said::Error; said.len()] };
        (0..)
            .zip(&group.orders)
            .map(|(i, order)| self.keep(order, if i == culprit { reason } else { Refusal::Linked }))
            .collect()
    }

    fn one(&mut self, order: &Order, now: DateTime<Utc>) -> Said {
        if let Some(said) = self.first(order) {
            return said;
        }
        match self.decide(order, now) {
            Ok(()) => {
                self.used.extend(order.effects.iter().filter_map(|effect| effect.subject()));
                self.answer(order, Said::Done { replayed: false })
            }
            Err(Some(reason)) => self.keep(order, reason),
            Err(None) => Said::Error,
        }
    }

    fn first(&self, order: &Order) -> Option<Said> {
        match self.answers.get(&(order.initiator, order.key.clone())) {
            Some((print, _)) if *print != order.fingerprint => Some(Said::KeyReused),
            Some((_, Said::Refused(reason, _))) => Some(Said::Refused(*reason, true)),
            Some(_) => Some(Said::Done { replayed: true }),
            None if matches!(order.authorised, Authorisation::PinRequired(_)) => Some(Said::NotAuthorised),
            None => None,
        }
    }

    fn keep(&mut self, order: &Order, reason: Refusal) -> Said {
        self.first(order).unwrap_or_else(|| self.answer(order, Said::Refused(reason, false)))
    }

    fn answer(&mut self, order: &Order, said: Said) -> Said {
        self.answers.insert((order.initiator, order.key.clone()), (order.fingerprint, said));
        said
    }

    pub(crate) fn balance(&self, account: AccountId) -> i64 {
        let sum = |fact: &Fact| {
            let gain = if fact.to == account { fact.moved() } else { 0 };
            gain - if fact.from == account { fact.moved() + fact.fee_paid() } else { 0 }
        };
        self.facts.iter().map(sum).sum()
    }

    fn held(&self, account: AccountId) -> i64 {
        let held = |fact: &&Fact| fact.from == account && fact.left() > 0;
        self.facts.iter().filter(held).map(|fact| fact.left() + fact.fee - fact.fee_paid()).sum()
    }

    fn expected(&self, account: AccountId) -> i64 {
        self.facts.iter().filter(|fact| fact.to == account).map(Fact::left).sum()
    }

    /// `Err(None)`: no verdict at all.
    fn decide(&mut self, order: &Order, now: DateTime<Utc>) -> Result<(), Option<Refusal>> {
        for effect in &order.effects {
            if let Effect::UseOnce { subject, used, .. } = effect
                && self.used.contains(subject)
            {
                return Err(Some(*used));
            }
        }
        match &order.task {
            Task::Move(legs) => {
                let at = self.at(legs, now);
                let fee = self.may_move(legs, at)?;
                self.happen(order, legs, fee, at, None);
            }
            Task::Open { legs, .. } => {
                let fee = self.may_move(legs, now)?;
                self.happen(order, legs, fee, now, Some((0, 0, false)));
            }
            Task::Settle { target, amount, last } => {
                let fact = self.fact(target.id).filter(|fact| fact.left() > 0).ok_or(Some(Refusal::NotPending))?;
                let (captured, released, _) = fact.open.ok_or(None)?;
                let amount = amount.unwrap_or(fact.left());
                if amount > fact.left() {
                    return Err(Some(Refusal::CaptureExceeds));
                }
                let rest = if *last { fact.left() - amount } else { 0 };
                fact.open = Some((captured + amount, released + rest, true));
                self.touch(target.from, target.to, now);
            }
            Task::Cancel { target, outcome } => {
                let fact = self.fact(target.id).filter(|fact| fact.left() > 0).ok_or(Some(Refusal::NotPending))?;
                if *outcome == Outcome::Expired {
                    return Err(None);
                }
                let (captured, released, taken) = fact.open.ok_or(None)?;
                fact.open = Some((captured, released + fact.left(), taken));
            }
            Task::Refund { target, amount } => self.give_back(order, target, Kind::Refund, *amount, now)?,
            Task::Reverse { target } => self.give_back(order, target, Kind::Reversal, None, now)?,
        }
        Ok(())
    }

    fn fact(&mut self, id: Uuid) -> Option<&mut Fact> {
        self.facts.iter_mut().find(|fact| fact.id == id)
    }

    fn at(&self, legs: &Legs, now: DateTime<Utc>) -> DateTime<Utc> {
        let fee = self.fee(legs) > 0;
        let accounts = [Some(legs.from), Some(legs.to), fee.then_some(FEES), fee.then_some(TAX)];
        accounts.iter().flatten().filter_map(|id| self.last.get(id)).fold(now, |at, last| at.max(*last))
    }

    fn touch(&mut self, from: AccountId, to: AccountId, now: DateTime<Utc>) {
        let at = [from, to, FEES, TAX].iter().filter_map(|id| self.last.get(id)).fold(now, |at, last| at.max(*last));
        self.last.extend([from, to].map(|id| (id, at)));
    }

    fn fee(&self, legs: &Legs) -> i64 {
        match legs.tariff {
            Tariff::Schedule(_) => self.rules.fee(legs.kind, None, legs.amount).total,
            Tariff::Free => 0,
        }
    }

    fn may_move(&self, legs: &Legs, at: DateTime<Utc>) -> Result<i64, Option<Refusal>> {
        let fee = self.fee(legs);
        self.may_deal(legs.from, legs.to)?;
        let limited = if legs.kind == Kind::Deposit { legs.to } else { legs.from };
        for limit in self.rules.limits.iter().filter(|limit| Some(limit.tier) == self.people[&limited].tier) {
            let within = |window: crate::ledger::Window, kind: Kind| {
                let side =
                    move |fact: &&Fact| if kind == Kind::Deposit { fact.to == limited } else { fact.from == limited };
                let same = move |fact: &&Fact| fact.kind == kind && window.start(fact.at) == window.start(at);
                self.facts.iter().filter(side).filter(same)
            };
            let (reached, refusal) = match limit.measure {
                Measure::Operation(kind) if kind == legs.kind => (legs.amount, Refusal::AmountLimit),
                Measure::Sum(kind, window) if kind == legs.kind => (
                    legs.amount + within(window, kind).map(|fact| fact.moved() + fact.left()).sum::<i64>(),
                    Refusal::PeriodLimit,
                ),
                Measure::Count(kind, window) if kind == legs.kind => (
                    1 + within(window, kind).filter(|fact| fact.moved() + fact.left() > 0).count() as i64,
                    Refusal::PeriodLimit,
                ),
                _ => continue,
            };
            if reached > limit.maximum {
                return Err(Some(refusal));
            }
        }
        self.may_afford(legs.from, legs.to, legs.amount, fee)?;
        Ok(fee)
    }

    fn may_deal(&self, from: AccountId, to: AccountId) -> Result<(), Option<Refusal>> {
        match () {
            () if from == to => Err(Some(Refusal::SameAccount)),
            () if self.people[&from].frozen => Err(Some(Refusal::PayerFrozen)),
            () if self.people[&to].frozen => Err(Some(Refusal::PayeeFrozen)),
            () => Ok(()),
        }
    }

    fn may_afford(&self, from: AccountId, to: AccountId, amount: i64, fee: i64) -> Result<(), Option<Refusal>> {
        if self.people[&from].floor.is_some_and(|floor| self.balance(from) - self.held(from) - amount - fee < floor) {
            return Err(Some(Refusal::InsufficientFunds));
        }
        let ceiling = self.people[&to].tier.and_then(|tier| self.rules.ceiling(tier));
        if ceiling.is_some_and(|ceiling| self.balance(to) + self.expected(to) + amount > ceiling) {
            return Err(Some(Refusal::BalanceCeiling));
        }
        Ok(())
    }

    fn happen(&mut self, order: &Order, legs: &Legs, fee: i64, at: DateTime<Utc>, open: Option<(i64, i64, bool)>) {
        if open.is_none() {
            self.last.extend([legs.from, legs.to].map(|id| (id, at)));
            if fee > 0 {
                self.last.extend([FEES, TAX].map(|id| (id, at)));
            }
        }
        let fact = Fact {
            id: order.id,
            kind: legs.kind,
            from: legs.from,
            to: legs.to,
            amount: legs.amount,
            fee,
            at,
            open,
            gives_back: None,
        };
        self.facts.push(fact);
    }

    fn give_back(
        &mut self,
        order: &Order,
        target: &Target,
        kind: Kind,
        amount: Option<i64>,
        now: DateTime<Utc>,
    ) -> Result<(), Option<Refusal>> {
        let back: i64 =
            self.facts.iter().filter(|fact| fact.gives_back == Some(target.id)).map(|fact| fact.amount).sum();
        let fact = self.fact(target.id).ok_or(None)?;
        let over = fact.left() == 0 && fact.moved() > 0;
        let allowed = match kind {
            Kind::Refund => matches!(fact.kind, Kind::Transfer | Kind::QrPayment) && fact.open.is_none(),
            _ => !matches!(fact.kind, Kind::Refund | Kind::Reversal),
        };
        if !allowed || !over {
            return Err(Some(Refusal::NotRefundable));
        }
        let left = fact.moved() - back;
        let amount = amount.unwrap_or(left);
        if left <= 0 || amount > left {
            return Err(Some(Refusal::RefundExceeds));
        }
        let (from, to) = (target.to, target.from);
        if kind == Kind::Refund {
            self.may_deal(from, to)?;
            self.may_afford(from, to, amount, 0)?;
        } else if self.people[&from].floor.is_some_and(|floor| self.balance(from) - self.held(from) - amount < floor) {
            return Err(Some(Refusal::InsufficientFunds));
        }
        let legs = Legs { kind, from, to, amount, tariff: Tariff::Free };
        let at = self.at(&legs, now);
        self.happen(order, &legs, 0, at, None);
        if let Some(fact) = self.facts.last_mut() {
            fact.gives_back = Some(target.id);
        }
        Ok(())
    }
}

/// Where the model's fees go.
pub(crate) const FEES: AccountId = 20;
pub(crate) const TAX: AccountId = 21;
