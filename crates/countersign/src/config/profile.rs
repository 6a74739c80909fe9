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
    /// A code that lives longer than a day is no one-time code any more.
    const MAX_LIFE_MINUTES: u32 = 1_440;
    /// The longest life where nobody sets one.
    pub(super) const DEFAULT_MAX_LIFE_MINUTES: u32 = 60;
    /// As long as a session token lives.
    const MAX_RESEND_AFTER_SECONDS: u32 = 86_400;

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
        let mut say = |key: &str, what: &str| found.push(Problem::new(format!("{section}.{key}"), what));
        if self.app_name.as_ref().is_some_and(|name| name.trim().is_empty() || name.chars().count() > 64) {
            say("app_name", "must have 1 to 64 characters");
        }
        if self.code_length.is_some_and(|length| !(4..=10).contains(&length)) {
            say("code_length", "must be 4 to 10 digits");
        }
        if self.max_attempts.is_some_and(|attempts| !(1..=10).contains(&attempts)) {
            say("max_attempts", "must be 1 to 10");
        }
        let max_life = self.max_life_minutes.unwrap_or(Self::DEFAULT_MAX_LIFE_MINUTES);
        if !(1..=Self::MAX_LIFE_MINUTES).contains(&max_life) {
            say("max_life_minutes", "must be 1 to 1440 minutes");
        }
        if self.life_minutes.is_some_and(|life| !(1..=max_life).contains(&life)) {
            say("life_minutes", "must be 1 to max_life_minutes (60 when not set)");
        }
        if self.resend_after_seconds.is_some_and(|wait| wait > Self::MAX_RESEND_AFTER_SECONDS) {
            say("resend_after_seconds", "must be at most 86400");
        }
        if self.locale.as_ref().is_some_and(|tag| !is_language_tag(tag)) {
            say("locale", "must be a BCP 47 language tag such as en or pt-BR");
        }
    }
}

/// The outer form of a BCP 47 tag: subtags of 1 to 8 letters and digits, the first of 2 or 3 letters.
fn is_language_tag(tag: &str) -> bool {
    let mut subtags = tag.split('-');
    let language = subtags.next().unwrap_or_default();
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && subtags.all(|subtag| (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}
