use countersign_model::ShownMessageId;
use countersign_records::{PoisonKind, RecordsError};

/// Why an entry cannot be taken in as it stands. Says nothing of anybody's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// Events before it are missing.
    #[error("event {found} came where event {expected} was due")]
    Gap {
        /// The event that was due.
        expected: u32,
        /// The one that came.
        found: u32,
    },
    /// An event of this number is known, and is another one.
    #[error("event {number} was told before, and otherwise")]
    Fork {
        /// Which.
        number: u32,
    },
    /// It tells of a message that no event has made.
    #[error("message {0} is not known")]
    UnknownMessage(ShownMessageId),
    /// The database refuses its values, or what belongs to it cannot be read.
    #[error("{0}")]
    Refused(String),
}

impl Fault {
    /// The refusal without the values that it is about.
    pub(super) fn refused(error: &RecordsError) -> Self {
        Self::Refused(match error.refusal_code() {
            Some(code) => format!("the database refuses its values (code {code})"),
            None => error.to_string(),
        })
    }

    pub(super) const fn kind(&self) -> PoisonKind {
        match self {
            Self::Gap { .. } | Self::UnknownMessage(_) => PoisonKind::Gap,
            Self::Fork { .. } => PoisonKind::Fork,
            Self::Refused(_) => PoisonKind::Refused,
        }
    }
}
