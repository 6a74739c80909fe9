//! What providers tell of messages after they took them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{InvalidId, MessageId, MessageStatus, SessionId, Timestamp};

/// Names a message, and the session it is of, to providers that echo what they are handed. Written as two ULIDs with a dash between: letters,
/// digits and a dash, 53 of them, which every provider takes. Holds nothing secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// Whose message it is; its id says where it lives.
    pub session: SessionId,
    /// Which message.
    pub message: MessageId,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let session = self.session.to_string();
        let message = self.message.to_string();
        let bare = |id: &str, prefix: &str| id.strip_prefix(prefix).unwrap_or(id).to_owned();
        write!(f, "{}-{}", bare(&session, SessionId::PREFIX), bare(&message, MessageId::PREFIX))
    }
}

impl FromStr for Reference {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (session, message) = text.split_once('-').ok_or(InvalidId)?;
        let session = format!("{}{session}", SessionId::PREFIX).parse()?;
        let message = format!("{}{message}", MessageId::PREFIX).parse()?;
        Ok(Self { session, message })
    }
}

/// A delivery receipt, in our words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Which message it is about.
    pub of: ReceiptOf,
    /// What it says.
    pub report: Report,
    /// When it happened, by the provider's clock.
    pub at: Option<Timestamp>,
    /// Who carried it the last mile, where the provider says so: a network's name or code, at most 64 visible characters.
    pub carrier: Option<String>,
}

/// How a receipt names its message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReceiptOf {
    /// By what it was handed.
    Reference(Reference),
    /// By the provider's own id.
    ProviderId(String),
}

/// What became of a message. What a provider says in words that are not known is [`Report::Underway`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Report {
    /// Nothing is decided yet.
    Underway,
    /// It arrived, or was even read.
    Delivered,
    /// It will not arrive.
    Undelivered(Undelivered),
}

/// Why a message did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undelivered {
    /// There is no such number or mailbox on this channel: no other provider would find it.
    NotThere,
    /// A carrier, a filter or the person refused it.
    Rejected,
    /// It was tried until its time was up.
    Expired,
    /// Busy, switched off, no answer, full.
    Unreachable,
    /// The provider does not say, or in words that are not known.
    Unknown,
}

impl Undelivered {
    /// The word used on the wire and in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotThere => "not_there",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Unreachable => "unreachable_recipient",
            Self::Unknown => "undelivered",
        }
    }
}

impl MessageStatus {
    /// The status once `report` is known. It only moves forward; that something failed first and arrived after all is the one exception.
    #[must_use]
    pub const fn after(self, report: Report) -> Self {
        match (self, report) {
            (_, Report::Delivered) | (Self::Delivered, _) => Self::Delivered,
            (_, Report::Undelivered(_)) => Self::Failed,
            (status, Report::Underway) => status,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Partition, SeededRng};

    const DELIVERED: Report = Report::Delivered;
    const UNDERWAY: Report = Report::Underway;
    const UNDELIVERED: Report = Report::Undelivered(Undelivered::Unknown);

    #[test]
    fn a_reference_survives_its_written_form() {
        let (now, rng) = (Timestamp::from_millis(1_768_473_900_000), SeededRng::new(1));
        let reference = Reference {
            session: SessionId::mint(now, &rng, Partition::of(5)),
            message: MessageId::mint(now, &rng, Partition::of(5)),
        };
        let written = reference.to_string();
        assert_eq!(written.len(), 53);
        assert!(written.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{written}");
        assert_eq!(written.parse(), Ok(reference));
        for wrong in ["", "-", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAV-x", &written.to_lowercase()] {
            assert_eq!(wrong.parse::<Reference>(), Err(InvalidId), "{wrong}");
        }
    }

    #[test]
    fn a_status_only_moves_forward_but_what_failed_may_have_arrived() {
        use MessageStatus::{Delivered, Failed, Pending, Sent};
        let cases = [
            (Pending, UNDERWAY, Pending),
            (Sent, UNDERWAY, Sent),
            (Sent, DELIVERED, Delivered),
            (Sent, UNDELIVERED, Failed),
            (Delivered, UNDELIVERED, Delivered),
            (Delivered, UNDERWAY, Delivered),
            (Failed, DELIVERED, Delivered),
            (Failed, UNDERWAY, Failed),
        ];
        for (before, report, after) in cases {
            assert_eq!(before.after(report), after, "{before:?} {report:?}");
        }
    }
}
