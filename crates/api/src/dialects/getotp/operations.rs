//! The operations: parse, one verb, print.

use std::sync::Arc;

use actix_web::http::StatusCode;
use countersign_core::manage::OwnEndpointError;
use countersign_core::{AddTemplateError, Caller, Platform};
use countersign_model::{DateFormat, EndpointId, Uuid};
use serde::Serialize;

use super::error::{self, Failure, Faults};
use super::request::page::{self, Statuses};
use super::request::{check, create, template, webhook};
use super::response::Envelope;
use super::response::list::ListReply;
use super::response::sender::SenderReply;
use super::response::template::TemplateReply;
use super::response::verification::{self, CheckReply, CreateReply};
use super::response::webhook::WebhookReply;
use super::schema::{CreateRequest, TemplateRequest, WebhookRequest};
use super::{Reply, words};
use crate::body::Body;

/// Send a code
#[utoipa::path(
    post, path = "/v1/verifications", tag = "verifications", operation_id = "createVerification", security(("otp_key" = []), ("basic" = [])),
    request_body = CreateRequest,
    responses((status = 200, description = "The code is on its way.", body = CreateReply),
              (status = 402, description = "The balance does not cover the message."),
              (status = 502, description = "No provider took the message; nothing is charged."))
)]
pub(super) async fn create(platform: &Arc<Platform>, caller: &Caller, body: &Body) -> Result<Reply, Failure> {
    let sent = platform.send(caller, create::parse(body)?).await.map_err(error::of_send)?;
    print(StatusCode::OK, &verification::created(&sent, dates(platform, caller)))
}

/// Check a code
///
/// Whatever a wrong code is wrong by, the answer is the same: no rows. A right one is consumed by the check.
#[utoipa::path(
    get, path = "/v1/verifications", tag = "verifications", operation_id = "checkVerification", security(("otp_key" = []), ("basic" = [])),
    params(("code" = String, Query, description = "What was typed."),
           ("phone" = Option<String>, Query, description = "Whose code it should be: digits with the country's code; its plus may be there."),
           ("email" = Option<String>, Query, description = "The same for a mailbox.")),
    responses((status = 200, description = "The verifications that it belongs to.", body = CheckReply),
              (status = 403, description = "The key only reads: a check consumes the code."))
)]
pub(super) async fn check(platform: &Arc<Platform>, caller: &Caller, query: &str) -> Result<Reply, Failure> {
    let found = platform.check(caller, check::parse(query)?).await.map_err(error::of_refusal)?;
    print(StatusCode::OK, &verification::checked(&found, dates(platform, caller)))
}

/// List templates
///
/// Oldest first.
#[utoipa::path(
    get, path = "/v1/templates", tag = "templates", operation_id = "listTemplates", security(("otp_key" = []), ("basic" = [])),
    params(("filter[status]" = Option<String>, Query, description = "`COMPLETED`, `IN_PROCESS` or `CANCELED`; all are `COMPLETED`."),
           ("filter[name]" = Option<String>, Query, description = "Only those whose name starts so."),
           ("page_size" = Option<u16>, Query, description = "1 to 1000; 10 when left out."),
           ("page_token" = Option<String>, Query, description = "From a link of the page before.")),
    responses((status = 200, description = "A page.", body = ListReply<TemplateReply>))
)]
pub(super) async fn list_templates(platform: &Platform, caller: &Caller, query: &str) -> Result<Reply, Failure> {
    let page = page::parse(query, Statuses::Templates)?;
    let size = if page.is_wanted { page.size } else { 0 };
    let found = platform.templates(caller, page.name.as_deref(), page.offset, size).await.map_err(error::of_refusal)?;
    let total = if page.is_wanted { found.total } else { 0 };
    let rows = found.rows.iter().map(TemplateReply::of).collect();
    print(StatusCode::OK, &ListReply::new("/v1/templates", &page, rows, total))
}

/// Make a template
#[utoipa::path(
    post, path = "/v1/templates", tag = "templates", operation_id = "createTemplate", security(("otp_key" = []), ("basic" = [])),
    request_body = TemplateRequest,
    responses((status = 201, description = "It can be used at once.", body = Envelope<TemplateReply>))
)]
pub(super) async fn create_template(platform: &Platform, caller: &Caller, body: &Body) -> Result<Reply, Failure> {
    let made = platform.add_template(caller, template::parse(body)?).await.map_err(|error| match error {
        AddTemplateError::WithoutCode => words::TEMPLATE_WITHOUT_CODE.into(),
        AddTemplateError::Wording(source) => words::MALFORMED.saying(format!("'data.text' cannot be used: {source}")).into(),
        AddTemplateError::Name => words::MALFORMED.saying("'data.name' must be 1 to 64 visible characters").into(),
        AddTemplateError::Refused(refusal) => error::of_refusal(refusal),
    })?;
    print(StatusCode::CREATED, &Envelope { data: TemplateReply::of(&made) })
}

/// Look at a template
#[utoipa::path(
    get, path = "/v1/templates/{template}", tag = "templates", operation_id = "showTemplate", security(("otp_key" = []), ("basic" = [])),
    params(("template" = String, Path, format = "uuid", description = "Its id.")),
    responses((status = 200, description = "The template.", body = Envelope<TemplateReply>))
)]
pub(super) async fn show_template(platform: &Platform, caller: &Caller, name: &str) -> Result<Reply, Failure> {
    let id = Uuid::try_parse(name).map_err(|_| words::INVALID_TEMPLATE_ID)?;
    let found = platform.template(caller, id).await.map_err(error::of_refusal)?.ok_or(words::TEMPLATE_NOT_FOUND)?;
    print(StatusCode::OK, &Envelope { data: TemplateReply::of(&found) })
}

/// List senders
///
/// Oldest first.
#[utoipa::path(
    get, path = "/v1/senders", tag = "senders", operation_id = "listSenders", security(("otp_key" = []), ("basic" = [])),
    params(("filter[status]" = Option<String>, Query, description = "All are `Available`."),
           ("page_size" = Option<u16>, Query, description = "1 to 1000; 10 when left out."),
           ("page_token" = Option<String>, Query, description = "From a link of the page before.")),
    responses((status = 200, description = "A page.", body = ListReply<SenderReply>))
)]
pub(super) async fn list_senders(platform: &Platform, caller: &Caller, query: &str) -> Result<Reply, Failure> {
    let page = page::parse(query, Statuses::Senders)?;
    let size = if page.is_wanted { page.size } else { 0 };
    let found = platform.senders(caller, page.offset, size).await.map_err(error::of_refusal)?;
    let total = if page.is_wanted { found.total } else { 0 };
    let rows = found.rows.iter().map(SenderReply::of).collect();
    print(StatusCode::OK, &ListReply::new("/v1/senders", &page, rows, total))
}

/// List webhooks
///
/// Oldest first.
#[utoipa::path(
    get, path = "/v1/webhooks", tag = "webhooks", operation_id = "listWebhooks", security(("otp_key" = []), ("basic" = [])),
    params(("page_size" = Option<u16>, Query, description = "1 to 1000; 10 when left out."),
           ("page_token" = Option<String>, Query, description = "From a link of the page before.")),
    responses((status = 200, description = "A page.", body = ListReply<WebhookReply>))
)]
pub(super) async fn list_webhooks(platform: &Platform, caller: &Caller, query: &str) -> Result<Reply, Failure> {
    let page = page::parse(query, Statuses::None)?;
    let all = platform.list_own_endpoints(caller).await.map_err(of_webhook)?;
    let rows = all.iter().skip(page.offset).take(page.size).map(WebhookReply::of).collect();
    print(StatusCode::OK, &ListReply::new("/v1/webhooks", &page, rows, all.len()))
}

/// Make a webhook
#[utoipa::path(
    post, path = "/v1/webhooks", tag = "webhooks", operation_id = "createWebhook", security(("otp_key" = []), ("basic" = [])),
    request_body = WebhookRequest,
    responses((status = 201, description = "It hears of every delivery from now on.", body = Envelope<WebhookReply>))
)]
pub(super) async fn create_webhook(platform: &Platform, caller: &Caller, body: &Body) -> Result<Reply, Failure> {
    let made = platform.create_own_endpoint(caller, webhook::parse(body)?).await.map_err(of_webhook)?;
    print(StatusCode::CREATED, &Envelope { data: WebhookReply::of(&made) })
}

/// Look at a webhook
#[utoipa::path(
    get, path = "/v1/webhooks/{webhook}", tag = "webhooks", operation_id = "showWebhook", security(("otp_key" = []), ("basic" = [])),
    params(("webhook" = String, Path, format = "uuid", description = "Its id.")),
    responses((status = 200, description = "The webhook.", body = Envelope<WebhookReply>),
              (status = 404, description = "There is none of this id."))
)]
pub(super) async fn show_webhook(platform: &Platform, caller: &Caller, name: &str) -> Result<Reply, Failure> {
    let found = platform.own_endpoint(caller, endpoint(name)?).await.map_err(of_webhook)?;
    print(StatusCode::OK, &Envelope { data: WebhookReply::of(&found) })
}

/// Replace a webhook
#[utoipa::path(
    put, path = "/v1/webhooks/{webhook}", tag = "webhooks", operation_id = "updateWebhook", security(("otp_key" = []), ("basic" = [])),
    params(("webhook" = String, Path, format = "uuid", description = "Its id.")),
    request_body = WebhookRequest,
    responses((status = 200, description = "The webhook as it is now.", body = Envelope<WebhookReply>),
              (status = 404, description = "There is none of this id."))
)]
pub(super) async fn update_webhook(platform: &Platform, caller: &Caller, name: &str, body: &Body) -> Result<Reply, Failure> {
    let (id, draft) = (endpoint(name)?, webhook::parse(body)?);
    let replaced = platform.replace_own_endpoint(caller, id, draft).await.map_err(of_webhook)?;
    print(StatusCode::OK, &Envelope { data: WebhookReply::of(&replaced) })
}

/// Remove a webhook
#[utoipa::path(
    delete, path = "/v1/webhooks/{webhook}", tag = "webhooks", operation_id = "removeWebhook", security(("otp_key" = []), ("basic" = [])),
    params(("webhook" = String, Path, format = "uuid", description = "Its id.")),
    responses((status = 204, description = "It is gone."), (status = 404, description = "There is none of this id."))
)]
pub(super) async fn remove_webhook(platform: &Platform, caller: &Caller, name: &str) -> Result<Reply, Failure> {
    platform.delete_own_endpoint(caller, endpoint(name)?).await.map_err(of_webhook)?;
    Ok(Reply { status: StatusCode::NO_CONTENT, body: Vec::new() })
}

/// How dates are written for this caller.
fn dates(platform: &Platform, caller: &Caller) -> DateFormat {
    platform.service(caller, None).map_or(DateFormat::Iso, |service| service.date_format)
}

fn endpoint(name: &str) -> Result<EndpointId, Failure> {
    Uuid::try_parse(name).map(|id| EndpointId::from_bits(id.as_u128())).map_err(|_| words::NOT_FOUND.into())
}

fn of_webhook(error: OwnEndpointError) -> Failure {
    match error {
        OwnEndpointError::NotFound => words::NOT_FOUND.into(),
        OwnEndpointError::Full => words::MALFORMED.saying("There are as many webhooks as there may be").into(),
        OwnEndpointError::Refused(refusal) => error::of_refusal(refusal),
        OwnEndpointError::Invalid(flaws) => {
            let mut faults = Faults::default();
            for flaw in flaws {
                faults.add(words::MALFORMED.saying(format!("'data.{}' {}", flaw.field, flaw.must)));
            }
            match faults.or(None::<()>) {
                Ok(()) => error::internal("a webhook without flaws was refused"),
                Err(failure) => failure,
            }
        }
    }
}

fn print(status: StatusCode, reply: &impl Serialize) -> Result<Reply, Failure> {
    let body = serde_json::to_vec(reply).map_err(|_| error::internal("a reply could not be printed"))?;
    Ok(Reply { status, body })
}
