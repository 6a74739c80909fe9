//! Money.

use countersign_core::manage::{BalanceView, DifferenceView, LedgerLine, LineFilter, LineView, MoneyView};
use countersign_model::Money;
use serde::Deserialize;
use serde_json::json;

use crate::admin::ask::Ask;
use crate::admin::problem::Problem;
use crate::admin::reply::{Page, Reply};
use crate::admin::request::{needed_parsed, read, whole};
use crate::admin::schema;
use crate::fields::{Faults, Fields};

pub(crate) const FIELDS: [&str; 2] = ["amount", "note"];
pub(crate) const ADJUSTMENT_FIELDS: [&str; 3] = ["amount", "note", "side"];

/// What an adjustment moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    /// The ledger and the balance that admits sends.
    Both,
    /// The ledger alone: it is put right by what the balance is.
    Ledger,
}

/// Show a wallet
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/wallet", tag = "wallet", operation_id = "showWallet",
    security(("admin_token" = [])), params(("tenant" = String, Path)),
    responses((status = 200, description = "The tenant's money, in both places.", body = schema::Wallet), (status = 404, description = "No such tenant.")))]
pub(crate) async fn show_wallet(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let wallet = ask.platform().show_wallet(ask.tenant().await?.id).await?;
    Reply::ok(&MoneyView::of(&wallet, ask.platform().currency()))
}

/// List a wallet's lines
///
/// Newest first.
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/wallet/lines", tag = "wallet", operation_id = "listLedger",
    security(("admin_token" = [])),
    params(("tenant" = String, Path), ("kind" = Option<String>, Query, description = "`credit`, `adjustment`, `capture` or `fee`."),
           ("limit" = Option<u32>, Query, description = "1 to 100; 50."), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page.", body = Page<schema::LedgerLine>), (status = 404, description = "No such tenant.")))]
pub(crate) async fn list_ledger(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let parameters = ask.parameters(&["kind", "limit", "cursor"])?;
    let filter = LineFilter {
        kind: parameters.read("kind", "credit, adjustment, capture or fee", |text| text.parse().ok())?,
        before: parameters.read("cursor", "a next_cursor of this list", |text| text.parse().ok())?,
    };
    let limit = parameters.limit()?;
    let lines = ask.platform().list_ledger(ask.tenant().await?.id, filter, limit + 1).await?;
    Reply::ok(&Page::of(lines, limit, |line: &LedgerLine| line.id.to_string(), LineView::of))
}

/// Pay an amount in
///
/// In the ledger when it is answered, in the balance at once or, where the line says `pending`, as soon as the session store is back.
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/wallet/credits", tag = "wallet", operation_id = "topUp",
    security(("admin_token" = [])),
    params(("tenant" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours. Send one.")),
    request_body = schema::AmountRequest,
    responses((status = 201, description = "The line.", body = schema::Credited), (status = 404, description = "No such tenant.")))]
pub(crate) async fn top_up(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let tenant = ask.tenant().await?.id;
    let (amount, note) = whole(&ask.body.object, &FIELDS, amount)?;
    let credited = ask.platform().top_up(&ask.order()?, tenant, amount, &note).await?;
    Reply::created(&json!({"line": LineView::of(&credited.line)}), credited.repeated)
}

/// Put a balance right
///
/// By an amount either way, with a note that says why. What would take more than there is, is `refused`. With `side` = `ledger` the balance stays
/// as it is: that closes a difference where the balance is what should be. Where the ledger is, rebuild.
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/wallet/adjustments", tag = "wallet", operation_id = "adjust",
    security(("admin_token" = [])),
    params(("tenant" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours. Send one.")),
    request_body = schema::AdjustmentRequest,
    responses((status = 201, description = "The line.", body = schema::Credited), (status = 404, description = "No such tenant.")))]
pub(crate) async fn adjust(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let tenant = ask.tenant().await?.id;
    let ((amount, note), side) = whole(&ask.body.object, &ADJUSTMENT_FIELDS, |fields, faults| {
        let side = read::<Side>(fields, "side", "both or ledger", faults).unwrap_or(Side::Both);
        Some((amount(fields, faults)?, side))
    })?;
    let (line, repeated) = match side {
        Side::Both => {
            let credited = ask.platform().adjust(&ask.order()?, tenant, amount, &note).await?;
            (LineView::of(&credited.line), credited.repeated)
        }
        Side::Ledger => {
            let done = ask.platform().correct_ledger(&ask.order()?, tenant, amount, &note).await?;
            (done.record, done.replayed)
        }
    };
    Reply::created(&json!({"line": line}), repeated)
}

fn amount(fields: &Fields<'_>, faults: &mut Faults) -> Option<(Money, String)> {
    let amount = needed_parsed::<Money>(fields, "amount", "an amount as a text, such as \"100.00\"", faults);
    let note = read::<String>(fields, "note", "a text", faults).unwrap_or_default();
    Some((amount?, note))
}

/// Set a balance to what the ledger says
///
/// For when the session store lost it. What the ledger has not heard of yet is given back: let the log be read first.
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/wallet/rebuild", tag = "wallet", operation_id = "rebuildWallet",
    security(("admin_token" = [])), params(("tenant" = String, Path)),
    responses((status = 200, description = "What was there, and what is there now.", body = schema::Rebuilt), (status = 404, description = "No such tenant.")))]
pub(crate) async fn rebuild(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let rebuilt = ask.platform().rebuild_wallet(&ask.order()?, ask.tenant().await?.id).await?;
    Reply::ok(&json!({"before": BalanceView::of(&rebuilt.before), "after": BalanceView::of(&rebuilt.after)}))
}

/// List differences
///
/// Balances that were not what the ledger says, newest first. Nothing is repaired by itself.
#[utoipa::path(get, path = "/admin/v1/wallet-differences", tag = "wallet", operation_id = "listDifferences",
    security(("admin_token" = [])),
    params(("all" = Option<bool>, Query, description = "Acknowledged ones too."), ("limit" = Option<u32>, Query, description = "1 to 100; 50.")),
    responses((status = 200, description = "The newest of them.", body = Page<schema::WalletDifference>)))]
pub(crate) async fn list_differences(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let parameters = ask.parameters(&["all", "limit"])?;
    let all = parameters.read("all", "true or false", |text| text.parse().ok())?.unwrap_or(false);
    let limit = parameters.limit()?;
    let differences = ask.platform().list_differences(!all, limit + 1).await?;
    let page = Page::of(differences, limit, |_| String::new(), DifferenceView::of);
    Reply::ok(&Page { next_cursor: None, ..page })
}

/// Acknowledge a difference
///
/// It is told no more. Changes no balance.
#[utoipa::path(post, path = "/admin/v1/wallet-differences/{difference}/acknowledge", tag = "wallet", operation_id = "acknowledgeDifference",
    security(("admin_token" = [])), params(("difference" = String, Path)),
    responses((status = 200, description = "The difference.", body = schema::WalletDifference), (status = 404, description = "No such difference.")))]
pub(crate) async fn acknowledge_difference(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tenant, at) = DifferenceView::read(ask.names[0]).ok_or_else(|| Problem::missing("wallet difference"))?;
    Reply::ok(&DifferenceView::of(&ask.platform().acknowledge_difference(&ask.order()?, tenant, at).await?))
}
