//! Phone numbers as this API's callers write them: Korean ones without a country code, and with whatever stands between the digits.

use countersign_model::PhoneNumber;

/// Most characters of a number, without white space around it.
const MOST: usize = 32;

/// A number, and whether it is one of those that the test mode keeps for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) phone: PhoneNumber,
    /// The two digits by which a test number chooses what happens.
    pub(super) test: Option<u8>,
}

impl Number {
    /// Reads `010-1234-5678`, `+82 10 1234 5678`, `+1 (415) 555-0123`. None: it is no number, or nobody knows of which country.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.chars().count() > MOST {
            return None;
        }
        let phone = PhoneNumber::parse(&e164(text)?).ok()?;
        Some(Self { test: test_digits(phone.as_str()), phone })
    }
}

/// A leading `00` stands for `+`, a single `0` for Korea; without either only a Korean country code is understood.
fn e164(text: &str) -> Option<String> {
    let (plus, rest) = match text.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut digits = String::with_capacity(rest.len());
    for c in rest.chars() {
        match c {
            '0'..='9' => digits.push(c),
            ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}' | '\u{2010}'..='\u{2015}' => {}
            _ => return None,
        }
    }
    let (plus, digits) = match digits.strip_prefix("00") {
        Some(rest) if !plus => (true, rest.to_owned()),
        Some(_) | None => (plus, digits),
    };
    let korean = |national: &str| format!("+82{}", national.strip_prefix('0').unwrap_or(national));
    match (plus, digits.strip_prefix("82")) {
        (_, Some(national)) => Some(korean(national)),
        (true, None) => Some(format!("+{digits}")),
        (false, None) => digits.starts_with('0').then(|| korean(&digits)),
    }
}

/// The last two digits of a number that nobody can have: `010-0000-00xx`, `+44 7700 9000xx`, `+1 NXX 555-01xx`.
fn test_digits(e164: &str) -> Option<u8> {
    let (range, last) = e164.split_at_checked(e164.len().checked_sub(2)?)?;
    let american = || {
        let area = range.strip_prefix("+1")?.strip_suffix("55501")?;
        (area.len() == 3 && !area.starts_with(['0', '1'])).then_some(())
    };
    let is_test = matches!(range, "+8210000000" | "+4477009000") || american().is_some();
    last.parse().ok().filter(|_| is_test)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, Option<u8>)> {
        Number::read(text).map(|number| (number.phone.as_str().to_owned(), number.test))
    }

    #[test]
    fn a_korean_number_needs_no_country_code() {
        for written in [
            "01012345678",
            "010-1234-5678",
            " 010 1234 5678 ",
            "+82 10-1234-5678",
            "+82 (0)10 1234 5678",
            "00821012345678",
            "821012345678",
        ] {
            assert_eq!(read(written), Some(("+821012345678".to_owned(), None)), "{written}");
        }
        assert_eq!(read("02-123-4567"), Some(("+8221234567".to_owned(), None)));
    }

    #[test]
    fn a_number_of_any_other_country_needs_its_code() {
        assert_eq!(read("+1 (202) 555-0199"), Some(("+12025550199".to_owned(), Some(99))));
        assert_eq!(read("+49 170 1234567"), Some(("+491701234567".to_owned(), None)));
        for wrong in ["", "+", "4155552671", "1588-1234", "010-abcd-5678", "+0123456789", &"0".repeat(33), "010１2345678"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn test_numbers_are_told_from_others_by_their_range() {
        let rows = [
            ("010-0000-0000", 0),
            ("+82 10 0000 0005", 5),
            ("010-0000-0099", 99),
            ("+44 7700 900007", 7),
            ("+1 415 555 0110", 10),
        ];
        for (written, digits) in rows {
            assert_eq!(read(written).unwrap().1, Some(digits), "{written}");
        }
        for other in ["010-0000-0100", "+44 7700 901007", "+1 415 555 0210", "+1 115 555 0110", "010-0001-0000"] {
            assert_eq!(read(other).unwrap().1, None, "{other}");
        }
    }
}
