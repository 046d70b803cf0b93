//! Reading configuration from named variables, reporting every fault at once instead of the first one.

use std::fmt;

use crate::Secret;

/// Looks a variable up. The program passes its environment, a test passes a closure.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What is wrong with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Name of the variable.
    pub key: String,
    /// What is wrong with it, without its value.
    pub problem: &'static str,
}

/// Every fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// A single fault.
    pub(crate) fn one(key: &str, problem: &'static str) -> Self {
        Self(vec![Fault { key: key.to_owned(), problem }])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, fault) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            write!(out, "{separator}{} {}", fault.key, fault.problem)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// Reads keys and collects faults; [`Reader::finish`] gives the value only when there was none.
pub(crate) struct Reader<'a> {
    lookup: Lookup<'a>,
    faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(lookup: Lookup<'a>) -> Self {
        Self { lookup, faults: Vec::new() }
    }

    /// An empty variable counts as absent: that is how `.env` files and containers switch a key off.
    pub(crate) fn optional(&self, key: &str) -> Option<String> {
        (self.lookup)(key).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// Gives an empty text and a fault when the key is absent, so that reading goes on to the next fault.
    pub(crate) fn required(&mut self, key: &str) -> String {
        self.optional(key).unwrap_or_else(|| {
            self.fault(key, "is missing");
            String::new()
        })
    }

    pub(crate) fn secret(&mut self, key: &str) -> Secret {
        Secret::new(self.required(key))
    }

    /// Secrets separated by commas; at least one, since without any nothing could be verified.
    pub(crate) fn secrets(&mut self, key: &str) -> Vec<Secret> {
        let list = self.required(key);
        list.split(',').map(str::trim).filter(|secret| !secret.is_empty()).map(Secret::new).collect()
    }

    /// Base address of an HTTP interface, with or without default.
    pub(crate) fn base_url(&mut self, key: &str, default: Option<&str>) -> String {
        let value = match (self.optional(key), default) {
            (Some(value), _) => value,
            (None, Some(default)) => default.to_owned(),
            (None, None) => self.required(key),
        };
        if !value.is_empty() && !is_http_url(&value) {
            self.fault(key, "is not an http(s) address");
        }
        value.trim_end_matches('/').to_owned()
    }

    pub(crate) fn fault(&mut self, key: &str, problem: &'static str) {
        self.faults.push(Fault { key: key.to_owned(), problem });
    }

    pub(crate) fn merge(&mut self, faults: Faults) {
        self.faults.extend(faults.0);
    }

    pub(crate) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    pub(crate) fn finish<T>(self, value: T) -> Result<T, Faults> {
        if self.faults.is_empty() { Ok(value) } else { Err(Faults(self.faults)) }
    }
}

fn is_http_url(value: &str) -> bool {
    reqwest::Url::parse(value).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
