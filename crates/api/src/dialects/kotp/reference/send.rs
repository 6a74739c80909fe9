//! `POST /v1/send`.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::{Caller, Platform, Send, Sent, TemplateChoice, amount_json, otp_id};
use countersign_model::{Channel, Code, Dialect, MessageStatus, Recipient};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::schema::{Method, Purpose, SendRequest};
use crate::body::Body;
use crate::dialects::kotp::Reply;
use crate::dialects::kotp::error::{self, Names};
use crate::dialects::kotp::failure::Failure;
use crate::dialects::kotp::words::{INVALID_METADATA, INVALID_PARAMETER};
use crate::fields::{Faults, Fields};

/// What an OTP can be for.
const TYPES: [&str; 4] = ["verification", "two_factor", "password_reset", "transaction"];
/// Most bytes of `metadata`, without the white space between its parts.
const MOST_METADATA: usize = 1024;
/// Neither a sender nor an autofill line can be asked for here.
const NAMES: Names = Names { to: "to", life: "ttl", template: "template", sender: "template", autofill: "template" };

/// An OTP that is on its way.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "otp_0195a0c2b7f40c9a6d1e8f3b5a7c9d00", "to": "+12025550143", "method": "sms", "type": "verification", "status": "sent",
    "created_at": "2026-01-15T10:45:00Z", "expires_at": "2026-01-15T10:50:00Z", "cost": {"amount": 0, "currency": "USD"},
    "sandbox": true, "sandbox_otp": "482913"
})))]
pub(crate) struct SendReply<'a> {
    /// Names the OTP in every later call.
    #[schema(pattern = "^otp_[0-9a-f]{32}$")]
    id: String,
    to: &'a str,
    #[schema(value_type = Method)]
    method: &'static str,
    #[serde(rename = "type")]
    #[schema(value_type = Purpose)]
    kind: &'a str,
    /// `pending` or `sent`.
    status: &'static str,
    #[schema(format = DateTime)]
    created_at: String,
    /// When the code dies.
    #[schema(format = DateTime)]
    expires_at: String,
    cost: Cost<'a>,
    /// Only in the sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
    /// Only where the recipient is a test recipient of the service: nothing was sent, and the code proves nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_recipient: Option<bool>,
    /// The code, only in the sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox_otp: Option<&'a str>,
}

/// What the OTP costs.
#[derive(Serialize, ToSchema)]
pub(crate) struct Cost<'a> {
    /// 0 in the sandbox and where nobody is billed.
    #[schema(value_type = f64, examples(0.05))]
    amount: Value,
    #[schema(examples("USD"))]
    currency: &'a str,
}

/// Send an OTP
#[utoipa::path(
    post, path = "/v1/send", tag = "otps", operation_id = "sendOtp", security(("api_key" = [])), request_body = SendRequest,
    responses((status = 200, description = "The OTP is on its way.", body = SendReply),
              (status = 402, description = "`INSUFFICIENT_CREDITS`: the balance does not cover the message."),
              (status = 502, description = "`PROVIDER_UNAVAILABLE`: no provider took the message; nothing is charged."))
)]
pub(crate) async fn run(platform: &Arc<Platform>, caller: &Caller, body: &Body) -> Result<Reply, Failure> {
    let given = |field: &str| body.object.get(field).cloned();
    let asked = parse(&body.object).map_err(|faults| Failure::of_faults(faults, given))?;
    let sent = platform.send(caller, asked).await.map_err(|refused| error::of_send(refused, &NAMES, given))?;
    Reply::new(&reply(&sent, platform.currency())?)
}

/// Reads the whole call.
fn parse(object: &Map<String, Value>) -> Result<Send, Faults> {
    let fields = Fields::new(object, "", INVALID_PARAMETER);
    let mut faults = Faults::default();
    let channel = needed(&fields, "method", "sms, email, voice or whatsapp", |text| text.parse::<Channel>().ok());
    let to = recipient(&fields, channel.as_ref().ok().copied(), &mut faults);
    let channel = channel.map_err(|found| faults.append(found)).ok();
    let purpose = needed(&fields, "type", "verification, two_factor, password_reset or transaction", |text| {
        TYPES.contains(&text).then(|| text.to_owned())
    });
    let purpose = purpose.map_err(|found| faults.append(found)).ok();
    let template = fields.string("template", 1..=64, &mut faults).map(|name| TemplateChoice::Name(name.to_owned()));
    let life = fields.integer("ttl", 1..=900, &mut faults).map(|seconds| Duration::from_secs(seconds.into()));
    let length = fields.integer("length", 4..=8, &mut faults).and_then(|length| u8::try_from(length).ok());
    let metadata = metadata(&fields, &mut faults);
    let send = channel.zip(to).zip(purpose).map(|((channel, to), purpose)| Send {
        purpose,
        template,
        life,
        code_length: length,
        metadata,
        ..Send::to(Dialect::Kotp, channel, to)
    });
    faults.or(send)
}

/// A text that has to be there.
fn needed<T>(fields: &Fields<'_>, name: &str, must: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Faults> {
    let mut faults = Faults::default();
    if fields.get(name).is_none() {
        faults.add(name, INVALID_PARAMETER, format!("{name} is missing: it must be {must}"));
    }
    let value = fields.parsed(name, must, read, &mut faults);
    faults.or(value)
}

/// Whom it is for; which form that has, the method says.
fn recipient(fields: &Fields<'_>, channel: Option<Channel>, faults: &mut Faults) -> Option<Recipient> {
    let text = match fields.get("to").map(Value::as_str) {
        Some(Some(text)) => text.trim(),
        Some(None) => {
            fields.refuse("to", "a string", faults);
            return None;
        }
        None => {
            faults.add("to", INVALID_PARAMETER, "to is missing: whom is the OTP for?");
            return None;
        }
    };
    match Recipient::parse(channel?, text) {
        Ok(recipient) => Some(recipient),
        Err(reason) => {
            faults.add("to", error::of_recipient(reason), error::recipient_message(reason));
            None
        }
    }
}

/// The caller's own object, without white space, its members in the order in which they came.
fn metadata(fields: &Fields<'_>, faults: &mut Faults) -> String {
    let fields = fields.told_as(INVALID_METADATA);
    let Some(object) = fields.object("metadata", faults) else { return "{}".to_owned() };
    let text = Value::from(object.clone()).to_string();
    if text.len() > MOST_METADATA {
        fields.refuse("metadata", format_args!("an object of at most {MOST_METADATA} bytes"), faults);
    }
    text
}

fn reply<'a>(sent: &'a Sent, currency: &'a str) -> Result<SendReply<'a>, Failure> {
    let session = &sent.session;
    let challenge = session.challenges().first().ok_or_else(|| error::internal("a session without a channel"))?;
    let code = sent.codes.as_ref().and_then(|codes| codes.get(&challenge.channel));
    Ok(SendReply {
        id: otp_id(session.id()),
        to: challenge.recipient.address(),
        method: challenge.channel.as_str(),
        kind: session.purpose(),
        status: match challenge.status() {
            MessageStatus::Pending => "pending",
            MessageStatus::Sent | MessageStatus::Delivered => "sent",
            // Only where the operator chose that a send nobody took is no error.
            MessageStatus::Failed => "failed",
        },
        created_at: session.created_at().whole_seconds(),
        expires_at: session.expires_at().whole_seconds(),
        cost: Cost { amount: amount_json(session.cost().unwrap_or_default()), currency },
        sandbox: super::sandbox(session.mode()),
        test_recipient: session.is_test().then_some(true),
        sandbox_otp: code.map(Code::expose),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(value: &Value) -> Vec<(String, &'static str)> {
        let faults = parse(value.as_object().unwrap()).unwrap_err();
        faults.into_vec().into_iter().map(|fault| (fault.field, fault.code)).collect()
    }

    fn with(field: &str, value: Value) -> Value {
        let mut call = json!({"to": "+12025550143", "method": "sms", "type": "verification"});
        call[field] = value;
        call
    }

    #[test]
    fn every_field_is_read() {
        let call = json!({
            "to": "ann@example.com", "method": "email", "type": "two_factor", "template": "login", "ttl": 900, "length": 8,
            "metadata": {"user_id": "user_123"},
        });
        let send = parse(call.as_object().unwrap()).unwrap();
        assert_eq!((send.channels[0].channel, send.channels[0].recipient.address()), (Channel::Email, "ann@example.com"));
        assert_eq!((send.purpose.as_str(), send.template), ("two_factor", Some(TemplateChoice::Name("login".to_owned()))));
        assert_eq!((send.life, send.code_length), (Some(Duration::from_mins(15)), Some(8)));
        assert_eq!((send.metadata.as_str(), send.dialect), (r#"{"user_id":"user_123"}"#, Dialect::Kotp));
    }

    #[test]
    fn what_is_left_out_is_left_to_the_profile_and_the_dialect() {
        let send = parse(with("unknown", json!(1)).as_object().unwrap()).unwrap();
        assert_eq!((send.template, send.life, send.code_length, send.metadata.as_str()), (None, None, None, "{}"));
    }

    #[test]
    fn each_wrong_field_has_its_word() {
        let rows = [
            ("to", json!("123456"), "INVALID_PHONE"),
            ("to", json!("ann@example.com"), "INVALID_PHONE"),
            ("to", json!(12_025_550_143_u64), "INVALID_PARAMETER"),
            ("to", json!(null), "INVALID_PARAMETER"),
            ("method", json!("fax"), "INVALID_PARAMETER"),
            ("method", json!(null), "INVALID_PARAMETER"),
            ("type", json!("login"), "INVALID_PARAMETER"),
            ("type", json!(null), "INVALID_PARAMETER"),
            ("template", json!(7), "INVALID_PARAMETER"),
            ("ttl", json!(0), "INVALID_PARAMETER"),
            ("ttl", json!(901), "INVALID_PARAMETER"),
            ("ttl", json!("300"), "INVALID_PARAMETER"),
            ("length", json!(3), "INVALID_PARAMETER"),
            ("length", json!(9), "INVALID_PARAMETER"),
            ("metadata", json!([]), "INVALID_METADATA"),
            ("metadata", json!({"a": "x".repeat(1020)}), "INVALID_METADATA"),
        ];
        for (field, value, code) in rows {
            assert_eq!(told(&with(field, value.clone())), [(field.to_owned(), code)], "{value}");
        }
        let mail = json!({"to": "ann", "method": "email", "type": "verification"});
        assert_eq!(told(&mail), [("to".to_owned(), "INVALID_EMAIL")]);
    }
}
