//! The configuration as it came about, for people and scripts.

use std::fmt;

use figment::value::{Dict, Num, Value};
use serde::Serialize;

use super::{Config, profile};

/// What stands in the place of a secret.
const HIDDEN: &str = "•••";

/// Where a value was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// Nobody set it, and each call decides: its dialect, its mode, whom it is for.
    Call,
    /// In the configuration file.
    File,
    /// By an environment variable.
    Environment,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The key with its section.
    pub key: String,
    /// As TOML, a secret hidden; none where each call decides.
    pub value: Option<String>,
    /// Who set it.
    pub origin: Origin,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::Call => "each call decides",
            Self::File => "file",
            Self::Environment => "environment",
        })
    }
}

/// Every value in force, secrets hidden by their types, with the layer that set it.
pub(super) fn settings(config: &Config, file: &Dict, env: &Dict) -> Vec<Setting> {
    let (file, env) = (Value::from(file.clone()), Value::from(env.clone()));
    let mut found = Vec::new();
    let in_force = Config { session: profile::in_force(&config.session), ..config.clone() };
    if let Ok(whole) = Value::serialize(in_force) {
        collect(&whole, "", &mut |key, value| {
            let origin = match (env.find_ref(key), file.find_ref(key)) {
                (Some(_), _) => Origin::Environment,
                (None, Some(_)) => Origin::File,
                (None, None) => Origin::Default,
            };
            found.push(Setting { key: key.to_owned(), value: Some(toml(value)), origin });
        });
    }
    for key in profile::LEFT_TO_CALLS.map(|key| format!("session.{key}")) {
        if !found.iter().any(|setting| setting.key == key) {
            found.push(Setting { key, value: None, origin: Origin::Call });
        }
    }
    found.sort_by(|one, other| one.key.split('.').cmp(other.key.split('.')));
    found
}

fn collect(value: &Value, at: &str, found: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Dict(_, inner) => {
            for (key, value) in inner {
                let place = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                collect(value, &place, found);
            }
        }
        Value::Empty(..) => {}
        Value::String(..) | Value::Char(..) | Value::Bool(..) | Value::Num(..) | Value::Array(..) => found(at, value),
    }
}

/// A value in TOML's own words; tables inside lists are inline.
fn toml(value: &Value) -> String {
    match value {
        Value::String(_, text) => toml_string(&without_credentials(text)),
        Value::Char(_, letter) => toml_string(&letter.to_string()),
        Value::Bool(_, truth) => truth.to_string(),
        Value::Num(_, number) => toml_number(*number),
        Value::Empty(..) => toml_string(""),
        Value::Dict(_, dict) => {
            let pairs: Vec<String> = dict.iter().map(|(key, value)| format!("{key} = {}", toml(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Array(_, items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
    }
}

fn toml_number(number: Num) -> String {
    number
        .to_i128()
        .map(|whole| whole.to_string())
        .or_else(|| number.to_u128().map(|whole| whole.to_string()))
        .or_else(|| number.to_f64().map(|real| format!("{real:?}")))
        .unwrap_or_default()
}

/// A basic string; its escapes are those of JSON.
pub(super) fn toml_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// An address without its `user:password@` and its query, which may hold keys.
pub(super) fn without_credentials(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, _)| (rest, "?•••"));
    let authority_end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let host = authority.rsplit_once('@').map_or(authority.to_owned(), |(_, host)| format!("{HIDDEN}@{host}"));
    format!("{scheme}://{host}{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_credentials() {
        assert_eq!(without_credentials("https://user:pw@sms.example.com/send?key=abc"), "https://•••@sms.example.com/send?•••");
        assert_eq!(without_credentials("https://sms.example.com/a@b"), "https://sms.example.com/a@b");
        assert_eq!(without_credentials("plain text?"), "plain text?");
    }
}
