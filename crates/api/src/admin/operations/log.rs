//! What operators changed, and what the event log could not tell.

use countersign_core::manage::{AuditEntry, AuditView, PoisonName, PoisonView};
use serde_json::json;

use crate::admin::ask::Ask;
use crate::admin::problem::Problem;
use crate::admin::reply::{Page, Reply};
use crate::admin::schema;

/// List changes
///
/// Newest first. Holds no secrets.
#[utoipa::path(get, path = "/admin/v1/audit", tag = "installation", operation_id = "listAudit", security(("admin_token" = [])),
    params(("tenant" = Option<String>, Query, description = "Only changes of this tenant, by id or name."),
           ("limit" = Option<u32>, Query, description = "1 to 100; 50."), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page.", body = Page<schema::AuditEntry>)))]
pub(crate) async fn list_audit(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let parameters = ask.parameters(&["tenant", "limit", "cursor"])?;
    let limit = parameters.limit()?;
    let before = parameters.read("cursor", "a next_cursor of this list", |text| text.parse().ok())?;
    let tenant = match parameters.get("tenant") {
        Some(named) => Some(ask.platform().tenant(named).await?.id),
        None => None,
    };
    let entries = ask.platform().list_audit(tenant, before, limit + 1).await?;
    Reply::ok(&Page::of(entries, limit, |entry: &AuditEntry| entry.number.to_string(), AuditView::of))
}

/// List set-aside log entries
///
/// Entries that the projector could not take in, oldest first: the order in which retrying them makes sense.
#[utoipa::path(get, path = "/admin/v1/poison", tag = "installation", operation_id = "listPoison", security(("admin_token" = [])),
    params(("limit" = Option<u32>, Query, description = "1 to 100; 50.")),
    responses((status = 200, description = "The first of them.", body = Page<schema::PoisonEntry>)))]
pub(crate) async fn list_poison(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let limit = ask.parameters(&["limit"])?.limit()?;
    let entries = ask.platform().list_poison(limit + 1).await?;
    // There is no going on behind them: the first are to be dealt with first.
    let page = Page::of(entries, limit, |_| String::new(), PoisonView::of);
    Reply::ok(&Page { next_cursor: None, ..page })
}

/// Retry a set-aside log entry
#[utoipa::path(post, path = "/admin/v1/poison/{entry}/retry", tag = "installation", operation_id = "retryPoison",
    security(("admin_token" = [])), params(("entry" = String, Path)),
    responses((status = 200, description = "Whether it is taken in now.", body = schema::Retried), (status = 404, description = "No such entry.")))]
pub(crate) async fn retry_poison(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let error = ask.platform().retry_poison(&ask.order()?, name(ask)?).await?;
    Reply::ok(&json!({"taken_in": error.is_none(), "error": error}))
}

/// Give a set-aside log entry up
///
/// What it would have caused is missing for ever.
#[utoipa::path(delete, path = "/admin/v1/poison/{entry}", tag = "installation", operation_id = "deletePoison",
    security(("admin_token" = [])), params(("entry" = String, Path)),
    responses((status = 200, description = "It is gone.", body = schema::Deleted), (status = 404, description = "No such entry.")))]
pub(crate) async fn delete_poison(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let name = name(ask)?;
    ask.platform().delete_poison(&ask.order()?, name).await?;
    Reply::deleted(&name.to_string())
}

fn name(ask: &Ask<'_>) -> Result<PoisonName, Problem> {
    PoisonName::read(ask.names[0]).ok_or_else(|| Problem::missing("set-aside entry"))
}
