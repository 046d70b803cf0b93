//! Telephone numbers of institutions, by ARTCI's numbering plan. The usual library refuses real landlines of Korhogo, Man
//! and Abengourou and does not know SAMU's 185, so the rule of the regulator decides and nothing else.

/// A number that can be dialled today.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Dial {
    /// `+2252722481000`
    E164(String),
    /// `185`: the same digits from any telephone of the country.
    Short(String),
}

/// A number that was read, and how sure its form is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// What to dial.
    pub dial: Dial,
    /// The eight digits it had before 31 January 2021, when it was moved by rule: to verify by a call.
    pub former: Option<String>,
}

/// Why a text is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotANumber {
    /// Nothing there.
    Empty,
    /// Opening hours, a name, a sentence.
    NotDigits,
    /// Digits that no plan of Côte d'Ivoire has.
    NotInPlan,
}

impl NotANumber {
    /// The stable code of a report's line.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "phone_empty",
            Self::NotDigits => "phone_not_digits",
            Self::NotInPlan => "phone_not_in_plan",
        }
    }
}

const PREFIXES: [&str; 6] = ["01", "05", "07", "21", "25", "27"];
/// A cell with more than this many characters holds no number, in characters.
const MAX_WRITTEN: usize = 40;

impl Dial {
    /// `tel:185`, `tel:+2252722481000`
    pub fn uri(&self) -> String {
        match self {
            Self::E164(number) | Self::Short(number) => format!("tel:{number}"),
        }
    }

    /// As people of the country write it: `27 22 48 10 00`, `185`.
    pub fn written(&self) -> String {
        match self {
            Self::Short(number) => number.clone(),
            Self::E164(number) => {
                let national: Vec<char> = number.trim_start_matches("+225").chars().collect();
                national.chunks(2).map(|pair| pair.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
            }
        }
    }

    /// The E.164 form, if it is a long number.
    pub fn e164(&self) -> Option<&str> {
        match self {
            Self::E164(number) => Some(number),
            Self::Short(_) => None,
        }
    }

    /// The short form, if it is one.
    pub fn short(&self) -> Option<&str> {
        match self {
            Self::Short(number) => Some(number),
            Self::E164(_) => None,
        }
    }
}

/// Reads one number: ten digits, eight digits of before 2021, or a short number.
pub fn read(text: &str) -> Result<Number, NotANumber> {
    let text = text.trim();
    if text.is_empty() {
        return Err(NotANumber::Empty);
    }
    if text.chars().count() > MAX_WRITTEN
        || text.chars().any(|c| !(c.is_ascii_digit() || c.is_whitespace() || "+-./()".contains(c)))
    {
        return Err(NotANumber::NotDigits);
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let national = national(text, &digits);
    match national.len() {
        10 if PREFIXES.iter().any(|prefix| national.starts_with(prefix)) => {
            Ok(Number { dial: Dial::E164(format!("+225{national}")), former: None })
        }
        8 => moved(national).ok_or(NotANumber::NotInPlan),
        3 | 4 if is_short(national) => Ok(Number { dial: Dial::Short(national.to_owned()), former: None }),
        _ => Err(NotANumber::NotInPlan),
    }
}

fn national<'a>(text: &str, digits: &'a str) -> &'a str {
    let bare =
        digits.strip_prefix("00225").or_else(|| digits.strip_prefix("225").filter(|rest| matches!(rest.len(), 8 | 10)));
    match bare {
        Some(rest) => rest,
        // A plus sign with another country's code is no number of ours, whatever its length.
        None if text.starts_with('+') => "",
        None => digits,
    }
}

fn is_short(digits: &str) -> bool {
    match digits.len() {
        3 => digits.starts_with('1') || digits.starts_with('7'),
        4 => digits.starts_with('1'),
        _ => false,
    }
}

/// ARTCI's migration of 2021: mobiles by their second digit, landlines to Orange's 27 (21 and 25 cannot be told from the number).
fn moved(eight: &str) -> Option<Number> {
    let digit = |at: usize| eight.as_bytes().get(at).copied();
    let prefix = match (digit(0)?, digit(1)?) {
        // Landlines began with 2 or 3 and an area (20 to 25, 30 to 36).
        (b'2', b'0'..=b'5') | (b'3', b'0'..=b'6') => "27",
        (_, b'0'..=b'3') => "01",
        (_, b'4'..=b'6') => "05",
        (_, b'7'..=b'9') => "07",
        _ => return None,
    };
    Some(Number { dial: Dial::E164(format!("+225{prefix}{eight}")), former: Some(eight.to_owned()) })
}

/// All numbers of one cell, and what could not be read in it: `27 20 21 22 23 / 07…; 185`.
pub fn read_all(cell: &str) -> (Vec<Number>, Vec<(String, NotANumber)>) {
    let (mut numbers, mut refused): (Vec<Number>, Vec<(String, NotANumber)>) = (Vec::new(), Vec::new());
    for part in parts(cell) {
        match read(&part) {
            Ok(number) if !numbers.iter().any(|known| known.dial == number.dial) => numbers.push(number),
            Ok(_) | Err(NotANumber::Empty) => {}
            Err(reason) => refused.push((part, reason)),
        }
    }
    (numbers, refused)
}

/// Commas, semicolons, bars and slashes part numbers; blanks do so only where every piece is a whole number by itself.
fn parts(cell: &str) -> Vec<String> {
    let coarse = cell.split([',', ';', '|', '/', '\n']).map(str::trim).filter(|part| !part.is_empty());
    coarse
        .flat_map(|part| {
            let pieces: Vec<&str> = part.split_whitespace().collect();
            let whole = |piece: &&str| piece.chars().filter(char::is_ascii_digit).count() >= 8;
            // Long pieces stand alone; runs of short pieces belong together.
            let mut out: Vec<String> = Vec::new();
            let mut run = String::new();
            for piece in &pieces {
                if whole(piece)
                    && (run.is_empty() || !matches!(run.as_str(), "+225" | "225" | "00225" | "(+225)" | "(225)"))
                {
                    if !run.is_empty() {
                        out.push(std::mem::take(&mut run));
                    }
                    out.push((*piece).to_owned());
                } else {
                    if !run.is_empty() {
                        run.push(' ');
                    }
                    run.push_str(piece);
                    if whole(piece) {
                        out.push(std::mem::take(&mut run));
                    }
                }
            }
            if !run.is_empty() {
                out.push(run);
            }
            out
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn e164(text: &str) -> Option<String> {
        read(text).ok().and_then(|number| number.dial.e164().map(str::to_owned))
    }

    #[test]
    fn today_s_numbers_in_any_spelling() {
        for text in
            ["27 22 48 10 00", "+2252722481000", "00225 27 22 48 10 00", "225-27-22-48-10-00", "(+225) 27.22.48.10.00"]
        {
            assert_eq!(e164(text).as_deref(), Some("+2252722481000"), "{text}");
        }
        for landline in ["2735913503", "2736860180", "2733791100"] {
            assert!(e164(landline).is_some(), "a real landline that the usual library refuses: {landline}");
        }
    }

    #[test]
    fn short_numbers_are_numbers() {
        for (text, uri) in [("185", "tel:185"), ("1308", "tel:1308"), ("712", "tel:712")] {
            assert_eq!(read(text).unwrap().dial.uri(), uri);
        }
        for text in ["18", "999", "0", "12345"] {
            assert_eq!(read(text), Err(NotANumber::NotInPlan), "{text}");
        }
    }

    #[test]
    fn eight_digits_move_by_the_rule_and_say_so() {
        for (old, new) in [
            ("22477561", "27"),
            ("55350700", "05"),
            ("59647172", "07"),
            ("02503032", "01"),
            ("48 80 89 09", "07"),
            ("31000222", "27"),
        ] {
            let number = read(old).unwrap();
            assert_eq!(number.dial.e164().unwrap().get(4..6), Some(new), "{old}");
            assert!(number.former.is_some());
        }
    }

    #[test]
    fn what_is_no_number_says_why() {
        assert_eq!(read("Mo-Fr 08:00-18:00"), Err(NotANumber::NotDigits));
        assert_eq!(read("  "), Err(NotANumber::Empty));
        assert_eq!(read("0606990092"), Err(NotANumber::NotInPlan));
        assert_eq!(read("+33612345678"), Err(NotANumber::NotInPlan));
        assert_eq!(read("9683141"), Err(NotANumber::NotInPlan));
    }

    #[test]
    fn a_cell_may_hold_several() {
        let (numbers, refused) = read_all("0709846848 2521015738; +225 48 80 89 09 / 27 22 48 10 00, fermé");
        let uris: Vec<String> = numbers.iter().map(|number| number.dial.uri()).collect();
        assert_eq!(uris, ["tel:+2250709846848", "tel:+2252521015738", "tel:+2250748808909", "tel:+2252722481000"]);
        assert_eq!(refused, [("fermé".to_owned(), NotANumber::NotDigits)]);
    }

    #[test]
    fn a_number_is_written_as_people_write_it() {
        assert_eq!(read("2722481000").unwrap().dial.written(), "27 22 48 10 00");
    }
}
