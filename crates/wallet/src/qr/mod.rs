//! Codes that ask for money: showing one's own, reading somebody's, paying.

mod api;
pub mod emv;
pub mod image;
mod model;
mod store;

use chrono::{DateTime, TimeDelta, Utc};
use identity::session::Account;
use kernel::http::IdempotencyKey;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::WalletError;
use crate::account::Row as AccountRow;
use crate::house::{Core, Wallet};
use crate::ledger::{Action, Command, Effect, Kind, Movement, Party, Refusal, Tariff};
use crate::operation::{Asked, Transaction, fingerprint, note};
use crate::people::Counterparty;

use api::{CodeOrder, Decoded, PaymentOrder};
pub(crate) use api::{QrCode, routes};
use emv::{Code, Payee, Scanned};
use model::{State, Target};

/// The code of an account: the same text whenever it is asked for, as long as its owner keeps the name.
pub(crate) async fn own(wallet: &Wallet, connection: &mut PgConnection, id_user: i32) -> Result<QrCode, WalletError> {
    let row = wallet.own_account(connection, id_user).await?;
    let shown = wallet.person(connection, id_user).await?;
    Ok(QrCode::fixed(row.public_id, model::written(&row, &shown, None, None)?))
}

/// Makes a code for one request.
pub(crate) async fn create(wallet: &Wallet, account: &Account, order: &CodeOrder) -> Result<QrCode, WalletError> {
    let now = wallet.clock.now();
    let note = note(order.note.as_deref())?;
    let expires = order.expires_in.map(|seconds| expiry(seconds, now)).transpose()?;
    let mut connection = wallet.db.write.acquire().await?;
    let row = wallet.own_account(&mut connection, account.id_user).await?;
    let shown = wallet.person(&mut connection, account.id_user).await?;
    let id = kernel::new_id(&wallet.clock, &wallet.random);
    let amount = order.amount.map(kernel::Francs::get);
    let made = store::QrRow {
        public_id: id,
        id_user: account.id_user,
        id_compte: row.id_compte,
        payload: model::written(&row, &shown, Some(id), amount)?,
        montant: amount,
        note,
        usage_unique: order.single_use.unwrap_or(false),
        expire_le: expires,
        ferme_le: None,
        usage: None,
    };
    store::insert(&mut connection, &made, now).await?;
    Ok(QrCode::of(made, now))
}

/// One's own code by its id; the account's id is that of its fixed code.
pub(crate) async fn show(wallet: &Wallet, account: &Account, id: Option<Uuid>) -> Result<QrCode, WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    let fixed = own(wallet, &mut connection, account.id_user).await?;
    match id {
        None => Ok(fixed),
        Some(id) if id == fixed.id => Ok(fixed),
        Some(id) => {
            let row = store::by_id(&mut connection, id).await?.filter(|row| row.id_user == account.id_user);
            Ok(QrCode::of(row.ok_or(WalletError::NotFound)?, wallet.clock.now()))
        }
    }
}

/// Closes a code: from now on nobody pays it.
pub(crate) async fn close(wallet: &Wallet, account: &Account, id: Uuid) -> Result<QrCode, WalletError> {
    let now = wallet.clock.now();
    let mut connection = wallet.db.write.acquire().await?;
    let row = store::by_id(&mut connection, id).await?.filter(|row| row.id_user == account.id_user);
    let row = row.ok_or(WalletError::NotFound)?;
    if row.usage_unique {
        // Whoever is first, the payment or this, wins in the ledger's own row.
        wallet.ledger.close_subject(id).await?;
    }
    store::close(&mut connection, id, now).await?;
    let row = store::by_id(&mut connection, id).await?.ok_or(WalletError::NotFound)?;
    Ok(QrCode::of(row, now))
}

/// What a scanned text asks for, resolved to an account of ours.
#[derive(Debug)]
pub(crate) struct ScannedCode {
    /// What may be shown of who is paid.
    pub(crate) payee: Counterparty,
    target: Target,
    code: Code,
}

/// Reads a text and finds out whom it pays.
pub(crate) async fn scan(wallet: &Wallet, payload: &str) -> Result<ScannedCode, WalletError> {
    let code = match emv::read(payload).map_err(WalletError::QrDamaged)? {
        Scanned::Code(code) => code,
        Scanned::Foreign(foreign) => return Err(WalletError::QrForeign(foreign.name().to_owned())),
    };
    let mut connection = wallet.db.write.acquire().await?;
    let target = wallet.target(&mut connection, payload.trim(), &code).await?;
    let payee = wallet.person(&mut connection, target.id_user).await?;
    Ok(ScannedCode { payee, target, code })
}

impl Core {
    async fn target(&self, connection: &mut PgConnection, payload: &str, code: &Code) -> Result<Target, WalletError> {
        match &code.payee {
            Payee::Hostolink { account, code: Some(id) } => {
                let id = Uuid::try_parse(id).map_err(|_| WalletError::PayeeUnknown)?;
                let row = store::by_id(connection, id).await?.ok_or(WalletError::PayeeUnknown)?;
                // Another amount or account around a real code's id is a forgery, whatever its checksum says.
                if row.payload != payload || account.is_empty() {
                    return Err(WalletError::QrDamaged(emv::Damage::Altered));
                }
                Ok(Target::of(row, self.clock.now()))
            }
            Payee::Hostolink { account, code: None } => {
                let id = Uuid::try_parse(account).map_err(|_| WalletError::PayeeUnknown)?;
                let (account, user) = self.account_by_id(connection, id).await?.ok_or(WalletError::PayeeUnknown)?;
                Ok(Target::fixed(account, user, code.amount))
            }
            Payee::PiSpi { alias } => {
                let known = store::by_alias(connection, alias).await?;
                let (account, user) = known.ok_or_else(|| WalletError::QrForeign("pi_spi".to_owned()))?;
                Ok(Target::fixed(account, user, code.amount))
            }
            Payee::Other { network } => Err(WalletError::QrForeign(network.clone())),
        }
    }
}

/// What a scanned text says, for the screen before the payment.
pub(crate) async fn decode(wallet: &Wallet, payload: &str) -> Result<Decoded, WalletError> {
    let ScannedCode { payee, target, code } = scan(wallet, payload).await?;
    Ok(Decoded::of(payee, target, &code))
}

/// Pays what a scanned text asks for.
pub(crate) async fn pay(
    wallet: &Wallet,
    account: &Account,
    key: &IdempotencyKey,
    order: &PaymentOrder,
) -> Result<(Transaction, bool), WalletError> {
    let fingerprint = fingerprint("POST /payments/qr", order)?;
    let asked = Asked { account, key, fingerprint, pin: order.pin.as_ref() };
    let mut shown = None;
    let verdict = wallet
        .decide(&asked, async {
            let own_note = note(order.note.as_deref())?;
            let scanned = scan(wallet, &order.payload).await?;
            shown = Some(scanned.payee);
            let target = scanned.target;
            let amount = model::amount(target.amount, order.amount)?;
            if target.state == State::Closed {
                return Err(WalletError::Refused { reason: Refusal::QrClosed, replayed: false });
            }
            let from = Party::User(account.id_user);
            let movement = Movement {
                kind: Kind::QrPayment,
                from: from.clone(),
                to: Party::Account(target.account),
                amount,
                tariff: Tariff::Schedule(None),
            };
            let command = Command::new(from, key.as_str(), fingerprint, Action::Move(movement));
            Ok(Command { note: own_note.or(target.note.clone()), effects: effects(&target), ..command })
        })
        .await?;
    let (receipt, replayed) = verdict.accepted()?;
    let to = wallet.shown_to(&receipt, shown).await?;
    Ok((Transaction::sent(receipt, to), replayed))
}

/// What the ledger checks in the very commit: the date, and that a code for one use is used once.
fn effects(target: &Target) -> Vec<Effect> {
    let late = target.expires.map(|deadline| Effect::Before { deadline, late: Refusal::QrExpired });
    let once =
        target.single_use.map(|subject| Effect::UseOnce { subject, used: Refusal::QrUsed, closed: Refusal::QrClosed });
    late.into_iter().chain(once).collect()
}

/// Bounds of a code's life, in seconds: a minute to a year.
const LIFE_S: std::ops::RangeInclusive<i64> = 60..=366 * 24 * 3600;

fn expiry(seconds: i64, now: DateTime<Utc>) -> Result<DateTime<Utc>, WalletError> {
    if !LIFE_S.contains(&seconds) {
        return Err(WalletError::Field("expiresIn", "out_of_range"));
    }
    Ok(now + TimeDelta::seconds(seconds))
}

/// The text of an account's fixed code, for cards and the dashboard.
pub(crate) fn fixed_payload(row: &AccountRow, shown: &Counterparty) -> Result<String, WalletError> {
    model::written(row, shown, None, None)
}

#[cfg(test)]
mod tests;
