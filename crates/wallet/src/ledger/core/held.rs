//! Open operations: money that is held on one side and expected on the other, until it is captured or released.

use chrono::{DateTime, Utc};

use super::fold::{Fold, Stop};
use super::movement::Posting;
use super::state::*;
use crate::ledger::command::{Kind, Outcome};
use crate::ledger::rules::Fee;
use crate::ledger::verdict::{LedgerError, Receipt, Refusal, Status};

impl Fold<'_> {
    pub(super) fn open(
        &mut self,
        order: &Order,
        legs: &Legs,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<Receipt, Stop> {
        let posting = self.priced(legs)?;
        self.admissible(legs.kind, &posting)?;
        let at = self.world.now;
        let windows = self.within_limits(legs, at)?;
        self.affordable(legs.kind, &posting)?;
        let hold = Hold {
            amount: legs.amount,
            fee: posting.fee.total,
            captured: 0,
            released: 0,
            fee_taken: false,
            protected: false,
            expires_at,
        };
        self.keep(legs.from, legs.to, hold.amount + hold.fee, hold.amount)?;
        for key in windows {
            self.count(key, |counter| {
                counter.reserved += legs.amount;
                counter.count += 1;
            });
        }
        let mut row = self.row(order);
        (row.status, row.deferred) = (Status::Pending, true);
        (row.fee, row.tax) = (posting.fee.total, posting.fee.tax);
        (row.fee_account, row.tax_account) = (posting.fee_account, posting.tax_account);
        self.plan.holds.push((row.row, legs.from, legs.to, hold));
        let receipt = self.receipt(&row);
        self.plan.operations.push(row);
        Ok(receipt)
    }

    /// Moves all that is left, or a part. The fee goes with the first capture.
    pub(super) fn settle(
        &mut self,
        order: &Order,
        target: &Target,
        wanted: Option<i64>,
        last: bool,
    ) -> Result<Receipt, Stop> {
        let state = self.target(target.row)?;
        let hold = state.hold.filter(|hold| hold.left() > 0).ok_or(Refusal::NotPending)?;
        let left = hold.left();
        let amount = wanted.unwrap_or(left);
        if amount > left {
            return Err(Refusal::CaptureExceeds.into());
        }
        let fee = if hold.fee_taken { Fee::default() } else { Fee { total: target.fee, tax: target.tax } };
        let released = if last { left - amount } else { 0 };
        self.keep(target.from, target.to, -(amount + released + fee.total), -(amount + released))?;
        let posting = Posting {
            from: target.from,
            to: target.to,
            amount,
            fee,
            fee_account: target.fee_account.filter(|_| fee.total > 0),
            tax_account: target.tax_account.filter(|_| fee.tax > 0),
        };
        let posted = self.post(&posting)?;
        let hold =
            Hold { captured: hold.captured + amount, released: hold.released + released, fee_taken: true, ..hold };
        let status = if hold.left() == 0 { Status::Succeeded } else { Status::Pending };
        let settled = Some((posted.at, posted.from_balance, posted.to_balance));
        self.set_target(target.row, TargetState { status, hold: Some(hold), settled, ..state });
        self.move_reserved(target, amount, released, false)?;
        let mut row = self.row(order);
        row.amount = amount;
        (row.fee, row.tax) = (fee.total, fee.tax);
        (row.fee_account, row.tax_account) = (posting.fee_account, posting.tax_account);
        (row.from_balance, row.to_balance) = (Some(posted.from_balance), Some(posted.to_balance));
        (row.at, row.settled_at) = (posted.at, Some(posted.at));
        self.plan.operations.push(row);
        self.shown(target)
    }

    /// Releases what is left.
    pub(super) fn cancel(&mut self, order: &Order, target: &Target, outcome: Outcome) -> Result<Receipt, Stop> {
        let state = self.target(target.row)?;
        let hold = state.hold.filter(|hold| hold.left() > 0).ok_or(Refusal::NotPending)?;
        let due = hold.expires_at.is_some_and(|expiry| expiry <= self.world.now) && !hold.protected;
        if outcome == Outcome::Expired && !due {
            // Not a refusal: it may be due later, under the same key.
            return Err(Stop::Error(LedgerError::Invalid("not due")));
        }
        let left = hold.left();
        self.keep(target.from, target.to, -(left + hold.fee_left()), -left)?;
        let status = match outcome {
            _ if hold.captured > 0 => Status::Succeeded,
            Outcome::Failed => Status::Failed,
            Outcome::Expired | Outcome::Lapsed => Status::Expired,
        };
        let hold = Hold { released: hold.released + left, ..hold };
        self.set_target(target.row, TargetState { status, hold: Some(hold), ..state });
        self.move_reserved(target, 0, left, hold.captured == 0)?;
        let row = self.row(order);
        self.plan.operations.push(row);
        self.shown(target)
    }

    /// Raises or lowers what is held and expected.
    fn keep(&mut self, from: i64, to: i64, held: i64, expected: i64) -> Result<(), Stop> {
        let mut payer = self.account(from)?.figures;
        payer.held += held;
        self.set_figures(from, payer);
        let mut payee = self.account(to)?.figures;
        payee.expected += expected;
        self.set_figures(to, payee);
        Ok(())
    }

    /// What was reserved in a window is moved or given back, in the window in which it was opened.
    fn move_reserved(&mut self, target: &Target, moved: i64, released: i64, uncount: bool) -> Result<(), Stop> {
        let limited = if target.kind == Kind::Deposit { target.to } else { target.from };
        for window in self.world.rules.windows(target.kind) {
            let start = window.start(target.created_at);
            if self.world.counters_since.is_none_or(|since| since > start) {
                return Err(Stop::Missing(Missing::CountersSince(start)));
            }
            let counted =
                self.world.rules.counted_since(target.kind, window).is_some_and(|since| since <= target.created_at);
            let key = (limited, start, target.kind, window);
            if counted && self.world.counters.contains_key(&key) {
                self.count(key, |counter| {
                    counter.reserved = (counter.reserved - moved - released).max(0);
                    counter.moved += moved;
                    counter.count = (counter.count - i32::from(uncount)).max(0);
                });
            }
        }
        Ok(())
    }

    /// What people are shown is the open operation in its new state, not the capture.
    fn shown(&self, target: &Target) -> Result<Receipt, Stop> {
        let state = self.target(target.row)?;
        Ok(Receipt {
            id: target.id,
            kind: target.kind,
            status: state.status,
            from: self.side(target.from, state.settled.map(|settled| settled.1)),
            to: self.side(target.to, state.settled.map(|settled| settled.2)),
            amount: target.amount,
            fee: target.fee,
            tax: target.tax,
            note: target.note.clone(),
            created_at: target.created_at,
            settled_at: state.settled.map(|settled| settled.0),
            refunded: state.refunded,
        })
    }
}
