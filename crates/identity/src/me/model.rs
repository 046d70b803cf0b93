use kernel::identifier::Countries;
use kernel::{Identifier, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::country::is_assigned;
use crate::IdentityError;

/// Une personne, telle qu'elle se voit.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    #[schema(examples("01930e4b-7c1a-7c3e-9d52-0d5f5f0c9a11"))]
    pub id: Uuid,
    #[schema(examples("testemail@gmail.com"))]
    pub email: Option<String>,
    #[schema(examples("+2250707070707"))]
    pub phone_number: Option<String>,
    /// L'adresse a été prouvée par un code.
    pub email_verified: bool,
    /// Le numéro a été prouvé par un code.
    pub phone_verified: bool,
    #[schema(examples("Koné"))]
    pub last_name: Option<String>,
    #[schema(examples("Awa"))]
    pub first_name: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(examples("CI"))]
    pub country: Option<String>,
    /// Null tant qu'il n'y a pas de photo.
    pub photo_url: Option<String>,
    #[schema(examples("CITIZEN"))]
    pub user_type: String,
    /// Rôles d'administration ; vide pour presque tout le monde.
    pub roles: Vec<String>,
    /// Null pour quelques comptes anciens.
    pub created_at: Option<Timestamp>,
}

impl User {
    /// As the back office sees it in a list: enough to tell people apart, not enough to reach them.
    pub(crate) fn masked(self, countries: &Countries) -> Self {
        let mask =
            |text: String| Identifier::parse(&text, countries).map_or_else(|_| "***".to_owned(), |own| own.masked());
        Self { email: self.email.map(mask), phone_number: self.phone_number.map(mask), ..self }
    }
}

/// What may be changed without a proof. `None` keeps what is there, `Some(None)` takes it away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) last_name: Option<Option<String>>,
    pub(crate) first_name: Option<Option<String>>,
    pub(crate) country: Option<Option<String>>,
}

/// The longest name, in characters.
const MAX_NAME: usize = 80;

impl Names {
    /// Trims; an empty text takes the value away. Others see these names before they pay: no sign in them may hide
    /// another or turn the line around.
    pub(crate) fn checked(self) -> Result<Self, IdentityError> {
        Ok(Self {
            last_name: tidy(self.last_name, |text| name("lastName", text))?,
            first_name: tidy(self.first_name, |text| name("firstName", text))?,
            country: tidy(self.country, country)?,
        })
    }
}

fn tidy(
    sent: Option<Option<String>>,
    check: impl Fn(&str) -> Result<String, IdentityError>,
) -> Result<Option<Option<String>>, IdentityError> {
    let Some(value) = sent else { return Ok(None) };
    match value.as_deref().map(str::trim) {
        None | Some("") => Ok(Some(None)),
        Some(text) => check(text).map(|text| Some(Some(text))),
    }
}

fn name(field: &'static str, text: &str) -> Result<String, IdentityError> {
    if text.chars().count() > MAX_NAME {
        return Err(IdentityError::Field(field, "too_long"));
    }
    let fits = |c: char| c.is_alphanumeric() || " '’-.&".contains(c) || ('\u{300}'..='\u{36f}').contains(&c);
    if text.chars().all(fits) && text.chars().any(char::is_alphabetic) {
        Ok(text.to_owned())
    } else {
        Err(IdentityError::Field(field, "invalid"))
    }
}

fn country(text: &str) -> Result<String, IdentityError> {
    let code = text.to_ascii_uppercase();
    if is_assigned(&code) { Ok(code) } else { Err(IdentityError::Field("country", "invalid")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_name(text: &str) -> Result<Option<Option<String>>, IdentityError> {
        Names { first_name: Some(Some(text.to_owned())), ..Names::default() }.checked().map(|names| names.first_name)
    }

    #[test]
    fn names_are_trimmed_and_may_be_taken_away() {
        assert_eq!(first_name("  Awa ").unwrap(), Some(Some("Awa".to_owned())));
        assert_eq!(first_name("   ").unwrap(), Some(None));
        assert_eq!(Names { country: Some(None), ..Names::default() }.checked().unwrap().country, Some(None));
        assert_eq!(Names::default().checked().unwrap(), Names::default());
        for text in ["N'Guessan", "Anne-Marie", "Kouamé", "Cissé Jr.", "e\u{301}lodie"] {
            assert!(first_name(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn names_that_could_mislead_are_refused() {
        for text in ["A\u{202e}wa", "Awa\u{200b}", "A\nwa", "<b>", "2000", "Awa \u{1f600}", &"a".repeat(81)] {
            assert!(first_name(text).is_err(), "{text:?}");
        }
        for text in ["CIV", "C", "1é", "é", "ZZ"] {
            assert!(Names { country: Some(Some(text.to_owned())), ..Names::default() }.checked().is_err(), "{text}");
        }
    }
}
