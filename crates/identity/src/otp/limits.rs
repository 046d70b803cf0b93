//! What sending codes may cost, and how often codes may be guessed, beyond the five tries of each code.

use std::time::Duration;

use chrono::TimeDelta;
use sqlx::PgConnection;

use crate::budget::{self, Budget};
use crate::{Core, IdentityError, Mode};

/// Messages to one destination that nobody answered with their code.
const TO_DESTINATION: Budget = Budget { name: "envoi_destination", limit: 5, window: TimeDelta::days(1) };
const FROM_NETWORK: Budget = Budget { name: "envoi_reseau", limit: 60, window: TimeDelta::hours(1) };
const TO_BLOCK: Budget = Budget { name: "envoi_bloc", limit: 20, window: TimeDelta::hours(1) };
const BLOCK_PROVED: Budget = Budget { name: "preuve_bloc", limit: u32::MAX, window: TimeDelta::hours(1) };
const BLOCK_CLOSED: Budget = Budget { name: "bloc_ferme", limit: 1, window: TimeDelta::days(1) };
const BY_ALL: Budget = Budget { name: "envoi_total", limit: u32::MAX, window: TimeDelta::hours(1) };
const WRONG_OF_ACCOUNT: Budget = Budget { name: "code_faux_compte", limit: 20, window: TimeDelta::hours(1) };
const WRONG_FROM_NETWORK: Budget = Budget { name: "code_faux_reseau", limit: 30, window: TimeDelta::minutes(5) };

/// The last digits that differ within a block of 10,000 numbers: fraud buys numbers by the block.
const BLOCK_DIGITS: usize = 4;
/// A block is closed when less than one message in so many leads to a proof.
const ONE_IN: i64 = 5;
/// In development one machine plays everybody.
const DEVELOPMENT_FACTOR: u32 = 20;

fn wider(core: &Core, budget: Budget) -> Budget {
    let factor = if core.config.mode == Mode::Development { DEVELOPMENT_FACTOR } else { 1 };
    Budget { limit: budget.limit.saturating_mul(factor), ..budget }
}

fn block_of(destination: &str) -> Option<&str> {
    let digits = destination.strip_prefix('+')?;
    digits.get(..digits.len().checked_sub(BLOCK_DIGITS)?)
}

/// Refuses to send to a block of numbers that costs and proves nothing; closes one that begins to. On its own, before
/// the transaction of the send: the closing has to stay when the send is refused.
pub(super) async fn breaker(
    connection: &mut PgConnection,
    core: &Core,
    destination: &str,
) -> Result<(), IdentityError> {
    let Some(block) = block_of(destination).filter(|_| core.config.limited()) else { return Ok(()) };
    let closed = BLOCK_CLOSED.of(core, block);
    if let Some(left) = budget::marked(connection, core, &closed).await? {
        return Err(IdentityError::TooMany { retry_after: left });
    }
    let to_block = wider(core, TO_BLOCK);
    let sent = budget::taken(connection, core, &to_block.of(core, block)).await?;
    if sent < i64::from(to_block.limit) {
        return Ok(());
    }
    let proved = budget::taken(connection, core, &BLOCK_PROVED.of(core, block)).await?;
    if proved * ONE_IN >= sent {
        return Ok(());
    }
    budget::mark(connection, core, &closed).await?;
    tracing::warn!(sent, proved, "codes to a block of numbers lead to no proof: the block is closed for a day");
    let retry_after = BLOCK_CLOSED.window.to_std().unwrap_or(Duration::from_secs(1));
    Err(IdentityError::TooMany { retry_after })
}

/// Takes one message from every budget; the caller rolls back on refusal.
pub(super) async fn spend(
    connection: &mut PgConnection,
    core: &Core,
    destination: &str,
    network: &str,
) -> Result<(), IdentityError> {
    if !core.config.limited() {
        return Ok(());
    }
    let all = Budget { limit: core.config.sends_per_hour, ..BY_ALL };
    let counters = [
        TO_DESTINATION.of(core, destination),
        wider(core, FROM_NETWORK).of(core, network),
        wider(core, all).of(core, ""),
    ];
    budget::take(connection, core, &counters).await?;
    if let Some(block) = block_of(destination) {
        budget::add(connection, core, &TO_BLOCK.of(core, block)).await?;
    }
    Ok(())
}

/// Refuses more guesses of an account or from a network.
pub(super) async fn may_try(
    connection: &mut PgConnection,
    core: &Core,
    id_user: i32,
    network: &str,
) -> Result<(), IdentityError> {
    if !core.config.limited() {
        return Ok(());
    }
    let counters = [WRONG_OF_ACCOUNT.of(core, &id_user.to_string()), wider(core, WRONG_FROM_NETWORK).of(core, network)];
    budget::check(connection, core, &counters).await
}

/// Counts a wrong code.
pub(super) async fn was_wrong(
    connection: &mut PgConnection,
    core: &Core,
    id_user: i32,
    network: &str,
) -> Result<(), IdentityError> {
    budget::add(connection, core, &WRONG_OF_ACCOUNT.of(core, &id_user.to_string())).await?;
    budget::add(connection, core, &WRONG_FROM_NETWORK.of(core, network)).await?;
    Ok(())
}

/// Who answers with the code is no victim of the messages: that one does not count against the destination.
pub(super) async fn was_right(
    connection: &mut PgConnection,
    core: &Core,
    destination: &str,
) -> Result<(), IdentityError> {
    budget::give_back(connection, core, &TO_DESTINATION.of(core, destination)).await?;
    if let Some(block) = block_of(destination) {
        budget::add(connection, core, &BLOCK_PROVED.of(core, block)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_blocks_and_addresses_have_none() {
        assert_eq!(block_of("+2250708091011"), Some("225070809"));
        assert_eq!(block_of("testemail@gmail.com"), None);
    }
}
