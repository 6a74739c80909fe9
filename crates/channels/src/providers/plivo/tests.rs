use std::sync::Arc;
use std::time::Duration;

use countersign_model::Reference;
use data_encoding::BASE64;
use ring::hmac;
use serde_json::json;

use super::*;
use crate::provider::Content;
use crate::provider_suite;
use crate::receipts::Callback;
use crate::testing::server::{Act, Request, Server, answer};
use crate::testing::suite::{Behaviour, Subject, Told, build_from, over_http, receipts_url};
use crate::testing::{NOW, context, outgoing, rendered};

mod receiving;

provider_suite!(PlivoSubject);

const URL: &str = "https://otp.example.com/receipts/plivo/x";

const SECTION: &str = r#"
    auth_id = "MA00000000000000000001"
    auth_token = "hush-token"
    endpoint = "{url}"
    from = "+12025550100"
"#;

struct PlivoSubject;

fn reply(status: u16, body: &str) -> Act {
    answer(status, &[("content-type", "application/json")], body)
}

/// What Plivo sends, signed as its page has it: the address and its query, a dot, the sorted fields, a dot, the nonce.
fn signed(url: &str, body: &str) -> Callback {
    let mut fields: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    fields.sort();
    let fields: String = fields.into_iter().map(|(name, value)| name + &value).collect();
    let nonce = "31627761595286130198";
    let between = if url.contains('?') { "." } else { "?" };
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"hush-token");
    let signature = BASE64.encode(hmac::sign(&key, format!("{url}{between}{fields}.{nonce}").as_bytes()).as_ref());
    with_headers(url, body, &[("x-plivo-signature-v3-nonce", nonce), ("x-plivo-signature-v3", &signature)])
}

fn with_headers(url: &str, body: &str, headers: &[(&str, &str)]) -> Callback {
    Callback {
        is_get: false,
        url: url.to_owned(),
        path_secret: None,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect(),
        body: body.as_bytes().to_vec(),
    }
}

fn status(status: &str) -> String {
    include_str!("fixtures/status.form").trim().replace("{status}", status)
}

impl Subject for PlivoSubject {
    type Double = Server;

    const CHANNELS: &'static [Channel] = &[Channel::Sms];
    const WAYS: [usize; 4] = [1, 1, 3, 3];

    fn section(url: &str) -> String {
        SECTION.replace("{url}", url)
    }

    fn build(section: &str, context: ProviderContext) -> (Result<Arc<dyn Provider>, ConfigError>, String) {
        build_from::<Config>(section, context, build)
    }

    async fn start(behaviour: Behaviour) -> Server {
        over_http(behaviour, |behaviour| match behaviour {
            Behaviour::Accepts(_) => reply(202, include_str!("fixtures/accepted.json")),
            Behaviour::Refuses(_) => reply(202, include_str!("fixtures/invalid.json")),
            Behaviour::Throttles(_) => reply(429, include_str!("fixtures/error.json")),
            Behaviour::RefusesUs(way) => reply([401, 403, 404][way], include_str!("fixtures/error.json")),
            Behaviour::Fails(0) => reply(400, include_str!("fixtures/error.json")),
            Behaviour::Fails(1) => reply(500, include_str!("fixtures/error.json")),
            Behaviour::Fails(_) | Behaviour::Cuts => answer(502, &[], "<html>"),
        })
        .await
    }

    fn accepted_id(_: Channel, _: &Rendered) -> Option<String> {
        Some("db3ce55a-7f1d-11e1-8ea7-1231380bc196".to_owned())
    }

    fn check(request: &Request, message: &Rendered) {
        assert_eq!(request.target(), "POST /v1/Account/MA00000000000000000001/Message/");
        let credentials = BASE64.encode(b"MA00000000000000000001:hush-token");
        assert_eq!(request.header("authorization"), format!("Basic {credentials}"));
        assert_eq!(request.header("content-type"), "application/json");
        let expected = json!({
            "src": "+12025550100", "dst": "+12025550143", "text": message.text(), "type": "sms", "log": false, "message_expiry": 600,
            "url": format!("{}?r={}", receipts_url(), message.reference()), "method": "POST",
        });
        assert_eq!(request.json(), expected);
    }

    fn callback(told: Told, _: Channel, reference: Reference, url: &str) -> Option<Callback> {
        let body = match told {
            Told::Underway => status("sent"),
            Told::Delivered => status("delivered"),
            Told::Failed => status("undelivered") + "&ErrorCode=80",
            Told::Unheard => status("teleported"),
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
            altered(&|it| it.headers.truncate(1)),
            altered(&|it| drop(it.headers.remove(0))),
            altered(&|it| it.headers[0].1 = b"1".to_vec()),
            altered(&|it| it.headers[1].1 = b"bm8=,not base64,".to_vec()),
            altered(&|it| it.body = body.replace("2025550143", "2025550144").into_bytes()),
            altered(&|it| it.body.extend_from_slice(b"&More=1")),
            altered(&|it| it.body.clear()),
            altered(&|it| it.url.push('1')),
            altered(&|it| it.url = it.url.replace("otp.example.com", "evil.example")),
            altered(&|it| it.url = "not an address".to_owned()),
            altered(&|it| it.is_get = true),
        ]
    }
}

/// Built over `section`, with a public address.
fn provider(section: &str, url: &str) -> Arc<dyn Provider> {
    let mut context = context("x", Duration::from_secs(5));
    context.receipts_url = Some(URL.to_owned());
    let (built, _) = PlivoSubject::build(&section.replace("{url}", url), context);
    built.unwrap_or_else(|error| panic!("{error}"))
}

async fn posted(section: &str, message: &Rendered) -> serde_json::Value {
    let server = Server::start(reply(202, include_str!("fixtures/accepted.json"))).await;
    let outcome = provider(section, &server.url("")).send(message).await;
    assert_eq!(outcome.label(), "accepted", "{outcome:?}");
    server.requests()[0].json()
}

#[tokio::test]
async fn the_sender_is_the_sections_a_pool_or_the_callers_own() {
    let pool = SECTION.replace("from = \"+12025550100\"", "powerpack_uuid = \"p-1\"");
    let mut message = rendered(outgoing(Channel::Sms));
    let sent = posted(&pool, &message).await;
    assert_eq!((&sent["powerpack_uuid"], &sent["src"]), (&json!("p-1"), &json!(null)));
    message.sender = Some("Acme".to_owned());
    let sent = posted(&pool, &message).await;
    assert_eq!((&sent["powerpack_uuid"], &sent["src"]), (&json!(null), &json!("Acme")));
}

#[tokio::test]
async fn a_text_goes_out_as_it_is_and_a_plain_one_has_no_life() {
    let mut message = rendered(outgoing(Channel::Sms));
    message.content = Content::Phone { text: "Код: \"482913\" + 1 & €\n\n@example.com #482913".to_owned() };
    message.expires_at = None;
    let sent = posted(SECTION, &message).await;
    assert_eq!((&sent["text"], &sent["message_expiry"]), (&json!(message.text()), &json!(null)));
}

#[tokio::test]
async fn a_text_is_kept_for_what_is_left_of_its_codes_life_as_far_as_plivo_takes_it() {
    let mut message = rendered(outgoing(Channel::Sms));
    for (left, told) in [(0, 5), (5_999, 5), (237_900, 237), (10_800_000, 10_799)] {
        message.expires_at = Some(NOW.plus(Duration::from_millis(left)));
        assert_eq!(posted(SECTION, &message).await["message_expiry"], told, "{left}");
    }
}

#[tokio::test]
async fn the_vendor_keeps_the_text_only_where_that_is_asked_for() {
    let message = rendered(outgoing(Channel::Sms));
    assert_eq!(posted(SECTION, &message).await["log"], false);
    assert_eq!(posted(&format!("{SECTION}log = true"), &message).await["log"], true);
}

#[tokio::test]
async fn without_a_public_address_no_receipts_are_asked_for() {
    let server = Server::start(reply(202, include_str!("fixtures/accepted.json"))).await;
    let provider =
        PlivoSubject::build(&SECTION.replace("{url}", &server.url("")), context("x", Duration::from_secs(5))).0.unwrap();
    assert!(provider.receipts().is_none() && provider.tells() == Tells::Nothing);
    provider.send(&rendered(outgoing(Channel::Sms))).await;
    let sent = server.requests()[0].json();
    assert!(sent.get("url").is_none() && sent.get("method").is_none(), "{sent}");
}

#[tokio::test]
async fn a_yes_that_cannot_be_read_is_a_yes_without_an_id() {
    for body in ["", "not json", "{}", r#"{"message_uuid":[]}"#, r#"{"message_uuid":["two words"]}"#] {
        let server = Server::start(reply(202, body)).await;
        let outcome = provider(SECTION, &server.url("")).send(&rendered(outgoing(Channel::Sms))).await;
        assert_eq!(outcome, TryOutcome::Accepted { provider_id: None }, "{body}");
    }
}

#[tokio::test]
async fn a_check_looks_the_account_up() {
    let server = Server::start(reply(200, "{}")).await;
    assert_eq!(provider(SECTION, &server.url("")).check().await, Ok(()));
    let request = &server.requests()[0];
    assert_eq!(request.target(), "GET /v1/Account/MA00000000000000000001/");
    assert!(request.header("authorization").starts_with("Basic "));
    for (status, is_credentials) in [(401, true), (404, true), (500, false)] {
        let server = Server::start(reply(status, "{}")).await;
        let told = provider(SECTION, &server.url("")).check().await;
        assert_eq!(matches!(told, Err(CheckError::Credentials { .. })), is_credentials, "{told:?}");
        assert!(told.is_err());
    }
}

#[test]
fn a_mistake_is_told_by_its_key() {
    let base = "auth_id = \"MA01\"\nauth_token = \"hush\"\n";
    let cases = [
        ("auth_id = \"MA/1\"\nauth_token = \"hush\"\nfrom = \"Acme\"".to_owned(), "providers.x.auth_id: must be an account's id"),
        ("auth_id = \"MA01\"\nfrom = \"Acme\"".to_owned(), "providers.x.auth_token: is empty"),
        (format!("{base}auth_token_file = \"/nowhere\"\nfrom = \"Acme\""), "providers.x.auth_token: give the value or the file"),
        (base.to_owned(), "providers.x: give exactly one of `from` and `powerpack_uuid`"),
        (
            format!("{base}from = \"Acme\"\npowerpack_uuid = \"p\""),
            "providers.x: give exactly one of `from` and `powerpack_uuid`",
        ),
        (format!("{base}from = \"\""), "providers.x.from: is empty"),
        (format!("{base}powerpack_uuid = \" \""), "providers.x.powerpack_uuid: is empty"),
        (format!("{base}from = \"Acme\"\nendpoint = \"x\""), "providers.x.endpoint: must be an http or https address"),
    ];
    for (section, expected) in cases {
        let told = match PlivoSubject::build(&section, context("x", Duration::from_secs(5))).0 {
            Ok(_) => panic!("taken: {section}"),
            Err(error) => error.to_string(),
        };
        assert!(told.starts_with(expected) && !told.contains("hush"), "{told}\nfor\n{section}");
    }
}
