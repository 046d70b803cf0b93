//! The second trip of a batch: sets, then the commit.

use std::future::Future;

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::future::{self, Either};
use kernel::db::HotClient;
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::Statements;
use crate::ledger::core::{Hold, Operation, Place, Plan, World};

/// One update an account, whatever the number of its payments; refused whole when an account is not as it was read.
pub(super) const ACCOUNTS: &str = "WITH maj AS (\
    UPDATE compte c SET debits = x.d, credits = x.c, debits_attente = x.da, credits_attente = x.ca, version = x.v, \
      dernier_le = x.l, solde_compte = x.c - x.d \
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::timestamptz[], \
      $8::bigint[], $9::bigint[], $10::bigint[], $11::tid[]) AS x (id, d, c, da, ca, v, l, v_lu, da_lu, ca_lu, place) \
    WHERE c.ctid = x.place AND c.id_compte = x.id AND c.version = x.v_lu AND c.debits_attente = x.da_lu AND c.credits_attente = x.ca_lu RETURNING 1) \
    SELECT exiger((SELECT count(*) FROM maj) = cardinality($1::bigint[]), 'compte')";

pub(super) const OPERATIONS: &str = "INSERT INTO transaction (id_transaction, public_id, nature, statut, initiateur, cle, empreinte, \
      id_compte_expediteur, id_compte_recepteur, montant, frais, taxe, id_compte_frais, id_compte_taxe, code_refus, lie_a, \
      solde_expediteur, solde_recepteur, differee, date_transaction, note) \
    SELECT $1::bigint + x.n - 1, x.id, x.na, x.st, x.i, x.c, x.e, x.de, x.vers, x.m, x.f, x.t, x.cf, x.ct, x.r, x.l, x.sd, x.sv, x.di, \
      x.le AT TIME ZONE 'UTC', x.note \
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bytea[], $8::bigint[], $9::bigint[], $10::bigint[], \
      $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::text[], $16::bigint[], $17::bigint[], $18::bigint[], \
      $19::boolean[], $20::timestamptz[], $21::text[]) WITH ORDINALITY \
      AS x (id, na, st, i, c, e, de, vers, m, f, t, cf, ct, r, l, sd, sv, di, le, note, n)";

pub(super) const ENTRIES: &str = "INSERT INTO ecriture (id_compte, version, id_transaction, montant, solde_apres, cree_le) \
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[])";

pub(super) const BATCH: &str = "INSERT INTO lot (premier, dernier, nombre, racine, cree_le) \
    VALUES ($1::bigint, $2::bigint, $3::int, $4::bytea, $5::timestamptz)";

pub(super) const HOLDS: &str = "INSERT INTO retenue (id_transaction, id_compte_debit, id_compte_credit, montant, frais, expire_le, capture, libere, frais_pris) \
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::bigint[], $8::bigint[], $9::boolean[])";

pub(super) const CHANGED_HOLDS: &str = "WITH maj AS (\
    UPDATE retenue r SET capture = x.c, libere = x.l, frais_pris = x.f \
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::boolean[], $5::bigint[], $6::bigint[], $7::boolean[]) AS x (id, c, l, f, c_lu, l_lu, p_lu) \
    WHERE r.id_transaction = x.id AND r.capture = x.c_lu AND r.libere = x.l_lu AND r.protegee = x.p_lu RETURNING 1) \
    SELECT exiger((SELECT count(*) FROM maj) = cardinality($1::bigint[]), 'retenue')";

pub(super) const CHANGED_TARGETS: &str = "WITH maj AS (\
    UPDATE transaction t SET statut = x.s, rembourse = x.r, regle_le = coalesce(x.le, t.regle_le), \
      solde_expediteur = coalesce(x.sd, t.solde_expediteur), solde_recepteur = coalesce(x.sv, t.solde_recepteur) \
    FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::timestamptz[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[]) \
      AS x (id, s, r, le, sd, sv, s_lu, r_lu) \
    WHERE t.id_transaction = x.id AND t.statut = x.s_lu AND t.rembourse = x.r_lu RETURNING 1) \
    SELECT exiger((SELECT count(*) FROM maj) = cardinality($1::bigint[]), 'transaction')";

/// Absolute values: the account's lock covers its counters.
pub(super) const CHANGED_COUNTERS: &str = "INSERT INTO compteur_argent (id_compte, periode, nature, fenetre, montant, reserve, nombre) \
    SELECT * FROM unnest($1::bigint[], $2::date[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::int[]) \
    ON CONFLICT (id_compte, periode, nature, fenetre) DO UPDATE SET montant = excluded.montant, reserve = excluded.reserve, nombre = excluded.nombre";

/// A second use meets the primary key: the batch is decided again and refuses it.
pub(super) const USED: &str = "INSERT INTO usage_unique (sujet, id_transaction, etat, cree_le) \
    SELECT x.s, x.t, 'utilise', $3::timestamptz FROM unnest($1::uuid[], $2::bigint[]) AS x (s, t)";

type Params<'a> = Vec<&'a (dyn ToSql + Sync)>;

/// Writes and commits: one trip. A statement that fails turns the commit into a rollback, so its error comes first.
pub(crate) async fn write(
    connection: &HotClient,
    statements: &Statements,
    world: &World,
    plan: &Plan,
    root: &[u8],
) -> Result<(), Error> {
    let accounts = Accounts::of(world, plan);
    let operations = Operations::of(plan);
    let entries = Entries::of(plan);
    let holds = Holds::of(&plan.holds);
    let targets = Targets::of(world, plan);
    let counters = Counters::of(world, plan);
    let (subjects, users): (Vec<Uuid>, Vec<i64>) = plan.used.iter().copied().unzip();
    let count = i32::try_from(plan.operations.len()).unwrap_or(i32::MAX);
    let (first, last) =
        (plan.operations.first().map_or(0, |row| row.row), plan.operations.last().map_or(0, |row| row.row));

    let client = connection.client();
    let batch: Params<'_> = vec![&first, &last, &count, &root, &world.now];
    let used: Params<'_> = vec![&subjects, &users, &world.now];
    let (changed_holds, changed_targets) = (targets.holds(), targets.rows());
    let (accounts_, operations_, entries_, holds_, counters_) =
        (accounts.params(), operations.params_from(&first), entries.params(), holds.params(), counters.params());
    // `join!` polls in this order, hence they are sent in this order, the commit last.
    let results = futures_util::join!(
        unless(accounts.id.is_empty(), client.execute(&statements.accounts, &accounts_)),
        unless(count == 0, client.execute(&statements.operations, &operations_)),
        unless(entries.account.is_empty(), client.execute(&statements.entries, &entries_)),
        unless(count == 0, client.execute(&statements.batch, &batch)),
        unless(holds.row.is_empty(), client.execute(&statements.holds, &holds_)),
        unless(targets.hold.is_empty(), client.execute(&statements.changed_holds, &changed_holds)),
        unless(targets.row.is_empty(), client.execute(&statements.changed_targets, &changed_targets)),
        unless(counters.account.is_empty(), client.execute(&statements.changed_counters, &counters_)),
        unless(subjects.is_empty(), client.execute(&statements.used, &used)),
        client.batch_execute("COMMIT"),
    );
    for written in [results.0, results.1, results.2, results.3, results.4, results.5, results.6, results.7, results.8] {
        written?;
    }
    results.9
}

/// A statement that is not sent when there is nothing to write.
fn unless<F: Future<Output = Result<u64, Error>>>(nothing: bool, write: F) -> impl Future<Output = Result<u64, Error>> {
    if nothing { Either::Left(future::ready(Ok(0))) } else { Either::Right(write) }
}

/// Rows turned into columns, for `unnest`.
macro_rules! columns {
    ($name:ident { $($field:ident: $type:ty),+ $(,)? }) => {
        #[derive(Default)]
        struct $name<'a> {
            $($field: Vec<$type>,)+
            _rows: std::marker::PhantomData<&'a ()>,
        }
        impl $name<'_> {
            fn params(&self) -> Params<'_> {
                vec![$(&self.$field),+]
            }
        }
    };
}

columns!(Accounts {
    id: i64, debits: i64, credits: i64, held: i64, expected: i64, version: i64, last_at: Option<DateTime<Utc>>,
    version_read: i64, held_read: i64, expected_read: i64, place: Place,
});

impl Accounts<'_> {
    fn of(world: &World, plan: &Plan) -> Self {
        let mut columns = Self::default();
        for id in &plan.accounts {
            let Some(account) = world.accounts.get(id).filter(|account| account.figures != account.read) else {
                continue;
            };
            columns.id.push(*id);
            columns.debits.push(account.figures.debits);
            columns.credits.push(account.figures.credits);
            columns.held.push(account.figures.held);
            columns.expected.push(account.figures.expected);
            columns.version.push(account.figures.version);
            columns.last_at.push(account.figures.last_at);
            columns.version_read.push(account.read.version);
            columns.held_read.push(account.read.held);
            columns.expected_read.push(account.read.expected);
            columns.place.push(account.place);
        }
        columns
    }
}

columns!(Operations {
    id: Uuid, kind: &'static str, status: &'static str, initiator: i64, key: &'a str, fingerprint: &'a [u8], from: i64, to: i64,
    amount: i64, fee: i64, tax: i64, fee_account: Option<i64>, tax_account: Option<i64>, refusal: Option<&'static str>,
    linked: Option<i64>, from_balance: Option<i64>, to_balance: Option<i64>, deferred: bool, at: DateTime<Utc>, note: Option<&'a str>,
});

impl<'a> Operations<'a> {
    fn of(plan: &'a Plan) -> Self {
        let mut columns = Self::default();
        for row in &plan.operations {
            columns.push(row);
        }
        columns
    }

    fn push(&mut self, row: &'a Operation) {
        self.id.push(row.id);
        self.kind.push(row.kind.stored());
        self.status.push(row.status.stored());
        self.initiator.push(row.initiator);
        self.key.push(&row.key);
        self.fingerprint.push(&row.fingerprint.0);
        self.from.push(row.from);
        self.to.push(row.to);
        self.amount.push(row.amount);
        self.fee.push(row.fee);
        self.tax.push(row.tax);
        self.fee_account.push(row.fee_account);
        self.tax_account.push(row.tax_account);
        self.refusal.push(row.refusal.map(|refusal| refusal.stored()));
        self.linked.push(row.linked);
        self.from_balance.push(row.from_balance);
        self.to_balance.push(row.to_balance);
        self.deferred.push(row.deferred);
        self.at.push(row.at);
        self.note.push(row.note.as_deref());
    }
}

columns!(Entries { account: i64, version: i64, operation: i64, amount: i64, balance: i64, at: DateTime<Utc> });

impl Entries<'_> {
    fn of(plan: &Plan) -> Self {
        let mut columns = Self::default();
        for entry in &plan.entries {
            columns.account.push(entry.account);
            columns.version.push(entry.version);
            columns.operation.push(entry.operation);
            columns.amount.push(entry.amount);
            columns.balance.push(entry.balance);
            columns.at.push(entry.at);
        }
        columns
    }
}

columns!(Holds {
    row: i64, from: i64, to: i64, amount: i64, fee: i64, expires_at: Option<DateTime<Utc>>, captured: i64, released: i64, fee_taken: bool,
});

impl Holds<'_> {
    fn of(holds: &[(i64, i64, i64, Hold)]) -> Self {
        let mut columns = Self::default();
        for (row, from, to, hold) in holds {
            columns.row.push(*row);
            columns.from.push(*from);
            columns.to.push(*to);
            columns.amount.push(hold.amount);
            columns.fee.push(hold.fee);
            columns.expires_at.push(hold.expires_at);
            columns.captured.push(hold.captured);
            columns.released.push(hold.released);
            columns.fee_taken.push(hold.fee_taken);
        }
        columns
    }
}

/// Operations that were refunded, captured or released, with what was read: the fence.
#[derive(Default)]
struct Targets {
    row: Vec<i64>,
    status: Vec<&'static str>,
    refunded: Vec<i64>,
    settled_at: Vec<Option<DateTime<Utc>>>,
    from_balance: Vec<Option<i64>>,
    to_balance: Vec<Option<i64>>,
    status_read: Vec<&'static str>,
    refunded_read: Vec<i64>,
    hold: Vec<i64>,
    captured: Vec<i64>,
    released: Vec<i64>,
    fee_taken: Vec<bool>,
    captured_read: Vec<i64>,
    released_read: Vec<i64>,
    protected_read: Vec<bool>,
}

impl Targets {
    fn of(world: &World, plan: &Plan) -> Self {
        let mut columns = Self::default();
        for row in &plan.targets {
            let (Some(now), Some(read)) = (world.targets.get(row), world.targets_read.get(row)) else { continue };
            if now == read {
                continue;
            }
            columns.row.push(*row);
            columns.status.push(now.status.stored());
            columns.refunded.push(now.refunded);
            columns.settled_at.push(now.settled.map(|settled| settled.0));
            columns.from_balance.push(now.settled.map(|settled| settled.1));
            columns.to_balance.push(now.settled.map(|settled| settled.2));
            columns.status_read.push(read.status.stored());
            columns.refunded_read.push(read.refunded);
            if let (Some(hold), Some(hold_read)) = (now.hold.filter(|_| now.hold != read.hold), read.hold) {
                columns.hold.push(*row);
                columns.captured.push(hold.captured);
                columns.released.push(hold.released);
                columns.fee_taken.push(hold.fee_taken);
                columns.captured_read.push(hold_read.captured);
                columns.released_read.push(hold_read.released);
                columns.protected_read.push(hold_read.protected);
            }
        }
        columns
    }

    fn rows(&self) -> Params<'_> {
        vec![
            &self.row,
            &self.status,
            &self.refunded,
            &self.settled_at,
            &self.from_balance,
            &self.to_balance,
            &self.status_read,
            &self.refunded_read,
        ]
    }

    fn holds(&self) -> Params<'_> {
        vec![
            &self.hold,
            &self.captured,
            &self.released,
            &self.fee_taken,
            &self.captured_read,
            &self.released_read,
            &self.protected_read,
        ]
    }
}

columns!(Counters { account: i64, day: NaiveDate, kind: &'static str, window: &'static str, moved: i64, reserved: i64, count: i32 });

impl Counters<'_> {
    fn of(world: &World, plan: &Plan) -> Self {
        let mut columns = Self::default();
        for key in &plan.counters {
            let Some(counter) = world.counters.get(key) else { continue };
            columns.account.push(key.0);
            columns.day.push(key.1);
            columns.kind.push(key.2.stored());
            columns.window.push(key.3.stored());
            columns.moved.push(counter.moved);
            columns.reserved.push(counter.reserved);
            columns.count.push(counter.count);
        }
        columns
    }
}

impl Operations<'_> {
    fn params_from<'p>(&'p self, first: &'p i64) -> Params<'p> {
        let mut params: Params<'p> = Vec::with_capacity(21);
        params.push(first);
        params.extend(self.params());
        params
    }
}
