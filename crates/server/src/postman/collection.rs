use serde_json::{Value, json};

use super::step::{Journey, Key, Step};

const ID: &str = "6d3c5d1e-6c39-4b8e-9f5e-2c1a4f0b7e11";

/// The whole file.
pub(super) fn write(journeys: &[Journey], rest: Value) -> Value {
    let mut folders: Vec<Value> = journeys.iter().map(folder).collect();
    folders.push(rest);
    json!({
        "info": {
            "_postman_id": ID,
            "name": "Hostolink",
            "description": "Les parcours de l'application, dans l'ordre de ses écrans. Importez aussi l'environnement « Hostolink local », \
                            lancez `make run`, puis exécutez les dossiers de haut en bas : chaque requête garde ce dont la suivante a besoin.",
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
        },
        "item": folders,
        "variable": []
    })
}

/// The environment of a developer's machine.
pub fn environment() -> Value {
    let value = |key: &str, value: &str| json!({"key": key, "value": value, "type": "default", "enabled": true});
    json!({
        "id": "0f6f2f39-6c54-4a52-8d4c-7f0d3a2b9c55",
        "name": "Hostolink local",
        "values": [value("baseUrl", "http://localhost:3000"), value("simulatorUrl", "")],
        "_postman_variable_scope": "environment"
    })
}

fn folder(journey: &Journey) -> Value {
    json!({"name": journey.name, "description": journey.description, "item": journey.steps.iter().map(item).collect::<Vec<_>>()})
}

fn item(step: &Step) -> Value {
    let mut events = vec![event("test", tests(step))];
    let before = before(step);
    if !before.is_empty() {
        events.insert(0, event("prerequest", before));
    }
    json!({"name": step.name, "event": events, "request": request(step), "response": []})
}

fn event(listen: &str, lines: Vec<String>) -> Value {
    json!({"listen": listen, "script": {"type": "text/javascript", "exec": lines}})
}

fn before(step: &Step) -> Vec<String> {
    let mut lines: Vec<String> = step.before.iter().map(|line| (*line).to_owned()).collect();
    if step.key == Key::Fresh {
        lines.push("pm.environment.set('idempotencyKey', pm.variables.replaceIn('{{$guid}}'));".into());
    }
    lines
}

fn tests(step: &Step) -> Vec<String> {
    let mut lines = vec![
        // A block: `data` is a global of Postman's own.
        "{".to_owned(),
        "let body = {}; try { body = pm.response.json(); } catch (error) { body = {}; }".to_owned(),
        "const data = body.data ?? {};".to_owned(),
    ];
    if let Some(condition) = step.patient {
        lines.push("const tries = Number(pm.environment.get('tries') ?? 0);".into());
        lines.push(format!(
            "const done = (() => {{ try {{ return Boolean({condition}); }} catch (error) {{ return false; }} }})();"
        ));
        lines.push("if (!done && tries < 20) { pm.environment.set('tries', tries + 1); setTimeout(() => {}, 500); postman.setNextRequest(pm.info.requestName); } else { pm.environment.unset('tries');".into());
    }
    lines.push(format!("pm.test('répond {0}', () => pm.response.to.have.status({0}));", step.status));
    for (sentence, expression) in &step.checks {
        let sentence = serde_json::to_string(sentence).unwrap_or_default();
        lines.push(format!(
            "pm.test({sentence}, () => pm.expect(Boolean({expression}), JSON.stringify(body)).to.equal(true));"
        ));
    }
    for (path, variable) in &step.saves {
        lines.push(format!("if (data.{path} !== undefined) pm.environment.set('{variable}', data.{path});"));
    }
    if step.patient.is_some() {
        lines.push("}".into());
    }
    lines.push("}".into());
    lines
}

fn request(step: &Step) -> Value {
    let mut headers = Vec::new();
    if step.body.is_some() {
        headers.push(json!({"key": "Content-Type", "value": "application/json"}));
    }
    if step.key != Key::None {
        headers.push(json!({"key": "Idempotency-Key", "value": "{{idempotencyKey}}"}));
    }
    let mut request =
        json!({"method": step.method, "header": headers, "url": url(step.path), "description": step.description});
    if let Some(body) = &step.body {
        let raw = serde_json::to_string_pretty(body).unwrap_or_default();
        request["body"] = json!({"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}});
    }
    request["auth"] = match step.token {
        Some(variable) => {
            json!({"type": "bearer", "bearer": [{"key": "token", "value": format!("{{{{{variable}}}}}"), "type": "string"}]})
        }
        None => json!({"type": "noauth"}),
    };
    request
}

/// Postman wants the parts as well as the whole.
pub(super) fn url(path: &str) -> Value {
    let (bare, query) = path.split_once('?').map_or((path, None), |(bare, query)| (bare, Some(query)));
    let parts: Vec<&str> = bare.trim_start_matches('/').split('/').collect();
    let mut url = json!({"raw": format!("{{{{baseUrl}}}}{path}"), "host": ["{{baseUrl}}"], "path": parts});
    if let Some(query) = query {
        let pairs: Vec<Value> = query
            .split('&')
            .map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                json!({"key": key, "value": value})
            })
            .collect();
        url["query"] = json!(pairs);
    }
    url
}
