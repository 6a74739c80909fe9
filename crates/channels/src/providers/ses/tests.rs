use std::time::Duration;

use countersign_model::{Receipt, ReceiptOf, Reference, Report, Undelivered};
use figment::Figment;
use figment::providers::{Format as _, Toml};
use serde_json::{Value, json};

use super::*;
use crate::aws::testing::{self as sns, Shelf, TOPIC};
use crate::mail::ECHO;
use crate::provider::Content;
use crate::receipts::{Callback, CallbackRefusal, Reading};
use crate::testing::server::{Act, Request, Server, answer};
use crate::testing::suite::{Behaviour, Subject, Told, build_from, over_http, receipts_url};
use crate::testing::{NOW, context, email, email_to, outgoing, rendered};

const ACCEPTED: &str = include_str!("fixtures/accepted.json");
const EVENT: &str = include_str!("fixtures/event.json");
const BOUNCE: &str = include_str!("fixtures/bounce.json");

/// Status, name, text.
type No = (u16, &'static str, &'static str);

const REFUSED: [No; 7] = [
    (400, "BadRequestException", "Illegal address"),
    (400, "BadRequestException", "Invalid email address ann@example.com."),
    (400, "BadRequestException", "Missing domain"),
    (400, "BadRequestException", "Missing final '@domain'"),
    (400, "BadRequestException", "Domain contains illegal character"),
    (400, "BadRequestException", "Domain starts with dot"),
    (400, "BadRequestException", "Local address contains control or whitespace"),
];
const THROTTLED: [No; 4] = [
    (429, "TooManyRequestsException", "Maximum sending rate exceeded."),
    (400, "LimitExceededException", "Daily message quota exceeded."),
    (400, "ThrottlingException", "Rate exceeded"),
    (429, "", ""),
];
const SET_UP: [No; 12] = [
    (400, "MessageRejected", "Email address is not verified."),
    (400, "MailFromDomainNotVerifiedException", ""),
    (400, "AccountSuspendedException", ""),
    (400, "SendingPausedException", ""),
    (404, "NotFoundException", "Configuration set <otp> does not exist."),
    (403, "AccessDeniedException", "User is not authorized to perform: ses:SendEmail"),
    (403, "UnrecognizedClientException", "The security token included in the request is invalid."),
    (403, "InvalidSignatureException", "Signature expired"),
    (403, "SignatureDoesNotMatch", ""),
    (403, "ExpiredTokenException", ""),
    (400, "RequestExpired", ""),
    (403, "", ""),
];
const UNCERTAIN: [No; 4] = [
    (400, "BadRequestException", "Invalid MIME type specified"),
    (500, "InternalServiceErrorException", ""),
    (503, "ServiceUnavailable", ""),
    (400, "SomethingNewException", "Illegal address"),
];

/// The name stands in a header, as this service sends it.
fn no((status, name, message): No) -> Act {
    let body = json!({"message": message}).to_string();
    let kind = format!("{name}:http://internal.amazon.com/coral/com.amazonaws.services.ses/");
    let headers = [("x-amzn-errortype", kind.as_str()), ("content-type", "application/json")];
    answer(status, if name.is_empty() { &headers[1..] } else { &headers }, &body)
}

struct AtSes;

impl Subject for AtSes {
    type Double = Server;

    const CHANNELS: &'static [Channel] = &[Channel::Email];
    const WAYS: [usize; 4] = [REFUSED.len(), THROTTLED.len(), SET_UP.len(), UNCERTAIN.len()];

    fn section(url: &str) -> String {
        section(url)
    }

    fn build(section: &str, context: ProviderContext) -> (Result<Arc<dyn Provider>, ConfigError>, String) {
        build_from(section, context, |config, context| assemble(config, context, Shelf::stocked()))
    }

    async fn start(behaviour: Behaviour) -> Server {
        over_http(behaviour, |behaviour| match behaviour {
            Behaviour::Accepts(_) | Behaviour::Cuts => answer(200, &[("content-type", "application/json")], ACCEPTED),
            Behaviour::Refuses(way) => no(REFUSED[way]),
            Behaviour::Throttles(way) => no(THROTTLED[way]),
            Behaviour::RefusesUs(way) => no(SET_UP[way]),
            Behaviour::Fails(way) => no(UNCERTAIN[way]),
        })
        .await
    }

    fn accepted_id(_: Channel, _: &Rendered) -> Option<String> {
        Some("010701950d4b1a3c-2f0a1f6e-0a6e-4a4f-9d6c-3c1f6d0c9b11-000000".to_owned())
    }

    fn check(request: &Request, message: &Rendered) {
        let Content::Email { subject, text, html } = &message.content else { panic!("not a mail") };
        assert_eq!(request.target(), "POST /v2/email/outbound-emails");
        assert_eq!(request.header("content-type"), "application/json");
        let expected = json!({
            "FromEmailAddress": "Example <no-reply@example.com>",
            "Destination": {"ToAddresses": ["ann@example.com"]},
            "Content": {"Simple": {
                "Subject": {"Data": subject, "Charset": "UTF-8"},
                "Body": {"Text": {"Data": text, "Charset": "UTF-8"}, "Html": {"Data": html, "Charset": "UTF-8"}},
                "Headers": [
                    {"Name": "Auto-Submitted", "Value": "auto-generated"},
                    {"Name": "X-Auto-Response-Suppress", "Value": "RN, NRN, OOF, AutoReply"},
                    {"Name": "Content-Language", "Value": "en"},
                ],
            }},
            "EmailTags": [{"Name": "countersign_ref", "Value": message.reference().to_string()}],
            "ConfigurationSetName": "otp",
        });
        assert_eq!(request.json(), expected);
        assert_eq!(request.header("x-amz-date"), "20260115T104500Z");
        assert_eq!(request.header("x-amz-security-token"), "token-hush");
        // The port is the double's, and the signature covers it: what is certain is held here, the rest by Amazon's own vectors.
        let authorization = request.header("authorization");
        let signed = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260115/eu-central-1/ses/aws4_request, \
                      SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=";
        let signature = authorization.strip_prefix(signed).unwrap_or_else(|| panic!("{authorization}"));
        assert!(signature.len() == 64 && signature.bytes().all(|byte| byte.is_ascii_hexdigit()), "{signature}");
        assert_eq!(authorization, resigned(request));
    }

    fn callback(told: Told, _: Channel, reference: Reference, url: &str) -> Option<Callback> {
        let event = match told {
            Told::Underway => EVENT.replace("KIND", "Send"),
            Told::Delivered => EVENT.replace("KIND", "Delivery"),
            Told::Unheard => EVENT.replace("KIND", "Teleported"),
            Told::Failed => BOUNCE.to_owned(),
        };
        Some(sns::callback(&event.replace("REFERENCE", &reference.to_string()), url))
    }

    fn forgeries(genuine: &Callback) -> Vec<Callback> {
        sns::forgeries(genuine)
    }
}

crate::provider_suite!(AtSes);

/// What the header must hold for the bytes that arrived.
fn resigned(request: &Request) -> String {
    let config: Config = Figment::from(Toml::string(&section("http://127.0.0.1:9"))).extract().unwrap();
    let signer = config.settle("providers.mail", Shelf::stocked()).unwrap().signer;
    let url = format!("http://{}/v2/email/outbound-emails", request.header("host")).parse().unwrap();
    let headers = [("content-type", request.header("content-type"))];
    let unsigned = Unsigned { method: Method::POST, url: &url, headers: &headers, body: &request.body };
    signer.sign(&unsigned, NOW).unwrap()["authorization"].to_str().unwrap().to_owned()
}

fn section(url: &str) -> String {
    format!(
        r#"
        region = "eu-central-1"
        access_key_id = "AKIAIOSFODNN7EXAMPLE"
        secret_access_key = "secret-hush"
        session_token = "token-hush"
        from = "Example <no-reply@example.com>"
        configuration_set = "otp"
        topic_arn = "{TOPIC}"
        endpoint = "{url}"
        "#
    )
}

fn provider(section: &str) -> Arc<dyn Provider> {
    let config: Config = Figment::from(Toml::string(section)).extract().unwrap();
    assemble(&config, context("mail", Duration::from_secs(5)), Shelf::stocked()).unwrap()
}

async fn receipts(event: &str) -> Vec<Receipt> {
    let callback = sns::callback(event, &receipts_url());
    match provider(&section("http://127.0.0.1:9")).receipts().unwrap().read(&callback, NOW).await {
        Ok(Reading::Receipts(receipts)) => receipts,
        other => panic!("{other:?}"),
    }
}

fn reference() -> Reference {
    email().reference()
}

async fn reported(event: &Value) -> Report {
    receipts(&event.to_string().replace("REFERENCE", &reference().to_string())).await[0].report
}

#[tokio::test]
async fn every_event_is_told_in_our_words() {
    let rejected = Report::Undelivered(Undelivered::Rejected);
    let cases = [
        ("Delivery", Report::Delivered),
        ("Open", Report::Delivered),
        ("Click", Report::Delivered),
        ("Complaint", Report::Delivered),
        ("Reject", rejected),
        ("Rendering Failure", Report::Undelivered(Undelivered::Unknown)),
        ("DeliveryDelay", Report::Underway),
        ("Send", Report::Underway),
        ("Subscription", Report::Underway),
    ];
    for (kind, report) in cases {
        let mut event: Value = serde_json::from_str(EVENT).unwrap();
        event["eventType"] = kind.into();
        assert_eq!(reported(&event).await, report, "{kind}");
    }
}

#[tokio::test]
async fn a_complaint_of_the_past_keeps_mail_from_going_out() {
    let mut event: Value = serde_json::from_str(EVENT).unwrap();
    event["eventType"] = "Complaint".into();
    for list in ["OnAccountSuppressionList", "OnTenantSuppressionList"] {
        event["complaint"] = json!({"complaintSubType": list, "timestamp": "2026-01-15T10:44:42.669Z"});
        assert_eq!(reported(&event).await, Report::Undelivered(Undelivered::Rejected), "{list}");
    }
}

#[tokio::test]
async fn a_bounce_says_why() {
    use Undelivered::{Expired, NotThere, Rejected, Unknown, Unreachable};
    let cases = [
        ("Permanent", "General", "5.1.1", NotThere),
        ("Permanent", "General", "5.7.1", Rejected),
        ("Permanent", "General", "5.2.2", Unreachable),
        ("Permanent", "General", "", Unknown),
        ("Permanent", "NoEmail", "", NotThere),
        ("Permanent", "Suppressed", "5.1.1", Rejected),
        ("Permanent", "OnAccountSuppressionList", "5.1.1", Rejected),
        ("Permanent", "OnTenantSuppressionList", "5.1.1", Rejected),
        ("Permanent", "EmailValidationSuppressed", "5.1.1", Rejected),
        ("Permanent", "UnsubscribedRecipient", "5.1.1", Rejected),
        ("Transient", "General", "", Unreachable),
        ("Transient", "General", "4.7.1", Rejected),
        ("Transient", "MailboxFull", "", Unreachable),
        ("Transient", "CustomTimeoutExceeded", "", Expired),
        ("Transient", "MessageTooLarge", "", Rejected),
        ("Transient", "ContentRejected", "", Rejected),
        ("Transient", "AttachmentRejected", "", Rejected),
        ("Undetermined", "Undetermined", "", Unknown),
        ("New", "New", "", Unknown),
    ];
    for (kind, sub, status, reason) in cases {
        let mut event: Value = serde_json::from_str(BOUNCE).unwrap();
        event["bounce"]["bounceType"] = kind.into();
        event["bounce"]["bounceSubType"] = sub.into();
        event["bounce"]["bouncedRecipients"][0]["status"] = status.into();
        assert_eq!(reported(&event).await, Report::Undelivered(reason), "{kind} {sub} {status}");
    }
}

#[tokio::test]
async fn an_event_says_when() {
    let event = EVENT.replace("KIND", "Delivery").replace("REFERENCE", &reference().to_string());
    let of = ReceiptOf::Reference(reference());
    let at = "2026-01-15T10:44:41.300Z".parse().ok();
    assert_eq!(receipts(&event).await, [Receipt { of, report: Report::Delivered, at, carrier: None }]);
}

#[tokio::test]
async fn what_is_not_about_our_mail_is_passed_over() {
    let foreign = EVENT.replace("KIND", "Delivery").replace("REFERENCE", "another");
    let untagged = EVENT.replace("KIND", "Delivery").replace(ECHO, "other");
    let hello = "Successfully validated SNS topic for Amazon SES event publishing.";
    for event in [foreign.as_str(), &untagged, hello, "", "[]", "7", "null", r#"{"mail":{"tags":[1]}}"#, &"[".repeat(10_000)] {
        assert_eq!(receipts(event).await, [], "{event}");
    }
}

#[tokio::test]
async fn without_a_topic_nothing_is_listened_to_and_nothing_expected() {
    let config: Config = Figment::from(Toml::string(&section("http://127.0.0.1:9").replace("topic_arn", "#"))).extract().unwrap();
    let mut context = context("mail", Duration::from_secs(5));
    context.receipts_url = Some(receipts_url());
    let provider = assemble(&config, context, Shelf::stocked()).unwrap();
    assert_eq!(provider.tells(), Tells::Nothing);
    let genuine = AtSes::callback(Told::Delivered, Channel::Email, reference(), &receipts_url()).unwrap();
    assert_eq!(provider.receipts().unwrap().read(&genuine, NOW).await, Err(CallbackRefusal::Forged));
}

#[tokio::test]
async fn mail_comes_from_whom_the_caller_chose() {
    let server = Server::start(answer(200, &[], ACCEPTED)).await;
    let provider = provider(&section(&server.url("")));
    let cases = [
        ("Shop 7", "Shop 7 <no-reply@example.com>"),
        ("shop@example.com", "Example <shop@example.com>"),
        ("Jäger", "=?UTF-8?B?SsOkZ2Vy?= <no-reply@example.com>"),
    ];
    for (sender, _) in cases {
        let mut message = email();
        message.sender = Some(sender.to_owned());
        assert_eq!(provider.send(&message).await.label(), "accepted");
    }
    for (request, (sender, from)) in server.requests().iter().zip(cases) {
        assert_eq!(request.json()["FromEmailAddress"], from, "{sender}");
    }
}

#[tokio::test]
async fn a_complaint_about_an_address_is_final_only_where_it_can_be_about_nothing_else() {
    let server = Server::start(no((400, "BadRequestException", "Illegal address"))).await;
    let provider = provider(&section(&server.url("")));
    let mut chosen = email();
    chosen.sender = Some("shop@example.com".to_owned());
    for message in [chosen, email_to("jörg@example.com")] {
        assert_eq!(provider.send(&message).await.label(), "unknown");
    }
    assert_eq!(provider.send(&email()).await.label(), "refused");
}

#[tokio::test]
async fn what_is_no_mail_is_not_sent_and_a_yes_without_an_id_is_a_yes() {
    let server = Server::start(answer(200, &[], "not json")).await;
    let provider = provider(&section(&server.url("")));
    assert_eq!(provider.send(&rendered(outgoing(Channel::Sms))).await.label(), "misconfigured");
    assert!(server.requests().is_empty());
    assert_eq!(provider.send(&email()).await, TryOutcome::Accepted { provider_id: None });
}

#[tokio::test]
async fn a_check_asks_for_the_account_and_tells_what_is_wrong() {
    let server = Server::start(answer(200, &[], r#"{"SendingEnabled":true}"#)).await;
    assert_eq!(provider(&section(&server.url(""))).check().await, Ok(()));
    let request = server.requests().remove(0);
    assert_eq!(request.target(), "GET /v2/email/account");
    assert!(request.header("authorization").contains("SignedHeaders=host;x-amz-date;x-amz-security-token, "), "{}", request.head);
    let checked = async |act| {
        let server = Server::start(act).await;
        provider(&section(&server.url(""))).check().await
    };
    assert_eq!(checked(no((403, "AccessDeniedException", ""))).await, Ok(()), "the keys are known");
    let unknown = checked(no((403, "UnrecognizedClientException", ""))).await;
    assert!(matches!(unknown, Err(CheckError::Credentials { .. })), "{unknown:?}");
    let broken = checked(answer(500, &[], "")).await;
    assert!(matches!(broken, Err(CheckError::Answer { .. })), "{broken:?}");
}

#[test]
fn a_region_has_its_own_address() {
    let bare = section("x").replace("endpoint", "#");
    for (region, url) in [
        ("eu-central-1", "https://email.eu-central-1.amazonaws.com/v2/email/outbound-emails"),
        ("cn-north-1", "https://email.cn-north-1.amazonaws.com.cn/v2/email/outbound-emails"),
    ] {
        let section = bare.replace("region = \"eu-central-1\"", &format!("region = \"{region}\""));
        let config: Config = Figment::from(Toml::string(&section)).extract().unwrap();
        assert_eq!(config.settle("providers.mail", Shelf::stocked()).unwrap().mail_url.as_str(), url);
    }
}

#[test]
fn a_mistake_is_told_by_its_key() {
    let base = section("https://ses.example");
    let cases = [
        (base.replace("\"eu-central-1\"", "\"EU (Frankfurt)\""), "providers.mail.region: must be a region such as"),
        (base.replace("AKIAIOSFODNN7EXAMPLE", "AKIA"), "providers.mail.access_key_id: must be 16 to 128 letters"),
        (
            base.replace("AKIAIOSFODNN7EXAMPLE", "AKIA/IOSFODNN7EXAMPLE"),
            "providers.mail.access_key_id: must be 16 to 128 letters",
        ),
        (base.replace("secret_access_key", "#"), "providers.mail.secret_access_key: is empty"),
        (base.replace("secret-hush", ""), "providers.mail.secret_access_key: is empty"),
        (format!("{base}\nsecret_access_key_file = \"/x\""), "providers.mail.secret_access_key: give the value or the file"),
        (base.replace("token-hush", ""), "providers.mail.session_token: is empty"),
        (base.replace("token-hush", "two words"), "providers.mail.session_token: must be one line"),
        (base.replace("Example <no-reply@example.com>", "Example"), "providers.mail.from: must be a mailbox"),
        (base.replace("\"otp\"", "\"o t p\""), "providers.mail.configuration_set: must be 1 to 64 letters"),
        (base.replace(TOPIC, "otp-events"), "providers.mail.topic_arn: must be a topic such as"),
        (base.replace("https://ses.example", "ses.example"), "providers.mail.endpoint: must be an http or https address"),
    ];
    for (section, expected) in cases {
        let config: Config = Figment::from(Toml::string(&section)).extract().unwrap();
        let told = match config.settle("providers.mail", Shelf::stocked()) {
            Ok(_) => panic!("taken: {section}"),
            Err(error) => error.to_string(),
        };
        assert!(told.starts_with(expected), "{told}\nfor\n{section}");
    }
}
