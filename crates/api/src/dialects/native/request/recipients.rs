//! Who is asked, and how: at once and later.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_model::{Channel, InvalidRecipient, Recipient, VerificationMode};
use serde_json::{Map, Value};

use super::{INVALID_CHANNEL, INVALID_FIELD};
use crate::fields::{Faults, Fields};

/// The fields of an entry of `fallback`.
pub(super) const FALLBACK_FIELDS: [&str; 2] = ["channel", "after_seconds"];

/// A channel whose turn comes later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) channel: Channel,
    pub(super) after: Duration,
}

/// A list of channels, none twice.
pub(super) fn channels(fields: &Fields<'_>, faults: &mut Faults) -> Vec<Channel> {
    let listed = fields.get("channels").and_then(Value::as_array).filter(|listed| (1..=4).contains(&listed.len()));
    let Some(listed) = listed else {
        faults.add("channels", INVALID_CHANNEL, "Invalid channel: channels must list 1 to 4 of email, sms, whatsapp and voice");
        return Vec::new();
    };
    let mut channels = Vec::with_capacity(listed.len());
    for (position, name) in listed.iter().enumerate() {
        let place = || format!("channels[{position}]");
        match channel(Some(name)) {
            None => faults.add(place(), INVALID_CHANNEL, "Invalid channel: must be email, sms, whatsapp or voice"),
            Some(again) if channels.contains(&again) => {
                faults.add(place(), INVALID_CHANNEL, format!("Invalid channel: {again} stands there twice"));
            }
            Some(channel) => channels.push(channel),
        }
    }
    channels
}

/// A channel's name, in either case.
pub(super) fn channel(name: Option<&Value>) -> Option<Channel> {
    name?.as_str()?.trim().parse().ok()
}

/// `fallback`, in its order.
pub(super) fn fallback(
    fields: &Fields<'_>,
    asked: &[Channel],
    mode: VerificationMode,
    strict: bool,
    faults: &mut Faults,
) -> Vec<Turn> {
    let entries = fields.array("fallback", faults).map_or(&[][..], Vec::as_slice);
    if !entries.is_empty() && mode == VerificationMode::All {
        fields.refuse("fallback", "left out with verification_mode all, which needs every channel", faults);
    }
    let mut turns: Vec<Turn> = Vec::new();
    for (position, entry) in entries.iter().enumerate() {
        let place = format!("fallback[{position}]");
        let Some(entry) = entry.as_object() else {
            faults.add(&place, INVALID_FIELD, format!("{place} must be an object with channel and after_seconds"));
            continue;
        };
        let place = format!("{place}.");
        let entry = Fields::new(entry, &place, INVALID_FIELD);
        if strict {
            entry.only(&FALLBACK_FIELDS, faults);
        }
        let channel = fallback_channel(&entry, asked, &turns, faults);
        let after = entry.integer("after_seconds", 15..=900, faults);
        if entry.get("after_seconds").is_none() {
            entry.refuse("after_seconds", "an integer from 15 to 900", faults);
        }
        if let (Some(channel), Some(after)) = (channel, after) {
            turns.push(Turn { channel, after: Duration::from_secs(after.into()) });
        }
    }
    turns
}

fn fallback_channel(entry: &Fields<'_>, asked: &[Channel], before: &[Turn], faults: &mut Faults) -> Option<Channel> {
    let path = entry.path("channel");
    match channel(entry.get("channel")) {
        None => faults.add(path, INVALID_CHANNEL, "Invalid channel: must be email, sms, whatsapp or voice"),
        Some(again) if asked.contains(&again) => {
            faults.add(path, INVALID_CHANNEL, format!("Invalid channel: {again} is asked at once"));
        }
        Some(again) if before.iter().any(|turn| turn.channel == again) => {
            faults.add(path, INVALID_CHANNEL, format!("Invalid channel: {again} stands in fallback twice"));
        }
        Some(channel) => return Some(channel),
    }
    None
}

/// An address for each channel of `wanted`. Entries of other channels are not read.
pub(super) fn recipients(
    fields: &Fields<'_>,
    wanted: &[Channel],
    strict: bool,
    faults: &mut Faults,
) -> BTreeMap<Channel, Recipient> {
    let mut recipients = BTreeMap::new();
    let Some(given) = fields.get("recipients").and_then(Value::as_object) else {
        faults.add("recipients", "missing_recipients", "Missing recipients");
        return recipients;
    };
    for channel in wanted {
        let place = || format!("recipients.{channel}");
        let Some(address) = of_channel(given, *channel) else {
            faults.add(place(), "missing_recipients", format!("Missing recipients: {channel}"));
            continue;
        };
        let unreachable = if *channel == Channel::Email { InvalidRecipient::Email } else { InvalidRecipient::Phone };
        match address.as_str().ok_or(unreachable).and_then(|text| Recipient::parse(*channel, text)) {
            Ok(recipient) => _ = recipients.insert(*channel, recipient),
            Err(reason) => faults.add(place(), "invalid_recipient", reason.to_string()),
        }
    }
    if strict {
        let given = Fields::new(given, "recipients.", INVALID_FIELD);
        for (name, _) in given.present() {
            if !name.parse().is_ok_and(|channel: Channel| wanted.contains(&channel)) {
                given.unknown(name, faults);
            }
        }
    }
    recipients
}

/// The entry of a channel in an object keyed by channel names, which callers write in either case. The exact name goes first.
pub(super) fn of_channel(object: &Map<String, Value>, channel: Channel) -> Option<&Value> {
    let exact = object.get(channel.as_str());
    let entry = exact.or_else(|| object.iter().find(|(name, _)| name.parse() == Ok(channel)).map(|(_, value)| value));
    entry.filter(|value| !value.is_null())
}
