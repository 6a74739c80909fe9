//! Reads a JSON object field by field and remembers every fault, so that a caller hears all of them at once.

use std::fmt::Display;
use std::ops::RangeInclusive;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Fault {
    /// Where: `config.otp_length`, `fallback[0].channel`, a header or a query parameter.
    pub(crate) field: String,
    /// What, for programs.
    pub(crate) code: &'static str,
    /// What, for people.
    pub(crate) message: String,
}

/// So many faults of a call are told: a body of nothing but faults must not cost a reply many times its size.
const TOLD: usize = 32;

/// What is wrong with a call, as far as it is told. The first fault is the one that the reply's own message tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// Adds one more.
    pub(crate) fn add(&mut self, field: impl Into<String>, code: &'static str, message: impl Into<String>) {
        if self.0.len() < TOLD {
            self.0.push(Fault { field: field.into(), code, message: message.into() });
        }
    }

    /// Adds one for a field or parameter that nobody reads.
    pub(crate) fn unknown(&mut self, place: &str, name: &str) {
        let path = format!("{place}{}", presentable(name));
        let message = format!("{path} is not a field of this call");
        self.add(path, "unknown_field", message);
    }

    /// Adds those of `others`.
    pub(crate) fn append(&mut self, others: Self) {
        let room = TOLD.saturating_sub(self.0.len());
        self.0.extend(others.0.into_iter().take(room));
    }

    /// `value` if nothing was wrong.
    pub(crate) fn or<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            Some(_) | None => Err(self),
        }
    }

    /// The list, in the order in which the fields were read.
    pub(crate) fn into_vec(self) -> Vec<Fault> {
        self.0
    }
}

/// One JSON object of a call. `null` is the same as not there.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    object: &'a Map<String, Value>,
    /// The object's own place in the call, with its dot: `config.`.
    place: &'a str,
    /// The code of faults of its fields.
    code: &'static str,
}

impl<'a> Fields<'a> {
    /// The object at `place`; faults of its fields are told as `code`.
    pub(crate) const fn new(object: &'a Map<String, Value>, place: &'a str, code: &'static str) -> Self {
        Self { object, place, code }
    }

    /// The same object, its faults told as `code`.
    pub(crate) const fn told_as(self, code: &'static str) -> Self {
        Self { code, ..self }
    }

    /// Where a field of this object stands in the call.
    pub(crate) fn path(&self, name: impl Display) -> String {
        format!("{}{name}", self.place)
    }

    /// A field as it came.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// Whether a field is there and says `null`.
    pub(crate) fn is_null(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(Value::is_null)
    }

    /// Its fields that are there.
    pub(crate) fn present(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.object.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.as_str(), value))
    }

    /// Remembers that a field is not what it must be.
    pub(crate) fn refuse(&self, name: &str, must: impl Display, faults: &mut Faults) {
        let path = self.path(name);
        let message = format!("{path} must be {must}");
        faults.add(path, self.code, message);
    }

    /// A string of `length` characters, none of them a control character.
    pub(crate) fn string(&self, name: &str, length: RangeInclusive<usize>, faults: &mut Faults) -> Option<&'a str> {
        let fits = |text: &&str| length.contains(&text.chars().count()) && !text.chars().any(char::is_control);
        let text = self.get(name)?.as_str().filter(fits);
        if text.is_none() {
            let (least, most) = (length.start(), length.end());
            self.refuse(name, format_args!("a string of {least} to {most} characters without control characters"), faults);
        }
        text
    }

    /// A string that `parse` understands.
    pub(crate) fn parsed<T>(
        &self,
        name: &str,
        must: &str,
        parse: impl FnOnce(&'a str) -> Option<T>,
        faults: &mut Faults,
    ) -> Option<T> {
        let parsed = self.get(name)?.as_str().and_then(parse);
        if parsed.is_none() {
            self.refuse(name, must, faults);
        }
        parsed
    }

    /// An integer of `range`. A number in quotes is none.
    pub(crate) fn integer(&self, name: &str, range: RangeInclusive<u16>, faults: &mut Faults) -> Option<u16> {
        let number = self.get(name)?.as_u64().and_then(|number| u16::try_from(number).ok());
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            self.refuse(name, format_args!("an integer from {} to {}", range.start(), range.end()), faults);
        }
        number
    }

    /// `true` or `false`; false when not there.
    pub(crate) fn flag(&self, name: &str, faults: &mut Faults) -> bool {
        let Some(value) = self.get(name) else { return false };
        value.as_bool().unwrap_or_else(|| {
            self.refuse(name, "true or false", faults);
            false
        })
    }

    /// An object.
    pub(crate) fn object(&self, name: &str, faults: &mut Faults) -> Option<&'a Map<String, Value>> {
        let object = self.get(name)?.as_object();
        if object.is_none() {
            self.refuse(name, "an object", faults);
        }
        object
    }

    /// An array.
    pub(crate) fn array(&self, name: &str, faults: &mut Faults) -> Option<&'a Vec<Value>> {
        let array = self.get(name)?.as_array();
        if array.is_none() {
            self.refuse(name, "an array", faults);
        }
        array
    }

    /// Remembers every field that is not among `known`.
    pub(crate) fn only(&self, known: &[&str], faults: &mut Faults) {
        for (name, _) in self.present().filter(|(name, _)| !known.contains(name)) {
            self.unknown(name, faults);
        }
    }

    /// Remembers a field that nobody reads.
    pub(crate) fn unknown(&self, name: &str, faults: &mut Faults) {
        faults.unknown(self.place, name);
    }
}

/// A caller's own word, cut to what is fit for a reply.
pub(crate) fn presentable(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with<T>(value: &Value, read: impl FnOnce(Fields<'_>, &mut Faults) -> T) -> (T, Vec<String>) {
        let mut faults = Faults::default();
        let read = read(Fields::new(value.as_object().unwrap(), "config.", "invalid_config"), &mut faults);
        (read, faults.into_vec().into_iter().map(|fault| fault.message).collect())
    }

    #[test]
    fn null_is_the_same_as_absent() {
        let value = json!({"a": null});
        let (read, faults) = with(&value, |fields, faults| (fields.integer("a", 1..=2, faults), fields.flag("a", faults)));
        assert_eq!((read, faults), ((None, false), vec![]));
    }

    #[test]
    fn of_very_many_faults_the_first_are_told() {
        let mut faults = Faults::default();
        for number in 0..10_000 {
            faults.add(format!("fallback[{number}]"), "invalid_field", "wrong");
        }
        let told = faults.into_vec();
        assert_eq!((told.len(), told[0].field.as_str()), (TOLD, "fallback[0]"));
    }

    #[test]
    fn a_number_in_quotes_is_no_integer() {
        for wrong in [json!("6"), json!(6.5), json!(-1), json!(9), json!(true), json!([6])] {
            let (read, faults) =
                with(&json!({"otp_length": wrong}), |fields, faults| fields.integer("otp_length", 4..=8, faults));
            assert_eq!((read, faults), (None, vec!["config.otp_length must be an integer from 4 to 8".to_owned()]), "{wrong}");
        }
    }

    #[test]
    fn length_is_counted_in_characters_and_control_characters_are_refused() {
        let (read, faults) = with(&json!({"a": "éé"}), |fields, faults| fields.string("a", 1..=2, faults).is_some());
        assert_eq!((read, faults), (true, vec![]));
        for wrong in [json!("a\nb"), json!("abcd"), json!(""), json!(1)] {
            let (read, faults) = with(&json!({"a": wrong}), |fields, faults| fields.string("a", 1..=3, faults).is_some());
            assert_eq!((read, faults.len()), (false, 1), "{wrong}");
        }
    }

    #[test]
    fn unknown_fields_are_named_without_what_a_log_could_trip_over() {
        let ((), faults) = with(&json!({"a": 1, "b\n": 2, "c": null}), |fields, faults| fields.only(&["a"], faults));
        assert_eq!(faults, ["config.b is not a field of this call"]);
    }
}
