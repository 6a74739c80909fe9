//! What a scenario has learnt so far.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::wrong_code;

/// Names and what they stand for.
#[derive(Debug, Default)]
pub(super) struct Values(BTreeMap<String, Value>);

impl Values {
    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// `template` with what its names stand for.
    pub(super) fn fill(&self, template: &str) -> String {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').unwrap_or_else(|| panic!("no end of a name in {template}"));
            filled.push_str(before);
            filled.push_str(&match self.value(name) {
                Value::String(text) => text,
                other => other.to_string(),
            });
            rest = after;
        }
        filled + rest
    }

    /// The same for everything in a JSON value. A text that is one name becomes what that stands for, whatever type it has.
    pub(super) fn fill_in(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => match text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
                Some(name) if !name.contains('}') => self.value(name),
                Some(_) | None => self.fill(text).into(),
            },
            Value::Array(items) => items.iter().map(|item| self.fill_in(item)).collect(),
            Value::Object(fields) => fields.iter().map(|(name, value)| (self.fill(name), self.fill_in(value))).collect(),
            other => other.clone(),
        }
    }

    fn value(&self, name: &str) -> Value {
        let (name, change) = name.split_once('|').unwrap_or((name, ""));
        let value = self.0.get(name).unwrap_or_else(|| panic!("nothing was saved as {name}; known: {:?}", self.0.keys()));
        let text = || value.as_str().unwrap_or_else(|| panic!("{name} is no text: {value}"));
        match change {
            "" => value.clone(),
            "wrong" => wrong_code(&[text()]).into(),
            "upper" => text().to_uppercase().into(),
            _ => panic!("no change is called {change}"),
        }
    }
}
