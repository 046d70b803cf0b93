use kernel::identifier::Countries;
use kernel::keys::Purpose;
use kernel::{Failure, Identifier, Keys, Random};
use providers::mobile_money::{Action, Handle, Party};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::WalletError;
use crate::letters::letters;
use crate::provider::Format;

/// Which way the money goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Deposit,
    Withdrawal,
}

impl Side {
    /// `instruction_operateur.sens`
    pub(super) fn stored(self) -> &'static str {
        match self {
            Side::Deposit => "depot",
            Side::Withdrawal => "retrait",
        }
    }

    pub(super) fn from_stored(text: &str) -> Result<Self, Failure> {
        match text {
            "depot" => Ok(Side::Deposit),
            "retrait" => Ok(Side::Withdrawal),
            other => Err(Failure::internal(format!("an instruction of an unknown kind: {other}"))),
        }
    }
}

/// The customer's account at an operator. It is stored sealed and shown masked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AtOperator {
    /// A mobile number in E.164.
    Phone(String),
    /// An IBAN, without spaces.
    Iban(String),
    /// An alias of the union's instant payments: a UUID that the bank gave its customer.
    Alias(String),
    /// A card: an opaque name of its payer, for the acquirer; never a number.
    Card(String),
}

impl std::fmt::Debug for AtOperator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("AtOperator(***)")
    }
}

impl AtOperator {
    /// Reads `account` as the provider's accounts are written.
    pub(crate) fn parse(text: &str, format: Format, countries: &Countries) -> Result<Self, WalletError> {
        match format {
            Format::Phone => match Identifier::parse(text, countries) {
                Ok(Identifier::Phone(phone)) => Ok(Self::Phone(phone.as_str().to_owned())),
                Ok(Identifier::Email(_)) => Err(WalletError::Field("account", "not_a_phone")),
                Err(refused) => Err(WalletError::Field("account", refused.code())),
            },
            Format::Iban => iban(text)
                .map(Self::Iban)
                .or_else(|| alias(text).map(Self::Alias))
                .ok_or(WalletError::Field("account", "not_an_iban")),
            Format::Card if text.trim() == NEW_CARD => Ok(Self::Card(NEW_CARD.to_owned())),
            Format::Card => Err(WalletError::Field("account", "not_a_card")),
        }
    }

    /// Enough for its owner to recognise it.
    pub(crate) fn masked(&self, countries: &Countries) -> String {
        match self {
            Self::Phone(number) => Identifier::parse(number, countries).map(|phone| phone.masked()).unwrap_or_default(),
            Self::Iban(text) | Self::Alias(text) => {
                format!("{} … {}", text.get(..4).unwrap_or(""), text.get(text.len().saturating_sub(4)..).unwrap_or(""))
            }
            Self::Card(_) => "**** ****".to_owned(),
        }
    }

    /// As connectors take it.
    pub(super) fn party(&self) -> Party {
        match self {
            Self::Phone(number) => Party::Phone(number.clone()),
            // Bank and branch stand in the account number itself: five characters behind the check digits.
            Self::Iban(iban) => {
                Party::Account { iban: iban.clone(), participant: iban.get(4..9).unwrap_or("").to_owned() }
            }
            Self::Alias(alias) | Self::Card(alias) => Party::Alias(alias.clone()),
        }
    }
}

/// `account` of a deposit by a card that is not known yet: its number is entered on the acquirer's page.
pub(crate) const NEW_CARD: &str = "nouvelle";

/// An alias in the only form that can be resolved.
fn alias(text: &str) -> Option<String> {
    let text = text.trim();
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten().map(|alias| alias.hyphenated().to_string())
}

/// Countries of the monetary union, whose IBANs have 28 characters.
const UNION: [&str; 8] = ["BJ", "BF", "CI", "GW", "ML", "NE", "SN", "TG"];
const IBAN_LENGTH: usize = 28;

/// An IBAN of the union with right check digits (ISO 13616: modulo 97 is 1), without spaces.
fn iban(text: &str) -> Option<String> {
    let plain: String =
        text.chars().filter(|letter| !letter.is_whitespace()).map(|letter| letter.to_ascii_uppercase()).collect();
    let known = plain.len() == IBAN_LENGTH
        && plain.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && plain.get(..2).is_some_and(|country| UNION.contains(&country));
    let (head, rest) = plain.split_at_checked(4)?;
    let remainder = rest.bytes().chain(head.bytes()).try_fold(0_u32, |sum, byte| match byte {
        b'0'..=b'9' => Some((sum * 10 + u32::from(byte - b'0')) % 97),
        b'A'..=b'Z' => Some((sum * 100 + u32::from(byte - b'A') + 10) % 97),
        _ => None,
    })?;
    (known && remainder == 1).then_some(plain)
}

/// What is kept sealed beside an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sealed {
    pub(crate) at: AtOperator,
    /// What is needed to find the operation at the operator again; it may hold the operator's secrets.
    pub(crate) handle: Option<Handle>,
}

impl Sealed {
    pub(super) fn seal(&self, keys: &Keys, random: &Random, id: Uuid) -> Result<Vec<u8>, Failure> {
        let clear = serde_json::to_vec(self).map_err(Failure::internal)?;
        keys.seal(Purpose::Vault, random, id.as_bytes(), &clear)
            .ok_or_else(|| Failure::internal("nothing can be sealed"))
    }

    pub(super) fn open(keys: &Keys, id: Uuid, sealed: &[u8]) -> Result<Self, Failure> {
        let clear = keys.open(Purpose::Vault, id.as_bytes(), sealed);
        let clear =
            clear.ok_or_else(|| Failure::internal("an instruction cannot be unsealed: was the secret replaced?"))?;
        serde_json::from_slice(&clear).map_err(Failure::internal)
    }
}

/// Our reference at the operator: 1 to 30 letters, digits and hyphens pass everywhere.
pub(super) fn reference(side: Side, random: &Random) -> String {
    let kind = match side {
        Side::Deposit => "DEP",
        Side::Withdrawal => "WDR",
    };
    format!("HSTL-{kind}-{}", letters::<16>(random))
}

/// Our idempotency key at the operator: version 4, which every operator takes.
pub(super) fn key(random: &Random) -> Uuid {
    uuid::Builder::from_random_bytes(random.bytes()).into_uuid()
}

/// What the customer has to do now, as it is stored; the hint is worded when it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredAction {
    #[serde(rename = "type")]
    pub(crate) kind: ActionType,
    pub(crate) url: Option<String>,
}

/// Ways in which a customer agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ActionType {
    /// Open `url` in the system's browser, never in a web view.
    OpenUrl,
    /// Confirm on the telephone.
    ApproveOnPhone,
    /// Ask the operator for a code and send it to `/deposits/{id}/code`.
    EnterCode,
}

impl ActionType {
    /// The sentence that says it.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            ActionType::OpenUrl => "wallet.hint_open_url",
            ActionType::ApproveOnPhone => "wallet.hint_approve_on_phone",
            ActionType::EnterCode => "wallet.hint_enter_code",
        }
    }
}

/// What is stored while a code of the customer is waited for.
pub(super) fn asks_code() -> Result<serde_json::Value, Failure> {
    serde_json::to_value(StoredAction { kind: ActionType::EnterCode, url: None }).map_err(Failure::internal)
}

/// From the connectors' words.
pub(super) fn stored(action: &Action) -> Option<StoredAction> {
    let of = |kind, url| Some(StoredAction { kind, url });
    match action {
        Action::None => None,
        Action::ApproveOnPhone => of(ActionType::ApproveOnPhone, None),
        Action::OpenPage { url } => of(ActionType::OpenUrl, Some(url.clone())),
        Action::GiveCode => of(ActionType::EnterCode, None),
    }
}

/// What the customer has to do now.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NextAction {
    #[serde(rename = "type")]
    pub(crate) kind: ActionType,
    /// For `open_url`.
    pub(crate) url: Option<String>,
    /// What to tell the person.
    #[schema(examples("Ouvrez cette page pour valider le paiement dans Wave."))]
    pub(crate) hint: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ibans_of_the_union_are_checked() {
        for right in [
            "CI93CI0080111301134291200589",
            "ci93 CI00 8011 1301 1342 9120 0589",
            "BJ66BJ0610100100144390000769",
            "SN08SN0100152000048500003035",
            "ML13ML0160120102600100668497",
            "TG53TG0090604310346500400070",
        ] {
            assert!(iban(right).is_some(), "{right}");
        }
        for wrong in
            ["CI93CI0080111301134291200588", "FR7630006000011234567890189", "CI93", "", "CI93CI00801113011342912005é9"]
        {
            assert!(iban(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn accounts_are_masked_and_never_printed() {
        let countries = Countries::default();
        let phone = AtOperator::parse("07 07 07 07 42", Format::Phone, &countries).unwrap();
        assert_eq!(phone.masked(&countries), "+225 07 ** ** ** 42");
        assert_eq!(format!("{phone:?}"), "AtOperator(***)");
        assert!(AtOperator::parse("awa@example.ci", Format::Phone, &countries).is_err());
        let account = AtOperator::parse("CI93CI0080111301134291200589", Format::Iban, &countries).unwrap();
        assert_eq!(account.masked(&countries), "CI93 … 0589");
        assert_eq!(
            account.party(),
            Party::Account { iban: "CI93CI0080111301134291200589".into(), participant: "CI008".into() }
        );
    }

    #[test]
    fn references_pass_everywhere() {
        let made = reference(Side::Withdrawal, &Random::seeded(3));
        assert!(made.len() <= 30 && made.starts_with("HSTL-WDR-"), "{made}");
        assert_eq!(key(&Random::seeded(3)).get_version_num(), 4);
    }

    #[test]
    fn what_is_sealed_opens_for_its_own_order_only() {
        let (keys, random) = (Keys::new([5; 32], None), Random::seeded(1));
        let (id, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let sealed = Sealed { at: AtOperator::Phone("+2250707070742".into()), handle: None };
        let bytes = sealed.seal(&keys, &random, id).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("0707070742"));
        assert_eq!(Sealed::open(&keys, id, &bytes).unwrap().at, sealed.at);
        assert!(Sealed::open(&keys, other, &bytes).is_err());
    }
}
