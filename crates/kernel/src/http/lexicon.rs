use std::collections::BTreeMap;

use super::Lang;

/// Every sentence that a person may read, by code and language. The server reads it from `messages/`; a house never
/// holds one. A code without a sentence shows itself: visible, harmless, and refused by a test of the server.
#[derive(Debug, Default)]
pub struct Lexicon {
    french: BTreeMap<String, String>,
    english: BTreeMap<String, String>,
}

impl Lexicon {
    /// Reads two TOML texts whose tables are houses and whose keys are codes: `[wallet] insufficient_funds = "…"`.
    pub fn parse(french: &str, english: &str) -> Result<Self, toml::de::Error> {
        Ok(Self { french: flatten(french)?, english: flatten(english)? })
    }

    /// The sentence of a code with its `{parameters}` filled in.
    pub fn sentence(&self, lang: Lang, code: &str, params: &[(&'static str, String)]) -> String {
        let Some(template) = self.template(lang, code) else { return code.to_owned() };
        let mut sentence = template.to_owned();
        for (name, value) in params {
            sentence = sentence.replace(&format!("{{{name}}}"), value);
        }
        sentence
    }

    /// The codes that have a sentence in this language.
    pub fn codes(&self, lang: Lang) -> impl Iterator<Item = &str> {
        self.of(lang).keys().map(String::as_str)
    }

    /// The sentence as it is written, parameters and all.
    pub fn template(&self, lang: Lang, code: &str) -> Option<&str> {
        self.of(lang).get(code).map(String::as_str)
    }

    fn of(&self, lang: Lang) -> &BTreeMap<String, String> {
        match lang {
            Lang::Fr => &self.french,
            Lang::En => &self.english,
        }
    }
}

fn flatten(text: &str) -> Result<BTreeMap<String, String>, toml::de::Error> {
    let houses: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(text)?;
    Ok(houses
        .into_iter()
        .flat_map(|(house, sentences)| sentences.into_iter().map(move |(code, text)| (format!("{house}.{code}"), text)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_filled_in_and_unknown_codes_show_themselves() {
        let lexicon = Lexicon::parse("[a]\nb = \"Il reste {n} essai(s).\"", "[a]\nb = \"{n} left\"").unwrap();
        assert_eq!(lexicon.sentence(Lang::Fr, "a.b", &[("n", "3".into())]), "Il reste 3 essai(s).");
        assert_eq!(lexicon.sentence(Lang::En, "a.b", &[("n", "3".into())]), "3 left");
        assert_eq!(lexicon.sentence(Lang::Fr, "a.c", &[]), "a.c");
    }
}
