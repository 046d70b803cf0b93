//! The routes that a configuration names, made ready: which capabilities each has and whose wallets it reaches.

use std::sync::Arc;

use super::{
    CardVault, Collect, Float, Payout, Statement, WalletKind, Webhook,
    cinetpay::{Cinetpay, CinetpayConfig},
    djamo::{Djamo, DjamoConfig},
    gsma::{Gsma, GsmaConfig},
    hub2::{Hub2, Hub2Config},
    moov::{Moov, MoovConfig},
    mtn::{Mtn, MtnConfig},
    orange::{OrangeConfig, OrangeMoney},
    pawapay::{Pawapay, PawapayConfig},
    paystack::{Paystack, PaystackConfig},
    pispi::{Pispi, PispiConfig},
    wave::{Wave, WaveConfig},
};
use crate::{
    SendError, UnixSeconds,
    vars::{Faults, Lookup, Reader},
};

const ROUTES_KEY: &str = "HOSTOLINK_MONEY_ROUTES";
/// Routes that may be configured.
const MAX_ROUTES: usize = 16;

const FOUR_WALLETS: &[WalletKind] = &[WalletKind::Orange, WalletKind::Mtn, WalletKind::Moov, WalletKind::Wave];
const THREE_WALLETS: &[WalletKind] = &[WalletKind::Orange, WalletKind::Mtn, WalletKind::Wave];

/// One route: whom we call, for whose customers, and what it can do. What it cannot is absent.
#[derive(Clone)]
pub struct Rail {
    /// Stable name, as in configuration and in the address of its webhook.
    pub name: &'static str,
    /// Whose customers may pay us through it.
    pub collects: &'static [WalletKind],
    /// Whose customers it pays.
    pub pays: &'static [WalletKind],
    /// Money in.
    pub collect: Option<Arc<dyn Collect>>,
    /// Money out.
    pub payout: Option<Arc<dyn Payout>>,
    /// What it sends by itself.
    pub webhook: Option<Arc<dyn Webhook>>,
    /// Its books.
    pub statement: Option<Arc<dyn Statement>>,
    /// Our money there.
    pub float: Option<Arc<dyn Float>>,
    /// Cards that it keeps.
    pub cards: Option<Arc<dyn CardVault>>,
}

impl std::fmt::Debug for Rail {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Rail")
            .field("name", &self.name)
            .field("collects", &self.collects)
            .field("pays", &self.pays)
            .finish_non_exhaustive()
    }
}

/// Reads `HOSTOLINK_MONEY_ROUTES` (`wave,mtn,djamo,orange,moov,pispi,pawapay,hub2,cinetpay,gsma,paystack`, in order of
/// preference; absent means none) and every key of each route named; all faults are reported at once.
pub fn from_vars(lookup: Lookup<'_>, now: &UnixSeconds) -> Result<Vec<Rail>, Faults> {
    let mut reader = Reader::new(lookup);
    let list = reader.optional(ROUTES_KEY).unwrap_or_default();
    let names: Vec<&str> = list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let mut rails: Vec<Rail> = Vec::with_capacity(names.len());
    if names.len() > MAX_ROUTES {
        reader.fault(ROUTES_KEY, "names more than sixteen routes");
    }
    for name in names.into_iter().take(MAX_ROUTES) {
        match rail(name, lookup, now) {
            Ok(rail) if rails.iter().any(|known| known.name == rail.name) => {
                reader.fault(ROUTES_KEY, "names a route twice");
            }
            Ok(rail) => rails.push(rail),
            Err(faults) => reader.merge(faults),
        }
    }
    reader.finish(rails)
}

fn rail(name: &str, lookup: Lookup<'_>, now: &UnixSeconds) -> Result<Rail, Faults> {
    let made = match name {
        "wave" => Wave::new(WaveConfig::from_vars(lookup)?, Arc::clone(now)).map(wave),
        "mtn" => Mtn::new(MtnConfig::from_vars(lookup)?).map(mtn),
        "djamo" => Djamo::new(DjamoConfig::from_vars(lookup)?).map(djamo),
        "orange" => OrangeMoney::new(OrangeConfig::from_vars(lookup)?).map(orange),
        "moov" => Moov::new(MoovConfig::from_vars(lookup)?).map(moov),
        "pispi" => Pispi::new(PispiConfig::from_vars(lookup)?).map(pispi),
        "pawapay" => Pawapay::new(PawapayConfig::from_vars(lookup)?).map(pawapay),
        "hub2" => Hub2::new(Hub2Config::from_vars(lookup)?).map(hub2),
        "cinetpay" => Cinetpay::new(CinetpayConfig::from_vars(lookup)?).map(cinetpay),
        "gsma" => Gsma::new(GsmaConfig::from_vars(lookup)?).map(gsma),
        "paystack" => Paystack::new(PaystackConfig::from_vars(lookup)?).map(paystack),
        _ => Err(SendError::misconfigured("money", "unknown_route")),
    };
    made.map_err(|_| Faults::one(ROUTES_KEY, "names a route that does not exist or cannot be used"))
}

fn empty(name: &'static str, collects: &'static [WalletKind], pays: &'static [WalletKind]) -> Rail {
    Rail { name, collects, pays, collect: None, payout: None, webhook: None, statement: None, float: None, cards: None }
}

fn wave(wave: Wave) -> Rail {
    let wave = Arc::new(wave);
    Rail {
        collect: Some(wave.clone()),
        payout: Some(wave.clone()),
        webhook: Some(wave.clone()),
        statement: Some(wave.clone()),
        float: Some(wave),
        ..empty("wave", &[WalletKind::Wave], &[WalletKind::Wave])
    }
}

fn orange(orange: OrangeMoney) -> Rail {
    let orange = Arc::new(orange);
    let rail = empty("orange", &[WalletKind::Orange], &[]);
    Rail { collect: Some(orange.clone()), webhook: Some(orange), ..rail }
}

fn moov(moov: Moov) -> Rail {
    let moov = Arc::new(moov);
    let rail = empty("moov", &[WalletKind::Moov], &[WalletKind::Moov]);
    Rail { collect: Some(moov.clone()), payout: Some(moov), ..rail }
}

fn hub2(hub2: Hub2) -> Rail {
    let hub2 = Arc::new(hub2);
    let rail = empty("hub2", FOUR_WALLETS, FOUR_WALLETS);
    Rail { collect: Some(hub2.clone()), payout: Some(hub2.clone()), webhook: Some(hub2), ..rail }
}

fn paystack(paystack: Paystack) -> Rail {
    let paystack = Arc::new(paystack);
    Rail {
        collect: Some(paystack.clone()),
        webhook: Some(paystack.clone()),
        float: Some(paystack.clone()),
        cards: Some(paystack),
        ..empty("paystack", &[WalletKind::Card], &[])
    }
}

fn mtn(mtn: Mtn) -> Rail {
    complete(empty("mtn", &[WalletKind::Mtn], &[WalletKind::Mtn]), mtn)
}

fn djamo(djamo: Djamo) -> Rail {
    complete(empty("djamo", &[WalletKind::Djamo], &[WalletKind::Djamo]), djamo)
}

fn pispi(pispi: Pispi) -> Rail {
    complete(empty("pispi", &[WalletKind::Bank], &[WalletKind::Bank]), pispi)
}

fn pawapay(pawapay: Pawapay) -> Rail {
    complete(empty("pawapay", THREE_WALLETS, THREE_WALLETS), pawapay)
}

fn cinetpay(cinetpay: Cinetpay) -> Rail {
    complete(empty("cinetpay", FOUR_WALLETS, FOUR_WALLETS), cinetpay)
}

/// Whose customers a generic operator serves is agreed with it; until then nobody's are sent there by themselves.
fn gsma(gsma: Gsma) -> Rail {
    complete(empty("gsma", &[], &[]), gsma)
}

fn complete<C: Collect + Payout + Webhook + Float + 'static>(rail: Rail, connector: C) -> Rail {
    let connector = Arc::new(connector);
    Rail {
        collect: Some(connector.clone()),
        payout: Some(connector.clone()),
        webhook: Some(connector.clone()),
        float: Some(connector),
        ..rail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> UnixSeconds {
        Arc::new(|| 0)
    }

    #[test]
    fn routes_keep_their_order_and_only_offer_what_they_can() {
        let rails = from_vars(
            &|key| match key {
                ROUTES_KEY => Some("orange, wave".to_owned()),
                "HOSTOLINK_ORANGE_MONEY_NOTIFY_URL" => Some("https://hostolink.ci/hooks/orange".to_owned()),
                key if key.ends_with("_URL") || key.ends_with("_COUNTRY") || key.ends_with("_CURRENCY") => None,
                _ => Some("value".to_owned()),
            },
            &now(),
        )
        .unwrap();
        assert_eq!(rails.iter().map(|rail| rail.name).collect::<Vec<_>>(), ["orange", "wave"]);
        assert!(rails[0].payout.is_none() && rails[0].pays.is_empty(), "Orange offers no public way out");
        assert!(rails[1].payout.is_some() && rails[1].statement.is_some());
    }

    #[test]
    fn every_fault_of_every_route_is_named() {
        let lookup = |key: &str| (key == ROUTES_KEY).then(|| "wave,pigeon,djamo".to_owned());
        let faults = from_vars(&lookup, &now()).unwrap_err().to_string();
        for key in ["HOSTOLINK_WAVE_API_KEY", "HOSTOLINK_DJAMO_COMPANY_ID", "HOSTOLINK_MONEY_ROUTES names a route"] {
            assert!(faults.contains(key), "{key} in {faults}");
        }
        assert!(from_vars(&|_| None, &now()).unwrap().is_empty());
    }
}
