use std::fmt;
use std::time::Duration;

use countersign_model::Timestamp;

use crate::guard::Forbidden;
use crate::retry_after::RetryAfter;

/// One attempt, for the log of deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// When it began: also the time that was signed.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an attempt. A response is kept as text, at most 1 KiB of it; it is the receiver's and may hold anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Answered 2xx.
    Delivered {
        /// Which.
        status: u16,
    },
    /// Answered 410: the endpoint wants nothing any more and must be disabled.
    Gone {
        /// What it said.
        response: String,
    },
    /// Answered anything else, a redirect among them: none is followed.
    Refused {
        /// Which.
        status: u16,
        /// When it wants to be asked again. Only read from 429 and 503.
        retry_after: Option<RetryAfter>,
        /// What it said.
        response: String,
    },
    /// No answer that could be understood.
    Unreachable(Unreachable),
    /// No answer in time. It may have arrived.
    TimedOut,
    /// Nothing was sent.
    Forbidden(Forbidden),
    /// Nothing was sent: the endpoint has another secret by now, which cannot sign what was spelt before.
    Unsigned,
}

/// Why there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// No address to connect to.
    #[error("the host cannot be looked up")]
    Name,
    /// Nobody took the connection.
    #[error("cannot connect to the host")]
    Connection,
    /// A certificate that is not trusted, for another name or out of date; or no TLS on the other side.
    #[error("no TLS connection with the host could be made")]
    Tls,
    /// The connection ended early, or what came was not HTTP. The post may have arrived.
    #[error("the host did not answer as HTTP")]
    Answer,
    /// This machine has no usable certificates: the operator's to mend, not the tenant's.
    #[error("TLS cannot be set up on this server")]
    Setup,
}

impl Outcome {
    /// Whether the endpoint took it.
    #[must_use]
    pub const fn is_delivered(&self) -> bool {
        matches!(self, Self::Delivered { .. })
    }

    /// What the endpoint answered, if it did.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Delivered { status } | Self::Refused { status, .. } => Some(*status),
            Self::Gone { .. } => Some(410),
            Self::Unreachable(_) | Self::TimedOut | Self::Forbidden(_) | Self::Unsigned => None,
        }
    }

    /// What the endpoint said with a refusal.
    #[must_use]
    pub fn response(&self) -> Option<&str> {
        match self {
            Self::Gone { response } | Self::Refused { response, .. } => Some(response),
            Self::Delivered { .. } | Self::Unreachable(_) | Self::TimedOut | Self::Forbidden(_) | Self::Unsigned => None,
        }
    }
}

/// For people: one line, without what the endpoint said.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivered { status } => write!(f, "delivered, the endpoint answered {status}"),
            Self::Gone { .. } => f.write_str("the endpoint answered 410: it is gone"),
            Self::Refused { status: status @ 300..=399, .. } => {
                write!(f, "the endpoint answered {status}; redirects are not followed")
            }
            Self::Refused { status, .. } => write!(f, "the endpoint answered {status}"),
            Self::Unreachable(why) => why.fmt(f),
            Self::TimedOut => f.write_str("the endpoint did not answer in time"),
            Self::Forbidden(why) => why.fmt(f),
            Self::Unsigned => f.write_str("the endpoint's secret cannot sign this format"),
        }
    }
}
