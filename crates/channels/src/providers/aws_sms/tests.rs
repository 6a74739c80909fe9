use std::time::Duration;

use countersign_model::{Outgoing, OutgoingText, Receipt, ReceiptOf, Recipient, Reference, Report, Timestamp, Undelivered};
use figment::Figment;
use figment::providers::{Format as _, Toml};
use serde_json::{Value, json};

use super::*;
use crate::aws::testing::{self as sns, Shelf, TOPIC};
use crate::receipts::{Callback, CallbackRefusal, Reading};
use crate::render::Renderer;
use crate::testing::server::{Request, Server, answer};
use crate::testing::suite::{Behaviour, Subject, Told, build_from, over_http, receipts_url};
use crate::testing::{NOW, context, outgoing, rendered, sms};
use crate::voice::{VoicePart, VoiceScript};

mod refusals;

use self::refusals::{REFUSED, SET_UP, THROTTLED, UNCERTAIN, no};

const ACCEPTED: &str = include_str!("fixtures/accepted.json");
const TEXT: &str = include_str!("fixtures/text_event.json");
const VOICE: &str = include_str!("fixtures/voice_event.json");

struct AtAws;

impl Subject for AtAws {
    type Double = Server;

    const CHANNELS: &'static [Channel] = &[Channel::Sms, Channel::Voice];
    const WAYS: [usize; 4] = [REFUSED.len(), THROTTLED.len(), SET_UP.len(), UNCERTAIN.len()];

    fn section(url: &str) -> String {
        section(url)
    }

    fn build(section: &str, context: ProviderContext) -> (Result<Arc<dyn Provider>, ConfigError>, String) {
        build_from(section, context, |config, context| assemble(config, context, Shelf::stocked()))
    }

    async fn start(behaviour: Behaviour) -> Server {
        over_http(behaviour, |behaviour| match behaviour {
            Behaviour::Accepts(_) | Behaviour::Cuts => answer(200, &[("content-type", "application/x-amz-json-1.0")], ACCEPTED),
            Behaviour::Refuses(way) => no(REFUSED[way]),
            Behaviour::Throttles(way) => no(THROTTLED[way]),
            Behaviour::RefusesUs(way) => no(SET_UP[way]),
            Behaviour::Fails(way) => no(UNCERTAIN[way]),
        })
        .await
    }

    fn accepted_id(_: Channel, _: &Rendered) -> Option<String> {
        Some("862a8790-60c0-4430-9b2b-658bd0a1b2c3".to_owned())
    }

    fn check(request: &Request, message: &Rendered) {
        assert_eq!(request.target(), "POST /");
        assert_eq!(request.header("content-type"), "application/x-amz-json-1.0");
        assert_eq!(request.header("x-amz-date"), "20260115T104500Z");
        let authorization = request.header("authorization");
        let signed = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260115/eu-central-1/sms-voice/aws4_request, \
                      SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=";
        assert!(authorization.starts_with(signed), "{authorization}");
        let mut expected = json!({
            "DestinationPhoneNumber": "+12025550143",
            "Context": {"countersign_ref": message.reference().to_string()},
            "ConfigurationSetName": "otp",
            "TimeToLive": 600,
        });
        let more = if message.channel == Channel::Voice {
            assert_eq!(request.header("x-amz-target"), "PinpointSMSVoiceV2.SendVoiceMessage");
            json!({
                "OriginationIdentity": "+12025550100",
                "MessageBody": Speech::of(message).unwrap().ssml,
                "MessageBodyTextType": "SSML",
                "VoiceId": "JOANNA",
            })
        } else {
            assert_eq!(request.header("x-amz-target"), "PinpointSMSVoiceV2.SendTextMessage");
            json!({"OriginationIdentity": "Example", "MessageBody": message.text(), "MessageType": "TRANSACTIONAL"})
        };
        expected.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(request.json(), expected);
    }

    fn callback(told: Told, channel: Channel, reference: Reference, url: &str) -> Option<Callback> {
        let (event, kinds) = if channel == Channel::Voice {
            (VOICE, ["VOICE_RINGING", "VOICE_COMPLETED", "VOICE_NO_ANSWER", "VOICE_SUNG"])
        } else {
            (TEXT, ["TEXT_PENDING", "TEXT_DELIVERED", "TEXT_INVALID", "TEXT_SUNG"])
        };
        let kind = match told {
            Told::Underway => kinds[0],
            Told::Delivered => kinds[1],
            Told::Failed => kinds[2],
            Told::Unheard => kinds[3],
        };
        Some(sns::callback(&event.replace("KIND", kind).replace("REFERENCE", &reference.to_string()), url))
    }

    fn forgeries(genuine: &Callback) -> Vec<Callback> {
        sns::forgeries(genuine)
    }
}

crate::provider_suite!(AtAws);

fn section(url: &str) -> String {
    format!(
        r#"
        region = "eu-central-1"
        access_key_id = "AKIAIOSFODNN7EXAMPLE"
        secret_access_key = "secret-hush"
        from = "Example"
        voice_from = "+12025550100"
        configuration_set = "otp"
        topic_arn = "{TOPIC}"
        endpoint = "{url}"
        "#
    )
}

fn provider(section: &str) -> Arc<dyn Provider> {
    let config: Config = Figment::from(Toml::string(section)).extract().unwrap();
    assemble(&config, context("sms", Duration::from_secs(5)), Shelf::stocked()).unwrap()
}

/// What is asked of the service for a message.
async fn asked(more: &str, message: &Rendered) -> Value {
    let server = Server::start(answer(200, &[], ACCEPTED)).await;
    let outcome = provider(&format!("{}\n{more}", section(&server.url("")))).send(message).await;
    assert_eq!(outcome.label(), "accepted");
    server.requests().remove(0).json()
}

async fn receipts(event: &str) -> Vec<Receipt> {
    let callback = sns::callback(event, &receipts_url());
    match provider(&section("http://127.0.0.1:9")).receipts().unwrap().read(&callback, NOW).await {
        Ok(Reading::Receipts(receipts)) => receipts,
        other => panic!("{other:?}"),
    }
}

fn event(text: &str, kind: &str) -> String {
    text.replace("KIND", kind).replace("REFERENCE", &sms().reference().to_string())
}

#[tokio::test]
async fn every_event_is_told_in_our_words() {
    use Undelivered::{Expired, NotThere, Rejected, Unknown, Unreachable};
    let cases = [
        ("TEXT_QUEUED", Report::Underway),
        ("TEXT_PENDING", Report::Underway),
        ("TEXT_SENT", Report::Underway),
        ("TEXT_SUCCESSFUL", Report::Delivered),
        ("TEXT_DELIVERED", Report::Delivered),
        ("TEXT_INVALID", Report::Undelivered(NotThere)),
        ("TEXT_INVALID_MESSAGE", Report::Undelivered(Rejected)),
        ("TEXT_UNREACHABLE", Report::Undelivered(Unreachable)),
        ("TEXT_CARRIER_UNREACHABLE", Report::Undelivered(Unreachable)),
        ("TEXT_BLOCKED", Report::Undelivered(Rejected)),
        ("TEXT_CARRIER_BLOCKED", Report::Undelivered(Rejected)),
        ("TEXT_SPAM", Report::Undelivered(Rejected)),
        ("TEXT_PROTECT_BLOCKED", Report::Undelivered(Rejected)),
        ("TEXT_TTL_EXPIRED", Report::Undelivered(Expired)),
        ("TEXT_UNKNOWN", Report::Undelivered(Unknown)),
        ("VOICE_INITIATED", Report::Underway),
        ("VOICE_RINGING", Report::Underway),
        ("VOICE_ANSWERED", Report::Underway),
        ("VOICE_COMPLETED", Report::Delivered),
        ("VOICE_BUSY", Report::Undelivered(Unreachable)),
        ("VOICE_NO_ANSWER", Report::Undelivered(Unreachable)),
        ("VOICE_FAILED", Report::Undelivered(Unknown)),
        ("VOICE_TTL_EXPIRED", Report::Undelivered(Expired)),
        ("MEDIA_DELIVERED", Report::Underway),
    ];
    for (kind, report) in cases {
        assert_eq!(receipts(&event(TEXT, kind)).await[0].report, report, "{kind}");
        let not_final = event(TEXT, kind).replace("\"isFinal\": true", "\"isFinal\": false");
        let expected = if matches!(kind, "TEXT_DELIVERED" | "VOICE_COMPLETED") { Report::Delivered } else { Report::Underway };
        assert_eq!(receipts(&not_final).await[0].report, expected, "{kind}, not final");
    }
}

#[tokio::test]
async fn an_event_says_when_and_by_whom() {
    let of = ReceiptOf::Reference(sms().reference());
    let at = Some(Timestamp::from_millis(1_768_473_890_470));
    let expected = Receipt { of: of.clone(), report: Report::Delivered, at, carrier: Some("310800".to_owned()) };
    assert_eq!(receipts(&event(TEXT, "TEXT_DELIVERED")).await, [expected]);
    let expected = Receipt { of, report: Report::Delivered, at, carrier: None };
    assert_eq!(receipts(&event(VOICE, "VOICE_COMPLETED")).await, [expected]);
    let odd = event(TEXT, "TEXT_DELIVERED").replace("\"800\"", "\"<b>\"");
    assert_eq!(receipts(&odd).await[0].carrier, None);
}

#[tokio::test]
async fn what_is_not_about_our_messages_is_passed_over() {
    let foreign = TEXT.replace("KIND", "TEXT_DELIVERED").replace("REFERENCE", "another");
    let bare = event(TEXT, "TEXT_DELIVERED").replace("countersign_ref", "account");
    for event in [foreign.as_str(), &bare, "Hello in plain words", "", "[]", "7", r#"{"context":[1]}"#, &"[".repeat(10_000)] {
        assert_eq!(receipts(event).await, [], "{event}");
    }
}

#[tokio::test]
async fn without_a_topic_nothing_is_listened_to_and_nothing_expected() {
    let config: Config = Figment::from(Toml::string(&section("http://127.0.0.1:9").replace("topic_arn", "#"))).extract().unwrap();
    let mut context = context("sms", Duration::from_secs(5));
    context.receipts_url = Some(receipts_url());
    let provider = assemble(&config, context, Shelf::stocked()).unwrap();
    assert_eq!(provider.tells(), Tells::Nothing);
    let genuine = AtAws::callback(Told::Delivered, Channel::Sms, sms().reference(), &receipts_url()).unwrap();
    assert_eq!(provider.receipts().unwrap().read(&genuine, NOW).await, Err(CallbackRefusal::Forged));
}

#[tokio::test]
async fn a_text_may_have_another_sender_any_letters_and_no_code() {
    let mut message = sms();
    message.sender = Some("Shop".to_owned());
    assert_eq!(asked("", &message).await["OriginationIdentity"], "Shop");

    let Outgoing { id, errand, mode, channel, recipient, app_name, locale, .. } = outgoing(Channel::Sms);
    let text = "Ваш «заказ» \"прибыл\" +1\nпривет".to_owned();
    let plain = Renderer::plain(OutgoingText {
        id,
        errand,
        mode,
        channel,
        recipient,
        sender: None,
        app_name,
        locale,
        text,
        rehearsal: None,
    });
    let body = asked("", &plain).await;
    assert_eq!(body["MessageBody"], "Ваш «заказ» \"прибыл\" +1\nпривет");
    assert_eq!(body["TimeToLive"], Value::Null);
}

#[tokio::test]
async fn texts_are_tried_for_what_is_left_of_the_codes_life_as_far_as_the_service_takes_it() {
    let mut message = sms();
    for (left, told) in [(0, 5), (5_999, 5), (237_900, 237), (259_201_000, 259_200)] {
        message.expires_at = Some(NOW.plus(Duration::from_millis(left)));
        assert_eq!(asked("", &message).await["TimeToLive"], told, "{left}");
    }
}

#[tokio::test]
async fn the_register_of_india_is_named_for_india_only() {
    let dlt = "dlt_entity_id = \"1101234567890\"\ndlt_template_id = \"1107161234567\"";
    assert_eq!(asked(dlt, &sms()).await["DestinationCountryParameters"], Value::Null);
    let mut message = sms();
    message.recipient = Recipient::parse(Channel::Sms, "+919876543210").unwrap();
    let expected = json!({"IN_ENTITY_ID": "1101234567890", "IN_TEMPLATE_ID": "1107161234567"});
    assert_eq!(asked(dlt, &message).await["DestinationCountryParameters"], expected);
    assert_eq!(asked("", &message).await["DestinationCountryParameters"], Value::Null);
}

#[test]
fn a_call_says_its_digits_slowly_and_its_words_as_they_are() {
    let mut message = rendered(outgoing(Channel::Voice));
    let parts = vec![
        VoicePart::Words("Tom & \"Jerry's\" <code>:".to_owned()),
        VoicePart::Digits("4, 8".to_owned()),
        VoicePart::Words("Bye.\n".to_owned()),
    ];
    message.voice = Some(VoiceScript { press: String::new(), parts });
    let expected = "<speak>Tom &amp; &quot;Jerry&apos;s&quot; &lt;code&gt;:<break time=\"700ms\"/><prosody rate=\"slow\">4, 8</prosody>\
                    <break time=\"700ms\"/>Bye. </speak>";
    assert_eq!(Speech::of(&message).unwrap().ssml, expected);
}

#[test]
fn a_call_speaks_its_own_language_or_is_not_made() {
    let mut message = rendered(outgoing(Channel::Voice));
    let cases = [
        ("en", Some("JOANNA")),
        ("en-GB", Some("AMY")),
        ("en-NZ", Some("JOANNA")),
        ("pt-BR", Some("CAMILA")),
        ("pt", Some("INES")),
        ("es-MX", Some("MIA")),
        ("es", Some("LUPE")),
        ("zh-Hans", Some("ZHIYU")),
        ("FR-ca", Some("CHANTAL")),
        ("fi", None),
        ("fil", None),
        ("eno", None),
    ];
    for (tag, voice) in cases {
        message.locale = tag.into();
        assert_eq!(Speech::of(&message).map(|speech| speech.voice), voice, "{tag}");
    }
}

#[tokio::test]
async fn a_call_comes_from_a_number_and_a_language_without_a_voice_is_left_to_others() {
    let mut message = rendered(outgoing(Channel::Voice));
    message.sender = Some("Shop".to_owned());
    assert_eq!(asked("", &message).await["OriginationIdentity"], "+12025550100");
    message.sender = Some("+12025550177".to_owned());
    assert_eq!(asked("", &message).await["OriginationIdentity"], "+12025550177");
    message.locale = "fi".into();
    let provider = provider(&section("http://127.0.0.1:9"));
    assert_eq!(provider.send(&message).await.label(), "misconfigured");
}

#[tokio::test]
async fn without_a_number_to_call_from_no_calls_are_made() {
    let provider = provider(&section("http://127.0.0.1:9").replace("voice_from", "#"));
    assert!(provider.serves(Channel::Sms) && !provider.serves(Channel::Voice));
    assert_eq!(provider.send(&rendered(outgoing(Channel::Voice))).await.label(), "misconfigured");
}

#[tokio::test]
async fn a_check_asks_for_the_account_and_tells_what_is_wrong() {
    let server = Server::start(answer(200, &[], r#"{"AccountAttributes":[]}"#)).await;
    assert_eq!(provider(&section(&server.url(""))).check().await, Ok(()));
    let request = server.requests().remove(0);
    assert_eq!(request.header("x-amz-target"), "PinpointSMSVoiceV2.DescribeAccountAttributes");
    assert_eq!((request.target(), request.body.as_str()), ("POST /", "{}"));
    let checked = async |act| {
        let server = Server::start(act).await;
        provider(&section(&server.url(""))).check().await
    };
    assert_eq!(checked(no((400, "AccessDeniedException", ""))).await, Ok(()), "the keys are known");
    let unknown = checked(no((400, "UnrecognizedClientException", ""))).await;
    assert!(matches!(unknown, Err(CheckError::Credentials { .. })), "{unknown:?}");
}

#[test]
fn a_mistake_is_told_by_its_key() {
    let base = section("https://sms.example");
    let cases = [
        (base.replace("\"Example\"", "\"My Shop\""), "providers.sms.from: must be 1 to 256 letters"),
        (base.replace("\"+12025550100\"", "\"\""), "providers.sms.voice_from: must be 1 to 256 letters"),
        (base.replace("\"otp\"", "\"o t p\""), "providers.sms.configuration_set: must be 1 to 256 letters"),
        (base.replace(TOPIC, "otp-events"), "providers.sms.topic_arn: must be a topic such as"),
        (base.replace("secret_access_key", "#"), "providers.sms.secret_access_key: is empty"),
        (format!("{base}\ndlt_entity_id = \"1\""), "providers.sms.dlt_entity_id: needs `dlt_template_id`"),
        (format!("{base}\ndlt_template_id = \"1\""), "providers.sms.dlt_template_id: needs `dlt_entity_id`"),
        (format!("{base}\ndlt_template_id = \"1\"\ndlt_entity_id = \"a b\""), "providers.sms.dlt_entity_id: must be 1 to 50"),
        (base.replace("https://sms.example", "sms.example"), "providers.sms.endpoint: must be an http or https address"),
    ];
    for (section, expected) in cases {
        let config: Config = Figment::from(Toml::string(&section)).extract().unwrap();
        let told = match config.settle("providers.sms", Shelf::stocked()) {
            Ok(_) => panic!("taken: {section}"),
            Err(error) => error.to_string(),
        };
        assert!(told.starts_with(expected), "{told}\nfor\n{section}");
    }
}
