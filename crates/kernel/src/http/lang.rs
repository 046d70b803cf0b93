use axum::http::{HeaderMap, header};

/// The language of sentences: French unless the client prefers English.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// Français
    #[default]
    Fr,
    /// English
    En,
}

impl Lang {
    /// `fr` or `en`.
    pub fn tag(self) -> &'static str {
        match self {
            Lang::Fr => "fr",
            Lang::En => "en",
        }
    }

    /// Reads `Accept-Language`; of equal weights the first wins, and unknown languages do not count.
    pub fn of(headers: &HeaderMap) -> Self {
        let Some(accept) = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()) else {
            return Lang::Fr;
        };
        let mut best = (Lang::Fr, 0.0_f32);
        for range in accept.split(',').take(16) {
            let (tag, weight) = weighted(range);
            let lang = match tag.get(..2).map(str::to_ascii_lowercase).as_deref() {
                Some("fr") => Lang::Fr,
                Some("en") => Lang::En,
                _ => continue,
            };
            if weight > best.1 {
                best = (lang, weight);
            }
        }
        best.0
    }
}

fn weighted(range: &str) -> (&str, f32) {
    let mut parts = range.split(';').map(str::trim);
    let tag = parts.next().unwrap_or("");
    let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0));
    (tag, weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn french_unless_english_is_preferred() {
        let of = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, accept.parse().unwrap());
            Lang::of(&headers)
        };
        assert_eq!(Lang::of(&HeaderMap::new()), Lang::Fr);
        assert_eq!(of("en-GB,en;q=0.9"), Lang::En);
        assert_eq!(of("fr-CI,fr;q=0.9,en;q=0.8"), Lang::Fr);
        assert_eq!(of("en;q=0.3, fr;q=0.7"), Lang::Fr);
        assert_eq!(of("de, en;q=0.5"), Lang::En);
        assert_eq!(of("dioula"), Lang::Fr);
    }
}
