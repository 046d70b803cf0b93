//! HTTP to addresses that customers choose (a merchant's webhook). Such an address must never make us speak to ourselves
//! or to our neighbours: every address that its name resolves to is checked at the moment of connecting, redirects are
//! not followed, and the answer's body is not read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url, redirect};

/// Longest address, in bytes.
const MAX_URL_BYTES: usize = 500;

/// Why an address is not one that may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not an absolute https address with a name, or it carries a password.
    #[error("not an https address")]
    NotHttps,
    /// It leads to this machine or to a private network.
    #[error("not a public address")]
    NotPublic,
}

/// Why nothing was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// The address is not one that may be used.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No connection; also when every address of the name is one that may not be used.
    #[error("unreachable")]
    Unreachable,
    /// The time ran out.
    #[error("timeout")]
    Timeout,
    /// The connection broke.
    #[error("broken")]
    Broken,
}

/// A client for addresses that customers choose.
#[derive(Debug, Clone)]
pub struct Outbound {
    client: Client,
    private: bool,
}

impl Outbound {
    /// `private` lets plain http and private addresses through: development only.
    pub fn new(timeout: Duration, private: bool) -> Result<Self, reqwest::Error> {
        crate::http::install_tls_provider();
        let client = Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(5)))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(1)
            .user_agent("hostolink-webhooks")
            .dns_resolver(Arc::new(Guarded { private }))
            .build()?;
        Ok(Self { client, private })
    }

    /// Whether an address may be used at all. What its name resolves to is checked at each connection.
    pub fn check(&self, address: &str) -> Result<(), Refused> {
        self.parsed(address).map(drop)
    }

    fn parsed(&self, address: &str) -> Result<Url, Refused> {
        let url = Url::parse(address).ok().filter(|_| address.len() <= MAX_URL_BYTES).ok_or(Refused::NotHttps)?;
        let scheme = url.scheme() == "https" || (self.private && url.scheme() == "http");
        if !scheme || !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(Refused::NotHttps);
        }
        let host = url.host_str().ok_or(Refused::NotHttps)?;
        // A literal address asks no resolver: it is checked here.
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match literal {
            Ok(ip) if !self.private && !is_public(ip) => Err(Refused::NotPublic),
            Ok(_) => Ok(url),
            Err(_) if self.private || host.contains('.') => Ok(url),
            // `localhost` and names of the local network.
            Err(_) => Err(Refused::NotPublic),
        }
    }

    /// POSTs a body; the status of the answer.
    pub async fn post(&self, address: &str, headers: &[(&'static str, String)], body: Vec<u8>) -> Result<u16, Silence> {
        let mut request = self.client.post(self.parsed(address)?);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        match request.body(body).send().await {
            Ok(answer) => Ok(answer.status().as_u16()),
            Err(error) if error.is_timeout() => Err(Silence::Timeout),
            Err(error) if error.is_connect() => Err(Silence::Unreachable),
            Err(_) => Err(Silence::Broken),
        }
    }
}

/// Resolves a name and keeps what may be used: a name that changes between check and use changes nothing.
#[derive(Debug)]
struct Guarded {
    private: bool,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let private = self.private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|address| private || is_public(address.ip())).collect();
            if allowed.is_empty() {
                return Err(Box::from("no address that may be used"));
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether an address lies on the public internet; addresses that wrap others are judged by what they wrap.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let reserved = a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19));
    !(reserved
        || ip.is_loopback()
        || ip.is_private()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation())
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(v4) = ip.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let segments = ip.segments();
    // Only 2000::/3 is handed out; inside of it tunnels (Teredo, 6to4) and documentation are no places to speak to.
    let global = segments[0] & 0xe000 == 0x2000;
    let special = (segments[0] == 0x2001 && (segments[1] < 0x0200 || segments[1] == 0x0db8))
        || segments[0] == 0x2002
        || segments[0] == 0x3fff;
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_inside_are_no_targets() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!is_public(inside.parse().expect("an address")), "{inside}");
        }
        for outside in ["8.8.8.8", "196.47.128.10", "2a00:1450:4007::1", "2606:4700::1111"] {
            assert!(is_public(outside.parse().expect("an address")), "{outside}");
        }
    }

    #[test]
    fn only_https_to_public_names() {
        let strict = Outbound::new(Duration::from_secs(5), false).expect("a client");
        for (address, expected) in [
            ("https://shop.example.ci/hook", Ok(())),
            ("http://shop.example.ci/hook", Err(Refused::NotHttps)),
            ("https://user:pass@shop.example.ci/", Err(Refused::NotHttps)),
            ("ftp://shop.example.ci/", Err(Refused::NotHttps)),
            ("/hook", Err(Refused::NotHttps)),
            ("https://localhost/hook", Err(Refused::NotPublic)),
            ("https://127.0.0.1/hook", Err(Refused::NotPublic)),
            ("https://2130706433/hook", Err(Refused::NotPublic)),
            ("https://0x7f.1/hook", Err(Refused::NotPublic)),
            ("https://[::1]/hook", Err(Refused::NotPublic)),
            ("https://[::ffff:169.254.169.254]/", Err(Refused::NotPublic)),
        ] {
            assert_eq!(strict.check(address), expected, "{address}");
        }
        let open = Outbound::new(Duration::from_secs(5), true).expect("a client");
        assert_eq!(open.check("http://127.0.0.1:8080/hook"), Ok(()));
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_connected_to() {
        let strict = Outbound::new(Duration::from_secs(5), false).expect("a client");
        // Resolves to 127.0.0.1 everywhere (RFC 6761), although it has a dot.
        let heard = strict.post("https://hook.localhost/x", &[], Vec::new()).await;
        assert_eq!(heard, Err(Silence::Unreachable));
    }
}
