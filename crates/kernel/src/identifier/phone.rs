use super::NotAnIdentifier;

/// A mobile number in E.164: `+2250707070707`. In Côte d'Ivoire the leading zero stays.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Phone(String);

/// Which countries' mobile numbers are served. The first is the one of numbers that are written without a country.
#[derive(Clone, Debug)]
pub struct Countries(Vec<Country>);

/// A numbering plan, as far as it has to be known to tell a mobile number from everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Country {
    iso: &'static str,
    code: &'static str,
    /// Digits behind the country code.
    length: usize,
    mobile_prefixes: &'static [&'static str],
}

/// Côte d'Ivoire since 31 January 2021 (ARTCI): 01 Moov, 05 MTN, 07 Orange. The neighbours of the monetary union follow
/// their regulators' plans of 2025; only Côte d'Ivoire is switched on unless the configuration says more.
const KNOWN: &[Country] = &[
    Country { iso: "CI", code: "225", length: 10, mobile_prefixes: &["01", "05", "07"] },
    Country { iso: "SN", code: "221", length: 9, mobile_prefixes: &["70", "75", "76", "77", "78"] },
    Country { iso: "ML", code: "223", length: 8, mobile_prefixes: &["5", "6", "7", "8", "9"] },
    Country { iso: "BF", code: "226", length: 8, mobile_prefixes: &["0", "5", "6", "7"] },
    Country { iso: "BJ", code: "229", length: 10, mobile_prefixes: &["01"] },
    Country { iso: "TG", code: "228", length: 8, mobile_prefixes: &["7", "9"] },
    Country { iso: "NE", code: "227", length: 8, mobile_prefixes: &["7", "8", "9"] },
    Country { iso: "FR", code: "33", length: 9, mobile_prefixes: &["6", "7"] },
];

/// A telephone's keyboard lets people write this much around ten digits, in characters.
const MAX_WRITTEN: usize = 32;

impl Default for Countries {
    fn default() -> Self {
        Self(KNOWN.iter().take(1).copied().collect())
    }
}

impl Countries {
    /// `CI,SN`: ISO codes, the first is the home country. The error is the code that is not known.
    pub fn parse(list: &str) -> Result<Self, String> {
        let countries: Result<Vec<Country>, String> = list
            .split(',')
            .map(str::trim)
            .filter(|iso| !iso.is_empty())
            .map(|iso| KNOWN.iter().find(|country| country.iso == iso).copied().ok_or_else(|| iso.to_owned()))
            .collect();
        countries.and_then(|known| if known.is_empty() { Err(String::new()) } else { Ok(Self(known)) })
    }

    fn home(&self) -> Option<Country> {
        self.0.first().copied()
    }
}

impl Phone {
    /// The text is ASCII and trimmed already.
    pub(super) fn parse(text: &str, countries: &Countries) -> Result<Self, NotAnIdentifier> {
        let (international, digits) = digits_of(text)?;
        let home = countries.home().ok_or(NotAnIdentifier::NotServed)?;
        if international {
            return abroad(&digits, countries);
        }
        // A home number with its country code but without the plus sign: its length tells it from a national one.
        if let Some(national) = digits.strip_prefix(home.code)
            && national.len() == home.length
        {
            return of(home, national);
        }
        if digits.len() == 8 && home.iso == "CI" {
            return Err(NotAnIdentifier::EightDigits);
        }
        if digits.len() == home.length { of(home, &digits) } else { Err(NotAnIdentifier::Invalid) }
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn masked(&self) -> String {
        let Some(country) = KNOWN.iter().find(|country| self.0[1..].starts_with(country.code)) else {
            return "+*".to_owned();
        };
        let national = &self.0[1 + country.code.len()..];
        let (start, end) = (&national[..2], &national[national.len() - 2..]);
        let hidden = (national.len() - 4).div_ceil(2);
        format!("+{} {start}{} {end}", country.code, " **".repeat(hidden))
    }
}

/// The digits, and whether they start with a country code. Only what people write between digits may stand there.
fn digits_of(text: &str) -> Result<(bool, String), NotAnIdentifier> {
    if text.len() > MAX_WRITTEN || text.bytes().any(|b| !(b.is_ascii_digit() || b" .-()/+".contains(&b))) {
        return Err(NotAnIdentifier::Invalid);
    }
    let plus = text.find('+');
    let first_digit = text.find(|c: char| c.is_ascii_digit()).ok_or(NotAnIdentifier::Invalid)?;
    if text.matches('+').count() > 1 || plus.is_some_and(|at| at > first_digit) {
        return Err(NotAnIdentifier::Invalid);
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix("00") {
        Some(rest) if plus.is_none() => Ok((true, rest.to_owned())),
        _ => Ok((plus.is_some(), digits)),
    }
}

fn abroad(digits: &str, countries: &Countries) -> Result<Phone, NotAnIdentifier> {
    let Some(country) = countries.0.iter().find(|country| digits.starts_with(country.code)) else {
        let plausible = (7..=15).contains(&digits.len());
        return Err(if plausible { NotAnIdentifier::NotServed } else { NotAnIdentifier::Invalid });
    };
    of(*country, &digits[country.code.len()..])
}

fn of(country: Country, national: &str) -> Result<Phone, NotAnIdentifier> {
    if country.iso == "CI" && national.len() == 8 {
        return Err(NotAnIdentifier::EightDigits);
    }
    if national.len() != country.length {
        return Err(NotAnIdentifier::Invalid);
    }
    if !country.mobile_prefixes.iter().any(|prefix| national.starts_with(prefix)) {
        return Err(NotAnIdentifier::NotServed);
    }
    Ok(Phone(format!("+{}{national}", country.code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_countries_are_a_matter_of_configuration() {
        let two = Countries::parse("CI,SN").unwrap();
        assert_eq!(Phone::parse("+221771234567", &two).unwrap().as_str(), "+221771234567");
        assert_eq!(Phone::parse("0707070707", &two).unwrap().as_str(), "+2250707070707");
        assert_eq!(Countries::parse("CI,XX").unwrap_err(), "XX");
    }

    #[test]
    fn signs_have_their_places() {
        let home = Countries::default();
        for refused in ["07+07070707", "++2250707070707", "()", "+", "07070707070", "+22507070707070", "00"] {
            assert!(Phone::parse(refused, &home).is_err(), "{refused}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic_and_what_passes_is_e164(text in "\\PC{0,40}") {
            if let Ok(super::super::Identifier::Phone(phone)) = super::super::Identifier::parse(&text, &Countries::default()) {
                proptest::prop_assert!(phone.as_str().len() == 14 && phone.as_str().starts_with("+2250"));
            }
        }
    }
}
