//! Corrections: proposed by people, published by agreement where a mistake costs little and by a moderator elsewhere, and
//! always undone with one request.

pub(crate) mod api;
mod duplicates;
mod model;
mod store;
#[cfg(test)]
mod tests;

use identity::session::Account;
use kernel::new_id;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Health, HealthError};
use model::{A_DAY, AGREEMENTS, Field, is_old};
pub(crate) use store::{Change, Suggestion};

/// What somebody proposes.
#[derive(Debug)]
pub(crate) struct Proposal<'a> {
    pub(crate) facility: Uuid,
    pub(crate) field: &'a str,
    pub(crate) value: &'a Value,
    pub(crate) comment: Option<&'a str>,
}

/// Keeps a proposal; the second agreement of people who count publishes it at once where that is allowed.
pub(crate) async fn suggest(
    health: &Health,
    account: &Account,
    proposal: Proposal<'_>,
) -> Result<Suggestion, HealthError> {
    if !account.verified {
        return Err(HealthError::NotVerified);
    }
    let field = Field::parse(proposal.field).ok_or(HealthError::Field("field", "invalid"))?;
    let value = field.checked(proposal.value)?;
    let comment = model::comment(proposal.comment)?;
    let now = health.now();
    let mut tx = health.db().write.begin().await?;
    store::lock_directory(&mut tx).await?;
    let facility = store::facility(&mut tx, proposal.facility).await?.ok_or(HealthError::NotFound)?;
    // Two requests of one person wait for each other: the budget of a day holds.
    store::lock_person(&mut tx, account.id_user).await?;
    if store::today(&mut tx, account.id_user, now).await? >= A_DAY {
        return Err(HealthError::TooManySuggestions);
    }
    if field == Field::DeadPhone && !store::has_number(&mut tx, facility, &value).await? {
        return Err(HealthError::Field("value", "unknown"));
    }
    let row = store::New {
        id: new_id(health.clock(), health.random()),
        facility,
        user: account.id_user,
        field,
        value: &value,
        comment: &comment,
        verified: account.verified,
        old: is_old(account.public_id, now),
        now,
    };
    if !store::insert(&mut tx, &row).await? {
        return Err(HealthError::AlreadySuggested);
    }
    if field.by_agreement()
        && store::agreements(&mut tx, facility, field, &value).await? >= AGREEMENTS
        && may_step_back(&mut tx, field, &value).await?
    {
        let change = publish(&mut tx, health, facility, field, &value, None).await?;
        store::close_agreed(&mut tx, facility, field, &value, change, now).await?;
    }
    let suggestion = store::get(&mut tx, row.id).await?.ok_or(HealthError::NotFound)?;
    tx.commit().await?;
    Ok(suggestion)
}

/// A national emergency number never steps back because people say so, whoever lists it.
async fn may_step_back(tx: &mut PgConnection, field: Field, value: &Value) -> Result<bool, sqlx::Error> {
    Ok(field != Field::DeadPhone || !store::is_national(tx, value).await?)
}

/// Publishes a value and remembers the one before. `moderator` is absent for an agreement.
async fn publish(
    tx: &mut PgConnection,
    health: &Health,
    facility: i32,
    field: Field,
    value: &Value,
    moderator: Option<Uuid>,
) -> Result<Uuid, HealthError> {
    let id = new_id(health.clock(), health.random());
    let before = match field {
        Field::Location => {
            let before = store::location(tx, facility).await?;
            store::move_to(tx, facility, value).await?;
            before
        }
        Field::Phone => {
            store::add_number(tx, facility, value, health.now()).await?;
            Value::Null
        }
        Field::DeadPhone => {
            let state = if moderator.is_some() { "mort" } else { "a_verifier" };
            store::number_state(tx, facility, value, state).await?
        }
        column => store::set_column(tx, facility, column, value).await?,
    };
    let origin = store::mark_origin(tx, facility, field, &format!("correction:{id}")).await?;
    store::remember(
        tx,
        &Change {
            id,
            field: field.code().to_owned(),
            before,
            after: value.clone(),
            origin,
            author: moderator,
            made_at: health.now(),
            undone_at: None,
        },
        facility,
    )
    .await?;
    Ok(id)
}

/// A moderator publishes a proposal, or turns it down.
pub(crate) async fn decide(
    health: &Health,
    moderator: Uuid,
    id: Uuid,
    accept: bool,
) -> Result<Suggestion, HealthError> {
    let mut tx = health.db().write.begin().await?;
    store::lock_directory(&mut tx).await?;
    let (facility, field, value) = store::pending(&mut tx, id).await?.ok_or(HealthError::NotFound)?;
    let Some((field, value)) = Field::parse(&field).zip(value) else { return Err(HealthError::AlreadyDecided) };
    let change =
        if accept { Some(publish(&mut tx, health, facility, field, &value, Some(moderator)).await?) } else { None };
    store::decided(&mut tx, id, moderator, change, health.now()).await?;
    let suggestion = store::get(&mut tx, id).await?.ok_or(HealthError::NotFound)?;
    tx.commit().await?;
    Ok(suggestion)
}

/// Puts back what a change replaced, unless something newer was published over it.
pub(crate) async fn undo(health: &Health, id: Uuid) -> Result<Option<Change>, HealthError> {
    let mut tx = health.db().write.begin().await?;
    store::lock_directory(&mut tx).await?;
    let (facility, change) = store::change(&mut tx, id).await?.ok_or(HealthError::NotFound)?;
    if change.field == "merge" {
        drop(tx);
        duplicates::part(health, id).await?;
        return Ok(None);
    }
    let field = Field::parse(&change.field).ok_or(HealthError::NotReversible)?;
    if change.undone_at.is_some() || store::is_overtaken(&mut tx, facility, &change).await? {
        return Err(HealthError::NotReversible);
    }
    match field {
        Field::Location => store::move_to(&mut tx, facility, &change.before).await?,
        Field::Phone => drop(store::number_state(&mut tx, facility, &change.after, "mort").await?),
        Field::DeadPhone => drop(
            store::number_state(&mut tx, facility, &change.after, change.before.as_str().unwrap_or("a_verifier"))
                .await?,
        ),
        column => drop(store::set_column(&mut tx, facility, column, &change.before).await?),
    }
    store::undone(&mut tx, facility, &change, health.now()).await?;
    let change = store::change(&mut tx, id).await?.map(|(_, change)| change);
    tx.commit().await?;
    Ok(change)
}
