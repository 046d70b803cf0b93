//! Calls that need a token: fetched when missing (from the same host or another), replaced once when refused.

use super::{
    Exchange,
    sender::{Attempt, Call, Reply, Sender},
};
use crate::{
    Secret,
    oauth::{FreshToken, TokenCell},
};

/// The token of one product of a provider.
#[derive(Default)]
pub(crate) struct Bearer {
    cell: TokenCell,
}

/// Where a token is fetched, and with which words.
pub(crate) struct TokenDesk<'a> {
    pub(crate) sender: &'a Sender,
    pub(crate) call: &'a Call,
}

impl Bearer {
    /// Sends `call` with a token. A 401 means that nothing was done, so the same bytes may go once more with a new token.
    pub(crate) async fn call(
        &self,
        sender: &Sender,
        desk: TokenDesk<'_>,
        call: Call,
        exchanges: &mut Vec<Exchange>,
    ) -> Attempt {
        let token = match self.token(&desk, exchanges).await {
            Ok(token) => token,
            Err(code) => return Attempt::NotSent(code),
        };
        let authorized = with_token(&call, &token);
        let sent = sender.call(&authorized, exchanges).await;
        if !matches!(&sent, Attempt::Reply(Reply { status: 401, .. })) {
            return sent;
        }
        self.cell.forget(&token).await;
        match self.token(&desk, exchanges).await {
            Ok(token) => sender.call(&with_token(&call, &token), exchanges).await,
            Err(_) => sent,
        }
    }

    async fn token(&self, desk: &TokenDesk<'_>, exchanges: &mut Vec<Exchange>) -> Result<Secret, &'static str> {
        self.cell
            .get_or(async {
                match desk.sender.call(desk.call, exchanges).await {
                    Attempt::Reply(reply) => read(&reply),
                    Attempt::NotSent(code) => Err(code),
                    // A token that nobody received has no effect.
                    Attempt::Lost(_) => Err("token_unavailable"),
                }
            })
            .await
    }
}

fn read(reply: &Reply) -> Result<FreshToken, &'static str> {
    match reply.status {
        200 | 201 => serde_json::from_slice(&reply.body).map_err(|_| "token_unreadable"),
        400 | 401 | 403 => Err("token_refused"),
        _ => Err("token_unavailable"),
    }
}

fn with_token(call: &Call, token: &Secret) -> Call {
    call.clone().header("authorization", format!("Bearer {}", token.expose()))
}
