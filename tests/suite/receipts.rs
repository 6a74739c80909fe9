//! Delivery receipts: from a vendor's post to what callers are told, and what follows when a message does not arrive.

use std::io::ErrorKind;
use std::time::Duration;

use countersign_model::{TenantId, WebhookEvent};
use countersign_records::DeliveryFilter;
use countersign_tests::{
    Answer, Ask, Client, Expected, ProviderDouble, Reply, Request, Sent, Setup, TestApp, poll, sms, subscribe,
};
use data_encoding::HEXLOWER;
use hmac::{Hmac, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::contact_news::records;

const APP_SECRET: &str = "app-secret-0f3e";
const PATH: &str = "/receipts/meta/wa";
const NUMBER: &str = "+12025550143";

/// The vendor, and a gateway for text messages beside it.
struct Vendor {
    meta: ProviderDouble,
}

impl Vendor {
    async fn start() -> Self {
        let expected = Expected::json().at("/v23.0/106540352242922/messages", "Bearer meta-token");
        let meta = ProviderDouble::start(expected).await;
        Self { meta }
    }

    /// Takes the next message under this id.
    fn accepts(&self, id: &str) {
        self.meta.plan(Answer::With(200, accepted(id)));
    }

    fn set_up(&self, setup: Setup) -> Setup {
        setup
            // Nobody can post a receipt to a server that has no address: none would be waited for.
            .set("public_url", "https://otp.example.com")
            .set("providers.wa.kind", "meta")
            .set("providers.wa.endpoint", self.meta.base())
            .set("providers.wa.graph_version", "v23.0")
            .set("providers.wa.phone_number_id", "106540352242922")
            .set("providers.wa.access_token", "meta-token")
            .set("providers.wa.app_secret", APP_SECRET)
            .set("providers.wa.verify_token", "verify-me-3311")
            .set("providers.wa.template", "login_code")
            .set("providers.wa.language", "en_US")
            .set("channels.whatsapp.providers", vec!["wa"])
    }
}

fn accepted(id: &str) -> String {
    json!({"messaging_product": "whatsapp", "contacts": [{"input": "12025550143", "wa_id": "12025550143"}],
           "messages": [{"id": id, "message_status": "accepted"}]})
    .to_string()
}

fn whatsapp() -> Ask {
    Ask::of(json!({"channels": ["whatsapp"], "recipients": {"whatsapp": NUMBER}}))
}

fn reference(request: &Request) -> String {
    request.json()["biz_opaque_callback_data"].as_str().unwrap().to_owned()
}

fn code(request: &Request) -> String {
    request.json()["template"]["components"][0]["parameters"][0]["text"].as_str().unwrap().to_owned()
}

/// What the vendor posts about a message.
fn told(status: &str, request: &Request, error: Option<u32>) -> String {
    let mut about = json!({"id": "wamid.1", "status": status, "timestamp": "1768473905", "recipient_id": "12025550143",
                           "biz_opaque_callback_data": reference(request)});
    if let Some(error) = error {
        about["errors"] = json!([{"code": error, "title": "Message undeliverable"}]);
    }
    let value = json!({"messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"},
                       "statuses": [about]});
    json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]})
        .to_string()
}

fn signature(body: &str, secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", HEXLOWER.encode(&mac.finalize().into_bytes()))
}

async fn post(app: &TestApp, body: &str) -> u16 {
    post_signed(&app.nobody(), body, &signature(body, APP_SECRET)).await
}

async fn post_signed(client: &Client, body: &str, signature: &str) -> u16 {
    let client = client.with("x-hub-signature-256", signature);
    client.call(Method::POST, PATH, Some("application/json"), body.to_owned()).await.status
}

async fn shown(app: &TestApp, sent: &Sent) -> Reply {
    app.live().status(sent).await
}

/// Has every event of the tenant written down for somebody, who is never reached.
pub(crate) async fn listen(app: &TestApp) {
    let records = records(app).await;
    let tenant: TenantId = app.tenant().parse().unwrap();
    subscribe(&records, tenant, "https://127.0.0.1/hook", &[], app.now()).await;
    records.close().await;
}

/// What was written down up to the first `last`: the names of the events and their bodies, in order.
async fn heard(app: &TestApp, last: WebhookEvent) -> Vec<(WebhookEvent, Value)> {
    let (records, tenant) = (records(app).await, app.tenant().parse::<TenantId>().unwrap());
    let told = poll("an event", async || {
        let told = records.webhook_deliveries().list(tenant, DeliveryFilter::default(), 100).await.unwrap();
        let seen: Vec<WebhookEvent> = told.iter().map(|delivery| delivery.event).collect();
        if seen.contains(&last) { Ok(told) } else { Err(format!("{seen:?}")) }
    });
    let mut told = told.await;
    records.close().await;
    told.sort_by_key(|delivery| delivery.event_id.rsplit_once('_').unwrap().1.parse::<u32>().unwrap());
    told.into_iter().map(|delivery| (delivery.event, serde_json::from_str(&delivery.body).unwrap())).collect()
}

#[tokio::test]
async fn a_receipt_makes_a_message_delivered_and_says_so_everywhere() {
    let vendor = Vendor::start().await;
    let app = TestApp::builder().with(|setup| vendor.set_up(setup)).spawn().await;
    listen(&app).await;
    vendor.accepts("wamid.1");
    let sent = app.live().send(whatsapp()).await;
    let request = vendor.meta.request(1).await;
    shown(&app, &sent).await.json("$.channels.whatsapp.status", "sent").json("$.channels.whatsapp.delivered_at", Value::Null);

    app.advance(Duration::from_secs(7));
    assert_eq!(post(&app, &told("delivered", &request, None)).await, 200);
    let status = shown(&app, &sent).await;
    status.json("$.channels.whatsapp.status", "delivered").json("$.channels.whatsapp.delivered_at", "2026-01-15T10:45:05.000Z");
    let told = heard(&app, WebhookEvent::MessageDelivered).await;
    let (_, body) = told.last().unwrap();
    assert_eq!(body["data"]["channels"]["whatsapp"]["status"], "delivered", "{body}");
    assert_eq!(body["data"]["channels"]["whatsapp"]["delivered_at"], "2026-01-15T10:45:05.000Z", "by the vendor's clock: {body}");
    app.live().verify(&sent, &code(&request)).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn receipts_may_come_twice_late_and_in_any_order() {
    let vendor = Vendor::start().await;
    let app = TestApp::builder().with(|setup| vendor.set_up(setup)).spawn().await;
    listen(&app).await;
    vendor.accepts("wamid.1");
    let sent = app.live().send(whatsapp()).await;
    let request = vendor.meta.request(1).await;
    let story = [
        ("sent", None),
        ("failed", Some(131_049)),
        ("read", None),
        ("delivered", None),
        ("failed", Some(131_049)),
        ("sent", None),
        ("played", None),
    ];
    for (status, error) in story {
        assert_eq!(post(&app, &told(status, &request, error)).await, 200, "{status}");
    }
    shown(&app, &sent).await.json("$.channels.whatsapp.status", "delivered");
    app.live().verify(&sent, &code(&request)).await.assert(200);
    app.advance(Duration::from_hours(3));
    assert_eq!(post(&app, &told("delivered", &request, None)).await, 200);
    shown(&app, &sent).await.json("$.status", "verified").json("$.channels.whatsapp.status", "delivered");
    // One change to failed, one to delivered; repetitions and steps back are no events.
    let told = heard(&app, WebhookEvent::SessionVerified).await;
    let count = |event| told.iter().filter(|(told, _)| *told == event).count();
    assert_eq!((count(WebhookEvent::MessageFailed), count(WebhookEvent::MessageDelivered)), (1, 1), "{told:?}");
}

#[tokio::test]
async fn a_forged_receipt_changes_nothing_and_learns_nothing() {
    let vendor = Vendor::start().await;
    let app = TestApp::builder().with(|setup| vendor.set_up(setup)).spawn().await;
    vendor.accepts("wamid.1");
    let sent = app.live().send(whatsapp()).await;
    let request = vendor.meta.request(1).await;
    let body = told("delivered", &request, None);
    let nobody = app.nobody();
    assert_eq!(post_signed(&nobody, &body, &signature(&body, "another secret")).await, 403);
    assert_eq!(post_signed(&nobody, &body, &signature("{}", APP_SECRET)).await, 403);
    assert_eq!(post_signed(&nobody, &body, "").await, 403);
    nobody.call(Method::POST, PATH, Some("application/json"), body.clone()).await.error(403, "forbidden");
    // A key of the API opens nothing here.
    assert_eq!(post_signed(&app.live(), &body, "").await, 403);
    shown(&app, &sent).await.json("$.channels.whatsapp.status", "sent");
    // A message that nobody knows is answered like one that somebody knows.
    let (known, ulid) = (reference(&request), "01ARZ3NDEKTSV4RRFFQ69G5FAV");
    let (tenant, rest) = known.split_at(ulid.len());
    // Of nobody, of another kind of key, of another tenant, and in no form of ours.
    let foreign = [format!("{ulid}l{ulid}{ulid}"), format!("{tenant}t{}", &rest[1..]), format!("{ulid}{rest}"), ulid.to_owned()];
    for foreign in foreign {
        assert_eq!(post(&app, &body.replace(&known, &foreign)).await, 200, "{foreign}");
        shown(&app, &sent).await.json("$.channels.whatsapp.status", "sent");
    }
}

#[tokio::test]
async fn what_is_no_connection_no_receipt_or_too_large_is_told_in_our_own_words() {
    let vendor = Vendor::start().await;
    let app = TestApp::builder().with(|setup| vendor.set_up(setup)).spawn().await;
    let nobody = app.nobody();
    for path in ["/receipts/meta/other", "/receipts/twilio/wa", "/receipts/meta", "/receipts/sandbox/sandbox"] {
        nobody.post(path, &json!({})).await.error(404, "not_found");
    }
    nobody.call(Method::PUT, PATH, None, "").await.error(405, "method_not_allowed");
    nobody.call(Method::POST, PATH, None, "x".repeat(3 * 1024 * 1024 + 1)).await.error(413, "payload_too_large");
    let broken = "{\"object\":";
    let signed = nobody.with("x-hub-signature-256", &signature(broken, APP_SECRET));
    signed.call(Method::POST, PATH, Some("application/json"), broken).await.error(400, "malformed_body");
}

#[tokio::test]
async fn large_posts_are_read_a_few_at_a_time_and_small_ones_always() {
    let vendor = Vendor::start().await;
    let app = TestApp::builder().with(|setup| vendor.set_up(setup)).spawn().await;
    let (nobody, address) = (app.nobody().at_node(0), app.base().strip_prefix("http://").unwrap());
    let large = "x".repeat(64 * 1024 + 1);
    nobody.call(Method::POST, PATH, None, large.clone()).await.error(403, "forbidden");
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: otp.example.com\r\ncontent-length: {}\r\n\r\n", large.len());
    let stranger = async || {
        let mut line = TcpStream::connect(address).await.unwrap();
        line.write_all(head.as_bytes()).await.unwrap();
        line
    };
    let mut strangers = Vec::new();
    for _ in 0..16 {
        strangers.push(stranger().await);
    }
    let answered = async |status: u16| {
        let told = nobody.call(Method::POST, PATH, None, large.clone()).await;
        if told.status == status { Ok(()) } else { Err(format!("{told:?}")) }
    };
    let full = poll("all places to be taken", async || {
        let told = answered(503).await;
        // A call of ours may have been before one of them and had his place: he comes again.
        for line in &mut strangers {
            if line.try_read(&mut [0]).map_err(|none| none.kind()) != Err(ErrorKind::WouldBlock) {
                *line = stranger().await;
            }
        }
        told
    });
    full.await;
    nobody.post(PATH, &json!({})).await.error(403, "forbidden");
    drop(strangers);
    poll("a place to be free again", async || answered(403).await).await;
}

#[tokio::test]
async fn the_vendors_question_whose_address_it_is_is_answered_once_its_word_is_right() {
    let vendor = Vendor::start().await;
    let app = TestApp::builder().with(|setup| vendor.set_up(setup)).spawn().await;
    let ask = |word: &str| format!("{PATH}?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={word}");
    let right = app.nobody().get(&ask("verify-me-3311")).await;
    assert_eq!((right.status, right.body.as_slice()), (200, b"1158201444".as_slice()), "{right:?}");
    let wrong = app.nobody().get(&ask("verify-me-3312")).await;
    wrong.error(403, "forbidden");
    assert!(!format!("{wrong:?}").contains("1158201444"), "{wrong:?}");
}

#[tokio::test]
async fn a_receipt_that_is_faster_than_the_answer_to_the_send_is_not_lost() {
    let vendor = Vendor::start().await;
    let gate = vendor.meta.hold();
    let app = TestApp::builder().with(|setup| vendor.set_up(setup)).spawn().await;
    vendor.accepts("wamid.1");
    let client = app.live();
    let sending = tokio::spawn(async move { client.send(whatsapp()).await });
    let request = vendor.meta.request(1).await;
    assert_eq!(post(&app, &told("delivered", &request, None)).await, 200);
    gate.open();
    let sent = sending.await.unwrap();
    shown(&app, &sent).await.json("$.channels.whatsapp.status", "delivered").json("$.channels.whatsapp.provider", "wa");
}

/// Waits until the server has counted a receipt through this provider with this outcome.
pub(crate) async fn until_counted(app: &TestApp, provider: &str, outcome: &str) {
    let line = format!("countersign_receipts_total{{provider=\"{provider}\",outcome=\"{outcome}\"}} 1");
    let counted = poll("a receipt to be counted", async || {
        let mut seen = Vec::new();
        for _ in 0..2 {
            // Nodes take turns and count for themselves.
            seen.push(String::from_utf8(app.admin().get("/metrics").await.body).unwrap());
        }
        if seen.iter().any(|page| page.contains(&line)) { Ok(()) } else { Err(line.clone()) }
    });
    counted.await;
}

#[tokio::test]
async fn a_failure_that_is_told_before_the_answer_to_the_send_counts_once_the_answer_is_there() {
    let (vendor, gateway) = (Vendor::start().await, ProviderDouble::start(Expected::json()).await);
    let gate = vendor.meta.hold();
    let app = TestApp::builder().with(|setup| vendor.set_up(setup.sms(&gateway))).spawn().await;
    vendor.accepts("wamid.1");
    let client = app.live();
    let sending = tokio::spawn(async move { client.send(whatsapp().later("sms", NUMBER, 300)).await });
    let first = vendor.meta.request(1).await;
    assert_eq!(post(&app, &told("failed", &first, Some(131_026))).await, 200);
    gate.open();
    let sent = sending.await.unwrap();
    let text = gateway.request(1).await;
    shown(&app, &sent).await.json("$.channels.whatsapp.status", "failed");
    app.live().verify(&sent, &text.code()).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn a_failure_at_one_provider_is_no_news_of_a_message_that_another_one_took() {
    let (first, second) = (Vendor::start().await, ProviderDouble::start(Expected::json()).await);
    let two = |setup: Setup| {
        let setup = first.set_up(setup).gateway("other", &second, &["whatsapp"]);
        setup.set("channels.whatsapp.providers", vec!["wa", "other"]).set("session.receipt_failover", "provider")
    };
    let app = TestApp::builder().with(two).spawn().await;
    first.meta.plan(Answer::Cut);
    let gate = second.hold();
    let client = app.live();
    let sending = tokio::spawn(async move { client.send(whatsapp()).await });
    let lost = first.meta.request(1).await;
    second.request(1).await;
    assert_eq!(post(&app, &told("failed", &lost, Some(131_026))).await, 200);
    until_counted(&app, "wa", "early").await;
    gate.open();
    let sent = sending.await.unwrap();
    until_counted(&app, "wa", "unknown").await;
    app.sweep().await;
    shown(&app, &sent).await.json("$.channels.whatsapp.status", "sent").json("$.channels.whatsapp.provider", "other");
    assert_eq!((first.meta.requests().len(), second.requests().len()), (1, 1));
}

#[tokio::test]
async fn what_became_of_messages_is_counted_for_their_provider_up_to_the_right_code() {
    let vendor = Vendor::start().await;
    let app = TestApp::builder().with(|setup| vendor.set_up(setup)).spawn().await;
    // Nodes count for themselves.
    let (client, vendors, admin) = (app.live().at_node(0), app.nobody().at_node(0), app.admin().at_node(0));
    let says = async |body: String| post_signed(&vendors, &body, &signature(&body, APP_SECRET)).await;
    let mut asked = Vec::new();
    for nth in 1..=3 {
        vendor.accepts(&format!("wamid.{nth}"));
        let sent = client.send(whatsapp()).await;
        asked.push((sent, vendor.meta.request(nth).await));
    }
    app.advance(Duration::from_secs(7));
    assert_eq!(says(told("delivered", &asked[0].1, None)).await, 200);
    assert_eq!(says(told("failed", &asked[1].1, Some(131_047))).await, 200);
    client.verify(&asked[0].0, &code(&asked[0].1)).await.assert(200).json("$.verified", true);
    let page = String::from_utf8(admin.get("/metrics").await.assert(200).body.clone()).unwrap();
    for (stage, count) in [("accepted", 3), ("delivered", 1), ("undelivered", 1), ("verified", 1)] {
        let line = format!("countersign_messages_total{{provider=\"wa\",channel=\"whatsapp\",stage=\"{stage}\"}} {count}");
        assert!(page.lines().any(|counted| counted == line), "{line} is not in\n{page}");
    }
    let took = "countersign_message_delivery_seconds_sum{provider=\"wa\",channel=\"whatsapp\"} 5";
    assert!(page.lines().any(|counted| counted.starts_with(took)), "{took} is not in\n{page}");
}

#[tokio::test]
async fn a_right_code_is_counted_for_the_provider_whose_message_brought_it() {
    for (which, brought) in [(0, "wa"), (1, "other")] {
        let (first, second) = (Vendor::start().await, ProviderDouble::start(Expected::json()).await);
        let two = |setup: Setup| {
            let setup = first.set_up(setup).gateway("other", &second, &["whatsapp"]);
            setup.set("channels.whatsapp.providers", vec!["wa", "other"]).set("session.receipt_failover", "provider")
        };
        let app = TestApp::builder().with(two).spawn().await;
        // Nodes count for themselves.
        let (client, admin) = (app.live().at_node(0), app.admin().at_node(0));
        first.accepts("wamid.1");
        let sent = client.send(whatsapp()).await;
        let request = first.meta.request(1).await;
        assert_eq!(post(&app, &told("failed", &request, Some(131_053))).await, 200);
        let codes = [code(&request), second.request(1).await.code()];
        let taken = poll("the other provider's answer to be recorded", async || {
            let status = client.status(&sent).await;
            if status.at("$.channels.whatsapp.provider") == "other" { Ok(()) } else { Err(format!("{status:?}")) }
        });
        taken.await;
        client.verify(&sent, &codes[which]).await.assert(200).json("$.verified", true);
        let page = String::from_utf8(admin.get("/metrics").await.assert(200).body.clone()).unwrap();
        let counted: Vec<&str> = page.lines().filter(|line| line.contains("stage=\"verified\"")).collect();
        let line = format!("countersign_messages_total{{provider=\"{brought}\",channel=\"whatsapp\",stage=\"verified\"}} 1");
        assert_eq!(counted, [line], "{page}");
    }
}

#[tokio::test]
async fn a_number_without_whatsapp_gets_the_fallback_at_once() {
    let (vendor, gateway) = (Vendor::start().await, ProviderDouble::start(Expected::json()).await);
    let app = TestApp::builder().with(|setup| vendor.set_up(setup.sms(&gateway))).spawn().await;
    vendor.accepts("wamid.1");
    let sent = app.live().send(whatsapp().later("sms", NUMBER, 300)).await;
    let first = vendor.meta.request(1).await;
    assert_eq!(post(&app, &told("failed", &first, Some(131_026))).await, 200);
    let text = gateway.request(1).await;
    assert_ne!(text.code(), code(&first));
    shown(&app, &sent).await.json("$.status", "pending").json("$.channels.whatsapp.status", "failed");
    // Told again, it moves nothing on.
    assert_eq!(post(&app, &told("failed", &first, Some(131_026))).await, 200);
    app.advance(Duration::from_secs(301));
    app.sweep().await;
    assert_eq!(gateway.requests().len(), 1);
    app.live().verify(&sent, &text.code()).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn without_a_receipt_in_time_the_next_provider_gets_a_new_code_and_the_old_one_still_opens() {
    for which in [0, 1] {
        let (first, second) = (Vendor::start().await, ProviderDouble::start(Expected::json()).await);
        let two = |setup: Setup| {
            let setup = first.set_up(setup).gateway("other", &second, &["whatsapp"]);
            setup
                .set("channels.whatsapp.providers", vec!["wa", "other"])
                .set("session.receipt_failover", "provider")
                .set("session.receipt_wait_seconds.whatsapp", 20)
        };
        let app = TestApp::builder().with(two).spawn().await;
        first.accepts("wamid.1");
        let sent = app.live().send(whatsapp()).await;
        let one = code(&first.meta.request(1).await);
        app.advance(Duration::from_secs(19));
        app.sweep().await;
        assert!(second.requests().is_empty());
        app.advance(Duration::from_secs(2));
        app.sweep().await;
        let two = second.request(1).await.code();
        assert_ne!(one, two);
        let shown = poll("the other provider's answer to be recorded", async || {
            let status = app.live().status(&sent).await;
            if status.at("$.channels.whatsapp.provider") == "other" { Ok(status) } else { Err(format!("{status:?}")) }
        });
        shown.await.json("$.status", "pending").json("$.channels.whatsapp.status", "sent");
        // Nobody is left: it is not tried for ever.
        app.advance(Duration::from_secs(60));
        app.sweep().await;
        assert_eq!((first.meta.requests().len(), second.requests().len()), (1, 1));
        app.live().verify(&sent, &[one, two][which]).await.assert(200).json("$.verified", true);
    }
}

#[tokio::test]
async fn another_provider_takes_over_what_failed_and_the_fallback_what_no_provider_would_find() {
    /// The vendor's word for a number that has no WhatsApp, and for a message that it did not get through.
    const NOT_THERE: u32 = 131_026;
    const FAILED: u32 = 131_053;
    for (providers, error, expected) in
        [(vec!["wa", "other"], FAILED, (1, 0)), (vec!["wa", "other"], NOT_THERE, (0, 1)), (vec!["wa"], FAILED, (0, 1))]
    {
        let (first, second) = (Vendor::start().await, ProviderDouble::start(Expected::json()).await);
        let texts = ProviderDouble::start(Expected::json()).await;
        let setup = |setup: Setup| {
            let setup = first.set_up(setup).gateway("other", &second, &["whatsapp"]).sms(&texts);
            setup.set("channels.whatsapp.providers", providers.clone()).set("session.receipt_failover", "provider")
        };
        let app = TestApp::builder().with(setup).spawn().await;
        first.accepts("wamid.1");
        let sent = app.live().send(whatsapp().later("sms", NUMBER, 300)).await;
        let request = first.meta.request(1).await;
        assert_eq!(post(&app, &told("failed", &request, Some(error))).await, 200);
        let next = if expected == (1, 0) { second.request(1).await } else { texts.request(1).await };
        app.sweep().await;
        assert_eq!((second.requests().len(), texts.requests().len()), expected, "{providers:?} {error}");
        app.live().verify(&sent, &next.code()).await.assert(200).json("$.verified", true);
    }
}

#[tokio::test]
async fn a_delivered_message_is_not_replaced() {
    let (first, second) = (Vendor::start().await, ProviderDouble::start(Expected::json()).await);
    let two = |setup: Setup| {
        let setup = first.set_up(setup).gateway("other", &second, &["whatsapp"]);
        setup.set("channels.whatsapp.providers", vec!["wa", "other"]).set("session.receipt_failover", "provider")
    };
    let app = TestApp::builder().with(two).spawn().await;
    first.accepts("wamid.1");
    app.live().send(whatsapp()).await;
    let request = first.meta.request(1).await;
    assert_eq!(post(&app, &told("delivered", &request, None)).await, 200);
    app.advance(Duration::from_mins(5));
    app.sweep().await;
    assert!(second.requests().is_empty());
}

#[tokio::test]
async fn a_store_that_is_away_makes_the_vendor_post_again() {
    let vendor = Vendor::start().await;
    let app = TestApp::builder().with(|setup| vendor.set_up(setup)).spawn().await;
    vendor.accepts("wamid.1");
    let sent = app.live().send(whatsapp()).await;
    let body = told("delivered", &vendor.meta.request(1).await, None);
    app.break_store();
    assert_eq!(post(&app, &body).await, 503);
    app.mend_store().await;
    assert_eq!(post(&app, &body).await, 200);
    shown(&app, &sent).await.json("$.channels.whatsapp.status", "delivered");
}

#[tokio::test]
async fn a_receipt_through_another_connection_is_about_nobodys_message() {
    let vendor = Vendor::start().await;
    let two = |setup: Setup| {
        let setup = vendor.set_up(setup);
        let keys = ["kind", "endpoint", "graph_version", "access_token", "verify_token", "template", "language"];
        let values = ["meta", &vendor.meta.base(), "v23.0", "other-token", "other-word", "login_code", "en_US"];
        let setup = keys.iter().zip(values).fold(setup, |setup, (key, value)| setup.set(&format!("providers.wb.{key}"), value));
        setup.set("providers.wb.phone_number_id", "106540352242922").set("providers.wb.app_secret", "another-app-secret")
    };
    let app = TestApp::builder().with(two).spawn().await;
    vendor.accepts("wamid.1");
    let sent = app.live().send(whatsapp()).await;
    let body = told("delivered", &vendor.meta.request(1).await, None);
    let signed = app.nobody().with("x-hub-signature-256", &signature(&body, "another-app-secret"));
    signed.call(Method::POST, "/receipts/meta/wb", Some("application/json"), body).await.assert(200);
    shown(&app, &sent).await.json("$.channels.whatsapp.status", "sent");
}

#[tokio::test]
async fn a_text_message_needs_no_receipt() {
    let gateway = ProviderDouble::start(Expected::json()).await;
    let setup = |setup: Setup| setup.sms(&gateway).set("session.receipt_failover", "provider");
    let app = TestApp::builder().with(setup).spawn().await;
    let sent = app.live().send(sms(NUMBER)).await;
    app.advance(Duration::from_mins(2));
    app.sweep().await;
    assert_eq!(gateway.requests().len(), 1, "a provider that never tells is not waited for");
    app.live().verify(&sent, &gateway.request(1).await.code()).await.assert(200);
}
