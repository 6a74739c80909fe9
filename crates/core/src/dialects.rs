//! What the wire of a call decides where neither the call nor the profile does.

use std::time::Duration;

use countersign_model::Dialect;

/// Values of a dialect for what is left open.
pub(crate) struct Defaults {
    /// Digits of a minted code.
    pub(crate) code_length: u8,
    /// How long a code lives.
    pub(crate) life: Duration,
    /// Calls with a wrong guess before a session locks.
    pub(crate) max_attempts: u8,
}

/// Whom the sends of a dialect are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CountedBy {
    /// The user that a call names, else each address that stands in for one: sends and open sessions.
    Users,
    /// The recipients: sends alone.
    Recipients,
}

/// What `dialect` decides.
pub(crate) const fn defaults(dialect: Dialect) -> Defaults {
    match dialect {
        Dialect::Native => Defaults { code_length: 6, life: Duration::from_secs(600), max_attempts: 3 },
        Dialect::Kotp | Dialect::GetOtp | Dialect::Antryk => {
            Defaults { code_length: 6, life: Duration::from_secs(300), max_attempts: 5 }
        }
    }
}

/// Whether `dialect` can tell of a session whose messages all failed, so that a resend may still save it.
pub(crate) const fn tells_failed_sessions(dialect: Dialect) -> bool {
    match dialect {
        Dialect::Native | Dialect::Kotp | Dialect::GetOtp => true,
        Dialect::Antryk => false,
    }
}

/// Whom the sends of `dialect` are counted by.
pub(crate) const fn counted_by(dialect: Dialect) -> CountedBy {
    match dialect {
        Dialect::Native => CountedBy::Users,
        Dialect::Kotp | Dialect::GetOtp | Dialect::Antryk => CountedBy::Recipients,
    }
}
