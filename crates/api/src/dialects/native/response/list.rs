//! Replies to list.

use countersign_core::Page;
use countersign_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::status::{self, StatusReply};
use crate::dialects::native::request::list::cursor;

/// A page of sessions, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListReply<'a> {
    data: Vec<StatusReply<'a>>,
    /// Whether there are older ones.
    has_more: bool,
    /// For the next page; opaque.
    next_cursor: Option<String>,
}

/// Prints the reply.
pub(crate) fn body(page: &Page, now: Timestamp, currency: &str) -> Result<Vec<u8>, serde_json::Error> {
    let data = page.sessions.iter().map(|session| status::reply(session, now, currency)).collect();
    serde_json::to_vec(&ListReply { data, has_more: page.next.is_some(), next_cursor: page.next.map(cursor) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{accepted, read, session};
    use super::*;

    #[test]
    fn a_page_says_whether_there_are_more() {
        let session = session("live", &accepted("sms"), &json!({}));
        let now = session.created_at();
        let next = Some(session.id());
        let reply = read(body(&Page { sessions: vec![session], next }, now, "USD"));
        assert_eq!((reply["data"].as_array().unwrap().len(), &reply["has_more"]), (1, &json!(true)), "{reply:#}");
        assert_eq!(reply["next_cursor"], "AAAAAAAAAAAAAAAAAAAAEA", "{reply:#}");
        let empty = read(body(&Page { sessions: Vec::new(), next: None }, now, "USD"));
        assert_eq!(empty, json!({"data": [], "has_more": false, "next_cursor": null}));
    }
}
