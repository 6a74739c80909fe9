//! `POST /otp/send`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use countersign_core::{Asked, Later, Send};
use countersign_model::{Channel, Dialect, Recipient, ServiceId};

use super::{Input, codes, config, headers, options, recipients};
use crate::fields::{Faults, Fields};

/// The fields of the call.
pub(super) const FIELDS: [&str; 16] = [
    "channels",
    "recipients",
    "config",
    "verification_mode",
    "metadata",
    "add_contact",
    "sandbox_mode",
    "service_id",
    "locale",
    "purpose",
    "user_id",
    "client_ip",
    "code",
    "codes",
    "fallback",
    "autofill",
];

/// What a session is for when the call does not say.
const PURPOSE: &str = "verification";

/// Reads the whole call, and tells all that is wrong with it.
pub(crate) fn parse(input: &Input<'_>) -> Result<Send, Faults> {
    let (fields, strict) = (input.fields(), input.strict());
    let (faults, rules) = (&mut Faults::default(), &mut Faults::default());
    let channels = recipients::channels(&fields, faults);
    let config = config::read(&fields, strict, rules);
    let turns = recipients::fallback(&fields, &channels, config.mode, strict, rules);
    let wanted: Vec<Channel> = channels.iter().copied().chain(turns.iter().map(|turn| turn.channel)).collect();
    let people = recipients::recipients(&fields, &wanted, strict, faults);
    // Callers look for what is wrong with a recipient first.
    faults.append(std::mem::take(rules));
    let codes = codes::read(&fields, &channels, &config, !turns.is_empty(), faults);
    let send = Send {
        dialect: Dialect::Native,
        sandbox: fields.flag("sandbox_mode", faults),
        channels: channels.iter().filter_map(|channel| asked(*channel, &people)).collect(),
        fallback: turns.iter().filter_map(|turn| later(turn, &people)).collect(),
        code_length: config.code_length.or_else(|| codes::length(&codes)),
        life: config.life,
        max_attempts: config.max_attempts,
        shared_code: config.shared_code,
        verification_mode: config.mode,
        codes,
        metadata: options::metadata(input, faults),
        add_contact: fields.flag("add_contact", faults),
        service: fields.parsed("service_id", "a UUID", |text| text.parse::<ServiceId>().ok(), faults),
        locale: options::locale(&fields, faults),
        purpose: fields.string("purpose", 1..=64, faults).unwrap_or(PURPOSE).to_owned(),
        user_id: fields.string("user_id", 1..=128, faults).map(str::to_owned),
        client_ip: client_ip(&fields, faults),
        autofill: options::autofill(&fields, strict, faults),
        template: None,
        sender: None,
        replaces: false,
        rehearsal: None,
        receipt: None,
        idempotency: headers::idempotency(input, "otp/send", faults),
    };
    if strict {
        fields.only(&FIELDS, faults);
    }
    std::mem::take(faults).or(Some(send))
}

/// The END USER's address. The call itself comes from a server, so it cannot stand in.
pub(super) fn client_ip(fields: &Fields<'_>, faults: &mut Faults) -> Option<IpAddr> {
    fields.parsed("client_ip", "an IPv4 or IPv6 address", |text| text.trim().parse().ok(), faults)
}

fn asked(channel: Channel, people: &BTreeMap<Channel, Recipient>) -> Option<Asked> {
    people.get(&channel).map(|recipient| Asked { channel, recipient: recipient.clone() })
}

fn later(turn: &recipients::Turn, people: &BTreeMap<Channel, Recipient>) -> Option<Later> {
    people.get(&turn.channel).map(|recipient| Later { channel: turn.channel, recipient: recipient.clone(), after: turn.after })
}

#[cfg(test)]
mod tests;
