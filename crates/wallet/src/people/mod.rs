//! The other side of a payment: who is paid under an identifier, and what may be shown of a person.

mod store;

use std::collections::HashMap;

use identity::Found;
use kernel::{Failure, Identifier};
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::WalletError;
use crate::house::Core;
use crate::ledger::Side;

/// What a payer and a payee see of each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counterparty {
    /// First name and initial; the masked identifier of who gave no name.
    #[schema(examples("Awa K."))]
    pub display_name: String,
    /// Enough to be recognised, not enough to be called.
    #[schema(examples("+225 07 ** ** ** 42"))]
    pub masked_identifier: String,
}

/// Somebody who can be paid.
#[derive(Clone, Debug)]
pub(crate) struct Payee {
    pub(crate) id_user: i32,
    pub(crate) shown: Counterparty,
}

impl Core {
    /// Who is paid under this identifier. One that was not proved catches no money as long as the account's other one
    /// is proved: anybody can write a neighbour's number into a profile.
    pub(crate) async fn payee(&self, field: &'static str, text: &str) -> Result<Payee, WalletError> {
        let identifier = Identifier::parse(text, &self.config.countries)
            .map_err(|refused| WalletError::Field(field, refused.code()))?;
        let found = self.identity.find(&identifier).await?.filter(can_be_paid).ok_or(WalletError::PayeeUnknown)?;
        let masked = identifier.masked();
        let shown = Counterparty {
            display_name: display_name(found.first_name.as_deref(), found.last_name.as_deref(), &masked),
            masked_identifier: masked,
        };
        Ok(Payee { id_user: found.id_user, shown })
    }

    /// What may be shown of these people.
    pub(crate) async fn people(
        &self,
        connection: &mut PgConnection,
        ids: &[i32],
    ) -> Result<HashMap<i32, Counterparty>, Failure> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = store::people(connection, ids).await?;
        Ok(rows.into_iter().map(|row| (row.id_user, self.shown(row))).collect())
    }

    /// What may be shown of one person.
    pub(crate) async fn person(&self, connection: &mut PgConnection, id_user: i32) -> Result<Counterparty, Failure> {
        Ok(self.people(connection, &[id_user]).await?.remove(&id_user).unwrap_or_else(gone))
    }

    /// What may be shown of one side of an operation.
    pub(crate) async fn side(&self, connection: &mut PgConnection, side: &Side) -> Result<Counterparty, Failure> {
        match side.user {
            Some(id_user) => self.person(connection, id_user).await,
            None => Ok(system(side.code.as_deref())),
        }
    }

    fn shown(&self, row: store::Row) -> Counterparty {
        if row.supprime {
            return gone();
        }
        let masked = match row.best_identifier() {
            Some(text) => Identifier::parse(text, &self.config.countries).map(|identifier| identifier.masked()),
            None => Ok(String::new()),
        };
        // A number of a country that is no longer served cannot be read any more: show nothing of it.
        let masked = masked.unwrap_or_default();
        Counterparty {
            display_name: display_name(row.prenom.as_deref(), row.nom.as_deref(), &masked),
            masked_identifier: masked,
        }
    }
}

fn can_be_paid(found: &Found) -> bool {
    found.verified || !found.other_verified
}

/// Somebody who left.
fn gone() -> Counterparty {
    Counterparty { display_name: "Compte supprimé".to_owned(), masked_identifier: String::new() }
}

/// A system account as people read it: the operator's name, or ours.
pub(crate) fn system(code: Option<&str>) -> Counterparty {
    let operator = code.and_then(|code| code.split(':').nth(1)).and_then(crate::provider::label);
    Counterparty { display_name: operator.unwrap_or("Hostolink").to_owned(), masked_identifier: String::new() }
}

/// "Awa K."; the family name alone when there is no other; the masked identifier when there is no name at all.
fn display_name(first: Option<&str>, last: Option<&str>, masked: &str) -> String {
    let written = |name: Option<&str>| name.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    match (written(first), written(last)) {
        (Some(first), Some(last)) => match last.chars().next() {
            Some(initial) => format!("{first} {}.", initial.to_uppercase()),
            None => first,
        },
        (Some(name), None) | (None, Some(name)) => name,
        (None, None) => masked.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shortened_and_never_empty() {
        assert_eq!(display_name(Some("Awa"), Some("koné"), "m"), "Awa K.");
        assert_eq!(display_name(Some(" "), Some("Koné"), "m"), "Koné");
        assert_eq!(display_name(None, Some(""), "+225 07 ** ** ** 42"), "+225 07 ** ** ** 42");
    }

    #[test]
    fn system_accounts_have_names() {
        assert_eq!(system(Some("flottant:wave")).display_name, "Wave");
        assert_eq!(system(Some("frais:transfert")).display_name, "Hostolink");
    }
}
