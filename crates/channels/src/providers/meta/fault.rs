//! Meta's error codes. The same numbers come in replies and in receipts, and an HTTP status adds nothing to them.

use countersign_model::Undelivered;

use crate::provider::{Diagnostic, TryOutcome};

/// What a code means in a reply; none: nothing that we know.
pub(super) fn at_send(code: i64) -> Option<TryOutcome> {
    let outcome = match code {
        131_026 => TryOutcome::Refused(Diagnostic::Note("131026: the number cannot be reached on WhatsApp")),
        131_021 => TryOutcome::Refused(Diagnostic::Note("131021: the number is the sender's own")),
        4 | 80_007 | 130_429 => TryOutcome::Throttled(Diagnostic::Note("4, 80007 or 130429: too many messages")),
        131_048 => TryOutcome::Throttled(Diagnostic::Note("131048: too many messages of the number were blocked or reported")),
        131_049 => TryOutcome::Throttled(Diagnostic::Note("131049: this person gets too many messages of businesses")),
        131_056 => TryOutcome::Throttled(Diagnostic::Note("131056: too many messages to one person")),
        0 | 3 | 10 | 190 | 200..=299 | 131_005 => {
            TryOutcome::Misconfigured(Diagnostic::Note("0, 3, 10, 190, 200 to 299 or 131005: token or permission"))
        }
        33 | 100 => TryOutcome::Misconfigured(Diagnostic::Note("33 or 100: phone_number_id, or a parameter")),
        368 | 131_031 => TryOutcome::Misconfigured(Diagnostic::Note("368 or 131031: the account is restricted")),
        130_497 => TryOutcome::Misconfigured(Diagnostic::Note("130497: the account may not send to this country")),
        131_008 => TryOutcome::Misconfigured(Diagnostic::Note("131008: the template wants a parameter more")),
        131_030 => TryOutcome::Misconfigured(Diagnostic::Note("131030: a test number reaches only its allowed list")),
        131_037 => TryOutcome::Misconfigured(Diagnostic::Note("131037: the number's display name is not approved")),
        131_042 => TryOutcome::Misconfigured(Diagnostic::Note("131042: payment of the account")),
        131_047 => TryOutcome::Misconfigured(Diagnostic::Note("131047: not sent as a template")),
        132_000..=132_999 => TryOutcome::Misconfigured(Diagnostic::Note("132000 to 132999: template, its language or its form")),
        131_045 | 133_000 | 133_005..=133_010 | 133_015 => {
            TryOutcome::Misconfigured(Diagnostic::Note("131045 or 133000 to 133015: the number is not registered"))
        }
        _ => return None,
    };
    Some(outcome)
}

/// What a code means in a receipt.
pub(super) const fn in_receipt(code: i64) -> Undelivered {
    match code {
        131_026 => Undelivered::NotThere,
        368 | 130_472 | 130_497 | 131_021 | 131_031 | 131_047..=131_050 => Undelivered::Rejected,
        _ => Undelivered::Unknown,
    }
}
