//! Who is calling: the network that limits are counted by. Forwarding headers are believed only from proxies that the
//! configuration names, and only their last untrusted hop.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;
use kernel::http::{ClientNetwork, RequestId};
use kernel::{Clock, Random, new_id};

/// Hops of a forwarding header that are looked at.
const MAX_HOPS: usize = 16;

/// What [`mark`] needs.
#[derive(Clone, Debug)]
pub struct Marking {
    /// Networks of our own proxies.
    pub trusted: Arc<[IpNet]>,
    /// For request ids.
    pub clock: Clock,
    /// For request ids.
    pub random: Random,
}

/// Middleware, the outermost one: gives the request its id and its client's network, and the answer the id.
pub async fn mark(State(marking): State<Marking>, mut request: Request, next: Next) -> Response {
    let id = RequestId(new_id(&marking.clock, &marking.random));
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    if let Some(peer) = peer {
        let client = client_address(peer, request.headers(), &marking.trusted);
        request.extensions_mut().insert(ClientNetwork::of(client));
    }
    request.extensions_mut().insert(id);
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&id.0.to_string()) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    response
}

/// The rightmost address that is not one of our proxies. A header that cannot be read counts as the proxy itself: a
/// shared budget, never none.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_ours = |address: &IpAddr| trusted.iter().any(|net| net.contains(&address.to_canonical()));
    if !is_ours(&peer) {
        return peer;
    }
    let hops: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    for hop in hops.iter().rev().take(MAX_HOPS) {
        match hop.parse::<IpAddr>() {
            Ok(address) if is_ours(&address) => {}
            Ok(address) => return address,
            Err(_) => return peer,
        }
    }
    peer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        client_address(peer.parse().unwrap(), &headers, &["10.0.0.0/8".parse().unwrap()]).to_string()
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        assert_eq!(client("41.66.0.1", "1.2.3.4"), "41.66.0.1", "a stranger says what it likes");
        assert_eq!(
            client("10.0.0.1", "6.6.6.6, 41.66.0.9, 10.0.0.2"),
            "41.66.0.9",
            "what the client forged stands left"
        );
        assert_eq!(client("10.0.0.1", "6.6.6.6, pas une adresse"), "10.0.0.1");
        assert_eq!(client("::ffff:10.0.0.1", "41.66.0.9"), "41.66.0.9");
    }
}
