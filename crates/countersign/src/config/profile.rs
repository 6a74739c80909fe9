use countersign_model::{AllFailed, NumberCheck, ResendPolicy};
use serde::{Deserialize, Serialize};

use super::Problem;

/// `[session]`, and the keys of a service: how sessions are opened when the call does not say.
///
/// Everything is optional. What a service leaves open, `[session]` decides; what that leaves open, the dialect of the call.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// The name that messages show to people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_name: Option<String>,
    /// Digits of a code, 4 to 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_length: Option<u8>,
    /// Minutes that a code lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub life_minutes: Option<u32>,
    /// The most minutes that a call may ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_life_minutes: Option<u32>,
    /// Calls with a wrong guess before a session locks, 1 to 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u8>,
    /// Seconds between a send and the earliest resend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resend_after_seconds: Option<u32>,
    /// `rotate`: the old code dies. `keep_previous`: it lives until its own end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resend_policy: Option<ResendPolicy>,
    /// Whether a resend unlocks a locked session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resend_unlocks: Option<bool>,
    /// What a send answers when no provider took a message: `error` or `session`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_failed: Option<AllFailed>,
    /// How closely a phone number is looked at: `syntax`, `possible` or `valid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_check: Option<NumberCheck>,
    /// BCP 47 tag of messages whose call names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// One of `[[services]]`: a profile that calls name by its UUID.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceProfile {
    /// The UUID by which calls name it; bring along the one you had elsewhere.
    pub id: String,
    /// Its keys.
    #[serde(flatten)]
    pub profile: Profile,
}

impl Profile {
    /// The longest life where nobody sets one.
    pub(super) const DEFAULT_MAX_LIFE_MINUTES: u32 = 60;

    /// This profile, with what it leaves open taken from `base`.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        Self {
            app_name: self.app_name.clone().or_else(|| base.app_name.clone()),
            code_length: self.code_length.or(base.code_length),
            life_minutes: self.life_minutes.or(base.life_minutes),
            max_life_minutes: self.max_life_minutes.or(base.max_life_minutes),
            max_attempts: self.max_attempts.or(base.max_attempts),
            resend_after_seconds: self.resend_after_seconds.or(base.resend_after_seconds),
            resend_policy: self.resend_policy.or(base.resend_policy),
            resend_unlocks: self.resend_unlocks.or(base.resend_unlocks),
            all_failed: self.all_failed.or(base.all_failed),
            number_check: self.number_check.or(base.number_check),
            locale: self.locale.clone().or_else(|| base.locale.clone()),
        }
    }

    /// `section` is where it stands: `session`, `services[0]`.
    pub(super) fn problems(&self, section: &str, found: &mut Vec<Problem>) {
        let flaws = self.rules().check(Self::DEFAULT_MAX_LIFE_MINUTES);
        found.extend(flaws.into_iter().map(|flaw| Problem::new(format!("{section}.{}", flaw.field), flaw.must)));
    }

    /// The same as the model has it, which knows the bounds.
    fn rules(&self) -> countersign_model::ServiceProfile {
        countersign_model::ServiceProfile {
            app_name: self.app_name.clone(),
            code_length: self.code_length,
            life_minutes: self.life_minutes,
            max_life_minutes: self.max_life_minutes,
            max_attempts: self.max_attempts,
            resend_after_seconds: self.resend_after_seconds,
            resend_policy: self.resend_policy,
            resend_unlocks: self.resend_unlocks,
            all_failed: self.all_failed,
            number_check: self.number_check,
            locale: self.locale.clone(),
        }
    }
}
