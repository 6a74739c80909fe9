//! Calls that ask for a key before they say the code: from the vendor's request to the key press, and what is known of the message then.

use countersign_tests::planes::ISSUER;
use countersign_tests::{Answer, Ask, Client, Expected, Process, ProviderDouble, Reply, Request, Setup, TestApp, run};
use data_encoding::BASE64;
use reqwest::{Method, Url};
use ring::hmac;
use serde_json::{Value, json};

const NUMBER: &str = "+12025550143";
const ACCOUNT: &str = "AC00000000000000000000000000000001";
const TOKEN: &str = "twilio-token-93c1";
const BREAK: &str = r#"<break time="500ms"/>"#;
const HANGS_UP: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Response><Hangup/></Response>"#;

/// The vendor.
struct Vendor {
    calls: ProviderDouble,
}

impl Vendor {
    async fn start() -> Self {
        let authorization = format!("Basic {}", BASE64.encode(format!("{ACCOUNT}:{TOKEN}").as_bytes()));
        let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Calls.json");
        Self { calls: ProviderDouble::start(Expected::form().at(&path, &authorization)).await }
    }

    fn set_up(&self, setup: Setup) -> Setup {
        setup
            .set("public_url", ISSUER)
            .set("providers.phone.kind", "twilio")
            .set("providers.phone.endpoint", self.calls.base())
            .set("providers.phone.account_sid", ACCOUNT)
            .set("providers.phone.auth_token", TOKEN)
            .set("providers.phone.voice.from", "+12025550101")
            .set("providers.phone.voice.press_key", true)
            .set("channels.voice.providers", vec!["phone"])
    }

    async fn app(&self) -> TestApp {
        TestApp::builder().with(|setup| self.set_up(setup)).spawn().await
    }

    /// Takes the next call.
    fn accepts(&self) {
        let call = json!({"sid": "CA00000000000000000000000000000018", "status": "queued", "to": NUMBER});
        self.calls.plan(Answer::With(201, call.to_string()));
    }
}

fn voice() -> Ask {
    Ask::of(json!({"channels": ["voice"], "recipients": {"voice": NUMBER}})).length(8)
}

/// Where a call has its key presses posted to.
fn action(request: &Request) -> String {
    let document = request.field("Twiml");
    let (_, rest) = document.split_once(" action=\"").unwrap_or_else(|| panic!("{document}"));
    rest.split_once('"').unwrap().0.replace("&amp;", "&")
}

/// What the vendor posts to `address` once the person pressed `digits`, or did not.
async fn press(client: &Client, address: &str, digits: &str) -> Reply {
    let mut fields = [
        ("AccountSid", ACCOUNT),
        ("CallSid", "CA00000000000000000000000000000018"),
        ("CallStatus", "in-progress"),
        ("Digits", digits),
        ("From", "+12025550101"),
        ("To", NUMBER),
    ];
    fields.sort_unstable();
    let signed: String = [address].into_iter().chain(fields.iter().flat_map(|(name, value)| [*name, *value])).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, TOKEN.as_bytes());
    let signature = BASE64.encode(hmac::sign(&key, signed.as_bytes()).as_ref());
    let path = address.strip_prefix(ISSUER).unwrap_or_else(|| panic!("{address}"));
    let body = Url::parse_with_params("http://form", fields).unwrap().query().unwrap().to_owned();
    let client = client.with("x-twilio-signature", &signature);
    client.call(Method::POST, path, Some("application/x-www-form-urlencoded"), body).await
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.clone()).unwrap()
}

/// The code that an answer says, digit by digit.
#[track_caller]
fn spoken(reply: &Reply) -> String {
    let said = text(reply.assert(200)).replace(BREAK, "");
    let code = said.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 8);
    code.unwrap_or_else(|| panic!("{reply:?}")).to_owned()
}

/// A code in every form in which it may be told.
fn forms(code: &str) -> Vec<String> {
    let digits: Vec<&str> = code.split("").filter(|digit| !digit.is_empty()).collect();
    let between = ["", ", ", " ", BREAK, r#"<break time=\"500ms\"/>"#, "%3Cbreak+time%3D%22500ms%22%2F%3E", "%2C+", "%2C%20"];
    between.iter().map(|between| digits.join(between)).collect()
}

#[tokio::test]
async fn whoever_presses_a_key_hears_the_code_and_the_message_is_delivered() {
    let vendor = Vendor::start().await;
    let app = vendor.app().await;
    vendor.accepts();
    let sent = app.live().send(voice()).await;
    let request = vendor.calls.request(1).await;
    app.live().status(&sent).await.json("$.channels.voice.status", "sent").json("$.channels.voice.delivered_at", Value::Null);

    let answer = press(&app.nobody(), &action(&request), "5").await;
    assert_eq!(answer.header("content-type"), Some("text/xml"), "{answer:?}");
    let code = spoken(&answer);
    let asked = String::from_utf8(request.body).unwrap();
    assert!(
        !forms(&code).iter().any(|form| asked.contains(form)),
        "the vendor was told the code before a key was pressed: {asked}"
    );
    let status = app.live().status(&sent).await;
    assert!(status.json("$.channels.voice.status", "delivered").at("$.channels.voice.delivered_at").is_string(), "{status:?}");
    // Pressed again, it is said again and changes nothing.
    assert_eq!(spoken(&press(&app.nobody(), &action(&vendor.calls.request(1).await), "7").await), code);
    app.live().verify(&sent, &code).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn without_a_key_the_call_hangs_up_and_nothing_is_delivered() {
    let vendor = Vendor::start().await;
    let app = vendor.app().await;
    vendor.accepts();
    let sent = app.live().send(voice()).await;
    let answer = press(&app.nobody(), &action(&vendor.calls.request(1).await), "").await;
    assert_eq!(text(answer.assert(200)), HANGS_UP);
    app.live().status(&sent).await.json("$.channels.voice.status", "sent").json("$.channels.voice.delivered_at", Value::Null);
}

#[tokio::test]
async fn one_calls_key_press_is_not_taken_for_anothers_nor_from_anybody_else() {
    let vendor = Vendor::start().await;
    let app = vendor.app().await;
    let mut calls = Vec::new();
    for number in [1, 2] {
        vendor.accepts();
        let sent = app.live().send(voice()).await;
        calls.push((sent, action(&vendor.calls.request(number).await)));
    }
    let (own, foreign) = (calls[0].1.split_once("&say=").unwrap(), calls[1].1.split_once("&say=").unwrap());
    let mixed = format!("{}&say={}", own.0, foreign.1);
    press(&app.nobody(), &mixed, "5").await.error(400, "malformed_body");
    let path = calls[0].1.strip_prefix(ISSUER).unwrap();
    let form = Some("application/x-www-form-urlencoded");
    app.nobody().call(Method::POST, path, form, "Digits=5").await.error(403, "forbidden");
    for (sent, _) in &calls {
        app.live().status(sent).await.json("$.channels.voice.status", "sent");
    }
}

#[tokio::test]
async fn a_person_on_the_line_hears_the_code_though_the_store_is_away() {
    let vendor = Vendor::start().await;
    let app = vendor.app().await;
    vendor.accepts();
    app.live().send(voice()).await;
    let address = action(&vendor.calls.request(1).await);
    app.break_store();
    spoken(&press(&app.nobody(), &address, "5").await);
}

#[tokio::test]
async fn no_line_of_the_log_holds_a_code_that_a_call_said() {
    let vendor = Vendor::start().await;
    let dir = tempfile::tempdir().unwrap();
    let setup = vendor.set_up(Setup::default().set("log.level", "trace,hyper=trace,reqwest=trace,actix_http=trace"));
    let process = Process::start(dir.path(), &setup, &[]).await;
    let made = run(dir.path(), &["key", "create", "--mode", "live", "--name", "calls"]).await;
    let live = process.client().with_key(made["secret"].as_str().unwrap());
    live.until_let_in().await;
    vendor.accepts();
    live.send(voice()).await;
    let answer = press(&process.client(), &action(&vendor.calls.request(1).await), "5").await;
    let forms = forms(&spoken(&answer));
    let (code, lines) = process.stop().await;
    assert_eq!(code, Some(0), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("/receipts/")), "the key press is in the log: {lines:#?}");
    for line in &lines {
        assert!(!forms.iter().any(|form| line.contains(form)), "{line}");
        assert!(!line.contains(TOKEN), "{line}");
    }
}
