//! From a code and a person to the words of one message.

mod own;
mod sample;

use std::borrow::Cow;

use countersign_model::{Autofill, Channel, Code, Outgoing, OutgoingText};
use minijinja::context;
use minijinja::value::{Serde, Value};

use crate::looks::Looks;
use crate::provider::{Content, Rendered, spoken};
use crate::segments::Segments;
use crate::voice::VoiceScript;
use crate::wording::WordingError;
use crate::words::{self, Facts, Language};

pub use sample::{Sample, sample};

/// Why a message cannot be worded. Known before anything is stored or sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// Both last lines: only one line can be the last.
    #[error("autofill takes a domain or an app hash, not both")]
    AutofillBoth,
    /// The domain is not a host name in ASCII form.
    #[error("autofill.domain is not a host name")]
    AutofillDomain,
    /// The hash is not 11 characters of base64.
    #[error("autofill.app_hash is not 11 characters of base64")]
    AutofillHash,
    /// Even the shortest words with the last line are longer than a message may be; a tenant's own words have no shorter form.
    #[error("the message is too long with its autofill line")]
    TooLong,
    /// The tenant's own words are not fit for it: they were kept without a look.
    #[error("the tenant's own words: {0}")]
    Wording(#[from] WordingError),
    /// A built-in template failed; a defect.
    #[error("the words could not be put together")]
    Words,
}

/// Most bytes of a message that Android's SMS Retriever reads.
const RETRIEVER_BYTES: usize = 140;

/// Puts messages into words.
pub(crate) struct Renderer {
    looks: Looks,
    max_segments: usize,
}

impl Renderer {
    pub(crate) fn new(max_segments: usize) -> Self {
        Self { looks: Looks::new(), max_segments }
    }

    pub(crate) fn render(&self, message: Outgoing) -> Result<Rendered, RenderError> {
        let app = one_line(&message.app_name);
        let ending = Ending::of(&message.autofill, &message.code)?;
        let (content, locale) = match &message.wording {
            Some(wording) => self.own(wording, &message, &app, &ending)?,
            None => self.built_in(&message, &app, &ending)?,
        };
        let voice = (message.channel == Channel::Voice).then(|| script(&content, &message, &app, &locale));
        let Outgoing { id, errand, mode, channel, recipient, sender, code, expires_at, minutes, rehearsal, .. } = message;
        Ok(Rendered {
            id,
            errand,
            mode,
            channel,
            recipient,
            sender,
            code: Some(code),
            app,
            locale,
            minutes,
            expires_at: Some(expires_at),
            content,
            voice,
            rehearsal,
        })
    }

    /// A text that is said as it is: whoever wrote it chose its length.
    pub(crate) fn plain(message: OutgoingText) -> Rendered {
        let OutgoingText { id, errand, mode, channel, recipient, sender, app_name, locale, text, rehearsal } = message;
        let app = one_line(&app_name);
        let locale = own::language(&locale);
        let content = Content::Phone { text };
        Rendered {
            id,
            errand,
            mode,
            channel,
            recipient,
            sender,
            code: None,
            app,
            locale,
            minutes: 0,
            expires_at: None,
            content,
            voice: None,
            rehearsal,
        }
    }

    fn built_in(&self, message: &Outgoing, app: &str, ending: &Ending) -> Result<(Content, Cow<'static, str>), RenderError> {
        let language = words::lookup(&message.locale);
        let facts = facts(message, app);
        let content = match message.channel {
            Channel::Email => self.email(language, &facts, ending)?,
            Channel::Sms => Content::Phone { text: self.sms(language, &facts, ending)? },
            Channel::Whatsapp => Content::Phone { text: language.whatsapp(&facts) },
            Channel::Voice => Content::Phone { text: language.call(&Facts { code: &spoken(&message.code), ..facts }) },
        };
        Ok((content, Cow::Borrowed(language.tag)))
    }

    /// The longest words that fit. A message is never cut: its last line must stay last and whole.
    fn sms(&self, language: &Language, facts: &Facts<'_>, ending: &Ending) -> Result<String, RenderError> {
        let nameless = Facts { app: "", ..*facts };
        for mut text in [language.sms(facts), language.short_sms(facts), language.short_sms(&nameless)] {
            ending.append_to_sms(&mut text);
            if self.fits_sms(&text, ending) {
                return Ok(text);
            }
        }
        Err(RenderError::TooLong)
    }

    fn fits_sms(&self, text: &str, ending: &Ending) -> bool {
        let fits_retriever = !matches!(ending, Ending::AppHash(_)) || text.len() <= RETRIEVER_BYTES;
        fits_retriever && Segments::of(text).count <= self.max_segments
    }

    /// Mail programs read the domain line too; an app hash means nothing to them.
    fn email(&self, language: &Language, facts: &Facts<'_>, ending: &Ending) -> Result<Content, RenderError> {
        let line = ending.line_of_mail();
        let subject = language.subject(facts);
        let letter = language.letter(facts);
        let values = context! {
            subject => subject.as_str(), lang => language.tag, dir => words::direction(language.tag), autofill => line,
            letter => Value::from(Serde(&letter)), code => facts.code, app => facts.app
        };
        let html = self.looks.around_built_in(&values).map_err(|_| RenderError::Words)?;
        let mut text = letter.text;
        end_mail(&mut text, line);
        Ok(Content::Email { subject, text, html })
    }
}

fn facts<'a>(message: &'a Outgoing, app: &'a str) -> Facts<'a> {
    Facts { code: message.code.expose(), app, minutes: message.minutes, never_share: message.never_share }
}

/// The parts of a call.
fn script(content: &Content, message: &Outgoing, app: &str, locale: &str) -> VoiceScript {
    let press = words::lookup(locale).press_a_key(&facts(message, app));
    VoiceScript::cut(content.text(), &spoken(&message.code), press)
}

/// Ends the plain text of a mail.
fn end_mail(text: &mut String, line: Option<&str>) {
    text.push('\n');
    if let Some(line) = line {
        text.push_str("\n\n");
        text.push_str(line);
        text.push('\n');
    }
}

/// What a message must end with so that a device can pick out the code.
enum Ending {
    None,
    /// `@domain #code`: origin-bound one-time codes.
    Domain(String),
    /// The hash that names an Android app.
    AppHash(String),
}

impl Ending {
    fn of(autofill: &Autofill, code: &Code) -> Result<Self, RenderError> {
        match (autofill.domain.as_deref(), autofill.app_hash.as_deref()) {
            (None, None) => Ok(Self::None),
            (Some(_), Some(_)) => Err(RenderError::AutofillBoth),
            (Some(domain), None) if is_host(domain) => Ok(Self::Domain(format!("@{domain} #{}", code.expose()))),
            (Some(_), None) => Err(RenderError::AutofillDomain),
            (None, Some(hash)) if is_app_hash(hash) => Ok(Self::AppHash(hash.to_owned())),
            (None, Some(_)) => Err(RenderError::AutofillHash),
        }
    }

    /// An app hash means nothing to mail programs.
    fn line_of_mail(&self) -> Option<&str> {
        match self {
            Self::Domain(line) => Some(line),
            Self::None | Self::AppHash(_) => None,
        }
    }

    fn append_to_sms(&self, text: &mut String) {
        if let Self::Domain(line) | Self::AppHash(line) = self {
            text.push_str("\n\n");
            text.push_str(line);
        }
    }
}

fn is_host(domain: &str) -> bool {
    domain.len() <= 253
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

fn is_app_hash(hash: &str) -> bool {
    hash.len() == 11 && hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

/// A name that cannot start a line of its own, in a header, an SMS or a mail, nor turn the direction of the text around it.
fn one_line(name: &str) -> String {
    let visible = name.replace(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'), " ");
    let unturned =
        visible.replace(|c| matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'), "");
    unturned.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
