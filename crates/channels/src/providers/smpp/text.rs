//! A text in the bytes that go to the centre, cut into as many messages as it needs.

use super::config::{Alphabet, Parts};
use crate::segments::{self, BASIC, EXTENSION};

/// How the operator's centre wants texts.
pub(super) struct Manner {
    pub(super) alphabet: Alphabet,
    pub(super) data_coding: u8,
    pub(super) parts: Parts,
}

/// One message of those that a text is cut into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) data_coding: u8,
    /// The text, after a header where `place` says so.
    pub(super) bytes: Vec<u8>,
    pub(super) place: Place,
}

/// Where the bytes stand, and how they are joined with those of the other parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In `short_message`, and there are no others.
    Whole,
    /// In `short_message`, behind a user data header.
    Header,
    /// In `short_message`, with `sar_*` parameters.
    Tags {
        /// The same in all parts of a text.
        reference: u8,
        /// How many there are.
        total: u8,
        /// Counted from 1.
        number: u8,
    },
    /// In `message_payload`.
    Payload,
}

const UCS2: u8 = 8;
const ESCAPE: u8 = 0x1B;
/// The place of the escape in the default alphabet.
const ESCAPE_PLACE: usize = 27;

/// Where the characters of [`EXTENSION`] stand behind the escape, in the same order.
const EXTENSION_PLACES: [u8; 10] = [0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65];

/// A character's bytes, and what it takes of a message's room.
struct Unit {
    bytes: Vec<u8>,
    cost: usize,
}

/// None: more parts than SMPP can count.
pub(super) fn cut(text: &str, manner: &Manner, reference: u8) -> Option<Vec<Part>> {
    let plain: Option<Vec<Unit>> = text.chars().map(|character| written(character, manner.alphabet)).collect();
    let (units, data_coding, room, room_of_part) = match plain {
        Some(units) => (units, manner.data_coding, 160, 153),
        None => (text.chars().map(in_ucs2).collect(), UCS2, 70, 67),
    };
    let total_cost: usize = units.iter().map(|unit| unit.cost).sum();
    let together = |units: &[Unit]| units.iter().flat_map(|unit| unit.bytes.iter().copied()).collect::<Vec<u8>>();
    if total_cost <= room {
        return Some(vec![Part { data_coding, bytes: together(&units), place: Place::Whole }]);
    }
    if manner.parts == Parts::Payload {
        return Some(vec![Part { data_coding, bytes: together(&units), place: Place::Payload }]);
    }
    let pieces = pieces(&units, room_of_part);
    let total = u8::try_from(pieces.len()).ok()?;
    let parts = pieces.into_iter().zip(1..=u8::MAX).map(|(piece, number)| {
        let text = together(piece);
        if manner.parts == Parts::Sar {
            return Part { data_coding, bytes: text, place: Place::Tags { reference, total, number } };
        }
        // Length of the header, then one element: concatenation with an 8-bit reference.
        let mut bytes = vec![5, 0, 3, reference, total, number];
        bytes.extend(text);
        Part { data_coding, bytes, place: Place::Header }
    });
    Some(parts.collect())
}

/// A character is never split between two parts.
fn pieces(units: &[Unit], room: usize) -> Vec<&[Unit]> {
    let (mut pieces, mut start, mut used) = (Vec::new(), 0, 0);
    for (position, unit) in units.iter().enumerate() {
        if used + unit.cost > room {
            pieces.push(&units[start..position]);
            (start, used) = (position, 0);
        }
        used += unit.cost;
    }
    pieces.push(&units[start..]);
    pieces
}

/// None: the alphabet lacks the character.
fn written(character: char, alphabet: Alphabet) -> Option<Unit> {
    let byte = match alphabet {
        Alphabet::Gsm7 => return in_gsm(character).map(|bytes| Unit { cost: bytes.len(), bytes }),
        Alphabet::Latin1 => u8::try_from(character).ok()?,
        Alphabet::Ascii => u8::try_from(character).ok().filter(u8::is_ascii)?,
    };
    // The centre turns it into GSM-7 for the air.
    Some(Unit { bytes: vec![byte], cost: segments::septets(character).unwrap_or(1) })
}

fn in_gsm(character: char) -> Option<Vec<u8>> {
    if let Some(place) = BASIC.chars().position(|known| known == character) {
        let place = if place < ESCAPE_PLACE { place } else { place + 1 };
        return u8::try_from(place).ok().map(|place| vec![place]);
    }
    let place = EXTENSION.chars().position(|known| known == character)?;
    Some(vec![ESCAPE, EXTENSION_PLACES[place]])
}

fn in_ucs2(character: char) -> Unit {
    let mut units = [0; 2];
    let units = character.encode_utf16(&mut units);
    Unit { bytes: units.iter().flat_map(|unit| unit.to_be_bytes()).collect(), cost: units.len() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::segments::Segments;

    fn manner(alphabet: Alphabet, parts: Parts) -> Manner {
        Manner { alphabet, data_coding: 0, parts }
    }

    fn cut_as(text: &str, alphabet: Alphabet, parts: Parts) -> Vec<Part> {
        cut(text, &manner(alphabet, parts), 0xAB).unwrap()
    }

    #[test]
    fn the_default_alphabet_is_written_as_its_table_says() {
        let cases = [
            ("@", vec![0x00]),
            ("$", vec![0x02]),
            ("\n", vec![0x0A]),
            ("\r", vec![0x0D]),
            ("_", vec![0x11]),
            ("Ξ", vec![0x1A]),
            ("Æ", vec![0x1C]),
            (" ", vec![0x20]),
            ("0", vec![0x30]),
            ("A", vec![0x41]),
            ("Ä", vec![0x5B]),
            ("¿", vec![0x60]),
            ("a", vec![0x61]),
            ("à", vec![0x7F]),
            ("\u{c}", vec![0x1B, 0x0A]),
            ("^", vec![0x1B, 0x14]),
            ("{", vec![0x1B, 0x28]),
            ("}", vec![0x1B, 0x29]),
            ("\\", vec![0x1B, 0x2F]),
            ("[", vec![0x1B, 0x3C]),
            ("~", vec![0x1B, 0x3D]),
            ("]", vec![0x1B, 0x3E]),
            ("|", vec![0x1B, 0x40]),
            ("€", vec![0x1B, 0x65]),
        ];
        for (text, bytes) in cases {
            let expected = Part { data_coding: 0, bytes, place: Place::Whole };
            assert_eq!(cut_as(text, Alphabet::Gsm7, Parts::Udh), [expected], "{text:?}");
        }
    }

    #[test]
    fn what_an_alphabet_lacks_goes_as_ucs_2() {
        let cases = [
            (Alphabet::Gsm7, "é", 0, vec![0x05]),
            (Alphabet::Gsm7, "ç", 8, vec![0x00, 0xE7]),
            (Alphabet::Gsm7, "ж1", 8, vec![0x04, 0x36, 0x00, 0x31]),
            (Alphabet::Gsm7, "😀", 8, vec![0xD8, 0x3D, 0xDE, 0x00]),
            (Alphabet::Latin1, "ç@[", 0, vec![0xE7, 0x40, 0x5B]),
            (Alphabet::Latin1, "€", 8, vec![0x20, 0xAC]),
            (Alphabet::Ascii, "@[", 0, vec![0x40, 0x5B]),
            (Alphabet::Ascii, "é", 8, vec![0x00, 0xE9]),
        ];
        for (alphabet, text, data_coding, bytes) in cases {
            let expected = Part { data_coding, bytes, place: Place::Whole };
            assert_eq!(cut_as(text, alphabet, Parts::Udh), [expected], "{alphabet:?} {text:?}");
        }
    }

    #[test]
    fn a_data_coding_of_the_operators_stands_for_the_alphabet_and_never_for_ucs_2() {
        let manner = Manner { alphabet: Alphabet::Latin1, data_coding: 3, parts: Parts::Udh };
        assert_eq!(cut("é", &manner, 1).unwrap()[0].data_coding, 3);
        assert_eq!(cut("ж", &manner, 1).unwrap()[0].data_coding, 8);
    }

    #[test]
    fn parts_are_joined_in_each_of_the_three_ways() {
        let text = format!("{}{}", "a".repeat(152), "€€€€€");
        let udh = cut_as(&text, Alphabet::Gsm7, Parts::Udh);
        assert_eq!(udh.len(), 2);
        assert_eq!(udh[0].bytes[..7], [5, 0, 3, 0xAB, 2, 1, b'a']);
        assert_eq!((udh[0].bytes.len(), udh[0].place), (6 + 152, Place::Header));
        assert_eq!(udh[1].bytes[..8], [5, 0, 3, 0xAB, 2, 2, 0x1B, 0x65]);
        assert_eq!(udh[1].bytes.len(), 6 + 10);

        let sar = cut_as(&text, Alphabet::Gsm7, Parts::Sar);
        assert_eq!(sar[0].bytes, vec![b'a'; 152]);
        assert_eq!(sar[1].place, Place::Tags { reference: 0xAB, total: 2, number: 2 });

        let payload = cut_as(&text, Alphabet::Gsm7, Parts::Payload);
        assert_eq!((payload.len(), payload[0].bytes.len(), payload[0].place), (1, 162, Place::Payload));
        let short = cut_as("short", Alphabet::Gsm7, Parts::Payload);
        assert_eq!(short[0].place, Place::Whole);
    }

    #[test]
    fn a_text_of_more_than_255_parts_is_not_taken() {
        let manner = manner(Alphabet::Gsm7, Parts::Udh);
        assert_eq!(cut(&"a".repeat(153 * 255), &manner, 1).map(|parts| parts.len()), Some(255));
        assert_eq!(cut(&"a".repeat(153 * 255 + 1), &manner, 1), None);
    }

    proptest! {
        #[test]
        fn parts_are_as_many_as_were_counted_and_none_is_too_long(text in "[a-z€ж😀\\[]{0,500}") {
            let parts = cut_as(&text, Alphabet::Gsm7, Parts::Udh);
            prop_assert_eq!(parts.len(), Segments::of(&text).count);
            for part in &parts {
                prop_assert!(part.bytes.len() <= 160, "{}", part.bytes.len());
            }
        }
    }
}
