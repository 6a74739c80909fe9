//! Messages in a tenant's own words.

use std::borrow::Cow;

use countersign_model::{Channel, Outgoing, Wording};
use minijinja::context;

use super::{Ending, RenderError, Renderer, end_mail, facts};
use crate::provider::{Content, spoken};
use crate::segments::Segments;
use crate::wording::{Filling, OwnWords, WordingError, check_wording, shortest};
use crate::words;

impl Renderer {
    /// The words, and the language they are in: the one asked for, since they were chosen by it.
    pub(super) fn own(
        &self,
        wording: &Wording,
        message: &Outgoing,
        app: &str,
        ending: &Ending,
    ) -> Result<(Content, Cow<'static, str>), RenderError> {
        let own = OwnWords::parse(message.channel, wording)?;
        let language = language(&message.locale);
        // A voice would read a number.
        let code = if message.channel == Channel::Voice { spoken(&message.code) } else { message.code.expose().to_owned() };
        let filling = Filling { code: &code, app, minutes: message.minutes };
        let text = own.body(&filling);
        let content = match message.channel {
            Channel::Email => self.own_mail(own.subject(&filling), text, message, app, ending)?,
            Channel::Sms => Content::Phone { text: self.own_sms(text, ending)? },
            Channel::Whatsapp | Channel::Voice => Content::Phone { text },
        };
        Ok((content, language))
    }

    /// Nothing of it is left out: it fits, or it is refused.
    fn own_sms(&self, mut text: String, ending: &Ending) -> Result<String, RenderError> {
        ending.append_to_sms(&mut text);
        if self.fits_sms(&text, ending) { Ok(text) } else { Err(RenderError::TooLong) }
    }

    /// The text as it is, and once more as paragraphs in the built-in looks.
    fn own_mail(
        &self,
        subject: Option<String>,
        mut text: String,
        message: &Outgoing,
        app: &str,
        ending: &Ending,
    ) -> Result<Content, RenderError> {
        let line = ending.line_of_mail();
        let subject = subject.unwrap_or_else(|| words::lookup(&message.locale).subject(&facts(message, app)));
        let lang = language(&message.locale);
        let values = context! {
            subject => subject.as_str(), lang => lang.as_ref(), dir => words::direction(&lang), autofill => line,
            paragraphs => paragraphs(&text), code => message.code.expose(), app
        };
        let html = self.looks.around_own(&values).map_err(|_| RenderError::Words)?;
        end_mail(&mut text, line);
        Ok(Content::Email { subject, text, html })
    }

    pub(crate) fn check_wording(&self, channel: Channel, subject: Option<&str>, body: &str) -> Result<(), WordingError> {
        check_wording(channel, subject, body)?;
        if channel != Channel::Sms {
            return Ok(());
        }
        let wording = Wording { subject: None, body: body.to_owned() };
        let needed = Segments::of(&shortest(&OwnWords::parse(channel, &wording)?)).count;
        let most = self.max_segments;
        if needed > most { Err(WordingError::TooManySegments { needed, most }) } else { Ok(()) }
    }
}

/// Lines, by the blank lines between them.
fn paragraphs(text: &str) -> Vec<Vec<String>> {
    let lines: Vec<String> = text.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.split(String::is_empty).filter(|lines| !lines.is_empty()).map(<[String]>::to_vec).collect()
}

/// A tag fit for a header and an attribute.
pub(super) fn language(tag: &str) -> Cow<'static, str> {
    let sound = (1..=64).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if sound { Cow::Owned(tag.to_owned()) } else { Cow::Borrowed(words::lookup(tag).tag) }
}

#[cfg(test)]
mod tests {
    use countersign_model::Autofill;

    use super::*;
    use crate::testing::{outgoing, rendered};

    fn own(channel: Channel, subject: Option<&str>, body: &str) -> Outgoing {
        let wording = Wording { subject: subject.map(str::to_owned), body: body.to_owned() };
        Outgoing { wording: Some(wording), ..outgoing(channel) }
    }

    fn mail(subject: Option<&str>, body: &str, change: impl FnOnce(&mut Outgoing)) -> (String, String, String) {
        let mut message = own(Channel::Email, subject, body);
        change(&mut message);
        match rendered(message).content {
            Content::Email { subject, text, html } => (subject, text, html),
            Content::Phone { .. } => panic!("a mail was asked for"),
        }
    }

    fn domain() -> Autofill {
        Autofill { domain: Some("example.com".to_owned()), app_hash: None }
    }

    #[test]
    fn a_tenants_own_words_go_out_on_every_channel() {
        for channel in Channel::ALL {
            let text = rendered(own(channel, None, "{{app}} sagt {{code}}, {{minutes}} Minuten")).text().trim_end().to_owned();
            let code = if channel == Channel::Voice { "4, 8, 2, 9, 1, 3" } else { "482913" };
            assert_eq!(text, format!("Acme sagt {code}, 10 Minuten"), "{channel}");
        }
    }

    #[test]
    fn the_last_line_stays_the_last_line() {
        let mut message = own(Channel::Sms, None, "Code: {{code}}\n\n");
        message.autofill = domain();
        assert_eq!(rendered(message).text(), "Code: 482913\n\n@example.com #482913");
        let (_, text, html) = mail(None, "Code: {{code}}", |message| message.autofill = domain());
        assert_eq!(text, "Code: 482913\n\n\n@example.com #482913\n");
        assert!(html.contains(">@example.com #482913<"), "{html}");
    }

    #[test]
    fn a_text_message_that_is_too_long_is_refused_and_never_cut() {
        let fits = format!("{{{{code}}}}{}", "x".repeat(300));
        assert_eq!(rendered(own(Channel::Sms, None, &fits)).text().len(), 306);
        let mut message = own(Channel::Sms, None, &fits);
        message.autofill = domain();
        assert_eq!(Renderer::new(2).render(message).unwrap_err(), RenderError::TooLong);
        let mut message = own(Channel::Sms, None, &format!("{{{{code}}}}{}", "x".repeat(130)));
        message.autofill = Autofill { domain: None, app_hash: Some("FA+9qCX9VSu".to_owned()) };
        assert_eq!(Renderer::new(2).render(message).unwrap_err(), RenderError::TooLong, "more than Android reads");
    }

    #[test]
    fn a_text_that_never_fits_is_found_before_it_is_kept() {
        let renderer = Renderer::new(1);
        let body = |length: usize| format!("{{{{code}}}}{}", "x".repeat(length));
        assert_eq!(renderer.check_wording(Channel::Sms, None, &body(152)), Ok(()));
        let refused = renderer.check_wording(Channel::Sms, None, &body(153));
        assert_eq!(refused, Err(WordingError::TooManySegments { needed: 2, most: 1 }));
        assert_eq!(renderer.check_wording(Channel::Whatsapp, None, &body(153)), Ok(()));
    }

    #[test]
    fn a_mail_shows_the_text_as_paragraphs_in_the_built_in_looks() {
        let (subject, text, html) =
            mail(Some("{{app}}: Anmeldung"), "Hallo,\r\nIhr Code:\n\n{{code}}\n\n{{minutes}} min", |message| {
                message.locale = "de-AT".to_owned();
            });
        assert_eq!((subject.as_str(), text.as_str()), ("Acme: Anmeldung", "Hallo,\nIhr Code:\n\n482913\n\n10 min\n"));
        for expected in
            ["<html lang=\"de-AT\" dir=\"ltr\" ", ">Acme: Anmeldung</h1>", "Hallo,<br>Ihr Code:", ">482913</td>", ">10 min</td>"]
        {
            assert!(html.contains(expected), "{expected} is missing in {html}");
        }
        assert_eq!(html.matches("<table").count(), html.matches("<table role=\"presentation\"").count(), "{html}");
        assert_eq!(html.matches("<tr>").count(), html.matches("</tr>").count(), "{html}");
        assert!(!html.contains("Never share"), "{html}");
    }

    #[test]
    fn a_mail_without_a_subject_of_its_own_has_the_built_in_one() {
        assert_eq!(mail(None, "{{code}}", |_| {}).0, "Your Acme verification code");
    }

    #[test]
    fn markup_in_a_text_or_a_name_is_only_ever_text() {
        let (_, text, html) = mail(Some("<i>"), "<b>{{code}}</b> {{app}}\n<script>", |message| {
            message.app_name = "<img src=x>".to_owned();
        });
        assert!(text.starts_with("<b>482913</b> <img src=x>\n<script>"), "{text}");
        for unwanted in ["<b>", "<script>", "<img", "<i>"] {
            assert!(!html.contains(unwanted), "{unwanted} in {html}");
        }
    }

    #[test]
    fn words_that_nobody_looked_at_are_an_error() {
        let refused = Renderer::new(2).render(own(Channel::Sms, None, "{{otp}}")).unwrap_err();
        assert!(matches!(refused, RenderError::Wording(WordingError::UnknownVariable { .. })), "{refused}");
    }

    #[test]
    fn the_language_of_own_words_is_the_one_asked_for_when_it_can_be_written() {
        for (asked, told) in [("pt-BR", "pt-BR"), ("a\r\nb: c", "en"), ("", "en")] {
            let mut message = own(Channel::Email, None, "{{code}}");
            message.locale = asked.to_owned();
            assert_eq!(rendered(message).locale, told);
        }
    }
}
