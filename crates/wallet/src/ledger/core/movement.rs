//! Money that moves at once: transfers, payments, refunds, reversals; and the posting that every movement ends in.

use chrono::{DateTime, Utc};

use super::fold::{Fold, Stop, Undo};
use super::state::*;
use crate::ledger::command::{AccountId, Kind, Tariff};
use crate::ledger::rules::{Fee, Measure, Window};
use crate::ledger::verdict::{LedgerError, Receipt, Refusal, Side, Status};
use kernel::Failure;

/// Neither side of an account may grow beyond this, in francs: it stays inside `numeric(20, 2)`.
const MAX_TURNOVER: i64 = 900_000_000_000_000_000;

/// What is posted: the amount from one account to another, and the payer's fee on top.
pub(super) struct Posting {
    pub(super) from: AccountId,
    pub(super) to: AccountId,
    pub(super) amount: i64,
    pub(super) fee: Fee,
    pub(super) fee_account: Option<AccountId>,
    pub(super) tax_account: Option<AccountId>,
}

/// What a posting left behind.
pub(super) struct Posted {
    pub(super) at: DateTime<Utc>,
    pub(super) from_balance: i64,
    pub(super) to_balance: i64,
}

impl Fold<'_> {
    pub(super) fn transfer(&mut self, order: &Order, legs: &Legs) -> Result<Receipt, Stop> {
        let posting = self.priced(legs)?;
        self.admissible(legs.kind, &posting)?;
        let windows = self.within_limits(legs, self.time_of(&posting))?;
        self.affordable(legs.kind, &posting)?;
        let posted = self.post(&posting)?;
        for key in windows {
            self.count(key, |counter| {
                counter.moved += legs.amount;
                counter.count += 1;
            });
        }
        let row = self.row(order);
        Ok(self.done(row, &posting, &posted))
    }

    /// Refund by the payee or reversal by the treasury: bounded by what the operation moved and did not get back yet.
    pub(super) fn give_back(
        &mut self,
        order: &Order,
        target: &Target,
        kind: Kind,
        wanted: Option<i64>,
    ) -> Result<Receipt, Stop> {
        let state = self.target(target.row)?;
        let moved = if target.deferred { state.hold.map_or(0, |hold| hold.captured) } else { target.amount };
        let allowed = match kind {
            Kind::Refund => target.kind.refundable() && !target.deferred,
            _ => !matches!(target.kind, Kind::Refund | Kind::Reversal | Kind::Settlement | Kind::Opening),
        };
        if !allowed || state.status != Status::Succeeded {
            return Err(Refusal::NotRefundable.into());
        }
        let left = moved - state.refunded;
        let amount = wanted.unwrap_or(left);
        if left <= 0 || amount > left {
            return Err(Refusal::RefundExceeds.into());
        }
        let fee = Fee::default();
        let posting = Posting { from: target.to, to: target.from, amount, fee, fee_account: None, tax_account: None };
        self.admissible(kind, &posting)?;
        self.affordable(kind, &posting)?;
        let posted = self.post(&posting)?;
        self.set_target(target.row, TargetState { refunded: state.refunded + amount, ..state });
        let row = self.row(order);
        Ok(self.done(row, &posting, &posted))
    }

    /// The movement with its fee and where that goes.
    pub(super) fn priced(&self, legs: &Legs) -> Result<Posting, Stop> {
        let fee = match &legs.tariff {
            Tariff::Schedule(provider) if legs.kind.limited() => {
                self.world.rules.fee(legs.kind, provider.as_deref(), legs.amount)
            }
            _ => Fee::default(),
        };
        let missing =
            || Stop::Error(LedgerError::Failure(Failure::internal(format!("no fee account for {:?}", legs.kind))));
        let fee_account = match fee.total {
            0 => None,
            _ => Some(*self.world.fees.by_kind.get(&legs.kind).ok_or_else(missing)?),
        };
        let tax_account = (fee.tax > 0).then_some(self.world.fees.tax);
        for account in fee_account.into_iter().chain(tax_account) {
            self.known_account(account)?;
        }
        Ok(Posting { from: legs.from, to: legs.to, amount: legs.amount, fee, fee_account, tax_account })
    }

    /// Who may pay and receive at all.
    pub(super) fn admissible(&self, kind: Kind, posting: &Posting) -> Result<(), Stop> {
        if posting.from == posting.to {
            return Err(Refusal::SameAccount.into());
        }
        // What the treasury corrects it may correct on a frozen account.
        if matches!(kind, Kind::Opening | Kind::Adjustment | Kind::Reversal) {
            return Ok(());
        }
        if self.account(posting.from)?.frozen {
            return Err(Refusal::PayerFrozen.into());
        }
        if self.account(posting.to)?.frozen {
            return Err(Refusal::PayeeFrozen.into());
        }
        Ok(())
    }

    /// The limits of the tier of who is limited: who receives a deposit, who pays anything else. Gives the counters to raise.
    pub(super) fn within_limits(&self, legs: &Legs, at: DateTime<Utc>) -> Result<Vec<CounterKey>, Stop> {
        let limited = if legs.kind == Kind::Deposit { legs.to } else { legs.from };
        let account = self.account(limited)?;
        let Some(tier) = account.tier.filter(|_| legs.kind.limited()) else { return Ok(Vec::new()) };
        let windows = self.world.rules.windows(legs.kind);
        if let Some(earliest) = windows.iter().map(|window| window.start(at)).min()
            && self.world.counters_since.is_none_or(|since| since > earliest)
        {
            return Err(Stop::Missing(Missing::CountersSince(earliest)));
        }
        let counter = |window: Window| {
            self.world.counters.get(&(limited, window.start(at), legs.kind, window)).copied().unwrap_or_default()
        };
        for limit in self.world.rules.of_tier(tier) {
            let (reached, refusal) = match limit.measure {
                Measure::Operation(kind) if kind == legs.kind => (legs.amount, Refusal::AmountLimit),
                Measure::Sum(kind, window) if kind == legs.kind => {
                    let counter = counter(window);
                    (counter.moved.saturating_add(counter.reserved).saturating_add(legs.amount), Refusal::PeriodLimit)
                }
                Measure::Count(kind, window) if kind == legs.kind => {
                    (i64::from(counter(window).count) + 1, Refusal::PeriodLimit)
                }
                _ => continue,
            };
            if reached > limit.maximum {
                return Err(refusal.into());
            }
        }
        Ok(windows.into_iter().map(|window| (limited, window.start(at), legs.kind, window)).collect())
    }

    /// Floor of the payer, then ceiling of the payee: a stranger without money learns nothing about the payee.
    pub(super) fn affordable(&self, kind: Kind, posting: &Posting) -> Result<(), Stop> {
        let total = posting.amount.checked_add(posting.fee.total).ok_or(Refusal::OutOfRange)?;
        let payer = self.account(posting.from)?;
        if payer.floor.is_some_and(|floor| payer.figures.available() - total < floor) {
            return Err(Refusal::InsufficientFunds.into());
        }
        let payee = self.account(posting.to)?;
        let tiers = kind.limited() || kind == Kind::Refund;
        let of_tier = payee.tier.filter(|_| tiers).and_then(|tier| self.world.rules.ceiling(tier));
        let ceiling = [payee.ceiling, of_tier].into_iter().flatten().min();
        if ceiling.is_some_and(|ceiling| payee.figures.coming() + posting.amount > ceiling) {
            return Err(Refusal::BalanceCeiling.into());
        }
        let grows = [payer.figures.debits.max(payer.figures.held), payee.figures.credits.max(payee.figures.expected)];
        if grows.into_iter().any(|turnover| turnover > MAX_TURNOVER - total) {
            return Err(Refusal::OutOfRange.into());
        }
        Ok(())
    }

    /// Moves it. Balanced by construction: what the payer gives is what payee, fee and tax accounts get.
    pub(super) fn post(&mut self, posting: &Posting) -> Result<Posted, Stop> {
        let mut legs: Vec<(AccountId, i64)> = Vec::with_capacity(4);
        add(&mut legs, Some(posting.from), -(posting.amount + posting.fee.total));
        add(&mut legs, Some(posting.to), posting.amount);
        add(&mut legs, posting.fee_account, posting.fee.total - posting.fee.tax);
        add(&mut legs, posting.tax_account, posting.fee.tax);
        let at = self.time_of(posting);
        let operation = self.next_row();
        for (account, delta) in legs {
            let mut figures = self.account(account)?.figures;
            if delta == 0 {
                continue;
            }
            if delta > 0 {
                figures.credits += delta
            } else {
                figures.debits -= delta
            }
            figures.version += 1;
            figures.last_at = Some(at);
            self.set_figures(account, figures);
            let balance = figures.balance();
            self.plan.entries.push(Entry { account, version: figures.version, operation, amount: delta, balance, at });
        }
        let (from_balance, to_balance) =
            (self.account(posting.from)?.figures.balance(), self.account(posting.to)?.figures.balance());
        Ok(Posted { at, from_balance, to_balance })
    }

    /// The present, but never before the last entry of an account: its entries are in order of time even when the clock is set back.
    pub(super) fn time_of(&self, posting: &Posting) -> DateTime<Utc> {
        let accounts = [Some(posting.from), Some(posting.to), posting.fee_account, posting.tax_account];
        let last = accounts.into_iter().flatten().filter_map(|id| self.world.accounts.get(&id)?.figures.last_at).max();
        last.map_or(self.world.now, |last| last.max(self.world.now))
    }

    /// Writes the row of a movement that is done, and its receipt.
    fn done(&mut self, mut row: Operation, posting: &Posting, posted: &Posted) -> Receipt {
        row.amount = posting.amount;
        (row.fee, row.tax) = (posting.fee.total, posting.fee.tax);
        (row.fee_account, row.tax_account) = (posting.fee_account, posting.tax_account);
        (row.from_balance, row.to_balance) = (Some(posted.from_balance), Some(posted.to_balance));
        (row.at, row.settled_at) = (posted.at, Some(posted.at));
        let receipt = self.receipt(&row);
        self.plan.operations.push(row);
        receipt
    }

    pub(super) fn receipt(&self, row: &Operation) -> Receipt {
        Receipt {
            id: row.id,
            kind: row.kind,
            status: row.status,
            from: self.side(row.from, row.from_balance),
            to: self.side(row.to, row.to_balance),
            amount: row.amount,
            fee: row.fee,
            tax: row.tax,
            note: row.note.clone(),
            created_at: row.at,
            settled_at: row.settled_at,
            refunded: 0,
        }
    }

    pub(super) fn side(&self, id: AccountId, balance: Option<i64>) -> Side {
        let account = self.world.accounts.get(&id);
        Side { account: id, user: account.and_then(|a| a.user), code: account.and_then(|a| a.code.clone()), balance }
    }

    pub(super) fn account(&self, id: AccountId) -> Result<&Account, Stop> {
        self.world.accounts.get(&id).ok_or(Stop::Error(LedgerError::UnknownParty))
    }

    pub(super) fn target(&self, row: i64) -> Result<TargetState, Stop> {
        self.world.targets.get(&row).copied().ok_or(Stop::Error(LedgerError::UnknownOperation))
    }

    pub(super) fn set_figures(&mut self, id: AccountId, figures: Figures) {
        if let Some(account) = self.world.accounts.get_mut(&id) {
            let before = std::mem::replace(&mut account.figures, figures);
            self.log(Undo::Account(id, before));
            self.plan.accounts.insert(id);
        }
    }

    pub(super) fn set_target(&mut self, row: i64, state: TargetState) {
        if let Some(before) = self.world.targets.insert(row, state) {
            self.log(Undo::Target(row, before));
        }
        self.plan.targets.insert(row);
    }

    pub(super) fn count(&mut self, key: CounterKey, change: impl FnOnce(&mut Counter)) {
        let before = self.world.counters.get(&key).copied();
        let mut counter = before.unwrap_or_default();
        change(&mut counter);
        self.world.counters.insert(key, counter);
        self.log(Undo::Counter(key, before));
        self.plan.counters.insert(key);
    }
}

/// One entry an account, whatever the number of its legs.
fn add(legs: &mut Vec<(AccountId, i64)>, account: Option<AccountId>, delta: i64) {
    let Some(account) = account else { return };
    match legs.iter_mut().find(|leg| leg.0 == account) {
        Some(leg) => leg.1 += delta,
        None => legs.push((account, delta)),
    }
}
