//! EMVCo merchant-presented codes: the text behind a QR that says "pay me". Reading and writing, without any idea of who
//! owns what. Two profiles are written: our own (template 26, `ci.hostolink`) and PI-SPI's (template 36, `int.bceao.pi`).
//!
//! A text is a sequence of `TT LL value`; the last field, 63, is a CRC over everything before its own value.

use crc::{CRC_16_IBM_3740, Crc};

/// The longest text that is read, in bytes.
pub const MAX_BYTES: usize = 512;
/// The number of XOF in ISO 4217.
const XOF: &str = "952";
/// The largest amount a code may carry, in digits.
const AMOUNT_DIGITS: usize = 13;
/// EMVCo's bounds of a name and a city, in characters.
const NAME_CHARS: usize = 25;
const CITY_CHARS: usize = 15;
/// A reference label, in characters.
const REFERENCE_CHARS: usize = 25;

const OURS: &str = "ci.hostolink";
const PI_SPI: &str = "int.bceao.pi";
/// Countries of the monetary union, as PI-SPI lists them.
const UNION: [&str; 8] = ["BJ", "BF", "CI", "GW", "ML", "NE", "SN", "TG"];

/// What CRC-16/CCITT-FALSE is called in the catalogue.
const CHECKSUM: Crc<u16> = Crc::<u16>::new(&CRC_16_IBM_3740);

/// Who is to be paid, as the code names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payee {
    /// One of our accounts and, when the code is one of a single request, that code's id.
    Hostolink {
        /// The account, as the code writes it.
        account: String,
        /// The dynamic code.
        code: Option<String>,
    },
    /// An alias of the union's instant payments.
    PiSpi {
        /// UUID of the alias.
        alias: String,
    },
    /// A network that we do not serve, by its identifier when it gives one.
    Other {
        /// `00` of the merchant account template, or its tag.
        network: String,
    },
}

/// A code that was read, or is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Who is to be paid.
    pub payee: Payee,
    /// Whole francs, when the code asks for a certain amount.
    pub amount: Option<i64>,
    /// ISO 3166 alpha 2.
    pub country: String,
    /// Name as printed; it proves nothing.
    pub name: String,
    /// City as printed.
    pub city: String,
    /// The payee's own reference.
    pub reference: Option<String>,
    /// For one request only, and not for the counter of a shop.
    pub dynamic: bool,
}

/// Why a text is no code that can be trusted. The code of the field error follows the variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Empty, or not one of these codes at all.
    #[error("not an EMVCo code")]
    Unknown,
    /// Longer than [`MAX_BYTES`].
    #[error("too long")]
    TooLong,
    /// It ends in the middle of a field.
    #[error("cut off")]
    Truncated,
    /// The checksum is absent, not last, or wrong.
    #[error("wrong checksum")]
    Checksum,
    /// A field that may stand once stands twice.
    #[error("repeated field")]
    Repeated,
    /// A field that has to be there is missing.
    #[error("missing field")]
    Incomplete,
    /// An amount that is no whole number of francs.
    #[error("wrong amount")]
    Amount,
    /// An alias that is no UUID.
    #[error("wrong alias")]
    Alias,
    /// The id of a real code with something else around it.
    #[error("altered")]
    Altered,
}

impl Damage {
    /// The stable code of the refusal.
    pub fn code(self) -> &'static str {
        match self {
            Damage::Unknown => "qr_unknown",
            Damage::TooLong => "qr_too_long",
            Damage::Truncated => "qr_truncated",
            Damage::Checksum => "qr_checksum",
            Damage::Repeated => "qr_repeated_field",
            Damage::Incomplete => "qr_missing_field",
            Damage::Amount => "qr_amount",
            Damage::Alias => "qr_alias",
            Damage::Altered => "qr_altered",
        }
    }
}

/// What is readable and yet not for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// The address that a Wave code holds.
    Wave,
    /// The address that an Orange Money code holds.
    OrangeMoney,
    /// Any other address.
    Address,
    /// Another currency than the franc of the union.
    Currency,
    /// A country outside of the union.
    Country,
}

impl Foreign {
    /// As answers name it.
    pub fn name(&self) -> &'static str {
        match self {
            Foreign::Wave => "wave",
            Foreign::OrangeMoney => "orange_money",
            Foreign::Address => "address",
            Foreign::Currency => "currency",
            Foreign::Country => "country",
        }
    }
}

/// What a scanned text turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// An EMVCo code in francs.
    Code(Code),
    /// Somebody else's.
    Foreign(Foreign),
}

/// Reads what a camera saw.
pub fn read(text: &str) -> Result<Scanned, Damage> {
    let text = text.trim();
    if text.len() > MAX_BYTES {
        return Err(Damage::TooLong);
    }
    if let Some(foreign) = address(text) {
        return Ok(Scanned::Foreign(foreign));
    }
    if !text.starts_with("0002") {
        return Err(Damage::Unknown);
    }
    let bytes = checked(text)?;
    interpret(&Fields::split(&bytes)?)
}

/// Shops' codes of Wave and Orange are addresses, not EMVCo.
fn address(text: &str) -> Option<Foreign> {
    let lower = text.to_ascii_lowercase();
    let rest = lower
        .strip_prefix("https://")
        .or_else(|| lower.strip_prefix("http://"))
        .or_else(|| lower.strip_prefix("wave://"))?;
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or("");
    let within = |domain: &str| host == domain || host.ends_with(&format!(".{domain}"));
    Some(if lower.starts_with("wave://") || within("wave.com") {
        Foreign::Wave
    } else if host.split('.').any(|label| label.starts_with("orange")) {
        Foreign::OrangeMoney
    } else {
        Foreign::Address
    })
}

/// The bytes whose checksum is right: those of the text, or for older writers those of its ISO-8859-1 form.
fn checked(text: &str) -> Result<Vec<u8>, Damage> {
    let right = |bytes: &[u8]| {
        let (body, crc) = bytes.split_at_checked(bytes.len().saturating_sub(4))?;
        (body.ends_with(b"6304") && crc == format!("{:04X}", CHECKSUM.checksum(body)).as_bytes()).then_some(())
    };
    if right(text.as_bytes()).is_some() {
        return Ok(text.as_bytes().to_vec());
    }
    let latin: Option<Vec<u8>> = text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
    latin.filter(|bytes| !text.is_ascii() && right(bytes).is_some()).ok_or(Damage::Checksum)
}

/// Tags and values of one level, in their order.
struct Fields(Vec<(u8, String)>);

impl Fields {
    fn split(mut bytes: &[u8]) -> Result<Self, Damage> {
        let mut fields: Vec<(u8, String)> = Vec::new();
        while !bytes.is_empty() {
            let (head, rest) = bytes.split_at_checked(4).ok_or(Damage::Truncated)?;
            let (tag, length) = (two_digits(&head[..2])?, usize::from(two_digits(&head[2..])?));
            let (value, rest) = rest.split_at_checked(length).ok_or(Damage::Truncated)?;
            if fields.iter().any(|(known, _)| *known == tag) {
                return Err(Damage::Repeated);
            }
            fields.push((tag, words(value)));
            bytes = rest;
        }
        Ok(Self(fields))
    }

    fn get(&self, tag: u8) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == tag).map(|(_, value)| value.as_str())
    }
}

fn two_digits(bytes: &[u8]) -> Result<u8, Damage> {
    match bytes {
        [tens @ b'0'..=b'9', units @ b'0'..=b'9'] => Ok((tens - b'0') * 10 + (units - b'0')),
        _ => Err(Damage::Truncated),
    }
}

/// UTF-8 where it is, else ISO-8859-1, which every byte is.
fn words(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect())
}

fn interpret(fields: &Fields) -> Result<Scanned, Damage> {
    if fields.get(0) != Some("01") {
        return Err(Damage::Unknown);
    }
    if fields.get(53).ok_or(Damage::Incomplete)? != XOF {
        return Ok(Scanned::Foreign(Foreign::Currency));
    }
    let country = fields.get(58).ok_or(Damage::Incomplete)?;
    if !UNION.contains(&country) {
        return Ok(Scanned::Foreign(Foreign::Country));
    }
    let amount = fields.get(54).map(amount).transpose()?;
    let more = fields.get(62).map(|value| Fields::split(value.as_bytes())).transpose()?;
    let reference = more.as_ref().and_then(|more| more.get(5)).map(plain_reference);
    // The channel decides, then the point of initiation, then whether an amount is asked for.
    let dynamic = match (more.as_ref().and_then(|more| more.get(11)), fields.get(1)) {
        (Some(channel), _) => channel == "400",
        (None, Some(point)) => point == "12",
        (None, None) => amount.is_some(),
    };
    Ok(Scanned::Code(Code {
        payee: payee(fields)?,
        amount,
        country: country.to_owned(),
        name: fields.get(59).unwrap_or_default().to_owned(),
        city: fields.get(60).unwrap_or_default().to_owned(),
        reference: reference.filter(|text| !text.is_empty()),
        dynamic,
    }))
}

/// Our own template first, then the union's, then whatever network is named.
fn payee(fields: &Fields) -> Result<Payee, Damage> {
    let mut other = None;
    for (tag, value) in fields.0.iter().filter(|(tag, _)| (2..=51).contains(tag)) {
        if *tag < 26 {
            other.get_or_insert_with(|| format!("tag {tag:02}"));
            continue;
        }
        let template = Fields::split(value.as_bytes())?;
        let network = template.get(0).unwrap_or_default();
        let id = || template.get(1).map(str::to_owned).ok_or(Damage::Incomplete);
        if network.eq_ignore_ascii_case(OURS) {
            return Ok(Payee::Hostolink { account: id()?, code: template.get(2).map(str::to_owned) });
        }
        if network.eq_ignore_ascii_case(PI_SPI) {
            return Ok(Payee::PiSpi { alias: alias(&id()?, fields.get(1).is_some())? });
        }
        other.get_or_insert_with(|| network.to_owned());
    }
    other.map(|network| Payee::Other { network }).ok_or(Damage::Incomplete)
}

/// The present profile has aliases that are UUIDs and no tag 01; an older one had both otherwise.
fn alias(text: &str, older: bool) -> Result<String, Damage> {
    let uuid = text.len() == 36 && uuid::Uuid::try_parse(text).is_ok();
    if uuid || (older && !text.is_empty()) { Ok(text.to_ascii_lowercase()) } else { Err(Damage::Alias) }
}

/// Whole francs; `.0` and `.00` are the same, any other decimals are refused.
fn amount(text: &str) -> Result<i64, Damage> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = !whole.is_empty() && whole.len() <= AMOUNT_DIGITS && whole.bytes().all(|byte| byte.is_ascii_digit());
    let whole_francs = decimals.len() <= 2 && decimals.bytes().all(|byte| byte == b'0') && !text.ends_with('.');
    let value = if digits && whole_francs { whole.parse().ok() } else { None };
    value.filter(|value| (1..=kernel::money::MAX_AMOUNT).contains(value)).ok_or(Damage::Amount)
}

/// A reference travels on to statements: only letters, digits and what cannot hurt anywhere.
fn plain_reference(text: &str) -> String {
    text.chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || "-_./ ".contains(*letter))
        .take(REFERENCE_CHARS)
        .collect()
}

/// Writes a code with its checksum. `None` when a part does not fit into the format.
pub fn write(code: &Code) -> Option<String> {
    let mut text = String::with_capacity(MAX_BYTES);
    put(&mut text, 0, "01")?;
    match &code.payee {
        Payee::Hostolink { account, code: id } => {
            put(&mut text, 1, if code.dynamic { "12" } else { "11" })?;
            let mut template = String::new();
            put(&mut template, 0, OURS)?;
            put(&mut template, 1, account)?;
            id.as_deref().map_or(Some(()), |id| put(&mut template, 2, id))?;
            put(&mut text, 26, &template)?;
        }
        Payee::PiSpi { alias } => {
            let mut template = String::new();
            put(&mut template, 0, PI_SPI)?;
            put(&mut template, 1, alias)?;
            put(&mut text, 36, &template)?;
        }
        Payee::Other { .. } => return None,
    }
    put(&mut text, 52, "0000")?;
    put(&mut text, 53, XOF)?;
    code.amount.map_or(Some(()), |amount| put(&mut text, 54, &amount.to_string()))?;
    put(&mut text, 58, &code.country)?;
    put(&mut text, 59, &code.name)?;
    put(&mut text, 60, &code.city)?;
    let mut more = String::new();
    code.reference.as_deref().map_or(Some(()), |reference| put(&mut more, 5, reference))?;
    put(&mut more, 11, if code.dynamic { "400" } else { "000" })?;
    put(&mut text, 62, &more)?;
    text.push_str("6304");
    let crc = CHECKSUM.checksum(text.as_bytes());
    text.push_str(&format!("{crc:04X}"));
    (text.len() <= MAX_BYTES).then_some(text)
}

/// Values that we write are ASCII: bytes and characters are then the same, and so is every checksum.
fn put(text: &mut String, tag: u8, value: &str) -> Option<()> {
    if !value.is_ascii() || value.is_empty() || value.len() > 99 {
        return None;
    }
    text.push_str(&format!("{tag:02}{:02}{value}", value.len()));
    Some(())
}

/// A person's name as a code may print it: without accents, in capitals, at most 25 characters.
pub fn printed_name(name: &str) -> String {
    printed(name, NAME_CHARS)
}

/// A city as a code may print it.
pub fn printed_city(city: &str) -> String {
    printed(city, CITY_CHARS)
}

fn printed(text: &str, most: usize) -> String {
    use unicode_normalization::UnicodeNormalization;
    let plain: String = text
        .nfkd()
        .filter(|letter| letter.is_ascii_alphanumeric() || " .'-".contains(*letter))
        .map(|letter| letter.to_ascii_uppercase())
        .take(most)
        .collect();
    let plain = plain.trim();
    if plain.is_empty() { "X".to_owned() } else { plain.to_owned() }
}

#[cfg(test)]
#[path = "emv_tests.rs"]
mod tests;
