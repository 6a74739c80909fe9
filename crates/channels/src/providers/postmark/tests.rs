use std::time::Duration;

use countersign_model::{Receipt, ReceiptOf, Reference, Report, Timestamp, Undelivered};
use data_encoding::BASE64;
use figment::Figment;
use figment::providers::{Format as _, Toml};
use serde_json::{Value, json};

use super::receipt::Events;
use super::*;
use crate::provider::{Content, Diagnostic};
use crate::provider_suite;
use crate::receipts::{Callback, CallbackRefusal, Reading};
use crate::testing::server::{Act, Request, Server, answer};
use crate::testing::suite::{Behaviour, Subject, Told, build_from, over_http};
use crate::testing::{self, NOW, outgoing, rendered};

const LOGIN: &str = "postmark:hush-password";
const PATH: &str = "a-path-that-nobody-can-guess-hush";
const DELIVERY: &str = include_str!("fixtures/delivery.json");
const BOUNCE: &str = include_str!("fixtures/bounce.json");

/// What the vendor posts to the address that it was given, with its event changed.
fn post(fixture: &str, reference: Reference, change: impl Fn(&mut Value)) -> Callback {
    let mut event: Value = serde_json::from_str(&fixture.replace("{reference}", &reference.to_string())).unwrap();
    change(&mut event);
    Callback {
        is_get: false,
        url: format!("https://otp.example.com/receipts/postmark/mail/{PATH}"),
        path_secret: Some(PATH.to_owned()),
        headers: vec![
            ("content-type".to_owned(), b"application/json".to_vec()),
            ("authorization".to_owned(), format!("Basic {}", BASE64.encode(LOGIN.as_bytes())).into_bytes()),
        ],
        body: event.to_string().into_bytes(),
    }
}

struct Vendor;

impl Subject for Vendor {
    type Double = Server;

    const CHANNELS: &'static [Channel] = &[Channel::Email];
    const WAYS: [usize; 4] = [2, 2, 3, 4];

    fn section(url: &str) -> String {
        format!(
            "server_token = \"hush-token\"\nendpoint = \"{url}\"\nfrom = '\"Acme, Ltd\" <no-reply@acme.example>'\nreply_to = \
             \"help@acme.example\"\nreceipts_username = \"postmark\"\nreceipts_password = \"hush-password\"\nreceipts_secret = \
             \"{PATH}\""
        )
    }

    fn build(section: &str, context: ProviderContext) -> (Result<Arc<dyn Provider>, ConfigError>, String) {
        build_from(section, context, build)
    }

    async fn start(behaviour: Behaviour) -> Server {
        over_http(behaviour, |behaviour| match behaviour {
            Behaviour::Accepts(_) => answer(200, &[], include_str!("fixtures/accepted.json")),
            Behaviour::Refuses(0) => answer(422, &[], include_str!("fixtures/inactive.json")),
            Behaviour::Refuses(_) => answer(422, &[], include_str!("fixtures/recipient.json")),
            Behaviour::Throttles(0) => answer(429, &[], "{\"ErrorCode\":429,\"Message\":\"Rate limit exceeded.\"}"),
            Behaviour::Throttles(_) => answer(429, &[], ""),
            Behaviour::RefusesUs(0) => answer(401, &[], include_str!("fixtures/token.json")),
            Behaviour::RefusesUs(1) => answer(422, &[], include_str!("fixtures/sender.json")),
            Behaviour::RefusesUs(_) => answer(403, &[], "<html>"),
            Behaviour::Fails(0) => answer(422, &[], "{\"ErrorCode\":402,\"Message\":\"Invalid JSON\"}"),
            Behaviour::Fails(1) => answer(500, &[], ""),
            Behaviour::Fails(2) => answer(200, &[], "{\"ErrorCode\":100,\"Message\":\"Maintenance\"}"),
            Behaviour::Fails(_) | Behaviour::Cuts => answer(503, &[], "{\"ErrorCode\":100,\"Message\":\"Maintenance\"}"),
        })
        .await
    }

    fn accepted_id(_: Channel, _: &Rendered) -> Option<String> {
        Some("0a129aee-e1cd-480d-b08d-4f48548ff48d".to_owned())
    }

    fn check(request: &Request, message: &Rendered) {
        assert_eq!(request.target(), "POST /email");
        assert_eq!(request.header("x-postmark-server-token"), "hush-token");
        assert_eq!(request.header("content-type"), "application/json");
        assert_eq!(request.header("accept"), "application/json");
        let Content::Email { subject, text, html } = &message.content else { panic!("a mail was asked for") };
        let expected = json!({
            "From": "\"Acme, Ltd\" <no-reply@acme.example>",
            "To": "ann@example.com",
            "ReplyTo": "help@acme.example",
            "Subject": subject,
            "Tag": "otp",
            "TextBody": text,
            "HtmlBody": html,
            "TrackOpens": false,
            "TrackLinks": "None",
            "Headers": [
                {"Name": "Auto-Submitted", "Value": "auto-generated"},
                {"Name": "X-Auto-Response-Suppress", "Value": "RN, NRN, OOF, AutoReply"},
                {"Name": "Content-Language", "Value": "en"},
            ],
            "Metadata": {"countersign_ref": message.reference().to_string()},
            "MessageStream": "outbound",
        });
        assert_eq!(request.json(), expected);
    }

    fn callback(told: Told, _: Channel, reference: Reference, _: &str) -> Option<Callback> {
        Some(match told {
            Told::Underway => post(BOUNCE, reference, |event| event["Type"] = "Transient".into()),
            Told::Delivered => post(DELIVERY, reference, |_| ()),
            Told::Failed => post(BOUNCE, reference, |_| ()),
            Told::Unheard => post(DELIVERY, reference, |event| event["RecordType"] = "Folded".into()),
        })
    }

    fn forgeries(genuine: &Callback) -> Vec<Callback> {
        let with_login = |login: &str| {
            let mut forged = genuine.clone();
            forged.headers[1].1 = format!("Basic {}", BASE64.encode(login.as_bytes())).into_bytes();
            forged
        };
        let with_path = |path_secret: Option<&str>| Callback { path_secret: path_secret.map(str::to_owned), ..genuine.clone() };
        let mut bare = genuine.clone();
        bare.headers.remove(1);
        let mut bearer = genuine.clone();
        bearer.headers[1].1 = b"Bearer hush-password".to_vec();
        vec![
            with_login("postmark:wrong"),
            with_login("eve:hush-password"),
            with_login("postmark:hush-password "),
            with_login(""),
            with_path(None),
            with_path(Some("")),
            with_path(Some("hush-pat")),
            bare,
            bearer,
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
async fn the_vendors_own_code_decides_what_an_answer_means() {
    for (status, code, message, label) in [
        (422, 406, "", "refused"),
        (422, 300, "Invalid 'To' address: 'ann@example.com'.", "refused"),
        (422, 300, "Error parsing 'To': Illegal email domain 'example..com' in address 'ann@example..com'.", "refused"),
        (422, 300, "Invalid 'From' address: 'Acme'.", "misconfigured"),
        (422, 300, "Error parsing 'From': Illegal email address 'Acme'. It must contain the '@' symbol.", "misconfigured"),
        (422, 300, "Error parsing 'Reply-To': Illegal email domain 'acme' in address 'a@acme'.", "unknown"),
        (422, 300, "Provide either email TextBody or HtmlBody or both.", "unknown"),
        (401, 10, "", "misconfigured"),
        (422, 400, "", "misconfigured"),
        (422, 401, "", "misconfigured"),
        (422, 402, "", "unknown"),
        (422, 403, "", "unknown"),
        (422, 405, "", "misconfigured"),
        (422, 409, "", "unknown"),
        (422, 412, "", "misconfigured"),
        (422, 413, "", "misconfigured"),
        (422, 429, "", "throttled"),
        (422, 1235, "", "misconfigured"),
        (422, 1236, "", "misconfigured"),
        (422, 9_999, "", "unknown"),
        (401, 9_999, "", "misconfigured"),
        (500, 0, "", "unknown"),
        (503, 100, "", "unknown"),
        (200, 406, "", "refused"),
    ] {
        let body = json!({"ErrorCode": code, "Message": message}).to_string();
        assert_eq!(outcome(status, &body).await.label(), label, "{status} {code} {message}");
    }
    for odd in ["", "<html>", "{}", "{\"ErrorCode\":\"406\"}"] {
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
    for odd in ["", "OK", "{}", "{\"ErrorCode\":0}", "{\"ErrorCode\":0,\"MessageID\":\"two words\"}"] {
        assert_eq!(outcome(200, odd).await, TryOutcome::Accepted { provider_id: None }, "{odd}");
    }
}

#[tokio::test]
async fn a_yes_that_will_be_late_has_no_code_and_its_id_is_kept() {
    let outcome = outcome(200, include_str!("fixtures/late.json")).await;
    assert_eq!(outcome, TryOutcome::Accepted { provider_id: Some("38360f97-ff7f-44b2-bcd1-5ea94ff2af00".to_owned()) });
}

#[tokio::test]
async fn a_chosen_sender_a_stream_and_letters_beyond_ascii_reach_the_vendor() {
    let server = Server::start(answer(200, &[], "")).await;
    let section = format!("{}\nmessage_stream = \"codes\"", Vendor::section(&server.url("")));
    let provider = Vendor::build(&section, testing::context("mail", Duration::from_secs(5))).0.unwrap();
    for (sender, from) in
        [("Ärzte + Söhne", "Ärzte + Söhne <no-reply@acme.example>"), ("shop@acme.example", "\"Acme, Ltd\" <shop@acme.example>")]
    {
        let mut message = outgoing(Channel::Email);
        message.recipient = countersign_model::Recipient::parse(Channel::Email, "zoë+a@example.com").unwrap();
        message.sender = Some(sender.to_owned());
        assert_eq!(provider.send(&rendered(message)).await.label(), "accepted");
        let body = server.requests().pop().unwrap().json();
        assert_eq!((&body["From"], &body["To"]), (&json!(from), &json!("zoë+a@example.com")));
        assert_eq!(body["MessageStream"], "codes");
    }
}

#[tokio::test]
async fn a_check_asks_for_the_tokens_own_server() {
    let checked = async |act: Act| {
        let server = Server::start(act).await;
        let checked = provider(&server.url("")).check().await;
        let request = server.requests().remove(0);
        assert_eq!(request.target(), "GET /server");
        assert_eq!(request.header("x-postmark-server-token"), "hush-token");
        (checked, format!("127.0.0.1:{}", server.port))
    };
    assert_eq!(checked(answer(200, &[], "{\"ID\":1}")).await.0, Ok(()));
    let (told, address) = checked(answer(401, &[], include_str!("fixtures/token.json"))).await;
    assert_eq!(told, Err(CheckError::Credentials { address }));
    let (told, address) = checked(answer(503, &[], "")).await;
    assert_eq!(told, Err(CheckError::Answer { address, diagnostic: Diagnostic::Http(503) }));
}

fn reader() -> Events {
    Events::new(Some(LOGIN.into()), Some(PATH.into()))
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
    let why = Report::Undelivered(Undelivered::NotThere);
    for (fixture, report, at) in [(DELIVERY, Report::Delivered, 1_768_473_902_273), (BOUNCE, why, 1_768_473_903_000)] {
        let at = Some(Timestamp::from_millis(at));
        let expected = Receipt { of: ReceiptOf::Reference(reference()), report, at, carrier: None };
        let read = reader().read(&post(fixture, reference(), |_| ()), NOW).await;
        assert_eq!(read, Ok(Reading::Receipts(vec![expected])));
    }
}

#[tokio::test]
async fn every_record_has_its_meaning() {
    use Report::{Delivered, Underway};
    for (record, expected) in [
        ("Delivery", Delivered),
        ("Open", Delivered),
        ("Click", Delivered),
        ("SpamComplaint", Delivered),
        ("SubscriptionChange", Underway),
        ("Inbound", Underway),
        ("", Underway),
    ] {
        assert_eq!(report(DELIVERY, |event| event["RecordType"] = record.into()).await, expected, "{record}");
    }
}

#[tokio::test]
async fn every_kind_of_bounce_has_its_meaning() {
    use Report::{Delivered, Undelivered as Failed, Underway};
    use Undelivered::{NotThere, Rejected, Unknown, Unreachable};
    for (kind, expected) in [
        ("HardBounce", Failed(NotThere)),
        ("Transient", Underway),
        ("Unsubscribe", Underway),
        ("Subscribe", Underway),
        ("AutoResponder", Underway),
        ("AddressChange", Underway),
        ("DnsError", Failed(Unreachable)),
        ("SpamNotification", Failed(Rejected)),
        ("OpenRelayTest", Underway),
        ("Unknown", Failed(Unknown)),
        ("SoftBounce", Failed(Unreachable)),
        ("VirusNotification", Failed(Rejected)),
        ("ChallengeVerification", Underway),
        ("BadEmailAddress", Failed(NotThere)),
        ("SpamComplaint", Delivered),
        ("ManuallyDeactivated", Failed(Rejected)),
        ("Unconfirmed", Underway),
        ("Blocked", Failed(Rejected)),
        ("SMTPApiError", Failed(Unknown)),
        ("InboundError", Underway),
        ("DMARCPolicy", Failed(Rejected)),
        ("TemplateRenderingFailed", Failed(Unknown)),
        ("", Underway),
    ] {
        assert_eq!(report(BOUNCE, |event| event["Type"] = kind.into()).await, expected, "{kind}");
    }
}

#[tokio::test]
async fn either_way_of_proving_oneself_is_enough_where_it_is_the_only_one() {
    let genuine = post(DELIVERY, reference(), |_| ());
    let mut without_login = genuine.clone();
    without_login.headers.remove(1);
    let without_path = Callback { path_secret: None, ..genuine.clone() };
    let by_path = Events::new(None, Some(PATH.into()));
    let by_login = Events::new(Some(LOGIN.into()), None);
    assert!(by_path.read(&without_login, NOW).await.is_ok());
    assert!(by_login.read(&without_path, NOW).await.is_ok());
    assert_eq!(by_path.read(&without_path, NOW).await, Err(CallbackRefusal::Forged));
    assert_eq!(by_login.read(&without_login, NOW).await, Err(CallbackRefusal::Forged));
    assert_eq!(Events::new(None, None).read(&genuine, NOW).await, Err(CallbackRefusal::Forged));
}

#[tokio::test]
async fn without_a_way_to_prove_oneself_no_receipt_is_waited_for() {
    let tells = |section: &str, url: Option<&str>| {
        let mut context = testing::context("mail", Duration::from_secs(5));
        context.receipts_url = url.map(str::to_owned);
        Vendor::build(section, context).0.unwrap().tells()
    };
    let bare = "server_token = \"hush\"\nfrom = \"a@acme.example\"\n";
    let url = Some("https://otp.example.com/receipts/postmark/mail");
    assert_eq!(tells(bare, url), Tells::Nothing);
    assert_eq!(tells(&format!("{bare}receipts_secret = \"{PATH}\""), url), Tells::ByReference);
    assert_eq!(tells(&format!("{bare}receipts_secret = \"{PATH}\""), None), Tells::Nothing);
}

#[tokio::test]
async fn what_is_about_nothing_of_ours_is_passed_over_and_what_is_no_json_is_malformed() {
    let changes: [fn(&mut Value); 5] = [
        |event| event["Metadata"] = json!({}),
        |event| event["Metadata"] = json!("x"),
        |event| event["Metadata"]["countersign_ref"] = "an invoice".into(),
        |event| *event = json!([1]),
        |event| *event = Value::Null,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let read = reader().read(&post(DELIVERY, reference(), change), NOW).await;
        assert_eq!(read, Ok(Reading::Receipts(Vec::new())), "{number}");
    }
    for body in [b"".to_vec(), b"{".to_vec(), b"{\"Type\":\"\xFF\"}".to_vec(), "[".repeat(100_000).into_bytes()] {
        let callback = Callback { body, ..post(DELIVERY, reference(), |_| ()) };
        assert_eq!(reader().read(&callback, NOW).await, Err(CallbackRefusal::Malformed("not an event")));
    }
    for odd in [json!("yesterday"), json!(7), json!(null)] {
        assert_eq!(report(DELIVERY, |event| event["DeliveredAt"] = odd.clone()).await, Report::Delivered, "{odd}");
    }
}

#[test]
fn a_mistake_is_told_by_its_key() {
    let base = "server_token = \"hush\"\nfrom = \"a@acme.example\"\n";
    for (section, expected) in [
        ("from = \"a@acme.example\"".to_owned(), "providers.mail.server_token: is empty"),
        (format!("{base}server_token_file = \"/nowhere\""), "providers.mail.server_token: give the value or the file, not both"),
        (base.replace("a@acme", "acme"), "providers.mail.from: must be a mailbox such as"),
        (format!("{base}reply_to = \"help\""), "providers.mail.reply_to: must be a mailbox such as"),
        (format!("{base}endpoint = \"x\""), "providers.mail.endpoint: must be an http or https address"),
        (format!("{base}message_stream = \"\""), "providers.mail.message_stream: is empty"),
        (format!("{base}receipts_username = \"u\""), "providers.mail.receipts_username: needs `receipts_password` beside it"),
        (format!("{base}receipts_password = \"p\""), "providers.mail.receipts_password: needs `receipts_username` beside it"),
        (format!("{base}receipts_username = \"u\"\nreceipts_password = \"\""), "providers.mail.receipts_password: is empty"),
        (
            format!("{base}receipts_username = \"u:v\"\nreceipts_password = \"p\""),
            "providers.mail.receipts_username: must be without a colon",
        ),
        (format!("{base}receipts_secret = \"\""), "providers.mail.receipts_secret: must be 32 to 128 letters"),
        (format!("{base}receipts_secret = \"guessed\""), "providers.mail.receipts_secret: must be 32 to 128 letters"),
        (
            format!("{base}receipts_secret = \"a/path/that/nobody/can/guess/hush\""),
            "providers.mail.receipts_secret: must be 32 to 128 letters",
        ),
    ] {
        let config: Config = Figment::from(Toml::string(&section)).extract().unwrap();
        let told = config.settle("providers.mail").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told.starts_with(expected), "{told}\nfor\n{section}");
    }
}
