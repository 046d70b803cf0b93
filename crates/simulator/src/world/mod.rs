//! The state of all operators: operations, books, what is planned, and the faults that wait.

mod operations;
mod settlement;

pub(crate) use operations::WORK_MS;

use crate::books::{Book, Movement};
use crate::callbacks::Delivery;
use crate::faults::{self, Call, Fault, MAX_FAULTS, Order, Strike};
use crate::journal::{Journal, Line};
use crate::model::{Operation, OperationKey, Provider, Refusal};
use crate::{Callbacks, Credentials, wire};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Movements kept for statements.
const MAX_MOVEMENTS: usize = 200_000;
/// Deliveries and messages kept to look at.
const MAX_REMEMBERED: usize = 5_000;
/// Other things remembered, all operators together.
const MAX_RECORDS: usize = 20_000;
/// Lines after which the journal is made anew.
const MAX_JOURNAL_LINES: u64 = 500_000;

/// What does not change while the simulator runs.
pub(crate) struct Settings {
    pub(crate) credentials: Credentials,
    /// Where the simulator listens, without a slash at the end.
    pub(crate) base_url: String,
    /// What access tokens are signed with; the same as long as the keys are.
    pub(crate) token_secret: String,
}

impl Settings {
    pub(crate) fn new(credentials: Credentials, base_url: String) -> anyhow::Result<Self> {
        let token_secret = wire::digest(&serde_json::to_vec(&credentials)?);
        Ok(Self { credentials, base_url, token_secret })
    }
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
    /// The operators that are also served at the root of an address.
    pub(crate) roots: BTreeMap<Provider, SocketAddr>,
    operations: HashMap<OperationKey, Operation>,
    order: VecDeque<OperationKey>,
    by_reference: HashMap<OperationKey, Vec<String>>,
    by_idempotency: HashMap<OperationKey, String>,
    agenda: BTreeSet<(i64, OperationKey)>,
    /// The operations of which the merchant was not told yet.
    owed: BTreeSet<OperationKey>,
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
            roots: BTreeMap::new(),
            operations: HashMap::new(),
            order: VecDeque::new(),
            by_reference: HashMap::new(),
            by_idempotency: HashMap::new(),
            agenda: BTreeSet::new(),
            owed: BTreeSet::new(),
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
            Line::Owed { provider, id, owed: true } => {
                self.owed.insert((provider, id));
            }
            Line::Owed { provider, id, owed: false } => {
                self.owed.remove(&(provider, id));
            }
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
        let owed =
            self.owed.iter().map(|(provider, id)| Line::Owed { provider: *provider, id: id.clone(), owed: true });
        books.chain(past).chain(records).chain(steps).chain(owed)
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
        self.owed.clear();
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
        wire::wall_ms().saturating_add(self.clock_offset_ms)
    }

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

    /// Notes that the merchant is to be told of an operation, or that he was (or that the operator gave up). What is owed
    /// survives a restart, as an operator's queue does.
    pub(crate) fn owe(&mut self, provider: Provider, id: &str, owed: bool) {
        let key = (provider, id.to_owned());
        if self.operations.contains_key(&key) && self.owed.contains(&key) != owed {
            let line = Line::Owed { provider, id: key.1, owed };
            self.write(&line);
            self.replay(line);
        }
    }

    /// The operations of which nobody was told when the process died.
    pub(crate) fn owed(&self) -> Vec<Operation> {
        self.owed.iter().filter_map(|key| self.operations.get(key)).cloned().collect()
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

fn push_bounded<T>(list: &mut VecDeque<T>, item: T, bound: usize) {
    if list.len() >= bound {
        list.pop_front();
    }
    list.push_back(item);
}
