//! API keys.

use countersign_core::manage::{KeyOrder, KeyView};
use countersign_model::{ApiKey, IpNet, KeyKind, KeyScope, Origin, Timestamp};

use super::made;
use crate::admin::ask::Ask;
use crate::admin::problem::Problem;
use crate::admin::reply::{Page, Reply};
use crate::admin::request::{needed, parsed, read, whole};
use crate::admin::schema;

pub(crate) const FIELDS: [&str; 6] = ["mode", "name", "scope", "allowed_ips", "origins", "expires_at"];

/// List API keys
///
/// Revoked and expired ones too, oldest first. Secrets are nowhere.
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/keys", tag = "keys", operation_id = "listKeys", security(("admin_token" = [])),
    params(("tenant" = String, Path), ("limit" = Option<u32>, Query, description = "1 to 100; 50."), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page.", body = Page<schema::ApiKey>), (status = 404, description = "No such tenant.")))]
pub(crate) async fn list_keys(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (keys, now) = (ask.platform().list_keys(ask.tenant().await?.id).await?, ask.platform().now());
    let name = |key: &ApiKey| key.id.to_string();
    Reply::ok(&Page::within(keys, ask.page()?, name, |key| KeyView::of(key, now))?)
}

/// Make an API key
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/keys", tag = "keys", operation_id = "createKey", security(("admin_token" = [])),
    params(("tenant" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours.")),
    request_body = schema::KeyRequest,
    responses((status = 201, description = "The key with its secret, shown this once.", body = schema::MadeApiKey),
              (status = 404, description = "No such tenant.")))]
pub(crate) async fn create_key(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let tenant = ask.tenant().await?.id;
    let wish = whole(&ask.body.object, &FIELDS, |fields, faults| {
        let kind = needed::<KeyKind>(fields, "mode", "live or test", faults);
        let name = needed(fields, "name", "a text", faults);
        let scope = read::<KeyScope>(fields, "scope", "full, read_only or browser", faults).unwrap_or(KeyScope::Full);
        let allowed_ips = read::<Vec<IpNet>>(fields, "allowed_ips", "a list of networks such as 10.0.0.0/8", faults);
        let origins = read::<Vec<Origin>>(fields, "origins", "a list of origins such as https://app.example.com", faults);
        let expires_at = parsed::<Timestamp>(fields, "expires_at", "an RFC 3339 time", faults);
        let (allowed_ips, origins) = (allowed_ips.unwrap_or_default(), origins.unwrap_or_default());
        Some(KeyOrder { tenant, kind: kind?, name: name?, scope, allowed_ips, origins, expires_at })
    })?;
    let key = ask.platform().create_key(&ask.order()?, wish).await?;
    made(&key, |key| KeyView::of(key, ask.platform().now()))
}

/// Revoke an API key
///
/// Every node refuses it at its next call, also while the records are away: they write it down when they are back.
#[utoipa::path(delete, path = "/admin/v1/tenants/{tenant}/keys/{key}", tag = "keys", operation_id = "revokeKey",
    security(("admin_token" = [])), params(("tenant" = String, Path), ("key" = String, Path, description = "Its id.")),
    responses((status = 200, description = "It is revoked.", body = schema::ApiKey),
              (status = 202, description = "It is refused from now on; the records are away and will write it down.", body = schema::ApiKey),
              (status = 404, description = "No such key.")))]
pub(crate) async fn revoke_key(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tenant, id) = (ask.tenant().await?.id, ask.named(1, "key")?);
    let revoked = ask.platform().revoke_key(&ask.order()?, tenant, id).await?;
    let view = KeyView::of(&revoked.key, ask.platform().now());
    if revoked.written { Reply::ok(&view) } else { Reply::accepted(&view) }
}
