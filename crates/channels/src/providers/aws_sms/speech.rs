//! What a call says, and in whose voice.

use crate::provider::Rendered;
use crate::voice::VoicePart;

/// Language = voice. The first whose tag the message's own begins with counts, so the longer ones come first.
const VOICES: [(&str, &str); 28] = [
    ("en-au", "NICOLE"),
    ("en-gb", "AMY"),
    ("en-in", "RAVEENA"),
    ("es-es", "LUCIA"),
    ("es-mx", "MIA"),
    ("fr-ca", "CHANTAL"),
    ("pt-br", "CAMILA"),
    ("ar", "ZEINA"),
    ("cy", "GWYNETH"),
    ("da", "NAJA"),
    ("de", "VICKI"),
    ("en", "JOANNA"),
    ("es", "LUPE"),
    ("fr", "LEA"),
    ("is", "DORA"),
    ("it", "BIANCA"),
    ("ja", "TAKUMI"),
    ("ko", "SEOYEON"),
    ("nb", "LIV"),
    ("nl", "LOTTE"),
    ("no", "LIV"),
    ("pl", "EWA"),
    ("pt", "INES"),
    ("ro", "CARMEN"),
    ("ru", "TATYANA"),
    ("sv", "ASTRID"),
    ("tr", "FILIZ"),
    ("zh", "ZHIYU"),
];

/// Digits are said slowly, with a pause before and after.
const PAUSE: &str = "<break time=\"700ms\"/>";

/// A call, ready to be said.
pub(super) struct Speech {
    pub(super) ssml: String,
    pub(super) voice: &'static str,
}

impl Speech {
    /// None: there is no voice for the message's language, and in another's nobody would understand it.
    pub(super) fn of(message: &Rendered) -> Option<Self> {
        let tag = message.locale.to_ascii_lowercase();
        let is_of = |known: &str| tag.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        let (_, voice) = VOICES.iter().find(|(known, _)| is_of(known))?;
        let mut said = String::new();
        match &message.voice {
            None => said.push_str(&escaped(message.text())),
            Some(script) => {
                for part in &script.parts {
                    match part {
                        VoicePart::Words(words) => said.push_str(&escaped(words)),
                        VoicePart::Digits(digits) => {
                            said.extend([PAUSE, "<prosody rate=\"slow\">", &escaped(digits), "</prosody>", PAUSE]);
                        }
                    }
                }
            }
        }
        Some(Self { ssml: format!("<speak>{said}</speak>"), voice })
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}
