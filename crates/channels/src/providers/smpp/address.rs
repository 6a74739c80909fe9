//! Who a message comes from and goes to, as SMPP writes it.

use rusmpp::types::COctetString;
use rusmpp::values::{Npi, Ton};

/// A number or name with its type.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) ton: Ton,
    pub(super) npi: Npi,
    pub(super) text: COctetString<1, 21>,
}

/// Most digits of a short code; a longer number is an international one.
const SHORT_CODE: usize = 6;

const INTERNATIONAL: (u8, u8) = (1, 1);
const NETWORK_SPECIFIC: (u8, u8) = (3, 0);
const ALPHANUMERIC: (u8, u8) = (5, 0);

/// Takes a sender for what it looks like: a number, a short code or a name. None: it is empty, longer than 20 characters or not ASCII.
pub(super) fn guess(sender: &str) -> Option<Address> {
    let digits = sender.strip_prefix('+').unwrap_or(sender);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let (ton, npi) = match digits.len() {
        _ if !is_number => ALPHANUMERIC,
        ..=SHORT_CODE => NETWORK_SPECIFIC,
        _ => INTERNATIONAL,
    };
    of(if is_number { digits } else { sender }, ton, npi)
}

/// The address with this type, whatever it looks like; none: it does not fit.
pub(super) fn of(text: &str, ton: u8, npi: u8) -> Option<Address> {
    let fits = !text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let text = fits.then(|| text.parse().ok())??;
    Some(Address { ton: Ton::from(ton), npi: Npi::from(npi), text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_taken_for_what_it_looks_like() {
        let cases = [
            ("+12025550100", Some((1, 1, "12025550100"))),
            ("12025550100", Some((1, 1, "12025550100"))),
            ("72345", Some((3, 0, "72345"))),
            ("123456", Some((3, 0, "123456"))),
            ("1234567", Some((1, 1, "1234567"))),
            ("Acme", Some((5, 0, "Acme"))),
            ("Acme 24", Some((5, 0, "Acme 24"))),
            ("+Acme", Some((5, 0, "+Acme"))),
            ("12345678901234567890", Some((1, 1, "12345678901234567890"))),
            ("123456789012345678901", None),
            ("Söhne", None),
            ("A\0B", None),
            ("", None),
        ];
        for (sender, expected) in cases {
            let address = guess(sender);
            let shown = address.as_ref().map(|it| (u8::from(it.ton), u8::from(it.npi), it.text.as_str()));
            assert_eq!(shown, expected, "{sender:?}");
        }
    }
}
