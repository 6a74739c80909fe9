//! What a mail server's answer, or its silence, means.

use std::error::Error as _;

use lettre::transport::smtp::Error;

use super::dialogue::{Cause, Failure, Stage};
use crate::provider::{CheckError, Diagnostic, EnhancedCode, TryOutcome};
use crate::tls::is_tls;

pub(super) fn outcome(failure: &Failure) -> TryOutcome {
    match &failure.cause {
        Cause::Slow => TryOutcome::Unreachable(Diagnostic::Note("no answer before the mail was handed over")),
        Cause::Missing("SMTPUTF8" | "8BITMIME") => TryOutcome::Unknown(Diagnostic::Note("the server takes no such address")),
        Cause::Missing(_) => TryOutcome::Misconfigured(Diagnostic::Note("the server lacks what is configured")),
        Cause::OutOfStep => TryOutcome::Unknown(Diagnostic::Note("the server answers out of step")),
        Cause::Smtp(error) => match Reply::of(error) {
            Some(reply) => reply.outcome(failure.stage),
            None if failure.stage == Stage::Content => TryOutcome::Unclear(Diagnostic::Note("the line broke over the mail")),
            None => TryOutcome::Unreachable(Diagnostic::Note("no line to the server")),
        },
    }
}

pub(super) fn check_error(failure: &Failure, address: String) -> CheckError {
    match &failure.cause {
        Cause::Slow => CheckError::Silent,
        Cause::Missing(what) => CheckError::Unsupported { address, what },
        Cause::OutOfStep => CheckError::Broken,
        Cause::Smtp(error) => match Reply::of(error) {
            Some(reply) if reply.is_about_login() => CheckError::Credentials { address },
            Some(reply) => CheckError::Answer { address, diagnostic: reply.diagnostic() },
            None if is_tls(error) => CheckError::Tls { address },
            None => CheckError::Unreachable { address },
        },
    }
}

/// A negative reply.
struct Reply {
    code: u16,
    enhanced: Option<EnhancedCode>,
}

impl Reply {
    fn of(error: &Error) -> Option<Self> {
        let code = u16::from(error.status()?);
        let text = error.source().map(ToString::to_string);
        Some(Self { code, enhanced: text.as_deref().and_then(enhanced) })
    }

    fn diagnostic(&self) -> Diagnostic {
        Diagnostic::Smtp { reply: self.code, enhanced: self.enhanced }
    }

    fn outcome(&self, stage: Stage) -> TryOutcome {
        let said = self.diagnostic();
        match self.code {
            421 | 450..=452 => TryOutcome::Throttled(said),
            _ if self.is_about_login() => TryOutcome::Misconfigured(said),
            500..=599 if matches!(stage, Stage::Recipient | Stage::Content) && self.is_about_recipient() => {
                TryOutcome::Refused(said)
            }
            _ => TryOutcome::Unknown(said),
        }
    }

    fn is_about_login(&self) -> bool {
        matches!(self.code, 530 | 534 | 535 | 538)
            || matches!(self.enhanced, Some(EnhancedCode { class: 5, subject: 7, detail: 8 | 9 | 11 }))
    }

    /// RFC 3463 statuses that say for certain that this mailbox gets no mail: none such, no such domain, bad form, moved, no mail
    /// to this domain (RFC 7505), disabled. 5.1.0, 5.1.7 and 5.1.8 speak of the sender too, and 5.2.2 is a mailbox that is full
    /// today.
    fn is_about_recipient(&self) -> bool {
        matches!(
            self.enhanced,
            Some(
                EnhancedCode { class: 5, subject: 1, detail: 1 | 2 | 3 | 6 | 10 }
                    | EnhancedCode { class: 5, subject: 2, detail: 1 }
            )
        )
    }
}

/// The RFC 3463 status at the start of a reply's text.
fn enhanced(text: &str) -> Option<EnhancedCode> {
    let mut numbers = text.split_whitespace().next()?.splitn(3, '.');
    let (class, subject, detail) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let class = class.parse().ok().filter(|class| matches!(class, 2 | 4 | 5))?;
    let bounded = |number: &str| number.parse().ok().filter(|number: &u16| *number <= 999);
    Some(EnhancedCode { class, subject: bounded(subject)?, detail: bounded(detail)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enhanced_code_is_read_only_from_the_start_of_the_text() {
        assert_eq!(enhanced("5.1.1 <x>: gone"), Some(EnhancedCode { class: 5, subject: 1, detail: 1 }));
        assert_eq!(enhanced("5.1.10"), Some(EnhancedCode { class: 5, subject: 1, detail: 10 }));
        for text in ["", "no such user", "5.1", "9.1.1 odd", "5.1.1.1", "user 5.1.1", "5.x.1", "5.1.1000"] {
            assert_eq!(enhanced(text), None, "{text}");
        }
    }
}
