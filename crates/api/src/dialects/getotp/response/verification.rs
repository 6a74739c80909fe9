//! What a caller is told of its verifications.

use countersign_core::{Sent, Session};
use countersign_model::{Channel, DateFormat, Mode, Recipient, Timestamp, Uuid};
use serde::Serialize;
use utoipa::ToSchema;

/// A verification.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(in super::super) struct Verification {
    /// The tenant.
    #[schema(format = "uuid")]
    account_id: String,
    /// The verification: in the other APIs the same session, in their spelling.
    #[schema(format = "uuid")]
    message_id: String,
    /// Digits with the country's code, without a plus; empty for a mailbox.
    #[schema(examples("60123456789"))]
    phone: String,
    /// Where the code went, if that is a mailbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// When the code was sent.
    #[schema(examples("2025-08-18T06:28:58.962Z"))]
    create_date: String,
    /// When it dies.
    #[schema(examples("2025-08-18T06:33:58.962Z"))]
    expire_date: String,
}

/// A verification whose code is on its way.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct CreateReply {
    #[serde(flatten)]
    verification: Verification,
    /// The same once more.
    data: Verification,
    /// Only in the sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
    /// Only where the recipient is a test recipient of the service: nothing was sent, and the code proves nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_recipient: Option<bool>,
    /// The code, only in the sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox_otp: Option<String>,
}

/// The verifications that the code belongs to: none, and the code was not right.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct CheckReply {
    data: Vec<Verification>,
    pagination: Count,
    /// Only where a verification of the sandbox was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
    /// Only where a verification of a test recipient was found: nothing was sent, and the code proves nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_recipient: Option<bool>,
}

/// How many there are. They all fit on one page.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Count {
    /// The page, from 1.
    number: usize,
    /// Rows of it.
    size: usize,
    /// Rows of all pages.
    total: usize,
}

impl Verification {
    fn of(session: &Session, dates: DateFormat) -> Self {
        let to = session.challenges().first().map(|challenge| &challenge.recipient);
        let (phone, email) = match to {
            Some(Recipient::Phone(number)) => (number.as_str().trim_start_matches('+').to_owned(), None),
            Some(Recipient::Email(address)) => (String::new(), Some(address.as_str().to_owned())),
            None => (String::new(), None),
        };
        Self {
            account_id: Uuid::from_u128(session.scope().tenant.bits()).to_string(),
            message_id: Uuid::from_u128(session.id().bits()).to_string(),
            phone,
            email,
            create_date: date(session.created_at(), dates),
            expire_date: date(session.expires_at(), dates),
        }
    }
}

fn date(moment: Timestamp, dates: DateFormat) -> String {
    match dates {
        DateFormat::Iso => moment.to_string(),
        DateFormat::Table => moment.spaced_seconds(),
    }
}

fn sandbox(session: &Session) -> Option<bool> {
    (session.mode() == Mode::Sandbox).then_some(true)
}

/// Prints the reply to a create.
pub(in super::super) fn created(sent: &Sent, dates: DateFormat) -> CreateReply {
    let verification = Verification::of(&sent.session, dates);
    let code = sent.codes.as_ref().and_then(|codes| Channel::ALL.iter().find_map(|channel| codes.get(channel)));
    CreateReply {
        data: verification.clone(),
        verification,
        sandbox: sandbox(&sent.session),
        test_recipient: sent.session.is_test().then_some(true),
        sandbox_otp: code.map(|code| code.expose().to_owned()),
    }
}

/// Prints the reply to a check.
pub(in super::super) fn checked(sessions: &[Session], dates: DateFormat) -> CheckReply {
    let total = sessions.len();
    CheckReply {
        data: sessions.iter().map(|session| Verification::of(session, dates)).collect(),
        pagination: Count { number: 1, size: total, total },
        sandbox: sessions.iter().find_map(sandbox),
        test_recipient: sessions.iter().any(Session::is_test).then_some(true),
    }
}
