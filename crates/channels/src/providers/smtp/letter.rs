//! A message as MIME.

use std::time::{Duration, UNIX_EPOCH};

use countersign_model::{EmailAddress, Timestamp};
use lettre::Address;
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
pub(super) fn write(
    message: &Rendered,
    house: &Mailbox,
    now: Timestamp,
    subject: &str,
    text: &str,
    html: &str,
) -> Option<Letter> {
    let from = from(house, message.sender.as_deref());
    let id = format!("{}@{}", message.id, house.email.domain());
    let to = Mailbox::new(None, message.recipient.address().parse().ok()?);
    let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(now.millis()).unwrap_or(0));
    let parts = MultiPart::alternative()
        .boundary(format!("=_{}", message.id))
        .singlepart(SinglePart::plain(text.to_owned()))
        .singlepart(SinglePart::html(html.to_owned()));
    let mail = Message::builder()
        .from(from)
        .to(to)
        .subject(subject)
        .date(date)
        .message_id(Some(format!("<{id}>")))
        .raw_header(header("Auto-Submitted", "auto-generated")?)
        .raw_header(header("X-Auto-Response-Suppress", "RN, NRN, OOF, AutoReply")?)
        .raw_header(header("Content-Language", &message.locale)?)
        .multipart(parts)
        .ok()?;
    Some(Letter { envelope: mail.envelope().clone(), bytes: mail.formatted(), id })
}

/// Whom the mail comes from: the house, under the sender's name if that is a name, or at the sender's address if that is one.
fn from(house: &Mailbox, sender: Option<&str>) -> Mailbox {
    match sender.map(|sender| (sender, in_ascii(sender))) {
        None => house.clone(),
        Some((_, Some(address))) => Mailbox::new(house.name.clone(), address),
        Some((name, None)) => Mailbox::new(Some(name.to_owned()), house.email.clone()),
    }
}

/// An address with its domain as servers know it; none: it is none that a person could have.
pub(super) fn in_ascii(address: &str) -> Option<Address> {
    EmailAddress::parse(address).ok()?.as_str().parse().ok()
}

fn header(name: &'static str, value: &str) -> Option<HeaderValue> {
    let name = HeaderName::new_from_ascii(name.to_owned()).ok()?;
    Some(HeaderValue::new(name, value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_comes_from_the_house_under_the_name_that_was_chosen() {
        let house: Mailbox = "Acme <no-reply@acme.example>".parse().unwrap();
        for (sender, from) in [
            (None, "Acme <no-reply@acme.example>"),
            (Some("Shop 7"), "Shop 7 <no-reply@acme.example>"),
            (Some("shop@acme.example"), "Acme <shop@acme.example>"),
        ] {
            assert_eq!(super::from(&house, sender).to_string(), from);
        }
    }
}
