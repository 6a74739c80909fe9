//! The description of this wire. What the fields mean is decided where they are read, in `request`; a test holds the names together.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response};
use utoipa::{Modify, OpenApi, ToSchema};

use super::error::ErrorReply;
use super::operations;
use crate::described::{add_headers, describe_headers, printed};

/// What a verification is made of.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
pub(super) struct CreateRequest {
    data: CreateData,
}

/// The fields of a verification. Others are ignored.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(examples(json!({"channel": "sms", "sender": "GetOTP", "phone": "60123456789", "template": "6d16aa9d-bf19-4141-8169-48b46d972fc6", "code_length": 4})))]
pub(super) struct CreateData {
    /// `sms`, `voice`, `whatsapp` or `email`; in either case.
    channel: String,
    /// A name of 1 to 15 characters, or the id of a registered sender. Required for `sms` and `whatsapp`.
    sender: Option<String>,
    /// Digits with the country's code; a plus may stand before them. Required but for `email`.
    #[schema(examples("60123456789"))]
    phone: Option<String>,
    /// Required for `email`.
    email: Option<String>,
    /// The id of a template. Required for `sms` and `whatsapp`.
    #[schema(format = "uuid")]
    template: Option<String>,
    /// Digits of a code that is made for you: 4 to 8, for `voice` 4 to 6; as a number or a string. Either this or `code`.
    #[schema(value_type = Option<u8>, minimum = 4, maximum = 8)]
    code_length: Option<u8>,
    /// Your own code. Either this or `code_length`.
    #[schema(pattern = "^[0-9]{4,8}$")]
    code: Option<String>,
    /// Handed back by webhooks as it is.
    #[schema(max_length = 500)]
    payload: Option<String>,
    /// `tts`. Required for `voice`.
    voice_type: Option<String>,
    /// For `voice`: `AR`, `ZH`, `EN`, `GB`, `FR`, `DE`, `HI`, `JA`, `RU`, `ES`, `MX`, `BN`, `ID`, `MS`, `FIL`, `TH` or `VI`.
    #[schema(default = "EN")]
    language: Option<String>,
    /// How long the code lives, for `email`: 30 at least, and not above the service's ceiling.
    #[schema(minimum = 30)]
    ttl_in_seconds: Option<u32>,
}

/// What a template is made of.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
pub(super) struct TemplateRequest {
    data: TemplateData,
}

/// The fields of a template.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(examples(json!({"channel": "SMS", "name": "Log in", "text": "Your code is {code}"})))]
pub(super) struct TemplateData {
    /// `SMS`, `WHATSAPP`, `VOICE` or `EMAIL`; in either case.
    channel: String,
    /// Made from the text when left out.
    name: Option<String>,
    /// With `{code}` where the code goes.
    text: String,
}

/// What a webhook is made of.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
pub(super) struct WebhookRequest {
    data: WebhookData,
}

/// The fields of a webhook.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(examples(json!({"url": "https://example.com/getotp", "secret": "a long random text", "name": "Deliveries", "event": "DELIVERY"})))]
pub(super) struct WebhookData {
    /// Where reports are posted to.
    url: String,
    /// What they are signed with.
    #[schema(min_length = 1, max_length = 256)]
    secret: String,
    #[schema(min_length = 1, max_length = 256)]
    name: String,
    /// `DELIVERY`.
    #[schema(default = "DELIVERY")]
    event: Option<String>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Countersign: the GetOTP dialect",
        description = "The verifications of GetOTP, and the management of their templates, senders and webhooks.\n\n`/v1/verifications` is also \
                       mounted as `/api/verify/`. A slash at the end of a path changes nothing. Errors have one shape (`ErrorReply`); unknown fields are ignored.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        version = "1"
    ),
    paths(
        operations::create,
        operations::check,
        operations::list_templates,
        operations::create_template,
        operations::show_template,
        operations::list_senders,
        operations::list_webhooks,
        operations::create_webhook,
        operations::show_webhook,
        operations::update_webhook,
        operations::remove_webhook
    ),
    components(schemas(ErrorReply)),
    tags((name = "verifications", description = "Send a code, check a code."), (name = "templates", description = "The words of messages."),
         (name = "senders", description = "Whom messages come from."), (name = "webhooks", description = "Where deliveries are reported to.")),
    modifiers(&Common)
)]
struct Description;

/// What every operation has in common and no operation says itself.
struct Common;

/// Errors that every operation can give.
const ERRORS: [(&str, &str); 7] = [
    ("400", "What is wrong, by its numbers: 1400, or one of the vendor's."),
    ("401", "1136: the key is missing or not taken."),
    ("403", "1403: the key only reads."),
    ("413", "1413: the body is larger than 64 KiB."),
    ("415", "1415: the body is not declared as JSON."),
    ("429", "1429: a limit is used up; `Retry-After` tells the wait."),
    ("503", "1503: a store is away; `Retry-After` tells the wait."),
];

impl Modify for Common {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let described = "`sk_live_…`, or `sk_test_…` for a sandbox in which nothing is sent.";
        let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("X-OTP-Key", described)));
        let components = openapi.components.get_or_insert_default();
        describe_headers(components);
        components.security_schemes.insert("otp_key".to_owned(), RefOr::T(key));
        components.security_schemes.insert("basic".to_owned(), RefOr::T(SecurityScheme::Http(Http::new(HttpAuthScheme::Basic))));
        for item in openapi.paths.paths.values_mut() {
            let looks = item.get.iter_mut().map(|operation| (false, operation));
            let acts = [&mut item.post, &mut item.put, &mut item.delete].into_iter().flatten().map(|operation| (true, operation));
            for (acts, operation) in looks.chain(acts) {
                let has_body = operation.request_body.is_some();
                let foreign = |status: &str| match status {
                    "403" => !acts,
                    "413" | "415" => !has_body,
                    _ => false,
                };
                let responses = &mut operation.responses.responses;
                for (status, description) in ERRORS.iter().filter(|(status, _)| !foreign(status)) {
                    responses.entry((*status).to_owned()).or_insert_with(|| RefOr::T(Response::new(*description)));
                }
                for (status, response) in responses {
                    let RefOr::T(response) = response else { continue };
                    add_headers(response);
                    if status.as_str() >= "400" {
                        let content = Content::new(Some(Ref::from_schema_name("ErrorReply")));
                        response.content.insert("application/json".to_owned(), RefOr::T(content));
                    }
                }
            }
        }
    }
}

/// The description of the wire (OpenAPI 3.1).
pub(super) fn openapi_json() -> String {
    printed(&Description::openapi())
}

#[cfg(test)]
mod tests;
