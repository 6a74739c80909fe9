//! Tokens of the admin API.

use std::collections::BTreeSet;

use countersign_core::manage::{AdminScope, AdminToken, TokenDraft, TokenView};
use countersign_model::Timestamp;

use super::made;
use crate::admin::ask::Ask;
use crate::admin::problem::Problem;
use crate::admin::reply::{Page, Reply};
use crate::admin::request::{needed, parsed, whole};
use crate::admin::schema;

pub(crate) const FIELDS: [&str; 3] = ["name", "scopes", "expires_at"];

/// List admin tokens
///
/// Revoked and expired ones too, oldest first.
#[utoipa::path(get, path = "/admin/v1/tokens", tag = "tokens", operation_id = "listTokens", security(("admin_token" = [])),
    params(("limit" = Option<u32>, Query, description = "1 to 100; 50."), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page.", body = Page<schema::AdminToken>)))]
pub(crate) async fn list_tokens(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tokens, now) = (ask.platform().list_admin_tokens().await?, ask.platform().now());
    let name = |token: &AdminToken| token.name.clone();
    Reply::ok(&Page::within(tokens, ask.page()?, name, |token| TokenView::of(token, now))?)
}

/// Make an admin token
///
/// Nobody can give away a scope that the asking token lacks.
#[utoipa::path(post, path = "/admin/v1/tokens", tag = "tokens", operation_id = "createToken", security(("admin_token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours.")),
    request_body = schema::TokenRequest,
    responses((status = 201, description = "The token, shown this once.", body = schema::MadeToken),
              (status = 409, description = "There is, or was, one of this name.")))]
pub(crate) async fn create_token(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let draft = whole(&ask.body.object, &FIELDS, |fields, faults| {
        let name = needed(fields, "name", "a text", faults);
        let scopes = needed::<BTreeSet<AdminScope>>(fields, "scopes", "a list of read, write, wallet and keys", faults);
        let expires_at = parsed::<Timestamp>(fields, "expires_at", "an RFC 3339 time", faults);
        Some(TokenDraft { name: name?, scopes: scopes?, expires_at })
    })?;
    let token = ask.platform().create_admin_token(&ask.order()?, Some(ask.admin), draft).await?;
    made(&token, |token| TokenView::of(token, ask.platform().now()))
}

/// Revoke an admin token
///
/// Its next call is refused.
#[utoipa::path(delete, path = "/admin/v1/tokens/{token}", tag = "tokens", operation_id = "revokeToken",
    security(("admin_token" = [])), params(("token" = String, Path, description = "Its name.")),
    responses((status = 200, description = "It is revoked.", body = schema::AdminToken), (status = 404, description = "No such token.")))]
pub(crate) async fn revoke_token(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let token = ask.platform().revoke_admin_token(&ask.order()?, ask.names[0]).await?;
    Reply::ok(&TokenView::of(&token, ask.platform().now()))
}
