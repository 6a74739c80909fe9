//! What a `command_status` says about a try.

use super::lane::Failure;
use crate::provider::{CheckError, Diagnostic, TryOutcome};

const BIND_FAILED: u32 = 0x0D;
const INVALID_SYSTEM_ID: u32 = 0x0F;

/// The answer to a message that was not taken.
pub(super) fn outcome(status: u32) -> TryOutcome {
    let said = Diagnostic::Smpp(status);
    match status {
        // The destination address is not valid.
        0x0B => TryOutcome::Refused(said),
        // The queue is full; too many messages a second.
        0x14 | 0x58 => TryOutcome::Throttled(said),
        // The bind does not allow it, a flag, the source, credentials, the service type, the esm class.
        0x04 | 0x06 | 0x07 | 0x0A | BIND_FAILED..=INVALID_SYSTEM_ID | 0x15 | 0x43
        // Types of number, the system type, the validity period.
        | 0x48 | 0x49 | 0x50 | 0x51 | 0x53 | 0x62
        // Optional parameters that the centre does not take.
        | 0xC0..=0xC4
        // Of 5.0: the service or operation is not ours to use; the data coding.
        | 0x100 | 0x101 | 0x103 | 0x104 => TryOutcome::Misconfigured(said),
        _ => TryOutcome::Unknown(said),
    }
}

/// A bind that did not come about: nothing of a message has left.
pub(super) fn outcome_of_failure(failure: Failure) -> TryOutcome {
    match failure {
        Failure::Refused(status @ 0x58) => TryOutcome::Throttled(Diagnostic::Smpp(status)),
        Failure::Refused(status @ (BIND_FAILED..=INVALID_SYSTEM_ID | 0x53)) => {
            TryOutcome::Misconfigured(Diagnostic::Smpp(status))
        }
        Failure::Refused(status) => TryOutcome::Unreachable(Diagnostic::Smpp(status)),
        Failure::Unreachable => TryOutcome::Unreachable(Diagnostic::Note("no connection")),
        Failure::Tls => TryOutcome::Unreachable(Diagnostic::Note("TLS failed")),
        Failure::Silent => TryOutcome::Unreachable(Diagnostic::Note("no answer to the bind")),
    }
}

/// The same for whoever asked whether all is well.
pub(super) fn check_error(failure: Failure, address: String) -> CheckError {
    match failure {
        Failure::Unreachable => CheckError::Unreachable { address },
        Failure::Tls => CheckError::Tls { address },
        Failure::Silent => CheckError::Silent,
        Failure::Refused(BIND_FAILED..=INVALID_SYSTEM_ID) => CheckError::Credentials { address },
        Failure::Refused(status) => CheckError::Answer { address, diagnostic: Diagnostic::Smpp(status) },
    }
}
