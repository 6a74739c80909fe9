//! Calls about contacts.

use std::collections::BTreeMap;

use countersign_core::{ContactChange, ContactName, FieldChange, IdempotencyKey};
use countersign_model::{Channel, EmailAddress, LANGUAGE_TAG, PhoneNumber, is_language_tag};
use serde_json::{Map, Value};

use super::{INVALID_FIELD, Input, headers};
use crate::fields::{Fault, Faults, Fields};

/// The fields of a contact that callers write.
pub(super) const FIELDS: [&str; 11] = [
    "external_id",
    "email",
    "phone",
    "first_name",
    "last_name",
    "locale",
    "tags",
    "custom_fields",
    "metadata",
    "preferences",
    "is_active",
];
/// The field of a call with many.
pub(super) const BULK_FIELDS: [&str; 1] = ["contacts"];

/// Most characters of a name or an external id.
const MOST_NAME: usize = 128;
/// Most characters of a tag, and most tags.
const MOST_TAG: usize = 64;
const MOST_TAGS: usize = 50;
/// Most bytes of an object, without the white space between its parts.
const MOST_OBJECT: usize = 4096;
/// Most contacts of a call.
const MOST_ROWS: usize = 1000;

/// What is said of a contact, and the call's idempotency key.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) change: ContactChange,
    pub(crate) key: Option<IdempotencyKey>,
}

/// Many contacts.
#[derive(Debug)]
pub(crate) struct Bulk {
    /// In the call's order. One that cannot be read is no fault of the others; its first fault is told.
    pub(crate) rows: Vec<Result<ContactChange, Fault>>,
    pub(crate) key: Option<IdempotencyKey>,
}

/// Reads a contact to be added or changed. `path` is what an idempotency key is bound to.
pub(crate) fn written(input: &Input<'_>, path: &'static str) -> Result<Written, Faults> {
    let mut faults = Faults::default();
    let change = change(&input.fields(), input.strict(), &mut faults);
    let key = headers::idempotency(input, path, &mut faults);
    faults.or(Some(Written { change, key }))
}

/// Reads a call that says nothing but whom it is about.
pub(crate) fn bare(input: &Input<'_>, path: &'static str) -> Result<Option<IdempotencyKey>, Faults> {
    let mut faults = Faults::default();
    let key = headers::idempotency(input, path, &mut faults);
    if input.strict() {
        input.fields().only(&[], &mut faults);
    }
    faults.or(Some(key))
}

/// Reads many.
pub(crate) fn bulk(input: &Input<'_>) -> Result<Bulk, Faults> {
    let mut faults = Faults::default();
    let fields = input.fields();
    let listed = fields.get("contacts").and_then(Value::as_array).filter(|rows| (1..=MOST_ROWS).contains(&rows.len()));
    if listed.is_none() {
        fields.refuse("contacts", format_args!("an array of 1 to {MOST_ROWS} contacts"), &mut faults);
    }
    let strict = input.strict();
    if strict {
        fields.only(&BULK_FIELDS, &mut faults);
    }
    let key = headers::idempotency(input, "contacts/bulk", &mut faults);
    let rows = listed.map(|rows| rows.iter().enumerate().map(|(at, value)| row(at, value, strict)).collect());
    faults.or(rows.map(|rows| Bulk { rows, key }))
}

fn row(at: usize, value: &Value, strict: bool) -> Result<ContactChange, Fault> {
    let place = format!("contacts[{at}]");
    let Some(object) = value.as_object() else {
        let message = format!("{place} must be an object");
        return Err(Fault { field: place, code: INVALID_FIELD, message });
    };
    let mut faults = Faults::default();
    let place = place + ".";
    let change = change(&Fields::new(object, &place, INVALID_FIELD), strict, &mut faults);
    faults.into_vec().into_iter().next().map_or(Ok(change), Err)
}

/// The contact that a path names by our id. None: there can be no such contact.
pub(crate) fn by_id(name: &str) -> Option<ContactName> {
    name.parse().ok().map(ContactName::Id)
}

/// The contact that a path names by the tenant's own id, whose special characters are escaped there.
pub(crate) fn by_external_id(name: &str) -> Option<ContactName> {
    let decoded = decoded(name)?;
    let sound = (1..=MOST_NAME).contains(&decoded.chars().count()) && !decoded.chars().any(char::is_control);
    sound.then_some(ContactName::ExternalId(decoded))
}

/// A part of a path without its percent-encoding. None: it is no text.
fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        bytes.push(if byte == b'%' { u8::try_from(digit()? * 16 + digit()?).ok()? } else { byte });
    }
    String::from_utf8(bytes).ok()
}

fn change(fields: &Fields<'_>, strict: bool, faults: &mut Faults) -> ContactChange {
    let change = ContactChange {
        external_id: name(fields, "external_id", faults),
        email: said(fields, "email", || address(fields, "email", EmailAddress::parse, faults)),
        phone: said(fields, "phone", || address(fields, "phone", PhoneNumber::parse, faults)),
        first_name: name(fields, "first_name", faults),
        last_name: name(fields, "last_name", faults),
        locale: locale(fields, faults),
        tags: said(fields, "tags", || tags(fields, faults)),
        custom_fields: said(fields, "custom_fields", || object(fields, "custom_fields", faults)),
        metadata: said(fields, "metadata", || object(fields, "metadata", faults)),
        preferences: said(fields, "preferences", || preferences(fields, strict, faults)),
        is_active: said(fields, "is_active", || fields.get("is_active").map(|_| fields.flag("is_active", faults))),
    };
    if strict {
        fields.only(&FIELDS, faults);
    }
    change
}

/// A field that may be kept, taken away with `null`, or set.
fn said<T>(fields: &Fields<'_>, name: &str, read: impl FnOnce() -> Option<T>) -> FieldChange<T> {
    if fields.is_null(name) { FieldChange::Clear } else { read().map_or(FieldChange::Keep, FieldChange::Set) }
}

fn name(fields: &Fields<'_>, name: &str, faults: &mut Faults) -> FieldChange<String> {
    filled_in(&said(fields, name, || fields.string(name, 0..=MOST_NAME, faults)))
}

fn locale(fields: &Fields<'_>, faults: &mut Faults) -> FieldChange<String> {
    let tag = |text| (str::is_empty(text) || is_language_tag(text)).then_some(text);
    filled_in(&said(fields, "locale", || fields.parsed("locale", LANGUAGE_TAG, tag, faults)))
}

/// A text that an empty one takes away as well: forms send it for what nobody filled in.
fn filled_in(said: &FieldChange<&str>) -> FieldChange<String> {
    match said {
        FieldChange::Keep => FieldChange::Keep,
        FieldChange::Clear | FieldChange::Set("") => FieldChange::Clear,
        FieldChange::Set(text) => FieldChange::Set((*text).to_owned()),
    }
}

fn address<T>(
    fields: &Fields<'_>,
    name: &str,
    parse: fn(&str) -> Result<T, countersign_model::InvalidRecipient>,
    faults: &mut Faults,
) -> Option<T> {
    // What is no text has the fault of an empty one.
    match parse(fields.get(name)?.as_str().unwrap_or_default()) {
        Ok(address) => Some(address),
        Err(reason) => {
            faults.add(fields.path(name), "invalid_recipient", reason.to_string());
            None
        }
    }
}

fn tags(fields: &Fields<'_>, faults: &mut Faults) -> Option<Vec<String>> {
    let sound = |text: &&str| (1..=MOST_TAG).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    let listed = fields.get("tags")?.as_array().filter(|tags| tags.len() <= MOST_TAGS);
    let read: Option<Vec<&str>> = listed.and_then(|tags| tags.iter().map(|tag| tag.as_str().filter(sound)).collect());
    let Some(read) = read else {
        fields.refuse("tags", format_args!("an array of at most {MOST_TAGS} strings of 1 to {MOST_TAG} characters"), faults);
        return None;
    };
    let mut tags: Vec<String> = Vec::with_capacity(read.len());
    for tag in read {
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    }
    Some(tags)
}

fn object(fields: &Fields<'_>, name: &str, faults: &mut Faults) -> Option<String> {
    let text = fields.get(name)?.as_object().map(|object| Value::from(object.clone()).to_string());
    let text = text.filter(|text| text.len() <= MOST_OBJECT);
    if text.is_none() {
        fields.refuse(name, format_args!("an object of at most {MOST_OBJECT} bytes"), faults);
    }
    text
}

/// By channel `true` or `false`, or an object of categories, each `true` or `false`, as a vendor's clients write it: a channel of which every
/// category is declined is declined.
fn preferences(fields: &Fields<'_>, strict: bool, faults: &mut Faults) -> Option<BTreeMap<Channel, bool>> {
    let object = fields.object("preferences", faults)?;
    let place = fields.path("preferences.");
    let entries = Fields::new(object, &place, INVALID_FIELD);
    let mut read = BTreeMap::new();
    for (name, value) in entries.present() {
        let Ok(channel) = name.parse::<Channel>() else {
            if strict {
                entries.unknown(name, faults);
            }
            continue;
        };
        match allowed(value) {
            Some(allowed) => _ = read.insert(channel, allowed),
            None => entries.refuse(channel.as_str(), "true or false", faults),
        }
    }
    Some(read)
}

fn allowed(value: &Value) -> Option<bool> {
    let any = |categories: &Map<String, Value>| {
        let named: Option<Vec<bool>> = categories.values().map(Value::as_bool).collect();
        named.map(|named| named.is_empty() || named.contains(&true))
    };
    value.as_bool().or_else(|| value.as_object().and_then(any))
}

#[cfg(test)]
mod tests;
