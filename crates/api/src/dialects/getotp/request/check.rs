//! `GET` of a verification: the check.

use actix_web::web::Query;
use countersign_core::{Check, Guess};
use countersign_model::{Channel, Recipient};

use super::super::error::{Failure, Faults};
use super::super::words;
use super::phone;

/// The parameters of the call.
#[cfg(test)]
pub(in super::super) const PARAMETERS: [&str; 3] = ["code", "phone", "email"];

/// Reads the query, and tells all that is wrong with it. Of a parameter that is there twice the first counts.
///
/// An empty `phone` is no phone: a client that has lost the number must not be given the code of anybody.
pub(in super::super) fn parse(query: &str) -> Result<Check, Failure> {
    let mut faults = Faults::default();
    let query = Query::<Vec<(String, String)>>::from_query(query).map(Query::into_inner).unwrap_or_default();
    let value = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
    let typed = |code: &&str| code.chars().all(is_typed) && code.chars().any(char::is_numeric);
    let code = value("code").filter(typed).and_then(Guess::read);
    if code.is_none() {
        faults.add(words::CODE_NOT_NUMERIC);
    }
    // An unencoded plus has become a space, which is gone already.
    let parsed = match (value("phone"), value("email")) {
        (None, None) => Ok(None),
        (Some(number), None) => phone(number).map(Some).map_err(|_| ()),
        (None, Some(address)) => Recipient::parse(Channel::Email, address).map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    };
    let recipient = parsed.unwrap_or_else(|()| {
        faults.add(words::INVALID_RECIPIENT);
        None
    });
    faults.or(code.map(|code| Check { code, recipient }))
}

/// What people put into a code: digits of any script, and what separates them.
fn is_typed(character: char) -> bool {
    character.is_numeric() || character.is_whitespace() || character == '-'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipient(query: &str) -> Option<String> {
        parse(query).unwrap().recipient.map(|recipient| recipient.address().to_owned())
    }

    fn numbers(query: &str) -> Vec<u16> {
        parse(query).unwrap_err().numbers()
    }

    #[test]
    fn a_phone_is_one_number_however_its_plus_came() {
        for phone in ["60123456789", "+60123456789", "%2B60123456789", "%2b60123456789", "%2060123456789", " 60123456789"] {
            assert_eq!(recipient(&format!("code=1234&phone={phone}")).as_deref(), Some("+60123456789"), "{phone}");
        }
    }

    #[test]
    fn a_code_needs_nobody_and_a_mailbox_may_be_named() {
        assert_eq!(recipient("code=1234"), None);
        assert_eq!(recipient("email=ann%40example.com&code=1234&page_size=3").as_deref(), Some("ann@example.com"));
    }

    #[test]
    fn without_a_code_there_is_nothing_to_check() {
        for missing in ["", "phone=60123456789", "code=", "code=%20", "code=-", "code=12ab", "CODE=1234"] {
            assert_eq!(numbers(missing), [1632], "{missing}");
        }
    }

    #[test]
    fn whoever_is_named_must_be_somebody() {
        for wrong in ["phone=", "phone=12a", "phone=%2B%2B60123456789", "email=", "email=ann", "phone=60123456789&email=a@b.co"] {
            assert_eq!(numbers(&format!("code=1234&{wrong}")), [1523], "{wrong}");
        }
        assert_eq!(numbers("phone=1"), [1523, 1632]);
    }
}
