//! What a person typed, brought into the form in which it is compared.

use std::fmt;

use countersign_model::Channel;
use zeroize::Zeroizing;

/// First code points of the runs of ten decimal digits beyond ASCII (Unicode 14, general category Nd, value 0).
const DECIMAL_ZEROS: [u32; 65] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50, 0x0ED0,
    0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0,
    0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450,
    0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8,
    0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0,
];

/// One submitted code. Any text is a guess: it just may match nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Guess(Zeroizing<String>);

impl Guess {
    /// Drops spaces and dashes, and folds the decimal digits of other scripts. None when nothing but spaces was typed.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return None;
        }
        let kept = text.chars().filter(|c| !c.is_whitespace() && !is_dash(*c)).map(fold_digit).collect();
        Some(Self(Zeroizing::new(kept)))
    }

    /// The folded text, for a digest.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Guess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guess(••••)")
    }
}

/// The hyphens and dashes that keyboards and message apps put between digits.
const fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}')
}

fn fold_digit(c: char) -> char {
    let point = u32::from(c);
    DECIMAL_ZEROS
        .iter()
        .find(|zero| (**zero..**zero + 10).contains(&point))
        .and_then(|zero| char::from_digit(point - zero, 10))
        .unwrap_or(c)
}

/// What one call submits: a guess for each named channel, or one guess that names none.
#[derive(Debug, Clone)]
pub enum Guesses {
    /// One guess a channel, in the order asked; no channel twice. Empty when none of the names given is a channel at all.
    Named(Vec<(Channel, Guess)>),
    /// A guess whose channel the caller did not say.
    Unnamed(Guess),
}

impl Guesses {
    /// Of two guesses for one channel the first counts.
    #[must_use]
    pub fn named(guesses: impl IntoIterator<Item = (Channel, Guess)>) -> Self {
        let mut named: Vec<(Channel, Guess)> = Vec::new();
        for (channel, guess) in guesses {
            if named.iter().all(|(known, _)| *known != channel) {
                named.push((channel, guess));
            }
        }
        Self::Named(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        Guess::read(text).unwrap().expose().to_owned()
    }

    #[test]
    fn spaces_and_dashes_are_dropped() {
        assert_eq!(read(" 482 913\n"), "482913");
        assert_eq!(read("482-913"), "482913");
        assert_eq!(read("482\u{2011}913\u{a0}"), "482913");
    }

    #[test]
    fn digits_of_other_scripts_are_folded() {
        assert_eq!(read("٤٨٢٩١٣"), "482913");
        assert_eq!(read("४८२९१३"), "482913");
        assert_eq!(read("４８２９１３"), "482913");
    }

    #[test]
    fn any_text_is_a_guess_but_blank_is_none() {
        assert_eq!(read("abc"), "abc");
        assert_eq!(read("---"), "");
        assert!(Guess::read("  \t").is_none() && Guess::read("").is_none());
    }

    #[test]
    fn debug_output_never_shows_the_guess() {
        assert!(!format!("{:?}", Guess::read("482913").unwrap()).contains("482913"));
    }
}
