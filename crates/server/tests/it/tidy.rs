//! Rules of the tree that a reviewer would repeat.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The crate graph as ARCHITECTURE.md states it: what each may use, from the ground up.
const TIERS: [&[&str]; 6] = [
    &["kernel", "cluster", "simulator", "providers"],
    &["jobs", "testkit"],
    &["identity"],
    &["notifications"],
    &["wallet", "health", "announcements"],
    &["server"],
];

/// Lines of a file beyond which a folder reads better.
const MAX_LINES: usize = 470;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&root().join("crates"), &mut found);
    found
}

fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn tier(name: &str) -> Option<usize> {
    TIERS.iter().position(|tier| tier.contains(&name))
}

#[test]
fn crates_only_use_what_lies_lower() {
    let names: BTreeSet<&str> = TIERS.iter().flat_map(|tier| tier.iter().copied()).collect();
    for entry in std::fs::read_dir(root().join("crates")).unwrap().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let own = tier(&name).unwrap_or_else(|| panic!("crates/{name} has no place in the graph"));
        let manifest = std::fs::read_to_string(entry.path().join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or("").split("\n[").next().unwrap_or("");
        for used in dependencies
            .lines()
            .filter_map(|line| line.split(['.', ' ', '=']).next())
            .filter(|used| names.contains(used))
        {
            assert!(tier(used).unwrap() < own, "{name} uses {used}, which does not lie lower");
        }
    }
}

#[test]
fn sql_stands_in_stores_and_http_in_apis() {
    let verbs = ["\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE ", "\"WITH "];
    let mut wrong = Vec::new();
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let inside = path.to_string_lossy().into_owned();
        let house = ["identity", "wallet", "notifications", "announcements", "health"]
            .iter()
            .any(|house| inside.contains(&format!("crates/{house}/src")));
        if !house || name.starts_with("test") || inside.contains("/testing") || inside.contains("/tests") {
            continue;
        }
        if name == "model.rs" && (text.contains("async fn") || text.contains("sqlx::query")) {
            wrong.push(format!("{inside}: a model decides, it does not wait"));
        }
        if name == "api.rs" && verbs.iter().any(|verb| text.contains(verb)) {
            wrong.push(format!("{inside}: SQL in an api"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_stay_readable() {
    let mut long: BTreeMap<String, usize> = BTreeMap::new();
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        if lines > MAX_LINES && !path.to_string_lossy().contains("test") {
            long.insert(path.display().to_string(), lines);
        }
    }
    assert!(long.is_empty(), "a folder reads better than these: {long:#?}");
}

#[test]
fn nothing_is_left_for_later() {
    let marks = ["TO".to_owned() + "DO", "FIX".to_owned() + "ME", "XX".to_owned() + "X"];
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{} holds a {mark}", path.display());
        }
    }
}

/// Every key that the program reads stands in `.env.example`, and no other.
#[test]
fn the_environment_is_documented() {
    let example = std::fs::read_to_string(root().join(".env.example")).unwrap();
    let documented: BTreeSet<String> = example
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='))
        .map(|(key, _)| key.to_owned())
        .filter(|key| key.starts_with("HOSTOLINK_") || key == "DATABASE_URL")
        .collect();
    let mut read = BTreeSet::new();
    for path in sources().into_iter().filter(|path| !path.to_string_lossy().contains("test")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for word in text.split('"') {
            let is_key = word.strip_prefix("HOSTOLINK_").is_some_and(|rest| {
                !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            });
            if (is_key
                && !word.ends_with('_')
                && !word.starts_with("HOSTOLINK_TEST_")
                && !word.starts_with("HOSTOLINK_SIM_"))
                || word == "DATABASE_URL"
            {
                read.insert(word.to_owned());
            }
        }
    }
    let undocumented: Vec<&String> = read.difference(&documented).collect();
    // MTN's keys are put together from a product and a name.
    let unread: Vec<&String> = documented.difference(&read).filter(|key| !key.starts_with("HOSTOLINK_MTN_")).collect();
    assert!(
        undocumented.is_empty() && unread.is_empty(),
        "not in .env.example: {undocumented:?}; read by nobody: {unread:?}"
    );
}
