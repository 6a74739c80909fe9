//! Vonage's numbers for what did not work, by what follows from them.

use countersign_model::{Report, Undelivered};

use crate::provider::{Diagnostic, TryOutcome};

/// Of a text message that was not taken: the `status` of its reply. A number that is not here says nothing final.
pub(super) fn outcome(status: &str, said: Diagnostic) -> TryOutcome {
    match status {
        // The number is barred, or no longer in use.
        "7" | "33" => TryOutcome::Refused(said),
        // Messages a second, connections at a time.
        "1" | "10" => TryOutcome::Throttled(said),
        // Credentials, a barred account, no credit, no access, signature, sender, address for receipts, a trial's list of numbers, secret and
        // signature at once, sender in the USA.
        "4" | "8" | "9" | "11" | "14" | "15" | "23" | "29" | "32" | "39" => TryOutcome::Misconfigured(said),
        _ => TryOutcome::Unknown(said),
    }
}

/// Of a receipt for a text message: its `status` and `err-code`.
pub(super) fn of_message(status: &str, error: Option<&str>) -> Report {
    match status {
        "delivered" => Report::Delivered,
        "expired" => Report::Undelivered(Undelivered::Expired),
        "failed" => Report::Undelivered(reason(error).unwrap_or(Undelivered::Unknown)),
        "rejected" => Report::Undelivered(reason(error).unwrap_or(Undelivered::Rejected)),
        // `accepted`, `buffered`, `unknown`, and what is not known.
        _ => Report::Underway,
    }
}

fn reason(error: Option<&str>) -> Option<Undelivered> {
    match error? {
        // Absent for good.
        "3" => Some(Undelivered::NotThere),
        // Barred by the user, spam filter, opted out, too young, blocked by the carrier, no credit, rules of a country.
        "4" | "6" | "9" | "13" | "14" | "15" | "50" | "51" | "52" | "53" | "54" => Some(Undelivered::Rejected),
        // Absent for now, busy.
        "2" | "7" => Some(Undelivered::Unreachable),
        _ => None,
    }
}

/// Of an event of a call. One that asks for a key is answered by machines too and tells them nothing: that it ended proves nothing.
pub(super) fn of_call(status: &str, asks: bool) -> Report {
    match status {
        "completed" if !asks => Report::Delivered,
        "busy" | "timeout" | "unanswered" => Report::Undelivered(Undelivered::Unreachable),
        "rejected" => Report::Undelivered(Undelivered::Rejected),
        "failed" | "cancelled" => Report::Undelivered(Undelivered::Unknown),
        // `started`, `ringing`, `answered`, `human`, `machine`, `disconnected`, and what is not known.
        _ => Report::Underway,
    }
}
