//! Money of the first backend: which column holds it, whose it is, and its way into the books.

use anyhow::Context;
use kernel::db::Sizes;
use kernel::{Clock, Db, Francs, Random};
use sqlx::{AssertSqlSafe, PgConnection};
use wallet::ledger::{Action, Command, Fingerprint, Kind, Ledger, LedgerConfig, Movement, Party, Tariff, Verdict};

use super::plan::Plan;
use super::shape::Shape;
use super::sql::quoted;

/// The brief's column.
const BALANCE: &str = "solde_compte";

/// Names that mean a balance. `solde` alone is taken before the others.
const MEANS_BALANCE: [&str; 6] = ["solde", "balance", "montant", "amount", "argent", "credit"];

/// More francs than this, in one account or in all, is a mistake (and would leave the exact range of JSON's numbers).
const MOST_FRANCS: i64 = 9_007_199_254_740_991;

/// Rows that are named one by one in a report.
const NAMED: usize = 20;

/// Accounts in one read.
const PAGE: i64 = 1000;

/// Finds the balance, checks that it is money, and says whose accounts are more than one or nobody's.
pub(super) async fn inspect(connection: &mut PgConnection, shape: &Shape, plan: &mut Plan) -> sqlx::Result<()> {
    let Some(columns) = shape.table("compte") else { return Ok(()) };
    let rows: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM compte)").fetch_one(&mut *connection).await?;
    let numeric: Vec<&str> =
        columns.iter().filter(|(_, found)| found.number()).map(|(name, _)| name.as_str()).collect();
    let text =
        columns.iter().find(|(name, found)| !found.number() && (name.contains("solde") || name.contains("balance")));
    let balance = match choose(&numeric) {
        Choice::None | Choice::Unclear if rows && let Some((name, found)) = text => {
            plan.report.block(format!("compte.{name} is of the type {}: a balance has to be a number", found.sql_type));
            return Ok(());
        }
        Choice::One(balance) => balance,
        Choice::None => {
            plan.report.note("compte has no column that could be a balance: accounts start at 0");
            return Ok(());
        }
        Choice::Unclear if !rows => return Ok(()),
        Choice::Unclear => {
            let names = free(&numeric);
            plan.report.block(format!(
                "compte has no column {BALANCE}, and which of {} is the balance is not clear: rename that one (ALTER TABLE compte RENAME COLUMN … TO {BALANCE})",
                names.join(", ")
            ));
            return Ok(());
        }
    };
    if balance != BALANCE {
        plan.before.push(format!("UPDATE compte SET {BALANCE} = {}::numeric", quoted(balance)));
        plan.before.push(format!(
            "COMMENT ON COLUMN compte.{} IS 'Solde trouvé lors de la reprise ; il n''est plus tenu : voir {BALANCE}'",
            quoted(balance)
        ));
        plan.report
            .note(format!("compte.{balance} is the balance: it is copied to {BALANCE}, and kept as it was found"));
    }
    if rows {
        amounts(connection, balance, plan).await?;
    }
    if columns.contains_key("id_compte") && columns.contains_key("id_user") {
        owners(connection, shape, balance, plan).await?;
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Choice<'a> {
    One(&'a str),
    /// There is no number but ids.
    None,
    /// There are numbers, and not exactly one of them is called like a balance.
    Unclear,
}

fn choose<'a>(numeric: &[&'a str]) -> Choice<'a> {
    let free = free(numeric);
    if let Some(exact) = [BALANCE, "solde"].iter().find_map(|known| free.iter().find(|name| *name == known)) {
        return Choice::One(exact);
    }
    let like: Vec<&'a str> = free
        .iter()
        .copied()
        .filter(|name| MEANS_BALANCE.iter().any(|meaning| name.to_lowercase().contains(meaning)))
        .collect();
    match (like.as_slice(), free.is_empty()) {
        ([one], _) => Choice::One(one),
        (_, true) => Choice::None,
        _ => Choice::Unclear,
    }
}

/// Numbers that are no ids.
fn free<'a>(numeric: &[&'a str]) -> Vec<&'a str> {
    numeric.iter().copied().filter(|name| !name.starts_with("id_") && *name != "id").collect()
}

/// Whole francs of at least 0, or nothing is taken over.
async fn amounts(connection: &mut PgConnection, balance: &str, plan: &mut Plan) -> sqlx::Result<()> {
    let value = format!("{}::numeric", quoted(balance));
    let sql = format!(
        "SELECT ctid::text, {value}::text FROM compte
          WHERE {value} <> trunc({value}) OR {value} < 0 OR {value} > {MOST_FRANCS} ORDER BY ctid LIMIT {NAMED}"
    );
    let broken: Vec<(String, String)> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut *connection).await?;
    for (row, value) in &broken {
        plan.report
            .block(format!("compte, row {row}: the balance {value} is not a whole number of francs of at least 0"));
    }
    let sql = format!("SELECT coalesce(sum({value}), 0) > {MOST_FRANCS} FROM compte");
    if broken.is_empty() && sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *connection).await? {
        plan.report.block("the balances of compte are together more than there can be");
    }
    Ok(())
}

/// People with several accounts, and accounts without a person.
async fn owners(connection: &mut PgConnection, shape: &Shape, balance: &str, plan: &mut Plan) -> sqlx::Result<()> {
    let value = format!("coalesce({}::numeric, 0)", quoted(balance));
    let sql = "SELECT count(*), coalesce(sum(n - 1), 0)::bigint FROM (
                 SELECT count(*) AS n FROM compte WHERE id_user IS NOT NULL GROUP BY id_user HAVING count(*) > 1) several";
    let (people, accounts): (i64, i64) = sqlx::query_as(sql).fetch_one(&mut *connection).await?;
    if people > 0 {
        plan.report.note(format!(
            "{people} people have several accounts: the oldest is the one that is shown, and the money of the other {accounts} moves into it by an operation of its own (ajustement, \"Regroupement de vos comptes\")"
        ));
    }
    let person = match shape.column("utilisateur", "id_user") {
        Some(_) => "NOT EXISTS (SELECT FROM utilisateur u WHERE u.id_user::text = c.id_user::text)",
        None => "true",
    };
    let sql = format!(
        "SELECT c.id_compte::text, {value}::text FROM compte c WHERE {value} <> 0 AND (c.id_user IS NULL OR {person}) ORDER BY c.id_compte LIMIT {}",
        NAMED + 1
    );
    let orphans: Vec<(String, String)> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(connection).await?;
    for (id, francs) in orphans.iter().take(NAMED) {
        plan.report.note(format!("compte {id} belongs to nobody and holds {francs} francs: they enter the books, and a treasurer has to say whose they are"));
    }
    if orphans.len() > NAMED {
        plan.report.note("… and more accounts that belong to nobody");
    }
    Ok(())
}

/// Every balance becomes an opening operation; what a person had in several accounts comes together in the one that is
/// shown. Keys see to it that a second run posts nothing.
pub(super) async fn enter(db: &Db) -> anyhow::Result<()> {
    let config = LedgerConfig { background: false, ..LedgerConfig::default() };
    let ledger = Ledger::start(db, &Clock::system(), &Random::system(), config);
    let opened = ledger.adopt().await.context("opening the accounts")?;
    let gathered = gather(db, &ledger).await.context("bringing the accounts of a person together")?;
    // In the books now: what stays here would hold an emptied account back from its owner's erasure for ever.
    sqlx::query(
        "UPDATE compte c SET solde_adopte = NULL WHERE solde_adopte IS NOT NULL AND EXISTS (
           SELECT FROM transaction t JOIN compte o ON o.id_compte = t.initiateur AND o.code = 'ouverture'
            WHERE t.cle = 'adoption:' || c.id_compte)",
    )
    .execute(&db.write)
    .await?;
    tracing::info!(opened, gathered, "balances of the first backend entered the books");
    Ok(())
}

async fn gather(db: &Db, ledger: &Ledger) -> anyhow::Result<usize> {
    let (mut last, mut gathered) = (0_i64, 0);
    loop {
        let page: Vec<(i64, i64, i64)> = sqlx::query_as(
            "SELECT c.id_compte, p.id_compte, c.solde_compte::bigint FROM compte c JOIN compte p ON p.id_user = c.id_user AND p.principal
              WHERE c.id_compte > $1 AND NOT c.principal AND c.nature = 'client' AND c.solde_compte > 0 ORDER BY c.id_compte LIMIT $2",
        )
        .bind(last)
        .bind(PAGE)
        .fetch_all(&db.write)
        .await?;
        let Some(&(end, ..)) = page.last() else { return Ok(gathered) };
        last = end;
        for (from, to, francs) in page {
            let amount = Francs::new(francs).context("a balance that is no amount")?;
            match ledger.post(gathering(from, to, amount)).await? {
                Verdict::Done { .. } => gathered += 1,
                other => anyhow::bail!("account {from} could not be emptied into account {to}: {other:?}"),
            }
        }
    }
}

fn gathering(from: i64, to: i64, amount: Francs) -> Command {
    let movement = Movement {
        kind: Kind::Adjustment,
        from: Party::Account(from),
        to: Party::Account(to),
        amount,
        tariff: Tariff::Free,
    };
    let fingerprint = Fingerprint::of(&[b"adoption:regroupement", &from.to_be_bytes(), &to.to_be_bytes()]);
    let key = format!("adoption:regroupement:{from}");
    Command {
        note: Some("Regroupement de vos comptes".to_owned()),
        ..Command::new(Party::system("ouverture"), key, fingerprint, Action::Move(movement))
    }
}

/// Balances are posted over a driver of its own, which reads addresses more strictly: it has to reach the database before
/// anything is changed.
pub(super) async fn reach(url: &str) -> anyhow::Result<()> {
    let address = "write the folder of a socket into the address itself: postgres://user@%2Frun%2Fpostgresql/database";
    pools(url)?
        .hot
        .client()
        .await
        .map(drop)
        .with_context(|| format!("DATABASE_URL is not understood everywhere ({address})"))
}

/// The pools of this step: a few connections for a short time.
pub(super) fn pools(url: &str) -> anyhow::Result<Db> {
    Ok(Db::connect(url, Sizes { write: 2, read: 1, hot: 1 })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_balance_is_the_one_number_called_like_it() {
        for (columns, expected) in [
            (&["id_compte", "id_user", "solde", "solde_compte"][..], Choice::One("solde_compte")),
            (&["id_compte", "montant", "solde"], Choice::One("solde")),
            (&["id_compte", "soldeActuel", "version"], Choice::One("soldeActuel")),
            (&["id", "balance"], Choice::One("balance")),
            (&["id_compte", "solde_reel", "solde_disponible"], Choice::Unclear),
            (&["id_compte", "version"], Choice::Unclear),
            (&["id_compte", "id_user"], Choice::None),
        ] {
            assert_eq!(choose(columns), expected, "{columns:?}");
        }
    }
}
