//! Recipients whose codes are known beforehand, under a live key: for the reviewers of app stores.

use std::time::Duration;

use countersign_tests::{Ask, Client, Expected, MailSink, ProviderDouble, Sent, TestApp, email, happened, sms, wrong_code};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::admin_access::{chief, fields, patch};

const SERVICE: &str = "7d1f0c2e-51c3-4c0a-9a51-0a6f6f3a5b11";
const SERVICES: &str = "/admin/v1/tenants/default/services";
const NUMBER: &str = "+12025550147";
const MAILBOX: &str = "review@example.com";
const CODE: &str = "246813";
const OTHER_CODE: &str = "97531024";

/// The suite's clock starts at 10:45 on the fifteenth.
const UNTIL: &str = "2026-01-17T00:00:00.000Z";

struct Store {
    app: TestApp,
    chief: Client,
    double: ProviderDouble,
    sink: MailSink,
}

impl Store {
    async fn open() -> Self {
        let (double, sink) = (ProviderDouble::start(Expected::json()).await, MailSink::start().await);
        let app = TestApp::builder().sms(&double).live_email(&sink).spawn().await;
        let chief = chief(&app).await;
        let known = json!([
            {"recipient": NUMBER, "code": CODE, "until": UNTIL},
            {"recipient": "Review@example.com", "code": OTHER_CODE, "until": UNTIL},
        ]);
        let made = chief.post(SERVICES, &json!({"id": SERVICE, "name": "shop", "profile": {"test_recipients": known}})).await;
        made.assert(201);
        Self { app, chief, double, sink }
    }

    fn path() -> String {
        format!("{SERVICES}/{SERVICE}")
    }

    fn sent_out(&self) -> usize {
        self.double.requests().len() + self.sink.mails().len()
    }
}

fn ask(ask: Ask) -> Ask {
    ask.set("service_id", SERVICE)
}

fn claims(proof: &str) -> Value {
    serde_json::from_slice(&BASE64URL_NOPAD.decode(proof.split('.').nth(1).unwrap().as_bytes()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_reviewer_signs_in_with_the_code_that_is_known_and_nothing_is_sent() {
    let store = Store::open().await;
    let live = store.app.live();
    for (wish, channel, code) in [(sms(NUMBER), "sms", CODE), (email(MAILBOX), "email", OTHER_CODE)] {
        let sent = live.send(ask(wish)).await;
        sent.reply.json("$.test_recipient", true).without("$.sandbox").without("$.sandbox_otps").without("$.data.otps");
        let status = live.status(&sent).await;
        status.json("$.test_recipient", true).json(&format!("$.channels.{channel}.provider"), "test_recipient");
        live.verify(&sent, &wrong_code(&[code])).await.assert(200).json("$.verified", false).json("$.attempts_remaining", 2);
        let verified = live.verify(&sent, code).await;
        verified.assert(200).json("$.verified", true).json("$.test_recipient", true);
    }
    assert_eq!(store.sent_out(), 0);
    for _node in 0..2 {
        let page = String::from_utf8(store.app.admin().get("/metrics").await.assert(200).body.clone()).unwrap();
        let counted = page.lines().find(|line| line.starts_with("countersign_messages_total") && line.contains("test_recipient"));
        assert_eq!(counted, None, "a code that is known is no conversion");
    }
    let other = live.send(ask(sms("+12025550143"))).await;
    other.reply.without("$.test_recipient");
    live.verify(&other, CODE).await.assert(200).json("$.verified", false);
    assert_eq!(store.sent_out(), 1);
}

#[tokio::test]
async fn its_proof_is_not_taken_for_a_real_one() {
    let store = Store::open().await;
    let live = store.app.live();
    let sent = live.send(ask(sms(NUMBER))).await;
    let proof = live.verify(&sent, CODE).await.text("$.verification_proof");
    let claims = claims(&proof);
    assert_eq!((&claims["env"], &claims["iss"]), (&json!("test"), &json!(format!("{}/test", store.app.issuer()))));
    let header = jsonwebtoken::decode_header(&proof).unwrap();
    let knows = async |page: &str| {
        let keys = store.app.nobody().get(page).await.body();
        keys["keys"].as_array().unwrap().iter().any(|key| key["kid"] == header.kid.as_deref().unwrap())
    };
    assert!(!knows("/.well-known/jwks.json").await, "a live key signed it");
    assert!(knows("/.well-known/jwks-sandbox.json").await);
}

#[tokio::test]
async fn a_resend_keeps_to_the_known_code() {
    let store = Store::open().await;
    let live = store.app.live();
    let sent = live.send(ask(sms(NUMBER))).await;
    store.app.advance(Duration::from_secs(31));
    let again = Sent::read(live.resend(&sent).await);
    again.reply.json("$.test_recipient", true);
    live.verify(&again, CODE).await.assert(200).json("$.verified", true);
    assert_eq!(store.sent_out(), 0);
}

#[tokio::test]
async fn a_fallback_among_test_recipients_sends_nothing_either() {
    let store = Store::open().await;
    let live = store.app.live();
    let sent = live.send(ask(sms(NUMBER).later("email", MAILBOX, 30))).await;
    store.app.advance(Duration::from_secs(30));
    store.app.sweep().await;
    live.status(&sent).await.json("$.channels.email.provider", "test_recipient");
    live.verify_each(&sent, &[("email", OTHER_CODE)]).await.assert(200).json("$.verified", true);
    assert_eq!(store.sent_out(), 0);
}

#[tokio::test]
async fn a_send_that_asks_somebody_else_as_well_is_an_ordinary_one() {
    let store = Store::open().await;
    let live = store.app.live();
    let sent = live.send(ask(sms(NUMBER).and("email", "ann@example.com"))).await;
    sent.reply.without("$.test_recipient");
    assert_eq!(store.sent_out(), 2);
    live.verify(&sent, CODE).await.assert(200).json("$.verified", false);
    let later = live.send(ask(sms(NUMBER).later("email", "ann@example.com", 30))).await;
    later.reply.without("$.test_recipient");
    live.verify(&later, CODE).await.assert(200).json("$.verified", false);
}

#[tokio::test]
async fn it_is_an_ordinary_recipient_under_other_services_and_in_the_sandbox() {
    let store = Store::open().await;
    store.app.live().send(sms(NUMBER)).await.reply.without("$.test_recipient");
    assert_eq!(store.sent_out(), 1);
    let sent = store.app.send(ask(sms(NUMBER))).await;
    sent.reply.json("$.sandbox", true).without("$.test_recipient");
    assert_ne!(sent.code("sms"), CODE);
}

#[tokio::test]
async fn its_limits_are_those_of_everybody() {
    let store = Store::open().await;
    let live = store.app.live();
    for _ in 0..5 {
        live.send(ask(sms(NUMBER))).await;
    }
    live.try_send(&ask(sms(NUMBER))).await.error(429, "rate_limited");
}

#[tokio::test]
async fn after_its_end_it_is_an_ordinary_recipient_and_no_known_code_outlives_it() {
    let store = Store::open().await;
    let live = store.app.live();
    // Codes live ten minutes: these die at 23:59.
    store.app.advance(Duration::from_secs(37 * 3600 + 4 * 60));
    let last = live.send(ask(sms(NUMBER))).await;
    last.reply.json("$.test_recipient", true);
    store.app.advance(Duration::from_secs(120));
    let next = live.send(ask(sms(NUMBER))).await;
    next.reply.without("$.test_recipient");
    assert_eq!(store.sent_out(), 1, "a code that would outlive the end is not the known one");
    live.verify(&next, CODE).await.assert(200).json("$.verified", false);
    // A session of the known code does not turn into a real one.
    live.resend(&last).await.error(410, "session_expired");
    assert_eq!(store.sent_out(), 1);
    live.verify(&last, CODE).await.assert(200).json("$.verified", true).json("$.test_recipient", true);
}

#[tokio::test]
async fn one_that_was_taken_away_gets_no_resend_in_its_old_session() {
    let store = Store::open().await;
    let live = store.app.live();
    let sent = live.send(ask(sms(NUMBER))).await;
    patch(&store.chief, &Store::path(), &json!({"profile": {"test_recipients": []}})).await.assert(200);
    store.app.advance(Duration::from_secs(31));
    live.resend(&sent).await.error(410, "session_expired");
    assert_eq!(store.sent_out(), 0);
    live.send(ask(sms(NUMBER))).await.reply.without("$.test_recipient");
    assert_eq!(store.sent_out(), 1);
}

#[tokio::test]
async fn its_code_is_never_read_back() {
    let store = Store::open().await;
    let shown = store.chief.get(&Store::path()).await;
    shown.assert(200).json("$.profile.test_recipients[0]", json!({"recipient": NUMBER, "until": UNTIL}));
    let kept = json!({"profile": {"test_recipients": [{"recipient": NUMBER, "until": UNTIL}]}});
    let changed = patch(&store.chief, &Store::path(), &kept).await;
    changed.assert(200);
    let pages = [shown, changed, store.chief.get(SERVICES).await, store.chief.get("/admin/v1/audit").await];
    for page in pages {
        let text = String::from_utf8_lossy(&page.assert(200).body).into_owned();
        assert!(!text.contains(CODE) && !text.contains(OTHER_CODE), "{text}");
    }
    let sent = store.app.live().send(ask(sms(NUMBER))).await;
    store.app.live().verify(&sent, CODE).await.assert(200).json("$.verified", true);
    let log = format!("{:?}", happened(store.app.path()).await);
    assert!(!log.contains(CODE), "{log}");
}

#[tokio::test]
async fn every_flaw_of_one_is_told() {
    let store = Store::open().await;
    let refused =
        async |known: Value| fields(&patch(&store.chief, &Store::path(), &json!({"profile": {"test_recipients": known}})).await);
    let one = |recipient: &str, until: &str| json!({"recipient": recipient, "code": CODE, "until": until});
    assert_eq!(refused(json!([one("nobody", UNTIL)])).await, ["profile.test_recipients"]);
    assert_eq!(refused(json!([{"recipient": NUMBER, "code": CODE}])).await, ["profile.test_recipients"]);
    assert_eq!(refused(json!([one(NUMBER, "2026-04-16T00:00:00Z")])).await, ["profile.test_recipients[0].until"]);
    assert_eq!(refused(json!([one(NUMBER, UNTIL), one(NUMBER, UNTIL)])).await, ["profile.test_recipients[1].recipient"]);
    let unknown = json!([{"recipient": "+12025550148", "until": UNTIL}]);
    assert_eq!(refused(unknown).await, ["profile.test_recipients[0].code"]);
    let many: Vec<Value> = (0..21).map(|at| one(&format!("+120255501{at:02}"), UNTIL)).collect();
    assert_eq!(refused(Value::from(many)).await, ["profile.test_recipients"]);
}

#[tokio::test]
async fn nothing_is_charged_for_it() {
    let double = ProviderDouble::start(Expected::json()).await;
    let builder = TestApp::builder().sms(&double).set("billing.enabled", true).set("billing.prices.verification", "0.01");
    let app = builder.set("billing.prices.channels.sms.default", "0.05").spawn().await;
    let chief = chief(&app).await;
    let known = json!([{"recipient": NUMBER, "code": CODE, "until": UNTIL}]);
    chief.post(SERVICES, &json!({"id": SERVICE, "name": "shop", "profile": {"test_recipients": known}})).await.assert(201);
    // There is no balance at all.
    app.live().try_send(&ask(sms("+12025550143"))).await.error(402, "insufficient_balance");
    let sent = app.live().send(ask(sms(NUMBER))).await;
    app.live().verify(&sent, CODE).await.assert(200).json("$.verified", true);
    app.live().status(&sent).await.json("$.cost.amount", 0);
}
