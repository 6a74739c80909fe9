//! What was posted.

use countersign_core::manage::{AttemptView, Delivery, DeliveryFilter, DeliveryView};
use serde_json::json;

use crate::admin::ask::Ask;
use crate::admin::problem::Problem;
use crate::admin::reply::{Page, Reply};
use crate::admin::schema;

/// List deliveries
///
/// Newest first.
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/deliveries", tag = "webhooks", operation_id = "listDeliveries",
    security(("admin_token" = [])),
    params(("tenant" = String, Path), ("webhook" = Option<String>, Query, description = "Only those to this endpoint."),
           ("state" = Option<String>, Query, description = "`pending`, `delivered`, `failed` or `discarded`."),
           ("limit" = Option<u32>, Query, description = "1 to 100; 50."), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page.", body = Page<schema::Delivery>), (status = 404, description = "No such tenant.")))]
pub(crate) async fn list_deliveries(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let parameters = ask.parameters(&["webhook", "state", "limit", "cursor"])?;
    let filter = DeliveryFilter {
        endpoint: parameters.read("webhook", "an endpoint's id", |text| text.parse().ok())?,
        state: parameters.read("state", "pending, delivered, failed or discarded", |text| text.parse().ok())?,
        before: parameters.read("cursor", "a next_cursor of this list", |text| text.parse().ok())?,
    };
    let limit = parameters.limit()?;
    let deliveries = ask.platform().list_deliveries(ask.tenant().await?.id, filter, limit + 1).await?;
    Reply::ok(&Page::of(deliveries, limit, |delivery: &Delivery| delivery.id.to_string(), DeliveryView::of))
}

/// Show a delivery
///
/// With its tries, first to last.
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/deliveries/{delivery}", tag = "webhooks", operation_id = "showDelivery",
    security(("admin_token" = [])), params(("tenant" = String, Path), ("delivery" = String, Path)),
    responses((status = 200, description = "The delivery.", body = schema::DeliveryShown), (status = 404, description = "No such delivery.")))]
pub(crate) async fn show_delivery(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tenant, id) = (ask.tenant().await?.id, ask.named(1, "delivery")?);
    let (delivery, attempts) = ask.platform().show_delivery(tenant, id).await?;
    let tries: Vec<_> = attempts.iter().map(AttemptView::of).collect();
    Reply::ok(&json!({"delivery": DeliveryView::of(&delivery), "tries": tries, "body": delivery.body}))
}

/// Post a delivery again
///
/// As a new delivery of the same event, at once. One that is still on its way cannot be.
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/deliveries/{delivery}/replay", tag = "webhooks", operation_id = "replayDelivery",
    security(("admin_token" = [])),
    params(("tenant" = String, Path), ("delivery" = String, Path),
           ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours.")),
    responses((status = 201, description = "The new delivery.", body = schema::DeliveryRef), (status = 404, description = "No such delivery."),
              (status = 409, description = "It is still on its way, or its endpoint is gone.")))]
pub(crate) async fn replay_delivery(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tenant, id) = (ask.tenant().await?.id, ask.named(1, "delivery")?);
    let done = ask.platform().replay_delivery(&ask.order()?, tenant, id).await?;
    Reply::created(&json!({"delivery": done.record.to_string()}), done.replayed)
}
