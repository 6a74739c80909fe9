use std::time::Duration;

use countersign_model::{Receipt, ReceiptOf, Reference, Report, Timestamp, Undelivered};
use figment::Figment;
use figment::providers::{Format as _, Toml};
use hmac::{Hmac, Mac as _};
use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::Sha256;

use super::receipt::Events;
use super::*;
use crate::provider::{Content, Diagnostic};
use crate::provider_suite;
use crate::receipts::{Callback, CallbackRefusal, Reading};
use crate::testing::server::{Request, Server, answer};
use crate::testing::suite::{Behaviour, Subject, Told, build_from, over_http};
use crate::testing::{self, NOW, outgoing, rendered};

const SIGNING_KEY: &str = "hush-signing";
const TOKEN: &str = "da9b8f0a3a2d1b4e7a6c5d8f9e0b1c2d3e4f5a6b7c8d9e0f1a";

fn signature(timestamp: &str, token: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SIGNING_KEY.as_bytes()).unwrap();
    mac.update(format!("{timestamp}{token}").as_bytes());
    data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// What the vendor posts: the fixture, signed at `at` under `token`, with its event changed.
fn post(fixture: &str, reference: Reference, at: Timestamp, token: &str, change: impl Fn(&mut Value)) -> Callback {
    let timestamp = at.seconds().to_string();
    let text = fixture
        .replace("{signature}", &signature(&timestamp, token))
        .replace("{timestamp}", &timestamp)
        .replace("{token}", token)
        .replace("{reference}", &reference.to_string());
    let mut posted: Value = serde_json::from_str(&text).unwrap();
    change(&mut posted["event-data"]);
    Callback {
        is_get: false,
        url: "https://otp.example.com/receipts/mailgun/mail".to_owned(),
        path_secret: None,
        headers: vec![("content-type".to_owned(), b"application/json".to_vec())],
        body: posted.to_string().into_bytes(),
    }
}

const EVENT: &str = include_str!("fixtures/event.json");
const FAILED: &str = include_str!("fixtures/failed.json");

struct Vendor;

impl Subject for Vendor {
    type Double = Server;

    const CHANNELS: &'static [Channel] = &[Channel::Email];
    const WAYS: [usize; 4] = [1, 1, 6, 3];

    fn section(url: &str) -> String {
        format!(
            "domain = \"mg.acme.example\"\napi_key = \"hush-key\"\nendpoint = \"{url}\"\nfrom = \"'Acme+ Ltd' \
             <no-reply@mg.acme.example>\"\nreply_to = \"help@acme.example\"\nsigning_key = \"{SIGNING_KEY}\""
        )
    }

    fn build(section: &str, context: ProviderContext) -> (Result<Arc<dyn Provider>, ConfigError>, String) {
        build_from(section, context, build)
    }

    async fn start(behaviour: Behaviour) -> Server {
        over_http(behaviour, |behaviour| match behaviour {
            Behaviour::Accepts(_) => answer(200, &[], include_str!("fixtures/accepted.json")),
            Behaviour::Refuses(_) => answer(400, &[], include_str!("fixtures/recipient.json")),
            Behaviour::Throttles(_) => answer(429, &[], "{\"message\":\"Too many requests\"}"),
            Behaviour::RefusesUs(0) => answer(401, &[], "Forbidden"),
            Behaviour::RefusesUs(1) => answer(403, &[], include_str!("fixtures/sandbox.json")),
            Behaviour::RefusesUs(2) => answer(404, &[], include_str!("fixtures/domain.json")),
            Behaviour::RefusesUs(3) => answer(402, &[], "{\"message\":\"Payment required\"}"),
            Behaviour::RefusesUs(4) => answer(400, &[], include_str!("fixtures/sandbox.json")),
            Behaviour::RefusesUs(_) => answer(400, &[], include_str!("fixtures/sender.json")),
            Behaviour::Fails(0) => answer(400, &[], "{\"message\":\"to parameter is missing\"}"),
            Behaviour::Fails(1) => answer(500, &[], ""),
            Behaviour::Fails(_) | Behaviour::Cuts => answer(400, &[], "no JSON"),
        })
        .await
    }

    fn accepted_id(_: Channel, _: &Rendered) -> Option<String> {
        Some("20260115104500.25659.5817@mg.acme.example".to_owned())
    }

    fn check(request: &Request, message: &Rendered) {
        assert_eq!(request.target(), "POST /v3/mg.acme.example/messages");
        assert_eq!(request.header("authorization"), "Basic YXBpOmh1c2gta2V5");
        let Content::Email { subject, text, html } = &message.content else { panic!("a mail was asked for") };
        let reference = message.reference().to_string();
        let expected = [
            ("from", "'Acme+ Ltd' <no-reply@mg.acme.example>"),
            ("to", "ann@example.com"),
            ("subject", subject),
            ("text", text),
            ("html", html),
            ("o:tag", "otp"),
            ("o:tracking", "no"),
            ("o:tracking-clicks", "no"),
            ("o:tracking-opens", "no"),
            ("v:countersign_ref", &reference),
            ("h:Auto-Submitted", "auto-generated"),
            ("h:X-Auto-Response-Suppress", "RN, NRN, OOF, AutoReply"),
            ("h:Content-Language", "en"),
            ("h:Reply-To", "help@acme.example"),
        ];
        assert_eq!(request.form(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(request.body.starts_with("from=%27Acme%2B+Ltd%27+%3Cno-reply%40mg.acme.example%3E&to="), "{}", request.body);
    }

    fn callback(told: Told, _: Channel, reference: Reference, _: &str) -> Option<Callback> {
        Some(match told {
            Told::Underway => post(FAILED, reference, NOW, "t0", |event| event["severity"] = "temporary".into()),
            Told::Delivered => post(EVENT, reference, NOW, TOKEN, |_| ()),
            Told::Failed => post(FAILED, reference, NOW, "t1", |_| ()),
            Told::Unheard => post(EVENT, reference, NOW, "t2", |event| event["event"] = "folded".into()),
        })
    }

    fn forgeries(genuine: &Callback) -> Vec<Callback> {
        let altered = |change: &dyn Fn(&mut Value)| {
            let mut posted: Value = serde_json::from_slice(&genuine.body).unwrap();
            change(&mut posted);
            Callback { body: posted.to_string().into_bytes(), ..genuine.clone() }
        };
        let reference = rendered(outgoing(Channel::Email)).reference();
        let stale = post(EVENT, reference, NOW.minus(Duration::from_secs(301)), TOKEN, |_| ());
        let early = post(EVENT, reference, NOW.plus(Duration::from_secs(301)), TOKEN, |_| ());
        let now = NOW.seconds();
        vec![
            altered(&|posted| posted["signature"]["timestamp"] = (now + 1).to_string().into()),
            altered(&|posted| posted["signature"]["token"] = "other".into()),
            altered(&|posted| posted["signature"]["signature"] = "00".into()),
            altered(&|posted| posted["signature"]["signature"] = "not hex".into()),
            // The same signed bytes, cut elsewhere.
            altered(&|posted| {
                posted["signature"]["timestamp"] = format!("{now}d").into();
                posted["signature"]["token"] = TOKEN[1..].into();
            }),
            altered(&|posted| posted["signature"] = Value::Null),
            // Two of them, of which one is right.
            Callback { body: [b"{\"signature\":{}," as &[u8], &genuine.body[1..]].concat(), ..genuine.clone() },
            altered(&|posted| *posted = json!([])),
            Callback { body: b"not JSON".to_vec(), ..genuine.clone() },
            Callback { body: b"{\"signature\":\"\xFF\"}".to_vec(), ..genuine.clone() },
            Callback { body: "[".repeat(100_000).into_bytes(), ..genuine.clone() },
            Callback { body: Vec::new(), ..genuine.clone() },
            stale,
            early,
        ]
    }
}

provider_suite!(Vendor);

async fn outcome(status: u16, body: &str) -> TryOutcome {
    let server = Server::start(answer(status, &[], body)).await;
    let (built, _) = Vendor::build(&Vendor::section(&server.url("")), testing::context("mail", Duration::from_secs(5)));
    built.unwrap().send(&testing::email()).await
}

#[tokio::test]
async fn the_words_of_a_400_decide_what_it_means() {
    for (message, label) in [
        ("'to' parameter is not a valid address. please check documentation", "refused"),
        ("'to' parameter is not a valid address", "refused"),
        ("'from' parameter is not a valid address. please check documentation", "misconfigured"),
        (
            "Domain mg.acme.example is not allowed to send: The domain is unverified and requires DNS configuration.",
            "misconfigured",
        ),
        ("Sandbox subdomains are for test purposes only. Please add your own domain.", "misconfigured"),
        ("Need at least one of 'text', 'html' parameters specified", "unknown"),
        ("", "unknown"),
    ] {
        let body = json!({"message": message}).to_string();
        assert_eq!(outcome(400, &body).await.label(), label, "{message}");
    }
    for odd in ["", "[]", "{\"message\":7}", "{\"id\":\"x\""] {
        assert_eq!(outcome(400, odd).await, TryOutcome::Unknown(Diagnostic::Http(400)), "{odd}");
    }
    assert_eq!(outcome(503, "").await.label(), "unknown");
}

#[tokio::test]
async fn a_no_to_an_address_beyond_ascii_is_not_final() {
    let server = Server::start(answer(400, &[], include_str!("fixtures/recipient.json"))).await;
    let (built, _) = Vendor::build(&Vendor::section(&server.url("")), testing::context("mail", Duration::from_secs(5)));
    let message = testing::email_to("jörg@example.com");
    assert_eq!(built.unwrap().send(&message).await.label(), "unknown");
}

#[tokio::test]
async fn the_greeting_at_a_wrong_address_is_no_yes() {
    for greeting in ["Mailgun Magnificent API", "Mailgun Magnificent API\n"] {
        assert_eq!(outcome(200, greeting).await, TryOutcome::Misconfigured(Diagnostic::Http(200)), "{greeting}");
    }
}

#[tokio::test]
async fn a_yes_without_a_sound_id_is_a_yes() {
    for odd in ["", "{}", "{\"id\":7}", "{\"id\":\"<two words>\"}", "Queued"] {
        assert_eq!(outcome(200, odd).await, TryOutcome::Accepted { provider_id: None }, "{odd}");
    }
}

#[tokio::test]
async fn a_chosen_sender_and_letters_beyond_ascii_reach_the_vendor() {
    let server = Server::start(answer(200, &[], "{}")).await;
    let (built, _) = Vendor::build(&Vendor::section(&server.url("")), testing::context("mail", Duration::from_secs(5)));
    let provider = built.unwrap();
    for (sender, from) in [
        ("Ärzte, Söhne & Co", "\"Ärzte, Söhne & Co\" <no-reply@mg.acme.example>"),
        ("shop@acme.example", "'Acme+ Ltd' <shop@acme.example>"),
    ] {
        let mut message = outgoing(Channel::Email);
        message.recipient = countersign_model::Recipient::parse(Channel::Email, "zoë+a@example.com").unwrap();
        message.sender = Some(sender.to_owned());
        assert_eq!(provider.send(&rendered(message)).await.label(), "accepted");
        let form = server.requests().pop().unwrap().form();
        assert_eq!(form[0].1, from);
        assert_eq!(form[1].1, "zoë+a@example.com");
    }
}

fn reader() -> Events {
    Events::new(Some(SecretString::from(SIGNING_KEY)))
}

fn reference() -> Reference {
    testing::email().reference()
}

async fn report(fixture: &str, change: impl Fn(&mut Value)) -> Report {
    let callback = post(fixture, reference(), NOW, TOKEN, change);
    match reader().read(&callback, NOW).await {
        Ok(Reading::Receipts(receipts)) => receipts.first().unwrap_or_else(|| panic!("nothing was read")).report,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_receipt_says_what_happened_to_which_mail_and_when() {
    let callback = post(EVENT, reference(), NOW, TOKEN, |_| ());
    let expected = Receipt {
        of: ReceiptOf::Reference(reference()),
        report: Report::Delivered,
        at: Some(Timestamp::from_millis(1_768_473_893_509)),
        carrier: None,
    };
    assert_eq!(reader().read(&callback, NOW).await, Ok(Reading::Receipts(vec![expected])));
}

#[tokio::test]
async fn every_event_has_its_meaning() {
    use Report::{Delivered, Underway};
    for (event, expected) in [
        ("accepted", Underway),
        ("delivered", Delivered),
        ("opened", Delivered),
        ("clicked", Delivered),
        ("complained", Delivered),
        ("rejected", Report::Undelivered(Undelivered::Rejected)),
        ("unsubscribed", Underway),
        ("stored", Underway),
        ("failed", Underway),
        ("", Underway),
    ] {
        assert_eq!(report(EVENT, |it| it["event"] = event.into()).await, expected, "{event}");
    }
}

#[tokio::test]
async fn a_permanent_failure_says_why_and_a_temporary_one_decides_nothing() {
    use Undelivered::{Expired, NotThere, Rejected, Unknown, Unreachable};
    for (reason, status, why) in [
        ("bounce", json!({"code": 550, "enhanced-code": "5.1.1"}), NotThere),
        ("bounce", json!({"code": 550, "enhanced-code": "", "message": "5.1.1 no such user"}), NotThere),
        ("bounce", json!({"code": 552, "enhanced-code": "5.2.2"}), Unreachable),
        ("bounce", json!({"code": 550, "message": "Relay Not Permitted"}), Unknown),
        ("bounce", json!({"code": 605}), NotThere),
        ("bounce", json!({"code": 607}), Rejected),
        ("generic", json!({"code": 602, "message": "Too old"}), Expired),
        ("generic", json!({"code": 498, "message": "No MX for [example.com]"}), Unknown),
        ("suppress-bounce", json!({"code": 605, "message": "Not delivering to previously bounced address"}), NotThere),
        ("suppress-unsubscribe", json!({"code": 606}), Rejected),
        ("suppress-complaint", json!({"code": 607}), Rejected),
        ("espblock", json!({"code": 550, "enhanced-code": "5.1.1"}), Rejected),
        ("blacklisted", json!({}), Rejected),
        ("old", json!({"code": 602}), Expired),
        ("", json!(null), Unknown),
    ] {
        let change = |severity: &'static str| {
            let status = status.clone();
            move |event: &mut Value| {
                event["severity"] = severity.into();
                event["reason"] = reason.into();
                event["delivery-status"] = status.clone();
            }
        };
        assert_eq!(report(FAILED, change("permanent")).await, Report::Undelivered(why), "{reason} {status}");
        assert_eq!(report(FAILED, change("temporary")).await, Report::Underway, "{reason} {status}");
    }
}

#[tokio::test]
async fn a_signature_is_good_for_one_body_and_that_may_come_again() {
    let reader = reader();
    let genuine = post(EVENT, reference(), NOW, TOKEN, |_| ());
    let replayed = post(EVENT, reference(), NOW, TOKEN, |event| event["event"] = "complained".into());
    let first = reader.read(&genuine, NOW).await;
    assert!(matches!(&first, Ok(Reading::Receipts(receipts)) if receipts.len() == 1), "{first:?}");
    assert_eq!(reader.read(&genuine, NOW).await, first);
    assert_eq!(reader.read(&replayed, NOW).await, Err(CallbackRefusal::Forged));
    let next = post(EVENT, reference(), NOW, "another", |event| event["event"] = "complained".into());
    assert!(reader.read(&next, NOW).await.is_ok());
}

#[tokio::test]
async fn a_genuine_post_about_nothing_of_ours_is_passed_over() {
    let changes: [fn(&mut Value); 6] = [
        |event| event["user-variables"] = json!({}),
        |event| event["user-variables"] = json!([]),
        |event| event["user-variables"]["countersign_ref"] = "an invoice".into(),
        |event| event["user-variables"]["countersign_ref"] = 7.into(),
        |event| *event = json!("delivered"),
        |event| *event = Value::Null,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let callback = post(EVENT, reference(), NOW, TOKEN, change);
        assert_eq!(reader().read(&callback, NOW).await, Ok(Reading::Receipts(Vec::new())), "{number}");
    }
    for timestamp in [json!("1768473893"), json!(-1), json!(1e300), json!(null)] {
        let read = report(EVENT, |event| event["timestamp"] = timestamp.clone()).await;
        assert_eq!(read, Report::Delivered, "{timestamp}");
    }
}

#[tokio::test]
async fn without_a_signing_key_nothing_is_believed_and_nothing_is_expected() {
    let genuine = post(EVENT, reference(), NOW, TOKEN, |_| ());
    assert_eq!(Events::new(None).read(&genuine, NOW).await, Err(CallbackRefusal::Forged));
    let section = "domain = \"mg.acme.example\"\napi_key = \"hush\"\nfrom = \"a@mg.acme.example\"";
    let (built, _) = Vendor::build(section, testing::context("mail", Duration::from_secs(5)));
    assert_eq!(built.unwrap().tells(), Tells::Nothing);
}

#[test]
fn a_mistake_is_told_by_its_key() {
    let base = "domain = \"mg.acme.example\"\napi_key = \"hush\"\nfrom = \"a@mg.acme.example\"\n";
    for (section, expected) in [
        (base.replace("mg.acme", "mg/acme"), "providers.mail.domain: must be a domain such as mg.example.com"),
        (base.replace("mg.acme.example\"\napi", "\"\napi"), "providers.mail.domain: must be a domain"),
        (base.replace("hush", ""), "providers.mail.api_key: is empty"),
        (base.replace("a@mg.acme.example", "a"), "providers.mail.from: must be a mailbox such as"),
        (format!("{base}reply_to = \"help\""), "providers.mail.reply_to: must be a mailbox such as"),
        (format!("{base}endpoint = \"ftp://x.example\""), "providers.mail.endpoint: must be an http or https address"),
        (format!("{base}signing_key = \"\""), "providers.mail.signing_key: is empty"),
        (format!("{base}signing_key = \"a\"\nsigning_key_file = \"/nowhere\""), "providers.mail.signing_key: give the value or"),
        (format!("{base}signing_key_file = \"/nowhere/x\""), "providers.mail.signing_key_file: cannot read /nowhere/x"),
    ] {
        let config: Config = Figment::from(Toml::string(&section)).extract().unwrap();
        let told = config.settle("providers.mail").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told.starts_with(expected), "{told}\nfor\n{section}");
    }
}
