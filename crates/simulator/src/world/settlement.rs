//! The only place where money moves.

use super::{MAX_MOVEMENTS, World, push_bounded};
use crate::books::{Movement, Short};
use crate::faults::{Call, Fault};
use crate::journal::Line;
use crate::model::{Kind, Operation, OperationKey, Outcome, Refusal, State};

impl World {
    /// Ends a pending operation (or one that expired, for a customer may act at the last second) and moves its money.
    /// `force` lets a failed one succeed, which no honest operator does.
    pub(crate) fn settle(&mut self, key: &OperationKey, outcome: Outcome, force: bool) -> Result<Operation, Refusal> {
        let mut op = self.operations.get(key).cloned().ok_or(Refusal::Unknown)?;
        let late = outcome == Outcome::Approve && (op.state == State::Expired || (force && op.state == State::Failed));
        if op.state != State::Pending && !late {
            return Err(Refusal::WrongState);
        }
        let now = self.now_ms();
        op.planned = None;
        let mut movement = None;
        let outcome = match outcome {
            Outcome::Approve => match self.execute(&op) {
                Ok(done) => {
                    movement = Some(done);
                    Outcome::Approve
                }
                Err(short) => (op.provider.desk().short)(&op, short),
            },
            other => other,
        };
        match outcome {
            Outcome::Approve => {
                op.state = State::Succeeded;
                op.reason = None;
                op.executions += 1;
                op.transaction_id = movement.as_ref().map(|m| m.id.clone());
            }
            Outcome::Refuse(reason) => {
                op.state = State::Failed;
                op.reason = Some(reason);
            }
            Outcome::Decline(reason) => op.reason = Some(reason),
            Outcome::Expire => {
                op.state = State::Expired;
                op.reason = Some(op.provider.desk().expired.to_owned());
            }
        }
        if op.state != State::Pending {
            op.completed_ms = Some(now);
        }
        self.commit(op, movement)
    }

    /// Gives back the money of an operation that succeeded.
    pub(crate) fn reverse(&mut self, key: &OperationKey) -> Result<Operation, Refusal> {
        let mut op = self.operations.get(key).cloned().ok_or(Refusal::Unknown)?;
        if op.state != State::Succeeded {
            return Err(Refusal::WrongState);
        }
        self.books.entry(op.provider).or_default().reverse(&op).map_err(Refusal::from)?;
        op.state = State::Reversed;
        let movement = self.movement(&op, true);
        self.commit(op, Some(movement))
    }

    fn execute(&mut self, op: &Operation) -> Result<Movement, Short> {
        let empty =
            op.kind == Kind::Payout && self.take_fault(op.provider, Call::Payout, |f| f == Fault::EmptyFloat).is_some();
        if empty {
            return Err(Short::Float);
        }
        self.books.entry(op.provider).or_default().execute(op)?;
        Ok(self.movement(op, false))
    }

    fn movement(&self, op: &Operation, reversal: bool) -> Movement {
        Movement {
            provider: op.provider,
            id: (op.provider.desk().transaction_id)(self.now_ms()),
            operation: op.id.clone(),
            kind: op.kind,
            reversal,
            customer: op.customer.clone(),
            reference: op.reference.clone(),
            amount: op.amount,
            fee: op.fee,
            balance: self.books.get(&op.provider).map_or(0, |b| b.float),
            at_ms: self.now_ms(),
        }
    }

    pub(super) fn commit(&mut self, op: Operation, movement: Option<Movement>) -> Result<Operation, Refusal> {
        self.write(&Line::Step { operation: Box::new(op.clone()), movement: movement.clone() });
        if let Some(movement) = movement {
            push_bounded(&mut self.movements, movement, MAX_MOVEMENTS);
        }
        self.index(op.clone());
        Ok(op)
    }
}

impl From<Short> for Refusal {
    fn from(short: Short) -> Self {
        match short {
            Short::Customer => Self::CustomerFunds,
            Short::Float => Self::FloatFunds,
        }
    }
}
