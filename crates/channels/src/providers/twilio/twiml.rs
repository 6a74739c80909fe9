//! What a call does, in Twilio's markup.

use super::voices::Reader;
use crate::voice::{VoicePart, VoiceScript};

/// Most characters of a document that comes with the request for a call.
pub(super) const MAX_DOCUMENT: usize = 4_000;

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Response>"#;
const TAIL: &str = "</Response>";

/// A call that says something and hangs up.
pub(super) fn document(verbs: &str) -> String {
    format!("{HEAD}{verbs}{TAIL}")
}

/// A call that asks for any key and has what follows fetched from `address`; without a key it hangs up.
pub(super) fn asking(reader: Reader<'_>, press: &str, address: &str) -> String {
    let attributes = r#"input="dtmf" numDigits="1" timeout="10" finishOnKey="" method="POST""#;
    let gather = format!(r#"<Gather {attributes} action="{}">{}</Gather>"#, escape(address), say(reader, &escape(press)));
    document(&format!("{gather}<Hangup/>"))
}

/// A script, its digits said slowly.
pub(super) fn script(reader: Reader<'_>, script: &VoiceScript) -> String {
    let mut verbs = String::new();
    for (position, part) in script.parts.iter().enumerate() {
        if position > 0 {
            verbs.push_str(r#"<Pause length="1"/>"#);
        }
        match part {
            VoicePart::Words(words) => verbs.push_str(&say(reader, &escape(words))),
            VoicePart::Digits(digits) => verbs.push_str(&say(reader, &slowly(digits))),
        }
    }
    verbs
}

/// A text as it is.
pub(super) fn words(reader: Reader<'_>, text: &str) -> String {
    say(reader, &escape(text))
}

fn say(reader: Reader<'_>, inner: &str) -> String {
    let Reader { voice, language } = reader;
    format!(r#"<Say voice="{voice}" language="{language}">{inner}</Say>"#)
}

fn slowly(digits: &str) -> String {
    digits.split(", ").map(escape).collect::<Vec<_>>().join(r#"<break time="500ms"/>"#)
}

/// What XML cannot hold at all is left out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' | '\r' => escaped.push(' '),
            '\u{FFFE}' | '\u{FFFF}' => {}
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}
