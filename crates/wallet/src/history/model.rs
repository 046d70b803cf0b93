use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::Timestamp;
use kernel::money::CURRENCY;
use serde::{Deserialize, Serialize};

use super::store::Row;
use crate::ledger::{Kind, Status};
use crate::operation::{Direction, Transaction};
use crate::people::{Counterparty, system};

/// Where a page ended, in each of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cursor {
    /// Postings below this version are still to come.
    #[serde(rename = "v")]
    pub(crate) version: i64,
    /// Opened operations below this id are still to come.
    #[serde(rename = "o")]
    pub(crate) operation: i64,
}

impl Cursor {
    /// Before the newest.
    pub(crate) const START: Self = Self { version: i64::MAX, operation: i64::MAX };
}

/// What of the history is wanted; absent: all of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) kind: Option<Kind>,
    pub(crate) direction: Option<Direction>,
    pub(crate) status: Option<&'static str>,
    pub(crate) from: Option<DateTime<Utc>>,
    pub(crate) to: Option<DateTime<Utc>>,
}

impl Filter {
    /// `transaction.nature` that is wanted.
    pub(super) fn nature(&self) -> Option<&'static str> {
        self.kind.map(Kind::stored)
    }

    /// Whether the account has to be the payer.
    pub(super) fn outgoing(&self) -> Option<bool> {
        self.direction.map(|direction| direction == Direction::Out)
    }
}

/// Two streams, each newest first, as one; with each row the cursor behind it.
pub(super) fn merge(posted: Vec<Row>, opened: Vec<Row>, from: Cursor) -> Vec<(Row, Cursor)> {
    let mut merged = Vec::with_capacity(posted.len() + opened.len());
    let (mut posted, mut opened) = (posted.into_iter().peekable(), opened.into_iter().peekable());
    let mut cursor = from;
    loop {
        let newer_posted = match (posted.peek(), opened.peek()) {
            (Some(a), Some(b)) => a.date >= b.date,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return merged,
        };
        let next = if newer_posted { posted.next() } else { opened.next() };
        let Some(row) = next else { return merged };
        if newer_posted {
            cursor.version = row.version.unwrap_or(cursor.version);
        } else {
            cursor.operation = row.id_transaction;
        }
        merged.push((row, cursor));
    }
}

/// A row as the account's owner sees it.
pub(super) fn shown(row: Row, account: i64, people: &HashMap<i32, Counterparty>) -> Transaction {
    let outgoing = row.is_payer(account);
    let (user, code) = row.other(account);
    let mut counterparty = match user {
        Some(id) => people.get(&id).cloned().unwrap_or_else(|| system(None)),
        None => system(code),
    };
    if let Some(masked) = &row.compte_masque {
        counterparty.masked_identifier.clone_from(masked);
    }
    let status = Status::from_stored(&row.statut);
    Transaction {
        id: row.public_id,
        kind: Kind::from_stored(&row.nature).map_or("transfer", Kind::api),
        // A word of the first backend that nobody knows is no success.
        status: status.map_or("pending", Status::api),
        direction: if outgoing { Direction::Out } else { Direction::In },
        amount: row.montant,
        fee: if outgoing { row.frais } else { 0 },
        currency: CURRENCY,
        counterparty,
        note: row.note,
        created_at: row.date.into(),
        settled_at: row.regle_le.map(Timestamp::from),
        balance_after: if outgoing { row.solde_expediteur } else { row.solde_recepteur },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn row(second: i64, version: Option<i64>, id: i64) -> Row {
        Row {
            id_transaction: id,
            public_id: Uuid::from_u128(id as u128),
            nature: "transfert".into(),
            statut: "reussie".into(),
            montant: 100,
            frais: 5,
            note: None,
            date: DateTime::from_timestamp(second, 0).unwrap(),
            regle_le: None,
            expediteur: Some(1),
            user_expediteur: Some(10),
            user_recepteur: Some(20),
            code_expediteur: None,
            code_recepteur: None,
            solde_expediteur: Some(50),
            solde_recepteur: Some(700),
            compte_masque: None,
            version,
        }
    }

    #[test]
    fn streams_are_merged_by_time_and_each_keeps_its_place() {
        let posted = vec![row(9, Some(3), 100), row(5, Some(2), 90), row(1, Some(1), 80)];
        let opened = vec![row(7, None, 95), row(2, None, 70)];
        let merged = merge(posted, opened, Cursor::START);
        let order: Vec<i64> = merged.iter().map(|(row, _)| row.id_transaction).collect();
        assert_eq!(order, [100, 95, 90, 70, 80]);
        assert_eq!(merged[1].1, Cursor { version: 3, operation: 95 });
        assert_eq!(merged[4].1, Cursor { version: 1, operation: 70 });
    }

    #[test]
    fn each_party_sees_its_own_side() {
        let people =
            HashMap::from([(20, Counterparty { display_name: "Awa K.".into(), masked_identifier: "m".into() })]);
        let sent = shown(row(1, Some(1), 1), 1, &people);
        assert_eq!((sent.direction, sent.fee, sent.balance_after), (Direction::Out, 5, Some(50)));
        assert_eq!(sent.counterparty.display_name, "Awa K.");
        let received = shown(row(1, Some(1), 1), 2, &people);
        assert_eq!((received.direction, received.fee, received.balance_after), (Direction::In, 0, Some(700)));
        assert_eq!(sent.id, received.id);
    }

    #[test]
    fn an_unknown_word_of_the_first_backend_is_no_success() {
        let old = Row { statut: "VALIDEE ?".into(), ..row(1, None, 1) };
        assert_eq!(shown(old, 1, &HashMap::new()).status, "pending");
    }
}
