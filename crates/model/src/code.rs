use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A one-time code in the clear. It lives from mint to the provider call, and in a sandbox reply.
///
/// No `Display`, no `Serialize`, and `Debug` hides it, so that it cannot slip into a log, an error or a store.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Code(String);

/// A caller's own code is not 4 to 10 ASCII digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a code is 4 to 10 digits")]
pub struct InvalidCode;

impl Code {
    /// Takes 4 to 10 ASCII digits. A dialect may be stricter.
    pub fn parse(digits: impl Into<String>) -> Result<Self, InvalidCode> {
        let mut digits = digits.into();
        if (4..=10).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(digits))
        } else {
            digits.zeroize();
            Err(InvalidCode)
        }
    }

    /// The digits. Call it only to put them into a message, a digest or a sandbox reply.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(••••)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_never_shows_the_digits() {
        let code = Code::parse("482913").unwrap();
        assert!(!format!("{code:?}").contains("482913"));
    }

    #[test]
    fn letters_short_and_long_codes_are_refused() {
        for wrong in ["123", "12345678901", "12a4", "", "１２３４"] {
            assert_eq!(Code::parse(wrong), Err(InvalidCode), "{wrong}");
        }
    }
}
