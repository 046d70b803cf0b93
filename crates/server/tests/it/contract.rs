//! The committed documents are the ones that the program writes: a change of the interface is seen in review.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use server::commands::documents;

fn committed(name: &str) -> (PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    (path, text)
}

fn same(name: &str, written: &str, command: &str) {
    let (path, text) = committed(name);
    assert!(text == written, "{} is not what the program writes: run `make api` ({command})", path.display());
}

#[test]
fn the_openapi_document_is_committed() {
    same("openapi.json", &documents::openapi_text().unwrap(), "hostolink openapi");
}

#[test]
fn the_postman_files_are_committed() {
    same("hostolink.postman_collection.json", &documents::postman_text(false).unwrap(), "hostolink postman");
    same(
        "hostolink.postman_environment.json",
        &documents::postman_text(true).unwrap(),
        "hostolink postman --environment",
    );
}

#[test]
fn the_document_is_complete() {
    let document = serde_json::to_value(documents::document().unwrap()).unwrap();
    let mut names = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap().iter().filter(|(method, _)| *method != "parameters") {
            let at = format!("{method} {path}");
            let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
            assert!(!name.is_empty() && names.insert(name), "{at}: operationId missing or used twice");
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{at}: no summary");
            assert!(operation["tags"][0].is_string(), "{at}: no tag");
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(
                    response["description"].as_str().is_some_and(|text| !text.is_empty()),
                    "{at}: response {status} has no description"
                );
            }
        }
    }
}

/// Every journey's request is an operation that exists.
#[test]
fn the_journeys_ask_for_what_exists() {
    let document = serde_json::to_value(documents::document().unwrap()).unwrap();
    let existing: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), anonymous(path)))
        })
        .collect();
    for (method, path) in server::postman::covered() {
        let ours =
            path == "/readyz" || existing.iter().any(|(known, template)| *known == method && matches(template, &path));
        assert!(ours, "{method} {path} is in a journey and not in the interface");
    }
}

fn anonymous(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}

/// A journey may write an id out.
fn matches(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len() && template.iter().zip(&path).all(|(known, asked)| *known == "{}" || known == asked)
}
