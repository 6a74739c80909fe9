//! Owners of everything else, and their sessions.

use countersign_core::manage::{SessionView, TenantView};
use countersign_model::Tenant;

use crate::admin::ask::Ask;
use crate::admin::drafts::{patch_tenant, read_tenant};
use crate::admin::problem::Problem;
use crate::admin::reply::{Page, Reply};
use crate::admin::schema;

/// List tenants
///
/// By name.
#[utoipa::path(get, path = "/admin/v1/tenants", tag = "tenants", operation_id = "listTenants", security(("admin_token" = [])),
    params(("limit" = Option<u32>, Query, description = "1 to 100; 50."), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page.", body = Page<schema::Tenant>)))]
pub(crate) async fn list_tenants(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let tenants = ask.platform().list_tenants().await?;
    Reply::ok(&Page::within(tenants, ask.page()?, |tenant: &Tenant| tenant.id.to_string(), TenantView::of)?)
}

/// Make a tenant
#[utoipa::path(post, path = "/admin/v1/tenants", tag = "tenants", operation_id = "createTenant", security(("admin_token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours.")),
    request_body = schema::TenantRequest,
    responses((status = 201, description = "The tenant.", body = schema::Tenant), (status = 409, description = "There is one of this name.")))]
pub(crate) async fn create_tenant(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let draft = read_tenant(&ask.body.object)?;
    let done = ask.platform().create_tenant(&ask.order()?, draft).await?;
    Reply::created(&TenantView::of(&done.record), done.replayed)
}

/// Show a tenant
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}", tag = "tenants", operation_id = "showTenant", security(("admin_token" = [])),
    params(("tenant" = String, Path, description = "Its id, or its name where that needs no escaping.")),
    responses((status = 200, description = "The tenant.", body = schema::Tenant), (status = 404, description = "No such tenant.")))]
pub(crate) async fn show_tenant(ask: &Ask<'_>) -> Result<Reply, Problem> {
    Reply::ok(&TenantView::of(&ask.tenant().await?))
}

/// Change a tenant
///
/// A merge patch (RFC 7396): what is left out stays, `null` takes away. In force at once.
#[utoipa::path(patch, path = "/admin/v1/tenants/{tenant}", tag = "tenants", operation_id = "updateTenant", security(("admin_token" = [])),
    params(("tenant" = String, Path, description = "Its id, or its name where that needs no escaping.")),
    request_body = schema::TenantRequest,
    responses((status = 200, description = "The tenant.", body = schema::Tenant), (status = 404, description = "No such tenant."),
              (status = 409, description = "There is another one of this name.")))]
pub(crate) async fn update_tenant(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let id = ask.tenant().await?.id;
    let change = |draft| patch_tenant(&draft, &ask.body.object);
    Reply::ok(&TenantView::of(&ask.platform().update_tenant(&ask.order()?, id, change).await?.record))
}

/// Look at a session
///
/// Of either mode and any wire, for as long as its token would be recognised.
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/sessions/{session}", tag = "tenants", operation_id = "adminShowSession",
    security(("admin_token" = [])),
    params(("tenant" = String, Path), ("session" = String, Path, description = "`ses_…`, `otp_…` or a UUID.")),
    responses((status = 200, description = "The session.", body = schema::Session), (status = 404, description = "No such session.")))]
pub(crate) async fn show_session(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let session = ask.platform().find_session(ask.tenant().await?.id, ask.names[1]).await?;
    Reply::ok(&SessionView::of(&session, ask.platform().now()))
}
