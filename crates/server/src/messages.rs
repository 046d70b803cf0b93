//! The sentences of `messages/`, built into the program.

use std::sync::Arc;

use kernel::http::Lexicon;

const FRENCH: &str = include_str!("../../../messages/fr.toml");
const ENGLISH: &str = include_str!("../../../messages/en.toml");

/// Reads them; a file that cannot be read is found by the tests before anybody runs it.
pub fn lexicon() -> anyhow::Result<Arc<Lexicon>> {
    Ok(Arc::new(Lexicon::parse(FRENCH, ENGLISH)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Lang;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn both_languages_say_the_same_things() {
        let lexicon = lexicon().unwrap();
        let codes = |lang| lexicon.codes(lang).map(str::to_owned).collect::<BTreeSet<_>>();
        assert_eq!(codes(Lang::Fr), codes(Lang::En));
        for code in codes(Lang::Fr) {
            let braces = |lang| {
                let template = lexicon.template(lang, &code).unwrap().to_owned();
                template
                    .split('{')
                    .skip(1)
                    .map(|rest| rest.split('}').next().unwrap().to_owned())
                    .collect::<BTreeSet<_>>()
            };
            assert_eq!(braces(Lang::Fr), braces(Lang::En), "{code}");
        }
    }

    /// Every `"house.reason"` that stands in the sources of a house has a sentence, and no sentence is left over.
    #[test]
    fn every_code_has_a_sentence_and_every_sentence_a_use() {
        let lexicon = lexicon().unwrap();
        let known: BTreeSet<String> = lexicon.codes(Lang::Fr).map(str::to_owned).collect();
        let houses: BTreeSet<&str> = known.iter().filter_map(|code| code.split('.').next()).collect();
        let mut sources = String::new();
        read_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &mut sources);
        let literals: BTreeSet<&str> = sources.split('"').collect();
        let missing: Vec<&&str> = literals
            .iter()
            .filter(|text| is_code(text) && text.split('.').next().is_some_and(|house| houses.contains(house)))
            .filter(|code| !known.contains(**code) && !JOBS_AND_PERMISSIONS.iter().any(|suffix| code.ends_with(suffix)))
            .collect();
        assert!(missing.is_empty(), "codes without a sentence: {missing:?}");
        let unused: Vec<&String> = known
            .iter()
            .filter(|code| {
                let (house, reason) = code.split_once('.').unwrap();
                !literals.contains(code.as_str()) && !(COMPOSED.contains(&house) && literals.contains(reason))
            })
            .collect();
        assert!(unused.is_empty(), "sentences that nothing uses: {unused:?}");
    }

    /// Tables whose keys are put together at run time from a bare reason.
    const COMPOSED: [&str; 4] = ["field", "sms", "mail", "mail_subject"];
    /// Dotted names that are no sentences: permissions and kinds of jobs end like this.
    const JOBS_AND_PERMISSIONS: [&str; 10] =
        [".read", ".write", ".audit", ".moderate", ".reconcile", ".send", ".poll", ".deliver", ".run", ".toml"];

    fn is_code(text: &str) -> bool {
        let part = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
        };
        text.split_once('.').is_some_and(|(house, reason)| part(house) && part(reason))
    }

    fn read_sources(dir: &Path, into: &mut String) {
        for entry in std::fs::read_dir(dir).unwrap().filter_map(Result::ok) {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() && name != "tests" && name != "simulator" && name != "kernel" && name != "target" {
                read_sources(&path, into);
            } else if name.ends_with(".rs") && !name.starts_with("tests") && name != "messages.rs" {
                into.push_str(&std::fs::read_to_string(&path).unwrap());
            } else if path.is_dir() && name == "kernel" {
                read_sources(&path.join("src"), into);
            }
        }
    }
}
