//! Receipts of gateways: the suite of every provider, and the ways that only this one has.

use countersign_model::{Receipt, ReceiptOf, Reference, Report, Undelivered};
use data_encoding::{BASE64, HEXLOWER};
use ring::hmac;

use super::*;
use crate::config::ConfigError;
use crate::provider_suite;
use crate::receipts::{Callback, CallbackRefusal, Reading};
use crate::testing::server::{Request, answer};
use crate::testing::suite::{Behaviour, Subject, Told, build_from, over_http, receipts_url};
use crate::testing::{NOW, errand};

const SECTION: &str = r#"
    channels = ["sms", "whatsapp", "voice"]
    url = "{url}/v1/messages?account=7"
    json = '''{"to": {{ to|tojson }}, "text": {{ text|tojson }}, "ref": "{{ reference }}", "dlr": {{ receipts_url|tojson }}}'''
    accept = { status = [202], id = "/id" }
    refuse = { status = [422], pointer = "/error/code", equals = ["invalid_number", "unsubscribed"] }
    [headers]
    Authorization = "Bearer hush-token"
    [receipts]
    reference = "/message/ref"
    status = "/message/status"
    delivered = ["delivered", "read"]
    failed = ["failed"]
    not_there = ["no_such_number"]
    [receipts.hmac]
    header = "X-Gateway-Signature"
    key = "hush-key"
    prefix = "sha256="
"#;

/// A callback, as it is signed by `X-Gateway-Signature`.
fn signed(body: &str, key: &str, url: &str) -> Callback {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), body.as_bytes());
    let signature = format!("sha256={}", HEXLOWER.encode(tag.as_ref()));
    Callback {
        is_get: false,
        url: url.to_owned(),
        path_secret: None,
        headers: vec![("x-gateway-signature".to_owned(), signature.into_bytes())],
        body: body.into(),
    }
}

struct Gateway;

impl Subject for Gateway {
    type Double = Server;

    const CHANNELS: &'static [Channel] = &[Channel::Sms, Channel::Whatsapp, Channel::Voice];
    const WAYS: [usize; 4] = [2, 1, 2, 3];

    fn section(url: &str) -> String {
        SECTION.replace("{url}", url)
    }

    fn build(section: &str, context: ProviderContext) -> (Result<Arc<dyn Provider>, ConfigError>, String) {
        build_from::<Config>(section, context, build)
    }

    async fn start(behaviour: Behaviour) -> Server {
        over_http(behaviour, |behaviour| match behaviour {
            Behaviour::Accepts(_) => answer(202, &[], r#"{"id":"gw-17"}"#),
            Behaviour::Refuses(0) => answer(422, &[], r#"{"error":{"code":"invalid_number"}}"#),
            Behaviour::Refuses(_) => answer(422, &[], r#"{"error":{"code":"unsubscribed"}}"#),
            Behaviour::Throttles(_) => answer(429, &[], ""),
            Behaviour::RefusesUs(0) => answer(401, &[], ""),
            Behaviour::RefusesUs(_) => answer(403, &[], ""),
            Behaviour::Fails(0) => answer(422, &[], r#"{"error":{"code":"whatever"}}"#),
            Behaviour::Fails(1) => answer(500, &[], ""),
            Behaviour::Fails(_) => answer(200, &[], r#"{"id":"gw-17"}"#),
            Behaviour::Cuts => Act::Cut,
        })
        .await
    }

    fn accepted_id(_: Channel, _: &Rendered) -> Option<String> {
        Some("gw-17".to_owned())
    }

    fn check(request: &Request, message: &Rendered) {
        assert_eq!(request.target(), "POST /v1/messages?account=7");
        assert_eq!(request.header("authorization"), "Bearer hush-token");
        assert_eq!(request.header("content-type"), "application/json");
        let expected = serde_json::json!({
            "to": "+12025550143", "text": message.text(), "ref": message.reference().to_string(), "dlr": receipts_url(),
        });
        assert_eq!(request.json(), expected);
    }

    fn callback(told: Told, _: Channel, reference: Reference, url: &str) -> Option<Callback> {
        let status = match told {
            Told::Underway => "queued",
            Told::Delivered => "delivered",
            Told::Failed => "no_such_number",
            Told::Unheard => "beamed_up",
        };
        let body =
            serde_json::json!({"message": {"ref": reference.to_string(), "status": status, "to": "+12025550143"}, "more": [1]});
        Some(signed(&body.to_string(), "hush-key", url))
    }

    fn forgeries(genuine: &Callback) -> Vec<Callback> {
        let with = |change: fn(&mut Callback)| {
            let mut forged = genuine.clone();
            change(&mut forged);
            forged
        };
        let body = String::from_utf8(genuine.body.clone()).unwrap();
        vec![
            with(|it| it.headers.clear()),
            with(|it| it.body.push(b' ')),
            with(|it| it.headers[0].1.truncate(70)),
            with(|it| it.headers[0].1 = it.headers[0].1.split_off(7)),
            with(|it| it.headers.extend(it.headers.clone())),
            signed(&body, "another-key", &genuine.url),
        ]
    }
}

provider_suite!(Gateway);

/// A section that reads receipts so.
fn section(receipts: &str) -> String {
    format!(
        "channels = [\"sms\"]\nurl = \"https://gateway.example/\"\njson = '''{{\"t\": {{{{ text|tojson }}}}, \"r\": \"{{{{ reference }}}}\"}}'''\n\
         accept = {{ id = \"/id\" }}\n[receipts]\n{receipts}"
    )
}

fn reads(receipts: &str) -> Arc<dyn Provider> {
    provider(&section(receipts), "")
}

fn callback(url: &str, headers: &[(&str, String)], body: &str) -> Callback {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes())).collect();
    Callback {
        is_get: body.is_empty(),
        url: url.to_owned(),
        path_secret: Some("a-path-that-nobody-can-guess-hush".to_owned()),
        headers,
        body: body.into(),
    }
}

async fn read(provider: &Arc<dyn Provider>, callback: &Callback) -> Result<Vec<Receipt>, CallbackRefusal> {
    match provider.receipts().unwrap().read(callback, NOW).await? {
        Reading::Receipts(receipts) => Ok(receipts),
        Reading::Reply { .. } => panic!("nothing is to be replied"),
    }
}

fn of_id(id: &str, report: Report) -> Receipt {
    Receipt { of: ReceiptOf::ProviderId(id.to_owned()), report, at: None, carrier: None }
}

const BY_ID: &str = "id = \"/id\"\nstatus = \"/status\"\ndelivered = [\"1\"]\nexpired = [\"2\"]\nrejected = [\"3\"]\nunreachable = [\"4\"]\nfailed = [\"5\"]\nnot_there = [\"6\"]\n";

#[tokio::test]
async fn every_list_of_words_says_what_it_is_named_for() {
    let provider = reads(&format!("{BY_ID}secret = \"a-path-that-nobody-can-guess-hush\""));
    assert_eq!(provider.tells(), Tells::ById);
    let failed = Report::Undelivered;
    let reports = [
        ("1", Report::Delivered),
        ("2", failed(Undelivered::Expired)),
        ("3", failed(Undelivered::Rejected)),
        ("4", failed(Undelivered::Unreachable)),
        ("5", failed(Undelivered::Unknown)),
        ("6", failed(Undelivered::NotThere)),
        ("7", Report::Underway),
    ];
    for (status, report) in reports {
        for body in [format!(r#"{{"id":17,"status":{status}}}"#), format!(r#"{{"id":"17","status":"{status}"}}"#)] {
            assert_eq!(read(&provider, &callback("", &[], &body)).await, Ok(vec![of_id("17", report)]), "{body}");
        }
    }
    for nothing in ["{}", r#"{"id":"17"}"#, r#"{"id":"two words","status":"1"}"#, r#"{"id":[],"status":"1"}"#, "[]", "null"] {
        assert_eq!(read(&provider, &callback("", &[], nothing)).await, Ok(Vec::new()), "{nothing}");
    }
    let nonsense = callback("", &[], "<xml/>");
    assert_eq!(read(&provider, &nonsense).await, Err(CallbackRefusal::Malformed("the body is not JSON")));
}

#[tokio::test]
async fn a_list_of_receipts_is_read_one_by_one() {
    let provider = reads(&format!("{BY_ID}items = \"/results\"\nsecret = \"a-path-that-nobody-can-guess-hush\""));
    let body = r#"{"results":[{"id":"a","status":"1"},{"id":"?"},7,{"id":"b","status":"9"}]}"#;
    let expected = vec![of_id("a", Report::Delivered), of_id("b", Report::Underway)];
    assert_eq!(read(&provider, &callback("", &[], body)).await, Ok(expected));
    let refused = read(&provider, &callback("", &[], "{}")).await;
    assert_eq!(refused, Err(CallbackRefusal::Malformed("there is no list where `items` says")));
}

#[tokio::test]
async fn fields_may_stand_in_a_form_or_in_the_address() {
    let reference = errand().reference(sms().id);
    let named =
        "reference = \"ref\"\nstatus = \"st\"\ndelivered = [\"DELIVRD\"]\nsecret = \"a-path-that-nobody-can-guess-hush\"\n";
    let delivered = Receipt { of: ReceiptOf::Reference(reference), report: Report::Delivered, at: None, carrier: None };
    let fields = format!("x=%C3%A4&ref={reference}&st=DELIVRD");

    let form = reads(&format!("{named}fields = \"form\""));
    assert_eq!(form.tells(), Tells::ByReference);
    assert_eq!(read(&form, &callback("https://x.example/", &[], &fields)).await, Ok(vec![delivered.clone()]));
    let query = reads(&format!("{named}fields = \"query\""));
    let called = callback(&format!("https://x.example/?{fields}"), &[], "");
    assert_eq!(read(&query, &called).await, Ok(vec![delivered]));
    for nothing in
        [format!("ref={reference}&ref={reference}&st=DELIVRD"), "ref=1&st=DELIVRD".to_owned(), format!("ref={reference}")]
    {
        assert_eq!(read(&form, &callback("", &[], &nothing)).await, Ok(Vec::new()), "{nothing}");
    }
}

#[tokio::test]
async fn a_password_or_a_secret_in_the_address_vouches_for_what_is_not_signed() {
    let body = r#"{"id":"17","status":"1"}"#;
    let basic = |login: &str| vec![("authorization", format!("Basic {}", BASE64.encode(login.as_bytes())))];
    let provider = reads(&format!("{BY_ID}username = \"gateway\"\npassword = \"open sesame\""));
    assert!(read(&provider, &callback("", &basic("gateway:open sesame"), body)).await.is_ok());
    for login in ["gateway:open", "gateway:open sesame!", "open sesame", ":", ""] {
        assert_eq!(read(&provider, &callback("", &basic(login), body)).await, Err(CallbackRefusal::Forged), "{login}");
    }
    let by_path = reads(&format!("{BY_ID}secret = \"a-path-that-nobody-can-guess-hush\""));
    for secret in [None, Some(""), Some("a-path-that-nobody-can-guess-hus"), Some("a-path-that-nobody-can-guess-hush1")] {
        let forged = Callback { path_secret: secret.map(str::to_owned), ..callback("", &[], body) };
        assert_eq!(read(&by_path, &forged).await, Err(CallbackRefusal::Forged), "{secret:?}");
    }
}

#[tokio::test]
async fn digests_are_taken_in_every_algorithm_and_writing_and_over_the_address_too() {
    let body = r#"{"id":"17","status":"1"}"#;
    let url = "https://otp.example.com/receipts/http/sms?a=1";
    let algorithms =
        [("sha1", hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY), ("sha256", hmac::HMAC_SHA256), ("sha512", hmac::HMAC_SHA512)];
    for (word, algorithm) in algorithms {
        for (encoding, over) in [("hex", "body"), ("base64", "body"), ("hex", "url+body")] {
            let hmac_section = format!(
                "hmac = {{ header = \"X-Sig\", key = \"k\", algorithm = \"{word}\", encoding = \"{encoding}\", over = \"{over}\" }}"
            );
            let provider = reads(&format!("{BY_ID}{hmac_section}"));
            let text = if over == "body" { body.to_owned() } else { format!("{url}{body}") };
            let tag = hmac::sign(&hmac::Key::new(algorithm, b"k"), text.as_bytes());
            let written = if encoding == "hex" { HEXLOWER.encode(tag.as_ref()) } else { BASE64.encode(tag.as_ref()) };
            let genuine = callback(url, &[("x-sig", written.clone())], body);
            assert!(read(&provider, &genuine).await.is_ok(), "{hmac_section}");
            let elsewhere = Callback { url: format!("{url}2"), ..genuine.clone() };
            assert_eq!(read(&provider, &elsewhere).await.is_ok(), over == "body", "{hmac_section}");
            let altered = callback(url, &[("x-sig", written)], r#"{"id":"18","status":"1"}"#);
            assert_eq!(read(&provider, &altered).await, Err(CallbackRefusal::Forged), "{hmac_section}");
        }
    }
}

#[tokio::test]
async fn standard_webhooks_are_taken_within_five_minutes_under_either_name() {
    let provider = reads(&format!("{BY_ID}webhook_secret = \"whsec_aHVzaGh1c2hodXNoaHVzaA==\""));
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"hushhushhushhush");
    let body = r#"{"id":"17","status":"1"}"#;
    let called = |name: &str, id: &str, late: i64| {
        let time = (NOW.millis() / 1000 - late).to_string();
        let tag = BASE64.encode(hmac::sign(&key, format!("{id}.{time}.{body}").as_bytes()).as_ref());
        let headers = [
            (format!("{name}-id"), id.to_owned()),
            (format!("{name}-timestamp"), time),
            (format!("{name}-signature"), format!("v1a,xx v1,AAAA v1,{tag}")),
        ];
        Callback { headers: headers.map(|(name, value)| (name, value.into_bytes())).to_vec(), ..callback("", &[], body) }
    };
    for (name, late) in [("webhook", 0), ("svix", 0), ("webhook", 300), ("webhook", -300)] {
        assert!(read(&provider, &called(name, "msg_1", late)).await.is_ok(), "{name} {late}");
    }
    let mut forged = vec![
        called("webhook", "msg_1", 301),
        called("webhook", "msg_1", -301),
        called("webhook", "msg.1", 0),
        called("x", "1", 0),
    ];
    for index in 0..3 {
        let mut one = called("webhook", "msg_1", 0);
        let value = &mut one.headers[index].1;
        let place = value.len() - 5;
        value[place] ^= 1;
        forged.push(one.clone());
        one.headers.remove(index);
        forged.push(one);
    }
    forged.push(Callback { body: b"{}".to_vec(), ..called("webhook", "msg_1", 0) });
    for (number, forged) in forged.iter().enumerate() {
        assert_eq!(read(&provider, forged).await, Err(CallbackRefusal::Forged), "{number}");
    }
}

/// Whoever posts chooses how many there are, and how long the body is.
#[tokio::test]
async fn thousands_of_signatures_cost_no_more_than_one() {
    let provider = reads(&format!("{BY_ID}webhook_secret = \"whsec_aHVzaGh1c2hodXNoaHVzaA==\""));
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"hushhushhushhush");
    let body = format!(r#"{{"id":"17","status":"1","more":"{}"}}"#, "x".repeat(3 << 20));
    let time = (NOW.millis() / 1000).to_string();
    let tag = BASE64.encode(hmac::sign(&key, format!("msg_1.{time}.{body}").as_bytes()).as_ref());
    let called = |signatures: String| {
        let headers =
            [("webhook-id", "msg_1".to_owned()), ("webhook-timestamp", time.clone()), ("webhook-signature", signatures)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.into_bytes())).to_vec();
        Callback { headers, ..callback("", &[], &body) }
    };
    let wrong = "v1,AAAA ".repeat(16_000);
    assert_eq!(read(&provider, &called(wrong.clone())).await, Err(CallbackRefusal::Forged));
    assert!(read(&provider, &called(format!("{wrong}v1,{tag}"))).await.is_ok());
}

#[tokio::test]
async fn the_secret_stands_in_the_address_that_the_gateway_is_told() {
    let server = Server::start(answer(200, &[], "{}")).await;
    let toml = "channels = [\"sms\"]\nurl = \"{url}\"\n[form]\ndlr = \"{{ receipts_url }}\"\nref = \"{{ reference }}\"\nt = \"{{ text }}\"\n\
                [receipts]\nfields = \"form\"\nreference = \"ref\"\nstatus = \"st\"\ndelivered = [\"1\"]\nsecret = \"a-path-that-nobody-can-guess-hush\"";
    let mut context = testing::context("sms", PATIENCE);
    context.receipts_url = Some(receipts_url());
    let provider = build(&config(toml, &server.url("/")), context).unwrap();
    let message = sms();
    assert_eq!(provider.send(&message).await.label(), "accepted");
    let expected = [
        ("dlr", format!("{}/a-path-that-nobody-can-guess-hush", receipts_url())),
        ("ref", message.reference().to_string()),
        ("t", message.text().to_owned()),
    ];
    assert_eq!(server.requests()[0].form(), expected.map(|(name, value)| (name.to_owned(), value)));
}

#[test]
fn a_mistake_in_receipts_is_told_by_its_key() {
    let by = "secret = \"a-path-that-nobody-can-guess-hush\"\n";
    let good = "id = \"/id\"\nstatus = \"/st\"\ndelivered = [\"1\"]\n";
    let form = "fields = \"form\"\nid = \"i\"\nstatus = \"s\"\ndelivered = [\"1\"]\n";
    let query = form.replace("form", "query");
    let cases = [
        (good.to_owned(), ": must be signed in exactly one way"),
        (format!("{good}{by}username = \"u\"\npassword = \"p\""), ": must be signed in exactly one way"),
        (format!("{by}status = \"/st\"\ndelivered = [\"1\"]"), ": give exactly one of `reference` and `id`"),
        (format!("{good}{by}reference = \"/r\""), ": give exactly one of `reference` and `id`"),
        (format!("{by}id = \"id\"\nstatus = \"/st\"\ndelivered = [\"1\"]"), ".id: must be a JSON pointer"),
        (format!("{by}id = \"/id\"\nstatus = \"st\"\ndelivered = [\"1\"]"), ".status: must be a JSON pointer"),
        (format!("{by}id = \"/id\"\nstatus = \"/st\"\ndelivered = []"), ".delivered: is empty"),
        (format!("{good}{by}failed = [\"2\"]\nexpired = [\"2\"]"), ".expired: must be words that stand in no other list"),
        (format!("{good}{by}items = \"x\""), ".items: must be a JSON pointer"),
        (format!("{form}{by}items = \"/x\""), ".items: must be left out unless"),
        (form.replace("\"i\"", "\"\"") + by, ".id: is empty"),
        (format!("{good}secret = \"a/path/that/nobody/can/guess/hush\""), ".secret: must be 32 to 128 letters, digits"),
        (format!("{good}secret = \"guessed\""), ".secret: must be 32 to 128 letters, digits"),
        (format!("{good}secret = \"\""), ".secret: must be 32 to 128 letters, digits"),
        (format!("{good}username = \"u\""), ".username: needs `password` beside it"),
        (format!("{good}password = \"p\""), ".password: needs `username` beside it"),
        (format!("{good}username = \"u\"\npassword = \"\""), ".password: is empty"),
        (format!("{good}username = \"u\"\npassword = \" \""), ".password: is empty"),
        (format!("{good}username = \"u:v\"\npassword = \"p\""), ".username: must be without a colon"),
        (format!("{good}webhook_secret = \"whsec_?\""), ".webhook_secret: must be whsec_ and Base64"),
        (format!("{query}webhook_secret = \"whsec_aHVzaA==\""), ".webhook_secret: must be left out when"),
        (format!("{query}hmac = {{ header = \"x\", key = \"k\" }}"), ".hmac.over: must be \"url+body\""),
        (format!("{good}hmac = {{ header = \"x y\", key = \"k\" }}"), ".hmac.header: must be a header name"),
        (format!("{good}hmac = {{ header = \"x\", key = \"\" }}"), ".hmac.key: is empty"),
        (format!("{good}hmac = {{ header = \"x\", key_file = \"/nowhere\" }}"), ".hmac.key_file: cannot read /nowhere"),
    ];
    for (receipts, expected) in cases {
        let told = mistake(&section(&receipts));
        assert!(told.starts_with(&format!("providers.sms.receipts{expected}")), "{told}\nfor\n{receipts}");
    }
    let without = |text: &str| section(&format!("{good}{by}")).replace(text, "");
    assert!(
        mistake(&without("accept = { id = \"/id\" }\n")).starts_with("providers.sms.receipts.id: needs `accept.id` beside it")
    );
    let unnamed =
        section(&format!("{by}reference = \"/r\"\nstatus = \"/s\"\ndelivered = [\"1\"]")).replace("{{ reference }}", "");
    assert!(mistake(&unnamed).starts_with("providers.sms.receipts.reference: must be left out, or"));
    let asks = section(&format!("{good}{by}")).replace("{{ reference }}", "{{ receipts_url }}");
    assert!(mistake(&asks).starts_with("providers.sms.json: there is no `receipts_url`"));
}
