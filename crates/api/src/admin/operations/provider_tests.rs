//! Providers tried out one by one.

use countersign_core::manage::ProviderTestDraft;
use countersign_model::{Channel, ProviderName};

use crate::admin::ask::Ask;
use crate::admin::problem::Problem;
use crate::admin::reply::Reply;
use crate::admin::request::{CHANNEL, TEXT, needed, parsed, whole};
use crate::admin::schema;

pub(crate) const FIELDS: [&str; 2] = ["to", "channel"];

/// Test a provider
///
/// Sends one message that says of itself that it is a test through exactly that provider, whatever its circuit says, and tells what came of it.
/// No session comes of it and nobody is charged; the provider may bill it like any other.
#[utoipa::path(post, path = "/admin/v1/providers/{provider}/test", tag = "installation", operation_id = "testProvider",
    security(("admin_token" = [])),
    params(("provider" = String, Path, description = "Its name in the configuration."),
           ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours.")),
    request_body = schema::ProviderTestRequest,
    responses((status = 200, description = "What became of it.", body = schema::ProviderTest), (status = 404, description = "No such provider.")))]
pub(crate) async fn test_provider(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let provider = ProviderName::new(&ask.named::<String>(0, "provider")?);
    let (to, channel) = whole(&ask.body.object, &FIELDS, |fields, faults| {
        let to = needed::<String>(fields, "to", TEXT, faults);
        let channel = parsed::<Channel>(fields, "channel", CHANNEL, faults);
        Some((to?, channel))
    })?;
    let draft = ProviderTestDraft::read(channel, &to)?;
    Reply::ok(&ask.platform().test_provider(&ask.order()?, &provider, &draft).await?)
}
