//! Recipients that nobody can verify any more.

use countersign_core::manage::BlockDraft;
use countersign_model::Mode;

use crate::admin::ask::Ask;
use crate::admin::problem::Problem;
use crate::admin::reply::Reply;
use crate::admin::request::{needed, read, whole};
use crate::admin::schema;

pub(crate) const FIELDS: [&str; 3] = ["recipient", "mode", "purpose"];

/// Lift a recipient's block
///
/// Takes back the wrong guesses that were counted for a recipient, and the block that they led to. Repeating it is no error.
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/recipients/unblock", tag = "tenants", operation_id = "unblockRecipient",
    security(("admin_token" = [])), params(("tenant" = String, Path)), request_body = schema::UnblockRequest,
    responses((status = 200, description = "Nothing counts against the recipient now.", body = schema::Unblocked),
              (status = 404, description = "No such tenant.")))]
pub(crate) async fn unblock_recipient(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let tenant = ask.tenant().await?.id;
    let (recipient, mode, purpose) = whole(&ask.body.object, &FIELDS, |fields, faults| {
        let recipient = needed::<String>(fields, "recipient", "a text", faults);
        let mode = read::<Mode>(fields, "mode", "live or sandbox", faults).unwrap_or(Mode::Live);
        let purpose = read::<String>(fields, "purpose", "a text", faults);
        Some((recipient?, mode, purpose))
    })?;
    let draft = BlockDraft::read(&recipient, mode, purpose.as_deref())?;
    Reply::ok(&ask.platform().unblock(&ask.order()?, tenant, &draft).await?)
}
