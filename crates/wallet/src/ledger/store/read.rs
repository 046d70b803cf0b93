//! The first trip of a batch: begin, lock, read.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::future::{self, Either};
use kernel::db::HotClient;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};
use uuid::Uuid;

use super::{Statements, shown};
use crate::ledger::command::{AccountId, Fingerprint, Kind};
use crate::ledger::core::{
    Account, Answer, Counter, FeeAccounts, Figures, Group, Hold, Known, Subject, TargetState, World,
};
use crate::ledger::rules::{Bracket, Limit, Measure, Rules, Schedule, Window};
use crate::ledger::verdict::{Receipt, Refusal, Side, Status};

pub(super) const NEXT_ROWS: &str = "SELECT nextval(pg_get_serial_sequence('transaction', 'id_transaction'))";

/// Every batch of every process locks its accounts in this order: two of them never wait for each other in a circle.
pub(super) const LOCK: &str = "SELECT c.id_compte, c.id_user, c.code, u.palier, \
    c.gele_le IS NOT NULL OR coalesce(u.statut <> 'actif', false), c.plancher, c.plafond, \
    c.debits, c.credits, c.debits_attente, c.credits_attente, c.version, c.dernier_le, c.ctid \
    FROM compte c LEFT JOIN utilisateur u ON u.id_user = c.id_user \
    WHERE c.id_compte = ANY($1::bigint[]) ORDER BY c.id_compte FOR NO KEY UPDATE OF c";

/// A capture shows its open operation.
pub(super) const KEYS: &str = concat!(
    "SELECT k.g, k.o, t.public_id, t.empreinte, t.code_refus, ",
    shown!(),
    " FROM unnest($1::int[], $2::int[], $3::bigint[], $4::text[]) AS k (g, o, i, c) \
     JOIN transaction t ON t.initiateur = k.i AND t.cle = k.c COLLATE \"C\" \
     JOIN transaction v ON v.id_transaction = CASE WHEN t.nature = 'reglement' AND t.code_refus IS NULL THEN t.lie_a ELSE t.id_transaction END \
     LEFT JOIN compte a ON a.id_compte = v.id_compte_expediteur LEFT JOIN compte b ON b.id_compte = v.id_compte_recepteur"
);

pub(crate) const RULES: &str = "SELECT 0, l.id, l.palier::int, l.mesure, l.nature, l.fenetre, l.maximum, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, l.cree_le \
    FROM limite l UNION ALL \
    SELECT 1, b.id, b.taxe_pb, b.fournisseur, b.nature, NULL, b.maximum, b.minimum, t.a_partir_de, t.fixe, t.taux_pb::bigint, b.cree_le \
    FROM bareme b JOIN bareme_tranche t ON t.id_bareme = b.id WHERE b.actif ORDER BY 1, 2, 9";

pub(super) const TARGETS: &str = "SELECT t.id_transaction, t.statut, t.rembourse, t.regle_le, t.solde_expediteur, t.solde_recepteur, \
    r.montant, r.frais, r.capture, r.libere, r.frais_pris, r.protegee, r.expire_le \
    FROM transaction t LEFT JOIN retenue r ON r.id_transaction = t.id_transaction WHERE t.id_transaction = ANY($1::bigint[])";

pub(super) const COUNTERS: &str = "SELECT id_compte, periode, nature, fenetre, montant, reserve, nombre \
    FROM compteur_argent WHERE id_compte = ANY($1::bigint[]) AND periode >= $2::date";

pub(super) const SUBJECTS: &str = "SELECT sujet, etat FROM usage_unique WHERE sujet = ANY($1::uuid[])";

/// What a batch needs besides what its commands name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) accounts: BTreeSet<AccountId>,
    pub(crate) counters_since: Option<NaiveDate>,
}

/// Begins the transaction, locks and reads: one trip.
pub(crate) async fn load(
    connection: &HotClient,
    statements: &Statements,
    groups: &[Group],
    wanted: &Wanted,
    fees: &FeeAccounts,
    now: DateTime<Utc>,
) -> Result<World, Error> {
    let orders = || groups.iter().flat_map(|group| &group.orders);
    let mut asked = wanted.accounts.clone();
    asked.extend(orders().flat_map(|order| order.accounts()));
    let ids: Vec<i64> = asked.iter().copied().collect();
    let keys = Keys::of(groups);
    let targets: BTreeSet<i64> = orders().filter_map(|order| order.task.target().map(|target| target.row)).collect();
    let targets: Vec<i64> = targets.into_iter().collect();
    let subjects: Vec<Uuid> = orders().flat_map(|order| &order.effects).filter_map(|effect| effect.subject()).collect();
    let since = wanted.counters_since.unwrap_or(NaiveDate::MAX);

    let client = connection.client();
    let lock: [&(dyn ToSql + Sync); 1] = [&ids];
    let rules: [&(dyn ToSql + Sync); 0] = [];
    let key: [&(dyn ToSql + Sync); 4] = [&keys.groups, &keys.orders, &keys.initiators, &keys.keys];
    let target: [&(dyn ToSql + Sync); 1] = [&targets];
    let counter: [&(dyn ToSql + Sync); 2] = [&ids, &since];
    let subject: [&(dyn ToSql + Sync); 1] = [&subjects];
    // `join!` polls in this order, hence they are sent in this order.
    let (begun, locked, rules, known, targets, counters, subjects) = futures_util::join!(
        client.batch_execute("BEGIN"),
        client.query(&statements.lock, &lock),
        client.query(&statements.rules, &rules),
        client.query(&statements.keys, &key),
        unless(targets.is_empty(), client.query(&statements.targets, &target)),
        unless(wanted.counters_since.is_none(), client.query(&statements.counters, &counter)),
        unless(subjects.is_empty(), client.query(&statements.subjects, &subject)),
    );
    begun?;
    let targets: HashMap<i64, TargetState> = targets?.iter().map(target_of).collect();
    Ok(World {
        now,
        asked,
        accounts: locked?.iter().map(account_of).collect(),
        known: known?.iter().filter_map(known_of).collect(),
        targets_read: targets.clone(),
        targets,
        counters_since: wanted.counters_since,
        counters: counters?.iter().filter_map(counter_of).collect(),
        subjects: subjects?.iter().map(subject_of).collect(),
        rules: rules_of(&rules?),
        fees: fees.clone(),
    })
}

/// A statement that is not sent when there is nothing to ask.
fn unless<F: Future<Output = Result<Vec<Row>, Error>>>(
    nothing: bool,
    ask: F,
) -> impl Future<Output = Result<Vec<Row>, Error>> {
    if nothing { Either::Left(future::ready(Ok(Vec::new()))) } else { Either::Right(ask) }
}

/// The keys of a batch, as columns.
#[derive(Default)]
struct Keys<'a> {
    groups: Vec<i32>,
    orders: Vec<i32>,
    initiators: Vec<i64>,
    keys: Vec<&'a str>,
}

impl<'a> Keys<'a> {
    fn of(groups: &'a [Group]) -> Self {
        let mut keys = Self::default();
        for (g, group) in (0..).zip(groups) {
            for (o, order) in (0..).zip(&group.orders) {
                keys.groups.push(g);
                keys.orders.push(o);
                keys.initiators.push(order.initiator);
                keys.keys.push(&order.key);
            }
        }
        keys
    }
}

/// What is stored under keys, without any lock: the answer to a replay that is recognised before anything else is asked.
pub(crate) async fn known_by_key(
    connection: &HotClient,
    keys: &[(AccountId, String)],
) -> Result<Vec<Option<Known>>, kernel::Failure> {
    let statement = connection.prepared(KEYS).await?;
    let groups = vec![0_i32; keys.len()];
    let orders: Vec<i32> = (0..).take(keys.len()).collect();
    let (initiators, texts): (Vec<i64>, Vec<&str>) =
        keys.iter().map(|(initiator, key)| (*initiator, key.as_str())).unzip();
    let rows = connection.client().query(&statement, &[&groups, &orders, &initiators, &texts]).await?;
    let mut found: HashMap<(usize, usize), Known> = rows.iter().filter_map(known_of).collect();
    Ok((0..keys.len()).map(|order| found.remove(&(0, order))).collect())
}

fn account_of(row: &Row) -> (AccountId, Account) {
    let figures = Figures {
        debits: row.get(7),
        credits: row.get(8),
        held: row.get(9),
        expected: row.get(10),
        version: row.get(11),
        last_at: row.get(12),
    };
    let account = Account {
        user: row.get(1),
        code: row.get(2),
        tier: row.get(3),
        frozen: row.get(4),
        floor: row.get(5),
        ceiling: row.get(6),
        figures,
        read: figures,
        place: row.get(13),
    };
    (row.get(0), account)
}

/// The first answer: an operation that was opened is open again in it, and nothing was given back yet.
fn known_of(row: &Row) -> Option<((usize, usize), Known)> {
    let place = (usize::try_from(row.get::<_, i32>(0)).ok()?, usize::try_from(row.get::<_, i32>(1)).ok()?);
    let refusal: Option<&str> = row.get(4);
    let answer = match refusal {
        Some(code) => Answer::Refusal(Refusal::from_stored(code)?),
        None => {
            let mut receipt = receipt_of(row, 5);
            let opened_by_this_key = receipt.id == row.get::<_, Uuid>(2);
            if row.get::<_, bool>(5 + 18) && opened_by_this_key {
                (receipt.status, receipt.settled_at) = (Status::Pending, None);
                (receipt.from.balance, receipt.to.balance) = (None, None);
            }
            receipt.refunded = 0;
            Answer::Receipt(Box::new(receipt))
        }
    };
    let fingerprint: &[u8] = row.get::<_, Option<&[u8]>>(3).unwrap_or_default();
    let fingerprint = Fingerprint(fingerprint.try_into().unwrap_or_default());
    Some((place, Known { id: row.get(2), fingerprint, answer }))
}

/// Reads the columns of [`shown!`] from position `at` on.
pub(crate) fn receipt_of(row: &Row, at: usize) -> Receipt {
    let status = Status::from_stored(row.get::<_, Option<&str>>(at + 2).unwrap_or_default()).unwrap_or(Status::Pending);
    let created_at: DateTime<Utc> = row.get(at + 15);
    let deferred: bool = row.get(at + 18);
    let immediate = (status == Status::Succeeded && !deferred).then_some(created_at);
    let side = |at: usize| Side {
        account: row.get::<_, Option<i64>>(at).unwrap_or_default(),
        user: row.get(at + 1),
        code: row.get(at + 2),
        balance: row.get(at + 3),
    };
    Receipt {
        id: row.get(at),
        kind: Kind::from_stored(row.get(at + 1)).unwrap_or(Kind::Transfer),
        status,
        from: side(at + 3),
        to: side(at + 7),
        amount: row.get(at + 11),
        fee: row.get(at + 12),
        tax: row.get(at + 13),
        note: row.get(at + 14),
        created_at,
        settled_at: row.get::<_, Option<DateTime<Utc>>>(at + 16).or(immediate),
        refunded: row.get(at + 17),
    }
}

fn target_of(row: &Row) -> (i64, TargetState) {
    let hold = row.get::<_, Option<i64>>(6).map(|amount| Hold {
        amount,
        fee: row.get(7),
        captured: row.get(8),
        released: row.get(9),
        fee_taken: row.get(10),
        protected: row.get(11),
        expires_at: row.get(12),
    });
    let settled =
        match (row.get::<_, Option<DateTime<Utc>>>(3), row.get::<_, Option<i64>>(4), row.get::<_, Option<i64>>(5)) {
            (Some(at), Some(from), Some(to)) => Some((at, from, to)),
            _ => None,
        };
    let status = Status::from_stored(row.get::<_, Option<&str>>(1).unwrap_or_default()).unwrap_or(Status::Pending);
    (row.get(0), TargetState { status, refunded: row.get(2), hold, settled })
}

fn counter_of(row: &Row) -> Option<((AccountId, NaiveDate, Kind, Window), Counter)> {
    let key = (row.get(0), row.get(1), Kind::from_stored(row.get(2))?, Window::from_stored(row.get(3))?);
    Some((key, Counter { moved: row.get(4), reserved: row.get(5), count: row.get(6) }))
}

fn subject_of(row: &Row) -> (Uuid, Subject) {
    let state = if row.get::<_, &str>(1) == "utilise" { Subject::Used } else { Subject::Closed };
    (row.get(0), state)
}

/// A row that is not understood is a limit of zero, not no limit.
pub(crate) fn rules_of(rows: &[Row]) -> Rules {
    let mut rules = Rules::default();
    let mut last = None;
    for row in rows {
        let kind = row.get::<_, Option<&str>>(4).and_then(Kind::from_stored);
        if row.get::<_, i32>(0) == 0 {
            let window = row.get::<_, Option<&str>>(5).and_then(Window::from_stored);
            let measure = match (row.get::<_, &str>(3), kind, window) {
                ("operation", Some(kind), None) => Measure::Operation(kind),
                ("cumul", Some(kind), Some(window)) => Measure::Sum(kind, window),
                ("nombre", Some(kind), Some(window)) => Measure::Count(kind, window),
                _ => Measure::Balance,
            };
            let tier = i16::try_from(row.get::<_, i32>(2)).unwrap_or_default();
            rules.limits.push(Limit { tier, measure, maximum: row.get(6), since: row.get(11) });
            continue;
        }
        let Some(kind) = kind else { continue };
        let id: i32 = row.get(1);
        if last.replace(id) != Some(id) {
            rules.schedules.push(Schedule {
                kind,
                provider: row.get::<_, Option<&str>>(3).unwrap_or_default().to_owned(),
                minimum: row.get::<_, Option<i64>>(7).unwrap_or_default(),
                maximum: row.get(6),
                tax_bp: i64::from(row.get::<_, i32>(2)),
                brackets: Vec::new(),
            });
        }
        if let Some(schedule) = rules.schedules.last_mut() {
            let part = |at: usize| row.get::<_, Option<i64>>(at).unwrap_or_default();
            schedule.brackets.push(Bracket { from: part(8), fixed: part(9), rate_bp: part(10) });
        }
    }
    rules
}
