use std::time::Duration;

use countersign_model::{Receipt, ReceiptOf, Reference, Report, Timestamp, Undelivered};
use data_encoding::BASE64;
use figment::Figment;
use figment::providers::{Format as _, Toml};
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::receipt::{Events, SigningSecret};
use super::*;
use crate::provider::{Content, Diagnostic};
use crate::provider_suite;
use crate::receipts::{Callback, CallbackRefusal, Reading};
use crate::testing::server::{Act, Request, Server, answer};
use crate::testing::suite::{Behaviour, Subject, Told, build_from, over_http};
use crate::testing::{self, NOW, outgoing, rendered};

/// Its base64 begins with `hush`.
const SECRET: &str = "whsec_hushhushhushhushhushhushhush";
const EVENT: &str = include_str!("fixtures/event.json");
const BOUNCED: &str = include_str!("fixtures/bounced.json");

fn signature(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> String {
    let key = BASE64.decode(secret.trim_start_matches("whsec_").as_bytes()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
}

fn signed(body: impl AsRef<[u8]>, at: Timestamp) -> Callback {
    let timestamp = at.seconds().to_string();
    let signature = signature(SECRET, "msg_2Lh9", &timestamp, body.as_ref());
    Callback {
        is_get: false,
        url: "https://otp.example.com/receipts/resend/mail".to_owned(),
        path_secret: None,
        headers: vec![
            ("content-type".to_owned(), b"application/json".to_vec()),
            ("svix-id".to_owned(), b"msg_2Lh9".to_vec()),
            ("svix-timestamp".to_owned(), timestamp.into_bytes()),
            ("svix-signature".to_owned(), signature.into_bytes()),
        ],
        body: body.as_ref().to_vec(),
    }
}

/// What the vendor posts, with its event changed before it is signed.
fn post(fixture: &str, reference: Reference, change: impl Fn(&mut Value)) -> Callback {
    let mut event: Value = serde_json::from_str(&fixture.replace("{reference}", &reference.to_string())).unwrap();
    change(&mut event);
    signed(event.to_string(), NOW)
}

struct Vendor;

impl Subject for Vendor {
    type Double = Server;

    const CHANNELS: &'static [Channel] = &[Channel::Email];
    const WAYS: [usize; 4] = [1, 2, 5, 4];

    fn section(url: &str) -> String {
        format!(
            "api_key = \"re_hush\"\nendpoint = \"{url}\"\nfrom = '\"Acme, Ltd.\" <no-reply@acme.example>'\nreply_to = \
             \"help@acme.example\"\nsigning_secret = \"{SECRET}\""
        )
    }

    fn build(section: &str, context: ProviderContext) -> (Result<Arc<dyn Provider>, ConfigError>, String) {
        build_from(section, context, build)
    }

    async fn start(behaviour: Behaviour) -> Server {
        let flaw = |status: u16, name: &str| {
            answer(status, &[], &json!({"statusCode": status, "name": name, "message": ""}).to_string())
        };
        over_http(behaviour, |behaviour| match behaviour {
            Behaviour::Accepts(_) => answer(200, &[], include_str!("fixtures/accepted.json")),
            Behaviour::Refuses(_) => answer(422, &[], include_str!("fixtures/recipient.json")),
            Behaviour::Throttles(0) => flaw(429, "rate_limit_exceeded"),
            Behaviour::Throttles(_) => answer(429, &[], ""),
            Behaviour::RefusesUs(0) => flaw(401, "missing_api_key"),
            Behaviour::RefusesUs(1) => flaw(403, "invalid_api_key"),
            Behaviour::RefusesUs(2) => answer(403, &[], include_str!("fixtures/domain.json")),
            Behaviour::RefusesUs(3) => flaw(422, "invalid_from_address"),
            Behaviour::RefusesUs(_) => flaw(429, "daily_quota_exceeded"),
            Behaviour::Fails(0) => flaw(422, "validation_error"),
            Behaviour::Fails(1) => flaw(500, "application_error"),
            Behaviour::Fails(2) => flaw(409, "invalid_idempotent_request"),
            Behaviour::Fails(_) | Behaviour::Cuts => answer(502, &[], "<html>"),
        })
        .await
    }

    fn accepted_id(_: Channel, _: &Rendered) -> Option<String> {
        Some("49a3999c-0ce1-4ea6-ab68-afcd6dc2e794".to_owned())
    }

    fn check(request: &Request, message: &Rendered) {
        assert_eq!(request.target(), "POST /emails");
        assert_eq!(request.header("authorization"), "Bearer re_hush");
        assert_eq!(request.header("idempotency-key"), message.id.to_string());
        assert_eq!(request.header("content-type"), "application/json");
        assert!(request.header("user-agent").starts_with("countersign/"), "the vendor takes no request without one");
        let Content::Email { subject, text, html } = &message.content else { panic!("a mail was asked for") };
        let expected = json!({
            "from": "Acme Ltd <no-reply@acme.example>",
            "to": ["ann@example.com"],
            "reply_to": "help@acme.example",
            "subject": subject,
            "text": text,
            "html": html,
            "headers": {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "RN, NRN, OOF, AutoReply", "Content-Language": "en"},
            "tags": [{"name": "category", "value": "otp"}, {"name": "countersign_ref", "value": message.reference().to_string()}],
        });
        assert_eq!(request.json(), expected);
    }

    fn callback(told: Told, _: Channel, reference: Reference, _: &str) -> Option<Callback> {
        Some(match told {
            Told::Underway => post(EVENT, reference, |event| event["type"] = "email.delivery_delayed".into()),
            Told::Delivered => post(EVENT, reference, |_| ()),
            Told::Failed => post(BOUNCED, reference, |_| ()),
            Told::Unheard => post(EVENT, reference, |event| event["type"] = "email.folded".into()),
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
        let by_another = signature("whsec_AAAA", "msg_2Lh9", &NOW.seconds().to_string(), &genuine.body);
        let genuine_signature = String::from_utf8(genuine.headers[3].1.clone()).unwrap();
        vec![
            other_body,
            with(1, "msg_other"),
            with(2, &(NOW.seconds() + 1).to_string()),
            with(3, &by_another),
            with(3, "v1,"),
            with(3, "v1,not base64"),
            with(3, &genuine_signature.replace("v1,", "v1a,")),
            with(3, &genuine_signature.replace("v1,", "")),
            with(3, &genuine_signature[..genuine_signature.len() - 4]),
            without(1),
            without(2),
            without(3),
            signed("{}", NOW.minus(Duration::from_secs(301))),
            signed("{}", NOW.plus(Duration::from_secs(301))),
        ]
    }
}

provider_suite!(Vendor);

fn provider(url: &str) -> Arc<dyn Provider> {
    Vendor::build(&Vendor::section(url), testing::context("mail", Duration::from_secs(5))).0.unwrap()
}

async fn outcome(status: u16, body: &str) -> TryOutcome {
    let server = Server::start(answer(status, &[], body)).await;
    provider(&server.url("")).send(&testing::email()).await
}

#[tokio::test]
async fn the_vendors_word_for_an_error_decides_what_it_means() {
    let follow = "Invalid `to` field. The email address needs to follow the `email@example.com` format.";
    let testing = "Invalid `to` field. Please use our testing email address instead of domains like `example.com`.";
    for (status, name, message, label) in [
        (422, "validation_error", follow, "refused"),
        (422, "validation_error", testing, "unknown"),
        (400, "validation_error", "", "unknown"),
        (403, "validation_error", "The domain is not verified.", "misconfigured"),
        (400, "invalid_idempotency_key", "", "unknown"),
        (401, "missing_api_key", "", "misconfigured"),
        (401, "restricted_api_key", "", "misconfigured"),
        (403, "invalid_api_key", "", "misconfigured"),
        (404, "not_found", "", "unknown"),
        (405, "method_not_allowed", "", "unknown"),
        (409, "invalid_idempotent_request", "", "unknown"),
        (409, "concurrent_idempotent_requests", "", "unclear"),
        (422, "invalid_from_address", "", "misconfigured"),
        (422, "invalid_access", "", "misconfigured"),
        (422, "missing_required_field", "", "unknown"),
        (429, "rate_limit_exceeded", "", "throttled"),
        (429, "daily_quota_exceeded", "", "misconfigured"),
        (429, "monthly_quota_exceeded", "", "misconfigured"),
        (429, "anything_else", "", "throttled"),
        (451, "security_error", "", "unknown"),
        (500, "application_error", "", "unknown"),
        (500, "internal_server_error", "", "unknown"),
    ] {
        let body = json!({"statusCode": status, "name": name, "message": message}).to_string();
        assert_eq!(outcome(status, &body).await.label(), label, "{status} {name} {message}");
    }
    for odd in ["", "<html>", "{}", "{\"name\":7}"] {
        assert_eq!(outcome(422, odd).await, TryOutcome::Unknown(Diagnostic::Http(422)), "{odd}");
    }
}

#[tokio::test]
async fn a_no_to_an_address_beyond_ascii_is_not_final() {
    let server = Server::start(answer(422, &[], include_str!("fixtures/recipient.json"))).await;
    let message = testing::email_to("jörg@example.com");
    assert_eq!(provider(&server.url("")).send(&message).await.label(), "unknown");
}

#[tokio::test]
async fn a_yes_without_a_sound_id_is_a_yes() {
    for odd in ["", "OK", "{}", "{\"id\":7}", "{\"id\":\"two words\"}"] {
        assert_eq!(outcome(200, odd).await, TryOutcome::Accepted { provider_id: None }, "{odd}");
    }
}

#[tokio::test]
async fn a_mail_that_is_tried_again_has_the_same_key_and_body() {
    let server = Server::start(answer(500, &[], "")).await;
    let provider = provider(&server.url(""));
    for _ in 0..2 {
        assert_eq!(provider.send(&testing::email()).await.label(), "unknown");
    }
    let requests = server.requests();
    assert_eq!(requests[0].header("idempotency-key"), requests[1].header("idempotency-key"));
    assert_eq!(requests[0].body, requests[1].body);
}

#[tokio::test]
async fn a_chosen_sender_and_letters_beyond_ascii_reach_the_vendor() {
    let server = Server::start(answer(200, &[], "")).await;
    let provider = provider(&server.url(""));
    for (sender, from) in
        [("Ärzte, Söhne <3", "Ärzte Söhne 3 <no-reply@acme.example>"), ("shop@acme.example", "Acme Ltd <shop@acme.example>")]
    {
        let mut message = outgoing(Channel::Email);
        message.recipient = countersign_model::Recipient::parse(Channel::Email, "zoë+a@example.com").unwrap();
        message.sender = Some(sender.to_owned());
        assert_eq!(provider.send(&rendered(message)).await.label(), "accepted");
        let body = server.requests().pop().unwrap().json();
        assert_eq!((&body["from"], &body["to"]), (&json!(from), &json!(["zoë+a@example.com"])));
    }
}

#[tokio::test]
async fn a_check_takes_a_key_that_may_only_send() {
    let checked = async |act: Act| {
        let server = Server::start(act).await;
        let checked = provider(&server.url("")).check().await;
        let request = server.requests().remove(0);
        assert_eq!(request.target(), "GET /domains");
        assert_eq!(request.header("authorization"), "Bearer re_hush");
        (checked, format!("127.0.0.1:{}", server.port))
    };
    let flaw =
        |status: u16, name: &str| answer(status, &[], &json!({"statusCode": status, "name": name, "message": ""}).to_string());
    assert_eq!(checked(answer(200, &[], "{\"data\":[]}")).await.0, Ok(()));
    assert_eq!(checked(flaw(401, "restricted_api_key")).await.0, Ok(()));
    for unknown in [flaw(401, "missing_api_key"), flaw(403, "invalid_api_key"), flaw(400, "validation_error")] {
        let (told, address) = checked(unknown).await;
        assert_eq!(told, Err(CheckError::Credentials { address }));
    }
    let (told, address) = checked(flaw(500, "application_error")).await;
    assert_eq!(told, Err(CheckError::Answer { address, diagnostic: Diagnostic::Http(500) }));
}

fn reader() -> Events {
    Events::new(SigningSecret::parse(SECRET))
}

fn reference() -> Reference {
    testing::email().reference()
}

async fn report(fixture: &str, change: impl Fn(&mut Value)) -> Report {
    match reader().read(&post(fixture, reference(), change), NOW).await {
        Ok(Reading::Receipts(receipts)) => receipts.first().unwrap_or_else(|| panic!("nothing was read")).report,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_receipt_says_what_happened_to_which_mail_and_when() {
    let tags = json!([{"name": "category", "value": "otp"}, {"name": "countersign_ref", "value": reference().to_string()}]);
    let expected = Receipt {
        of: ReceiptOf::Reference(reference()),
        report: Report::Delivered,
        at: Some(Timestamp::from_millis(1_768_473_902_126)),
        carrier: None,
    };
    for callback in [post(EVENT, reference(), |_| ()), post(EVENT, reference(), |event| event["data"]["tags"] = tags.clone())] {
        assert_eq!(reader().read(&callback, NOW).await, Ok(Reading::Receipts(vec![expected.clone()])));
    }
}

#[tokio::test]
async fn every_event_has_its_meaning() {
    use Report::{Delivered, Undelivered as Failed, Underway};
    for (kind, expected) in [
        ("email.sent", Underway),
        ("email.scheduled", Underway),
        ("email.delivery_delayed", Underway),
        ("email.delivered", Delivered),
        ("email.opened", Delivered),
        ("email.clicked", Delivered),
        ("email.complained", Delivered),
        ("email.bounced", Failed(Undelivered::Unknown)),
        ("email.suppressed", Failed(Undelivered::Rejected)),
        ("email.failed", Failed(Undelivered::Unknown)),
        ("domain.created", Underway),
        ("", Underway),
    ] {
        assert_eq!(report(EVENT, |event| event["type"] = kind.into()).await, expected, "{kind}");
    }
}

#[tokio::test]
async fn a_bounce_says_why() {
    use Undelivered::{NotThere, Rejected, Unknown, Unreachable};
    for (bounce, why) in [
        (json!({"type": "Permanent", "subType": "General"}), NotThere),
        (json!({"type": "Permanent", "subType": "NoEmail"}), NotThere),
        (json!({"type": "Permanent", "subType": "Suppressed"}), Rejected),
        (json!({"type": "Permanent", "subType": "OnAccountSuppressionList"}), Rejected),
        (json!({"type": "Permanent", "subType": "OnTenantSuppressionList"}), Rejected),
        (json!({"type": "Permanent", "subType": "EmailValidationSuppressed"}), Rejected),
        (json!({"type": "Transient", "subType": "General"}), Unreachable),
        (json!({"type": "Transient", "subType": "MailboxFull"}), Unreachable),
        (json!({"type": "Transient", "subType": "MessageTooLarge"}), Rejected),
        (json!({"type": "Transient", "subType": "ContentRejected"}), Rejected),
        (json!({"type": "Transient", "subType": "AttachmentRejected"}), Rejected),
        (json!({"type": "Undetermined", "subType": "Undetermined"}), Unknown),
        (json!({"type": "Permanent", "subType": "General", "diagnosticCode": ["smtp; 550 5.7.1 blocked"]}), Rejected),
        (json!({"type": "Permanent", "subType": "General", "diagnosticCode": [7, "smtp; 552 5.2.2 full"]}), Unreachable),
        (json!({"type": "Permanent", "subType": "General", "diagnosticCode": "smtp; 550 5.7.1"}), NotThere),
        (json!("Permanent"), Unknown),
        (json!(null), Unknown),
    ] {
        let read = report(BOUNCED, |event| event["data"]["bounce"] = bounce.clone()).await;
        assert_eq!(read, Report::Undelivered(why), "{bounce}");
    }
}

#[tokio::test]
async fn one_right_signature_among_several_is_enough() {
    let mut callback = post(EVENT, reference(), |_| ());
    let genuine = String::from_utf8(callback.headers[3].1.clone()).unwrap();
    callback.headers[3].1 = format!("v1a,AAAA v1,AAAA {genuine}").into_bytes();
    assert!(reader().read(&callback, NOW).await.is_ok());
}

/// Whoever posts chooses how many there are, and how long the body is.
#[tokio::test]
async fn thousands_of_signatures_cost_no_more_than_one() {
    let mut callback = signed(format!("\"{}\"", "x".repeat(3 << 20)), NOW);
    let genuine = String::from_utf8(callback.headers[3].1.clone()).unwrap();
    callback.headers[3].1 = "v1,AAAA ".repeat(16_000).into_bytes();
    assert_eq!(reader().read(&callback, NOW).await, Err(CallbackRefusal::Forged));
    callback.headers[3].1.extend_from_slice(genuine.as_bytes());
    assert_eq!(reader().read(&callback, NOW).await, Ok(Reading::Receipts(Vec::new())));
}

/// From the tests of the reference library of Standard Webhooks, whose scheme the vendor's is.
#[tokio::test]
async fn what_the_reference_library_signed_is_believed() {
    let reader = Events::new(SigningSecret::parse("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"));
    let now = Timestamp::from_millis(1_649_367_553_000);
    let mut callback = signed(r#"{"email":"test@example.com","username":"test_user"}"#, now);
    callback.headers[1].1 = b"msg_27UH4WbU6Z5A5EzD8u03UvzRbpk".to_vec();
    callback.headers[3].1 = b"v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=".to_vec();
    assert_eq!(reader.read(&callback, now).await, Ok(Reading::Receipts(Vec::new())));
}

#[tokio::test]
async fn what_is_about_nothing_of_ours_is_passed_over_and_what_is_no_json_is_malformed() {
    let changes: [fn(&mut Value); 6] = [
        |event| event["data"]["tags"] = json!({}),
        |event| event["data"]["tags"] = json!([{"name": "countersign_ref"}, 7]),
        |event| event["data"]["tags"]["countersign_ref"] = "an invoice".into(),
        |event| event["data"] = json!([]),
        |event| *event = json!("email.delivered"),
        |event| *event = Value::Null,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let read = reader().read(&post(EVENT, reference(), change), NOW).await;
        assert_eq!(read, Ok(Reading::Receipts(Vec::new())), "{number}");
    }
    let deep = "[".repeat(100_000);
    for body in [b"".as_slice(), b"{", b"email.delivered", b"{\"type\":\"\xFF\"}", deep.as_bytes()] {
        let read = reader().read(&signed(body, NOW), NOW).await;
        assert_eq!(read, Err(CallbackRefusal::Malformed("not an event")), "{}", String::from_utf8_lossy(body));
    }
}

#[tokio::test]
async fn without_a_signing_secret_nothing_is_believed_and_nothing_is_expected() {
    assert_eq!(Events::new(None).read(&signed("{}", NOW), NOW).await, Err(CallbackRefusal::Forged));
    let section = "api_key = \"re_hush\"\nfrom = \"a@acme.example\"";
    let (built, _) = Vendor::build(section, testing::context("mail", Duration::from_secs(5)));
    assert_eq!(built.unwrap().tells(), Tells::Nothing);
}

#[test]
fn a_mistake_is_told_by_its_key() {
    let base = "api_key = \"re_hush\"\nfrom = \"a@acme.example\"\n";
    for (section, expected) in [
        ("from = \"a@acme.example\"".to_owned(), "providers.mail.api_key: is empty"),
        (format!("{base}api_key_file = \"/nowhere\""), "providers.mail.api_key: give the value or the file, not both"),
        (base.replace("a@acme", "acme"), "providers.mail.from: must be a mailbox such as"),
        (format!("{base}reply_to = \"help\""), "providers.mail.reply_to: must be a mailbox such as"),
        (format!("{base}endpoint = \"x\""), "providers.mail.endpoint: must be an http or https address"),
        (format!("{base}signing_secret = \"aHVzaA==\""), "providers.mail.signing_secret: must be `whsec_` and base64 behind it"),
        (format!("{base}signing_secret = \"whsec_\""), "providers.mail.signing_secret: must be `whsec_` and base64 behind it"),
        (format!("{base}signing_secret = \"whsec_a b\""), "providers.mail.signing_secret: must be `whsec_` and base64 behind it"),
        (format!("{base}signing_secret_file = \"/nowhere/x\""), "providers.mail.signing_secret_file: cannot read /nowhere/x"),
    ] {
        let config: Config = Figment::from(Toml::string(&section)).extract().unwrap();
        let told = config.settle("providers.mail").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told.starts_with(expected), "{told}\nfor\n{section}");
    }
}
