use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    AllFailed, Channel, DateFormat, Flaw, LANGUAGE_TAG, LimitRules, NumberCheck, NumberRules, PriceList, ReceiptFailover,
    ReceiptPolicy, ReceiptWaits, ResendPolicy, Service, ServiceId, TenantId, TestRecipient, Timestamp, WrongCode,
    is_language_tag,
};

/// What a service decides about its sessions. Everything is optional: what is left open, the tenant's default service and the installation
/// decide, then the dialect of the call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceProfile {
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
    /// What follows a message that did not arrive or of which nobody said in time that it did: `none`, `provider` or `channel`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt_failover: Option<ReceiptFailover>,
    /// Seconds, for each channel, after which a delivery receipt counts as missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt_wait_seconds: Option<BTreeMap<Channel, u16>>,
    /// To which numbers live messages go.
    #[serde(skip_serializing_if = "NumberRules::is_empty")]
    pub numbers: NumberRules,
    /// Whose codes are known beforehand, under a live key too. A service's own alone.
    #[serde(skip_serializing_if = "no_one")]
    pub test_recipients: Arc<[TestRecipient]>,
    /// BCP 47 tag of messages whose call names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Whether the built-in words warn against giving the code away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub never_share: Option<bool>,
    /// GetOTP: whether a code may be checked without saying whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_code_only_check: Option<bool>,
    /// Antryk: what a wrong code is answered with, `verdict` or `error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong_code: Option<WrongCode>,
    /// GetOTP: how dates are written, `iso` or `table`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_format: Option<DateFormat>,
}

impl ServiceProfile {
    /// The longest life, in minutes, where nobody sets one.
    pub const DEFAULT_MAX_LIFE_MINUTES: u32 = 60;

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
            receipt_failover: self.receipt_failover.or(base.receipt_failover),
            receipt_wait_seconds: match (&self.receipt_wait_seconds, &base.receipt_wait_seconds) {
                (Some(own), Some(base)) => Some(base.iter().chain(own).map(|(channel, wait)| (*channel, *wait)).collect()),
                (own, base) => own.clone().or_else(|| base.clone()),
            },
            numbers: self.numbers.over(&base.numbers),
            test_recipients: Arc::clone(&self.test_recipients),
            locale: self.locale.clone().or_else(|| base.locale.clone()),
            never_share: self.never_share.or(base.never_share),
            allow_code_only_check: self.allow_code_only_check.or(base.allow_code_only_check),
            wrong_code: self.wrong_code.or(base.wrong_code),
            date_format: self.date_format.or(base.date_format),
        }
    }

    /// The service `id` of this profile, with what it leaves open taken from `wide`.
    #[must_use]
    pub fn service(&self, id: Option<ServiceId>, wide: &Service) -> Service {
        let minutes = |minutes: u32| Duration::from_secs(u64::from(minutes) * 60);
        Service {
            id,
            app_name: self.app_name.clone().unwrap_or_else(|| wide.app_name.clone()),
            code_length: self.code_length.or(wide.code_length),
            life: self.life_minutes.map(minutes).or(wide.life),
            max_life: self.max_life_minutes.map_or(wide.max_life, minutes),
            max_attempts: self.max_attempts.or(wide.max_attempts),
            resend_after: self.resend_after_seconds.map_or(wide.resend_after, |seconds| Duration::from_secs(seconds.into())),
            resend: self.resend_policy.unwrap_or(wide.resend),
            resend_unlocks: self.resend_unlocks.unwrap_or(wide.resend_unlocks),
            all_failed: self.all_failed.unwrap_or(wide.all_failed),
            number_check: self.number_check.or(wide.number_check),
            receipts: ReceiptPolicy {
                failover: self.receipt_failover.unwrap_or(wide.receipts.failover),
                waits: self
                    .receipt_wait_seconds
                    .iter()
                    .flatten()
                    .fold(wide.receipts.waits, |waits, (channel, wait)| waits.with(*channel, *wait)),
            },
            numbers: if self.numbers.is_empty() { Arc::clone(&wide.numbers) } else { Arc::new(self.numbers.over(&wide.numbers)) },
            test_recipients: Arc::clone(&self.test_recipients),
            locale: self.locale.clone().or_else(|| wide.locale.clone()),
            never_share: self.never_share.unwrap_or(wide.never_share),
            allow_code_only_check: self.allow_code_only_check.unwrap_or(wide.allow_code_only_check),
            wrong_code: self.wrong_code.unwrap_or(wide.wrong_code),
            date_format: self.date_format.unwrap_or(wide.date_format),
        }
    }

    /// A code that lives longer than a day is no one-time code any more.
    const MAX_LIFE_MINUTES: u32 = 1_440;
    /// As long as a session token lives.
    const MAX_RESEND_AFTER_SECONDS: u32 = 86_400;

    /// Everything that is out of range or does not fit together. `ceiling` is the longest life in minutes where the profile sets none.
    #[must_use]
    pub fn check(&self, ceiling: u32) -> Vec<Flaw> {
        let mut found = Vec::new();
        let mut say = |field: &str, must: String| found.push(Flaw::new(field, must));
        if self.app_name.as_ref().is_some_and(|name| !is_name(name)) {
            say("app_name", format!("must {NAME}"));
        }
        if self.code_length.is_some_and(|length| !(4..=10).contains(&length)) {
            say("code_length", "must be 4 to 10 digits".to_owned());
        }
        if self.max_attempts.is_some_and(|attempts| !(1..=10).contains(&attempts)) {
            say("max_attempts", "must be 1 to 10".to_owned());
        }
        let max_life = self.max_life_minutes.unwrap_or(ceiling);
        if !(1..=Self::MAX_LIFE_MINUTES).contains(&max_life) {
            say("max_life_minutes", format!("must be 1 to {} minutes", Self::MAX_LIFE_MINUTES));
        }
        if self.life_minutes.is_some_and(|life| !(1..=max_life).contains(&life)) {
            say("life_minutes", format!("must be 1 to max_life_minutes ({ceiling} when not set)"));
        }
        if self.resend_after_seconds.is_some_and(|wait| wait > Self::MAX_RESEND_AFTER_SECONDS) {
            say("resend_after_seconds", format!("must be at most {}", Self::MAX_RESEND_AFTER_SECONDS));
        }
        for (channel, _) in self.receipt_wait_seconds.iter().flatten().filter(|(_, wait)| !ReceiptWaits::BOUNDS.contains(wait)) {
            let (least, most) = (ReceiptWaits::BOUNDS.start(), ReceiptWaits::BOUNDS.end());
            say(&format!("receipt_wait_seconds.{channel}"), format!("must be {least} to {most} seconds"));
        }
        if self.locale.as_ref().is_some_and(|tag| !is_language_tag(tag)) {
            say("locale", format!("must be {LANGUAGE_TAG}"));
        }
        if self.test_recipients.len() > TestRecipient::MAX {
            say("test_recipients", format!("must be at most {}", TestRecipient::MAX));
        }
        for (at, one) in self.test_recipients.iter().enumerate() {
            if one.code.is_none() {
                say(&format!("test_recipients[{at}].code"), "must be given: 4 to 10 digits".to_owned());
            }
            if self.test_recipients[..at].iter().any(|earlier| earlier.is(&one.recipient)) {
                say(&format!("test_recipients[{at}].recipient"), "must not be given twice".to_owned());
            }
        }
        found.extend(self.numbers.check().into_iter().map(|flaw| flaw.under("numbers")));
        found
    }

    /// This profile, with the codes of `before` for test recipients whose own it leaves out: nobody is shown them.
    #[must_use]
    pub fn keeping_codes(self, before: &Self) -> Self {
        let kept = |one: &TestRecipient| {
            let earlier = || before.test_recipients.iter().find(|known| known.is(&one.recipient))?.code.clone();
            TestRecipient { code: one.code.clone().or_else(earlier), ..one.clone() }
        };
        Self { test_recipients: self.test_recipients.iter().map(kept).collect(), ..self }
    }

    /// For people to see: without the codes that it knows.
    #[must_use]
    pub fn without_codes(&self) -> Self {
        let test_recipients = self.test_recipients.iter().map(TestRecipient::without_code).collect();
        Self { test_recipients, ..self.clone() }
    }
}

fn no_one(recipients: &Arc<[TestRecipient]>) -> bool {
    recipients.is_empty()
}

/// What [`is_name`] asks for, after "must".
pub const NAME: &str = "have 1 to 64 characters, none of them a control character or a mark of writing direction";

/// Whether a character steers how text around it is shown instead of being shown itself: control characters, and the marks that turn the
/// direction of writing, by which a name could be made to look like another.
#[must_use]
pub fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether people can be shown `text` as a name, in a message, a list or a terminal.
#[must_use]
pub fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= 64 && !text.chars().any(is_steering)
}

/// A service as it is kept: a named verification profile of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRecord {
    /// How calls name it.
    pub id: ServiceId,
    /// Whose it is.
    pub tenant: TenantId,
    /// For people; unique in the tenant.
    pub name: String,
    /// Its rules.
    pub profile: ServiceProfile,
    /// Its limits; what is left open, the tenant's.
    pub limits: LimitRules,
    /// What its sends cost; none: the tenant's prices.
    pub prices: Option<PriceList>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_does_not_steer_the_text_around_it() {
        assert!(is_name("Ann & Søn") && is_name("שלום"));
        for wrong in ["", " ", "a\nb", "abc\u{202E}cba", "\u{2066}a", "a\u{200F}", "a\u{061C}", &"x".repeat(65)] {
            assert!(!is_name(wrong), "{wrong:?}");
        }
    }

    fn flawed(profile: &ServiceProfile) -> Vec<String> {
        profile.check(60).into_iter().map(|flaw| flaw.field).collect()
    }

    #[test]
    fn every_bound_of_a_profile_is_kept_and_every_flaw_is_told() {
        let within = ServiceProfile {
            app_name: Some("Acme".to_owned()),
            code_length: Some(10),
            life_minutes: Some(60),
            max_attempts: Some(1),
            resend_after_seconds: Some(86_400),
            receipt_wait_seconds: Some([(Channel::Sms, 5), (Channel::Email, 900)].into()),
            locale: Some("zh-Hant".to_owned()),
            ..ServiceProfile::default()
        };
        assert_eq!(flawed(&within), Vec::<String>::new());
        let without = ServiceProfile {
            app_name: Some("A\nB".to_owned()),
            code_length: Some(3),
            life_minutes: Some(61),
            max_attempts: Some(11),
            resend_after_seconds: Some(86_401),
            receipt_wait_seconds: Some([(Channel::Sms, 4), (Channel::Email, 300)].into()),
            locale: Some("english please".to_owned()),
            ..ServiceProfile::default()
        };
        let all = [
            "app_name",
            "code_length",
            "max_attempts",
            "life_minutes",
            "resend_after_seconds",
            "receipt_wait_seconds.sms",
            "locale",
        ];
        assert_eq!(flawed(&without), all);
    }

    #[test]
    fn the_waits_of_a_profile_fill_the_gaps_of_a_narrower_one() {
        let profile = |waits: &[(Channel, u16)]| ServiceProfile {
            receipt_failover: Some(ReceiptFailover::Provider),
            receipt_wait_seconds: Some(waits.iter().copied().collect()),
            ..ServiceProfile::default()
        };
        let both = profile(&[(Channel::Sms, 10)]).over(&profile(&[(Channel::Sms, 20), (Channel::Voice, 90)]));
        assert_eq!(both, profile(&[(Channel::Sms, 10), (Channel::Voice, 90)]));
        let receipts = both.service(None, &Service::default()).receipts;
        assert_eq!(receipts.failover, ReceiptFailover::Provider);
        assert_eq!(Channel::ALL.map(|channel| receipts.waits.seconds(channel)), [300, 10, 30, 90]);
    }

    #[test]
    fn a_life_goes_by_the_profiles_own_ceiling_before_the_installations() {
        let profile = |life, max| ServiceProfile { life_minutes: Some(life), max_life_minutes: max, ..ServiceProfile::default() };
        assert_eq!(flawed(&profile(90, Some(120))), Vec::<String>::new());
        assert_eq!(flawed(&profile(90, None)), ["life_minutes"]);
        assert_eq!(flawed(&profile(6, Some(5))), ["life_minutes"]);
        assert_eq!(flawed(&profile(1, Some(1_441))), ["max_life_minutes"]);
    }
}
