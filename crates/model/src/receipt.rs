//! What providers tell of messages after they took them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{InvalidId, KeyKind, MessageId, MessageStatus, Scope, SessionId, TenantId, Timestamp};

/// Names a message, and where it is kept, to providers that echo what they are handed. Holds nothing secret, and proves nothing.
///
/// Written as `<tenant><l|t><session><message>`: three ULIDs, and behind the first whether keys are live or test. That is 79 letters and digits;
/// Postmark, the narrowest of the vendors, takes 80.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// Whose session it is.
    pub scope: Scope,
    /// Which session.
    pub session: SessionId,
    /// Which message.
    pub message: MessageId,
}

/// How a reference writes the kind of key: what no ULID holds.
const LIVE: char = 'l';
const TEST: char = 't';

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = match self.scope.keys {
            KeyKind::Live => LIVE,
            KeyKind::Test => TEST,
        };
        let [tenant, session, message] = [self.scope.tenant.bits(), self.session.bits(), self.message.bits()].map(ulid::Ulid);
        write!(f, "{tenant}{keys}{session}{message}")
    }
}

impl FromStr for Reference {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (tenant, rest) = text.split_at_checked(ulid::ULID_LEN).ok_or(InvalidId)?;
        let (keys, rest) = if let Some(rest) = rest.strip_prefix(LIVE) {
            (KeyKind::Live, rest)
        } else {
            (KeyKind::Test, rest.strip_prefix(TEST).ok_or(InvalidId)?)
        };
        let (session, message) = rest.split_at_checked(ulid::ULID_LEN).ok_or(InvalidId)?;
        let tenant: TenantId = format!("{}{tenant}", TenantId::PREFIX).parse()?;
        let session: SessionId = format!("{}{session}", SessionId::PREFIX).parse()?;
        let message: MessageId = format!("{}{message}", MessageId::PREFIX).parse()?;
        // All that is a tenant's lies in one place.
        if [session.partition(), message.partition()] != [tenant.partition(); 2] {
            return Err(InvalidId);
        }
        Ok(Self { scope: Scope { tenant, keys }, session, message })
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
        for (keys, letter) in [(KeyKind::Live, "l"), (KeyKind::Test, "t")] {
            let reference = reference(keys);
            let written = reference.to_string();
            assert_eq!((written.len(), &written[26..27]), (79, letter));
            assert!(written.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{written}");
            assert_eq!(written.parse(), Ok(reference));
            let bare = |id: String| id.split_once('_').unwrap().1.to_owned();
            let [tenant, session, message] = [&written[..26], &written[27..53], &written[53..]];
            assert_eq!(tenant, bare(reference.scope.tenant.to_string()));
            assert_eq!(session, bare(reference.session.to_string()));
            assert_eq!(message, bare(reference.message.to_string()));
        }
    }

    #[test]
    fn a_reference_has_one_written_form() {
        let written = reference(KeyKind::Live).to_string();
        let (tenant, rest) = written.split_at(26);
        let (session, message) = rest[1..].split_at(26);
        let changed = [
            String::new(),
            "-".to_owned(),
            format!("{session}-{message}"),
            format!("{tenant}l{session}-{message}"),
            format!("{tenant}-{session}{message}"),
            format!("{tenant}L{session}{message}"),
            format!("{tenant}T{session}{message}"),
            format!("{tenant}x{session}{message}"),
            format!("{tenant}{session}{message}"),
            format!("{tenant}l{session}"),
            format!("{tenant}l{session}{}", &message[1..]),
            format!("{written}0"),
            format!(" {written}"),
            format!("{written} "),
            written.to_lowercase(),
            // Read as the same bits by some.
            format!("{tenant}l8{}{message}", &session[1..]),
            // A letter of two bytes where one is cut.
            format!("{}\u{e9}l{session}{message}", &tenant[..25]),
        ];
        assert_eq!(written.parse(), Ok(reference(KeyKind::Live)));
        for wrong in changed {
            assert_eq!(wrong.parse::<Reference>(), Err(InvalidId), "{wrong}");
        }
    }

    #[test]
    fn what_a_reference_names_lies_in_one_place() {
        let (known, moved) = (reference(KeyKind::Test), |bits: u128| bits ^ 1);
        for torn in [
            Reference { scope: Scope { tenant: TenantId::from_bits(moved(known.scope.tenant.bits())), ..known.scope }, ..known },
            Reference { session: SessionId::from_bits(moved(known.session.bits())), ..known },
            Reference { message: MessageId::from_bits(moved(known.message.bits())), ..known },
        ] {
            assert_eq!(torn.to_string().parse::<Reference>(), Err(InvalidId), "{torn}");
        }
    }

    fn reference(keys: KeyKind) -> Reference {
        let (now, rng, place) = (Timestamp::from_millis(1_768_473_900_000), SeededRng::new(1), Partition::of(5));
        Reference {
            scope: Scope { tenant: TenantId::mint(now, &rng, place), keys },
            session: SessionId::mint(now, &rng, place),
            message: MessageId::mint(now, &rng, place),
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
