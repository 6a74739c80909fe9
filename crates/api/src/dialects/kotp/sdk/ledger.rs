//! `GET /v1/credit-ledger`.

use actix_web::HttpRequest;
use countersign_core::{Caller, LedgerEntry, LedgerFilter, LedgerPage, Platform, amount_json, otp_id};
use countersign_model::{KeyKind, LedgerId, TenantId};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::CURRENCY;
use super::issues::LIMIT;
use super::schema::{EntryType, LedgerParameters};
use crate::dialects::kotp::Reply;
use crate::dialects::kotp::error;
use crate::dialects::kotp::failure::Failure;
use crate::dialects::kotp::query::Query;
use crate::fields::Faults;

/// A page of the ledger, newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LedgerReply {
    items: Vec<LedgerRow>,
    /// For the next page; opaque. Missing on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// What was paid in, or taken.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LedgerRow {
    ledger_id: String,
    #[schema(value_type = EntryType)]
    entry_type: &'static str,
    /// Below zero: taken.
    #[schema(value_type = f64)]
    amount_delta: Value,
    #[schema(value_type = f64)]
    balance_after: Value,
    currency: &'static str,
    #[schema(format = DateTime)]
    created_at: String,
    /// For which issue it was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    issue_id: Option<String>,
    /// Who spent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<String>,
}

/// List what was paid in and what was taken
///
/// A test key, which spends nothing, has an empty one.
#[utoipa::path(
    get, path = "/v1/credit-ledger", tag = "wallet", operation_id = "listLedger", security(("api_key" = [])), params(LedgerParameters),
    responses((status = 200, description = "A page.", body = LedgerReply))
)]
pub(crate) async fn run(platform: &Platform, caller: &Caller, request: &HttpRequest) -> Result<Reply, Failure> {
    let query = Query::of(request);
    let asked = parse(&query).map_err(|faults| Failure::of_faults(faults, |name| query.given(name)))?;
    let page = match caller.scope.keys {
        KeyKind::Live => platform.ledger(caller, &asked.filter, asked.after, asked.limit).await,
        KeyKind::Test => platform.admit(caller).await.map(|_| LedgerPage { rows: Vec::new(), next: None }),
    };
    let LedgerPage { rows, next } = page.map_err(error::of_refusal)?;
    let items = rows.iter().map(|entry| row(entry, caller.scope.tenant)).collect();
    Reply::new(&LedgerReply { items, next_cursor: next.map(|id| id.to_string()) })
}

/// Which page of which list.
struct Asked {
    filter: LedgerFilter,
    after: Option<LedgerId>,
    limit: u32,
}

fn parse(query: &Query) -> Result<Asked, Faults> {
    let mut faults = Faults::default();
    let limit = query.limit(LIMIT, &mut faults);
    let after = query.parsed("cursor", "the nextCursor of the page before", |text| text.parse().ok(), &mut faults);
    let kind = query.parsed("entryType", "credit, debit, refund or clawback", |text| text.parse().ok(), &mut faults);
    let (from, to) = query.span("createdFrom", "createdTo", &mut faults);
    faults.or(Some(Asked { filter: LedgerFilter { kind, from, to }, after, limit }))
}

fn row(entry: &LedgerEntry, tenant: TenantId) -> LedgerRow {
    LedgerRow {
        ledger_id: entry.id.to_string(),
        entry_type: entry.kind.as_str(),
        amount_delta: amount_json(entry.amount),
        balance_after: amount_json(entry.balance_after),
        currency: CURRENCY,
        created_at: entry.at.to_string(),
        issue_id: entry.session.map(otp_id),
        app_id: entry.session.map(|_| tenant.to_string()),
    }
}
