//! The operations themselves: taking them in, finding them, and what is planned for them.

use super::World;
use crate::faults::{Call, Fault};
use crate::journal::Line;
use crate::model::{IdempotencyKey, Kind, Operation, OperationKey, Outcome, Planned, Provider, Refusal, State};

/// Operations kept; the oldest final ones make room.
const MAX_OPERATIONS: usize = 100_000;
/// How long an operator takes to pay, or to see that a payment is refused, in milliseconds.
pub(crate) const WORK_MS: i64 = 300;

impl World {
    pub(super) fn index(&mut self, op: Operation) {
        let key = op.key();
        if let Some(old) = self.operations.get(&key) {
            if let Some(due) = old.due_ms() {
                self.agenda.remove(&(due, key.clone()));
            }
        } else {
            self.order.push_back(key.clone());
            if !op.reference.is_empty() {
                self.by_reference.entry((op.provider, op.reference.clone())).or_default().push(op.id.clone());
            }
            if let Some(IdempotencyKey { key: idempotency, .. }) = &op.idempotency {
                self.by_idempotency.insert((op.provider, idempotency.clone()), op.id.clone());
            }
        }
        if let Some(due) = op.due_ms() {
            self.agenda.insert((due, key.clone()));
        }
        self.operations.insert(key, op);
    }

    /// Makes room for one more operation, at the cost of the oldest that is final.
    fn make_room(&mut self) -> Result<(), Refusal> {
        if self.operations.len() < MAX_OPERATIONS {
            return Ok(());
        }
        let oldest =
            self.order.iter().position(|key| self.operations.get(key).is_none_or(|o| o.state != State::Pending));
        let key = oldest.and_then(|i| self.order.remove(i)).ok_or(Refusal::Full)?;
        let Some(op) = self.operations.remove(&key) else { return Ok(()) };
        self.by_reference.remove(&(op.provider, op.reference));
        if let Some(idempotency) = op.idempotency {
            self.by_idempotency.remove(&(op.provider, idempotency.key));
        }
        Ok(())
    }

    /// Takes in a new operation.
    pub(crate) fn create(&mut self, op: Operation) -> Result<Operation, Refusal> {
        if self.operations.contains_key(&op.key()) {
            return Err(Refusal::WrongState);
        }
        self.make_room()?;
        self.write(&Line::Step { operation: Box::new(op.clone()), movement: None });
        self.index(op.clone());
        Ok(op)
    }

    /// Changes what a pending operation knows. Money moves in [`Self::settle`] only.
    pub(crate) fn change(
        &mut self,
        key: &OperationKey,
        edit: impl FnOnce(&mut Operation),
    ) -> Result<Operation, Refusal> {
        let mut op = self.operations.get(key).cloned().ok_or(Refusal::Unknown)?;
        if op.state != State::Pending {
            return Err(Refusal::WrongState);
        }
        edit(&mut op);
        self.commit(op, None)
    }

    /// Plans what the operator does by itself, unless a fault holds the operation. A customer's agreement comes after
    /// the time that the tests chose, or never; everything else does not need a customer.
    pub(crate) fn plan(&mut self, op: &mut Operation, outcome: Outcome) {
        if self.take_fault(op.provider, op.call(), |f| f == Fault::StayPending).is_some() {
            return;
        }
        let wait = match (op.kind, &outcome) {
            (Kind::Collection, Outcome::Approve) => match self.auto_approve_after {
                Some(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
                None => return,
            },
            _ => WORK_MS,
        };
        op.planned = Some(Planned { at_ms: self.now_ms().saturating_add(wait), outcome });
    }

    pub(crate) fn get(&self, provider: Provider, id: &str) -> Option<&Operation> {
        self.operations.get(&(provider, id.to_owned()))
    }

    /// The operations that carry a merchant's reference, oldest first.
    pub(crate) fn with_reference<'w>(
        &'w self,
        provider: Provider,
        reference: &str,
    ) -> impl Iterator<Item = &'w Operation> {
        let ids = self.by_reference.get(&(provider, reference.to_owned()));
        ids.into_iter().flatten().filter_map(move |id| self.get(provider, id))
    }

    pub(crate) fn with_idempotency(&self, provider: Provider, key: &str) -> Option<&Operation> {
        let id = self.by_idempotency.get(&(provider, key.to_owned()))?;
        self.get(provider, id)
    }

    /// All operations, newest first.
    pub(crate) fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.order.iter().rev().filter_map(|key| self.operations.get(key))
    }

    /// The operations whose moment has come.
    pub(crate) fn due(&self) -> Vec<OperationKey> {
        let now = self.now_ms();
        self.agenda.iter().take_while(|(at, _)| *at <= now).map(|(_, key)| key.clone()).collect()
    }

    /// How an operation ends now that its moment has come.
    pub(crate) fn due_outcome(&self, key: &OperationKey) -> Option<Outcome> {
        let now = self.now_ms();
        let op = self.operations.get(key).filter(|op| op.state == State::Pending)?;
        if let Some(planned) = op.planned.as_ref().filter(|p| p.at_ms <= now) {
            return Some(planned.outcome.clone());
        }
        op.expires_ms.filter(|at| *at <= now).map(|_| Outcome::Expire)
    }
}

impl Operation {
    /// The call that made it, for the faults.
    pub(crate) fn call(&self) -> Call {
        match self.kind {
            Kind::Collection => Call::Collect,
            Kind::Payout => Call::Payout,
        }
    }
}
