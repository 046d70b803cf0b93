//! Money in from an operator: asked for here, credited when the operator says that it was paid.

mod api;

use identity::session::Account;
use kernel::http::{IdempotencyKey, Lang};
use providers::Secret;
use uuid::Uuid;

use crate::WalletError;
use crate::house::{Core, Wallet};
use crate::instruction::{self, AtOperator, NextAction, Row, Side, Wish};
use crate::ledger::{Kind, Receipt};
use crate::operation::{Asked, Transaction, fingerprint};
use crate::people::Counterparty;
use crate::provider::{self, ProviderCode};

use api::DepositOrder;
pub(crate) use api::{Started, StartedAnswer, routes, started};

/// Asks an operator to collect. The transaction is pending; what the customer has to do comes with it.
pub(crate) async fn start(
    wallet: &Wallet,
    account: &Account,
    key: &IdempotencyKey,
    order: &DepositOrder,
    lang: Lang,
) -> Result<(Started, bool), WalletError> {
    let fingerprint = fingerprint("POST /deposits", order)?;
    let asked = Asked { account, key, fingerprint, pin: None };
    let mut there = false;
    let verdict = match wallet.known(&asked).await? {
        Some(known) => known,
        None => {
            let mut wish = wish(wallet, Side::Deposit, order.provider, order.amount, &order.account).await?;
            let way = |coded| wallet.ways(order.provider).any(|way| way.collect.is_some() && way.needs_code == coded);
            if order.with_code && !way(true) {
                return Err(WalletError::Rule("wallet.code_not_offered"));
            }
            match &mut wish.at {
                // A bank is asked by alias only: an account number cannot be debited.
                AtOperator::Iban(_) => return Err(WalletError::Rule("wallet.bank_alias_needed")),
                // The acquirer ties cards to their payer, whom it knows by a name that tells nothing.
                AtOperator::Card(payer) => *payer = account.public_id.to_string(),
                AtOperator::Phone(_) | AtOperator::Alias(_) => {}
            }
            wish.with_code = order.with_code || !way(false);
            let (command, known) = instruction::plan(wallet, account, key, fingerprint, &wish).await?;
            there = known;
            wallet.ledger.post(command).await?
        }
    };
    let (receipt, replayed, row) = instruction::after(wallet, account, key, verdict, there).await?;
    Ok((told(wallet, receipt, &row, lang).await?, replayed))
}

/// Somebody's own deposit and what is left to do for it.
pub(crate) async fn show(wallet: &Wallet, account: &Account, id: Uuid, lang: Lang) -> Result<Started, WalletError> {
    let row = instruction::own(wallet, account, id).await?;
    let receipt = wallet.ledger.operation(id).await?.ok_or(WalletError::NotFound)?;
    told(wallet, receipt, &row, lang).await
}

/// Hands the code on that the customer got from the operator.
pub(crate) async fn give_code(
    wallet: &Wallet,
    account: &Account,
    id: Uuid,
    code: &str,
    lang: Lang,
) -> Result<Started, WalletError> {
    let row = instruction::own(wallet, account, id).await?;
    let plain = (4..=10).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit());
    if !plain {
        return Err(WalletError::Field("code", "invalid"));
    }
    if !instruction::send_code(wallet, row.id, Secret::new(code)).await? {
        return Err(WalletError::Conflict("wallet.no_code_expected"));
    }
    show(wallet, account, id, lang).await
}

/// Checks what is asked for against what the provider takes.
pub(crate) async fn wish(
    wallet: &Wallet,
    side: Side,
    provider: ProviderCode,
    amount: kernel::Francs,
    account: &str,
) -> Result<Wish, WalletError> {
    let product = provider::product(wallet, provider).await?;
    if !wallet.serves(provider, side) || !product.active {
        return Err(WalletError::ProviderUnavailable);
    }
    let at = AtOperator::parse(account, product.format, &wallet.config.countries)?;
    let kind = if side == Side::Deposit { Kind::Deposit } else { Kind::Withdrawal };
    product.accepts(kind, amount)?;
    Ok(Wish { side, provider, amount, at, with_code: false })
}

/// The answer to who asked for a deposit or a withdrawal.
pub(crate) async fn told(wallet: &Wallet, receipt: Receipt, row: &Row, lang: Lang) -> Result<Started, WalletError> {
    let name = provider::label(&row.operateur).unwrap_or("Hostolink");
    let other = Counterparty { display_name: name.to_owned(), masked_identifier: row.compte_masque.clone() };
    let transaction = match row.sens.as_str() {
        "retrait" => Transaction::sent(receipt, other),
        _ => Transaction::received(receipt, other),
    };
    Ok(Started { transaction, next_action: wallet.next_action(row, name, lang) })
}

impl Core {
    fn next_action(&self, row: &Row, provider: &str, lang: Lang) -> Option<NextAction> {
        let action = row.next_action()?;
        let params = [("provider", provider.to_owned())];
        Some(NextAction {
            kind: action.kind,
            url: action.url,
            hint: self.lexicon.sentence(lang, action.kind.hint(), &params),
        })
    }
}

#[cfg(test)]
mod tests;
