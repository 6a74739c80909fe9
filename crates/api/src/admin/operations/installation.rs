//! The installation itself.

use countersign_core::manage::InfoView;
use serde::Serialize;

use crate::admin::ask::Ask;
use crate::admin::problem::Problem;
use crate::admin::reply::Reply;
use crate::admin::schema::{Info, Providers, Readiness};

#[derive(Serialize)]
struct InfoReply {
    version: &'static str,
    #[serde(flatten)]
    info: InfoView,
}

/// The installation
#[utoipa::path(get, path = "/admin/v1/info", tag = "installation", operation_id = "info", security(("admin_token" = [])),
    responses((status = 200, description = "What it is.", body = Info)))]
pub(crate) fn info(ask: &Ask<'_>) -> Result<Reply, Problem> {
    Reply::ok(&InfoReply { version: ask.call.api.version, info: ask.platform().info() })
}

/// What each part says of itself
#[utoipa::path(get, path = "/admin/v1/readiness", tag = "installation", operation_id = "readiness", security(("admin_token" = [])),
    responses((status = 200, description = "Asked just now.", body = Readiness)))]
pub(crate) async fn readiness(ask: &Ask<'_>) -> Result<Reply, Problem> {
    Reply::ok(&ask.platform().readiness().await)
}

/// Who serves which channel, and how that went
///
/// Counts are this node's own, since it started.
#[utoipa::path(get, path = "/admin/v1/providers", tag = "installation", operation_id = "providers", security(("admin_token" = [])),
    responses((status = 200, description = "One entry a channel, one a provider.", body = Providers)))]
pub(crate) fn providers(ask: &Ask<'_>) -> Result<Reply, Problem> {
    Reply::ok(&ask.platform().providers())
}
