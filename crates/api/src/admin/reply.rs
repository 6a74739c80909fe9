//! Replies that went well.

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::ask::INVALID_FIELD;
use super::problem::Problem;
use crate::fields::Faults;

const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A status and a JSON body.
pub(super) struct Reply {
    status: StatusCode,
    body: Vec<u8>,
    replayed: bool,
}

/// Part of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    /// Whether there are more.
    pub(crate) has_more: bool,
    /// For the next page.
    pub(crate) next_cursor: Option<String>,
}

impl Reply {
    /// 200.
    pub(super) fn ok(body: &impl Serialize) -> Result<Self, Problem> {
        Self::new(StatusCode::OK, body)
    }

    /// 201. `replayed`: an earlier call with the same idempotency key made it.
    pub(super) fn created(body: &impl Serialize, replayed: bool) -> Result<Self, Problem> {
        Self::new(StatusCode::CREATED, body).map(|reply| Self { replayed, ..reply })
    }

    /// 202: it holds, and is still to be written down.
    pub(super) fn accepted(body: &impl Serialize) -> Result<Self, Problem> {
        Self::new(StatusCode::ACCEPTED, body)
    }

    /// 200, for what is gone.
    pub(super) fn deleted(id: &str) -> Result<Self, Problem> {
        Self::ok(&json!({"id": id, "deleted": true}))
    }

    fn new(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        let printed = serde_json::to_vec(body).map_err(|_| Problem::internal("a reply could not be printed"))?;
        Ok(Self { status, body: printed, replayed: false })
    }

    /// As it goes out. Replies hold secrets at times: nobody keeps them.
    pub(super) fn respond(self) -> HttpResponse {
        let mut response = HttpResponse::with_body(self.status, BoxBody::new(self.body));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.replayed {
            headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

impl<T> Page<T> {
    /// At most `limit` of `rows`, which has one more where there is a next page.
    pub(super) fn of<R>(mut rows: Vec<R>, limit: u32, name: impl Fn(&R) -> String, show: impl Fn(&R) -> T) -> Self {
        let has_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next_cursor = rows.last().filter(|_| has_more).map(name);
        Self { data: rows.iter().map(show).collect(), has_more, next_cursor }
    }

    /// A page of a list that was read whole: what follows the row that `cursor` names.
    pub(super) fn within<R>(
        mut rows: Vec<R>,
        (limit, cursor): (u32, Option<String>),
        name: impl Fn(&R) -> String,
        show: impl Fn(&R) -> T,
    ) -> Result<Self, Problem> {
        if let Some(cursor) = cursor {
            let Some(last) = rows.iter().position(|row| name(row) == cursor) else {
                let mut faults = Faults::default();
                faults.add("cursor", INVALID_FIELD, "cursor must be a next_cursor of this list");
                return Err(faults.into());
            };
            rows.drain(..=last);
        }
        Ok(Self::of(rows, limit, name, show))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(limit: u32, cursor: Option<&str>) -> Option<(Vec<u32>, Option<String>)> {
        let rows = vec![1_u32, 2, 3, 4, 5];
        let page = Page::within(rows, (limit, cursor.map(str::to_owned)), ToString::to_string, |row| *row).ok()?;
        assert_eq!(page.has_more, page.next_cursor.is_some());
        Some((page.data, page.next_cursor))
    }

    #[test]
    fn pages_follow_each_other_to_the_end() {
        assert_eq!(page(2, None), Some((vec![1, 2], Some("2".to_owned()))));
        assert_eq!(page(2, Some("2")), Some((vec![3, 4], Some("4".to_owned()))));
        assert_eq!(page(2, Some("4")), Some((vec![5], None)));
        assert_eq!(page(5, None), Some((vec![1, 2, 3, 4, 5], None)));
        assert_eq!(page(2, Some("9")), None);
    }
}
