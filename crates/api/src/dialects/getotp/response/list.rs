//! A page of a list.

use serde::Serialize;
use utoipa::ToSchema;

use super::super::request::page::{Page, token};

/// A page.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct ListReply<T> {
    data: Vec<T>,
    pagination: Pagination,
}

/// Where a page is among the others.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Pagination {
    /// The page, from 1.
    number: usize,
    /// Rows of it.
    size: usize,
    /// Rows of all pages.
    total: usize,
    links: Links,
}

/// Pages by their paths; `null` where there is none.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Links {
    #[schema(examples("/v1/templates?page_size=10"))]
    first: String,
    current: String,
    previous: Option<String>,
    next: Option<String>,
}

impl<T> ListReply<T> {
    /// A page of the list at `path`: its rows, and how many there are on all pages.
    pub(in super::super) fn new(path: &str, page: &Page, data: Vec<T>, total: usize) -> Self {
        let link = |offset: usize| match offset {
            0 => format!("{path}?page_size={}{}", page.size, page.filter),
            _ => format!("{path}?page_size={}&page_token={}{}", page.size, token(offset), page.filter),
        };
        let after = page.offset.saturating_add(page.size);
        let links = Links {
            first: link(0),
            current: link(page.offset),
            previous: (page.offset > 0).then(|| link(page.offset.saturating_sub(page.size))),
            next: (after < total).then(|| link(after)),
        };
        Self { pagination: Pagination { number: page.offset / page.size + 1, size: data.len(), total, links }, data }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::request::page::{Statuses, parse};
    use super::*;

    #[test]
    fn pages_lead_to_each_other() {
        let page = parse(&format!("page_size=2&page_token={}&filter[name]=a", token(2)), Statuses::Templates).unwrap();
        let reply = serde_json::to_value(ListReply::new("/v1/templates", &page, vec![3, 4], 5)).unwrap();
        let link = |offset| format!("/v1/templates?page_size=2&page_token={}&filter%5Bname%5D=a", token(offset));
        let first = "/v1/templates?page_size=2&filter%5Bname%5D=a";
        let expected = json!({"data": [3, 4], "pagination": {"number": 2, "size": 2, "total": 5,
            "links": {"first": first, "current": link(2), "previous": first, "next": link(4)}}});
        assert_eq!(reply, expected);
    }

    #[test]
    fn a_list_of_nothing_has_one_page() {
        let page = parse("", Statuses::Senders).unwrap();
        let reply = serde_json::to_value(ListReply::<u8>::new("/v1/senders", &page, Vec::new(), 0)).unwrap();
        let first = "/v1/senders?page_size=10";
        let links = json!({"first": first, "current": first, "previous": null, "next": null});
        assert_eq!(reply["pagination"], json!({"number": 1, "size": 0, "total": 0, "links": links}));
    }
}
