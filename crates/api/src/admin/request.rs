//! From a JSON object to the drafts of `core`. Form is checked here, and all faults of it are told; what values may be, `core` says.

use countersign_core::manage::{EndpointDraft, SenderDraft, ServiceDraft, TemplateDraft, TenantDraft};
use countersign_model::{Channel, Flaw, LimitRules, ServiceProfile, TenantSettings, Wording};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::ask::INVALID_FIELD;
use crate::fields::{Faults, Fields};

pub(crate) const TENANT_FIELDS: [&str; 4] = ["name", "email", "plan", "settings"];
pub(crate) const SETTINGS_FIELDS: [&str; 4] = ["limits", "prices", "low_balance", "default_service"];
pub(crate) const SERVICE_FIELDS: [&str; 4] = ["name", "profile", "limits", "prices"];
pub(crate) const PROFILE_FIELDS: [&str; 19] = [
    "app_name",
    "code_length",
    "life_minutes",
    "max_life_minutes",
    "max_attempts",
    "resend_after_seconds",
    "resend_policy",
    "resend_unlocks",
    "all_failed",
    "number_check",
    "numbers",
    "test_recipients",
    "receipt_failover",
    "receipt_wait_seconds",
    "locale",
    "never_share",
    "allow_code_only_check",
    "wrong_code",
    "date_format",
];
pub(crate) const LIMITS_FIELDS: [&str; 6] =
    ["calls_per_key", "sends_per_user", "active_per_user", "sends_per_ip", "sends_per_recipient", "code_misses"];
pub(crate) const TEMPLATE_FIELDS: [&str; 7] = ["service", "channel", "locale", "name", "subject", "body", "by_choice"];
pub(crate) const SENDER_FIELDS: [&str; 2] = ["channel", "value"];
pub(crate) const ENDPOINT_FIELDS: [&str; 5] = ["url", "format", "description", "events", "enabled"];

pub(super) const TEXT: &str = "a text";
const FLAG: &str = "true or false";
const WHOLE: &str = "a whole number";
const LIMIT: &str = "an object with whole numbers in max and seconds";
const PRICES: &str =
    "prices whose amounts are texts, such as {\"verification\": \"0.01\", \"channels\": {\"sms\": {\"default\": \"0.05\"}}}";
const NUMBERS: &str =
    "rules such as {\"sms\": {\"allow\": [\"US\"], \"block\": [], \"monitor\": []}, \"blocked_types\": [\"premium_rate\"]}";
const TEST_RECIPIENTS: &str =
    "a list such as [{\"recipient\": \"+12025550147\", \"code\": \"246813\", \"until\": \"2026-12-31T00:00:00Z\"}]";
pub(super) const UUID: &str = "a UUID";
pub(super) const CHANNEL: &str = "email, sms, whatsapp or voice";

/// A field of a kind that JSON has.
pub(super) fn read<T: DeserializeOwned>(fields: &Fields<'_>, name: &str, must: &str, faults: &mut Faults) -> Option<T> {
    let read = serde_json::from_value(fields.get(name)?.clone()).ok();
    if read.is_none() {
        fields.refuse(name, must, faults);
    }
    read
}

/// The same where it has to be there.
pub(super) fn needed<T: DeserializeOwned>(fields: &Fields<'_>, name: &str, must: &str, faults: &mut Faults) -> Option<T> {
    present(fields, name, must, faults);
    read(fields, name, must, faults)
}

/// A field in its written form: ids, moments, amounts.
pub(super) fn parsed<T: std::str::FromStr>(fields: &Fields<'_>, name: &str, must: &str, faults: &mut Faults) -> Option<T> {
    fields.parsed(name, must, |text| text.parse().ok(), faults)
}

/// The same where it has to be there.
pub(super) fn needed_parsed<T: std::str::FromStr>(fields: &Fields<'_>, name: &str, must: &str, faults: &mut Faults) -> Option<T> {
    present(fields, name, must, faults);
    parsed(fields, name, must, faults)
}

fn present(fields: &Fields<'_>, name: &str, must: &str, faults: &mut Faults) {
    if fields.get(name).is_none() {
        fields.refuse(name, format_args!("given: {must}"), faults);
    }
}

/// A UUID that the caller brings along.
pub(super) fn own_id<T: std::str::FromStr>(fields: &Fields<'_>, faults: &mut Faults) -> Option<T> {
    parsed(fields, "id", UUID, faults)
}

/// An inner object; an absent one has no fields.
fn inner<T>(fields: &Fields<'_>, name: &str, faults: &mut Faults, read: impl FnOnce(&Fields<'_>, &mut Faults) -> T) -> T {
    let none = Map::new();
    let object = fields.object(name, faults).unwrap_or(&none);
    let place = fields.path(format_args!("{name}."));
    read(&Fields::new(object, &place, INVALID_FIELD), faults)
}

pub(super) fn tenant(fields: &Fields<'_>, faults: &mut Faults) -> Option<TenantDraft> {
    Some(TenantDraft {
        email: read(fields, "email", TEXT, faults),
        plan: read(fields, "plan", TEXT, faults).unwrap_or_else(|| TenantDraft::PLAN.to_owned()),
        settings: inner(fields, "settings", faults, settings),
        name: needed(fields, "name", TEXT, faults)?,
    })
}

fn settings(fields: &Fields<'_>, faults: &mut Faults) -> TenantSettings {
    fields.only(&SETTINGS_FIELDS, faults);
    TenantSettings {
        limits: inner(fields, "limits", faults, limits),
        prices: read(fields, "prices", PRICES, faults),
        low_balance: read(fields, "low_balance", "an amount such as \"5.00\"", faults),
        default_service: parsed(fields, "default_service", UUID, faults),
    }
}

pub(super) fn service(fields: &Fields<'_>, faults: &mut Faults) -> Option<ServiceDraft> {
    Some(ServiceDraft {
        profile: inner(fields, "profile", faults, profile),
        limits: inner(fields, "limits", faults, limits),
        prices: read(fields, "prices", PRICES, faults),
        name: needed(fields, "name", TEXT, faults)?,
    })
}

fn profile(fields: &Fields<'_>, faults: &mut Faults) -> ServiceProfile {
    fields.only(&PROFILE_FIELDS, faults);
    ServiceProfile {
        app_name: read(fields, "app_name", TEXT, faults),
        code_length: read(fields, "code_length", WHOLE, faults),
        life_minutes: read(fields, "life_minutes", WHOLE, faults),
        max_life_minutes: read(fields, "max_life_minutes", WHOLE, faults),
        max_attempts: read(fields, "max_attempts", WHOLE, faults),
        resend_after_seconds: read(fields, "resend_after_seconds", WHOLE, faults),
        resend_policy: read(fields, "resend_policy", "rotate or keep_previous", faults),
        resend_unlocks: read(fields, "resend_unlocks", FLAG, faults),
        all_failed: read(fields, "all_failed", "error or session", faults),
        number_check: read(fields, "number_check", "syntax, possible or valid", faults),
        numbers: read(fields, "numbers", NUMBERS, faults).unwrap_or_default(),
        test_recipients: read(fields, "test_recipients", TEST_RECIPIENTS, faults).unwrap_or_default(),
        receipt_failover: read(fields, "receipt_failover", "none, provider or channel", faults),
        receipt_wait_seconds: read(fields, "receipt_wait_seconds", "seconds by channel", faults),
        locale: read(fields, "locale", TEXT, faults),
        never_share: read(fields, "never_share", FLAG, faults),
        allow_code_only_check: read(fields, "allow_code_only_check", FLAG, faults),
        wrong_code: read(fields, "wrong_code", "verdict or error", faults),
        date_format: read(fields, "date_format", "iso or table", faults),
    }
}

fn limits(fields: &Fields<'_>, faults: &mut Faults) -> LimitRules {
    fields.only(&LIMITS_FIELDS, faults);
    LimitRules {
        calls_per_key: read(fields, "calls_per_key", LIMIT, faults),
        sends_per_user: read(fields, "sends_per_user", LIMIT, faults),
        active_per_user: read(fields, "active_per_user", WHOLE, faults),
        sends_per_ip: read(fields, "sends_per_ip", LIMIT, faults),
        sends_per_recipient: read(fields, "sends_per_recipient", LIMIT, faults),
        code_misses: read(fields, "code_misses", LIMIT, faults),
    }
}

pub(super) fn template(fields: &Fields<'_>, faults: &mut Faults) -> Option<TemplateDraft> {
    let service = parsed(fields, "service", UUID, faults);
    let (channel, locale) = (channel(fields, faults), needed(fields, "locale", TEXT, faults));
    let (name, wording) = (needed(fields, "name", TEXT, faults), wording(fields, faults));
    let by_choice = read(fields, "by_choice", FLAG, faults).unwrap_or(false);
    Some(TemplateDraft { service, channel: channel?, locale: locale?, name: name?, wording: wording?, by_choice })
}

pub(super) fn channel(fields: &Fields<'_>, faults: &mut Faults) -> Option<Channel> {
    needed_parsed(fields, "channel", CHANNEL, faults)
}

pub(super) fn wording(fields: &Fields<'_>, faults: &mut Faults) -> Option<Wording> {
    let subject = read(fields, "subject", TEXT, faults);
    Some(Wording { subject, body: needed(fields, "body", TEXT, faults)? })
}

pub(super) fn sender(fields: &Fields<'_>, faults: &mut Faults) -> Option<SenderDraft> {
    let (channel, value) = (channel(fields, faults), needed(fields, "value", TEXT, faults));
    Some(SenderDraft { channel: channel?, value: value? })
}

pub(super) fn endpoint(fields: &Fields<'_>, faults: &mut Faults) -> Option<EndpointDraft> {
    let url = needed(fields, "url", TEXT, faults);
    let format = read(fields, "format", "native, kotp or getotp", faults).unwrap_or_default();
    let description = read(fields, "description", TEXT, faults).unwrap_or_default();
    let events = read(fields, "events", "a list of events such as session.verified", faults).unwrap_or_default();
    let enabled = read(fields, "enabled", FLAG, faults).unwrap_or(true);
    Some(EndpointDraft { url: url?, format, description, events, enabled })
}

/// Reads a whole call: what `read` makes of it, if it is free of faults and of fields that nobody reads.
pub(super) fn whole<T>(
    object: &Map<String, Value>,
    known: &[&str],
    read: impl FnOnce(&Fields<'_>, &mut Faults) -> Option<T>,
) -> Result<T, Faults> {
    let (fields, mut faults) = (Fields::new(object, "", INVALID_FIELD), Faults::default());
    let draft = read(&fields, &mut faults);
    fields.only(known, &mut faults);
    faults.or(draft)
}

/// A draft with a merge patch (RFC 7396) laid over it: `null` takes away, objects are merged, everything else replaces.
pub(super) fn patched<T>(
    shown: Value,
    patch: &Map<String, Value>,
    known: &[&str],
    read: impl FnOnce(&Fields<'_>, &mut Faults) -> Option<T>,
) -> Result<T, Vec<Flaw>> {
    let mut object = match shown {
        Value::Object(object) => object,
        _ => Map::new(),
    };
    merge(&mut object, patch);
    whole(&object, known, read).map_err(flaws)
}

/// Faults of form in the words for faults of value.
pub(super) fn flaws(faults: Faults) -> Vec<Flaw> {
    let flaw = |fault: crate::fields::Fault| {
        let must = fault.message.strip_prefix(&fault.field).unwrap_or(&fault.message).trim().to_owned();
        Flaw::new(fault.field, must)
    };
    faults.into_vec().into_iter().map(flaw).collect()
}

fn merge(object: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                object.shift_remove(name);
            }
            Value::Object(inner) => {
                let place = object.entry(name.clone()).or_insert(Value::Null);
                if !place.is_object() {
                    *place = Value::Object(Map::new());
                }
                if let Value::Object(place) = place {
                    merge(place, inner);
                }
            }
            other => {
                object.insert(name.clone(), other.clone());
            }
        }
    }
}

pub(super) fn shown_tenant(draft: &TenantDraft) -> Value {
    let settings = &draft.settings;
    json!({
        "name": draft.name, "email": draft.email, "plan": draft.plan,
        "settings": {
            "limits": form(&settings.limits), "prices": form(&settings.prices), "low_balance": form(&settings.low_balance),
            "default_service": settings.default_service.map(|service| service.to_string()),
        },
    })
}

pub(super) fn shown_service(draft: &ServiceDraft) -> Value {
    json!({"name": draft.name, "profile": form(&draft.profile), "limits": form(&draft.limits), "prices": form(&draft.prices)})
}

pub(super) fn shown_template(draft: &TemplateDraft) -> Value {
    json!({
        "service": draft.service.map(|service| service.to_string()), "channel": draft.channel.as_str(), "locale": draft.locale,
        "name": draft.name, "subject": draft.wording.subject, "body": draft.wording.body,
        "by_choice": draft.by_choice,
    })
}

pub(super) fn shown_sender(draft: &SenderDraft) -> Value {
    json!({"channel": draft.channel.as_str(), "value": draft.value})
}

pub(super) fn shown_endpoint(draft: &EndpointDraft) -> Value {
    json!({
        "url": draft.url, "format": draft.format.as_str(), "description": draft.description, "events": form(&draft.events),
        "enabled": draft.enabled,
    })
}

/// The JSON form of a value of the model, all of which have one.
fn form(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
