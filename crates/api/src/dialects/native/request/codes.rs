//! Codes that the caller chose.

use std::collections::BTreeMap;

use countersign_core::Codes;
use countersign_model::{Channel, Code, VerificationMode};
use serde_json::Value;

use super::INVALID_FIELD;
use super::config::Config;
use super::recipients::of_channel;
use crate::fields::{Faults, Fields, presentable};

/// The form of a code, in words.
const FORM: &str = "a string of 4 to 8 digits";

/// `code` for every channel, or `codes` for each. `waits`: whether a channel's turn comes later.
///
/// A code of the caller's own cannot go out later: until then it would have to be kept readable.
pub(super) fn read(fields: &Fields<'_>, asked: &[Channel], config: &Config, waits: bool, faults: &mut Faults) -> Codes {
    let name = match (fields.get("code"), fields.get("codes")) {
        (None, None) => return Codes::Minted,
        (Some(_), Some(_)) => {
            fields.refuse("codes", "left out where code is given", faults);
            return Codes::Minted;
        }
        (Some(_), None) => "code",
        (None, Some(_)) => "codes",
    };
    if waits {
        fields.refuse(name, "left out with fallback: a chosen code is never kept for later", faults);
    }
    let codes = if name == "code" { one_for_all(fields, asked, config, faults) } else { one_each(fields, asked, config, faults) };
    if let Some(length) = config.code_length
        && codes.values().any(|code| code.expose().len() != usize::from(length))
    {
        fields.refuse(name, format_args!("of {length} digits, as config.otp_length says"), faults);
    }
    Codes::Given(codes)
}

/// The length of the longest chosen code: codes of a later resend look alike.
pub(super) fn length(codes: &Codes) -> Option<u8> {
    match codes {
        Codes::Minted => None,
        Codes::Given(codes) => codes.values().filter_map(|code| u8::try_from(code.expose().len()).ok()).max(),
    }
}

fn one_for_all(fields: &Fields<'_>, asked: &[Channel], config: &Config, faults: &mut Faults) -> BTreeMap<Channel, Code> {
    if config.mode == VerificationMode::All && asked.len() > 1 {
        fields.refuse("code", "replaced by codes with verification_mode all, where each code must prove its own channel", faults);
    }
    let code = fields.parsed("code", FORM, code, faults);
    code.map(|code| asked.iter().map(|channel| (*channel, code.clone())).collect()).unwrap_or_default()
}

fn one_each(fields: &Fields<'_>, asked: &[Channel], config: &Config, faults: &mut Faults) -> BTreeMap<Channel, Code> {
    let Some(given) = fields.object("codes", faults) else { return BTreeMap::new() };
    let mut codes: BTreeMap<Channel, Code> = BTreeMap::new();
    for channel in asked {
        let path = format!("codes.{channel}");
        match of_channel(given, *channel).and_then(Value::as_str).and_then(code) {
            None => faults.add(&path, INVALID_FIELD, format!("{path} must be {FORM}")),
            Some(code) if config.mode == VerificationMode::All && codes.values().any(|other| *other == code) => {
                faults.add(&path, INVALID_FIELD, format!("{path} must differ from the other codes with verification_mode all"));
            }
            Some(code) => _ = codes.insert(*channel, code),
        }
    }
    let given = Fields::new(given, "codes.", INVALID_FIELD);
    for (name, _) in given.present() {
        if !name.parse().is_ok_and(|channel: Channel| asked.contains(&channel)) {
            let path = given.path(presentable(name));
            faults.add(&path, INVALID_FIELD, format!("{path} is not an asked channel"));
        }
    }
    codes
}

fn code(digits: &str) -> Option<Code> {
    if digits.len() > 8 { None } else { Code::parse(digits).ok() }
}
