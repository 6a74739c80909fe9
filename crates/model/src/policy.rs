use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Channel;

/// What it takes to complete a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerificationMode {
    /// One right code of any channel.
    Any,
    /// A right code of every channel.
    All,
}

impl VerificationMode {
    /// The word used on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::All => "all",
        }
    }
}

/// What a resend does to the code that the person may already hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResendPolicy {
    /// The old code dies when the new one has been accepted by a provider.
    Rotate,
    /// Both live until their own expiry and share the attempts.
    KeepPrevious,
}

/// What a send answers when no provider took any message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllFailed {
    /// An error; the session is closed and nothing is charged.
    Error,
    /// A session with `send_failed` on its channels, which a resend can still save.
    Session,
}

/// How closely a phone number is looked at before anything is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberCheck {
    /// E.164 form only.
    Syntax,
    /// A known country and a length that exists there.
    Possible,
    /// A number that the country's numbering plan hands out.
    Valid,
}

/// What Antryk's wire answers a wrong code with: its own pages say both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrongCode {
    /// A reply that says that the code is not valid.
    Verdict,
    /// The error `otp_invalid`.
    Error,
}

/// How GetOTP's wire writes dates: its samples and its tables differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateFormat {
    /// `2025-08-18T06:28:58.962Z`
    Iso,
    /// `2025-08-18 06:28:58`
    Table,
}

/// What follows when a message did not arrive, or nobody said in time that it did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptFailover {
    /// Nothing, but that a planned fallback channel follows a message that certainly did not arrive.
    #[default]
    None,
    /// Another provider of the same channel takes a new message.
    Provider,
    /// The next fallback channel follows.
    Channel,
}

impl ReceiptFailover {
    /// The word used on the wire and in configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Provider => "provider",
            Self::Channel => "channel",
        }
    }
}

/// How long a receipt may take on each channel before it counts as missing, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptWaits([u16; 4]);

impl ReceiptWaits {
    /// What a wait may be, in seconds.
    pub const BOUNDS: std::ops::RangeInclusive<u16> = 5..=900;

    /// Takes the seconds of each channel from `seconds`.
    #[must_use]
    pub fn from_fn(seconds: impl FnMut(Channel) -> u16) -> Self {
        Self(Channel::ALL.map(seconds))
    }

    /// The seconds of a channel.
    #[must_use]
    pub const fn seconds(self, channel: Channel) -> u16 {
        self.0[channel.tag() as usize - 1]
    }

    /// The wait of a channel.
    #[must_use]
    pub fn of(self, channel: Channel) -> Duration {
        Duration::from_secs(self.seconds(channel).into())
    }

    /// The same with another wait for one channel.
    #[must_use]
    pub const fn with(mut self, channel: Channel, seconds: u16) -> Self {
        self.0[channel.tag() as usize - 1] = seconds;
        self
    }

    /// Five minutes for a mail, 45 seconds for an SMS, 30 for a WhatsApp message, a minute for a call.
    pub const DEFAULT: Self = Self([300, 45, 30, 60]);
}

impl Default for ReceiptWaits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What a session does about delivery receipts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptPolicy {
    /// What follows a missing or a bad one.
    pub failover: ReceiptFailover,
    /// When it counts as missing. Nobody waits where nothing follows.
    pub waits: ReceiptWaits,
}

impl ReceiptPolicy {
    /// What is done where nobody asks for anything.
    pub const DEFAULT: Self = Self { failover: ReceiptFailover::None, waits: ReceiptWaits::DEFAULT };
}

/// The rules of one session, settled when it opens: the call's value, else the service's, else the dialect's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Digits of a minted code.
    pub code_length: u8,
    /// How long a code lives.
    pub life: Duration,
    /// Calls with a wrong guess before the session locks.
    pub max_attempts: u8,
    /// What completes the session.
    pub verification_mode: VerificationMode,
    /// One code for all channels.
    pub shared_code: bool,
    /// Earliest resend after a send.
    pub resend_after: Duration,
    /// What a resend does to the old code.
    pub resend: ResendPolicy,
    /// Whether a resend unlocks a locked session.
    pub resend_unlocks: bool,
    /// What a send answers when nothing went out.
    pub all_failed: AllFailed,
    /// What follows a message that did not arrive. Not part of its serial form, whose readers do not expect it: stores keep it beside.
    #[serde(skip)]
    pub receipts: ReceiptPolicy,
}
