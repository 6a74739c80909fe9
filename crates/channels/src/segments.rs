//! How many SMS a text costs: GSM-7 or UCS-2, whole or in concatenated parts.

/// How a text is written on the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// GSM 03.38 default alphabet with its extension table.
    Gsm7,
    /// UTF-16 code units: as soon as one character is not in the GSM alphabet.
    Ucs2,
}

impl Encoding {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gsm7 => "gsm7",
            Self::Ucs2 => "ucs2",
        }
    }
}

/// The size of a text as a carrier bills it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segments {
    /// The alphabet it needs.
    pub encoding: Encoding,
    /// Septets (an extension character takes two) or UTF-16 code units.
    pub units: usize,
    /// SMS it is cut into; 1 for an empty text.
    pub count: usize,
}

/// The GSM 03.38 default alphabet in its order, less the escape at place 27.
pub(crate) const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// What stands behind the escape.
pub(crate) const EXTENSION: &str = "\u{c}^{}\\[~]|€";

impl Segments {
    /// Measures `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let septets: Option<Vec<usize>> = text.chars().map(septets).collect();
        match septets {
            Some(sizes) => Self::cut(Encoding::Gsm7, &sizes, 160, 153),
            None => Self::cut(Encoding::Ucs2, &text.chars().map(char::len_utf16).collect::<Vec<_>>(), 70, 67),
        }
    }

    /// A character is never split between two parts, so a part may end one unit early.
    fn cut(encoding: Encoding, sizes: &[usize], whole: usize, part: usize) -> Self {
        let units = sizes.iter().sum();
        if units <= whole {
            return Self { encoding, units, count: 1 };
        }
        let (mut count, mut used) = (1, 0);
        for size in sizes {
            if used + size > part {
                count += 1;
                used = 0;
            }
            used += size;
        }
        Self { encoding, units, count }
    }
}

/// What a character costs in GSM-7; none when it is not in the alphabet.
pub(crate) fn septets(c: char) -> Option<usize> {
    if BASIC.contains(c) {
        Some(1)
    } else if EXTENSION.contains(c) {
        Some(2)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn count(text: &str) -> usize {
        Segments::of(text).count
    }

    #[test]
    fn the_alphabets_have_the_sizes_of_the_standard() {
        // 128 places, less the escape itself.
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(EXTENSION.chars().count(), 10);
    }

    #[test]
    fn plain_text_is_cut_at_160_then_every_153() {
        assert_eq!(Segments::of(""), Segments { encoding: Encoding::Gsm7, units: 0, count: 1 });
        for (length, parts) in [(160, 1), (161, 2), (306, 2), (307, 3), (459, 3), (460, 4)] {
            assert_eq!(count(&"a".repeat(length)), parts, "{length}");
        }
    }

    #[test]
    fn other_scripts_are_cut_at_70_then_every_67() {
        for (length, parts) in [(70, 1), (71, 2), (134, 2), (135, 3)] {
            let size = Segments::of(&"ж".repeat(length));
            assert_eq!((size.encoding, size.units, size.count), (Encoding::Ucs2, length, parts));
        }
    }

    #[test]
    fn extension_characters_cost_two_septets() {
        assert_eq!(Segments::of("€"), Segments { encoding: Encoding::Gsm7, units: 2, count: 1 });
        assert_eq!(count(&"€".repeat(80)), 1);
        assert_eq!(count(&"€".repeat(81)), 2);
    }

    #[test]
    fn an_escape_is_not_split_at_the_end_of_a_part() {
        // 152 septets, then pairs: the first part ends a septet early, and what is over needs a third.
        let text = format!("{}{}", "a".repeat(152), "€".repeat(77));
        assert_eq!(Segments::of(&text), Segments { encoding: Encoding::Gsm7, units: 306, count: 3 });
    }

    #[test]
    fn a_surrogate_pair_is_not_split_at_the_end_of_a_part() {
        let text = "😀".repeat(67);
        assert_eq!(Segments::of(&text), Segments { encoding: Encoding::Ucs2, units: 134, count: 3 });
    }

    #[test]
    fn one_foreign_character_turns_the_whole_text() {
        assert_eq!(Segments::of("Your Acme code").encoding, Encoding::Gsm7);
        assert_eq!(Segments::of("Your Acme’s code").encoding, Encoding::Ucs2);
        assert_eq!(Segments::of("ç").encoding, Encoding::Ucs2);
        assert_eq!(Segments::of("Ç").encoding, Encoding::Gsm7);
    }

    proptest! {
        #[test]
        fn parts_are_neither_overfull_nor_wasted(text in ".{0,700}") {
            let size = Segments::of(&text);
            let (whole, part) = match size.encoding { Encoding::Gsm7 => (160, 153), Encoding::Ucs2 => (70, 67) };
            if size.count == 1 {
                prop_assert!(size.units <= whole);
            } else {
                prop_assert!(size.units > whole);
                prop_assert!(size.units <= size.count * part);
                prop_assert!(size.units > (size.count - 1) * (part - 1));
            }
        }

        #[test]
        fn a_longer_text_never_costs_less(text in "[a-z€ж😀]{0,400}", more in "[a-z€ж😀]{1,20}") {
            let longer = text.clone() + &more;
            prop_assert!(count(&text) <= count(&longer));
        }
    }
}
