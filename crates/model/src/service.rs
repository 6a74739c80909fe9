use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    AllFailed, DateFormat, InvalidId, NumberCheck, NumberRules, ReceiptPolicy, ResendPolicy, ServiceProfile, TestRecipient,
    WrongCode,
};

/// Names a service: a UUID, which customers bring along from where they were before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServiceId(u128);

impl ServiceId {
    /// Its 128 bits.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Uuid::from_u128(self.0).hyphenated(), f)
    }
}

impl FromStr for ServiceId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(|uuid| Self(uuid.as_u128())).map_err(|_| InvalidId)
    }
}

impl Default for Service {
    /// The product's own values, where nobody set any.
    fn default() -> Self {
        Self {
            id: None,
            app_name: String::new(),
            code_length: None,
            life: None,
            max_life: Duration::from_secs(u64::from(ServiceProfile::DEFAULT_MAX_LIFE_MINUTES) * 60),
            max_attempts: None,
            resend_after: Duration::from_secs(30),
            resend: ResendPolicy::Rotate,
            resend_unlocks: true,
            all_failed: AllFailed::Error,
            number_check: None,
            numbers: Arc::default(),
            test_recipients: Arc::default(),
            receipts: ReceiptPolicy::default(),
            locale: None,
            never_share: true,
            allow_code_only_check: true,
            wrong_code: WrongCode::Verdict,
            date_format: DateFormat::Iso,
        }
    }
}

/// A named verification profile. What it leaves open, the dialect decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// How calls name it; the profile of calls that name none has no id.
    pub id: Option<ServiceId>,
    /// The name that messages show to people.
    pub app_name: String,
    /// Digits of a minted code.
    pub code_length: Option<u8>,
    /// How long a code lives.
    pub life: Option<Duration>,
    /// The longest life a call may ask for.
    pub max_life: Duration,
    /// Wrong calls before a session locks.
    pub max_attempts: Option<u8>,
    /// Earliest resend after a send.
    pub resend_after: Duration,
    /// What a resend does to the old code.
    pub resend: ResendPolicy,
    /// Whether a resend unlocks a locked session.
    pub resend_unlocks: bool,
    /// What a send answers when nothing went out.
    pub all_failed: AllFailed,
    /// How closely numbers are looked at; none: `possible` when live, `syntax` in the sandbox.
    pub number_check: Option<NumberCheck>,
    /// To which numbers live messages go.
    pub numbers: Arc<NumberRules>,
    /// Whose codes are known beforehand, under a live key too.
    pub test_recipients: Arc<[TestRecipient]>,
    /// What follows a message that did not arrive, or of which nobody says in time that it did.
    pub receipts: ReceiptPolicy,
    /// BCP 47 tag for messages whose call names none.
    pub locale: Option<String>,
    /// Whether the built-in words warn against giving the code away.
    pub never_share: bool,
    /// GetOTP: whether a code may be checked without saying whose it is.
    pub allow_code_only_check: bool,
    /// Antryk: what a wrong code is answered with.
    pub wrong_code: WrongCode,
    /// GetOTP: how dates are written.
    pub date_format: DateFormat,
}
