//! The state of all operators: operations, books, what is planned, and the faults that wait.

use crate::books::{Book, Movement, Short};
use crate::callbacks::Delivery;
use crate::faults::{self, Call, Fault, MAX_FAULTS, Order, Strike};
use crate::journal::{Journal, Line};
use crate::model::{IdempotencyKey, Kind, Operation, OperationKey, Outcome, Planned, Provider, Refusal, State};
use crate::{Callbacks, Credentials, wire};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Operations kept; the oldest final ones make room.
const MAX_OPERATIONS: usize = 100_000;
/// Movements kept for statements.
const MAX_MOVEMENTS: usize = 200_000;
/// Deliveries and messages kept to look at.
const MAX_REMEMBERED: usize = 5_000;
/// Other things remembered, all operators together.
const MAX_RECORDS: usize = 20_000;
/// Lines after which the journal is made anew.
const MAX_JOURNAL_LINES: u64 = 500_000;
/// How long an operator takes to pay, or to see that a payment is refused, in milliseconds.
const WORK_MS: i64 = 300;

/// What does not change while the simulator runs.
pub(crate) struct Settings {
    pub(crate) credentials: Credentials,
    /// Where the simulator listens, without a slash at the end.
    pub(crate) base_url: String,
}

/// A message (SMS and the like) that an operator accepted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    pub(crate) provider: Provider,
    pub(crate) id: String,
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) text: String,
    pub(crate) at_ms: i64,
}

/// Everything that changes, behind one lock that is never held across a wait.
pub(crate) struct World {
    pub(crate) settings: Arc<Settings>,
    pub(crate) callbacks: Callbacks,
    pub(crate) auto_approve_after: Option<Duration>,
    pub(crate) clock_offset_ms: i64,
    pub(crate) faults: Vec<Order>,
    pub(crate) deliveries: VecDeque<Delivery>,
    pub(crate) messages: VecDeque<Message>,
    operations: HashMap<OperationKey, Operation>,
    order: VecDeque<OperationKey>,
    by_reference: HashMap<OperationKey, Vec<String>>,
    by_idempotency: HashMap<OperationKey, String>,
    agenda: BTreeSet<(i64, OperationKey)>,
    books: BTreeMap<Provider, Book>,
    movements: VecDeque<Movement>,
    records: BTreeMap<(Provider, String), Value>,
    journal: Option<Journal>,
}

impl World {
    /// An empty world, or the one that the journal tells of.
    pub(crate) fn open(
        settings: Arc<Settings>,
        callbacks: Callbacks,
        auto_approve_after: Option<Duration>,
        state_file: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let mut world = Self {
            settings,
            callbacks,
            auto_approve_after,
            clock_offset_ms: 0,
            faults: Vec::new(),
            deliveries: VecDeque::new(),
            messages: VecDeque::new(),
            operations: HashMap::new(),
            order: VecDeque::new(),
            by_reference: HashMap::new(),
            by_idempotency: HashMap::new(),
            agenda: BTreeSet::new(),
            books: BTreeMap::new(),
            movements: VecDeque::new(),
            records: BTreeMap::new(),
            journal: None,
        };
        if let Some(path) = state_file {
            for line in Journal::read(path)? {
                world.replay(line);
            }
            world.journal = Some(Journal::rewrite(path, world.lines())?);
        }
        Ok(world)
    }

    fn replay(&mut self, line: Line) {
        match line {
            Line::Books(books) => self.books = books,
            Line::Past(movement) => push_bounded(&mut self.movements, movement, MAX_MOVEMENTS),
            Line::Record { provider, key, value: Some(value) } => {
                self.records.insert((provider, key), value);
            }
            Line::Record { provider, key, value: None } => {
                self.records.remove(&(provider, key));
            }
            Line::Step { operation, movement } => {
                if let Some(movement) = movement {
                    let book = self.books.entry(operation.provider).or_default();
                    let moved = if movement.reversal { book.reverse(&operation) } else { book.execute(&operation) };
                    if moved.is_err() {
                        tracing::error!(operation = %operation.id, "the journal moves money that is not there");
                    }
                    push_bounded(&mut self.movements, movement, MAX_MOVEMENTS);
                }
                self.index(*operation);
            }
        }
    }

    /// The whole world as a journal.
    fn lines(&self) -> impl Iterator<Item = Line> {
        let books = std::iter::once(Line::Books(self.books.clone()));
        let past = self.movements.iter().cloned().map(Line::Past);
        let records = self.records.iter().map(|((provider, key), value)| Line::Record {
            provider: *provider,
            key: key.clone(),
            value: Some(value.clone()),
        });
        let operations = self.order.iter().filter_map(|key| self.operations.get(key));
        let steps = operations.map(|op| Line::Step { operation: Box::new(op.clone()), movement: None });
        books.chain(past).chain(records).chain(steps)
    }

    fn write(&mut self, line: &Line) {
        let Some(journal) = &mut self.journal else { return };
        journal.append(line);
        if journal.lines >= MAX_JOURNAL_LINES {
            let path = journal.path();
            match Journal::rewrite(&path, self.lines()) {
                Ok(journal) => self.journal = Some(journal),
                Err(error) => tracing::error!(%error, "the simulator's journal cannot be made anew"),
            }
        }
    }

    /// Forgets everything but what the operators were told to be.
    pub(crate) fn reset(&mut self) -> anyhow::Result<()> {
        self.faults.clear();
        self.deliveries.clear();
        self.messages.clear();
        self.operations.clear();
        self.order.clear();
        self.by_reference.clear();
        self.by_idempotency.clear();
        self.agenda.clear();
        self.books.clear();
        self.movements.clear();
        self.records.clear();
        self.clock_offset_ms = 0;
        if let Some(path) = self.journal.as_ref().map(Journal::path) {
            self.journal = Some(Journal::rewrite(&path, self.lines())?);
        }
        Ok(())
    }

    /// The operators' clock, in milliseconds since 1970. Tests move it forward.
    pub(crate) fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX).saturating_add(self.clock_offset_ms)
    }

    // ---- operations

    fn index(&mut self, op: Operation) {
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

    fn commit(&mut self, op: Operation, movement: Option<Movement>) -> Result<Operation, Refusal> {
        self.write(&Line::Step { operation: Box::new(op.clone()), movement: movement.clone() });
        if let Some(movement) = movement {
            push_bounded(&mut self.movements, movement, MAX_MOVEMENTS);
        }
        self.index(op.clone());
        Ok(op)
    }

    // ---- books and the rest

    pub(crate) fn book(&mut self, provider: Provider) -> &mut Book {
        self.books.entry(provider).or_default()
    }

    /// Writes the books themselves, after an order changed one of them.
    pub(crate) fn save_books(&mut self) {
        self.write(&Line::Books(self.books.clone()));
    }

    pub(crate) fn books(&self) -> &BTreeMap<Provider, Book> {
        &self.books
    }

    /// The movements of an operator, oldest first.
    pub(crate) fn movements(&self, provider: Provider) -> impl DoubleEndedIterator<Item = &Movement> {
        self.movements.iter().filter(move |m| m.provider == provider)
    }

    pub(crate) fn record(&self, provider: Provider, key: &str) -> Option<&Value> {
        self.records.get(&(provider, key.to_owned()))
    }

    /// Remembers something under a name; refuses when the memory is full.
    pub(crate) fn set_record(&mut self, provider: Provider, key: &str, value: Option<Value>) -> Result<(), Refusal> {
        if self.records.len() >= MAX_RECORDS && !self.records.contains_key(&(provider, key.to_owned())) {
            return Err(Refusal::Full);
        }
        let line = Line::Record { provider, key: key.to_owned(), value };
        self.write(&line);
        self.replay(line);
        Ok(())
    }

    /// What is remembered under names that start so.
    pub(crate) fn records<'w>(
        &'w self,
        provider: Provider,
        prefix: &'w str,
    ) -> impl Iterator<Item = (&'w str, &'w Value)> {
        let all = self.records.iter().filter(move |((p, key), _)| *p == provider && key.starts_with(prefix));
        all.map(|((_, key), value)| (key.as_str(), value))
    }

    pub(crate) fn take_fault(
        &mut self,
        provider: Provider,
        call: Call,
        wanted: impl Fn(Fault) -> bool,
    ) -> Option<Strike> {
        faults::take(&mut self.faults, provider, call, wanted)
    }

    pub(crate) fn order_fault(&mut self, order: Order) -> Result<(), Refusal> {
        if self.faults.len() >= MAX_FAULTS {
            return Err(Refusal::Full);
        }
        self.faults.push(order);
        Ok(())
    }

    pub(crate) fn remember_delivery(&mut self, delivery: Delivery) {
        push_bounded(&mut self.deliveries, delivery, MAX_REMEMBERED);
    }

    pub(crate) fn remember_message(&mut self, message: Message) {
        push_bounded(&mut self.messages, message, MAX_REMEMBERED);
    }

    /// A sixteen-character id made of the day and chance, as the telephone operators give them.
    pub(crate) fn plain_transaction_id(_now_ms: i64) -> String {
        wire::random_text(b"0123456789", 12)
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

impl From<Short> for Refusal {
    fn from(short: Short) -> Self {
        match short {
            Short::Customer => Self::CustomerFunds,
            Short::Float => Self::FloatFunds,
        }
    }
}

fn push_bounded<T>(list: &mut VecDeque<T>, item: T, bound: usize) {
    if list.len() >= bound {
        list.pop_front();
    }
    list.push_back(item);
}
