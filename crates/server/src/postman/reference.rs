//! The operations that no journey shows, from the OpenAPI document, so that the collection is complete.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::collection::url;
use super::step::Journey;

const METHODS: [&str; 6] = ["get", "post", "put", "patch", "delete", "head"];

/// One request an operation, in a folder a tag; not run by newman, to be filled in by hand.
pub(super) fn folder(document: &Value, journeys: &[Journey]) -> Value {
    let shown: BTreeSet<(String, String)> = journeys
        .iter()
        .flat_map(|journey| &journey.steps)
        .map(|step| (step.method.to_lowercase(), step.template()))
        .collect();
    let mut tags: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let paths = document["paths"].as_object().into_iter().flatten();
    for (path, methods) in paths {
        for method in METHODS {
            let Some(operation) = methods.get(method) else { continue };
            if shown.contains(&(method.to_owned(), anonymous(path))) {
                continue;
            }
            let tag = operation["tags"][0].as_str().unwrap_or("Divers").to_owned();
            tags.entry(tag).or_default().push(item(document, path, method, operation));
        }
    }
    let folders: Vec<Value> = tags.into_iter().map(|(name, items)| json!({"name": name, "item": items})).collect();
    json!({"name": "Toutes les autres opérations", "description": "Une requête par opération, à compléter à la main.", "item": folders})
}

/// `/a/{id}/b` and `/a/{{x}}/b` are the same operation: names of variables do not count.
pub(super) fn anonymous(path: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in path.chars() {
        match c {
            '{' => {
                inside = true;
                out.push('{');
            }
            '}' => {
                inside = false;
                out.push('}');
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

fn item(document: &Value, path: &str, method: &str, operation: &Value) -> Value {
    let name = operation["summary"].as_str().or_else(|| operation["operationId"].as_str()).unwrap_or(path);
    let mut request = json!({
        "method": method.to_uppercase(),
        "header": [],
        "url": url(&path.replace('{', ":").replace('}', "")),
        "description": operation["description"].as_str().unwrap_or(""),
    });
    if let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema") {
        let example = serde_json::to_string_pretty(&example(document, schema, 0)).unwrap_or_default();
        request["header"] = json!([{"key": "Content-Type", "value": "application/json"}]);
        request["body"] = json!({"mode": "raw", "raw": example, "options": {"raw": {"language": "json"}}});
    }
    let public = operation["x-access"] == "public";
    if !public {
        request["auth"] =
            json!({"type": "bearer", "bearer": [{"key": "token", "value": "{{accessToken}}", "type": "string"}]});
    }
    json!({"name": name, "request": request, "response": []})
}

/// Deep enough for every request of ours, and bounded for schemas that refer to themselves.
const MAX_DEPTH: u8 = 6;

/// A body that fits a schema, from its examples.
fn example(document: &Value, schema: &Value, depth: u8) -> Value {
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|link| link.rsplit('/').next()) {
        return example(document, &document["components"]["schemas"][name], depth + 1);
    }
    if let Some(first) = schema["examples"].get(0).or_else(|| schema.get("example")) {
        return first.clone();
    }
    if let Some(properties) = schema["properties"].as_object() {
        return properties
            .iter()
            .map(|(name, inner)| (name.clone(), example(document, inner, depth + 1)))
            .collect::<serde_json::Map<_, _>>()
            .into();
    }
    if let Some(choice) =
        schema["oneOf"].as_array().and_then(|choices| choices.iter().find(|choice| choice["type"] != "null"))
    {
        return example(document, choice, depth + 1);
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    match schema["type"].as_str().or_else(|| schema["type"].get(0).and_then(Value::as_str)) {
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => json!([example(document, &schema["items"], depth + 1)]),
        Some("object") => json!({}),
        _ => json!(""),
    }
}
