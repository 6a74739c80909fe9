//! The built-in words of messages: one file a language, compiled in.

mod plural;
mod text;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use countersign_model::wider_tags;
use serde::Deserialize;

use plural::{Forms, Plurals};
use text::{Filling, Stretch, Text};

macro_rules! sources {
    ($($tag:literal),+ $(,)?) => {
        [$(($tag, include_str!(concat!("locales/", $tag, ".toml")))),+]
    };
}

/// BCP 47 tag and file. The first one is what is spoken to those whose own is missing.
static SOURCES: [(&str, &str); 53] = sources![
    "en", "af", "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "es", "et", "fa", "fi", "fil", "fr", "he", "hi", "hr", "hu",
    "id", "is", "it", "ja", "ko", "lt", "lv", "mk", "mr", "ms", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sq",
    "sr", "sr-Latn", "sv", "sw", "ta", "te", "th", "tr", "uk", "ur", "vi", "zh-Hans", "zh-Hant"
];

static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| SOURCES.iter().map(Language::read).collect());

/// One language's words.
#[derive(Debug)]
pub(crate) struct Language {
    /// BCP 47.
    pub(crate) tag: &'static str,
    words: Words,
}

/// A locale file. `docs/guides/languages.md` says what each text is for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    /// Written from right to left.
    #[serde(default)]
    rtl: bool,
    plural: Plurals,
    /// `{time}` of the texts, so in the case that they ask for.
    minutes: Forms,
    sms: Text,
    /// For a text message that would grow too long otherwise.
    sms_short: Text,
    sms_warning: Text,
    lead: Text,
    expires: Text,
    never_share: Text,
    voice: VoiceWords,
    email: EmailWords,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VoiceWords {
    press: Text,
    intro: Text,
    again: Text,
    bye: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EmailWords {
    subject: Text,
    heading: Text,
    intro: Text,
    nobody_asks: Text,
    unasked: Text,
}

/// What one message says of itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    /// As it is read, or as it is said.
    pub(crate) code: &'a str,
    /// One line; empty: there is no name to show.
    pub(crate) app: &'a str,
    pub(crate) minutes: u32,
    /// Whether it warns against giving the code away.
    pub(crate) never_share: bool,
}

/// What a mail says, in the order it is read.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Letter {
    /// What a list of mails shows beside the subject.
    preheader: String,
    heading: String,
    intro: Vec<Stretch>,
    expires: Vec<Stretch>,
    /// Empty: there is none.
    warning: Vec<Stretch>,
    unasked: String,
    /// The plain-text twin, without an end of line.
    #[serde(skip)]
    pub(crate) text: String,
}

/// The built-in language that serves a reader of `tag`: its own, else one of [`wider_tags`]; none: there is none.
#[must_use]
pub fn built_in_language(tag: &str) -> Option<&'static str> {
    wider_tags(tag).iter().find_map(|tag| SOURCES.iter().map(|(known, _)| *known).find(|known| known.eq_ignore_ascii_case(tag)))
}

/// Every built-in language, English first, then by tag.
pub fn built_in_languages() -> impl Iterator<Item = &'static str> {
    SOURCES.iter().map(|(tag, _)| *tag)
}

/// The words for a BCP 47 tag: those of [`built_in_language`], else English.
pub(crate) fn lookup(tag: &str) -> &'static Language {
    let found = built_in_language(tag).and_then(|tag| LANGUAGES.iter().find(|language| language.tag == tag));
    found.unwrap_or(&LANGUAGES[0])
}

/// Which way a language is written: `rtl`, `ltr`, or `auto` where that is not known.
pub(crate) fn direction(tag: &str) -> &'static str {
    match built_in_language(tag) {
        Some(known) if lookup(known).words.rtl => "rtl",
        Some(_) => "ltr",
        None => "auto",
    }
}

/// Sentences one after the other. Scripts that write no spaces have stops that bring their own.
fn joined(sentences: &[String]) -> String {
    let mut text = String::new();
    for sentence in sentences.iter().filter(|sentence| !sentence.is_empty()) {
        if !text.is_empty() && !text.ends_with(['。', '：']) {
            text.push(' ');
        }
        text.push_str(sentence);
    }
    text
}

impl Language {
    /// # Panics
    /// When a compiled-in file has a mistake, which a test of this crate would show first.
    #[expect(clippy::expect_used, reason = "the files are part of the program")]
    fn read((tag, source): &(&'static str, &'static str)) -> Self {
        Self { tag, words: toml::from_str(source).expect("compiled-in locale files are sound") }
    }

    fn say(&self, text: &Text, facts: &Facts<'_>) -> String {
        self.fill(facts, |filling| text.say(filling))
    }

    fn fill<T>(&self, facts: &Facts<'_>, fill: impl FnOnce(&Filling<'_>) -> T) -> T {
        let time = self.words.minutes.say(self.words.plural, facts.minutes);
        fill(&Filling { code: facts.code, app: facts.app, minutes: facts.minutes, time: &time })
    }

    /// A sentence of warning, or nothing.
    fn warning(&self, text: &Text, facts: &Facts<'_>) -> String {
        if facts.never_share { self.say(text, facts) } else { String::new() }
    }

    pub(crate) fn sms(&self, facts: &Facts<'_>) -> String {
        joined(&[self.say(&self.words.sms, facts), self.warning(&self.words.sms_warning, facts)])
    }

    /// The code, whose it is and how long it lives, and nothing more.
    pub(crate) fn short_sms(&self, facts: &Facts<'_>) -> String {
        self.say(&self.words.sms_short, facts)
    }

    /// For providers that take a text as it is: WhatsApp itself fills templates that it has approved.
    pub(crate) fn whatsapp(&self, facts: &Facts<'_>) -> String {
        let Words { lead, expires, never_share, .. } = &self.words;
        joined(&[self.say(lead, facts), self.say(expires, facts), self.warning(never_share, facts)])
    }

    /// A call: the code, which is given as it is said, comes twice.
    pub(crate) fn call(&self, facts: &Facts<'_>) -> String {
        let Words { expires, never_share, voice, .. } = &self.words;
        let digits = format!("{}.", facts.code);
        joined(&[
            self.say(&voice.intro, facts),
            digits.clone(),
            self.say(&voice.again, facts),
            digits,
            self.say(expires, facts),
            self.warning(never_share, facts),
            self.say(&voice.bye, facts),
        ])
    }

    /// What a call says before it tells the code, to find out whether somebody listens.
    pub(crate) fn press_a_key(&self, facts: &Facts<'_>) -> String {
        self.say(&self.words.voice.press, facts)
    }

    /// Without the code, which would show on locked screens.
    pub(crate) fn subject(&self, facts: &Facts<'_>) -> String {
        self.say(&self.words.email.subject, facts)
    }

    pub(crate) fn letter(&self, facts: &Facts<'_>) -> Letter {
        let Words { lead, expires, never_share, email, .. } = &self.words;
        let lead = self.say(lead, facts);
        let expiry = self.say(expires, facts);
        let never = self.warning(never_share, facts);
        let warned = joined(&[never.clone(), self.warning(&email.nobody_asks, facts)]);
        let unasked = self.say(&email.unasked, facts);
        let ending = if warned.is_empty() { unasked.clone() } else { format!("{warned}\n{unasked}") };
        let reason = warned[never.len()..].to_owned();
        let warning = [Stretch { text: never, strong: true }, Stretch { text: reason, strong: false }];
        Letter {
            text: format!("{lead}\n\n{expiry}\n\n{ending}"),
            preheader: joined(&[lead, expiry]),
            heading: self.say(&email.heading, facts),
            intro: self.fill(facts, |filling| email.intro.stretches(filling)),
            expires: self.fill(facts, |filling| expires.stretches(filling)),
            warning: warning.into_iter().filter(|stretch| !stretch.text.is_empty()).collect(),
            unasked,
        }
    }
}
