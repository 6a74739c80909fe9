use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Channel;

/// The text is no address that the channel can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRecipient {
    /// Not an e-mail address of RFC 5321 form and length.
    #[error("Invalid recipient email address")]
    Email,
    /// Not `+` and 7 to 15 digits.
    #[error("Invalid recipient phone number: write it in E.164 form, such as +12025550143")]
    Phone,
}

/// A mailbox. The local part is kept as written for delivery; comparison folds the case of ASCII letters.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EmailAddress {
    address: String,
}

/// A number in E.164 form, with its `+`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PhoneNumber {
    e164: String,
}

impl EmailAddress {
    /// Longest local part, in octets (RFC 5321, 4.5.3.1.1).
    const MAX_LOCAL: usize = 64;
    /// Longest path, less its angle brackets (RFC 5321, 4.5.3.1.3).
    const MAX_ADDRESS: usize = 254;

    /// Takes a dot-atom local part and a domain name, which is turned into its ASCII (IDNA) form.
    ///
    /// Quoted local parts, address literals and single-label domains are refused: no person's mailbox needs them, and they are
    /// the ones that break mail software.
    pub fn parse(text: &str) -> Result<Self, InvalidRecipient> {
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidRecipient::Email)?;
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| InvalidRecipient::Email)?;
        let address = format!("{local}@{domain}");
        let sound = is_dot_atom(local)
            && local.len() <= Self::MAX_LOCAL
            && address.len() <= Self::MAX_ADDRESS
            && domain.contains('.')
            && !domain.ends_with('.')
            && domain.rsplit('.').next().is_some_and(|last| !last.bytes().all(|byte| byte.is_ascii_digit()));
        if sound { Ok(Self { address }) } else { Err(InvalidRecipient::Email) }
    }

    /// The address as mail software wants it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.address
    }
}

/// RFC 5322 dot-atom, with the letters beyond ASCII that RFC 6531 adds.
fn is_dot_atom(local: &str) -> bool {
    const SPECIAL: &str = "!#$%&'*+-/=?^_`{|}~";
    local.split('.').all(|atom| {
        !atom.is_empty()
            && atom.chars().all(|c| c.is_ascii_alphanumeric() || SPECIAL.contains(c) || (!c.is_ascii() && c.is_alphanumeric()))
    })
}

impl PhoneNumber {
    /// Takes `+`, a first digit from 1 to 9, and 6 to 14 more.
    pub fn parse(text: &str) -> Result<Self, InvalidRecipient> {
        let digits = text.strip_prefix('+').ok_or(InvalidRecipient::Phone)?;
        let sound =
            (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
        if sound { Ok(Self { e164: text.to_owned() }) } else { Err(InvalidRecipient::Phone) }
    }

    /// The number with its `+`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.e164
    }
}

/// Whom a message is for. `Debug` and [`Recipient::masked`] never show the whole address.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Recipient {
    /// For the e-mail channel.
    Email(EmailAddress),
    /// For every channel that goes to a phone.
    Phone(PhoneNumber),
}

impl Recipient {
    /// Reads an address in the form that `channel` needs.
    pub fn parse(channel: Channel, text: &str) -> Result<Self, InvalidRecipient> {
        match channel {
            Channel::Email => EmailAddress::parse(text).map(Self::Email),
            Channel::Sms | Channel::Whatsapp | Channel::Voice => PhoneNumber::parse(text).map(Self::Phone),
        }
    }

    /// The address for delivery. Never for a log.
    #[must_use]
    pub fn address(&self) -> &str {
        match self {
            Self::Email(email) => email.as_str(),
            Self::Phone(phone) => phone.as_str(),
        }
    }

    /// The form in which two spellings of one recipient are equal: for limits, budgets and proofs. Only ASCII letters are folded:
    /// beyond them, lower case can turn one person's mailbox into another's.
    #[must_use]
    pub fn normalised(&self) -> String {
        match self {
            Self::Email(email) => email.as_str().to_ascii_lowercase(),
            Self::Phone(phone) => phone.as_str().to_owned(),
        }
    }

    /// Enough to recognise it by, too little to use it: `a•••@example.com`, `+1202•••0143`.
    #[must_use]
    pub fn masked(&self) -> String {
        match self {
            Self::Email(email) => {
                let (local, domain) = email.as_str().rsplit_once('@').unwrap_or_default();
                let first: String = local.chars().take(1).collect();
                format!("{first}•••@{domain}")
            }
            Self::Phone(phone) => {
                let number = phone.as_str();
                let tail = if number.len() >= 12 { 4 } else { 2 };
                let head = number.len().saturating_sub(tail + 3).min(5);
                format!("{}•••{}", &number[..head], &number[number.len() - tail..])
            }
        }
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_people_really_have_are_taken() {
        for address in ["user@example.com", "o'hara+tag@sub.example.co.uk", "müller@bücher.example", "a@b.co"] {
            assert!(EmailAddress::parse(address).is_ok(), "{address}");
        }
        for number in ["+1234567890", "+919876543210", "+442071234567", "+1234567"] {
            assert!(PhoneNumber::parse(number).is_ok(), "{number}");
        }
    }

    #[test]
    fn broken_addresses_are_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}.com", "b.".repeat(130));
        for address in [
            "",
            "user",
            "@example.com",
            "user@",
            "user@localhost",
            "a b@example.com",
            "a..b@example.com",
            ".a@example.com",
            "a@example..com",
            "a@exa mple.com",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "\"a\"@example.com",
            "a@b@example.com",
            "a@-x.com",
            "a\r\nBcc: b@example.com",
            "a@example.com\n",
            "<a@example.com>",
            &long,
            &longer,
        ] {
            assert_eq!(EmailAddress::parse(address), Err(InvalidRecipient::Email), "{address:?}");
        }
        for number in ["1234567890", "+1 (234) 567-8900", "+0123456789", "+123456", "+1234567890123456", "+12345abc", "", "+"] {
            assert_eq!(PhoneNumber::parse(number), Err(InvalidRecipient::Phone), "{number:?}");
        }
    }

    #[test]
    fn a_domain_is_kept_in_its_ascii_form_and_a_local_part_as_written() {
        let parsed = EmailAddress::parse("Ann@BÜCHER.example").unwrap();
        assert_eq!(parsed.as_str(), "Ann@xn--bcher-kva.example");
        assert_eq!(Recipient::Email(parsed).normalised(), "ann@xn--bcher-kva.example");
    }

    #[test]
    fn a_letter_that_only_looks_like_another_names_another_mailbox() {
        let kelvin = Recipient::parse(Channel::Email, "\u{212a}arl@example.com").unwrap();
        assert_ne!(kelvin.normalised(), "karl@example.com");
    }

    #[test]
    fn a_masked_recipient_hides_its_middle() {
        let sms = Recipient::parse(Channel::Sms, "+12025550143").unwrap();
        assert_eq!(sms.masked(), "+1202•••0143");
        let email = Recipient::parse(Channel::Email, "ann.smith@example.com").unwrap();
        assert_eq!(email.masked(), "a•••@example.com");
        assert_eq!(format!("{email:?}"), "a•••@example.com");
    }

    proptest! {
        #[test]
        fn masking_never_shows_a_whole_number(digits in "[1-9][0-9]{6,14}") {
            let number = Recipient::parse(Channel::Voice, &format!("+{digits}")).unwrap();
            let shown = number.masked().chars().filter(char::is_ascii_digit).count();
            prop_assert!(shown + 3 <= digits.len() + 1, "{}", number.masked());
        }

        #[test]
        fn no_text_makes_parsing_panic(text in ".{0,300}") {
            let _ = Recipient::parse(Channel::Email, &text).map(|recipient| recipient.masked());
            let _ = Recipient::parse(Channel::Sms, &text);
        }
    }
}
