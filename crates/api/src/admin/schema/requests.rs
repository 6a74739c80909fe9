use utoipa::ToSchema;

use super::shared::{Limits, Prices, Profile, Settings};

/// A tenant, or in a `PATCH` what is to change of it.
#[derive(ToSchema)]
#[schema(examples(json!({"name": "acme", "email": "ops@acme.example"})))]
pub(crate) struct TenantRequest {
    /// Unique.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// Who answers for it.
    email: Option<String>,
    /// What its own customers' account page calls its plan.
    #[schema(default = "standard", max_length = 64)]
    plan: Option<String>,
    settings: Option<Settings>,
}

/// An API key.
#[derive(ToSchema)]
#[schema(examples(json!({"mode": "live", "name": "web shop"})))]
pub(crate) struct KeyRequest {
    /// `test`: sandbox only. `live`: messages go out.
    mode: String,
    /// For people.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// `full`; `read_only`: look-ups only; `browser`: issue and verify from pages, in the K-OTP dialect only.
    #[schema(default = "full")]
    scope: Option<String>,
    /// Networks it may be used from, such as `10.0.0.0/8`; none: any.
    #[schema(max_items = 64)]
    allowed_ips: Option<Vec<String>>,
    /// The pages that may show a `browser` key, such as `https://app.example.com`. Needed there, and nowhere else.
    #[schema(max_items = 32)]
    origins: Option<Vec<String>>,
    /// When it dies by itself.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// In a `PATCH`: what is to change of a service.
#[derive(ToSchema)]
#[schema(examples(json!({"profile": {"code_length": 8}})))]
pub(crate) struct ServiceRequest {
    /// Unique in the tenant.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    profile: Option<Profile>,
    limits: Option<Limits>,
    /// Without it: the tenant's.
    prices: Option<Prices>,
}

/// A service.
#[derive(ToSchema)]
#[schema(examples(json!({"name": "web shop", "profile": {"app_name": "Acme", "code_length": 6}})))]
pub(crate) struct CreateServiceRequest {
    /// The UUID that you had elsewhere; without it a new one.
    #[schema(format = "uuid")]
    id: Option<String>,
    /// Unique in the tenant.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    profile: Option<Profile>,
    limits: Option<Limits>,
    /// Without it: the tenant's.
    prices: Option<Prices>,
}

/// In a `PATCH`: what the next version says otherwise.
#[derive(ToSchema)]
#[schema(examples(json!({"body": "{{app}}: {{code}} ({{minutes}} min)"})))]
pub(crate) struct TemplateRequest {
    /// The service whose messages it words; without it all of the tenant's that have none of their own.
    #[schema(format = "uuid")]
    service: Option<String>,
    /// `email`, `sms`, `whatsapp` or `voice`.
    channel: String,
    /// BCP 47 tag. `pt` serves `pt-BR` too where there is none for it.
    locale: String,
    /// For people.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// E-mail only. Must not hold the code.
    subject: Option<String>,
    /// The words, with `{{code}}`; also `{{app}}` and `{{minutes}}`, each at most with `| upper` or `| lower`.
    body: String,
    /// Whether it is used only where a call chooses it, and never by itself (default: no).
    by_choice: Option<bool>,
}

/// A template.
#[derive(ToSchema)]
#[schema(examples(json!({"channel": "sms", "locale": "en", "name": "sms", "body": "{{code}} is your {{app}} code"})))]
pub(crate) struct CreateTemplateRequest {
    /// The UUID that you had elsewhere; without it a new one.
    #[schema(format = "uuid")]
    id: Option<String>,
    /// The service whose messages it words; without it all of the tenant's that have none of their own.
    #[schema(format = "uuid")]
    service: Option<String>,
    /// `email`, `sms`, `whatsapp` or `voice`.
    channel: String,
    /// BCP 47 tag. `pt` serves `pt-BR` too where there is none for it.
    locale: String,
    /// For people.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// E-mail only. Must not hold the code.
    subject: Option<String>,
    /// The words, with `{{code}}`; also `{{app}}` and `{{minutes}}`, each at most with `| upper` or `| lower`.
    body: String,
    /// Whether it is used only where a call chooses it, and never by itself (default: no).
    by_choice: Option<bool>,
}

/// Words that are to be tried out.
#[derive(ToSchema)]
#[schema(examples(json!({"channel": "sms", "body": "{{code}} is your {{app}} code"})))]
pub(crate) struct PreviewRequest {
    /// `email`, `sms`, `whatsapp` or `voice`.
    channel: String,
    subject: Option<String>,
    /// Words to try out; without them, what a message of the tenant's says now.
    body: Option<String>,
    /// BCP 47 tag, as a call would ask for it; without it the country decides, then the service, then `en`.
    locale: Option<String>,
    /// ISO 3166-1 alpha-2: where the number would be. Decides the price too.
    #[schema(examples("DE"))]
    country: Option<String>,
    /// The profile; without it that of calls that name none.
    #[schema(format = "uuid")]
    service: Option<String>,
    /// The name that the message shows; without it the profile's.
    app_name: Option<String>,
}

/// Whom a test message reaches.
#[derive(ToSchema)]
#[schema(examples(json!({"to": "+12025550143"})))]
pub(crate) struct ProviderTestRequest {
    /// An e-mail address, or a number such as `+12025550143`, of somebody who knows of it.
    to: String,
    /// `email`, `sms`, `whatsapp` or `voice`; without it a mail to an address and a text message to a number.
    channel: Option<String>,
}

/// In a `PATCH`: what is to change of a sender.
#[derive(ToSchema)]
#[schema(examples(json!({"value": "ACME"})))]
pub(crate) struct SenderRequest {
    /// `email`, `sms`, `whatsapp` or `voice`.
    channel: String,
    /// An e-mail address; or a number such as `+12025550143`, or a name of 1 to 15 characters.
    value: String,
}

/// A sender.
#[derive(ToSchema)]
#[schema(examples(json!({"channel": "sms", "value": "ACME"})))]
pub(crate) struct CreateSenderRequest {
    /// The UUID that you had elsewhere; without it a new one.
    #[schema(format = "uuid")]
    id: Option<String>,
    /// `email`, `sms`, `whatsapp` or `voice`.
    channel: String,
    /// An e-mail address; or a number such as `+12025550143`, or a name of 1 to 15 characters.
    value: String,
}

/// A webhook endpoint, or in a `PATCH` what is to change of it.
#[derive(ToSchema)]
#[schema(examples(json!({"url": "https://example.com/hooks/otp", "events": ["session.verified"]})))]
pub(crate) struct EndpointRequest {
    /// An `https` address of a public host, unless the configuration allows more.
    #[schema(max_length = 2048)]
    url: String,
    /// `native` (Standard Webhooks), `kotp` or `getotp`: how what is posted is spelt and signed.
    #[schema(default = "native")]
    format: Option<String>,
    /// For people.
    #[schema(max_length = 256)]
    description: Option<String>,
    /// What it hears of; without it, or empty: everything that its format has a word for.
    events: Option<Vec<String>>,
    /// Whether it is posted to. `true` also brings back one that answered 410.
    #[schema(default = true)]
    enabled: Option<bool>,
}

/// An amount of money.
#[derive(ToSchema)]
#[schema(examples(json!({"amount": "100.00", "note": "invoice 2026-17"})))]
pub(crate) struct AmountRequest {
    /// A decimal text with at most six decimals, above zero.
    amount: String,
    /// For people.
    #[schema(max_length = 256)]
    note: Option<String>,
}

/// An amount by which something is put right.
#[derive(ToSchema)]
#[schema(examples(json!({"amount": "-4.00", "note": "paid twice"})))]
pub(crate) struct AdjustmentRequest {
    /// A decimal text with at most six decimals, above or below zero.
    amount: String,
    /// Why.
    #[schema(max_length = 256)]
    note: String,
    /// `both`: ledger and balance. `ledger`: the ledger alone, which is put right by what the balance is.
    #[schema(default = "both")]
    side: Option<String>,
}

/// An admin token.
#[derive(ToSchema)]
#[schema(examples(json!({"name": "ci", "scopes": ["read", "write"]})))]
pub(crate) struct TokenRequest {
    /// Letters, digits and `._@-`; unique for ever. Stands in the audit log.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// Some of `read`, `write`, `wallet`, `keys`, as far as the asking token has them itself.
    #[schema(min_items = 1)]
    scopes: Vec<String>,
    /// When it dies by itself.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// Whose block is to be lifted.
#[derive(ToSchema)]
#[schema(examples(json!({"recipient": "ann@example.com"})))]
pub(crate) struct UnblockRequest {
    /// An e-mail address, or a number such as `+12025550143`, whatever channel the guesses came for.
    recipient: String,
    /// `live` or `sandbox`: their guesses are counted apart.
    #[schema(default = "live")]
    mode: Option<String>,
    /// What the sessions proved control for: each purpose has its own count.
    #[schema(default = "verification", min_length = 1, max_length = 64)]
    purpose: Option<String>,
}
