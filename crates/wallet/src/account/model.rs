use kernel::money::CURRENCY;

use super::api::{Limits, WalletView};
use super::store::{Limit, Row};

/// What the rules of a tier mean for this wallet. No rule: null, no bound.
pub(super) fn view(row: &Row, tier: i16, rules: &[Limit], loaded: i64) -> WalletView {
    let bound = |measure: &str, nature: Option<&str>, window: Option<&str>| {
        rules
            .iter()
            .find(|rule| {
                rule.mesure == measure && rule.nature.as_deref() == nature && rule.fenetre.as_deref() == window
            })
            .map(|rule| rule.maximum)
    };
    let monthly = bound("cumul", Some("depot"), Some("mois"));
    let tier_balance = bound("solde", None, None);
    let max_balance = match (tier_balance, row.plafond) {
        (Some(tier), Some(own)) => Some(tier.min(own)),
        (tier, own) => tier.or(own),
    };
    WalletView {
        account_id: row.public_id,
        balance: row.credits - row.debits,
        available: row.credits - row.debits - row.debits_attente,
        currency: CURRENCY,
        tier,
        frozen: row.gele,
        limits: Limits {
            max_balance,
            monthly_loading: monthly,
            loaded_this_month: loaded,
            loading_left_this_month: monthly.map(|most| (most - loaded).max(0)),
            max_transfer: bound("operation", Some("transfert"), None),
            daily_transfers: bound("cumul", Some("transfert"), Some("jour")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            id_compte: 1,
            public_id: uuid::Uuid::nil(),
            credits: 1000,
            debits: 300,
            debits_attente: 200,
            plafond: None,
            gele: false,
        }
    }

    fn rule(mesure: &str, nature: Option<&str>, fenetre: Option<&str>, maximum: i64) -> Limit {
        Limit { mesure: mesure.into(), nature: nature.map(Into::into), fenetre: fenetre.map(Into::into), maximum }
    }

    #[test]
    fn what_is_held_is_not_available_and_no_rule_is_no_bound() {
        let rules = [rule("solde", None, None, 200_000), rule("cumul", Some("depot"), Some("mois"), 200_000)];
        let shown = view(&row(), 0, &rules, 250_000);
        assert_eq!((shown.balance, shown.available), (700, 500));
        assert_eq!((shown.limits.max_balance, shown.limits.loading_left_this_month), (Some(200_000), Some(0)));
        assert_eq!(view(&row(), 2, &[], 0).limits.max_balance, None);
        let capped = Row { plafond: Some(50_000), ..row() };
        assert_eq!(view(&capped, 0, &rules, 0).limits.max_balance, Some(50_000));
    }
}
