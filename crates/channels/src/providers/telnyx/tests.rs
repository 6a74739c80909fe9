use std::time::Duration;

use countersign_model::{Receipt, ReceiptOf, Reference, Report, Timestamp, Undelivered};
use data_encoding::BASE64;
use figment::Figment;
use figment::providers::{Format as _, Toml};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::receipt::{Events, PublicKey};
use super::*;
use crate::provider::Diagnostic;
use crate::provider_suite;
use crate::receipts::{Callback, CallbackRefusal, Reading};
use crate::testing::server::{Act, Request, Server, answer};
use crate::testing::suite::{Behaviour, Subject, Told, build_from, over_http};
use crate::testing::{self, NOW, outgoing, rendered};

const EVENT: &str = include_str!("fixtures/finalized.json");

fn key_pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

fn public_key() -> String {
    BASE64.encode(key_pair().public_key().as_ref())
}

fn signed(body: &str, url: &str, at: Timestamp) -> Callback {
    let timestamp = at.seconds().to_string();
    let signature = key_pair().sign(format!("{timestamp}|{body}").as_bytes());
    Callback {
        is_get: false,
        url: url.to_owned(),
        path_secret: None,
        headers: vec![
            ("content-type".to_owned(), b"application/json".to_vec()),
            ("telnyx-timestamp".to_owned(), timestamp.into_bytes()),
            ("telnyx-signature-ed25519".to_owned(), BASE64.encode(signature.as_ref()).into_bytes()),
        ],
        body: body.as_bytes().to_vec(),
    }
}

/// What the vendor posts, with its payload changed before it is signed.
fn post(reference: Reference, change: impl Fn(&mut Value)) -> Callback {
    let mut event: Value = serde_json::from_str(&EVENT.replace("{reference}", &reference.to_string())).unwrap();
    change(&mut event["data"]["payload"]);
    signed(&event.to_string(), &format!("https://otp.example.com/receipts/telnyx/sms?r={reference}"), NOW)
}

fn with_status(status: &'static str, code: &'static str) -> impl Fn(&mut Value) {
    move |payload| {
        payload["to"][0]["status"] = status.into();
        payload["errors"] = json!([{"code": code, "title": "", "detail": ""}]);
    }
}

struct Vendor;

impl Subject for Vendor {
    type Double = Server;

    const CHANNELS: &'static [Channel] = &[Channel::Sms];
    const WAYS: [usize; 4] = [2, 2, 4, 3];

    fn section(url: &str) -> String {
        format!(
            "api_key = \"KEY_hush\"\nendpoint = \"{url}\"\nfrom = \"Acme\"\nmessaging_profile_id = \
             \"4000eba1-a0c0-4563-9925-b25e842a7cb6\"\npublic_key = \"{}\"",
            public_key()
        )
    }

    fn build(section: &str, context: ProviderContext) -> (Result<Arc<dyn Provider>, ConfigError>, String) {
        build_from(section, context, build)
    }

    async fn start(behaviour: Behaviour) -> Server {
        over_http(behaviour, |behaviour| match behaviour {
            Behaviour::Accepts(_) => answer(200, &[], include_str!("fixtures/accepted.json")),
            Behaviour::Refuses(0) => answer(400, &[], include_str!("fixtures/stopped.json")),
            Behaviour::Refuses(_) => answer(400, &[], include_str!("fixtures/recipient.json")),
            Behaviour::Throttles(0) => answer(429, &[], include_str!("fixtures/slow.json")),
            Behaviour::Throttles(_) => answer(429, &[], ""),
            Behaviour::RefusesUs(0) => answer(401, &[], include_str!("fixtures/key.json")),
            Behaviour::RefusesUs(1) => answer(403, &[], ""),
            Behaviour::RefusesUs(2) => {
                answer(400, &[], "{\"errors\":[{\"code\":\"40305\",\"title\":\"Invalid 'from' address\"}]}")
            }
            Behaviour::RefusesUs(_) => answer(402, &[], ""),
            Behaviour::Fails(0) => answer(500, &[], "{\"errors\":[{\"code\":\"10007\",\"title\":\"Unexpected error\"}]}"),
            Behaviour::Fails(1) => answer(422, &[], "{\"errors\":[]}"),
            Behaviour::Fails(_) | Behaviour::Cuts => answer(503, &[], "<html>"),
        })
        .await
    }

    fn accepted_id(_: Channel, _: &Rendered) -> Option<String> {
        Some("40385f64-5717-4562-b3fc-2c963f66afa6".to_owned())
    }

    fn check(request: &Request, message: &Rendered) {
        assert_eq!(request.target(), "POST /v2/messages");
        assert_eq!(request.header("authorization"), "Bearer KEY_hush");
        assert_eq!(request.header("content-type"), "application/json");
        let expected = json!({
            "from": "Acme",
            "to": "+12025550143",
            "text": message.text(),
            "type": "SMS",
            "messaging_profile_id": "4000eba1-a0c0-4563-9925-b25e842a7cb6",
            "webhook_url": format!("https://otp.example.com/receipts/kind/subject?r={}", message.reference()),
            "use_profile_webhooks": false,
        });
        assert_eq!(request.json(), expected);
    }

    fn callback(told: Told, _: Channel, reference: Reference, _: &str) -> Option<Callback> {
        Some(match told {
            Told::Underway => post(reference, with_status("sent", "")),
            Told::Delivered => post(reference, |_| ()),
            Told::Failed => post(reference, with_status("delivery_failed", "40001")),
            Told::Unheard => post(reference, with_status("folded", "")),
        })
    }

    fn forgeries(genuine: &Callback) -> Vec<Callback> {
        let with = |header: usize, value: &str| {
            let mut forged = genuine.clone();
            forged.headers[header].1 = value.as_bytes().to_vec();
            forged
        };
        let without = |header: usize| {
            let mut forged = genuine.clone();
            forged.headers.remove(header);
            forged
        };
        let mut other_body = genuine.clone();
        other_body.body.push(b' ');
        let mut twice = genuine.clone();
        twice.headers.push(twice.headers[1].clone());
        vec![
            other_body,
            with(1, &(NOW.seconds() + 1).to_string()),
            with(2, &BASE64.encode(&[0; 64])),
            with(2, &BASE64.encode(&[0; 63])),
            with(2, "not base64"),
            without(1),
            without(2),
            signed("{}", &genuine.url, NOW.minus(Duration::from_secs(301))),
            signed("{}", &genuine.url, NOW.plus(Duration::from_secs(301))),
            twice,
        ]
    }
}

provider_suite!(Vendor);

fn provider(section: &str) -> Arc<dyn Provider> {
    Vendor::build(section, testing::context("sms", Duration::from_secs(5))).0.unwrap()
}

async fn outcome(status: u16, body: &str) -> TryOutcome {
    let server = Server::start(answer(status, &[], body)).await;
    provider(&Vendor::section(&server.url(""))).send(&testing::sms()).await
}

#[tokio::test]
async fn the_vendors_own_code_decides_what_a_no_means() {
    for (status, flaw, label) in [
        (400, json!({"code": "40001", "title": "Not routable"}), "refused"),
        (400, json!({"code": "40012"}), "refused"),
        (400, json!({"code": "40310", "title": "Invalid 'to' address"}), "refused"),
        (403, json!({"code": "40300", "title": "Blocked due to STOP message"}), "refused"),
        (400, json!({"code": "40300", "detail": "Blocked due to STOP message"}), "refused"),
        (400, json!({"code": "40300", "title": "The number has no profile"}), "unknown"),
        (422, json!({"code": "10002", "source": {"pointer": "/to"}}), "refused"),
        (422, json!({"code": "10016", "source": {"pointer": "/to"}}), "refused"),
        (422, json!({"code": "10002", "source": {"pointer": "/from"}}), "unknown"),
        (422, json!({"code": "10016"}), "unknown"),
        (429, json!({"code": "10011"}), "throttled"),
        (400, json!({"code": "40011"}), "throttled"),
        (401, json!({"code": "10009"}), "misconfigured"),
        (403, json!({"code": "10010"}), "misconfigured"),
        (400, json!({"code": "10039"}), "misconfigured"),
        (403, json!({"code": "20100"}), "misconfigured"),
        (400, json!({"code": "40010"}), "misconfigured"),
        (400, json!({"code": "40013"}), "misconfigured"),
        (400, json!({"code": "40305"}), "misconfigured"),
        (400, json!({"code": "40312"}), "misconfigured"),
        (402, json!({"code": "99999"}), "misconfigured"),
        (400, json!({"code": "40002"}), "unknown"),
        (500, json!({"code": "10007"}), "unknown"),
    ] {
        let body = json!({"errors": [flaw]}).to_string();
        assert_eq!(outcome(status, &body).await.label(), label, "{status} {body}");
    }
    for odd in ["", "<html>", "{}", "{\"errors\":[{\"code\":40310}]}"] {
        assert_eq!(outcome(400, odd).await, TryOutcome::Unknown(Diagnostic::Http(400)), "{odd}");
    }
}

#[tokio::test]
async fn a_yes_without_a_sound_id_is_a_yes() {
    for odd in ["", "OK", "{}", "{\"data\":{\"id\":7}}", "{\"data\":{\"id\":\"two words\"}}"] {
        assert_eq!(outcome(200, odd).await, TryOutcome::Accepted { provider_id: None }, "{odd}");
    }
}

#[tokio::test]
async fn a_pool_a_chosen_sender_and_letters_beyond_ascii_reach_the_vendor() {
    let server = Server::start(answer(200, &[], "")).await;
    let section = format!("api_key = \"KEY_hush\"\nendpoint = \"{}\"\nmessaging_profile_id = \"pool\"", server.url(""));
    let provider = provider(&section);
    for sender in [None, Some("Shop")] {
        let mut message = outgoing(Channel::Sms);
        message.app_name = "Ärzte \"+\" 医者".to_owned();
        message.sender = sender.map(str::to_owned);
        let message = rendered(message);
        assert_eq!(provider.send(&message).await.label(), "accepted");
        let mut expected = json!({"to": "+12025550143", "text": message.text(), "type": "SMS", "messaging_profile_id": "pool"});
        if let Some(sender) = sender {
            expected["from"] = sender.into();
        }
        assert_eq!(server.requests().pop().unwrap().json(), expected);
    }
}

#[tokio::test]
async fn a_check_asks_for_the_balance() {
    let checked = async |act: Act| {
        let server = Server::start(act).await;
        let checked = provider(&Vendor::section(&server.url(""))).check().await;
        let request = server.requests().remove(0);
        assert_eq!(request.target(), "GET /v2/balance");
        assert_eq!(request.header("authorization"), "Bearer KEY_hush");
        (checked, format!("127.0.0.1:{}", server.port))
    };
    assert_eq!(checked(answer(200, &[], "{\"data\":{\"balance\":\"300.00\"}}")).await.0, Ok(()));
    let (told, address) = checked(answer(401, &[], include_str!("fixtures/key.json"))).await;
    assert_eq!(told, Err(CheckError::Credentials { address }));
    let (told, address) = checked(answer(403, &[], "")).await;
    assert_eq!(told, Err(CheckError::Answer { address, diagnostic: Diagnostic::Http(403) }));
}

fn reader() -> Events {
    Events::new(PublicKey::parse(&public_key()))
}

fn reference() -> Reference {
    testing::sms().reference()
}

async fn read(change: impl Fn(&mut Value)) -> Vec<Receipt> {
    match reader().read(&post(reference(), change), NOW).await {
        Ok(Reading::Receipts(receipts)) => receipts,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_receipt_says_what_happened_to_which_message_when_and_who_carried_it() {
    let expected = Receipt {
        of: ReceiptOf::Reference(reference()),
        report: Report::Delivered,
        at: Some(Timestamp::from_millis(1_768_473_902_148)),
        carrier: Some("T-MOBILE USA, INC.".to_owned()),
    };
    assert_eq!(read(|_| ()).await, [expected]);
}

#[tokio::test]
async fn a_networks_name_is_kept_within_bounds() {
    for (name, kept) in [
        (json!("A\u{7}B\nC"), Some("ABC".to_owned())),
        (json!("é".repeat(80)), Some("é".repeat(64))),
        (json!(" "), None),
        (json!(""), None),
        (json!(7), None),
        (json!(null), None),
    ] {
        assert_eq!(read(|payload| payload["to"][0]["carrier"] = name.clone()).await[0].carrier, kept, "{name}");
    }
}

#[tokio::test]
async fn every_status_has_its_meaning() {
    use Report::{Delivered, Undelivered as Failed, Underway};
    for (status, expected) in [
        ("queued", Underway),
        ("sending", Underway),
        ("sent", Underway),
        ("delivered", Delivered),
        ("delivery_unconfirmed", Underway),
        ("webhook_delivered", Underway),
        ("expired", Failed(Undelivered::Expired)),
        ("sending_failed", Failed(Undelivered::Unknown)),
        ("delivery_failed", Failed(Undelivered::Unknown)),
        ("", Underway),
    ] {
        assert_eq!(read(with_status(status, "")).await[0].report, expected, "{status}");
    }
}

#[tokio::test]
async fn a_failure_says_why() {
    use Undelivered::{Expired, NotThere, Rejected, Unknown, Unreachable};
    for (code, why) in [
        ("40001", NotThere),
        ("40012", NotThere),
        ("40310", NotThere),
        ("40002", Rejected),
        ("40003", Rejected),
        ("40004", Rejected),
        ("40009", Rejected),
        ("40300", Rejected),
        ("40015", Rejected),
        ("40005", Expired),
        ("40014", Expired),
        ("40006", Unreachable),
        ("40008", Unknown),
        ("99999", Unknown),
    ] {
        for status in ["sending_failed", "delivery_failed"] {
            assert_eq!(read(with_status(status, code)).await[0].report, Report::Undelivered(why), "{status} {code}");
        }
    }
    let without_errors = read(|payload| {
        payload["to"][0]["status"] = "delivery_failed".into();
        payload["errors"] = Value::Null;
    });
    assert_eq!(without_errors.await[0].report, Report::Undelivered(Unknown));
}

#[tokio::test]
async fn the_signed_body_names_the_message_and_the_called_address_only_where_it_does_not() {
    let other = Reference { message: countersign_model::MessageId::from_bits(0x73), ..reference() };
    let mut callback = post(reference(), |_| ());
    callback.url = format!("https://otp.example.com/receipts/telnyx/sms?r={other}");
    let of = async |callback: &Callback| match reader().read(callback, NOW).await {
        Ok(Reading::Receipts(receipts)) => receipts.into_iter().map(|receipt| receipt.of).collect::<Vec<_>>(),
        refused => panic!("{refused:?}"),
    };
    assert_eq!(of(&callback).await, [ReceiptOf::Reference(reference())]);
    // Fields that hold nothing come as an empty text too.
    for nothing in [Value::Null, "".into()] {
        let silent = post(reference(), |payload| payload["webhook_url"] = nothing.clone());
        assert_eq!(of(&silent).await, [ReceiptOf::Reference(reference())], "{nothing}");
    }
    for foreign in ["https://otp.example.com/else", "https://otp.example.com/?r=7", "no address"] {
        assert_eq!(of(&post(reference(), |payload| payload["webhook_url"] = foreign.into())).await, [], "{foreign}");
    }
}

#[tokio::test]
async fn what_is_about_nothing_of_ours_is_passed_over_and_what_is_no_json_is_malformed() {
    let url = "https://otp.example.com/receipts/telnyx/sms";
    for body in ["{}", "[]", "7", "{\"data\":[]}", "{\"data\":{\"payload\":{\"to\":{}}}}"] {
        assert_eq!(reader().read(&signed(body, url, NOW), NOW).await, Ok(Reading::Receipts(Vec::new())), "{body}");
    }
    for body in ["", "{"] {
        let read = reader().read(&signed(body, url, NOW), NOW).await;
        assert_eq!(read, Err(CallbackRefusal::Malformed("not an event")), "{body}");
    }
}

#[tokio::test]
async fn without_a_public_key_nothing_is_asked_for_and_nothing_is_believed() {
    assert_eq!(Events::new(None).read(&post(reference(), |_| ()), NOW).await, Err(CallbackRefusal::Forged));
    let server = Server::start(answer(200, &[], "")).await;
    let section = format!("api_key = \"KEY_hush\"\nendpoint = \"{}\"\nfrom = \"+18445550001\"", server.url(""));
    let mut context = testing::context("sms", Duration::from_secs(5));
    context.receipts_url = Some("https://otp.example.com/receipts/telnyx/sms".to_owned());
    let provider = Vendor::build(&section, context).0.unwrap();
    assert_eq!(provider.tells(), Tells::Nothing);
    let message = testing::sms();
    assert_eq!(provider.send(&message).await.label(), "accepted");
    let expected = json!({"from": "+18445550001", "to": "+12025550143", "text": message.text(), "type": "SMS"});
    assert_eq!(server.requests().remove(0).json(), expected);
}

#[test]
fn a_mistake_is_told_by_its_key() {
    let base = "api_key = \"KEY_hush\"\nfrom = \"+18445550001\"\n";
    for (section, expected) in [
        ("from = \"+18445550001\"".to_owned(), "providers.sms.api_key: is empty"),
        (format!("{base}api_key_file = \"/nowhere\""), "providers.sms.api_key: give the value or the file, not both"),
        ("api_key = \"x\"".to_owned(), "providers.sms.from: must be given, or `messaging_profile_id`"),
        ("api_key = \"x\"\nfrom = \" \"".to_owned(), "providers.sms.from: is empty"),
        ("api_key = \"x\"\nfrom = \"Acme\"".to_owned(), "providers.sms.from: needs `messaging_profile_id` beside it"),
        (format!("{base}messaging_profile_id = \"\""), "providers.sms.messaging_profile_id: is empty"),
        (format!("{base}endpoint = \"x\""), "providers.sms.endpoint: must be an http or https address"),
        (format!("{base}public_key = \"AAAA\""), "providers.sms.public_key: must be the base64 text of an Ed25519 public key"),
        (format!("{base}public_key = \"?\""), "providers.sms.public_key: must be the base64 text of an Ed25519 public key"),
    ] {
        let config: Config = Figment::from(Toml::string(&section)).extract().unwrap();
        let told = config.settle("providers.sms").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told.starts_with(expected), "{told}\nfor\n{section}");
    }
}
