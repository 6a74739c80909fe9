//! What a call does, in Vonage's call control objects.

use serde_json::{Value, json};

use super::voices::Reader;
use crate::voice::{VoicePart, VoiceScript};

/// Most characters that one action says.
const MAX_TALK: usize = 1_500;

/// A script; none: a part is longer than an action may be. Digits come with commas, at which voices pause.
pub(super) fn script(reader: Reader<'_>, script: &VoiceScript) -> Option<Vec<Value>> {
    script.parts.iter().map(|(VoicePart::Words(text) | VoicePart::Digits(text))| talk(reader, text)).collect()
}

/// One thing said; none: it is too long.
pub(super) fn talk(reader: Reader<'_>, text: &str) -> Option<Value> {
    (text.chars().count() <= MAX_TALK)
        .then(|| json!({ "action": "talk", "text": plain(text), "language": reader.language, "style": reader.style }))
}

/// Asks for any key and has what follows fetched from `address`.
pub(super) fn asking(reader: Reader<'_>, press: &str, address: &str) -> Option<Vec<Value>> {
    let mut ask = talk(reader, press)?;
    ask["bargeIn"] = Value::Bool(true);
    let input = json!({
        "action": "input", "type": ["dtmf"], "dtmf": { "maxDigits": 1, "timeOut": 10 }, "eventUrl": [address], "eventMethod": "POST",
    });
    Some(vec![ask, input])
}

/// A text that cannot be taken for markup: only a text within `<speak>` is.
fn plain(text: &str) -> String {
    text.replace(['<', '>'], " ")
}
