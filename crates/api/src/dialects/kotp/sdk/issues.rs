//! `GET /v1/issues` and `GET /v1/issues/{issueId}`.

use actix_web::HttpRequest;
use countersign_core::{Caller, IssueFilter, IssuePage, IssuePlace, Platform, Refusal, SessionState};
use serde::Serialize;
use utoipa::ToSchema;

use super::issue_row::IssueRow;
use super::schema::IssueParameters;
use crate::dialects::kotp::Reply;
use crate::dialects::kotp::failure::Failure;
use crate::dialects::kotp::query::Query;
use crate::dialects::kotp::{error, ids};
use crate::fields::Faults;

/// Rows of a page when the call does not say.
pub(super) const LIMIT: u32 = 50;

/// A page of issues, newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IssuesReply {
    items: Vec<IssueRow>,
    /// For the next page; opaque. Missing on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List issues
///
/// Newest first, whatever API they were sent by.
#[utoipa::path(
    get, path = "/v1/issues", tag = "issues", operation_id = "listIssues", security(("api_key" = [])), params(IssueParameters),
    responses((status = 200, description = "A page.", body = IssuesReply))
)]
pub(crate) async fn list(platform: &Platform, caller: &Caller, request: &HttpRequest) -> Result<Reply, Failure> {
    let query = Query::of(request);
    let asked = parse(&query).map_err(|faults| Failure::of_faults(faults, |name| query.given(name)))?;
    let page = platform.issues(caller, &asked.filter, asked.after.as_ref(), asked.limit).await;
    let IssuePage { rows, next, lag } = page.map_err(error::of_refusal)?;
    let items = rows.iter().map(IssueRow::from).collect();
    Ok(Reply::new(&IssuesReply { items, next_cursor: next.map(|place| place.to_string()) })?.lagging(lag))
}

/// Look at an issue and what it cost
#[utoipa::path(
    get, path = "/v1/issues/{issueId}", tag = "issues", operation_id = "showIssue", security(("api_key" = [])),
    params(("issueId" = String, Path, description = "From the issue.")),
    responses((status = 200, description = "The issue as it stands.", body = IssueRow),
              (status = 404, description = "`NOT_FOUND`: there is no such issue."))
)]
pub(crate) async fn show(platform: &Platform, caller: &Caller, name: &str) -> Result<Reply, Failure> {
    let session = ids::session(name).ok_or_else(|| error::of_refusal(Refusal::Unknown))?;
    let issue = platform.issue(caller, session).await.map_err(error::of_refusal)?;
    Reply::new(&IssueRow::from(&issue))
}

/// Which page of which list.
struct Asked {
    filter: IssueFilter,
    after: Option<IssuePlace>,
    limit: u32,
}

fn parse(query: &Query) -> Result<Asked, Faults> {
    let mut faults = Faults::default();
    let limit = query.limit(LIMIT, &mut faults);
    let after = query.parsed("cursor", "the nextCursor of the page before", |text| text.parse().ok(), &mut faults);
    let state = query.parsed("verificationStatus", "issued, verified, expired, max_attempts or replaced", state, &mut faults);
    let (from, to) = query.span("createdFrom", "createdTo", &mut faults);
    faults.or(Some(Asked { filter: IssueFilter { state, from, to }, after, limit }))
}

fn state(word: &str) -> Option<SessionState> {
    match word {
        "issued" => Some(SessionState::Pending),
        "verified" => Some(SessionState::Verified),
        "expired" => Some(SessionState::Expired),
        "max_attempts" => Some(SessionState::Locked),
        "replaced" => Some(SessionState::Canceled),
        _ => None,
    }
}
