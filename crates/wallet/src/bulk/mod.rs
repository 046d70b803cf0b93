//! Many payments in one request: wages, allowances. All or nothing, or each for itself.

mod api;
mod store;

use futures_util::future::join_all;
use identity::session::Account;
use kernel::Failure;
use kernel::http::IdempotencyKey;
use uuid::Uuid;

use crate::WalletError;
use crate::house::Wallet;
use crate::ledger::{Action, Command, Fingerprint, Kind, LedgerError, Movement, Party, Tariff, Together, Verdict};
use crate::operation::{Asked, Transaction, fingerprint, note};
use crate::people::Payee;

pub(crate) use api::routes;
use api::{BulkItem, BulkOrder, BulkResult, ItemResult};

/// Payments of one group.
pub(crate) const MAX_ITEMS: usize = crate::ledger::MAX_TOGETHER;
/// Payees that are looked for at once.
const FIND_AT_ONCE: usize = 64;

/// Pays a group. A repeat finds the group and what became of it, also after a crash in the middle: the payments have keys
/// that follow from the group's id.
pub(crate) async fn pay(
    wallet: &Wallet,
    account: &Account,
    key: &IdempotencyKey,
    order: &BulkOrder,
) -> Result<(BulkResult, bool), WalletError> {
    if !(1..=MAX_ITEMS).contains(&order.items.len()) {
        return Err(WalletError::Field("items", "out_of_range"));
    }
    let fingerprint = fingerprint("POST /transfers/bulk", order)?;
    let asked = Asked { account, key, fingerprint, pin: order.pin.as_ref() };
    if let Some(group) = store::by_key(&mut *wallet.db.write.acquire().await?, account.id_user, key.as_str()).await? {
        if group.empreinte != fingerprint.0 {
            return Err(WalletError::KeyReused);
        }
        let result = match group.reponse {
            Some(stored) => serde_json::from_value(stored).map_err(Failure::internal)?,
            None => carry_out(wallet, account, group.id, order).await?,
        };
        return Ok((result, true));
    }
    // A key that paid something else belongs to that.
    if wallet.known(&asked).await?.is_some() {
        return Err(WalletError::KeyReused);
    }
    wallet.confirmed(&asked).await?;
    for item in &order.items {
        note(item.note.as_deref())?;
    }
    let group = store::Group {
        id: kernel::new_id(&wallet.clock, &wallet.random),
        empreinte: fingerprint.0.to_vec(),
        reponse: None,
    };
    let total = order.items.iter().map(|item| item.amount.get()).sum();
    let count = i32::try_from(order.items.len()).map_err(Failure::internal)?;
    let new = store::New { id_user: account.id_user, key: key.as_str(), linked: order.all_or_nothing(), count, total };
    let mut connection = wallet.db.write.acquire().await?;
    if !store::insert(&mut connection, &group, &new, wallet.clock.now()).await? {
        // A twin of this request is at work.
        return Err(WalletError::Conflict("wallet.still_running"));
    }
    drop(connection);
    Ok((carry_out(wallet, account, group.id, order).await?, false))
}

async fn carry_out(
    wallet: &Wallet,
    account: &Account,
    group: Uuid,
    order: &BulkOrder,
) -> Result<BulkResult, WalletError> {
    let mut payees: Vec<Result<Payee, WalletError>> = Vec::with_capacity(order.items.len());
    for some in order.items.chunks(FIND_AT_ONCE) {
        payees.extend(join_all(some.iter().map(|item| wallet.payee("to", &item.to))).await);
    }
    if let Some(failure) = payees.iter().find_map(|payee| match payee {
        Err(error @ WalletError::Failure(_)) => Some(error.clone()),
        _ => None,
    }) {
        return Err(failure);
    }
    let result = if order.all_or_nothing() && payees.iter().any(Result::is_err) {
        refused(group, order, &payees)
    } else {
        posted(wallet, account, group, order, payees).await?
    };
    let stored = serde_json::to_value(&result).map_err(Failure::internal)?;
    store::answered(&mut *wallet.db.write.acquire().await?, group, &stored).await?;
    Ok(result)
}

/// One payee who cannot be paid refuses a group that is all or nothing.
fn refused(group: Uuid, order: &BulkOrder, payees: &[Result<Payee, WalletError>]) -> BulkResult {
    let items = payees.iter().enumerate().map(|(index, payee)| match payee {
        Ok(_) => ItemResult::failed(index, "wallet.linked_refused"),
        Err(error) => ItemResult::failed(index, reason(error)),
    });
    BulkResult::of(group, order, items.collect())
}

async fn posted(
    wallet: &Wallet,
    account: &Account,
    group: Uuid,
    order: &BulkOrder,
    payees: Vec<Result<Payee, WalletError>>,
) -> Result<BulkResult, WalletError> {
    let mut commands = Vec::new();
    for (index, (item, payee)) in order.items.iter().zip(&payees).enumerate() {
        if let Ok(payee) = payee {
            commands.push(command(account.id_user, group, index, item, payee)?);
        }
    }
    let together = if order.all_or_nothing() { Together::Linked } else { Together::Each };
    let verdicts = if commands.is_empty() { Vec::new() } else { wallet.ledger.post_many(commands, together).await? };
    let mut verdicts = verdicts.into_iter();
    let mut items = Vec::with_capacity(order.items.len());
    for (index, payee) in payees.into_iter().enumerate() {
        let item = match payee {
            Err(error) => ItemResult::failed(index, reason(&error)),
            Ok(payee) => match verdicts.next() {
                Some(Ok(Verdict::Done { receipt, .. })) => {
                    ItemResult::done(index, &Transaction::sent(receipt, payee.shown))?
                }
                Some(Ok(Verdict::Refused { reason, .. })) => ItemResult::failed(index, reason.code()),
                Some(Ok(Verdict::KeyReused | Verdict::NotAuthorised(_))) => {
                    return Err(Failure::internal("a payment of a group was not decided").into());
                }
                // The group stays open: the same request with the same key finds out.
                Some(Err(error)) => return Err(error.into()),
                None => return Err(LedgerError::OutcomeUnknown.into()),
            },
        };
        items.push(item);
    }
    Ok(BulkResult::of(group, order, items))
}

fn command(user: i32, group: Uuid, index: usize, item: &BulkItem, payee: &Payee) -> Result<Command, WalletError> {
    let movement = Movement {
        kind: Kind::Transfer,
        from: Party::User(user),
        to: Party::User(payee.id_user),
        amount: item.amount,
        tariff: Tariff::Schedule(None),
    };
    let fingerprint = Fingerprint::of(&[b"bulk", group.as_bytes(), &index.to_be_bytes()]);
    let command =
        Command::new(Party::User(user), format!("groupe:{group}:{index}"), fingerprint, Action::Move(movement));
    Ok(Command { note: note(item.note.as_deref())?, ..command })
}

/// The code of what is wrong with one payee.
fn reason(error: &WalletError) -> &'static str {
    match error {
        WalletError::Field(_, code) => code,
        _ => "wallet.payee_unknown",
    }
}

#[cfg(test)]
mod tests;
