//! Messages that nobody gets.

use std::borrow::Cow;

use countersign_model::{
    Autofill, Channel, Code, Errand, InvalidRecipient, MessageId, Mode, Outgoing, Recipient, Timestamp, Wording,
};

use super::{RenderError, Renderer};
use crate::provider::Content;
use crate::segments::Segments;

/// A message as somebody would get it.
pub struct Sample {
    /// Its words.
    pub content: Content,
    /// BCP 47 tag of the language that was chosen.
    pub locale: Cow<'static, str>,
    /// What it takes on the air; for text messages only.
    pub segments: Option<Segments>,
}

/// A message with the code 123456 and a life of ten minutes, in the built-in words where `wording` is none. Nothing is sent.
///
/// A text message is shown whole, however long: what is too long is for [`Router::check_wording`](crate::Router::check_wording) to say.
pub fn sample(
    channel: Channel,
    wording: Option<&Wording>,
    app: &str,
    locale: &str,
    never_share: bool,
) -> Result<Sample, RenderError> {
    let fixed = |_: InvalidRecipient| RenderError::Words;
    let recipient = if channel == Channel::Email { "somebody@example.com" } else { "+12025550143" };
    let message = Outgoing {
        id: MessageId::from_bits(0),
        errand: Errand::of_nobody(),
        mode: Mode::Sandbox,
        channel,
        recipient: Recipient::parse(channel, recipient).map_err(fixed)?,
        sender: None,
        code: Code::parse("123456").map_err(|_| RenderError::Words)?,
        app_name: app.to_owned(),
        locale: locale.to_owned(),
        expires_at: Timestamp::from_millis(0),
        minutes: 10,
        autofill: Autofill::default(),
        never_share,
        wording: wording.cloned(),
        rehearsal: None,
    };
    let rendered = Renderer::new(usize::MAX).render(message)?;
    let segments = (channel == Channel::Sms).then(|| Segments::of(rendered.text()));
    Ok(Sample { content: rendered.content, locale: rendered.locale, segments })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segments::Encoding;

    #[test]
    fn a_sample_of_own_words_is_whole_and_has_a_code_of_its_own() {
        let wording = Wording { subject: None, body: format!("{{{{code}}}} {}", "x".repeat(1000)) };
        let shown = sample(Channel::Sms, Some(&wording), "Acme", "en", true).unwrap();
        assert!(shown.content.text().starts_with("123456 x"), "{}", shown.content.text());
        assert_eq!(shown.segments.unwrap(), Segments { encoding: Encoding::Gsm7, units: 1007, count: 7 });
    }

    #[test]
    fn a_sample_of_the_built_in_words_tells_the_language_that_was_chosen() {
        let shown = |channel, locale, never_share| sample(channel, None, "Acme", locale, never_share).unwrap();
        let german = shown(Channel::Sms, "de-AT", true);
        assert_eq!(german.locale, "de");
        assert_eq!(german.content.text(), "123456 ist Ihr Code für Acme. Er gilt 10 Minuten. Geben Sie ihn nie weiter.");
        assert_eq!(shown(Channel::Sms, "de", false).content.text(), "123456 ist Ihr Code für Acme. Er gilt 10 Minuten.");
        assert_eq!(shown(Channel::Voice, "xx", true).locale, "en");
        assert!(shown(Channel::Voice, "xx", true).segments.is_none());
    }
}
