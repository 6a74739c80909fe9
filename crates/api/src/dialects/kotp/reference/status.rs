//! `GET /v1/status/{id}`.

use countersign_core::{Caller, Platform, Refusal};
use utoipa::ToSchema;

use super::schema::{Method, OtpStatus};
use crate::dialects::kotp::failure::Failure;
use crate::dialects::kotp::{Reply, error, ids};

/// An OTP as it stands: what `OtpView` of `core` prints.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(examples(json!({
    "id": "otp_0195a0c2b7f40c9a6d1e8f3b5a7c9d00", "status": "delivered", "to": "+12025550143", "method": "sms",
    "created_at": "2026-01-15T10:45:00Z", "delivered_at": "2026-01-15T10:45:04Z", "attempts": 0, "verified": false, "carrier": null,
    "country": "US"
})))]
pub(crate) struct StatusReply {
    id: String,
    status: OtpStatus,
    to: String,
    method: Method,
    #[schema(format = DateTime)]
    created_at: String,
    /// Null until a receipt has come.
    #[schema(required, format = DateTime)]
    delivered_at: Option<String>,
    /// Checks made since the code was sent, the right one included.
    attempts: u32,
    verified: bool,
    /// Null: no provider tells it yet.
    #[schema(required)]
    carrier: Option<String>,
    /// Of the number, ISO 3166-1 alpha-2; null for a mailbox.
    #[schema(required)]
    country: Option<String>,
    /// Only in the sandbox.
    sandbox: Option<bool>,
}

/// Look at an OTP
///
/// Works long after its code has died.
#[utoipa::path(
    get, path = "/v1/status/{id}", tag = "otps", operation_id = "showOtp", security(("api_key" = [])),
    params(("id" = String, Path, description = "From the send.")),
    responses((status = 200, description = "The OTP as it stands.", body = StatusReply),
              (status = 404, description = "`OTP_NOT_FOUND`: there is no such OTP."))
)]
pub(crate) async fn run(platform: &Platform, caller: &Caller, name: &str) -> Result<Reply, Failure> {
    let session = ids::session(name).ok_or_else(|| error::of_refusal(Refusal::Unknown))?;
    let otp = platform.otp(caller, session).await.map_err(error::of_refusal)?;
    Reply::new(&otp.json())
}
