use std::sync::OnceLock;
use std::time::Duration;

use countersign_model::{Receipt, ReceiptOf, Reference, Report, Timestamp, Undelivered};
use data_encoding::BASE64;
use figment::Figment;
use figment::providers::{Format as _, Toml};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::receipt::{Events, VerificationKey};
use super::*;
use crate::provider::{Content, Diagnostic};
use crate::provider_suite;
use crate::receipts::{Callback, CallbackRefusal, Reading};
use crate::testing::server::{Act, Request, Server, answer};
use crate::testing::suite::{Behaviour, Subject, Told, build_from, over_http};
use crate::testing::{self, NOW, outgoing, rendered};

/// The vendor's key pair, made anew for every run.
fn key_pair() -> &'static EcdsaKeyPair {
    static PAIR: OnceLock<EcdsaKeyPair> = OnceLock::new();
    PAIR.get_or_init(|| {
        let chance = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &chance).unwrap();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &chance).unwrap()
    })
}

/// The key as the vendor shows it.
fn verification_key() -> String {
    const HEAD: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
    let mut der = data_encoding::HEXLOWER.decode(HEAD.as_bytes()).unwrap();
    der.extend_from_slice(key_pair().public_key().as_ref());
    BASE64.encode(&der)
}

fn signed(body: impl AsRef<[u8]>, url: &str, at: Timestamp) -> Callback {
    let timestamp = at.seconds().to_string();
    let text = [timestamp.as_bytes(), body.as_ref()].concat();
    let signature = key_pair().sign(&SystemRandom::new(), &text).unwrap();
    Callback {
        is_get: false,
        url: url.to_owned(),
        path_secret: None,
        headers: vec![
            ("content-type".to_owned(), b"application/json".to_vec()),
            ("x-twilio-email-event-webhook-timestamp".to_owned(), timestamp.into_bytes()),
            ("x-twilio-email-event-webhook-signature".to_owned(), BASE64.encode(signature.as_ref()).into_bytes()),
        ],
        body: body.as_ref().to_vec(),
    }
}

/// The events of the fixture.
fn events(reference: Reference) -> Vec<Value> {
    let text = include_str!("fixtures/events.json").replace("{reference}", &reference.to_string());
    serde_json::from_str(&text).unwrap()
}

/// As the vendor writes a batch: a line end between events and one at the end, all of it signed.
fn batch(events: &[&Value]) -> String {
    let events: Vec<String> = events.iter().map(ToString::to_string).collect();
    format!("[{}]\r\n", events.join(",\r\n"))
}

struct Vendor;

impl Subject for Vendor {
    type Double = Server;

    const CHANNELS: &'static [Channel] = &[Channel::Email];
    const WAYS: [usize; 4] = [1, 1, 4, 3];

    fn section(url: &str) -> String {
        format!(
            "api_key = \"SG.hush.hush\"\nendpoint = \"{url}\"\nfrom = \"Acme, Ltd <no-reply@acme.example>\"\nreply_to = \
             \"help@acme.example\"\nverification_key = \"{}\"",
            verification_key()
        )
    }

    fn build(section: &str, context: ProviderContext) -> (Result<Arc<dyn Provider>, ConfigError>, String) {
        build_from(section, context, build)
    }

    async fn start(behaviour: Behaviour) -> Server {
        over_http(behaviour, |behaviour| match behaviour {
            Behaviour::Accepts(_) => answer(202, &[("X-Message-Id", "14c5d75ce93.dfd.64b469")], ""),
            Behaviour::Refuses(_) => answer(400, &[], include_str!("fixtures/recipient.json")),
            Behaviour::Throttles(_) => answer(429, &[], include_str!("fixtures/slow.json")),
            Behaviour::RefusesUs(0) => answer(401, &[], include_str!("fixtures/key.json")),
            Behaviour::RefusesUs(1) => answer(403, &[], include_str!("fixtures/sender.json")),
            Behaviour::RefusesUs(2) => answer(400, &[], include_str!("fixtures/sender.json")),
            Behaviour::RefusesUs(_) => answer(401, &[], include_str!("fixtures/credits.json")),
            Behaviour::Fails(0) => answer(400, &[], include_str!("fixtures/body.json")),
            Behaviour::Fails(1) => answer(500, &[], ""),
            Behaviour::Fails(_) | Behaviour::Cuts => answer(503, &[], "<html>"),
        })
        .await
    }

    fn accepted_id(_: Channel, _: &Rendered) -> Option<String> {
        Some("14c5d75ce93.dfd.64b469".to_owned())
    }

    fn check(request: &Request, message: &Rendered) {
        assert_eq!(request.target(), "POST /v3/mail/send");
        assert_eq!(request.header("authorization"), "Bearer SG.hush.hush");
        assert_eq!(request.header("content-type"), "application/json");
        let Content::Email { subject, text, html } = &message.content else { panic!("a mail was asked for") };
        let expected = json!({
            "personalizations": [{"to": [{"email": "ann@example.com"}]}],
            "from": {"email": "no-reply@acme.example", "name": "Acme, Ltd"},
            "reply_to": {"email": "help@acme.example"},
            "subject": subject,
            "content": [{"type": "text/plain", "value": text}, {"type": "text/html", "value": html}],
            "headers": {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "RN, NRN, OOF, AutoReply", "Content-Language": "en"},
            "categories": ["otp"],
            "custom_args": {"countersign_ref": message.reference().to_string()},
            "tracking_settings": {
                "click_tracking": {"enable": false, "enable_text": false},
                "open_tracking": {"enable": false},
                "subscription_tracking": {"enable": false},
                "ganalytics": {"enable": false},
            },
        });
        assert_eq!(request.json(), expected);
    }

    fn callback(told: Told, _: Channel, reference: Reference, url: &str) -> Option<Callback> {
        let events = events(reference);
        let event = match told {
            Told::Underway => &events[0],
            Told::Delivered => &events[2],
            Told::Failed => &events[3],
            Told::Unheard => &events[4],
        };
        Some(signed(batch(&[event]), url, NOW))
    }

    fn forgeries(genuine: &Callback) -> Vec<Callback> {
        let with = |header: usize, value: &[u8]| {
            let mut forged = genuine.clone();
            forged.headers[header].1 = value.to_vec();
            forged
        };
        let without = |header: usize| {
            let mut forged = genuine.clone();
            forged.headers.remove(header);
            forged
        };
        let mut other_body = genuine.clone();
        other_body.body = String::from_utf8(other_body.body).unwrap().replace("delivered", "dropped").into_bytes();
        let mut trimmed = genuine.clone();
        trimmed.body.truncate(trimmed.body.len() - 2);
        let later = (NOW.seconds() + 1).to_string();
        let stale = signed("[]", &genuine.url, NOW.minus(Duration::from_secs(301)));
        let early = signed("[]", &genuine.url, NOW.plus(Duration::from_secs(301)));
        let mut twice = genuine.clone();
        twice.headers.push(twice.headers[2].clone());
        vec![
            other_body,
            trimmed,
            with(1, later.as_bytes()),
            with(2, b"MEUCIA=="),
            with(2, b"not base64"),
            without(1),
            without(2),
            stale,
            early,
            twice,
        ]
    }
}

provider_suite!(Vendor);

async fn outcome(status: u16, body: &str) -> TryOutcome {
    let server = Server::start(answer(status, &[], body)).await;
    sent_to(&server).await
}

async fn sent_to(server: &Server) -> TryOutcome {
    let (built, _) = Vendor::build(&Vendor::section(&server.url("")), testing::context("mail", Duration::from_secs(5)));
    built.unwrap().send(&testing::email()).await
}

fn errors(fields: &[Option<&str>]) -> String {
    let errors: Vec<Value> = fields.iter().map(|field| json!({"message": "482913", "field": field, "help": null})).collect();
    json!({"errors": errors}).to_string()
}

#[tokio::test]
async fn what_is_wrong_with_a_request_decides_what_a_no_means() {
    for (status, fields, label) in [
        (400, vec![Some("personalizations.0.to.0.email")], "refused"),
        (400, vec![Some("personalizations.0.to")], "refused"),
        (400, vec![Some("personalizations.0.to.0.email"), Some("subject")], "unknown"),
        (400, vec![Some("from.email")], "misconfigured"),
        (400, vec![Some("reply_to.email")], "misconfigured"),
        (400, vec![Some("content")], "unknown"),
        (400, vec![None], "unknown"),
        (400, vec![], "unknown"),
        (403, vec![Some("from")], "misconfigured"),
        (413, vec![None], "unknown"),
        (451, vec![None], "misconfigured"),
    ] {
        assert_eq!(outcome(status, &errors(&fields)).await.label(), label, "{status} {fields:?}");
    }
    for odd in ["", "<html>", "[]", "{\"errors\":{}}"] {
        assert_eq!(outcome(400, odd).await, TryOutcome::Unknown(Diagnostic::Http(400)), "{odd}");
    }
}

#[tokio::test]
async fn a_no_to_an_address_beyond_ascii_is_not_final() {
    let server = Server::start(answer(400, &[], include_str!("fixtures/recipient.json"))).await;
    let (built, _) = Vendor::build(&Vendor::section(&server.url("")), testing::context("mail", Duration::from_secs(5)));
    let message = testing::email_to("jörg@example.com");
    assert_eq!(built.unwrap().send(&message).await.label(), "unknown");
}

#[tokio::test]
async fn a_yes_without_a_sound_id_is_a_yes() {
    for reply in [answer(202, &[], ""), answer(202, &[("X-Message-Id", "two words")], ""), answer(200, &[], "{}")] {
        let server = Server::start(reply).await;
        assert_eq!(sent_to(&server).await, TryOutcome::Accepted { provider_id: None });
    }
}

#[tokio::test]
async fn a_chosen_sender_and_letters_beyond_ascii_reach_the_vendor() {
    let server = Server::start(answer(202, &[], "")).await;
    let (built, _) = Vendor::build(&Vendor::section(&server.url("/proxy/")), testing::context("mail", Duration::from_secs(5)));
    let provider = built.unwrap();
    for sender in ["Ärzte + Söhne", "shop@acme.example"] {
        let mut message = outgoing(Channel::Email);
        message.recipient = countersign_model::Recipient::parse(Channel::Email, "zoë+a@example.com").unwrap();
        message.sender = Some(sender.to_owned());
        assert_eq!(provider.send(&rendered(message)).await.label(), "accepted");
    }
    let [first, second] = &server.requests()[..] else { panic!("two were sent") };
    assert_eq!(first.target(), "POST /proxy/v3/mail/send");
    assert_eq!(first.json()["from"], json!({"email": "no-reply@acme.example", "name": "Ärzte + Söhne"}));
    assert_eq!(first.json()["personalizations"][0]["to"][0]["email"], "zoë+a@example.com");
    assert_eq!(second.json()["from"], json!({"email": "shop@acme.example", "name": "Acme, Ltd"}));
}

#[tokio::test]
async fn a_check_asks_what_the_key_may_do() {
    let checked = async |act: Act| {
        let server = Server::start(act).await;
        let (built, _) = Vendor::build(&Vendor::section(&server.url("")), testing::context("mail", Duration::from_secs(5)));
        let checked = built.unwrap().check().await;
        let request = server.requests().remove(0);
        assert_eq!(request.target(), "GET /v3/scopes");
        assert_eq!(request.header("authorization"), "Bearer SG.hush.hush");
        (checked, format!("127.0.0.1:{}", server.port))
    };
    assert_eq!(checked(answer(200, &[], "{\"scopes\":[\"mail.send\",\"2fa_required\"]}")).await.0, Ok(()));
    let (told, address) = checked(answer(401, &[], include_str!("fixtures/key.json"))).await;
    assert_eq!(told, Err(CheckError::Credentials { address }));
    let (told, address) = checked(answer(200, &[], "{\"scopes\":[\"stats.read\"]}")).await;
    assert_eq!(told, Err(CheckError::Unsupported { address, what: "a key with the scope mail.send" }));
    let (told, address) = checked(answer(500, &[], "")).await;
    assert_eq!(told, Err(CheckError::Answer { address, diagnostic: Diagnostic::Http(500) }));
}

fn reader() -> Events {
    Events::new(VerificationKey::parse(&verification_key()))
}

async fn read(body: impl AsRef<[u8]>) -> Result<Reading, CallbackRefusal> {
    reader().read(&signed(body, "https://otp.example.com/x", NOW), NOW).await
}

fn reference() -> Reference {
    testing::email().reference()
}

async fn reports(events: &[&Value]) -> Vec<Report> {
    match read(&batch(events)).await {
        Ok(Reading::Receipts(receipts)) => receipts.into_iter().map(|receipt| receipt.report).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_batch_tells_of_many_mails_and_foreign_ones_are_passed_over() {
    let other = Reference { message: countersign_model::MessageId::from_bits(0x73), ..reference() };
    let (ours, others) = (events(reference()), events(other));
    let mut foreign = ours[2].clone();
    foreign["countersign_ref"] = "an invoice".into();
    let nobodys = json!({"event": "delivered", "email": "bob@example.com"});
    let read = read(&batch(&[&ours[0], &foreign, &nobodys, &json!(7), &ours[2], &others[3]])).await;
    let of = |reference, report, seconds: i64| Receipt {
        of: ReceiptOf::Reference(reference),
        report,
        at: Some(Timestamp::from_millis(seconds * 1000)),
        carrier: None,
    };
    let expected = vec![
        of(reference(), Report::Underway, 1_768_473_890),
        of(reference(), Report::Delivered, 1_768_473_892),
        of(other, Report::Undelivered(Undelivered::NotThere), 1_768_473_893),
    ];
    assert_eq!(read, Ok(Reading::Receipts(expected)));
}

#[tokio::test]
async fn every_event_has_its_meaning() {
    use Report::{Delivered, Underway};
    for (event, report) in [
        ("processed", Underway),
        ("deferred", Underway),
        ("delivered", Delivered),
        ("open", Delivered),
        ("click", Delivered),
        ("spamreport", Delivered),
        ("unsubscribe", Underway),
        ("group_unsubscribe", Underway),
        ("", Underway),
    ] {
        let event = json!({"event": event, "countersign_ref": reference().to_string()});
        assert_eq!(reports(&[&event]).await, [report], "{event}");
    }
}

#[tokio::test]
async fn a_bounce_and_a_drop_say_why() {
    use Undelivered::{Expired, NotThere, Rejected, Unknown, Unreachable};
    for (extra, why) in [
        (json!({"event": "bounce", "status": "5.1.1", "type": "bounce"}), NotThere),
        (json!({"event": "bounce", "reason": "550 5.1.1 no such user"}), NotThere),
        (json!({"event": "bounce", "status": "5.2.2", "type": "blocked"}), Unreachable),
        (json!({"event": "bounce", "status": "5.7.1", "bounce_classification": "Invalid Address"}), Rejected),
        (json!({"event": "bounce", "status": "5.0.0", "bounce_classification": "Invalid Address"}), NotThere),
        (json!({"event": "bounce", "bounce_classification": "Mailbox Unavailable"}), Unreachable),
        (json!({"event": "bounce", "bounce_classification": "Technical Failure"}), Unreachable),
        (json!({"event": "bounce", "bounce_classification": "Content"}), Rejected),
        (json!({"event": "bounce", "bounce_classification": "Reputation"}), Rejected),
        (json!({"event": "bounce", "bounce_classification": "Frequency or Volume Too High"}), Rejected),
        (json!({"event": "bounce", "bounce_classification": "Unclassified", "type": "blocked"}), Rejected),
        (json!({"event": "bounce", "bounce_classification": "Unclassified", "type": "expired"}), Expired),
        (json!({"event": "bounce", "bounce_classification": "Unclassified", "type": "bounce"}), Unknown),
        (json!({"event": "bounce", "status": 5, "reason": null}), Unknown),
        (json!({"event": "dropped", "reason": "Bounced Address", "status": "5.0.0"}), NotThere),
        (json!({"event": "dropped", "reason": "Invalid"}), NotThere),
        (json!({"event": "dropped", "reason": "Unsubscribed Address"}), Rejected),
        (json!({"event": "dropped", "reason": "Spam Reporting Address"}), Rejected),
        (json!({"event": "dropped", "reason": "Spam Content (if Spam Checker app is enabled)"}), Rejected),
        (json!({"event": "dropped", "reason": "Recipient List over Package Quota"}), Unknown),
    ] {
        let mut event = extra.clone();
        event["countersign_ref"] = reference().to_string().into();
        assert_eq!(reports(&[&event]).await, [Report::Undelivered(why)], "{extra}");
    }
}

#[tokio::test]
async fn what_is_signed_and_is_no_list_is_malformed_and_odd_times_are_left_out() {
    for body in ["", "{}", "7", "[", "\u{feff}[]"] {
        assert_eq!(read(body).await, Err(CallbackRefusal::Malformed("not a list of events")), "{body}");
    }
    for timestamp in [json!("1768473890"), json!(i64::MAX), json!(-1.5), json!(null)] {
        let event = json!({"event": "delivered", "timestamp": timestamp, "countersign_ref": reference().to_string()});
        assert_eq!(reports(&[&event]).await, [Report::Delivered], "{timestamp}");
    }
}

#[tokio::test]
async fn what_is_signed_and_deep_broken_or_huge_is_read_as_far_as_it_can_be() {
    let malformed = Err(CallbackRefusal::Malformed("not a list of events"));
    assert_eq!(read("[".repeat(100_000)).await, malformed);
    assert_eq!(read(b"[{\"event\":\"\xFF\"}]").await, malformed);
    let bounce = |reference: String| {
        let reason = "x".repeat(1 << 20);
        json!({"event": "bounce", "reason": reason, "status": "5.1.1", "countersign_ref": reference})
    };
    let not_there = Report::Undelivered(Undelivered::NotThere);
    let (ours, nobodys) = (bounce(reference().to_string()), bounce("0".repeat(1 << 20)));
    assert_eq!(reports(&[&nobodys, &ours]).await, [not_there]);
}

#[tokio::test]
async fn without_a_key_nothing_is_believed_and_nothing_is_expected() {
    let genuine = signed("[]", "https://otp.example.com/x", NOW);
    assert_eq!(Events::new(None).read(&genuine, NOW).await, Err(CallbackRefusal::Forged));
    let section = "api_key = \"SG.hush\"\nfrom = \"a@acme.example\"";
    let (built, _) = Vendor::build(section, testing::context("mail", Duration::from_secs(5)));
    assert_eq!(built.unwrap().tells(), Tells::Nothing);
    let (built, _) = Vendor::build(&Vendor::section("http://x.example"), testing::context("mail", Duration::from_secs(5)));
    assert_eq!(built.unwrap().tells(), Tells::Nothing, "no public address is configured");
}

/// From the vendor's own test of its library: signed with a key that only the vendor has.
#[tokio::test]
async fn what_the_vendor_itself_signed_is_believed_and_only_to_the_byte() {
    const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";
    const SIGNATURE: &str = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=";
    const BODY: &str = concat!(
        r#"[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address","#,
        r#""sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA","#,
        r#""sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0","#,
        r#""smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]"#,
        "\r\n"
    );
    let now = Timestamp::from_millis(1_600_112_502_000);
    let mut callback = signed(BODY, "https://otp.example.com/x", now);
    callback.headers[2].1 = SIGNATURE.as_bytes().to_vec();
    let reader = Events::new(VerificationKey::parse(KEY));
    assert_eq!(reader.read(&callback, now).await, Ok(Reading::Receipts(Vec::new())));
    callback.body.pop();
    assert_eq!(reader.read(&callback, now).await, Err(CallbackRefusal::Forged));
}

#[test]
fn a_mistake_is_told_by_its_key() {
    let base = "api_key = \"SG.hush\"\nfrom = \"Acme <a@acme.example>\"\n";
    let p384_head = "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE";
    for (section, expected) in [
        ("from = \"a@acme.example\"".to_owned(), "providers.mail.api_key: is empty"),
        ("api_key = \"a\\nb\"\nfrom = \"a@acme.example\"".to_owned(), "providers.mail.api_key: must be one line of visible text"),
        (format!("{base}api_key_file = \"/nowhere\""), "providers.mail.api_key: give the value or the file, not both"),
        ("api_key = \"SG.hush\"\nfrom = \"Acme\"".to_owned(), "providers.mail.from: must be a mailbox such as"),
        (format!("{base}reply_to = \"help\""), "providers.mail.reply_to: must be a mailbox such as"),
        (format!("{base}endpoint = \"api.sendgrid.com\""), "providers.mail.endpoint: must be an http or https address"),
        (
            format!("{base}verification_key = \"MFkw\""),
            "providers.mail.verification_key: must be the base64 text of an ECDSA P-256",
        ),
        (format!("{base}verification_key = \"{p384_head}\""), "providers.mail.verification_key: must be the base64 text"),
    ] {
        let config: Config = Figment::from(Toml::string(&section)).extract().unwrap();
        let told = config.settle("providers.mail").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told.starts_with(expected), "{told}\nfor\n{section}");
    }
    let unknown: Result<Config, _> = Figment::from(Toml::string(&format!("{base}api_token = \"x\""))).extract();
    assert!(unknown.unwrap_err().to_string().contains("api_token"));
}

#[test]
fn only_a_whole_key_of_the_right_curve_is_taken() {
    let genuine = BASE64.decode(verification_key().as_bytes()).unwrap();
    assert!(VerificationKey::parse(&format!(" {} \n", BASE64.encode(&genuine))).is_some());
    let altered = |change: fn(&mut Vec<u8>)| {
        let mut der = genuine.clone();
        change(&mut der);
        BASE64.encode(&der)
    };
    for wrong in [
        altered(|der| der.truncate(90)),
        altered(|der| der.push(0)),
        altered(|der| der[1] = 0x58),
        altered(|der| der[22] = 0x08),
        altered(|der| der[26] = 2),
        altered(|der| der.truncate(26)),
    ] {
        assert!(VerificationKey::parse(&wrong).is_none(), "{wrong}");
    }
}
