use kernel::Francs;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::store::Row;
use crate::WalletError;
use crate::ledger::Kind;
use providers::mobile_money::WalletKind;

/// Who holds the customer's money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderCode {
    OrangeMoney,
    MtnMomo,
    MoovMoney,
    Wave,
    Djamo,
    Bank,
    Card,
}

impl ProviderCode {
    const ALL: [(ProviderCode, &'static str, &'static str); 7] = [
        (ProviderCode::OrangeMoney, "orange_money", "Orange Money"),
        (ProviderCode::MtnMomo, "mtn_momo", "MTN MoMo"),
        (ProviderCode::MoovMoney, "moov_money", "Moov Money"),
        (ProviderCode::Wave, "wave", "Wave"),
        (ProviderCode::Djamo, "djamo", "Djamo"),
        (ProviderCode::Bank, "bank", "Banque"),
        (ProviderCode::Card, "card", "Carte bancaire"),
    ];

    /// As the contract and the tables write it.
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|entry| entry.0 == self).map_or("", |entry| entry.1)
    }

    /// As people call it.
    pub fn label(self) -> &'static str {
        Self::ALL.iter().find(|entry| entry.0 == self).map_or("", |entry| entry.2)
    }

    /// From the tables.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().find(|entry| entry.1 == code).map(|entry| entry.0)
    }

    /// As connectors call it.
    pub fn wallet(self) -> WalletKind {
        match self {
            ProviderCode::OrangeMoney => WalletKind::Orange,
            ProviderCode::MtnMomo => WalletKind::Mtn,
            ProviderCode::MoovMoney => WalletKind::Moov,
            ProviderCode::Wave => WalletKind::Wave,
            ProviderCode::Djamo => WalletKind::Djamo,
            ProviderCode::Bank => WalletKind::Bank,
            ProviderCode::Card => WalletKind::Card,
        }
    }
}

/// The name of an operator by its code in the tables.
pub(crate) fn label(code: &str) -> Option<&'static str> {
    ProviderCode::from_code(code).map(ProviderCode::label)
}

/// How an account at a provider is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// A mobile number.
    Phone,
    /// An IBAN of the union, or an alias of its instant payments; deposits take the alias only.
    Iban,
    /// `nouvelle`: the number is entered on the acquirer's page, never here.
    Card,
}

/// What a provider takes.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    pub(crate) code: ProviderCode,
    pub(crate) label: String,
    pub(crate) format: Format,
    pub(crate) deposit: (i64, i64),
    pub(crate) withdrawal: (i64, i64),
    pub(crate) active: bool,
}

impl Product {
    /// A row of a provider that this program knows.
    pub(super) fn of(row: Row) -> Option<Self> {
        Some(Self {
            code: ProviderCode::from_code(&row.code)?,
            label: row.libelle,
            format: match row.format_compte.as_str() {
                "phone" => Format::Phone,
                "iban" => Format::Iban,
                "card" => Format::Card,
                _ => return None,
            },
            deposit: (row.depot_minimum, row.depot_maximum),
            withdrawal: (row.retrait_minimum, row.retrait_maximum),
            active: row.actif,
        })
    }

    /// Least and most, in francs.
    pub(crate) fn bounds(&self, kind: Kind) -> (i64, i64) {
        if kind == Kind::Deposit { self.deposit } else { self.withdrawal }
    }

    /// Refuses an amount outside of the bounds.
    pub(crate) fn accepts(&self, kind: Kind, amount: Francs) -> Result<(), WalletError> {
        let (minimum, maximum) = self.bounds(kind);
        let fits = (minimum..=maximum).contains(&amount.get());
        if fits { Ok(()) } else { Err(WalletError::ProviderBounds { minimum, maximum }) }
    }
}
