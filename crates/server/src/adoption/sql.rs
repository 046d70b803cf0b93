//! Reading SQL text, as far as our own migrations need it: statements, lists, words. Literals and comments are respected.

/// The statements of a script without its comments; the body of a function is reduced to its quotes.
pub(super) fn statements(script: &str) -> Vec<String> {
    let (mut rest, mut statement, mut found) = (script, String::new(), Vec::new());
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '-' if rest.starts_with("--") => {
                statement.push(' ');
                rest.find('\n').unwrap_or(rest.len())
            }
            '\'' => {
                let end = literal_end(rest);
                statement.push_str(&rest[..end]);
                end
            }
            '$' => {
                let end = body_end(rest);
                statement.push_str(if end > 1 { "$$" } else { "$" });
                end
            }
            ';' => {
                found.push(std::mem::take(&mut statement).trim().to_owned());
                1
            }
            other => {
                statement.push(other);
                other.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    found.push(statement.trim().to_owned());
    found.retain(|statement| !statement.is_empty());
    found
}

/// After the closing quote. A doubled quote looks like two literals side by side, which does no harm here.
fn literal_end(text: &str) -> usize {
    text[1..].find('\'').map_or(text.len(), |end| end + 2)
}

/// After `$tag$ … $tag$`; 1 when the dollar opens no body.
fn body_end(text: &str) -> usize {
    let Some(length) = text[1..].find('$') else { return 1 };
    let tag = &text[..length + 2];
    if !tag[1..=length].chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
        return 1;
    }
    text[tag.len()..].find(tag).map_or(text.len(), |end| end + 2 * tag.len())
}

/// The parts between commas that stand in no parentheses and in no literal.
pub(super) fn list(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start, mut parts) = (0_i32, false, 0, Vec::new());
    for (at, letter) in text.char_indices() {
        match letter {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

/// What stands between the first parenthesis and the one that closes it.
pub(super) fn body(text: &str) -> Option<&str> {
    let start = text.find('(')?;
    let (mut depth, mut quoted) = (0_i32, false);
    for (at, letter) in text[start..].char_indices() {
        match letter {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => {
                depth -= 1;
                if depth == 0 {
                    return Some(&text[start + 1..start + at]);
                }
            }
            _ => {}
        }
    }
    None
}

/// Words between blanks; what stands in parentheses or in a literal belongs to the word that it follows.
pub(super) fn words(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start, mut found) = (0_i32, false, None, Vec::new());
    for (at, letter) in text.char_indices() {
        match letter {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        let blank = letter.is_whitespace() && depth == 0 && !quoted;
        match (blank, start) {
            (true, Some(from)) => {
                found.push(&text[from..at]);
                start = None;
            }
            (false, None) => start = Some(at),
            _ => {}
        }
    }
    found.extend(start.map(|from| &text[from..]));
    found
}

/// A name as the catalogue spells it: without quotes, and without what follows in parentheses.
pub(super) fn bare(word: &str) -> String {
    word.split('(').next().unwrap_or(word).trim_matches(|letter| matches!(letter, '"' | ',' | ';')).to_owned()
}

/// A name as a statement can hold it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_literals_and_bodies_are_respected() {
        let script =
            "CREATE TABLE a (b varchar DEFAULT 'x;y'); -- fin; de ligne\nDO $$ BEGIN; END $$;\nSELECT $fn$;$fn$ ;";
        assert_eq!(statements(script), ["CREATE TABLE a (b varchar DEFAULT 'x;y')", "DO $$", "SELECT $$"]);
        assert_eq!(
            list("a numeric(15, 2), b varchar DEFAULT ',', c"),
            ["a numeric(15, 2)", "b varchar DEFAULT ','", "c"]
        );
        assert_eq!(words("a numeric(15, 2)  DEFAULT 'b c'\n d"), ["a", "numeric(15, 2)", "DEFAULT", "'b c'", "d"]);
        assert_eq!(body("t (a (b), c) WITH (d)"), Some("a (b), c"));
        assert_eq!((bare("exiger(p_juste"), quoted("a\"b")), ("exiger".to_owned(), "\"a\"\"b\"".to_owned()));
    }
}
