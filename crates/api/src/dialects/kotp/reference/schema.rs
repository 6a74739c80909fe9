//! How the calls are described to readers. What they mean is decided where they are read.

use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// What a send is given. Other fields are ignored.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(examples(json!({"to": "+12025550143", "method": "sms", "type": "verification"})))]
pub(crate) struct SendRequest {
    /// A number in E.164 form, or a mailbox for `email`.
    to: String,
    method: Method,
    #[schema(rename = "type")]
    kind: Purpose,
    /// One of your templates, by its name.
    #[schema(default = "default", max_length = 64)]
    template: Option<String>,
    /// How long the code lives, in seconds.
    #[schema(minimum = 1, maximum = 900, default = 300)]
    ttl: Option<u16>,
    /// Digits of the code.
    #[schema(minimum = 4, maximum = 8, default = 6)]
    length: Option<u8>,
    /// Your own object, at most 1024 bytes; comes back from verify.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
}

/// The way to the person. `whatsapp` is ours.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(rename_all = "lowercase")]
pub(crate) enum Method {
    Sms,
    Email,
    Voice,
    Whatsapp,
}

/// What the OTP is for.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(rename_all = "snake_case")]
pub(crate) enum Purpose {
    Verification,
    TwoFactor,
    PasswordReset,
    Transaction,
}

/// How far an OTP is.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(rename_all = "lowercase")]
pub(crate) enum OtpStatus {
    Pending,
    Sent,
    Delivered,
    Failed,
    Expired,
    Verified,
}

/// What is to be verified in the reference API.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({"id": "otp_0195a0c2b7f40c9a6d1e8f3b5a7c9d00", "code": "482913"})))]
pub(crate) struct VerifyRequest {
    /// From the send.
    id: String,
    /// What was typed. Spaces and dashes do not matter.
    code: String,
}

/// Which OTPs are listed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct ListParameters {
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u8>,
    #[param(minimum = 0, default = 0)]
    offset: Option<u64>,
    #[param(inline)]
    method: Option<Method>,
    #[param(inline)]
    status: Option<OtpStatus>,
    /// Sent at or after: an ISO 8601 date (in UTC) or time.
    from: Option<String>,
    /// Sent before; a date counts as a whole day.
    to: Option<String>,
}
