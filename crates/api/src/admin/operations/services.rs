//! Named verification profiles.

use countersign_core::manage::ServiceView;
use countersign_model::ServiceRecord;

use crate::admin::ask::Ask;
use crate::admin::drafts::{patch_service, read_service};
use crate::admin::problem::Problem;
use crate::admin::reply::{Page, Reply};
use crate::admin::schema;

/// List services
///
/// Oldest first.
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/services", tag = "services", operation_id = "listServices",
    security(("admin_token" = [])),
    params(("tenant" = String, Path), ("limit" = Option<u32>, Query, description = "1 to 100; 50."), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page.", body = Page<schema::Service>), (status = 404, description = "No such tenant.")))]
pub(crate) async fn list_services(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let services = ask.platform().list_services(ask.tenant().await?.id).await?;
    Reply::ok(&Page::within(services, ask.page()?, |service: &ServiceRecord| service.id.to_string(), ServiceView::of)?)
}

/// Make a service
///
/// Sends may name it at once.
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/services", tag = "services", operation_id = "createService",
    security(("admin_token" = [])),
    params(("tenant" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours.")),
    request_body = schema::CreateServiceRequest,
    responses((status = 201, description = "The service.", body = schema::Service), (status = 404, description = "No such tenant."),
              (status = 409, description = "The tenant has one of this id or name.")))]
pub(crate) async fn create_service(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let tenant = ask.tenant().await?.id;
    let (id, draft) = read_service(&ask.body.object)?;
    let done = ask.platform().create_service(&ask.order()?, tenant, id, draft).await?;
    Reply::created(&ServiceView::of(&done.record), done.replayed)
}

/// Show a service
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/services/{service}", tag = "services", operation_id = "showService",
    security(("admin_token" = [])), params(("tenant" = String, Path), ("service" = String, Path)),
    responses((status = 200, description = "The service.", body = schema::Service), (status = 404, description = "No such service.")))]
pub(crate) async fn show_service(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tenant, id) = (ask.tenant().await?.id, ask.named(1, "service")?);
    Reply::ok(&ServiceView::of(&ask.platform().show_service(tenant, id).await?))
}

/// Change a service
///
/// A merge patch (RFC 7396): what is left out stays, `null` takes away. The next send goes by it; open sessions keep their rules.
#[utoipa::path(patch, path = "/admin/v1/tenants/{tenant}/services/{service}", tag = "services", operation_id = "updateService",
    security(("admin_token" = [])), params(("tenant" = String, Path), ("service" = String, Path)),
    request_body = schema::ServiceRequest,
    responses((status = 200, description = "The service.", body = schema::Service), (status = 404, description = "No such service."),
              (status = 409, description = "The tenant has another one of this name.")))]
pub(crate) async fn update_service(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tenant, id) = (ask.tenant().await?.id, ask.named(1, "service")?);
    let change = |draft| patch_service(&draft, &ask.body.object);
    Reply::ok(&ServiceView::of(&ask.platform().update_service(&ask.order()?, tenant, id, change).await?.record))
}

/// Delete a service
///
/// With its templates. A tenant's default service cannot be deleted.
#[utoipa::path(delete, path = "/admin/v1/tenants/{tenant}/services/{service}", tag = "services", operation_id = "deleteService",
    security(("admin_token" = [])), params(("tenant" = String, Path), ("service" = String, Path)),
    responses((status = 200, description = "It is gone.", body = schema::Deleted), (status = 404, description = "No such service."),
              (status = 409, description = "It is the tenant's default.")))]
pub(crate) async fn delete_service(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tenant, id) = (ask.tenant().await?.id, ask.named(1, "service")?);
    let done = ask.platform().delete_service(&ask.order()?, tenant, id).await?;
    Reply::deleted(&done.record.id.to_string())
}
