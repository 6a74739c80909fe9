use std::sync::Arc;
use std::time::Duration;

use countersign_model::{Channel, Reference};
use data_encoding::BASE64;
use ring::hmac;

use super::*;
use crate::provider_suite;
use crate::receipts::Callback;
use crate::testing::server::{Act, Request, Server, answer};
use crate::testing::suite::{Behaviour, Subject, Told, build_from, over_http};
use crate::testing::{context, outgoing, rendered};
use crate::voice::{VoicePart, VoiceScript};

mod mistakes;
mod receiving;
mod sending;

provider_suite!(TwilioSubject);

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const TOKEN: &str = "hush-token";
const URL: &str = "https://otp.example.com/receipts/twilio/x";

const SECTION: &str = r#"
    account_sid = "AC00000000000000000000000000000001"
    auth_token = "hush-token"
    endpoint = "{url}"
    [sms]
    from = "+12025550100"
    [whatsapp]
    from = "+12025550102"
    content_sid = "HX00000000000000000000000000000001"
    content_sids = { de = "HX00000000000000000000000000000002" }
    [voice]
    from = "+12025550101"
"#;

struct TwilioSubject;

/// One of Twilio's faults.
fn fault(status: u16, code: u32) -> Act {
    let body = include_str!("fixtures/fault.json").replace("21211", &code.to_string());
    answer(status, &[("content-type", "application/json")], &body)
}

fn accepted(channel: Channel) -> Act {
    let body = if channel == Channel::Voice { include_str!("fixtures/call.json") } else { include_str!("fixtures/message.json") };
    answer(201, &[("content-type", "application/json")], body)
}

/// What Twilio sends, signed as its libraries check it: the address, then the sorted fields.
fn signed(url: &str, body: &str) -> Callback {
    let mut fields: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    fields.sort();
    let text: String = fields.into_iter().map(|(name, value)| name + &value).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, TOKEN.as_bytes());
    let signature = BASE64.encode(hmac::sign(&key, format!("{url}{text}").as_bytes()).as_ref());
    Callback {
        is_get: false,
        url: url.to_owned(),
        path_secret: None,
        headers: vec![("x-twilio-signature".to_owned(), signature.into_bytes())],
        body: body.as_bytes().to_vec(),
    }
}

fn message_status(status: &str) -> String {
    include_str!("fixtures/message_status.form").trim().replace("{status}", status)
}

fn call_status(status: &str) -> String {
    include_str!("fixtures/call_status.form").trim().replace("{status}", status)
}

impl Subject for TwilioSubject {
    type Double = Server;

    const CHANNELS: &'static [Channel] = &[Channel::Sms, Channel::Whatsapp, Channel::Voice];
    const WAYS: [usize; 4] = [4, 3, 4, 3];

    fn section(url: &str) -> String {
        SECTION.replace("{url}", url)
    }

    fn build(section: &str, context: ProviderContext) -> (Result<Arc<dyn Provider>, ConfigError>, String) {
        build_from::<Config>(section, context, build)
    }

    async fn start(behaviour: Behaviour) -> Server {
        over_http(behaviour, |behaviour| match behaviour {
            Behaviour::Accepts(channel) => accepted(channel),
            Behaviour::Refuses(way) => fault(400, [21211, 21610, 21614, 63024][way]),
            Behaviour::Throttles(0) => fault(429, 20429),
            Behaviour::Throttles(1) => fault(400, 21611),
            Behaviour::Throttles(_) => answer(429, &[], ""),
            Behaviour::RefusesUs(0) => fault(401, 20003),
            Behaviour::RefusesUs(1) => fault(403, 21408),
            Behaviour::RefusesUs(2) => fault(400, 63016),
            Behaviour::RefusesUs(_) => answer(401, &[], ""),
            Behaviour::Fails(0) => fault(500, 20500),
            Behaviour::Fails(1) => fault(400, 99_999),
            Behaviour::Fails(_) | Behaviour::Cuts => answer(503, &[], "<html>"),
        })
        .await
    }

    fn accepted_id(channel: Channel, _: &Rendered) -> Option<String> {
        let id =
            if channel == Channel::Voice { "CA00000000000000000000000000000018" } else { "SM00000000000000000000000000000017" };
        Some(id.to_owned())
    }

    fn check(request: &Request, message: &Rendered) {
        let resource = if message.channel == Channel::Voice { "Calls" } else { "Messages" };
        assert_eq!(request.target(), format!("POST /2010-04-01/Accounts/{ACCOUNT}/{resource}.json"));
        let credentials = BASE64.encode(format!("{ACCOUNT}:{TOKEN}").as_bytes());
        assert_eq!(request.header("authorization"), format!("Basic {credentials}"));
        let back = format!("{}?r={}", crate::testing::suite::receipts_url(), message.reference());
        let expected: Vec<(&str, String)> = match message.channel {
            Channel::Sms => vec![
                ("To", "+12025550143".to_owned()),
                ("From", "+12025550100".to_owned()),
                ("Body", message.text().to_owned()),
                ("ValidityPeriod", "600".to_owned()),
                ("StatusCallback", back),
            ],
            Channel::Whatsapp => vec![
                ("To", "whatsapp:+12025550143".to_owned()),
                ("From", "whatsapp:+12025550102".to_owned()),
                ("ContentSid", "HX00000000000000000000000000000001".to_owned()),
                ("ContentVariables", r#"{"1":"482913"}"#.to_owned()),
                ("ValidityPeriod", "600".to_owned()),
                ("StatusCallback", back),
            ],
            Channel::Voice | Channel::Email => vec![
                ("To", "+12025550143".to_owned()),
                ("From", "+12025550101".to_owned()),
                ("Twiml", spoken(message)),
                ("Timeout", "45".to_owned()),
                ("StatusCallback", back),
                ("StatusCallbackEvent", "completed".to_owned()),
            ],
        };
        let expected: Vec<(String, String)> = expected.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(request.form(), expected);
        assert!(request.body.contains("%2B12025550143"), "{}", request.body);
    }

    fn callback(told: Told, channel: Channel, reference: Reference, url: &str) -> Option<Callback> {
        let is_call = channel == Channel::Voice;
        let body = match (told, is_call) {
            (Told::Underway, false) => message_status("sent"),
            (Told::Delivered, false) => message_status("delivered"),
            (Told::Failed, false) => message_status("undelivered") + "&ErrorCode=30003",
            (Told::Unheard, false) => message_status("teleported"),
            (Told::Underway, true) => call_status("in-progress"),
            (Told::Delivered, true) => call_status("completed"),
            (Told::Failed, true) => call_status("no-answer"),
            (Told::Unheard, true) => call_status("teleported"),
        };
        Some(signed(&format!("{url}?r={reference}"), &body))
    }

    fn forgeries(genuine: &Callback) -> Vec<Callback> {
        let altered = |alter: &dyn Fn(&mut Callback)| {
            let mut callback = genuine.clone();
            alter(&mut callback);
            callback
        };
        let body = String::from_utf8(genuine.body.clone()).unwrap();
        vec![
            altered(&|it| it.headers.clear()),
            altered(&|it| it.headers.push(it.headers[0].clone())),
            altered(&|it| it.headers[0].1 = b"bm8=".to_vec()),
            altered(&|it| it.headers[0].1 = b"not base64".to_vec()),
            altered(&|it| it.body = body.replace("2025550143", "2025550144").into_bytes()),
            altered(&|it| it.body.extend_from_slice(b"&More=1")),
            altered(&|it| it.body.clear()),
            altered(&|it| it.url.push('1')),
            altered(&|it| it.url = it.url.replace("otp.example.com", "evil.example")),
            altered(&|it| it.is_get = true),
            altered(&|it| it.url.push_str("&bodySHA256=00")),
        ]
    }
}

/// The whole call for a message in English.
fn spoken(message: &Rendered) -> String {
    let reader = Reader { voice: "Polly.Joanna", language: "en-US" };
    match &message.voice {
        Some(script) => twiml::document(&twiml::script(reader, script)),
        None => twiml::document(&twiml::words(reader, message.text())),
    }
}

/// Built over `section`, with a public address.
fn provider(section: &str, url: &str) -> Arc<dyn Provider> {
    let mut context = context("x", Duration::from_secs(5));
    context.receipts_url = Some(URL.to_owned());
    let (built, _) = TwilioSubject::build(&section.replace("{url}", url), context);
    built.unwrap_or_else(|error| panic!("{error}"))
}

/// What is posted for `message`.
async fn posted(section: &str, message: &Rendered) -> Vec<(String, String)> {
    let server = Server::start(accepted(message.channel)).await;
    let outcome = provider(section, &server.url("")).send(message).await;
    assert_eq!(outcome.label(), "accepted", "{outcome:?}");
    server.requests().remove(0).form()
}

fn field<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
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
