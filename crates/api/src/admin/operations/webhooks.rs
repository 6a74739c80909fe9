//! Where events are posted to.

use countersign_core::manage::EndpointView;
use countersign_model::WebhookEndpoint;
use serde_json::json;

use super::made;
use crate::admin::ask::Ask;
use crate::admin::drafts::{patch_endpoint, read_endpoint};
use crate::admin::problem::Problem;
use crate::admin::reply::{Page, Reply};
use crate::admin::schema;

/// List webhook endpoints
///
/// Disabled ones too, oldest first.
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/webhooks", tag = "webhooks", operation_id = "listWebhooks",
    security(("admin_token" = [])),
    params(("tenant" = String, Path), ("limit" = Option<u32>, Query, description = "1 to 100; 50."), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page.", body = Page<schema::Endpoint>), (status = 404, description = "No such tenant.")))]
pub(crate) async fn list_endpoints(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let endpoints = ask.platform().list_endpoints(ask.tenant().await?.id).await?;
    Reply::ok(&Page::within(endpoints, ask.page()?, |endpoint: &WebhookEndpoint| endpoint.id.to_string(), EndpointView::of)?)
}

/// Make a webhook endpoint
///
/// A tenant may have as many as `webhooks.endpoints_per_tenant` says.
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/webhooks", tag = "webhooks", operation_id = "createWebhook",
    security(("admin_token" = [])),
    params(("tenant" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours.")),
    request_body = schema::EndpointRequest,
    responses((status = 201, description = "The endpoint with the secret that signs, shown this once.", body = schema::MadeEndpoint),
              (status = 404, description = "No such tenant."), (status = 409, description = "The tenant has as many as it may.")))]
pub(crate) async fn create_endpoint(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let tenant = ask.tenant().await?.id;
    let draft = read_endpoint(&ask.body.object)?;
    made(&ask.platform().create_endpoint(&ask.order()?, tenant, draft).await?, EndpointView::of)
}

/// Show a webhook endpoint
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/webhooks/{webhook}", tag = "webhooks", operation_id = "showWebhook",
    security(("admin_token" = [])), params(("tenant" = String, Path), ("webhook" = String, Path)),
    responses((status = 200, description = "The endpoint.", body = schema::Endpoint), (status = 404, description = "No such endpoint.")))]
pub(crate) async fn show_endpoint(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tenant, id) = (ask.tenant().await?.id, ask.named(1, "webhook endpoint")?);
    Reply::ok(&EndpointView::of(&ask.platform().show_endpoint(tenant, id).await?))
}

/// Change a webhook endpoint
///
/// A merge patch (RFC 7396). `enabled` brings back one that answered 410. What was spelt before its `format` is changed is posted as it was spelt.
#[utoipa::path(patch, path = "/admin/v1/tenants/{tenant}/webhooks/{webhook}", tag = "webhooks", operation_id = "updateWebhook",
    security(("admin_token" = [])), params(("tenant" = String, Path), ("webhook" = String, Path)),
    request_body = schema::EndpointRequest,
    responses((status = 200, description = "The endpoint.", body = schema::Endpoint), (status = 404, description = "No such endpoint."),
              (status = 409, description = "Its secret cannot sign that format.")))]
pub(crate) async fn update_endpoint(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tenant, id) = (ask.tenant().await?.id, ask.named(1, "webhook endpoint")?);
    let change = |draft| patch_endpoint(&draft, &ask.body.object);
    Reply::ok(&EndpointView::of(&ask.platform().update_endpoint(&ask.order()?, tenant, id, change).await?.record))
}

/// Delete a webhook endpoint
///
/// What waits for it is discarded; the log of deliveries stays.
#[utoipa::path(delete, path = "/admin/v1/tenants/{tenant}/webhooks/{webhook}", tag = "webhooks", operation_id = "deleteWebhook",
    security(("admin_token" = [])), params(("tenant" = String, Path), ("webhook" = String, Path)),
    responses((status = 200, description = "It is gone.", body = schema::Deleted), (status = 404, description = "No such endpoint.")))]
pub(crate) async fn delete_endpoint(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tenant, id) = (ask.tenant().await?.id, ask.named(1, "webhook endpoint")?);
    let done = ask.platform().delete_endpoint(&ask.order()?, tenant, id).await?;
    Reply::deleted(&done.record.id.to_string())
}

/// Rotate a webhook endpoint's secret
///
/// The one before goes on signing for 24 hours, beside the new one; in the formats `kotp` and `getotp`, which have room for one signature, it stops
/// at once.
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/webhooks/{webhook}/rotate", tag = "webhooks", operation_id = "rotateWebhook",
    security(("admin_token" = [])),
    params(("tenant" = String, Path), ("webhook" = String, Path),
           ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours.")),
    responses((status = 201, description = "The endpoint with its new secret, shown this once.", body = schema::MadeEndpoint),
              (status = 404, description = "No such endpoint.")))]
pub(crate) async fn rotate_endpoint(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tenant, id) = (ask.tenant().await?.id, ask.named(1, "webhook endpoint")?);
    made(&ask.platform().rotate_endpoint(&ask.order()?, tenant, id).await?, EndpointView::of)
}

/// Test a webhook endpoint
///
/// Posts a `webhook.test` in the words of its format, whatever events it wants. The log of deliveries tells what came of it.
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/webhooks/{webhook}/test", tag = "webhooks", operation_id = "testWebhook",
    security(("admin_token" = [])),
    params(("tenant" = String, Path), ("webhook" = String, Path),
           ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours.")),
    responses((status = 201, description = "The delivery that is on its way.", body = schema::DeliveryRef),
              (status = 404, description = "No such endpoint."), (status = 409, description = "It is disabled.")))]
pub(crate) async fn test_endpoint(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tenant, id) = (ask.tenant().await?.id, ask.named(1, "webhook endpoint")?);
    let done = ask.platform().test_endpoint(&ask.order()?, tenant, id).await?;
    Reply::created(&json!({"delivery": done.record.to_string()}), done.replayed)
}
