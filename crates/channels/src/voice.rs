//! A call's words, cut where a voice changes its pace.

/// What a call says, for providers that pace it by a markup of their own. Those that read one text take [`Rendered::text`](crate::Rendered::text).
#[derive(Clone, PartialEq, Eq)]
pub struct VoiceScript {
    /// Says who calls and asks for any key, so that the code is not told to an answering machine. Holds no digits of the code.
    pub press: String,
    /// In the order they are said. Built-in words hold the digits twice; a tenant's own as often as their author wrote them.
    pub parts: Vec<VoicePart>,
}

/// A stretch of a call.
#[derive(Clone, PartialEq, Eq)]
pub enum VoicePart {
    /// Said at the ordinary pace.
    Words(String),
    /// The code's digits, to be said slowly: `4, 8, 2`.
    Digits(String),
}

impl VoiceScript {
    /// Cuts `text` at each `spoken`, which must not be empty.
    pub(crate) fn cut(text: &str, spoken: &str, press: String) -> Self {
        let mut parts = Vec::new();
        for (index, words) in text.split(spoken).enumerate() {
            if index > 0 {
                parts.push(VoicePart::Digits(spoken.to_owned()));
            }
            let words = words.trim_start_matches(ends_a_phrase).trim_end();
            if !words.is_empty() {
                parts.push(VoicePart::Words(words.to_owned()));
            }
        }
        Self { press, parts }
    }
}

/// What is left of a sentence whose last words were the digits: a voice must not stumble over it.
fn ends_a_phrase(character: char) -> bool {
    character.is_whitespace() || ".,;:!?…。、，！？।؟،؛۔".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> VoicePart {
        VoicePart::Words(text.to_owned())
    }

    #[test]
    fn a_call_is_cut_at_its_digits_and_no_part_begins_with_what_ended_the_last() {
        let digits = || VoicePart::Digits("4, 8".to_owned());
        let cut = |text: &str| VoiceScript::cut(text, "4, 8", String::new()).parts;
        assert!(cut("Code: 4, 8. Again: 4, 8. Bye.") == [words("Code:"), digits(), words("Again:"), digits(), words("Bye.")]);
        assert!(cut("4, 8") == [digits()]);
        assert!(cut("代码：4, 8。¿Listo?") == [words("代码："), digits(), words("¿Listo?")]);
    }
}
