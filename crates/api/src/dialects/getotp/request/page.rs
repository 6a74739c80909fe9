//! Which page of a list.

use actix_web::web::Query;
use data_encoding::BASE64URL_NOPAD;

use super::super::error::{Failure, Faults};
use super::super::words;

/// Rows of a page when the call does not say.
const SIZE: usize = 10;
/// Most rows of a page.
const MOST: usize = 1000;

/// What a list may be narrowed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Statuses {
    /// Those of templates.
    Templates,
    /// Those of senders.
    Senders,
    /// None.
    None,
}

/// A page, as asked for.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Page {
    /// Rows before it.
    pub(in super::super) offset: usize,
    /// Most rows of it.
    pub(in super::super) size: usize,
    /// Whether rows in the only state that ours have are wanted.
    pub(in super::super) is_wanted: bool,
    /// Only those whose name starts so.
    pub(in super::super) name: Option<String>,
    /// What else was asked for, to be repeated in links: encoded, each part behind an `&`.
    pub(in super::super) filter: String,
}

/// Where a page begins, for a caller to hand back. Opaque: its form may change.
pub(in super::super) fn token(offset: usize) -> String {
    BASE64URL_NOPAD.encode(&(offset as u64).to_be_bytes())
}

fn offset_of(token: &str) -> Option<usize> {
    let bytes: [u8; 8] = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?.try_into().ok()?;
    usize::try_from(u64::from_be_bytes(bytes)).ok()
}

impl Statuses {
    /// The one that all our rows have.
    pub(in super::super) const fn ours(self) -> &'static str {
        match self {
            Self::Templates => "COMPLETED",
            Self::Senders => "Available",
            Self::None => "",
        }
    }

    /// Whether a word is one of the vendor's. Those of senders it does not list.
    fn knows(self, status: &str) -> bool {
        match self {
            Self::Templates => ["COMPLETED", "IN_PROCESS", "CANCELED"].iter().any(|known| known.eq_ignore_ascii_case(status)),
            Self::Senders | Self::None => true,
        }
    }
}

/// Reads the query. An empty parameter is the same as none.
pub(in super::super) fn parse(query: &str, statuses: Statuses) -> Result<Page, Failure> {
    let mut faults = Faults::default();
    let mut page = Page { offset: 0, size: SIZE, is_wanted: true, name: None, filter: String::new() };
    let query = Query::<Vec<(String, String)>>::from_query(query).map(Query::into_inner).unwrap_or_default();
    for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        match name.as_str() {
            "page_size" => match value.parse().ok().filter(|size| (1..=MOST).contains(size)) {
                Some(size) => page.size = size,
                None => faults.add(words::MALFORMED.saying("'page_size' must be an integer from 1 to 1000")),
            },
            "page_token" => match offset_of(value) {
                Some(offset) => page.offset = offset,
                None => faults.add(words::MALFORMED.saying("'page_token' must come from a link of this list")),
            },
            "filter[status]" if statuses != Statuses::None => {
                if !statuses.knows(value) {
                    faults.add(words::MALFORMED.saying("'filter[status]' must be COMPLETED, IN_PROCESS or CANCELED"));
                }
                page.is_wanted = value.eq_ignore_ascii_case(statuses.ours());
                page.filter = page.filter + "&filter%5Bstatus%5D=" + &encoded(value);
            }
            "filter[name]" if statuses == Statuses::Templates => {
                page.filter = page.filter + "&filter%5Bname%5D=" + &encoded(value);
                page.name = Some(value.clone());
            }
            _ => {}
        }
    }
    faults.or(Some(page))
}

/// A value as it stands in a query.
fn encoded(value: &str) -> String {
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    value.bytes().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Page, Vec<u16>> {
        parse(query, Statuses::Templates).map_err(|failure| failure.numbers())
    }

    #[test]
    fn without_parameters_it_is_the_first_ten() {
        let page = read("").unwrap();
        assert_eq!((page.offset, page.size, page.is_wanted, page.name), (0, 10, true, None));
    }

    #[test]
    fn a_page_is_found_by_its_token() {
        let query = format!("page_size=2&page_token={}&filter%5Bname%5D=log+in", token(4));
        let page = read(&query).unwrap();
        assert_eq!((page.offset, page.size, page.name.as_deref()), (4, 2, Some("log in")));
        assert_eq!(page.filter, "&filter%5Bname%5D=log%20in");
    }

    #[test]
    fn a_status_that_none_of_ours_has_wants_none_of_them() {
        assert!(read("filter[status]=completed").unwrap().is_wanted);
        assert!(!read("filter[status]=IN_PROCESS").unwrap().is_wanted);
        assert!(!parse("filter[status]=Retired", Statuses::Senders).unwrap().is_wanted);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for wrong in ["page_size=0", "page_size=1001", "page_size=x", "page_token=zz", "filter[status]=new"] {
            assert_eq!(read(wrong), Err(vec![1400]), "{wrong}");
        }
    }
}
