//! Twilio's numbered errors, by what follows from them. A number that is not here says nothing final.

use countersign_model::Undelivered;

use crate::provider::{Diagnostic, TryOutcome};

/// Of a request that was not taken; none: look at the HTTP status.
pub(super) fn outcome(code: u32, said: Diagnostic) -> Option<TryOutcome> {
    match code {
        // The number is none, cannot get messages, or its owner does not want them.
        21211 | 21217 | 21265 | 21268 | 21610 | 21614 | 21635 | 63003 | 63024 => Some(TryOutcome::Refused(said)),
        // Requests, messages of a sender, queues, calls at a time, WhatsApp.
        10004 | 14107 | 20429 | 21611 | 30001 | 63018 => Some(TryOutcome::Throttled(said)),
        // Account, token, key.
        10001 | 20003 | 20005 | 20006 | 20008 | 20404 | 30002
        // Countries that the account may not reach.
        | 21215 | 21408
        // Senders that are not the account's, not for this channel, or not registered.
        | 21210 | 21212 | 21213 | 21266 | 21267 | 21407 | 21601 | 21603 | 21606 | 21659 | 21660 | 21661 | 21701..=21705 | 21910 | 30032 | 30034
        | 63001 | 63007 | 63020
        // A trial account reaches its own people only.
        | 21219 | 21608 | 63015
        // Addresses for receipts, markup.
        | 21205 | 21609 | 21626
        // Templates.
        | 21654..=21656 | 63005 | 63016 | 63021 | 63027 | 63028 | 63041 | 63042 => Some(TryOutcome::Misconfigured(said)),
        _ => None,
    }
}

/// Of a message that was taken and did not arrive.
pub(super) fn reason(code: Option<u32>) -> Undelivered {
    match code {
        // Unknown handset, landline, not on WhatsApp.
        Some(21211 | 21265 | 21614 | 21635 | 30005 | 30006 | 63003 | 63024) => Undelivered::NotThere,
        // Opted out, blocked, filtered, by a rule of a carrier or of Meta.
        Some(21610 | 30004 | 30007 | 30032 | 30034 | 30450 | 63013 | 63014 | 63032 | 63033 | 63049) => Undelivered::Rejected,
        Some(30036) => Undelivered::Expired,
        Some(30003) => Undelivered::Unreachable,
        _ => Undelivered::Unknown,
    }
}
