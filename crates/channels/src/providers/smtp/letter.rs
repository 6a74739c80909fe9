//! A message as MIME.

use std::time::{Duration, UNIX_EPOCH};

use countersign_model::Timestamp;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};

use crate::provider::Rendered;

/// A mail ready for the line.
pub(super) struct Letter {
    pub(super) envelope: Envelope,
    pub(super) bytes: Vec<u8>,
    /// `Message-ID` without its brackets.
    pub(super) id: String,
}

/// Writes the mail: text first, HTML second, as RFC 2046 wants the plainer one. The message's id serves as `Message-ID` and as
/// boundary, so a mail can be repeated to the byte.
///
/// None: the recipient's address, though valid for us, cannot be put into a mail.
pub(super) fn write(message: &Rendered, from: &Mailbox, now: Timestamp, subject: &str, text: &str, html: &str) -> Option<Letter> {
    let id = format!("{}@{}", message.id, from.email.domain());
    let to = Mailbox::new(None, message.recipient.address().parse().ok()?);
    let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(now.millis()).unwrap_or(0));
    let parts = MultiPart::alternative()
        .boundary(format!("=_{}", message.id))
        .singlepart(SinglePart::plain(text.to_owned()))
        .singlepart(SinglePart::html(html.to_owned()));
    let mail = Message::builder()
        .from(from.clone())
        .to(to)
        .subject(subject)
        .date(date)
        .message_id(Some(format!("<{id}>")))
        .raw_header(header("Auto-Submitted", "auto-generated")?)
        .raw_header(header("X-Auto-Response-Suppress", "All")?)
        .raw_header(header("Content-Language", &message.locale)?)
        .multipart(parts)
        .ok()?;
    Some(Letter { envelope: mail.envelope().clone(), bytes: mail.formatted(), id })
}

fn header(name: &'static str, value: &str) -> Option<HeaderValue> {
    let name = HeaderName::new_from_ascii(name.to_owned()).ok()?;
    Some(HeaderValue::new(name, value.to_owned()))
}
