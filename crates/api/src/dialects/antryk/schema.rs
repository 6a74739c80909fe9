//! How the calls are described to readers. What they mean is decided where they are read, in `request` and `auth`.

use utoipa::ToSchema;

/// Asks for a code.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", examples(json!({"to": "+919876543210", "serviceId": "7d1f0c52-3a4b-4c5d-8e6f-0123456789ab"})))]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct SendOtpRequest {
    /// One number in E.164 form.
    #[schema(pattern = r"^\+[1-9]\d{6,14}$")]
    to: String,
    /// One of your services.
    #[schema(format = "uuid")]
    service_id: String,
    /// Your key's public half, where no header carries it.
    access_key: Option<String>,
    /// Your key's secret, where no header carries it.
    secret_key: Option<String>,
}

/// Submits a code.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase",
         examples(json!({"to": "+919876543210", "serviceId": "7d1f0c52-3a4b-4c5d-8e6f-0123456789ab", "otp": "482913"})))]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct VerifyOtpRequest {
    /// The number that the code was sent to.
    #[schema(pattern = r"^\+[1-9]\d{6,14}$")]
    to: String,
    /// The service that it was sent for.
    #[schema(format = "uuid")]
    service_id: String,
    /// What was typed.
    #[schema(pattern = r"^\d{4,10}$")]
    otp: String,
    /// Your key's public half, where no header carries it.
    access_key: Option<String>,
    /// Your key's secret, where no header carries it.
    secret_key: Option<String>,
}

/// Asks for a plain message.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", examples(json!({
    "to": "+919876543210", "serviceId": "7d1f0c52-3a4b-4c5d-8e6f-0123456789ab", "body": "Your order is on its way."
})))]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct SendRequest {
    /// One number in E.164 form.
    #[schema(pattern = r"^\+[1-9]\d{6,14}$")]
    to: String,
    /// One of your services.
    #[schema(format = "uuid")]
    service_id: String,
    /// The words. Control characters other than line breaks and tabs are refused.
    #[schema(min_length = 1, max_length = 1600)]
    body: String,
    /// Your key's public half, where no header carries it.
    access_key: Option<String>,
    /// Your key's secret, where no header carries it.
    secret_key: Option<String>,
}
