//! How the calls are described to readers. What they mean is decided where they are read.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

/// What an issue is given. Other fields are ignored.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(rename_all = "camelCase", examples(json!({"phoneNumber": "010-1234-5678", "purpose": "login", "idempotencyKey": "login-1f0c"})))]
pub(crate) struct IssueRequest {
    /// A Korean number, or one of any other country with its `+`. Spaces and dashes do not matter.
    #[schema(max_length = 32)]
    phone_number: String,
    /// Keeps issues of one number apart.
    #[schema(min_length = 1, max_length = 64)]
    purpose: String,
    #[schema(default = "sms")]
    channel: Option<IssueChannel>,
    /// One of your templates, by its id or its name.
    #[schema(default = "otp_default_kr", max_length = 128)]
    template_id: Option<String>,
    /// Only an empty object: templates have no variables.
    template_variables: Option<BTreeMap<String, String>>,
    /// A sender's id, or a name or number of 1 to 15 characters.
    #[schema(max_length = 64)]
    from: Option<String>,
    /// Taken, and left to the provider.
    message_type: Option<MessageType>,
    /// Not `false` with `alimtalk`.
    #[schema(default = true)]
    sms_fallback: Option<bool>,
    /// At most 4096 bytes.
    metadata: Option<BTreeMap<String, String>>,
    #[schema(minimum = 30, maximum = 600, default = 180)]
    expires_in_sec: Option<u16>,
    #[schema(minimum = 1, maximum = 10, default = 5)]
    max_attempts: Option<u8>,
    /// Needed here or as `Idempotency-Key`: 1 to 128 visible ASCII characters.
    idempotency_key: Option<String>,
    web_otp: Option<WebOtpRequest>,
    /// Decides nothing.
    #[schema(minimum = 1, maximum = 100_000, deprecated)]
    cost: Option<u32>,
}

/// The way. `alimtalk` goes out as the text message that it falls back to.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(rename_all = "lowercase")]
pub(crate) enum IssueChannel {
    Sms,
    Alimtalk,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(rename_all = "UPPERCASE")]
pub(crate) enum MessageType {
    Sms,
    Lms,
}

/// Whether the message ends in the line by which browsers fill the code in.
#[derive(Serialize, ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[serde(untagged)]
pub(crate) enum WebOtpRequest {
    /// `true`: for the page that calls, by its `Origin`.
    Flag(bool),
    Page(WebOtpPage),
}

/// For which page.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebOtpPage {
    #[schema(examples("https://app.example.com"))]
    origin: String,
}

/// Why an issue is not verified.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ReasonCode {
    Mismatch,
    MaxAttempts,
    Expired,
    Replaced,
    AlreadyVerified,
    NotFound,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(rename_all = "snake_case")]
pub(crate) enum VerificationStatus {
    Issued,
    Verified,
    Expired,
    MaxAttempts,
    Replaced,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(rename_all = "snake_case")]
pub(crate) enum DeliveryStatus {
    Queued,
    Sent,
    Delivered,
    Failed,
    Unknown,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(rename_all = "snake_case")]
pub(crate) enum OverallStatus {
    Verified,
    Expired,
    MaxAttempts,
    Replaced,
    Delivered,
    DeliveryFailed,
    InProgress,
    PendingLookup,
}

/// What becomes of an issue's price.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(rename_all = "snake_case")]
pub(crate) enum BillingStatus {
    Reserved,
    Debited,
    Released,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(rename_all = "lowercase")]
pub(crate) enum EntryType {
    Credit,
    Debit,
    Refund,
    Clawback,
}

/// Which issues are listed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct IssueParameters {
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u8>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
    #[param(inline)]
    verification_status: Option<VerificationStatus>,
    /// Issued at or after.
    #[param(format = DateTime)]
    created_from: Option<String>,
    /// Issued before.
    #[param(format = DateTime)]
    created_to: Option<String>,
}

/// Which lines of the ledger are listed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct LedgerParameters {
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u8>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
    #[param(inline)]
    entry_type: Option<EntryType>,
    /// Booked at or after.
    #[param(format = DateTime)]
    created_from: Option<String>,
    /// Booked before.
    #[param(format = DateTime)]
    created_to: Option<String>,
}
