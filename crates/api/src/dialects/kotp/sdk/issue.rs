//! `POST /v1/issue`.

use std::time::Duration;

use actix_web::HttpRequest;
use countersign_core::{Caller, IdempotencyKey, Send, SenderChoice, Sent, TemplateChoice, otp_id};
use countersign_model::{Autofill, Channel, Dialect, KeyKind, Recipient};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::numbers::Number;
use super::scenario::Scenario;
use super::schema::IssueRequest;
use super::templates::DEFAULT_TEMPLATE;
use super::web_otp::{self, WebOtp, Wish};
use super::{idempotency, mode, sandbox};
use crate::body::Body;
use crate::call::Call;
use crate::dialects::kotp::Reply;
use crate::dialects::kotp::error::{self, Names};
use crate::dialects::kotp::failure::Failure;
use crate::dialects::kotp::words::{self, INVALID_PARAMETER, INVALID_PHONE};
use crate::fields::{Faults, Fields};

/// How long a code lives when neither the call nor the operator says.
const LIFE: Duration = Duration::from_secs(180);
/// Digits of every code.
const CODE_LENGTH: u8 = 6;
/// Most bytes of `metadata`, without the white space between its parts.
const MOST_METADATA: usize = 4096;
/// `AlimTalk` cannot be had; its text message, to which it falls back, can.
const CHANNEL: Channel = Channel::Sms;
const NAMES: Names =
    Names { to: "phoneNumber", life: "expiresInSec", template: "templateId", sender: "from", autofill: "webOtp" };

/// A code that is on its way.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "issueId": "otp_0195a0c2b7f40c9a6d1e8f3b5a7c9d00", "expiresAt": "2026-01-15T10:48:00.000Z", "attemptsRemaining": 5,
    "queuedAt": "2026-01-15T10:45:00.000Z", "mode": "live"
})))]
pub(crate) struct IssueReply {
    /// Names the issue in every later call.
    issue_id: String,
    #[schema(format = DateTime)]
    expires_at: String,
    attempts_remaining: u8,
    #[schema(format = DateTime)]
    queued_at: String,
    /// Only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    web_otp: Option<WebOtp>,
    /// `live` or `test`.
    mode: &'static str,
    /// Only in the sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
}

/// What a caller asks for.
#[derive(Debug)]
struct Asked {
    number: Number,
    purpose: String,
    template: Option<TemplateChoice>,
    sender: Option<SenderChoice>,
    metadata: String,
    life: Option<Duration>,
    max_attempts: Option<u8>,
    web_otp: Option<Wish>,
    idempotency: IdempotencyKey,
}

/// Issue a code
///
/// Takes the place of the last open issue of the same number and purpose. A test key takes test numbers only, of which the last two digits
/// choose what happens.
#[utoipa::path(
    post, path = "/v1/issue", tag = "issues", operation_id = "issueOtp", security(("api_key" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Needed here or as `idempotencyKey`. Makes a repetition safe for 24 hours.")),
    request_body = IssueRequest,
    responses((status = 200, description = "The code is on its way.", body = IssueReply),
              (status = 402, description = "`PAYMENT_REQUIRED`: the balance does not cover the message."),
              (status = 409, description = "`CONFLICT`: the idempotency key was used with another payload."),
              (status = 502, description = "`PROVIDER_UNAVAILABLE`: no provider took the message; nothing is charged."))
)]
pub(crate) async fn run(call: &Call<'_>, caller: &Caller, body: &Body) -> Result<Reply, Failure> {
    let given = |field: &str| body.object.get(field).cloned();
    let mut asked = parse(call.request, &body.object).map_err(|faults| Failure::of_faults(faults, given))?;
    let scenario = scenario(caller.scope.keys, &asked.number)?;
    if let Some(scenario) = scenario {
        scenario.refuse()?;
    }
    let platform = call.platform();
    // The operator's own life comes before the dialect's, which is another one than in the vendor's older API.
    let service = platform.service(caller, None);
    asked.life = asked.life.or_else(|| service.is_none_or(|service| service.life.is_none()).then_some(LIFE));
    let wish = asked.web_otp.as_ref().map(Wish::outcome);
    let command = command(asked);
    let command = match scenario {
        Some(scenario) => scenario.rehearse(CHANNEL, command)?,
        None => command,
    };
    let sent = platform.send(caller, command).await.map_err(|refused| error::of_send(refused, &NAMES, given))?;
    Ok(Reply::new(&reply(&sent, wish))?.replayed(sent.replayed))
}

/// What a test key's number asks for. Test numbers and test keys go together.
fn scenario(keys: KeyKind, number: &Number) -> Result<Option<Scenario>, Failure> {
    let mixed = |code: &'static str, message: &'static str| {
        Err(Failure::new(words::field(INVALID_PHONE), format!("{code}: {message}")).data("code", code))
    };
    match (keys, number.test) {
        (KeyKind::Test, Some(digits)) => Ok(Some(Scenario::of(digits))),
        (KeyKind::Live, None) => Ok(None),
        (KeyKind::Test, None) => {
            let message = "a test key takes 010-0000-00xx, +44 7700 9000xx and +1 NXX 555-01xx only";
            mixed("TEST_NUMBER_REQUIRED", message)
        }
        (KeyKind::Live, Some(_)) => mixed("TEST_NUMBER_IN_LIVE_MODE", "a test number needs a test key"),
    }
}

fn command(asked: Asked) -> Send {
    let domain = asked.web_otp.and_then(|wish| wish.host);
    Send {
        purpose: asked.purpose,
        template: asked.template,
        sender: asked.sender,
        metadata: asked.metadata,
        life: asked.life,
        max_attempts: asked.max_attempts,
        code_length: Some(CODE_LENGTH),
        autofill: Autofill { domain, app_hash: None },
        replaces: true,
        idempotency: Some(asked.idempotency),
        ..Send::to(Dialect::Kotp, CHANNEL, Recipient::Phone(asked.number.phone))
    }
}

/// Reads the whole call.
fn parse(request: &HttpRequest, object: &Map<String, Value>) -> Result<Asked, Faults> {
    let fields = Fields::new(object, "", INVALID_PARAMETER);
    let mut faults = Faults::default();
    let number = number(&fields, &mut faults);
    let purpose = purpose(&fields, &mut faults);
    let idempotency = idempotency::read(request, object, &mut faults);
    channel(&fields, &mut faults);
    let template = template(&fields, &mut faults);
    variables(&fields, &mut faults);
    let sender = sender(&fields, &mut faults);
    let metadata = metadata(&fields, &mut faults);
    let life = fields.integer("expiresInSec", 30..=600, &mut faults).map(|seconds| Duration::from_secs(seconds.into()));
    let max_attempts = fields.integer("maxAttempts", 1..=10, &mut faults).and_then(|most| u8::try_from(most).ok());
    let web_otp = web_otp::read(request, &fields, &mut faults);
    let asked = number.zip(purpose).zip(idempotency).map(|((number, purpose), idempotency)| Asked {
        number,
        purpose,
        template,
        sender,
        metadata,
        life,
        max_attempts,
        web_otp,
        idempotency,
    });
    faults.or(asked)
}

fn number(fields: &Fields<'_>, faults: &mut Faults) -> Option<Number> {
    let must = "a mobile number of at most 32 characters, such as 010-1234-5678 or +82 10-1234-5678";
    let fields = fields.told_as(INVALID_PHONE);
    if fields.get("phoneNumber").is_none() {
        fields.refuse("phoneNumber", must, faults);
    }
    fields.parsed("phoneNumber", must, Number::read, faults)
}

fn purpose(fields: &Fields<'_>, faults: &mut Faults) -> Option<String> {
    let must = "a string of 1 to 64 characters without control characters";
    if fields.get("purpose").is_none() {
        fields.refuse("purpose", must, faults);
    }
    let fits = |text: &str| (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    fields.parsed("purpose", must, |text| Some(text.trim().to_owned()).filter(|text| fits(text)), faults)
}

/// The way, and what is said of it. All there is is a text message, whose length its provider decides.
fn channel(fields: &Fields<'_>, faults: &mut Faults) {
    let known =
        |word: &'static str, other: &'static str| move |text: &str| (text == word || text == other).then(|| text.to_owned());
    let asked = fields.parsed("channel", "sms or alimtalk", known("sms", "alimtalk"), faults);
    fields.parsed("messageType", "SMS or LMS", known("SMS", "LMS"), faults);
    let no_fallback = fields.get("smsFallback").is_some() && !fields.flag("smsFallback", faults);
    if no_fallback && asked.as_deref() == Some("alimtalk") {
        fields.refuse("smsFallback", "true with alimtalk, which goes out as a text message here", faults);
    }
    // Decides nothing at the vendor's either.
    if fields.get("cost").is_some_and(|cost| !cost.as_u64().is_some_and(|cost| (1..=100_000).contains(&cost))) {
        fields.refuse("cost", "an integer from 1 to 100000", faults);
    }
}

/// By its id, or by the name under which it was brought along from elsewhere.
fn template(fields: &Fields<'_>, faults: &mut Faults) -> Option<TemplateChoice> {
    let id = fields.string("templateId", 1..=128, faults)?.trim();
    if id == DEFAULT_TEMPLATE {
        return None;
    }
    Some(id.parse().map_or_else(|_| TemplateChoice::Name(id.to_owned()), TemplateChoice::Id))
}

/// No template has places of its own: whatever is given would fill nothing.
fn variables(fields: &Fields<'_>, faults: &mut Faults) {
    let Some(given) = fields.object("templateVariables", faults) else { return };
    if let Some((name, _)) = Fields::new(given, "templateVariables.", INVALID_PARAMETER).present().next() {
        let message = format!("The template has no variable {} to be filled in", crate::fields::presentable(name));
        faults.add("templateVariables", INVALID_PARAMETER, message);
    }
}

fn sender(fields: &Fields<'_>, faults: &mut Faults) -> Option<SenderChoice> {
    let from = fields.string("from", 1..=64, faults)?.trim();
    if let Ok(id) = from.parse() {
        return Some(SenderChoice::Id(id));
    }
    if !(1..=15).contains(&from.chars().count()) {
        fields.refuse("from", "a sender's id, or a name or number of 1 to 15 characters", faults);
        return None;
    }
    Some(SenderChoice::Name(from.to_owned()))
}

/// Texts by name, in the order in which they came.
fn metadata(fields: &Fields<'_>, faults: &mut Faults) -> String {
    let Some(object) = fields.object("metadata", faults) else { return "{}".to_owned() };
    let text = Value::from(object.clone()).to_string();
    if text.len() > MOST_METADATA || !object.values().all(Value::is_string) {
        fields.refuse("metadata", format_args!("an object of strings, {MOST_METADATA} bytes at most"), faults);
    }
    text
}

fn reply(sent: &Sent, web_otp: Option<WebOtp>) -> IssueReply {
    let session = &sent.session;
    IssueReply {
        issue_id: otp_id(session.id()),
        expires_at: session.expires_at().to_string(),
        attempts_remaining: session.attempts_remaining(),
        queued_at: session.created_at().to_string(),
        web_otp,
        mode: mode(session.mode()),
        sandbox: sandbox(session.mode()),
    }
}
