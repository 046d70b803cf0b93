//! Which route carries a text, and what happens when one fails.

use std::cmp::Reverse;

use super::{Route, Sms, SmsRoute, gsm7, is_e164};
use crate::{Receipt, SendError, mask};

/// Routes that may be configured.
const MAX_ROUTES: usize = 8;
/// Times that a text is sent again after an unknown outcome, over all routes together.
const RESENDS_AFTER_UNKNOWN: usize = 1;
/// Messages that one text may cost.
const MAX_PARTS: usize = 6;

/// Several routes, in order of preference.
#[derive(Debug)]
pub struct Router {
    routes: Vec<(Route, Vec<String>)>,
}

impl Router {
    /// Routes with the prefixes each is reserved for; no prefix means every number. Fails without a route, or above eight.
    pub fn new(routes: Vec<(Route, Vec<String>)>) -> Result<Self, SendError> {
        if routes.is_empty() || routes.len() > MAX_ROUTES {
            return Err(SendError::misconfigured("sms", "number_of_routes"));
        }
        Ok(Self { routes })
    }

    /// Sends one text by the first route that takes it. A caller that gets [`SendError::Unknown`] must not send it again:
    /// the one resend that is allowed was already spent here.
    pub async fn send(&self, sms: &Sms, id: &str) -> Result<Receipt, SendError> {
        check(sms)?;
        deliver(&self.order(&sms.to), sms, id).await
    }

    /// The longest matching prefix first, then the routes for every number, each in the order of configuration.
    fn order(&self, number: &str) -> Vec<&Route> {
        let mut candidates: Vec<(usize, &Route)> = self
            .routes
            .iter()
            .filter_map(|(route, prefixes)| preference(prefixes, number).map(|length| (length, route)))
            .collect();
        candidates.sort_by_key(|(length, _)| Reverse(*length));
        candidates.into_iter().map(|(_, route)| route).collect()
    }
}

fn check(sms: &Sms) -> Result<(), SendError> {
    if !is_e164(&sms.to) {
        return Err(SendError::hopeless("sms", "invalid_number"));
    }
    if sms.text.is_empty() || gsm7::parts(&sms.text) > MAX_PARTS {
        return Err(SendError::hopeless("sms", "text_length"));
    }
    Ok(())
}

fn preference(prefixes: &[String], number: &str) -> Option<usize> {
    if prefixes.is_empty() {
        return Some(0);
    }
    prefixes.iter().filter(|prefix| number.starts_with(prefix.as_str())).map(String::len).max()
}

async fn deliver(routes: &[&Route], sms: &Sms, id: &str) -> Result<Receipt, SendError> {
    let mut failures = Vec::with_capacity(routes.len() + 1);
    for route in routes {
        match attempt(route, sms, id).await {
            Ok(receipt) => return Ok(receipt),
            Err(error) => failures.push(error),
        }
        if unknown(&failures) > RESENDS_AFTER_UNKNOWN {
            return Err(verdict(failures));
        }
    }
    // Nobody else to try and the only doubt is the last attempt: the resend goes by the same route.
    if let (Some(SendError::Unknown { .. }), Some(route), 1) = (failures.last(), routes.last(), unknown(&failures)) {
        match attempt(route, sms, id).await {
            Ok(receipt) => return Ok(receipt),
            Err(error) => failures.push(error),
        }
    }
    Err(verdict(failures))
}

fn unknown(failures: &[SendError]) -> usize {
    failures.iter().filter(|error| matches!(error, SendError::Unknown { .. })).count()
}

/// What the caller must know of several failures: a doubt outlives what came after it; then a passing refusal, because a
/// number that one route calls hopeless may be fine for another.
fn verdict(mut failures: Vec<SendError>) -> SendError {
    let doubt = failures.iter().position(|error| matches!(error, SendError::Unknown { .. }));
    let passing = failures.iter().position(SendError::may_retry);
    match doubt.or(passing) {
        Some(position) => failures.swap_remove(position),
        None => failures.pop().unwrap_or_else(|| SendError::misconfigured("sms", "no_route_for_number")),
    }
}

async fn attempt(route: &Route, sms: &Sms, id: &str) -> Result<Receipt, SendError> {
    let sent = route.send(sms, id).await;
    let to = mask::phone(&sms.to);
    match &sent {
        Ok(_) => tracing::info!(route = route.name(), message = id, to, "SMS handed over"),
        Err(error @ SendError::Misconfigured { .. }) => {
            tracing::error!(route = route.name(), code = error.code(), message = id, "SMS route needs a person");
        }
        Err(error) => {
            tracing::warn!(route = route.name(), code = error.code(), message = id, to, "SMS not handed over")
        }
    }
    sent
}
