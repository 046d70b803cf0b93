//! Finds the rows behind names before a command is queued: accounts of users and of the system, operations by their
//! visible id. What it keeps in memory never changes: an account belongs to its owner for ever.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use kernel::db::{Gather, HotClient};
use kernel::{Clock, Db, Failure, Random, new_id};
use tokio_postgres::Row;
use uuid::Uuid;

use super::command::{AccountId, Action, Command, Kind, Movement, Party};
use super::core::{FeeAccounts, Legs, Order, Target, Task};
use super::verdict::LedgerError;

/// Above this many remembered users all are forgotten and looked up again: about 32 MB.
const MAX_REMEMBERED: usize = 1_000_000;
/// Longest key and note, in characters, as their columns.
const MAX_KEY: usize = 255;
const MAX_NOTE: usize = 280;

const PRINCIPAL: &str = "SELECT id_user, id_compte FROM compte WHERE principal AND id_user = ANY($1::int[])";
/// Opens what is missing; whoever comes second finds it opened. A user that does not exist gets none.
const OPEN: &str = "WITH nouveau AS (\
    INSERT INTO compte (id_user, principal) SELECT u.id_user, true FROM utilisateur u WHERE u.id_user = ANY($1::int[]) ORDER BY 1 \
    ON CONFLICT (id_user) WHERE principal DO NOTHING RETURNING id_compte) \
    INSERT INTO compte_titulaire (id_compte) SELECT id_compte FROM nouveau";
const SYSTEM: &str = "SELECT code, id_compte FROM compte WHERE code IS NOT NULL";
const TARGET: &str = "SELECT id_transaction, public_id, nature, id_compte_expediteur, id_compte_recepteur, montant::bigint, frais, taxe, \
    id_compte_frais, id_compte_taxe, differee, note, date_transaction AT TIME ZONE 'UTC' \
    FROM transaction WHERE public_id = $1 AND initiateur IS NOT NULL AND code_refus IS NULL AND nature <> 'reglement'";

#[derive(Clone)]
pub(crate) struct Directory {
    db: Db,
    clock: Clock,
    random: Random,
    users: Arc<RwLock<HashMap<i32, AccountId>>>,
    systems: Arc<RwLock<HashMap<String, AccountId>>>,
    opening: Gather<i32, Option<AccountId>>,
}

impl Directory {
    pub(crate) fn new(db: &Db, clock: &Clock, random: &Random) -> Self {
        let asked = db.clone();
        let opening = Gather::new(1, 512, move |users: Vec<i32>| {
            let db = asked.clone();
            async move { open(&db, users).await }
        });
        Self {
            db: db.clone(),
            clock: clock.clone(),
            random: random.clone(),
            users: Arc::default(),
            systems: Arc::default(),
            opening,
        }
    }

    /// The command with its rows; nothing is locked yet.
    pub(crate) async fn resolve(&self, command: Command) -> Result<Order, LedgerError> {
        if command.key.is_empty() || command.key.chars().count() > MAX_KEY || command.key.contains('\0') {
            return Err(LedgerError::Invalid("key"));
        }
        if command.note.as_ref().is_some_and(|note| note.chars().count() > MAX_NOTE || note.contains('\0')) {
            return Err(LedgerError::Invalid("note"));
        }
        let initiator = self.account(&command.initiator).await?;
        let by_system = matches!(command.initiator, Party::System(_));
        let task = match command.action {
            Action::Move(movement) => Task::Move(self.legs(movement).await?),
            Action::Open { movement, expires_at } => Task::Open { legs: self.legs(movement).await?, expires_at },
            Action::Settle { operation, amount, last } => Task::Settle {
                target: self.open_target(operation).await?,
                amount: amount.map(|amount| amount.get()),
                last,
            },
            Action::Cancel { operation, outcome } => {
                Task::Cancel { target: self.open_target(operation).await?, outcome }
            }
            Action::Refund { operation, amount } => {
                let target = self.target(operation).await?;
                // What belongs to someone else is not there.
                if target.to != initiator && !by_system {
                    return Err(LedgerError::UnknownOperation);
                }
                Task::Refund { target, amount: amount.map(|amount| amount.get()) }
            }
            Action::Reverse { operation } => Task::Reverse { target: self.target(operation).await? },
        };
        Ok(Order {
            id: command.id.unwrap_or_else(|| new_id(&self.clock, &self.random)),
            initiator,
            key: command.key,
            fingerprint: command.fingerprint,
            authorised: command.authorised,
            note: command.note,
            effects: command.effects,
            task,
        })
    }

    async fn legs(&self, movement: Movement) -> Result<Legs, LedgerError> {
        if movement.kind == Kind::Settlement || movement.kind == Kind::Refund || movement.kind == Kind::Reversal {
            return Err(LedgerError::Invalid("kind"));
        }
        Ok(Legs {
            kind: movement.kind,
            from: self.account(&movement.from).await?,
            to: self.account(&movement.to).await?,
            amount: movement.amount.get(),
            tariff: movement.tariff,
        })
    }

    /// The account of a party; a user's principal account is opened when it is missing.
    pub(crate) async fn account(&self, party: &Party) -> Result<AccountId, LedgerError> {
        match party {
            Party::Account(id) => Ok(*id),
            Party::System(code) => self.system(code).await?.ok_or(LedgerError::UnknownParty),
            Party::User(user) => {
                if let Some(account) = read(&self.users).get(user) {
                    return Ok(*account);
                }
                let account = self.opening.get(*user).await?.ok_or(LedgerError::UnknownParty)?;
                self.remember(*user, account);
                Ok(account)
            }
        }
    }

    /// The principal account of a user who has one already.
    pub(crate) async fn existing(&self, user: i32) -> Result<Option<AccountId>, Failure> {
        if let Some(account) = read(&self.users).get(&user) {
            return Ok(Some(*account));
        }
        let connection = self.db.hot.client().await?;
        let found = principals(&connection, &[user]).await?.get(&user).copied();
        if let Some(account) = found {
            self.remember(user, account);
        }
        Ok(found)
    }

    fn remember(&self, user: i32, account: AccountId) {
        let mut users = self.users.write().unwrap_or_else(PoisonError::into_inner);
        if users.len() >= MAX_REMEMBERED {
            users.clear();
        }
        users.insert(user, account);
    }

    pub(crate) async fn system(&self, code: &str) -> Result<Option<AccountId>, Failure> {
        if let Some(account) = read(&self.systems).get(code) {
            return Ok(Some(*account));
        }
        let known = systems(&self.db).await?;
        let found = known.get(code).copied();
        *self.systems.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(found)
    }

    async fn open_target(&self, operation: Uuid) -> Result<Target, LedgerError> {
        let target = self.target(operation).await?;
        if target.deferred { Ok(target) } else { Err(LedgerError::UnknownOperation) }
    }

    pub(crate) async fn target(&self, operation: Uuid) -> Result<Target, LedgerError> {
        let connection = self.db.hot.client().await?;
        let statement = connection.prepared(TARGET).await?;
        let row = connection.client().query_opt(&statement, &[&operation]).await?;
        row.as_ref().and_then(target_of).ok_or(LedgerError::UnknownOperation)
    }
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

async fn open(db: &Db, users: Vec<i32>) -> Result<Vec<Option<AccountId>>, Failure> {
    let connection = db.hot.client().await?;
    let mut found = principals(&connection, &users).await?;
    let missing: Vec<i32> = users.iter().copied().filter(|user| !found.contains_key(user)).collect();
    if !missing.is_empty() {
        let statement = connection.prepared(OPEN).await?;
        connection.client().execute(&statement, &[&missing]).await?;
        found.extend(principals(&connection, &missing).await?);
    }
    Ok(users.iter().map(|user| found.get(user).copied()).collect())
}

async fn principals(connection: &HotClient, users: &[i32]) -> Result<HashMap<i32, AccountId>, Failure> {
    let statement = connection.prepared(PRINCIPAL).await?;
    let rows = connection.client().query(&statement, &[&users]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

async fn systems(db: &Db) -> Result<HashMap<String, AccountId>, Failure> {
    let connection = db.hot.client().await?;
    let statement = connection.prepared(SYSTEM).await?;
    let rows = connection.client().query(&statement, &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// `frais:<nature>` and `taxe:tva`.
pub(crate) async fn fee_accounts(db: &Db) -> Result<FeeAccounts, Failure> {
    let systems = systems(db).await?;
    let of = |kind: Kind| systems.get(&format!("frais:{}", kind.stored())).map(|account| (kind, *account));
    let by_kind =
        [Kind::Transfer, Kind::QrPayment, Kind::Deposit, Kind::Withdrawal].into_iter().filter_map(of).collect();
    let tax = systems.get("taxe:tva").copied().ok_or_else(|| Failure::internal("no account taxe:tva"))?;
    Ok(FeeAccounts { by_kind, tax })
}

fn target_of(row: &Row) -> Option<Target> {
    Some(Target {
        row: row.get(0),
        id: row.get(1),
        kind: Kind::from_stored(row.get(2))?,
        from: row.get::<_, Option<i64>>(3)?,
        to: row.get::<_, Option<i64>>(4)?,
        amount: row.get::<_, Option<i64>>(5)?,
        fee: row.get(6),
        tax: row.get(7),
        fee_account: row.get(8),
        tax_account: row.get(9),
        deferred: row.get(10),
        note: row.get(11),
        created_at: row.get(12),
    })
}
