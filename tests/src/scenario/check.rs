//! Compares a reply with what is written.

use serde_json::Value;

use super::form;

/// Where `found` is not as `expected` is written; empty when it is.
pub(super) fn differences(expected: &Value, found: &Value) -> Vec<String> {
    let mut told = Vec::new();
    compare("$", expected, found, &mut told);
    told
}

fn compare(at: &str, expected: &Value, found: &Value, told: &mut Vec<String>) {
    match (expected, found) {
        (Value::String(text), _) if text.starts_with('<') && text.ends_with('>') => {
            let name = &text[1..text.len() - 1];
            match form::fits(name, found) {
                Some(true) => {}
                Some(false) => told.push(format!("{at} should be {text}, is {found}")),
                None => told.push(format!("{at}: no form is called {text}")),
            }
        }
        (Value::Object(wanted), Value::Object(fields)) => {
            for (name, value) in wanted.iter().filter(|(name, _)| *name != "...") {
                match fields.get(name) {
                    Some(held) => compare(&format!("{at}.{name}"), value, held, told),
                    None => told.push(format!("{at}.{name} is missing")),
                }
            }
            let is_open = wanted.contains_key("...");
            for name in fields.keys().filter(|name| !is_open && !wanted.contains_key(*name)) {
                told.push(format!("{at}.{name} is too much: {}", fields[name]));
            }
        }
        (Value::Array(wanted), Value::Array(items)) => {
            if wanted.len() != items.len() {
                told.push(format!("{at} should have {} items, has {}", wanted.len(), items.len()));
            }
            for (place, (value, held)) in wanted.iter().zip(items).enumerate() {
                compare(&format!("{at}[{place}]"), value, held, told);
            }
        }
        (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64() => {}
        _ if expected == found => {}
        _ => told.push(format!("{at} should be {expected}, is {found}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_too_much_or_too_few_is_told_unless_the_object_is_open() {
        let found = json!({"id": "otp_1234567890abcdef", "cost": {"amount": 0.05}, "rows": [1, 2]});
        let written = json!({"id": "<otp-id>", "cost": {"amount": 0.05}, "rows": [1, 2]});
        assert_eq!(differences(&written, &found), Vec::<String>::new());
        assert_eq!(differences(&json!({"id": "<otp-id>", "...": "<any>"}), &found), Vec::<String>::new());
        let told = differences(&json!({"id": "<uuid>", "to": "x", "rows": [1]}), &found);
        assert_eq!(told.len(), 4, "{told:?}");
    }
}
