use chrono::{DateTime, Utc};
use kernel::{Failure, Francs};
use uuid::Uuid;

use super::emv::{self, Code, Payee};
use super::store::QrRow;
use crate::WalletError;
use crate::account::Row as AccountRow;
use crate::people::Counterparty;

/// Where every account of ours is at home; codes have to name a city.
const CITY: &str = "ABIDJAN";
const COUNTRY: &str = "CI";

/// How a code stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Active,
    Used,
    Closed,
    Expired,
}

impl State {
    /// As answers name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Used => "used",
            State::Closed => "closed",
            State::Expired => "expired",
        }
    }

    /// What happened first decides: a code that was used does not expire any more.
    pub(crate) fn of(row: &QrRow, now: DateTime<Utc>) -> Self {
        match row.usage.as_deref() {
            Some("utilise") => State::Used,
            Some(_) => State::Closed,
            None if row.ferme_le.is_some() => State::Closed,
            None if row.expire_le.is_some_and(|at| at <= now) => State::Expired,
            None => State::Active,
        }
    }
}

/// Whom a code pays, and on what terms.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) account: i64,
    pub(crate) id_user: i32,
    pub(crate) amount: Option<i64>,
    pub(crate) note: Option<String>,
    /// The subject that is used up, for a code of one use.
    pub(crate) single_use: Option<Uuid>,
    pub(crate) expires: Option<DateTime<Utc>>,
    pub(crate) state: State,
}

impl Target {
    /// A code of a single request.
    pub(crate) fn of(row: QrRow, now: DateTime<Utc>) -> Self {
        Self {
            account: row.id_compte,
            id_user: row.id_user,
            amount: row.montant,
            single_use: row.usage_unique.then_some(row.public_id),
            expires: row.expire_le,
            state: State::of(&row, now),
            note: row.note,
        }
    }

    /// The code of an account.
    pub(crate) fn fixed(account: i64, id_user: i32, amount: Option<i64>) -> Self {
        Self { account, id_user, amount, note: None, single_use: None, expires: None, state: State::Active }
    }
}

/// The code's amount wins; another one in the request is refused, none in both is a missing field.
pub(crate) fn amount(of_code: Option<i64>, of_request: Option<Francs>) -> Result<Francs, WalletError> {
    match (of_code, of_request) {
        (Some(code), Some(request)) if request.get() != code => Err(WalletError::QrAmount { asked: code }),
        (Some(code), _) => Francs::new(code).ok_or(WalletError::QrDamaged(emv::Damage::Amount)),
        (None, Some(request)) => Ok(request),
        (None, None) => Err(WalletError::Field("amount", "required")),
    }
}

/// The text of a code: fixed for an account, or of one request.
pub(crate) fn written(
    row: &AccountRow,
    shown: &Counterparty,
    id: Option<Uuid>,
    amount: Option<i64>,
) -> Result<String, WalletError> {
    // Whoever gave no name is shown by a masked identifier, which no printed code should carry.
    let named = shown.display_name != shown.masked_identifier;
    let code = Code {
        payee: Payee::Hostolink {
            account: row.public_id.simple().to_string(),
            code: id.map(|id| id.simple().to_string()),
        },
        amount,
        country: COUNTRY.to_owned(),
        name: if named { emv::printed_name(&shown.display_name) } else { "HOSTOLINK".to_owned() },
        city: CITY.to_owned(),
        reference: None,
        dynamic: id.is_some(),
    };
    emv::write(&code).ok_or_else(|| Failure::internal("a code that cannot be written").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_amount_wins() {
        let francs = |value| Francs::new(value);
        assert_eq!(amount(Some(1500), None).unwrap().get(), 1500);
        assert_eq!(amount(Some(1500), francs(1500)).unwrap().get(), 1500);
        assert_eq!(amount(None, francs(700)).unwrap().get(), 700);
        assert!(matches!(amount(Some(1500), francs(1499)), Err(WalletError::QrAmount { asked: 1500 })));
        assert!(matches!(amount(None, None), Err(WalletError::Field("amount", "required"))));
    }
}
