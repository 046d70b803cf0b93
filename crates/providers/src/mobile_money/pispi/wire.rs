//! What PI-SPI Business looks like, as pure functions.

use serde::{Deserialize, Serialize};

use super::PispiVersion;
use crate::mobile_money::{
    Action, Blame, CollectOrder, Handle, Observed, OperationState, Outcome, Party, PayoutOrder, Started,
    model::CURRENCY, sender::Reply, text,
};

/// Longest `txId`, in bytes.
const MAX_TX_ID: usize = 35;
/// Bounds of `motif`, in characters: a shorter one makes the whole request invalid.
const MOTIF_CHARS: std::ops::RangeInclusive<usize> = 2..=140;
/// A request that is not an online purchase: the one kind that both contracts take without a date.
const ON_SITE: &str = "500";

/// Bodies are closed: a field too many is refused.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Creation<'a> {
    tx_id: &'a str,
    payeur_alias: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    paye_alias: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paye_iban: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paye_participant: Option<&'a str>,
    montant: i64,
    confirmation: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    categorie: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    motif: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payment {
    tx_id: Option<String>,
    end2end_id: Option<String>,
    montant: Option<serde_json::Number>,
    statut: String,
    statut_raison: Option<String>,
    montant_frais: Option<serde_json::Number>,
}

#[derive(Deserialize)]
struct List {
    data: Vec<Payment>,
}

#[derive(Deserialize)]
struct Account {
    solde: serde_json::Number,
}

pub(super) fn payment(order: &PayoutOrder, ours: &str, version: PispiVersion) -> Result<Vec<u8>, &'static str> {
    let (paye_alias, paye_iban, paye_participant) = match &order.beneficiary {
        Party::Alias(alias) => (Some(alias.as_str()), None, None),
        Party::Account { iban, participant } if version == PispiVersion::V1_5 => {
            (None, Some(iban.as_str()), Some(participant.as_str()))
        }
        // A telephone number is no address here, and the first contract knows aliases only.
        Party::Account { .. } | Party::Phone(_) => return Err("unsupported_party"),
    };
    encode(&Creation {
        tx_id: &order.reference,
        payeur_alias: ours,
        paye_alias,
        paye_iban,
        paye_participant,
        montant: order.amount_francs,
        confirmation: false,
        categorie: None,
        motif: motif(&order.label),
    })
}

pub(super) fn request(order: &CollectOrder, ours: &str) -> Result<Vec<u8>, &'static str> {
    let Party::Alias(payer) = &order.payer else { return Err("unsupported_party") };
    encode(&Creation {
        tx_id: &order.reference,
        payeur_alias: payer,
        paye_alias: Some(ours),
        paye_iban: None,
        paye_participant: None,
        montant: order.amount_francs,
        confirmation: false,
        categorie: Some(ON_SITE),
        motif: motif(&order.label),
    })
}

fn encode(creation: &Creation<'_>) -> Result<Vec<u8>, &'static str> {
    if creation.tx_id.len() > MAX_TX_ID {
        return Err("reference_too_long");
    }
    serde_json::to_vec(creation).map_err(|_| "unsendable")
}

fn motif(label: &str) -> Option<String> {
    let motif = text::plain(label, *MOTIF_CHARS.end());
    MOTIF_CHARS.contains(&motif.trim().len()).then_some(motif)
}

/// HTTP 200 is not acceptance: `statut` decides.
pub(super) fn created(reply: &Reply, mut handle: Handle, is_request: bool) -> Outcome<Started> {
    match reply.status {
        200 | 201 => match serde_json::from_slice::<Payment>(&reply.body) {
            // The reference was used: an earlier attempt did arrive, and the list tells what became of it.
            Ok(payment) if is_replay(&payment) => Outcome::unknown("DU03"),
            Ok(payment) => {
                handle.provider_id.clone_from(&payment.end2end_id);
                let action = if is_request { Action::ApproveOnPhone } else { Action::None };
                Outcome::Known(Started { observed: observed(payment), handle, action })
            }
            Err(_) => Outcome::unknown("unreadable_answer"),
        },
        // 403 is also a ceiling that would be passed: nothing was made in either case.
        401 | 403 => reply.refused_at_the_door(),
        400 => {
            let observed = Observed::new(OperationState::failed("http_400", Blame::Route));
            Outcome::Known(Started { observed, handle, action: Action::None })
        }
        _ => reply.doubt(),
    }
}

/// Every attempt under a reference. Replays say nothing; one that is irrevocable wins; then one that is under way.
pub(super) fn found(reply: &Reply, reference: &str) -> Outcome<Option<Observed>> {
    if reply.status != 200 {
        return reply.doubt();
    }
    let Ok(List { data }) = serde_json::from_slice(&reply.body) else { return Outcome::unknown("unreadable_answer") };
    if data.is_empty() {
        return Outcome::Known(None);
    }
    let ours: Vec<Payment> = data.into_iter().filter(|payment| payment.tx_id.as_deref() == Some(reference)).collect();
    if ours.is_empty() {
        // The filter was not applied: what is missing from this page may be on another.
        return Outcome::unknown("filter_ignored");
    }
    let mut attempts: Vec<Observed> = ours.into_iter().filter(|payment| !is_replay(payment)).map(observed).collect();
    attempts.sort_by_key(|one| match one.state {
        OperationState::Succeeded => 0,
        OperationState::Pending => 1,
        OperationState::Failed { .. } | OperationState::Expired => 2,
    });
    // Only replays are shown: the attempt that they repeat is hidden, not absent.
    attempts.into_iter().next().map_or_else(|| Outcome::unknown("DU03"), |one| Outcome::Known(Some(one)))
}

fn is_replay(payment: &Payment) -> bool {
    payment.statut_raison.as_deref() == Some("DU03")
}

fn observed(payment: Payment) -> Observed {
    let state = state(&payment.statut, payment.statut_raison.as_deref());
    Observed {
        provider_id: payment.end2end_id.clone(),
        transaction_id: payment.end2end_id,
        reference: payment.tx_id,
        amount_francs: payment.montant.as_ref().and_then(francs),
        currency: Some(CURRENCY.to_owned()),
        fee_francs: payment.montant_frais.as_ref().and_then(francs),
        ..Observed::new(state)
    }
}

/// Whole francs: `5000`, and `5000.0` as some libraries write a number.
pub(super) fn francs(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let text = number.to_string();
        let (whole, decimals) = text.split_once('.')?;
        decimals.bytes().all(|digit| digit == b'0').then(|| whole.parse().ok()).flatten()
    })
}

fn state(word: &str, reason: Option<&str>) -> OperationState {
    match word {
        "IRREVOCABLE" => OperationState::Succeeded,
        "REJETE" => match reason.and_then(text::code) {
            Some(code) if matches!(code.as_str(), "AB03" | "AEXR") => OperationState::Expired,
            Some(code) => {
                let blame = blame(&code);
                OperationState::failed(code, blame)
            }
            None => OperationState::failed("REJETE", Blame::Route),
        },
        "ANNULE" => OperationState::failed("ANNULE", Blame::Customer),
        _ => OperationState::Pending,
    }
}

fn blame(code: &str) -> Blame {
    match code {
        "AM04" => Blame::Float,
        "BE23" | "BE01" | "BE05" | "AC03" | "AC04" | "AC06" | "AC07" | "AM02" | "AM21" | "ARFR" | "ARJR" | "APAR" => {
            Blame::Customer
        }
        _ => Blame::Route,
    }
}

pub(super) fn balance(reply: &Reply) -> Outcome<i64> {
    if reply.status != 200 {
        return reply.doubt();
    }
    let account = serde_json::from_slice::<Account>(&reply.body);
    match account.ok().and_then(|account| francs(&account.solde)) {
        Some(amount) => Outcome::Known(amount),
        None => Outcome::unknown("unreadable_answer"),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::mobile_money::model::sample_handle;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    fn list(items: &[(&str, &str, &str)]) -> Reply {
        let items: Vec<String> = items
            .iter()
            .map(|(tx, word, reason)| {
                format!(r#"{{"txId":"{tx}","end2endId":"E-{word}","montant":15000,"statut":"{word}","statutRaison":"{reason}"}}"#)
            })
            .collect();
        reply(200, &format!(r#"{{"data":[{}],"meta":{{"total":1}}}}"#, items.join(",")))
    }

    #[test]
    fn a_replay_never_hides_what_happened() {
        let executed = list(&[("T", "IRREVOCABLE", ""), ("T", "REJETE", "DU03")]);
        let Outcome::Known(Some(observed)) = found(&executed, "T") else { panic!() };
        assert_eq!((observed.state, observed.amount_francs), (OperationState::Succeeded, Some(15_000)));
        assert_eq!(found(&list(&[("T", "REJETE", "DU03")]), "T"), Outcome::unknown("DU03"));
        assert_eq!(found(&list(&[]), "T"), Outcome::Known(None));
        assert_eq!(found(&list(&[("OTHER", "IRREVOCABLE", "")]), "T"), Outcome::unknown("filter_ignored"));
        let replayed = reply(200, r#"{"txId":"T","end2endId":"E","statut":"REJETE","statutRaison":"DU03"}"#);
        assert_eq!(created(&replayed, sample_handle(), false), Outcome::unknown("DU03"));
    }

    #[test]
    fn http_200_may_be_a_refusal() {
        let unknown_alias = reply(200, r#"{"txId":"T","statut":"REJETE","statutRaison":"BE23"}"#);
        let Outcome::Known(started) = created(&unknown_alias, sample_handle(), false) else { panic!() };
        assert_eq!(started.observed.state, OperationState::failed("BE23", Blame::Customer));
        assert_eq!(state("REJETE", Some("AB03")), OperationState::Expired);
        assert_eq!(state("REJETE", Some("AM04")), OperationState::failed("AM04", Blame::Float));
        for word in ["INITIE", "ENVOYE", "TELETRANSPORTE"] {
            assert_eq!(state(word, None), OperationState::Pending);
        }
    }

    #[test]
    fn amounts_are_whole_francs_and_a_motif_is_long_enough_or_absent() {
        let number = |text: &str| francs(&serde_json::from_str(text).unwrap());
        assert_eq!([number("5000"), number("5000.0"), number("50.5")], [Some(5000), Some(5000), None]);
        assert_eq!(motif("é"), None);
        assert_eq!(motif("Retrait").as_deref(), Some("Retrait"));
    }
}
