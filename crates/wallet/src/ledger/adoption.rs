//! Balances of the first backend enter the books by opening operations, once: their keys see to that.

use kernel::{Failure, Francs};

use super::command::{Action, Command, Fingerprint, Kind, Movement, Party, Tariff, Together};
use super::{Ledger, LedgerError, MAX_TOGETHER, Verdict};

/// Accounts whose balance has not entered yet. The initiator is a subquery of its own, so that each account costs one look
/// into the index of keys: joined, PostgreSQL compares every account with every operation.
const WAITING: &str = "SELECT c.id_compte, trunc(c.solde_adopte)::bigint FROM compte c \
    WHERE c.id_compte > $1 AND abs(c.solde_adopte) >= 1 AND NOT EXISTS (\
      SELECT FROM transaction t WHERE t.initiateur = (SELECT id_compte FROM compte WHERE code = 'ouverture') \
        AND t.cle = 'adoption:' || c.id_compte) \
    ORDER BY c.id_compte LIMIT $2";

impl Ledger {
    /// Posts the openings that are missing; gives how many. To be called before requests are served.
    pub async fn adopt(&self) -> Result<usize, LedgerError> {
        let (mut last, mut opened) = (0_i64, 0);
        loop {
            let page: Vec<(i64, i64)> =
                sqlx::query_as(WAITING).bind(last).bind(MAX_TOGETHER as i64).fetch_all(&self.db.write).await?;
            let Some(&(end, _)) = page.last() else { return Ok(opened) };
            last = end;
            let commands = page.iter().filter_map(|&(account, balance)| opening(account, balance)).collect();
            for verdict in self.post_many(commands, Together::Each).await? {
                match verdict? {
                    Verdict::Done { .. } => opened += 1,
                    other => {
                        return Err(LedgerError::Failure(Failure::internal(format!(
                            "an opening was answered {other:?}"
                        ))));
                    }
                }
            }
        }
    }
}

/// A fraction of a franc is no money: it stays in `solde_adopte`.
fn opening(account: i64, balance: i64) -> Option<Command> {
    let ouverture = Party::system("ouverture");
    let (from, to) = if balance > 0 {
        (ouverture.clone(), Party::Account(account))
    } else {
        (Party::Account(account), ouverture.clone())
    };
    let amount = Francs::new(balance.abs())?;
    let fingerprint = Fingerprint::of(&[b"adoption", &account.to_be_bytes(), &balance.to_be_bytes()]);
    let movement = Movement { kind: Kind::Opening, from, to, amount, tariff: Tariff::Free };
    Some(Command::new(ouverture, format!("adoption:{account}"), fingerprint, Action::Move(movement)))
}
