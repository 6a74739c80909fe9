//! `GET /contacts`.

use actix_web::HttpRequest;
use actix_web::web::Query;
use countersign_core::ContactStart;
use countersign_model::{ContactId, EmailAddress};
use data_encoding::BASE64URL_NOPAD;

use super::INVALID_FIELD;
use crate::fields::Faults;

/// The parameters of the call.
pub(super) const PARAMETERS: [&str; 5] = ["page", "starting_after", "cursor", "limit", "email"];
/// What a vendor's clients also ask a list for. Without a word they would be given contacts that they did not ask for.
const NOT_HERE: [&str; 6] = ["search", "tags", "is_active", "is_unsubscribed", "sort_by", "sort_order"];
/// Contacts of a page when the call does not say.
const LIMIT: u32 = 20;
/// The farthest page: what lies behind is reached by cursor.
const MOST_PAGES: u32 = 100_000;

/// Where a page begins, as the caller said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// By its number, from 1.
    Page(u32),
    /// Behind a contact.
    After(ContactId),
}

/// Which page of contacts.
#[derive(Debug)]
pub(crate) struct ContactList {
    pub(crate) from: From,
    pub(crate) limit: u32,
    /// Only the contact with this address.
    pub(crate) email: Option<EmailAddress>,
}

impl ContactList {
    /// Where to begin.
    pub(crate) fn start(&self) -> ContactStart {
        match self.from {
            From::Page(page) => ContactStart::Offset(u64::from(page.saturating_sub(1)) * u64::from(self.limit)),
            From::After(id) => ContactStart::After(id),
        }
    }
}

/// Where a page ends, for a caller to hand back. Opaque: its form may change.
pub(crate) fn cursor(last: ContactId) -> String {
    BASE64URL_NOPAD.encode(&last.bits().to_be_bytes())
}

fn contact_of(cursor: &str) -> Option<ContactId> {
    let bytes: [u8; 16] = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?.try_into().ok()?;
    Some(ContactId::from_bits(u128::from_be_bytes(bytes)))
}

/// Reads the query, and tells all that is wrong with it. An empty parameter is the same as none.
pub(crate) fn parse(request: &HttpRequest) -> Result<ContactList, Faults> {
    let mut faults = Faults::default();
    let query = Query::<Vec<(String, String)>>::from_query(request.query_string()).map(Query::into_inner).unwrap_or_default();
    let mut starts = Vec::new();
    let (mut limit, mut email) = (LIMIT, None);
    for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        let wrong = |must: &str, faults: &mut Faults| faults.add(name, INVALID_FIELD, format!("{name} must be {must}"));
        match name.as_str() {
            "page" => match value.parse().ok().filter(|page| (1..=MOST_PAGES).contains(page)) {
                Some(page) => starts.push(From::Page(page)),
                None => wrong("an integer from 1 to 100000", &mut faults),
            },
            "starting_after" => match value.parse() {
                Ok(id) => starts.push(From::After(id)),
                Err(_) => wrong("the id of a contact", &mut faults),
            },
            "cursor" => match contact_of(value) {
                Some(id) => starts.push(From::After(id)),
                None => wrong("a next_cursor of this list", &mut faults),
            },
            "limit" => match value.parse().ok().filter(|limit| (1..=100).contains(limit)) {
                Some(wanted) => limit = wanted,
                None => wrong("an integer from 1 to 100", &mut faults),
            },
            "email" => match EmailAddress::parse(value) {
                Ok(address) => email = Some(address),
                Err(_) => wrong("an email address", &mut faults),
            },
            other if NOT_HERE.contains(&other) => {
                faults.add(other, "unknown_field", format!("{other} is not a parameter of this list"));
            }
            _ => {}
        }
    }
    if starts.len() > 1 {
        faults.add("cursor", INVALID_FIELD, "Give one of page, starting_after and cursor");
    }
    if super::headers::wants_strict(request.headers()) {
        let known = |name: &str| PARAMETERS.contains(&name) || NOT_HERE.contains(&name);
        for (name, _) in query.iter().filter(|(name, _)| !known(name)) {
            faults.unknown("", name);
        }
    }
    let from = starts.first().copied().unwrap_or(From::Page(1));
    faults.or(Some(ContactList { from, limit, email }))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::fields::Fault;

    fn read(query: &str) -> Result<ContactList, Vec<Fault>> {
        parse(&TestRequest::get().uri(&format!("/api/v1/contacts?{query}")).to_http_request()).map_err(Faults::into_vec)
    }

    #[test]
    fn without_parameters_it_is_the_newest_twenty() {
        let list = read("").unwrap();
        assert_eq!((list.from, list.limit, list.start()), (From::Page(1), 20, ContactStart::Offset(0)));
    }

    #[test]
    fn a_page_is_found_by_number_by_contact_or_by_cursor() {
        let id = ContactId::from_bits(42);
        assert_eq!(read("page=3&limit=50").unwrap().start(), ContactStart::Offset(100));
        assert_eq!(read(&format!("starting_after={id}")).unwrap().start(), ContactStart::After(id));
        assert_eq!(read(&format!("cursor={}", cursor(id))).unwrap().start(), ContactStart::After(id));
        assert_eq!(read(&format!("page=2&cursor={}", cursor(id))).unwrap_err()[0].field, "cursor");
    }

    #[test]
    fn every_fault_is_told() {
        let faults = read("page=0&starting_after=ses_1&cursor=zz&limit=101&email=ann").unwrap_err();
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["page", "starting_after", "cursor", "limit", "email"]);
        assert_eq!(read("limit=0").unwrap_err().len(), 1);
        assert_eq!(read("page=100001").unwrap_err().len(), 1);
    }

    #[test]
    fn what_the_list_cannot_be_narrowed_by_is_refused_and_not_passed_over() {
        for name in NOT_HERE {
            assert_eq!(read(&format!("{name}=x")).unwrap_err()[0].field, name);
        }
        assert!(read("utm_source=x").is_ok());
    }
}
