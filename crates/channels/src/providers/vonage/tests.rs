use std::sync::Arc;
use std::time::Duration;

use countersign_model::{Channel, Reference};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use jsonwebtoken::{EncodingKey, Header};
use ring::digest;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rustls::pki_types::pem::PemObject as _;
use secrecy::SecretString;
use serde_json::json;

use super::signature::Method;
use super::*;
use crate::provider_suite;
use crate::receipts::Callback;
use crate::testing::server::{Act, Request, Server, answer};
use crate::testing::suite::{Behaviour, Subject, Told, build_from, over_http, receipts_url};
use crate::testing::{NOW, context, outgoing, rendered};
use crate::voice::{VoicePart, VoiceScript};

mod mistakes;
mod receiving;
mod sending;

provider_suite!(VonageSubject);

const SIGNATURE: &str = "hush-signature";
const URL: &str = "https://otp.example.com/receipts/vonage/x";
const KEY: &str = include_str!("fixtures/application.key");

/// Text before a PEM block is passed over, so the key can be given away by a word.
fn section() -> String {
    format!(
        r#"
    api_key = "abcd1234"
    api_secret = "hush-secret"
    signature_secret = "{SIGNATURE}"
    signature_method = "sha256"
    endpoint = "{{url}}"
    api_endpoint = "{{url}}"
    [sms]
    from = "Acme"
    [voice]
    application_id = "78d335fa-323d-0114-9c3d-d6f0d48968cf"
    private_key = '''
hush
{KEY}'''
    from = "+12025550101"
"#
    )
}

struct VonageSubject;

fn refused(status: &str) -> Act {
    answer(200, &[("content-type", "application/json")], &include_str!("fixtures/sms_refused.json").replace("{status}", status))
}

fn accepted(channel: Channel) -> Act {
    let headers = [("content-type", "application/json")];
    match channel {
        Channel::Voice => answer(201, &headers, include_str!("fixtures/call.json")),
        Channel::Email | Channel::Sms | Channel::Whatsapp => answer(200, &headers, include_str!("fixtures/sms.json")),
    }
}

/// A receipt of a text message, as a form, signed.
fn receipt(status: &str, reference: &str) -> Callback {
    let mut fields: Vec<(String, String)> = [
        ("msisdn", "12025550143"),
        ("to", "Acme"),
        ("network-code", "31000"),
        ("messageId", "0A0000001234567B"),
        ("price", "0.03330000"),
        ("status", status),
        ("scts", "2601151045"),
        ("err-code", if matches!(status, "failed" | "rejected") { "2" } else { "0" }),
        ("api-key", "abcd1234"),
        ("client-ref", reference),
        ("message-timestamp", "2026-01-15 10:45:00"),
        ("timestamp", "1768473900"),
        ("nonce", "5d9c6a46-58b8-4bd4-a10c-0b0a4b5f9d0d"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let signature = signature::sign(Method::Sha256, &SecretString::from(SIGNATURE), &fields);
    fields.push(("sig".to_owned(), signature));
    posted(URL, &wire::encode(&fields), None)
}

fn posted(url: &str, body: &str, token: Option<String>) -> Callback {
    let headers = token.map(|token| ("authorization".to_owned(), format!("Bearer {token}").into_bytes()));
    Callback {
        is_get: false,
        url: url.to_owned(),
        path_secret: None,
        headers: headers.into_iter().collect(),
        body: body.as_bytes().to_vec(),
    }
}

/// The token of a callback, as Vonage's page on signed webhooks has it.
fn token(secret: &str, issued: i64, body: &str) -> String {
    let claims = json!({
        "iat": issued, "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5", "iss": "Vonage", "api_key": "abcd1234",
        "payload_hash": HEXLOWER.encode(digest::digest(&digest::SHA256, body.as_bytes()).as_ref()),
        "application_id": "78d335fa-323d-0114-9c3d-d6f0d48968cf",
    });
    jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

fn signed_json(url: &str, body: &str) -> Callback {
    posted(url, body, Some(token(SIGNATURE, NOW.seconds(), body)))
}

fn event(status: &str, url: &str) -> Callback {
    signed_json(url, &include_str!("fixtures/event.json").replace("{status}", status))
}

impl Subject for VonageSubject {
    type Double = Server;

    const CHANNELS: &'static [Channel] = &[Channel::Sms, Channel::Voice];
    const WAYS: [usize; 4] = [2, 3, 5, 3];

    fn section(url: &str) -> String {
        section().replace("{url}", url)
    }

    fn build(section: &str, context: ProviderContext) -> (Result<Arc<dyn Provider>, ConfigError>, String) {
        build_from::<Config>(section, context, build)
    }

    async fn start(behaviour: Behaviour) -> Server {
        over_http(behaviour, |behaviour| match behaviour {
            Behaviour::Accepts(channel) => accepted(channel),
            Behaviour::Refuses(way) => refused(["7", "33"][way]),
            Behaviour::Throttles(0) => refused("1"),
            Behaviour::Throttles(1) => refused("10"),
            Behaviour::Throttles(_) => answer(429, &[], ""),
            Behaviour::RefusesUs(4) => answer(401, &[], ""),
            Behaviour::RefusesUs(way) => refused(["4", "9", "15", "14"][way]),
            Behaviour::Fails(0) => refused("5"),
            Behaviour::Fails(1) => refused("6"),
            Behaviour::Fails(_) | Behaviour::Cuts => answer(502, &[], "<html>"),
        })
        .await
    }

    fn accepted_id(channel: Channel, _: &Rendered) -> Option<String> {
        let id = if channel == Channel::Voice { "63f61863-4a51-4f6b-86e1-46edebcf9356" } else { "0A0000001234567B" };
        Some(id.to_owned())
    }

    fn check(request: &Request, message: &Rendered) {
        if message.channel == Channel::Voice { check_call(request, message) } else { check_text(request, message) }
    }

    fn callback(told: Told, channel: Channel, reference: Reference, url: &str) -> Option<Callback> {
        let is_call = channel == Channel::Voice;
        let status = match (told, is_call) {
            (Told::Underway, false) => "buffered",
            (Told::Delivered, false) => "delivered",
            (Told::Failed, false) => "failed",
            (Told::Underway, true) => "ringing",
            (Told::Delivered, true) => "completed",
            (Told::Failed, true) => "unanswered",
            (Told::Unheard, _) => "teleported",
        };
        Some(if is_call { event(status, &format!("{url}?r={reference}")) } else { receipt(status, &reference.to_string()) })
    }

    fn forgeries(genuine: &Callback) -> Vec<Callback> {
        let altered = |alter: &dyn Fn(&mut Callback)| {
            let mut callback = genuine.clone();
            alter(&mut callback);
            callback
        };
        let body = String::from_utf8(genuine.body.clone()).unwrap();
        let mut forgeries = vec![
            altered(&|it| it.body = body.replace("2025550143", "2025550144").into_bytes()),
            altered(&|it| it.body = body.replace("0A0000001234567B", "0A0000001234567C").replace("63f6", "63f7").into_bytes()),
            altered(&|it| it.body.clear()),
            altered(&|it| {
                it.is_get = true;
                it.body.clear();
            }),
        ];
        if genuine.headers.is_empty() {
            forgeries.extend([
                altered(&|it| it.body = body.split("&sig=").next().unwrap().as_bytes().to_vec()),
                altered(&|it| it.body.extend_from_slice(b"&more=1")),
                altered(&|it| it.body.extend_from_slice(b"&sig=00")),
                altered(&|it| it.headers.push(("authorization".to_owned(), b"Bearer x".to_vec()))),
            ]);
        } else {
            let with = |token: String| posted(&genuine.url, &body, Some(token));
            let unsigned =
                format!("{}.{}.", BASE64URL_NOPAD.encode(br#"{"alg":"none"}"#), BASE64URL_NOPAD.encode(br#"{"iat":1768473900}"#));
            forgeries.extend([
                altered(&|it| it.headers.clear()),
                altered(&|it| it.headers[0].1.push(b'x')),
                altered(&|it| it.headers.push(it.headers[0].clone())),
                with(token("another", NOW.seconds(), &body)),
                with(token(SIGNATURE, NOW.seconds() - 301, &body)),
                with(token(SIGNATURE, NOW.seconds() + 301, &body)),
                with(unsigned),
            ]);
        }
        forgeries
    }
}

fn check_text(request: &Request, message: &Rendered) {
    assert_eq!(request.target(), "POST /sms/json");
    let reference = message.reference().to_string();
    let expected = [
        ("api_key", "abcd1234"),
        ("from", "Acme"),
        ("to", "12025550143"),
        ("text", message.text()),
        ("type", "text"),
        ("ttl", "600000"),
        ("client-ref", &reference),
        ("status-report-req", "1"),
        ("callback", &receipts_url()),
        ("api_secret", "hush-secret"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(request.form(), expected);
}

fn check_call(request: &Request, message: &Rendered) {
    assert_eq!(request.target(), "POST /v1/calls");
    assert_eq!(request.header("content-type"), "application/json");
    check_token(request.header("authorization").strip_prefix("Bearer ").unwrap());
    let reader = Reader { language: "en-US", style: 0 };
    let says = match &message.voice {
        Some(script) => ncco::script(reader, script).unwrap(),
        None => vec![ncco::talk(reader, message.text()).unwrap()],
    };
    let expected = json!({
        "to": [{ "type": "phone", "number": "12025550143" }],
        "from": { "type": "phone", "number": "12025550101" },
        "ncco": says,
        "ringing_timer": 45,
        "event_url": [format!("{}?r={}", receipts_url(), message.reference())],
        "event_method": "POST",
    });
    assert_eq!(request.json(), expected);
}

/// Signed with the application's key, and good for five minutes.
fn check_token(token: &str) {
    let parts: Vec<&str> = token.split('.').collect();
    let decoded = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap();
    let json = |part: &str| serde_json::from_slice::<Value>(&decoded(part)).unwrap();
    assert_eq!(json(parts[0]), json!({ "alg": "RS256", "typ": "JWT" }));
    let claims = json(parts[1]);
    let jti = claims["jti"].as_str().unwrap();
    assert!(jti.len() == 32 && jti.bytes().all(|byte| byte.is_ascii_hexdigit()), "{claims}");
    let issued = NOW.seconds();
    let expected = json!({
        "application_id": "78d335fa-323d-0114-9c3d-d6f0d48968cf", "iat": issued, "exp": issued + 300, "jti": jti,
    });
    assert_eq!(claims, expected);
    let der = rustls::pki_types::PrivatePkcs8KeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let pair = ring::rsa::KeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public());
    key.verify(format!("{}.{}", parts[0], parts[1]).as_bytes(), &decoded(parts[2])).unwrap();
}

/// Built over `section`, with a public address.
fn provider(section: &str, url: &str) -> Arc<dyn Provider> {
    let mut context = context("x", Duration::from_secs(5));
    context.receipts_url = Some(URL.to_owned());
    let (built, _) = VonageSubject::build(&section.replace("{url}", url), context);
    built.unwrap_or_else(|error| panic!("{error}"))
}

/// What is asked for `message`.
async fn asked(section: &str, message: &Rendered) -> Request {
    let server = Server::start(accepted(message.channel)).await;
    let outcome = provider(section, &server.url("")).send(message).await;
    assert_eq!(outcome.label(), "accepted", "{outcome:?}");
    server.requests().remove(0)
}

fn field(request: &Request, name: &str) -> Option<String> {
    request.form().into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

/// A call with a script of its own.
fn call(locale: &'static str) -> Rendered {
    let mut message = rendered(outgoing(Channel::Voice));
    message.locale = locale.into();
    message.voice = Some(VoiceScript {
        press: "Acme & Söhne calls: press a <key>.".to_owned(),
        parts: vec![
            VoicePart::Words("Hello. Your \"Acme\" code is:".to_owned()),
            VoicePart::Digits("4, 8, 2, 9, 1, 3".to_owned()),
            VoicePart::Words("Goodbye.".to_owned()),
        ],
    });
    message
}
