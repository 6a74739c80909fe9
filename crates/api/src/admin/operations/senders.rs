//! Names and numbers that messages come from.

use countersign_core::manage::SenderView;
use countersign_model::Sender;

use crate::admin::ask::Ask;
use crate::admin::drafts::{patch_sender, read_sender};
use crate::admin::problem::Problem;
use crate::admin::reply::{Page, Reply};
use crate::admin::schema;

/// List senders
///
/// Oldest first.
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/senders", tag = "senders", operation_id = "listSenders",
    security(("admin_token" = [])),
    params(("tenant" = String, Path), ("limit" = Option<u32>, Query, description = "1 to 100; 50."), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page.", body = Page<schema::Sender>), (status = 404, description = "No such tenant.")))]
pub(crate) async fn list_senders(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let senders = ask.platform().list_senders(ask.tenant().await?.id).await?;
    Reply::ok(&Page::within(senders, ask.page()?, |sender: &Sender| sender.id.to_string(), SenderView::of)?)
}

/// Register a sender
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/senders", tag = "senders", operation_id = "createSender",
    security(("admin_token" = [])),
    params(("tenant" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours.")),
    request_body = schema::CreateSenderRequest,
    responses((status = 201, description = "The sender.", body = schema::Sender), (status = 404, description = "No such tenant."),
              (status = 409, description = "The tenant has one of this id, or this value on the channel.")))]
pub(crate) async fn create_sender(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let tenant = ask.tenant().await?.id;
    let (id, draft) = read_sender(&ask.body.object)?;
    let done = ask.platform().create_sender(&ask.order()?, tenant, id, draft).await?;
    Reply::created(&SenderView::of(&done.record), done.replayed)
}

/// Change a sender
///
/// A merge patch (RFC 7396): what is left out stays.
#[utoipa::path(patch, path = "/admin/v1/tenants/{tenant}/senders/{sender}", tag = "senders", operation_id = "updateSender",
    security(("admin_token" = [])), params(("tenant" = String, Path), ("sender" = String, Path)),
    request_body = schema::SenderRequest,
    responses((status = 200, description = "The sender.", body = schema::Sender), (status = 404, description = "No such sender."),
              (status = 409, description = "The tenant has this value on the channel already.")))]
pub(crate) async fn update_sender(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tenant, id) = (ask.tenant().await?.id, ask.named(1, "sender")?);
    let change = |draft| patch_sender(&draft, &ask.body.object);
    Reply::ok(&SenderView::of(&ask.platform().update_sender(&ask.order()?, tenant, id, change).await?.record))
}

/// Delete a sender
#[utoipa::path(delete, path = "/admin/v1/tenants/{tenant}/senders/{sender}", tag = "senders", operation_id = "deleteSender",
    security(("admin_token" = [])), params(("tenant" = String, Path), ("sender" = String, Path)),
    responses((status = 200, description = "It is gone.", body = schema::Deleted), (status = 404, description = "No such sender.")))]
pub(crate) async fn delete_sender(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tenant, id) = (ask.tenant().await?.id, ask.named(1, "sender")?);
    let done = ask.platform().delete_sender(&ask.order()?, tenant, id).await?;
    Reply::deleted(&done.record.id.to_string())
}
