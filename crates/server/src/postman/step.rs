use serde_json::Value;

/// A folder of the collection: one thing that a person does.
#[derive(Debug)]
pub(super) struct Journey {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) steps: Vec<Step>,
}

/// One request, what it should answer, and what of the answer the next ones need.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) method: &'static str,
    /// With `{{variables}}` of the environment in the place of ids.
    pub(super) path: &'static str,
    pub(super) body: Option<Value>,
    pub(super) token: Option<&'static str>,
    pub(super) key: Key,
    pub(super) status: u16,
    pub(super) description: &'static str,
    pub(super) saves: Vec<(&'static str, &'static str)>,
    pub(super) checks: Vec<(&'static str, &'static str)>,
    pub(super) before: Vec<&'static str>,
    pub(super) patient: Option<&'static str>,
}

/// The `Idempotency-Key` of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// None is needed.
    None,
    /// A new one at each run.
    Fresh,
    /// The one of the request before: a retry.
    Same,
}

impl Step {
    fn new(method: &'static str, name: &'static str, path: &'static str, body: Option<Value>) -> Self {
        Self {
            name,
            method,
            path,
            body,
            token: None,
            key: Key::None,
            status: 200,
            description: "",
            saves: Vec::new(),
            checks: Vec::new(),
            before: Vec::new(),
            patient: None,
        }
    }

    pub(super) fn get(name: &'static str, path: &'static str) -> Self {
        Self::new("GET", name, path, None)
    }

    pub(super) fn post(name: &'static str, path: &'static str, body: Value) -> Self {
        Self::new("POST", name, path, Some(body))
    }

    pub(super) fn put(name: &'static str, path: &'static str, body: Value) -> Self {
        Self::new("PUT", name, path, Some(body))
    }

    pub(super) fn patch(name: &'static str, path: &'static str, body: Value) -> Self {
        Self::new("PATCH", name, path, Some(body))
    }

    pub(super) fn delete(name: &'static str, path: &'static str) -> Self {
        Self::new("DELETE", name, path, None)
    }

    /// Signed in with the token of this variable.
    pub(super) fn token(mut self, variable: &'static str) -> Self {
        self.token = Some(variable);
        self
    }

    /// With a new `Idempotency-Key`.
    pub(super) fn keyed(mut self) -> Self {
        self.key = Key::Fresh;
        self
    }

    /// With the `Idempotency-Key` of the request before.
    pub(super) fn again(mut self) -> Self {
        self.key = Key::Same;
        self
    }

    /// The status that it has to answer.
    pub(super) fn expect(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// What it is for.
    pub(super) fn about(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Keeps `data.<path>` in a variable.
    pub(super) fn save(mut self, path: &'static str, variable: &'static str) -> Self {
        self.saves.push((path, variable));
        self
    }

    /// A sentence, and the JavaScript that has to be true of `data` and `body`.
    pub(super) fn check(mut self, sentence: &'static str, expression: &'static str) -> Self {
        self.checks.push((sentence, expression));
        self
    }

    /// JavaScript that runs before the request.
    pub(super) fn before(mut self, line: &'static str) -> Self {
        self.before.push(line);
        self
    }

    /// Asks again, at most twenty times, until this is true: operators take their time.
    pub(super) fn until(mut self, expression: &'static str) -> Self {
        self.patient = Some(expression);
        self
    }

    /// The path as OpenAPI writes it: variables are `{}`, and there is no query.
    pub(super) fn template(&self) -> String {
        let path = self.path.split('?').next().unwrap_or(self.path);
        let mut out = String::new();
        for (position, part) in path.split("{{").enumerate() {
            match (position, part.split_once("}}")) {
                (0, _) | (_, None) => out.push_str(part),
                (_, Some((_, rest))) => {
                    out.push_str("{}");
                    out.push_str(rest);
                }
            }
        }
        out
    }
}
