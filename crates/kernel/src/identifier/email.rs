use super::NotAnIdentifier;

/// An e-mail address in lower case, ASCII, with a dot in its domain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// The text is ASCII and trimmed already.
    pub(super) fn parse(text: &str) -> Result<Self, NotAnIdentifier> {
        let lower = text.to_ascii_lowercase();
        let (local, domain) = lower.split_once('@').ok_or(NotAnIdentifier::Invalid)?;
        if is_local(local) && is_domain(domain) { Ok(Self(lower)) } else { Err(NotAnIdentifier::Invalid) }
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn masked(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or((&self.0, ""));
        let mut letters = local.chars();
        let (first, last) = (letters.next(), letters.next_back());
        match (first, last) {
            (Some(first), Some(last)) => format!("{first}{}{last}@{domain}", "*".repeat(letters.count())),
            _ => format!("*@{domain}"),
        }
    }
}

/// RFC 5321's dot-string: what every provider hands out. Quoted forms are refused, they only serve tricks.
fn is_local(local: &str) -> bool {
    (1..=64).contains(&local.len())
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b))
}

fn is_domain(domain: &str) -> bool {
    let labels: Vec<&str> = domain.split('.').collect();
    let last_is_a_name =
        labels.last().is_some_and(|last| last.len() >= 2 && last.bytes().any(|b| b.is_ascii_alphabetic()));
    labels.len() >= 2 && last_is_a_name && labels.iter().all(|label| is_label(label))
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_without_a_real_domain_are_refused() {
        for refused in [
            "a@b",
            "@b.ci",
            "a@.ci",
            "a@b..ci",
            "a b@c.ci",
            "a@b.c",
            "a@-b.ci",
            "a@@b.ci",
            "a@b.ci@c.ci",
            ".a@b.ci",
            "a@1.2",
        ] {
            assert_eq!(Email::parse(refused), Err(NotAnIdentifier::Invalid), "{refused}");
        }
        assert_eq!(Email::parse("Awa.Kone+hosto@Example.CI").unwrap().as_str(), "awa.kone+hosto@example.ci");
    }
}
