//! The session's rules, as far as the call sets them.

use std::time::Duration;

use countersign_model::VerificationMode;

use super::INVALID_CONFIG;
use crate::fields::{Faults, Fields};

/// The fields of `config`.
pub(super) const CONFIG_FIELDS: [&str; 5] = ["otp_length", "expiry_minutes", "max_attempts", "shared_code", "verification_mode"];

/// What the call asks for; what it leaves open, the service decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) code_length: Option<u8>,
    pub(super) life: Option<Duration>,
    pub(super) max_attempts: Option<u8>,
    pub(super) shared_code: bool,
    pub(super) mode: VerificationMode,
}

pub(super) fn read(fields: &Fields<'_>, strict: bool, faults: &mut Faults) -> Config {
    let empty = serde_json::Map::new();
    let top = fields.told_as(INVALID_CONFIG);
    let object = top.object("config", faults).unwrap_or(&empty);
    let config = Fields::new(object, "config.", INVALID_CONFIG);
    if strict {
        config.only(&CONFIG_FIELDS, faults);
    }
    let small = |number: u16| u8::try_from(number).ok();
    let code_length = config.integer("otp_length", 4..=8, faults).and_then(small);
    let life = config.integer("expiry_minutes", 1..=60, faults).map(|minutes| Duration::from_secs(u64::from(minutes) * 60));
    let max_attempts = config.integer("max_attempts", 1..=10, faults).and_then(small);
    let shared_code = config.flag("shared_code", faults);
    let outer = mode(&top, faults);
    let inner = mode(&config, faults);
    if let (Some(outer), Some(inner)) = (outer, inner)
        && outer != inner
    {
        config.refuse("verification_mode", "the same as verification_mode where both are given", faults);
    }
    let mode = outer.or(inner).unwrap_or(VerificationMode::Any);
    if shared_code && mode == VerificationMode::All {
        config.refuse("shared_code", "false with verification_mode all, where each code must prove its own channel", faults);
    }
    Config { code_length, life, max_attempts, shared_code, mode }
}

fn mode(fields: &Fields<'_>, faults: &mut Faults) -> Option<VerificationMode> {
    let modes = [VerificationMode::Any, VerificationMode::All];
    let known = |text: &str| modes.into_iter().find(|mode| mode.as_str().eq_ignore_ascii_case(text));
    fields.parsed("verification_mode", "any or all", known, faults)
}
