use std::sync::Arc;
use std::time::Duration;

use countersign_model::{ReceiptOf, Reference, Report, Timestamp, Undelivered};
use data_encoding::HEXLOWER;
use jsonwebtoken::{EncodingKey, Header};
use ring::digest;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::*;
use crate::provider_suite;
use crate::receipts::{Callback, CallbackRefusal, Reading};
use crate::testing::server::{Act, Request, Server, answer};
use crate::testing::suite::{Behaviour, Subject, Told, build_from, over_http, receipts_url};
use crate::testing::{NOW, context, outgoing, rendered};

provider_suite!(Bird);

const SECTION: &str = r#"
    access_key = "hush-access"
    endpoint = "{url}"
    from = "Acme"
    signing_key = "hush-signing"
"#;

struct Bird;

fn error(status: u16, code: i64, parameter: Option<&str>) -> Act {
    let parameter = serde_json::to_string(&parameter).unwrap();
    let body = include_str!("fixtures/error.json").replace("{code}", &code.to_string()).replace("{parameter}", &parameter);
    answer(status, &[("content-type", "application/json")], &body)
}

fn hash(text: &str) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn token(key: &str, claims: &serde_json::Value) -> String {
    jsonwebtoken::encode(&Header::default(), claims, &EncodingKey::from_secret(key.as_bytes())).unwrap()
}

fn claims(url: &str) -> serde_json::Value {
    json!({"iss": "MessageBird", "nbf": NOW.seconds(), "exp": NOW.seconds() + 60, "jti": "59a244dc", "url_hash": hash(url)})
}

fn called(url: &str, token: String) -> Callback {
    let headers = vec![("messagebird-signature-jwt".to_owned(), token.into_bytes())];
    Callback { is_get: true, url: url.to_owned(), path_secret: None, headers, body: Vec::new() }
}

fn address(status: &str, reference: Reference) -> String {
    format!(
        "{}?id=6fe65f90454aa61536e6a88b88972670&reference={reference}&recipient=12025550143&status={status}\
         &statusDatetime=2026-01-15T10%3A46%3A00%2B00%3A00",
        receipts_url()
    )
}

impl Subject for Bird {
    type Double = Server;

    const CHANNELS: &'static [Channel] = &[Channel::Sms];
    const WAYS: [usize; 4] = [2, 1, 4, 4];

    fn section(url: &str) -> String {
        SECTION.replace("{url}", url)
    }

    fn build(section: &str, context: ProviderContext) -> (Result<Arc<dyn Provider>, ConfigError>, String) {
        build_from::<Config>(section, context, build)
    }

    async fn start(behaviour: Behaviour) -> Server {
        over_http(behaviour, |behaviour| match behaviour {
            Behaviour::Accepts(_) => answer(201, &[], include_str!("fixtures/accepted.json")),
            Behaviour::Refuses(0) => error(422, 9, Some("recipient")),
            Behaviour::Refuses(_) => error(422, 10, Some("recipients")),
            Behaviour::Throttles(_) => answer(429, &[], ""),
            Behaviour::RefusesUs(0) => error(401, 2, Some("access_key")),
            Behaviour::RefusesUs(1) => error(422, 9, Some("originator")),
            Behaviour::RefusesUs(2) => error(402, 25, None),
            Behaviour::RefusesUs(_) => answer(403, &[], ""),
            Behaviour::Fails(0) => error(422, 10, Some("body")),
            Behaviour::Fails(1) => error(404, 20, None),
            Behaviour::Fails(2) => error(500, 99, None),
            Behaviour::Fails(_) | Behaviour::Cuts => answer(502, &[], "<html>"),
        })
        .await
    }

    fn accepted_id(_: Channel, _: &Rendered) -> Option<String> {
        Some("6fe65f90454aa61536e6a88b88972670".to_owned())
    }

    fn check(request: &Request, message: &Rendered) {
        assert_eq!(request.target(), "POST /messages");
        assert_eq!(request.header("authorization"), "AccessKey hush-access");
        assert_eq!(request.header("content-type"), "application/json");
        let expected = json!({
            "originator": "Acme", "recipients": ["12025550143"], "body": message.text(), "datacoding": "auto", "validity": 600,
            "reference": message.reference().to_string(), "reportUrl": receipts_url(),
        });
        assert_eq!(request.json(), expected);
    }

    fn callback(told: Told, _: Channel, reference: Reference, _: &str) -> Option<Callback> {
        let url = match told {
            Told::Underway => address("buffered", reference),
            Told::Delivered => address("delivered", reference),
            Told::Failed => address("delivery_failed", reference) + "&statusErrorCode=1&statusReason=unknown+subscriber",
            Told::Unheard => address("teleported", reference),
        };
        Some(called(&url, token("hush-signing", &claims(&url))))
    }

    fn forgeries(genuine: &Callback) -> Vec<Callback> {
        let url = genuine.url.as_str();
        let with = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut claims = claims(url);
            change(&mut claims);
            called(url, token("hush-signing", &claims))
        };
        let unsigned = {
            let text = String::from_utf8(genuine.headers[0].1.clone()).unwrap();
            let claims = text.split('.').nth(1).unwrap();
            called(url, format!("eyJhbGciOiJub25lIn0.{claims}."))
        };
        vec![
            Callback { headers: Vec::new(), ..genuine.clone() },
            Callback { url: format!("{url}&more=1"), ..genuine.clone() },
            Callback { body: b"more".to_vec(), ..genuine.clone() },
            called(url, token("hush-access", &claims(url))),
            unsigned,
            with(&|it| it["iss"] = "Somebody".into()),
            with(&|it| it["nbf"] = (NOW.seconds() + 31).into()),
            with(&|it| it["exp"] = (NOW.seconds() - 31).into()),
            with(&|it| it["url_hash"] = hash("https://example.com/").into()),
            with(&|it| it["payload_hash"] = hash("").into()),
        ]
    }
}

fn provider(url: &str) -> Arc<dyn Provider> {
    let mut context = context("bird", Duration::from_secs(5));
    context.receipts_url = Some(receipts_url());
    Bird::build(&Bird::section(url), context).0.unwrap_or_else(|error| panic!("{error}"))
}

/// The vendor's own examples, from the tests of its library for Go: with the key there given.
#[tokio::test]
async fn the_vendors_own_tokens_are_taken_and_refused_as_it_says() {
    const KEY: &str = "36efdd1aace2e26cd490f0d951138253bef2f7c6d34d18981da781555cc4cebb";
    const PLAIN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3OTIwMCwiZXhwIjoxNjI1NDc5MjYwLCJqdGkiOiI1OWEyNDRkYy1lOWFkLTRlMjMtOTc3OC0zNzFmYWEyMzhmNzIiLCJ1cmxfaGFzaCI6IjBmMTE1ZGIwNjJiN2MwZGQwMzBiMTY4NzhjOTlkZWE1YzM1NGI0OWRjMzdiMzhlYjg4NDYxNzljNzc4M2U5ZDcifQ.6Fp0rVOsRr1fj9S2GidXAfkmPVofKr8_RTffC6G6r2E";
    const QUERY: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3OTIwMCwiZXhwIjoxNjI1NDc5MjYwLCJqdGkiOiJjOTQ2YWY3Ny1lMTgyLTRlYWEtYjJmZi0xYTU0NWI1ZTk5MWEiLCJ1cmxfaGFzaCI6IjQxZjA1ZjBkZGQwYTIyYWIyMDlhYzQ2ZjQ3YzQ1NzJkOWNlZmEyNTdlZDc0YjI0MDA0YmFlNzUzZWNlNmMyNjAifQ.huo2ou6JDoDc7sV25d75UMWeYhBeavQlLsqIibSZuac";
    const BODY: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3OTIwMCwiZXhwIjoxNjI1NDc5MjYwLCJqdGkiOiI5M2U1NTAwNi1hMGU4LTQ1MjYtYTE5MC1mYTVmZjAwZWExMTYiLCJ1cmxfaGFzaCI6IjQxZjA1ZjBkZGQwYTIyYWIyMDlhYzQ2ZjQ3YzQ1NzJkOWNlZmEyNTdlZDc0YjI0MDA0YmFlNzUzZWNlNmMyNjAiLCJwYXlsb2FkX2hhc2giOiJkZmZkNjAyMWJiMmJkNWIwYWY2NzYyOTA4MDllYzNhNTMxOTFkZDgxYzdmNzBhNGIyODY4OGEzNjIxODI5ODZmIn0._H--TOuYFLpeEH39-rg5E3IHVkjHozBcaKVWPRC5m9I";
    const FUTURE: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ4MjgwMCwiZXhwIjoxNjI1NDgyODYwLCJqdGkiOiJmOWY4YzM4Mi0yNDQ5LTQzMTEtYjcyYi0xZGY3MTY4NzkzMWUiLCJ1cmxfaGFzaCI6IjBmMTE1ZGIwNjJiN2MwZGQwMzBiMTY4NzhjOTlkZWE1YzM1NGI0OWRjMzdiMzhlYjg4NDYxNzljNzc4M2U5ZDcifQ.ZELgDFNGhjZH9CffQKcq3sytBe2I0KciLxpBhcfstHQ";
    let reports = Reports::new(SecretString::from(KEY));
    let now: Timestamp = "2021-07-05T12:00:00+02:00".parse().unwrap();
    let cases = [
        (PLAIN, "https://example.com/", "", true),
        (QUERY, "https://example.com/path?bar=1&foo=2", "", true),
        (BODY, "https://example.com/path?bar=1&foo=2", "Hello, World!", true),
        (FUTURE, "https://example.com/", "", false),
        (QUERY, "https://example.com/path?foo=2&bar=1", "", false),
        (BODY, "https://example.com/path?bar=1&foo=2", "Hello, world!", false),
        (BODY, "https://example.com/path?bar=1&foo=2", "", false),
        (PLAIN, "https://example.com/", "Hello, World!", false),
    ];
    for (token, url, body, is_genuine) in cases {
        let callback = Callback { body: body.into(), ..called(url, token.to_owned()) };
        let expected = if is_genuine { Ok(Reading::Receipts(Vec::new())) } else { Err(CallbackRefusal::Forged) };
        assert_eq!(reports.read(&callback, now).await, expected, "{url} {body}");
    }
}

#[tokio::test]
async fn every_status_has_its_report_and_its_time() {
    let provider = provider("http://127.0.0.1:9");
    let reference = rendered(outgoing(Channel::Sms)).reference();
    let reports = [
        ("scheduled", Report::Underway),
        ("sent", Report::Underway),
        ("buffered", Report::Underway),
        ("delivered", Report::Delivered),
        ("expired", Report::Undelivered(Undelivered::Expired)),
        ("delivery_failed", Report::Undelivered(Undelivered::Unknown)),
        ("delivery_failed&statusReason=generic+delivery+failure", Report::Undelivered(Undelivered::Unknown)),
        ("delivery_failed&statusReason=unknown+subscriber", Report::Undelivered(Undelivered::NotThere)),
        ("delivery_failed&statusReason=unavailable+subscriber", Report::Undelivered(Undelivered::Unreachable)),
        ("expired&statusReason=unavailable+subscriber", Report::Undelivered(Undelivered::Expired)),
        ("delivered&statusReason=successfully+delivered", Report::Delivered),
        ("sent&statusReason=unknown+subscriber", Report::Underway),
    ];
    let read =
        async |url: &str| match provider.receipts().unwrap().read(&called(url, token("hush-signing", &claims(url))), NOW).await {
            Ok(Reading::Receipts(receipts)) => receipts,
            other => panic!("{other:?}"),
        };
    for (status, report) in reports {
        let receipt = read(&address(status, reference)).await.remove(0);
        assert_eq!((receipt.of, receipt.report), (ReceiptOf::Reference(reference), report), "{status}");
        assert_eq!(receipt.at, Some("2026-01-15T10:46:00Z".parse().unwrap()));
    }
    for nothing in ["", "?status=delivered", "?reference=ours&status=delivered", &format!("?reference={reference}")] {
        assert_eq!(read(&format!("{}{nothing}", receipts_url())).await, [], "{nothing}");
    }
}

/// The fields that a report has beside those on the vendor's page, from one that came to an integration in public code.
#[tokio::test]
async fn a_report_names_the_network_by_its_code() {
    let provider = provider("http://127.0.0.1:9");
    let reference = rendered(outgoing(Channel::Sms)).reference();
    let carrier = async |code: &str| {
        let more =
            format!("&datacoding=plain&mccmnc={code}&messageLength=47&messagePartCount=1&ported=0&price%5Bamount%5D=0.00225");
        let url = address("delivered", reference) + &more + "&price%5Bcurrency%5D=USD&statusReason=successfully+delivered";
        match provider.receipts().unwrap().read(&called(&url, token("hush-signing", &claims(&url))), NOW).await {
            Ok(Reading::Receipts(receipts)) => receipts[0].carrier.clone(),
            other => panic!("{other:?}"),
        }
    };
    for (code, expected) in [
        ("302370", Some("302370")),
        ("20409", Some("20409")),
        ("", None),
        ("2040", None),
        ("3023700", None),
        ("3023x0", None),
        ("%D9%A3%D9%A0%D9%A2370", None),
        ("302370&mccmnc=20409", None),
    ] {
        assert_eq!(carrier(code).await.as_deref(), expected, "{code}");
    }
}

#[tokio::test]
async fn without_a_signing_key_no_reports_are_asked_for() {
    let server = Bird::start(Behaviour::Accepts(Channel::Sms)).await;
    let section = Bird::section(&server.url("")).replace("signing_key = \"hush-signing\"", "");
    let mut context = context("bird", Duration::from_secs(5));
    context.receipts_url = Some(receipts_url());
    let provider = Bird::build(&section, context).0.unwrap_or_else(|error| panic!("{error}"));
    let mut message = outgoing(Channel::Sms);
    message.sender = Some("+12025550199".to_owned());
    let message = rendered(message);
    assert_eq!(provider.send(&message).await.label(), "accepted");
    let body = server.requests()[0].json();
    let expected = json!({
        "originator": "12025550199", "recipients": ["12025550143"], "body": message.text(), "datacoding": "auto", "validity": 600,
    });
    assert_eq!(body, expected);
    assert!(provider.receipts().is_none());
    assert_eq!(provider.tells(), Tells::Nothing);
}

#[tokio::test]
async fn a_text_is_tried_for_what_is_left_of_its_codes_life() {
    let server = Bird::start(Behaviour::Accepts(Channel::Sms)).await;
    let provider = provider(&server.url(""));
    let mut message = rendered(outgoing(Channel::Sms));
    for (left, told) in [(Some(0), json!(1)), (Some(237_900), json!(237)), (None, Value::Null)] {
        message.expires_at = left.map(|left| NOW.plus(Duration::from_millis(left)));
        assert_eq!(provider.send(&message).await.label(), "accepted");
        assert_eq!(server.requests().pop().unwrap().json()["validity"], told, "{left:?}");
    }
}

#[tokio::test]
async fn a_yes_that_cannot_be_read_is_a_yes_without_an_id() {
    for body in ["", "<html>", "{}", r#"{"id": "two words"}"#] {
        let server = Server::start(answer(201, &[], body)).await;
        let outcome = provider(&server.url("")).send(&rendered(outgoing(Channel::Sms))).await;
        assert_eq!(outcome, TryOutcome::Accepted { provider_id: None }, "{body}");
    }
}

#[tokio::test]
async fn a_check_looks_the_balance_up() {
    for (status, is_well, is_told) in [(200, true, false), (401, false, true), (500, false, false)] {
        let server = Server::start(answer(status, &[], "{}")).await;
        let checked = provider(&server.url("")).check().await;
        assert_eq!((checked.is_ok(), matches!(checked, Err(CheckError::Credentials { .. }))), (is_well, is_told), "{checked:?}");
        let request = server.requests().remove(0);
        assert_eq!((request.target(), request.header("authorization")), ("GET /balance", "AccessKey hush-access"));
    }
}

#[test]
fn a_mistake_is_told_by_its_key() {
    let good = || Config {
        access_key: Some("k".into()),
        access_key_file: None,
        endpoint: None,
        from: "Acme".to_owned(),
        signing_key: None,
        signing_key_file: None,
    };
    let cases = [
        (Config { access_key: None, ..good() }, "providers.bird.access_key: is empty"),
        (Config { access_key: Some("a\nb".into()), ..good() }, "providers.bird.access_key: must be one line"),
        (Config { endpoint: Some("x".to_owned()), ..good() }, "providers.bird.endpoint: must be an http"),
        (Config { from: " ".to_owned(), ..good() }, "providers.bird.from: is empty"),
        (Config { signing_key: Some(" ".into()), ..good() }, "providers.bird.signing_key: is empty"),
        (Config { signing_key_file: Some("/nowhere".into()), ..good() }, "providers.bird.signing_key_file: cannot read /nowhere"),
    ];
    for (config, expected) in cases {
        let told = config.settle("providers.bird").err().unwrap().to_string();
        assert!(told.starts_with(expected), "{told}\n{expected}");
    }
    assert_eq!(good().settle("providers.bird").unwrap().endpoint.as_str(), "https://rest.messagebird.com/");
}
