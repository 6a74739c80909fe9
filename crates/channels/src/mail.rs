//! What vendors share that take mail over HTTP.

#[cfg(any(feature = "mailgun", feature = "postmark", feature = "ses"))]
mod header;
mod mailbox;
#[cfg(any(feature = "mailgun", feature = "resend", feature = "sendgrid", feature = "ses"))]
pub(crate) mod status;

pub(crate) use self::mailbox::Mailbox;

use countersign_model::{Receipt, ReceiptOf, Report, Timestamp};

use crate::config::{ConfigError, ConfigProblem};
use crate::provider::{Content, Diagnostic, Rendered, TryOutcome};

/// What our mails are filed under at a vendor that files them.
#[cfg(any(feature = "mailgun", feature = "postmark", feature = "resend", feature = "sendgrid"))]
pub(crate) const TAG: &str = "otp";

/// The name under which a vendor keeps the reference for its receipts: at most 20 letters and underscores, none of any vendor's own names.
pub(crate) const ECHO: &str = "countersign_ref";

/// A mail, as far as it is the same for every vendor.
pub(crate) struct Letter<'a> {
    pub(crate) from: Mailbox,
    pub(crate) to: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) text: &'a str,
    pub(crate) html: &'a str,
    pub(crate) language: &'a str,
    /// What comes back in receipts.
    pub(crate) reference: String,
}

impl<'a> Letter<'a> {
    /// The mail in `message`, from `house` or whom the caller chose in its place.
    pub(crate) fn of(message: &'a Rendered, house: &Mailbox) -> Result<Self, TryOutcome> {
        let Content::Email { subject, text, html } = &message.content else {
            return Err(TryOutcome::Misconfigured(Diagnostic::Note("not a mail")));
        };
        Ok(Self {
            from: house.chosen(message.sender.as_deref()),
            to: message.recipient.address(),
            subject,
            text,
            html,
            language: &message.locale,
            reference: message.reference().to_string(),
        })
    }

    /// What it means where a vendor finds no address in the recipient's. Final, but for letters beyond ASCII: most vendors take them for a
    /// mistake, and another one may not.
    pub(crate) fn refused(&self, said: Diagnostic) -> TryOutcome {
        if self.to.is_ascii() { TryOutcome::Refused(said) } else { TryOutcome::Unknown(said) }
    }

    /// Headers of a mail that no person wrote and no machine shall answer, but to say that it could not be delivered.
    pub(crate) const fn headers(&self) -> [(&'static str, &'a str); 3] {
        [
            ("Auto-Submitted", "auto-generated"),
            ("X-Auto-Response-Suppress", "RN, NRN, OOF, AutoReply"),
            ("Content-Language", self.language),
        ]
    }
}

/// A mailbox of the configuration.
pub(crate) fn mailbox(at: &str, key: &'static str, text: &str) -> Result<Mailbox, ConfigError> {
    let form = ConfigProblem::Form("a mailbox such as `Example <no-reply@example.com>`");
    Mailbox::parse(text).ok_or_else(|| ConfigError::new(format!("{at}.{key}"), form))
}

/// What a vendor says of the mail that it was handed under `reference`; none: that is none of ours.
pub(crate) fn receipt(reference: &str, report: Report, at: Option<Timestamp>) -> Option<Receipt> {
    Some(Receipt { of: ReceiptOf::Reference(reference.parse().ok()?), report, at, carrier: None })
}
