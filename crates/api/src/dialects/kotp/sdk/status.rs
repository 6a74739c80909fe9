//! `GET /v1/status?issueId=`.

use actix_web::HttpRequest;
use countersign_core::{Caller, Platform, Refusal};

use super::issue_row::StatusReply;
use crate::dialects::kotp::Reply;
use crate::dialects::kotp::failure::Failure;
use crate::dialects::kotp::query::Query;
use crate::dialects::kotp::words::INVALID_PARAMETER;
use crate::dialects::kotp::{error, ids};
use crate::fields::Faults;

/// Look at an issue
#[utoipa::path(
    get, path = "/v1/status", tag = "issues", operation_id = "showStatus", security(("api_key" = [])),
    params(("issueId" = String, Query, description = "From the issue.")),
    responses((status = 200, description = "The issue as it stands.", body = StatusReply),
              (status = 404, description = "`NOT_FOUND`: there is no such issue."))
)]
pub(crate) async fn run(platform: &Platform, caller: &Caller, request: &HttpRequest) -> Result<Reply, Failure> {
    let query = Query::of(request);
    let Some(id) = query.get("issueId") else {
        let mut faults = Faults::default();
        faults.add("issueId", INVALID_PARAMETER, "issueId is missing: which issue is it?");
        return Err(Failure::of_faults(faults, |_| None));
    };
    let session = ids::session(id).ok_or_else(|| error::of_refusal(Refusal::Unknown))?;
    let issue = platform.issue(caller, session).await.map_err(error::of_refusal)?;
    Reply::new(&StatusReply::from(&issue))
}
