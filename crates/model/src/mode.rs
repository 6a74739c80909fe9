use serde::{Deserialize, Serialize};

use crate::TenantId;

/// Whether messages leave the house. Limits, budgets, idempotency, lists and proofs are kept apart by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Codes go to people and cost money.
    Live,
    /// Codes come back in the reply; nothing is sent or charged.
    Sandbox,
}

impl Mode {
    /// The word used in proofs, events and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Sandbox => "sandbox",
        }
    }
}

/// Which kind of API key a caller holds. A session is seen only by keys of the kind that opened it.
///
/// Not the same as [`Mode`]: a live key may open a sandbox session by asking for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// `sk_live_…`
    Live,
    /// `sk_test_…`: always sandbox.
    Test,
}

impl KeyKind {
    /// The word used in records and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }

    /// What a secret of this kind starts with.
    #[must_use]
    pub const fn secret_prefix(self) -> &'static str {
        match self {
            Self::Live => "sk_live_",
            Self::Test => "sk_test_",
        }
    }

    /// The same of a key for browsers, where it is no secret.
    #[must_use]
    pub const fn page_prefix(self) -> &'static str {
        match self {
            Self::Live => "pk_live_",
            Self::Test => "pk_test_",
        }
    }
}

/// Who may see a session: first half of its key in every store, so that a look-up cannot leave its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// The owner.
    pub tenant: TenantId,
    /// The kind of key that opened the session.
    pub keys: KeyKind,
}

/// The wire in which a session was opened. It decides defaults and limits, never the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Countersign's own API, Sendmator style.
    Native,
    /// K-OTP's, both of its APIs.
    Kotp,
    /// GetOTP's.
    GetOtp,
    /// Antryk's.
    Antryk,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 4] = [Self::Native, Self::Kotp, Self::GetOtp, Self::Antryk];

    /// The word in logs, records and addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Kotp => "kotp",
            Self::GetOtp => "getotp",
            Self::Antryk => "antryk",
        }
    }
}
