use std::time::Duration;

use countersign_model::{Outgoing, OutgoingText, Receipt, ReceiptOf, Reference, Report, Timestamp, Undelivered};
use data_encoding::HEXLOWER;
use figment::Figment;
use figment::providers::{Format as _, Toml};
use ring::hmac;

use super::*;
use crate::receipts::{Callback, CallbackRefusal, Reading};
use crate::render::Renderer;
use crate::testing::server::{Act, Request, Server, answer};
use crate::testing::suite::{Behaviour, Subject, Told, build_from, over_http, receipts_url};
use crate::testing::{NOW, context, outgoing, rendered};

const ACCEPTED: &str = include_str!("fixtures/accepted.json");
const ERROR: &str = include_str!("fixtures/error.json");
const STATUS: &str = include_str!("fixtures/status.json");
const FAILED: &str = include_str!("fixtures/failed.json");
const OTHERS: &str = include_str!("fixtures/others.json");

const REFUSED: [i64; 2] = [131_026, 131_021];
const THROTTLED: [i64; 6] = [4, 80_007, 130_429, 131_048, 131_049, 131_056];
const SET_UP: [i64; 27] = [
    0, 3, 10, 33, 100, 190, 200, 299, 368, 130_497, 131_005, 131_008, 131_030, 131_031, 131_037, 131_042, 131_045, 131_047,
    132_000, 132_001, 132_012, 132_015, 132_016, 133_000, 133_005, 133_010, 133_015,
];
const UNCERTAIN: [i64; 9] = [1, 2, 130_472, 131_000, 131_009, 131_016, 131_057, 133_004, 999_999];

fn error(status: u16, code: i64) -> Act {
    answer(status, &[("content-type", "application/json")], &ERROR.replace("CODE", &code.to_string()))
}

struct InMeta;

impl Subject for InMeta {
    type Double = Server;

    const CHANNELS: &'static [Channel] = &[Channel::Whatsapp];
    const WAYS: [usize; 4] = [REFUSED.len(), THROTTLED.len() + 1, SET_UP.len() + 2, UNCERTAIN.len() + 1];

    fn section(url: &str) -> String {
        section(url)
    }

    fn build(section: &str, context: ProviderContext) -> (Result<Arc<dyn Provider>, ConfigError>, String) {
        build_from(section, context, super::build)
    }

    async fn start(behaviour: Behaviour) -> Server {
        over_http(behaviour, |behaviour| match behaviour {
            Behaviour::Accepts(_) | Behaviour::Cuts => answer(200, &[("content-type", "application/json")], ACCEPTED),
            Behaviour::Refuses(way) => error(400, REFUSED[way]),
            Behaviour::Throttles(way) => THROTTLED.get(way).map_or_else(|| answer(429, &[], ""), |code| error(400, *code)),
            Behaviour::RefusesUs(way) => match SET_UP.get(way) {
                Some(code) => error(400, *code),
                None => answer(if way == SET_UP.len() { 401 } else { 403 }, &[], "<html>no</html>"),
            },
            Behaviour::Fails(way) => UNCERTAIN.get(way).map_or_else(|| answer(503, &[], "busy"), |code| error(500, *code)),
        })
        .await
    }

    fn accepted_id(_: Channel, _: &Rendered) -> Option<String> {
        Some("wamid.HBgLMTIwMjU1NTAxNDMVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA".to_owned())
    }

    fn check(request: &Request, message: &Rendered) {
        assert_eq!(request.target(), "POST /v25.0/106540352242922/messages");
        assert_eq!(request.header("authorization"), "Bearer EAAJB-hush");
        assert_eq!(request.header("content-type"), "application/json");
        let expected = serde_json::json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "+12025550143",
            "type": "template",
            "template": {
                "name": "verification_code",
                "language": {"code": "en_US"},
                "components": [
                    {"type": "body", "parameters": [{"type": "text", "text": "482913"}]},
                    {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "482913"}]},
                ],
            },
            "biz_opaque_callback_data": message.reference().to_string(),
        });
        assert_eq!(request.json(), expected);
    }

    fn callback(told: Told, _: Channel, reference: Reference, url: &str) -> Option<Callback> {
        let body = match told {
            Told::Underway => STATUS.replace("STATUS", "sent"),
            Told::Delivered => STATUS.replace("STATUS", "delivered"),
            Told::Unheard => STATUS.replace("STATUS", "teleported"),
            Told::Failed => FAILED.to_owned(),
        };
        Some(posted(url, &body.replace("REFERENCE", &reference.to_string())))
    }

    fn forgeries(genuine: &Callback) -> Vec<Callback> {
        let mut altered = genuine.clone();
        altered.body.push(b' ');
        let with = |value: &[u8]| {
            let mut forged = genuine.clone();
            forged.headers = vec![(SIGNATURE.to_owned(), value.to_vec())];
            forged
        };
        let right = &genuine.headers[0].1;
        let mut unsigned = genuine.clone();
        unsigned.headers.clear();
        let mut twice = genuine.clone();
        twice.headers.push(twice.headers[0].clone());
        vec![
            altered,
            unsigned,
            twice,
            with(signature(b"another secret", &genuine.body).as_bytes()),
            with(&right[..right.len() - 2]),
            with(&right["sha256=".len()..]),
            with(b"sha256="),
            with(b"sha256=zz"),
            with(b"sha1=0000000000000000000000000000000000000000"),
        ]
    }
}

crate::provider_suite!(InMeta);

const SIGNATURE: &str = "x-hub-signature-256";

fn section(url: &str) -> String {
    format!(
        r#"
        phone_number_id = "106540352242922"
        access_token = "EAAJB-hush"
        app_secret = "app-hush"
        verify_token = "hush hush"
        template = "verification_code"
        language = "en_US"
        languages = {{ de = "de", "pt-BR" = "pt_BR", zh = "zh_CN", "zh-Hant" = "zh_TW" }}
        endpoint = "{url}"
        "#
    )
}

fn signature(secret: &[u8], body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), body);
    format!("sha256={}", HEXLOWER.encode(tag.as_ref()))
}

fn posted(url: &str, body: &str) -> Callback {
    Callback {
        is_get: false,
        url: url.to_owned(),
        path_secret: None,
        headers: vec![(SIGNATURE.to_owned(), signature(b"app-hush", body.as_bytes()).into_bytes())],
        body: body.as_bytes().to_vec(),
    }
}

fn provider(section: &str) -> Arc<dyn Provider> {
    let config: Config = Figment::from(Toml::string(section)).extract().unwrap();
    build(&config, context("whatsapp", Duration::from_secs(5))).unwrap()
}

async fn read(callback: &Callback) -> Result<Reading, CallbackRefusal> {
    provider(&section("http://127.0.0.1:9")).receipts().unwrap().read(callback, NOW).await
}

async fn receipts(body: &str) -> Vec<Receipt> {
    match read(&posted(&receipts_url(), body)).await {
        Ok(Reading::Receipts(receipts)) => receipts,
        other => panic!("{other:?}"),
    }
}

fn reference() -> Reference {
    rendered(outgoing(Channel::Whatsapp)).reference()
}

fn with_reference(body: &str) -> String {
    body.replace("REFERENCE", &reference().to_string())
}

#[test]
fn a_signature_is_as_metas_page_writes_it() {
    // Computed with `openssl dgst -sha256 -hmac app-hush`.
    let known = "sha256=18f8c6b44f75f59f7b0e10f557a4691dbc09f7fe3be7b0e7c2426ea96ec83512";
    assert_eq!(signature(b"app-hush", b"{\"object\":\"whatsapp_business_account\"}"), known);
}

#[tokio::test]
async fn a_code_goes_out_in_a_language_that_the_template_has() {
    let server = Server::start(answer(200, &[], ACCEPTED)).await;
    let provider = provider(&section(&server.url("")));
    let cases = [
        ("en", "en_US"),
        ("de", "de"),
        ("de-AT", "de"),
        ("DE-at", "de"),
        ("pt-BR", "pt_BR"),
        ("pt", "en_US"),
        ("zh-Hant-HK", "zh_TW"),
        ("zh-Hans", "zh_CN"),
        ("fi", "en_US"),
    ];
    for (tag, _) in cases {
        let mut message = rendered(outgoing(Channel::Whatsapp));
        message.locale = tag.into();
        assert_eq!(provider.send(&message).await.label(), "accepted", "{tag}");
    }
    for (request, (tag, code)) in server.requests().iter().zip(cases) {
        assert_eq!(request.json()["template"]["language"]["code"], code, "{tag}");
    }
}

#[tokio::test]
async fn a_yes_without_an_id_is_still_a_yes() {
    for body in ["", "{}", r#"{"messages":[]}"#, r#"{"messages":[{"id":"two words"}]}"#, "not json"] {
        let server = Server::start(answer(200, &[], body)).await;
        let outcome = provider(&section(&server.url(""))).send(&rendered(outgoing(Channel::Whatsapp))).await;
        assert_eq!(outcome, TryOutcome::Accepted { provider_id: None }, "{body}");
    }
}

#[tokio::test]
async fn a_text_without_a_code_is_not_sent() {
    let server = Server::start(answer(200, &[], ACCEPTED)).await;
    let Outgoing { id, errand, mode, channel, recipient, app_name, locale, .. } = outgoing(Channel::Whatsapp);
    let text = "Your parcel is here".to_owned();
    let text = OutgoingText { id, errand, mode, channel, recipient, sender: None, app_name, locale, text, rehearsal: None };
    let outcome = provider(&section(&server.url(""))).send(&Renderer::plain(text)).await;
    assert_eq!(outcome.label(), "misconfigured");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_check_asks_for_the_number_and_tells_what_is_wrong() {
    let found = answer(200, &[], r#"{"id":"106540352242922"}"#);
    let server = Server::start(found).await;
    assert_eq!(provider(&section(&server.url(""))).check().await, Ok(()));
    let request = server.requests().remove(0);
    assert_eq!(request.target(), "GET /v25.0/106540352242922?fields=id");
    assert_eq!(request.header("authorization"), "Bearer EAAJB-hush");
    assert!(request.body.is_empty(), "{}", request.body);
    for (act, is_credentials) in
        [(error(400, 190), true), (error(400, 200), true), (answer(401, &[], ""), true), (error(400, 100), false)]
    {
        let server = Server::start(act).await;
        let checked = provider(&section(&server.url(""))).check().await;
        let told = matches!(checked, Err(CheckError::Credentials { .. }));
        assert!(checked.is_err() && told == is_credentials, "{checked:?}");
    }
}

#[tokio::test]
async fn what_is_read_has_arrived_and_the_moment_is_metas() {
    for status in ["delivered", "read", "played"] {
        let read = receipts(&with_reference(&STATUS.replace("STATUS", status))).await;
        let at = Some(Timestamp::from_millis(1_768_473_890_000));
        let expected = Receipt { of: ReceiptOf::Reference(reference()), report: Report::Delivered, at, carrier: None };
        assert_eq!(read, [expected], "{status}");
    }
    for status in ["sent", "accepted", "deleted", "warning", "held_for_quality_assessment"] {
        let read = receipts(&with_reference(&STATUS.replace("STATUS", status))).await;
        assert_eq!(read[0].report, Report::Underway, "{status}");
    }
}

#[tokio::test]
async fn a_failure_says_why() {
    let cases = [
        (131_026, Undelivered::NotThere),
        (368, Undelivered::Rejected),
        (130_472, Undelivered::Rejected),
        (130_497, Undelivered::Rejected),
        (131_021, Undelivered::Rejected),
        (131_031, Undelivered::Rejected),
        (131_047, Undelivered::Rejected),
        (131_048, Undelivered::Rejected),
        (131_049, Undelivered::Rejected),
        (131_050, Undelivered::Rejected),
        (130_429, Undelivered::Unknown),
        (131_000, Undelivered::Unknown),
        (131_042, Undelivered::Unknown),
        (131_056, Undelivered::Unknown),
        (132_015, Undelivered::Unknown),
        (999_999, Undelivered::Unknown),
    ];
    for (code, reason) in cases {
        let read = receipts(&with_reference(&FAILED.replace("131026", &code.to_string()))).await;
        assert_eq!(read[0].report, Report::Undelivered(reason), "{code}");
    }
    let silent = receipts(&with_reference(&STATUS.replace("STATUS", "failed"))).await;
    assert_eq!(silent[0].report, Report::Undelivered(Undelivered::Unknown));
    let two = FAILED.replace("\"code\": 131026", "\"code\": 1}, {\"code\": 131026");
    assert_eq!(receipts(&with_reference(&two)).await[0].report, Report::Undelivered(Undelivered::NotThere));
}

#[tokio::test]
async fn one_callback_may_tell_of_many_messages() {
    let mut posted: serde_json::Value = serde_json::from_str(&with_reference(&STATUS.replace("STATUS", "delivered"))).unwrap();
    let statuses = &mut posted["entry"][0]["changes"][0]["value"]["statuses"];
    let mut other = statuses[0].clone();
    other["status"] = "failed".into();
    statuses.as_array_mut().unwrap().push(other);
    let entry = posted["entry"][0].clone();
    posted["entry"].as_array_mut().unwrap().push(entry);
    let unknown = Report::Undelivered(Undelivered::Unknown);
    let reports: Vec<Report> = receipts(&posted.to_string()).await.into_iter().map(|receipt| receipt.report).collect();
    assert_eq!(reports, [Report::Delivered, unknown, Report::Delivered, unknown]);
}

#[tokio::test]
async fn what_is_not_about_our_messages_is_passed_over() {
    assert_eq!(receipts(&with_reference(OTHERS)).await, []);
    assert_eq!(receipts(&with_reference(STATUS).replace("whatsapp_business_account", "page")).await, []);
    for odd in ["{}", "[]", "null", "7", r#"{"object":"whatsapp_business_account","entry":{"changes":7}}"#] {
        assert_eq!(receipts(odd).await, [], "{odd}");
    }
}

#[tokio::test]
async fn what_is_signed_and_no_json_is_malformed() {
    for odd in ["", "not json", "{", &"[".repeat(10_000)] {
        let refused = read(&posted(&receipts_url(), odd)).await;
        assert!(matches!(refused, Err(CallbackRefusal::Malformed(_))), "{refused:?}");
    }
}

fn question(query: &str) -> Callback {
    Callback { is_get: true, url: format!("{}?{query}", receipts_url()), path_secret: None, headers: vec![], body: vec![] }
}

#[tokio::test]
async fn metas_question_is_answered_with_its_challenge_and_nothing_else() {
    let right = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=hush%20hush";
    let answered = Reading::Reply { media_type: "text/plain", body: "1158201444".to_owned(), receipts: Vec::new() };
    assert_eq!(read(&question(right)).await, Ok(answered));
    let forged = [
        "",
        "hub.mode=subscribe&hub.challenge=1158201444",
        "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=",
        "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=hush",
        "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=hush%20hush&hub.verify_token=hush%20hush",
        "hub.mode=unsubscribe&hub.challenge=1158201444&hub.verify_token=hush%20hush",
        "hub.challenge=1158201444&hub.verify_token=hush%20hush",
    ];
    for query in forged {
        assert_eq!(read(&question(query)).await, Err(CallbackRefusal::Forged), "{query}");
    }
    for challenge in ["", "&hub.challenge=", "&hub.challenge=%3Cb%3E%20", "&hub.challenge=1&hub.challenge=2"] {
        let refused = read(&question(&format!("hub.mode=subscribe&hub.verify_token=hush%20hush{challenge}"))).await;
        assert!(matches!(refused, Err(CallbackRefusal::Malformed(_))), "{challenge}: {refused:?}");
    }
}

#[tokio::test]
async fn without_secrets_nothing_is_listened_to_and_nothing_expected() {
    let bare = section("http://127.0.0.1:9").replace("app_secret", "#").replace("verify_token", "#");
    let config: Config = Figment::from(Toml::string(&bare)).extract().unwrap();
    let mut context = context("whatsapp", Duration::from_secs(5));
    context.receipts_url = Some(receipts_url());
    let provider = build(&config, context).unwrap();
    assert_eq!(provider.tells(), Tells::Nothing);
    let reader = provider.receipts().unwrap();
    let genuine = InMeta::callback(Told::Delivered, Channel::Whatsapp, reference(), &receipts_url()).unwrap();
    assert_eq!(reader.read(&genuine, NOW).await, Err(CallbackRefusal::Forged));
    let empty = "hub.mode=subscribe&hub.challenge=1&hub.verify_token=";
    assert_eq!(reader.read(&question(empty), NOW).await, Err(CallbackRefusal::Forged));
}

fn mistake(section: &str) -> String {
    let config: Config = Figment::from(Toml::string(section)).extract().unwrap();
    match config.settle("providers.whatsapp") {
        Ok(_) => panic!("taken: {section}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_mistake_is_told_by_its_key() {
    let base = section("https://graph.example");
    let without = |line: &str| base.replace(line, "#");
    let cases = [
        (base.replace("106540352242922", "+15550783881"), "providers.whatsapp.phone_number_id: must be the digits"),
        (base.replace("106540352242922", ""), "providers.whatsapp.phone_number_id: must be the digits"),
        (base.replace("verification_code", "Verification Code"), "providers.whatsapp.template: must be a template's name"),
        (without("access_token"), "providers.whatsapp.access_token: is empty"),
        (base.replace("EAAJB-hush", "EAAJB\\nhush"), "providers.whatsapp.access_token: must be one line"),
        (base.replace("EAAJB-hush", ""), "providers.whatsapp.access_token: is empty"),
        (base.replace("app-hush", ""), "providers.whatsapp.app_secret: is empty"),
        (base.replace("hush hush", ""), "providers.whatsapp.verify_token: is empty"),
        (format!("{base}\napp_secret_file = \"/nowhere\""), "providers.whatsapp.app_secret: give the value or the file"),
        (
            base.replace("app_secret = \"app-hush\"", "app_secret_file = \"/nowhere/x\""),
            "providers.whatsapp.app_secret_file: cannot read",
        ),
        (base.replace("language = \"en_US\"", "language = \"en-US\""), "providers.whatsapp.language: must be a language as Meta"),
        (base.replace("\"pt_BR\"", "\"pt BR\""), "providers.whatsapp.languages.pt-BR: must be a language as Meta"),
        (base.replace("\"pt-BR\"", "\"pt_BR\""), "providers.whatsapp.languages.pt_BR: must be named by a BCP 47 tag"),
        (format!("{base}\ngraph_version = \"25\""), "providers.whatsapp.graph_version: must be a version such as v25.0"),
        (base.replace("https://graph.example", "graph.example"), "providers.whatsapp.endpoint: must be an http or https address"),
        (base.replace("graph.example", "me:pw@graph.example"), "providers.whatsapp.endpoint: must be without credentials"),
    ];
    for (section, expected) in cases {
        let told = mistake(&section);
        assert!(told.starts_with(expected), "{told}\nfor\n{section}");
    }
}
