//! The built-in words of messages, one set a locale, compiled in.

use minijinja::{Environment, UndefinedBehavior, Value};

/// A text that a message is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Piece {
    Sms,
    /// For a text message that would grow too long otherwise.
    SmsShort,
    Whatsapp,
    Voice,
    EmailSubject,
    EmailText,
    EmailHtml,
}

/// One language's words.
#[derive(Debug)]
pub(crate) struct Locale {
    /// BCP 47.
    pub(crate) tag: &'static str,
    /// Template name and source, in the order of [`Piece`].
    files: [(&'static str, &'static str); 7],
}

/// What every locale's e-mail extends: the looks, no words.
const LAYOUT: (&str, &str) = ("email.html", include_str!("templates/email.html"));
/// The looks around a tenant's own words.
const OWN: (&str, &str) = ("email_own.html", include_str!("templates/email_own.html"));

macro_rules! locale {
    ($tag:literal) => {
        Locale { tag: $tag, files: locale!($tag, "sms.txt", "sms_short.txt", "whatsapp.txt", "voice.txt", "email_subject.txt", "email.txt", "email.html") }
    };
    ($tag:literal, $($file:literal),+) => {
        [$((concat!($tag, "/", $file), include_str!(concat!("templates/", $tag, "/", $file)))),+]
    };
}

/// The first one is what is spoken to those whose own is missing.
static LOCALES: [Locale; 1] = [locale!("en")];

/// The words for a BCP 47 tag: its own, else those of a wider tag (`pt-BR`, then `pt`), else English. RFC 4647, section 3.4.
pub(crate) fn lookup(tag: &str) -> &'static Locale {
    let mut wanted = tag;
    loop {
        if let Some(found) = LOCALES.iter().find(|locale| locale.tag.eq_ignore_ascii_case(wanted)) {
            return found;
        }
        let Some((wider, _)) = wanted.rsplit_once(['-', '_']) else { return &LOCALES[0] };
        // A single letter only introduces what has just been cut off.
        wanted = match wider.rsplit_once(['-', '_']) {
            Some((front, single)) if single.len() == 1 => front,
            _ => wider,
        };
    }
}

/// The compiled words.
pub(crate) struct Words {
    templates: Environment<'static>,
}

impl Words {
    /// # Panics
    /// When a compiled-in template has a mistake, which a test of this crate would show first.
    #[expect(clippy::expect_used, reason = "the templates are part of the program")]
    pub(crate) fn new() -> Self {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, source) in [LAYOUT, OWN].into_iter().chain(LOCALES.iter().flat_map(|locale| locale.files)) {
            templates.add_template(name, source).expect("compiled-in templates are sound");
        }
        Self { templates }
    }

    /// One piece in the words of `locale`.
    pub(crate) fn say(&self, locale: &Locale, piece: Piece, values: &Value) -> Result<String, minijinja::Error> {
        let (name, _) = locale.files[piece as usize];
        self.templates.get_template(name)?.render(values.clone())
    }

    /// A whole HTML document around a tenant's own words.
    pub(crate) fn around_own(&self, values: &Value) -> Result<String, minijinja::Error> {
        self.templates.get_template(OWN.0)?.render(values.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_without_words_of_its_own_falls_back_to_a_wider_one_and_at_last_to_english() {
        for tag in ["en", "EN", "en-GB", "en_US", "en-Latn-GB-x-private", "pt-BR", "zh-Hant-TW", "", "-", "--", "x", "ünïcode-ß"]
        {
            assert_eq!(lookup(tag).tag, "en", "{tag}");
        }
    }
}
