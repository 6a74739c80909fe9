//! `GET /v1/balance`.

use countersign_core::{Caller, Platform, amount_json};
use countersign_model::KeyKind;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{CURRENCY, mode_of};
use crate::dialects::kotp::Reply;
use crate::dialects::kotp::error;
use crate::dialects::kotp::failure::Failure;

/// What is left in the sandbox, and where nobody is billed: clients look whether there is enough before they send.
const PLENTY: u64 = 1_000_000;

/// What can still be spent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "appId": "ten_01J9ZQ3V8MTRX4N6D5B7C9E0FG", "walletId": "app:ten_01J9ZQ3V8MTRX4N6D5B7C9E0FG", "walletScope": "app", "balance": 12.5,
    "currency": "CREDIT", "updatedAt": "2026-01-15T10:45:00.000Z", "mode": "live"
})))]
pub(crate) struct BalanceReply {
    /// Whose key it is.
    app_id: String,
    wallet_id: String,
    /// `app`, or `test` for a test key.
    wallet_scope: &'static str,
    /// Always 1000000 for a test key, and where nobody is billed.
    #[schema(value_type = f64)]
    balance: Value,
    currency: &'static str,
    /// The moment of this reply: the balance is read, not remembered.
    #[schema(format = DateTime)]
    updated_at: String,
    /// `live` or `test`.
    mode: &'static str,
}

/// Look at the balance
#[utoipa::path(
    get, path = "/v1/balance", tag = "wallet", operation_id = "showBalance", security(("api_key" = [])),
    responses((status = 200, description = "What can still be spent.", body = BalanceReply))
)]
pub(crate) async fn run(platform: &Platform, caller: &Caller) -> Result<Reply, Failure> {
    let account = platform.account(caller).await.map_err(error::of_refusal)?;
    let keys = caller.scope.keys;
    let (app, scope) = (account.tenant.id, if keys == KeyKind::Test { "test" } else { "app" });
    let available = account.available.filter(|_| keys == KeyKind::Live);
    Reply::new(&BalanceReply {
        app_id: app.to_string(),
        wallet_id: format!("{scope}:{app}"),
        wallet_scope: scope,
        balance: available.map_or_else(|| PLENTY.into(), amount_json),
        currency: CURRENCY,
        updated_at: platform.now().to_string(),
        mode: mode_of(keys),
    })
}
