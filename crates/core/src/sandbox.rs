//! Recipients by which a caller of the sandbox sees each outcome that a live send may have. They mean nothing in live mode: a live number of
//! these is one that nobody has, and a live mailbox is under a domain that never is.

mod receipts;

use std::time::Duration;

use countersign_model::{Dialect, LimitName, Mode, Recipient, Rehearsal, Report, Undelivered};

use crate::dialects::{CountedBy, counted_by};
use crate::refusal::Refusal;

pub(crate) use receipts::Rehearsed;
pub use receipts::StagedReceipt;

/// The domain of the mailboxes: reserved for tests by RFC 2606.
const DOMAIN: &str = "sandbox.test";
/// How long a code lives that expires early.
pub(crate) const SHORT_LIFE: Duration = Duration::from_secs(10);
/// How late a late receipt is.
const LATE: Duration = Duration::from_secs(30);
/// How long a caller is told to wait who is turned away.
const WAIT: Duration = Duration::from_mins(1);

/// What a recipient of the sandbox stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A receipt says that the message arrived.
    Delivered,
    /// The same, half a minute later.
    Late,
    /// A receipt says that it did not arrive.
    Undelivered,
    /// A receipt says that there is no such number or mailbox.
    NotThere,
    /// No receipt comes.
    Silent,
    /// No provider takes it.
    Fails,
    /// The provider refuses it for good.
    Refused,
    /// The provider asks to slow down.
    Throttled,
    /// No provider can be reached.
    Unreachable,
    /// Nobody knows whether it went out.
    Unclear,
    /// It takes its time to be taken.
    Slow,
    /// The code dies early.
    Expires,
    /// The balance does not cover it.
    NoBalance,
    /// The destination is blocked.
    Blocked,
    /// The recipient's failure budget is used up.
    RecipientBlocked,
    /// A limit is used up.
    Limited,
}

/// The table of the documentation: the local part of the mailbox, the number, what they stand for.
pub(crate) const TABLE: [(&str, &str, Outcome); 16] = [
    ("delivered", "+12025550110", Outcome::Delivered),
    ("late", "+12025550111", Outcome::Late),
    ("undelivered", "+12025550112", Outcome::Undelivered),
    ("not-there", "+12025550113", Outcome::NotThere),
    ("silent", "+12025550114", Outcome::Silent),
    ("fails", "+12025550115", Outcome::Fails),
    ("refused", "+12025550116", Outcome::Refused),
    ("throttled", "+12025550117", Outcome::Throttled),
    ("unreachable", "+12025550118", Outcome::Unreachable),
    ("unclear", "+12025550119", Outcome::Unclear),
    ("slow", "+12025550120", Outcome::Slow),
    ("expires", "+12025550121", Outcome::Expires),
    ("insufficient-balance", "+12025550122", Outcome::NoBalance),
    ("destination-blocked", "+12025550123", Outcome::Blocked),
    ("recipient-blocked", "+12025550124", Outcome::RecipientBlocked),
    ("rate-limited", "+12025550125", Outcome::Limited),
];

/// What `recipient` stands for; none: nothing, as everybody does in live mode. K-OTP has test numbers of its own, and these among them.
pub(crate) fn outcome(mode: Mode, dialect: Dialect, recipient: &Recipient) -> Option<Outcome> {
    if mode == Mode::Live {
        return None;
    }
    let found = match recipient {
        Recipient::Phone(_) if dialect == Dialect::Kotp => None,
        Recipient::Phone(number) => TABLE.iter().find(|(_, known, _)| *known == number.as_str()),
        Recipient::Email(_) => {
            let address = recipient.normalised();
            let local = address.strip_suffix(DOMAIN)?.strip_suffix('@')?;
            // `late+ann` is another recipient than `late`, and stands for the same.
            let name = local.split_once('+').map_or(local, |(name, _)| name);
            TABLE.iter().find(|(known, ..)| *known == name)
        }
    };
    found.map(|(.., outcome)| *outcome)
}

/// What `recipient` stands for where a text asks for no answer: it has no code to die early, and nobody guesses at it.
pub(crate) fn outcome_of_text(mode: Mode, dialect: Dialect, recipient: &Recipient) -> Option<Outcome> {
    outcome(mode, dialect, recipient).filter(|outcome| !matches!(outcome, Outcome::Expires | Outcome::RecipientBlocked))
}

/// Why a message is turned away. Nothing is stored or counted.
#[derive(Debug)]
pub(crate) enum TurnedAway {
    /// The rules would keep messages from the recipient.
    Barred,
    /// As a step would refuse it.
    Refused(Refusal),
}

impl Outcome {
    /// What the provider makes of a message; none: it takes it at once.
    pub(crate) const fn rehearsal(self) -> Option<Rehearsal> {
        match self {
            Self::Silent => Some(Rehearsal::Silent),
            Self::Fails => Some(Rehearsal::NobodyTakes),
            Self::Refused => Some(Rehearsal::DeliveryFails),
            Self::Throttled => Some(Rehearsal::Throttled),
            Self::Unreachable => Some(Rehearsal::Unreachable),
            Self::Unclear => Some(Rehearsal::Ambiguous),
            Self::Slow => Some(Rehearsal::Slow),
            Self::Delivered
            | Self::Late
            | Self::Undelivered
            | Self::NotThere
            | Self::Expires
            | Self::NoBalance
            | Self::Blocked
            | Self::RecipientBlocked
            | Self::Limited => None,
        }
    }

    /// The receipt of a message that was taken, and how long after it.
    fn receipt(self) -> Option<StagedReceipt> {
        let staged = |report, after| Some(StagedReceipt { report, after });
        match self {
            Self::Delivered => staged(Report::Delivered, Duration::ZERO),
            Self::Late => staged(Report::Delivered, LATE),
            Self::Undelivered => staged(Report::Undelivered(Undelivered::Unreachable), Duration::ZERO),
            Self::NotThere => staged(Report::Undelivered(Undelivered::NotThere), Duration::ZERO),
            Self::Silent
            | Self::Fails
            | Self::Refused
            | Self::Throttled
            | Self::Unreachable
            | Self::Unclear
            | Self::Slow
            | Self::Expires
            | Self::NoBalance
            | Self::Blocked
            | Self::RecipientBlocked
            | Self::Limited => None,
        }
    }

    /// Turns a message away that asks for that: by the limit that `dialect` counts sends by.
    pub(crate) const fn turn_away(self, dialect: Dialect) -> Result<(), TurnedAway> {
        match self {
            Self::NoBalance => Err(TurnedAway::Refused(Refusal::InsufficientBalance(None))),
            Self::Blocked => Err(TurnedAway::Barred),
            Self::RecipientBlocked => Err(TurnedAway::Refused(Refusal::RecipientBlocked { wait: WAIT, about: None })),
            Self::Limited => {
                let limit = match counted_by(dialect) {
                    CountedBy::Users => LimitName::SendsPerUser,
                    CountedBy::Recipients => LimitName::SendsPerRecipient,
                };
                Err(TurnedAway::Refused(Refusal::Limited { limit, wait: WAIT, about: None }))
            }
            Self::Delivered
            | Self::Late
            | Self::Undelivered
            | Self::NotThere
            | Self::Silent
            | Self::Fails
            | Self::Refused
            | Self::Throttled
            | Self::Unreachable
            | Self::Unclear
            | Self::Slow
            | Self::Expires => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::Channel;

    use super::*;

    fn stands_for(mode: Mode, channel: Channel, text: &str) -> Option<Outcome> {
        outcome(mode, Dialect::Native, &Recipient::parse(channel, text).unwrap())
    }

    #[test]
    fn each_name_and_each_number_stands_for_one_outcome() {
        for (at, (name, number, meant)) in TABLE.iter().enumerate() {
            assert_eq!(stands_for(Mode::Sandbox, Channel::Email, &format!("{name}@sandbox.test")), Some(*meant));
            assert_eq!(stands_for(Mode::Sandbox, Channel::Email, &format!("{name}+ann@SANDBOX.test")), Some(*meant));
            assert_eq!(stands_for(Mode::Sandbox, Channel::Voice, number), Some(*meant));
            assert!(TABLE[at + 1..].iter().all(|(name, number, other)| (name, number, other) != (name, number, meant)));
        }
    }

    #[test]
    fn a_text_without_a_code_has_no_outcome_of_codes() {
        let of_text =
            |number: &str| outcome_of_text(Mode::Sandbox, Dialect::Antryk, &Recipient::parse(Channel::Sms, number).unwrap());
        for (_, number, meant) in TABLE {
            let of_codes = matches!(meant, Outcome::Expires | Outcome::RecipientBlocked);
            assert_eq!(of_text(number), (!of_codes).then_some(meant), "{number}");
        }
    }

    #[test]
    fn who_is_limited_hears_of_the_limit_that_its_dialect_counts_by() {
        for (dialect, expected) in [(Dialect::Native, LimitName::SendsPerUser), (Dialect::Antryk, LimitName::SendsPerRecipient)] {
            let told = Outcome::Limited.turn_away(dialect).unwrap_err();
            assert!(matches!(told, TurnedAway::Refused(Refusal::Limited { limit, .. }) if limit == expected), "{told:?}");
        }
    }

    #[test]
    fn nobody_stands_for_anything_in_live_mode() {
        for (name, number, _) in TABLE {
            assert_eq!(stands_for(Mode::Live, Channel::Email, &format!("{name}@sandbox.test")), None);
            assert_eq!(stands_for(Mode::Live, Channel::Sms, number), None);
        }
    }

    #[test]
    fn the_numbers_are_k_otps_own_in_its_dialect() {
        let number = Recipient::parse(Channel::Sms, "+12025550115").unwrap();
        assert_eq!(outcome(Mode::Sandbox, Dialect::Kotp, &number), None);
        assert_eq!(outcome(Mode::Sandbox, Dialect::GetOtp, &number), Some(Outcome::Fails));
    }

    #[test]
    fn other_mailboxes_and_numbers_stand_for_nothing() {
        for other in ["late@example.com", "late@xsandbox.test", "later@sandbox.test", "a@b.sandbox.test"] {
            assert_eq!(stands_for(Mode::Sandbox, Channel::Email, other), None, "{other}");
        }
        assert_eq!(stands_for(Mode::Sandbox, Channel::Sms, "+12025550143"), None);
    }
}
