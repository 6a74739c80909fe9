//! `GET /v1/otps`.

use actix_web::HttpRequest;
use countersign_core::{Caller, HistoryFilter, HistoryPage, OtpView, Platform, otp_id};
use serde::Serialize;
use utoipa::ToSchema;

use super::schema::{ListParameters, Method, OtpStatus};
use crate::dialects::kotp::Reply;
use crate::dialects::kotp::error;
use crate::dialects::kotp::failure::Failure;
use crate::dialects::kotp::query::Query;
use crate::fields::Faults;

/// Rows of a page when the call does not say.
const LIMIT: u32 = 20;

/// A page of OTPs, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListReply<'a> {
    data: Vec<ListedOtp<'a>>,
    pagination: Pagination,
}

/// An OTP in a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListedOtp<'a> {
    id: String,
    to: &'a str,
    #[schema(value_type = Method)]
    method: &'static str,
    #[schema(value_type = OtpStatus)]
    status: &'static str,
    #[schema(format = DateTime)]
    created_at: String,
    /// Only in the sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
}

/// Where a page stands in its list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Pagination {
    limit: u32,
    offset: u64,
    /// OTPs that the filter lets through.
    total: u64,
    has_more: bool,
}

/// Which page of which list.
#[derive(Debug)]
struct Asked {
    filter: HistoryFilter,
    offset: u64,
    limit: u32,
}

/// List OTPs
///
/// Newest first, whatever API they were sent by. The list waits up to a second for what was done just before; where that was not enough,
/// `X-Records-Lag` says by how many seconds it lags.
#[utoipa::path(
    get, path = "/v1/otps", tag = "otps", operation_id = "listOtps", security(("api_key" = [])), params(ListParameters),
    responses((status = 200, description = "A page.", body = ListReply))
)]
pub(crate) async fn run(platform: &Platform, caller: &Caller, request: &HttpRequest) -> Result<Reply, Failure> {
    let query = Query::of(request);
    let asked = parse(&query).map_err(|faults| Failure::of_faults(faults, |name| query.given(name)))?;
    let page = platform.history(caller, &asked.filter, asked.offset, asked.limit).await.map_err(error::of_refusal)?;
    Ok(Reply::new(&reply(&page, &asked))?.lagging(page.lag))
}

fn parse(query: &Query) -> Result<Asked, Faults> {
    let mut faults = Faults::default();
    let limit = query.limit(LIMIT, &mut faults);
    let offset = query.parsed("offset", "an integer, 0 or more", offset, &mut faults).unwrap_or(0);
    let channel = query.parsed("method", "sms, email, voice or whatsapp", |text| text.parse().ok(), &mut faults);
    let must = "pending, sent, delivered, failed, expired or verified";
    let status = query.parsed("status", must, |text| text.parse().ok(), &mut faults);
    let (from, to) = query.span("from", "to", &mut faults);
    faults.or(Some(Asked { filter: HistoryFilter { channel, status, from, to }, offset, limit }))
}

/// As many as a store can count.
fn offset(text: &str) -> Option<u64> {
    text.parse().ok().filter(|offset| i64::try_from(*offset).is_ok())
}

fn reply<'a>(page: &'a HistoryPage, asked: &Asked) -> ListReply<'a> {
    let Asked { offset, limit, .. } = *asked;
    let shown = u64::try_from(page.rows.len()).unwrap_or(u64::MAX);
    ListReply {
        data: page.rows.iter().map(row).collect(),
        pagination: Pagination { limit, offset, total: page.total, has_more: offset.saturating_add(shown) < page.total },
    }
}

fn row(otp: &OtpView) -> ListedOtp<'_> {
    ListedOtp {
        id: otp_id(otp.session),
        to: otp.to.address(),
        method: otp.method.as_str(),
        status: otp.status.as_str(),
        created_at: otp.created_at.whole_seconds(),
        sandbox: otp.sandbox.then_some(true),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use countersign_core::ShownStatus;
    use countersign_model::Channel;

    use super::*;

    fn read(query: &str) -> Result<Asked, Vec<String>> {
        let request = TestRequest::with_uri(&format!("/v1/otps?{query}")).to_http_request();
        parse(&Query::of(&request)).map_err(|faults| faults.into_vec().into_iter().map(|fault| fault.field).collect())
    }

    #[test]
    fn without_parameters_it_is_the_newest_twenty() {
        let asked = read("").unwrap();
        assert_eq!((asked.limit, asked.offset, asked.filter.channel, asked.filter.from), (20, 0, None, None));
    }

    #[test]
    fn every_parameter_is_read() {
        let asked = read("limit=5&offset=40&method=voice&status=delivered&from=2026-01-01&to=2026-01-31").unwrap();
        assert_eq!((asked.limit, asked.offset, asked.filter.channel), (5, 40, Some(Channel::Voice)));
        assert_eq!(asked.filter.status.map(ShownStatus::as_str), Some("delivered"));
        assert!(asked.filter.from < asked.filter.to, "{asked:?}");
    }

    #[test]
    fn a_bad_value_is_named() {
        for (query, field) in [
            ("limit=0", "limit"),
            ("offset=-1", "offset"),
            ("offset=99999999999999999999", "offset"),
            ("method=fax", "method"),
            ("status=open", "status"),
            ("from=yesterday", "from"),
            ("to=soon", "to"),
        ] {
            assert_eq!(read(query).unwrap_err(), [field], "{query}");
        }
    }
}
