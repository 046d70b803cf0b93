//! How a person is found: an e-mail address or a telephone number, written in any usual way, stored in one.

mod email;
mod phone;

pub use email::Email;
pub use phone::{Countries, Phone};

use unicode_normalization::UnicodeNormalization;

/// The longest text that can be an identifier, in bytes (RFC 5321 for a mailbox).
pub const MAX_IDENTIFIER_BYTES: usize = 254;

/// An e-mail address in lower case or a telephone number in E.164.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identifier {
    /// An e-mail address.
    Email(Email),
    /// A telephone number.
    Phone(Phone),
}

/// Why a text is no identifier. The code is what a client branches on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnIdentifier {
    /// Nothing was given.
    #[error("empty")]
    Empty,
    /// Neither an e-mail address nor a telephone number.
    #[error("invalid")]
    Invalid,
    /// Letters, or look-alikes of letters and digits, in what should be a number or an address.
    #[error("look-alike characters")]
    LookAlike,
    /// Eight digits: a number from before 31 January 2021.
    #[error("eight digits")]
    EightDigits,
    /// A number of a country or a kind that is not served.
    #[error("not served")]
    NotServed,
}

impl NotAnIdentifier {
    /// The stable code of the refusal.
    pub fn code(self) -> &'static str {
        match self {
            NotAnIdentifier::Empty => "identifier_empty",
            NotAnIdentifier::Invalid => "identifier_invalid",
            NotAnIdentifier::LookAlike => "identifier_look_alike",
            NotAnIdentifier::EightDigits => "identifier_eight_digits",
            NotAnIdentifier::NotServed => "identifier_not_served",
        }
    }
}

impl Identifier {
    /// Reads what a person typed. Letters are never read as digits: the letter O is not a zero.
    pub fn parse(text: &str, countries: &Countries) -> Result<Self, NotAnIdentifier> {
        let text = plain_text(text)?;
        if text.contains('@') {
            Email::parse(&text).map(Identifier::Email)
        } else {
            Phone::parse(&text, countries).map(Identifier::Phone)
        }
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        match self {
            Identifier::Email(email) => email.as_str(),
            Identifier::Phone(phone) => phone.as_str(),
        }
    }

    /// Enough to be recognised by its owner, not enough for anybody else.
    pub fn masked(&self) -> String {
        match self {
            Identifier::Email(email) => email.masked(),
            Identifier::Phone(phone) => phone.masked(),
        }
    }

    /// `email` or `phone`.
    pub fn kind(&self) -> &'static str {
        match self {
            Identifier::Email(_) => "email",
            Identifier::Phone(_) => "phone",
        }
    }
}

/// Trims, and refuses what only looks like plain text: compatibility forms (full-width digits, ligatures), other
/// scripts' look-alikes and invisible characters. Typographic spaces are spaces: telephones insert them by themselves.
fn plain_text(text: &str) -> Result<String, NotAnIdentifier> {
    let spaced: String = text.chars().map(|c| if is_space(c) { ' ' } else { c }).collect();
    let trimmed = spaced.trim();
    if trimmed.is_empty() {
        return Err(NotAnIdentifier::Empty);
    }
    if trimmed.len() > MAX_IDENTIFIER_BYTES {
        return Err(NotAnIdentifier::Invalid);
    }
    if !trimmed.is_ascii() || trimmed.nfkc().ne(trimmed.chars()) {
        return Err(NotAnIdentifier::LookAlike);
    }
    Ok(trimmed.to_owned())
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, NotAnIdentifier> {
        Identifier::parse(text, &Countries::default()).map(|identifier| identifier.as_str().to_owned())
    }

    #[test]
    fn one_person_one_spelling() {
        for spelling in [
            "0707070707",
            "07 07 07 07 07",
            "07.07.07.07.07",
            "07-07-07-07-07",
            "+2250707070707",
            "+225 07 07 07 07 07",
            "002250707070707",
            "2250707070707",
            "(+225) 07 07 07 07 07",
            " 0707070707 ",
            "07\u{a0}07\u{202f}07 07 07",
        ] {
            assert_eq!(parse(spelling).as_deref(), Ok("+2250707070707"), "{spelling}");
        }
        assert_eq!(parse(" Test.Email@GMAIL.com ").as_deref(), Ok("test.email@gmail.com"));
    }

    #[test]
    fn letters_are_never_digits() {
        assert_eq!(parse("07O7070707"), Err(NotAnIdentifier::Invalid), "the letter O");
        assert_eq!(parse("+22507l7070707"), Err(NotAnIdentifier::Invalid), "the letter l");
        assert_eq!(parse("０７０７０７０７０７"), Err(NotAnIdentifier::LookAlike), "full-width digits");
        assert_eq!(parse("аwa@example.ci"), Err(NotAnIdentifier::LookAlike), "a Cyrillic a");
        assert_eq!(parse("awa\u{200b}@example.ci"), Err(NotAnIdentifier::LookAlike), "an invisible space");
        assert_eq!(parse("awa＠example.ci"), Err(NotAnIdentifier::LookAlike), "a full-width at sign");
    }

    #[test]
    fn what_is_not_served_is_told_apart() {
        assert_eq!(parse("07070707"), Err(NotAnIdentifier::EightDigits));
        assert_eq!(parse("+22507070707"), Err(NotAnIdentifier::EightDigits));
        assert_eq!(parse("+33612345678"), Err(NotAnIdentifier::NotServed));
        assert_eq!(parse("2722481000"), Err(NotAnIdentifier::NotServed), "a landline gets no SMS");
        assert_eq!(parse(""), Err(NotAnIdentifier::Empty));
        assert_eq!(parse("   "), Err(NotAnIdentifier::Empty));
        assert_eq!(parse("bonjour"), Err(NotAnIdentifier::Invalid));
        assert_eq!(parse("9876543210"), Err(NotAnIdentifier::NotServed));
    }

    #[test]
    fn masks_keep_the_ends() {
        let masked = |text| Identifier::parse(text, &Countries::default()).unwrap().masked();
        assert_eq!(masked("0707070742"), "+225 07 ** ** ** 42");
        assert_eq!(masked("testemail@gmail.com"), "t*******l@gmail.com");
        assert_eq!(masked("a@b.ci"), "*@b.ci");
    }
}
