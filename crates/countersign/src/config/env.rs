//! Environment variables as a layer of the configuration.

use std::collections::{BTreeMap, BTreeSet};

use figment::error::{Actual, Kind};
use figment::value::{Dict, Value};

const PREFIX: &str = "COUNTERSIGN_";

/// Variables of the command line, not of the configuration.
const COMMAND_LINE: [&str; 4] = ["DATA_DIR", "CONFIG", "API_KEY", "URL"];

/// The variables that set something, by key with its section.
#[derive(Debug, Clone, Default)]
pub(super) struct EnvLayer {
    texts: BTreeMap<String, String>,
    /// Keys whose value reads like a number, a list or a truth value and is text all the same.
    as_text: BTreeSet<String>,
}

impl EnvLayer {
    pub(super) fn read(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let texts = variables.into_iter().filter_map(|(name, text)| Some((key_of(&name)?, text))).collect();
        Self { texts, as_text: BTreeSet::new() }
    }

    /// As nested tables. What reads like a number, a list or a truth value becomes one.
    pub(super) fn dict(&self) -> Dict {
        let mut dict = Dict::new();
        for (key, text) in &self.texts {
            let path: Vec<&str> = key.split('.').collect();
            insert(&mut dict, &path, self.value(key, text));
        }
        dict
    }

    /// Where text was wanted and a variable gave something else, the variable is text from now on. False when that is not what is wrong.
    pub(super) fn mend(&mut self, error: &figment::Error) -> bool {
        let Kind::InvalidType(found, wanted) = &error.kind else { return false };
        let wants_text = wanted.contains("string") || wanted.starts_with("enum ") || wanted == "variant identifier";
        wants_text && self.take_as_text(&error.path.join("."), found)
    }

    /// False when no variable gave what was `found` at or below `at`.
    fn take_as_text(&mut self, at: &str, found: &Actual) -> bool {
        let below = format!("{at}.");
        let key = self
            .texts
            .iter()
            .filter(|(key, _)| key.as_str() == at || key.starts_with(&below))
            .find(|(key, text)| !self.as_text.contains(*key) && self.value(key, text).to_actual() == *found)
            .map(|(key, _)| key.clone());
        key.is_some_and(|key| self.as_text.insert(key))
    }

    fn value(&self, key: &str, text: &str) -> Value {
        if self.as_text.contains(key) {
            return Value::from(text);
        }
        text.parse().unwrap_or_else(|never: std::convert::Infallible| match never {})
    }
}

/// `COUNTERSIGN_HTTP__LISTEN` is `http.listen`; `COUNTERSIGN_LOG` is `log.level`.
fn key_of(name: &str) -> Option<String> {
    let name = name.strip_prefix(PREFIX)?;
    if COMMAND_LINE.contains(&name) || is_service_link(name) {
        return None;
    }
    if name == "LOG" {
        return Some("log.level".to_owned());
    }
    Some(name.to_ascii_lowercase().replace("__", "."))
}

/// Kubernetes announces a service called `countersign` by `COUNTERSIGN_SERVICE_HOST`, `COUNTERSIGN_PORT_8080_TCP` and the like.
fn is_service_link(name: &str) -> bool {
    let has_port_number = name.split_once("PORT_").is_some_and(|(_, rest)| {
        rest.starts_with(|digit: char| digit.is_ascii_digit()) && (rest.contains("_TCP") || rest.contains("_UDP"))
    });
    let announces = name.ends_with("SERVICE_HOST") || name.contains("SERVICE_PORT") || name == "PORT" || name.ends_with("_PORT");
    !name.contains("__") && (has_port_number || announces)
}

fn insert(dict: &mut Dict, path: &[&str], value: Value) {
    match path {
        [] => {}
        [key] => {
            dict.insert((*key).to_owned(), value);
        }
        [section, rest @ ..] => {
            let inner = dict.entry((*section).to_owned()).or_insert_with(|| Value::from(Dict::new()));
            if let Value::Dict(_, inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}
