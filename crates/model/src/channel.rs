use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A way by which a code reaches a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// SMTP or a mail provider's API.
    Email,
    /// A text message to a phone.
    Sms,
    /// A WhatsApp message.
    Whatsapp,
    /// A call in which the code is read out.
    Voice,
}

/// The text names no channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a channel: email, sms, whatsapp or voice")]
pub struct UnknownChannel;

impl Channel {
    /// Every channel, in the order in which replies list them.
    pub const ALL: [Self; 4] = [Self::Email, Self::Sms, Self::Whatsapp, Self::Voice];

    /// The word used on the wire, in configuration and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Whatsapp => "whatsapp",
            Self::Voice => "voice",
        }
    }

    /// A number that is part of every code digest: it must never change.
    #[must_use]
    pub const fn tag(self) -> u8 {
        match self {
            Self::Email => 1,
            Self::Sms => 2,
            Self::Whatsapp => 3,
            Self::Voice => 4,
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Channel {
    type Err = UnknownChannel;

    /// Callers write channel names in either case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|channel| channel.as_str().eq_ignore_ascii_case(text)).ok_or(UnknownChannel)
    }
}

/// One value for every channel, for callers that do not know yet which channels they will need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerChannel<T>([T; 4]);

impl<T> PerChannel<T> {
    /// Makes the value of each channel.
    pub fn from_fn(mut value: impl FnMut(Channel) -> T) -> Self {
        Self(Channel::ALL.map(&mut value))
    }

    /// The value of `channel`.
    #[must_use]
    pub const fn get(&self, channel: Channel) -> &T {
        &self.0[channel.tag() as usize - 1]
    }
}
