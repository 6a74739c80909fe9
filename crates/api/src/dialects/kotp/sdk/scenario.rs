//! What the test mode makes of an issue, by the last two digits of its number.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_core::{Codes, Send, StagedReceipt};
use countersign_model::{Channel, Code, LimitName, Rehearsal, Report, Undelivered};

use crate::dialects::kotp::error;
use crate::dialects::kotp::failure::Failure;
use crate::dialects::kotp::words;

/// The code of every test number but one.
const CODE: &str = "000000";
/// A code that nobody can type: a guess has six digits.
const NO_CODE: &str = "0000000000";
/// How long the code of a number lives whose code is to die soon.
const SHORT_LIFE: Duration = Duration::from_secs(10);

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    Success,
    DeliveryFails,
    Slow,
    Ambiguous,
    Expires,
    Mismatch,
    FailsOver,
    RateLimited,
    NoCredit,
    TrialLimit,
    Unavailable,
}

impl Scenario {
    /// Of the last two digits. Those that mean nothing yet go well.
    pub(super) const fn of(digits: u8) -> Self {
        match digits {
            1 => Self::DeliveryFails,
            2 => Self::Slow,
            3 => Self::Ambiguous,
            4 => Self::Expires,
            5 => Self::Mismatch,
            6 => Self::RateLimited,
            7 => Self::NoCredit,
            8 => Self::TrialLimit,
            9 => Self::Unavailable,
            10 => Self::FailsOver,
            _ => Self::Success,
        }
    }

    /// What is refused before anything is issued.
    pub(super) fn refuse(self) -> Result<(), Failure> {
        let no_credit = |code: &'static str| {
            let failure = Failure::new(words::INSUFFICIENT_CREDITS, format!("{code}: the test number asks for it"));
            Err(failure.data("code", code))
        };
        match self {
            Self::Success
            | Self::DeliveryFails
            | Self::Slow
            | Self::Ambiguous
            | Self::Expires
            | Self::Mismatch
            | Self::FailsOver => Ok(()),
            Self::RateLimited => Err(error::limited(LimitName::SendsPerRecipient, Duration::from_mins(1))),
            Self::NoCredit => no_credit("INSUFFICIENT_CREDIT"),
            Self::TrialLimit => no_credit("TRIAL_DAILY_LIMIT_EXCEEDED"),
            Self::Unavailable => {
                let failure = Failure::new(words::SERVICE_UNAVAILABLE, "Unavailable: the test number asks for it");
                Err(failure.after(Duration::from_secs(2)))
            }
        }
    }

    /// The send that rehearses it.
    pub(super) fn rehearse(self, channel: Channel, send: Send) -> Result<Send, Failure> {
        let text = if self == Self::Mismatch { NO_CODE } else { CODE };
        let code = Code::parse(text).map_err(|_| error::internal("a code of digits is no code"))?;
        Ok(Send {
            code_length: u8::try_from(text.len()).ok(),
            codes: Codes::Given(BTreeMap::from([(channel, code)])),
            life: if self == Self::Expires { Some(SHORT_LIFE) } else { send.life },
            rehearsal: (self == Self::Ambiguous).then_some(Rehearsal::Ambiguous),
            receipt: self.receipt(),
            ..send
        })
    }

    /// What is said of the message later, at the vendor's own times.
    fn receipt(self) -> Option<StagedReceipt> {
        let (report, seconds) = match self {
            Self::Success | Self::Expires | Self::Mismatch => (Report::Delivered, 2),
            Self::DeliveryFails => (Report::Undelivered(Undelivered::Unknown), 3),
            // There is no `AlimTalk` to fail over from: the text message goes at once, and arrives when it would have.
            Self::FailsOver => (Report::Delivered, 4),
            Self::Slow => (Report::Delivered, 30),
            Self::Ambiguous | Self::RateLimited | Self::NoCredit | Self::TrialLimit | Self::Unavailable => return None,
        };
        Some(StagedReceipt { report, after: Duration::from_secs(seconds) })
    }
}
