//! Texts that ask for no answer: what callers and subscribers hear of them.

use std::time::Duration;

use countersign_model::{TenantId, WebhookEvent};
use countersign_records::DeliveryFilter;
use countersign_tests::{Answer, Expected, ProviderDouble, Reply, Request, Setup, TestApp, poll};
use serde_json::{Value, json};

use crate::contact_news::records;
use crate::receipts::{listen, until_counted};

pub(crate) const SERVICE: &str = "0d9ff1a6-6a6b-4d7e-9d0a-3f3f5f0e6a01";

/// Posts one with a key of the server's.
pub(crate) async fn post(app: &TestApp, key: &str, to: &str, body: &str) -> Reply {
    let (_, secret, access) = app.all_keys().find(|(name, ..)| *name == key).expect("a key of that name");
    let caller = app.nobody().with("x-access-key", access).with("x-secret-key", secret);
    caller.post("/api/v1/sms/send", &json!({"to": to, "serviceId": SERVICE, "body": body})).await
}

/// What subscribers have heard of a message, in order.
async fn told(app: &TestApp, message: &str) -> Vec<(WebhookEvent, Value)> {
    let (records, tenant) = (records(app).await, app.tenant().parse::<TenantId>().unwrap());
    let mut told = records.webhook_deliveries().list(tenant, DeliveryFilter::default(), 100).await.unwrap();
    records.close().await;
    told.sort_by_key(|delivery| delivery.event_id.rsplit_once('_').unwrap().1.parse::<u32>().unwrap());
    let bodies = told.into_iter().map(|delivery| (delivery.event, serde_json::from_str::<Value>(&delivery.body).unwrap()));
    bodies.filter(|(_, body)| body["data"]["message_id"] == message).collect()
}

/// Waits until the last that subscribers hear of a message is `event`; gives all that they heard.
pub(crate) async fn until_told(app: &TestApp, message: &str, event: WebhookEvent) -> Vec<WebhookEvent> {
    poll("an event", async || {
        let heard: Vec<WebhookEvent> = told(app, message).await.into_iter().map(|(event, _)| event).collect();
        if heard.last() == Some(&event) { Ok(heard) } else { Err(format!("{heard:?}")) }
    })
    .await
}

async fn sandboxed() -> TestApp {
    let app = TestApp::builder().service(SERVICE, &[]).generous().spawn().await;
    listen(&app).await;
    app
}

/// Posts one in the sandbox that is taken; gives its id.
async fn taken(app: &TestApp, to: &str) -> String {
    let reply = post(app, "test", to, "Your parcel is here").await;
    reply.assert(200).json("$.sandbox", true).text("$.messageId")
}

#[tokio::test]
async fn in_the_sandbox_a_number_stands_for_the_receipt_of_its_text() {
    use WebhookEvent::{MessageDelivered, MessageFailed, MessageSent};
    let app = sandboxed().await;
    for (to, last) in [("+12025550110", MessageDelivered), ("+12025550112", MessageFailed), ("+12025550113", MessageFailed)] {
        let id = taken(&app, to).await;
        assert!(id.starts_with("msg_sandbox_"), "{id}");
        assert_eq!(until_told(&app, &id, last).await, [MessageSent, last], "{to}");
    }
    let late = taken(&app, "+12025550111").await;
    until_told(&app, &late, MessageSent).await;
    app.advance(Duration::from_secs(29));
    // What is due by now is taken in before this one's receipt.
    let prompt = taken(&app, "+12025550110").await;
    until_told(&app, &prompt, MessageDelivered).await;
    assert_eq!(told(&app, &late).await.len(), 1);
    app.advance(Duration::from_secs(1));
    until_told(&app, &late, MessageDelivered).await;
    let unclear = taken(&app, "+12025550119").await;
    // Nobody says anything later of these; the last two are about codes.
    for to in ["+12025550114", "+12025550120", "+12025550121", "+12025550124"] {
        let id = taken(&app, to).await;
        assert_eq!(until_told(&app, &id, MessageSent).await, [MessageSent], "{to}");
    }
    // The log tells everything in order.
    assert_eq!(told(&app, &unclear).await, [], "nobody knows whether it went out");
}

#[tokio::test]
async fn in_the_sandbox_a_number_stands_for_the_error_of_its_text() {
    let app = sandboxed().await;
    let told = |reply: &Reply, status: u16, word: &str| {
        reply.assert(status).json("$.success", false).json("$.errors[0].error", word).json("$.errors[0].code", status);
    };
    for number in 115..=118 {
        let reply = post(&app, "test", &format!("+12025550{number}"), "hello").await;
        told(&reply, 500, "provider_unavailable");
        reply.json("$.sandbox", true);
    }
    told(&post(&app, "test", "+12025550122", "hello").await, 402, "insufficient_balance");
    told(&post(&app, "test", "+12025550123", "hello").await, 400, "invalid_recipient");
    let limited = post(&app, "test", "+12025550125", "hello").await;
    told(&limited, 429, "rate_limited");
    assert_eq!(limited.number_in("retry-after"), 60);
}

/// Stands in the addresses to which the gateways post.
const PATH_SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A gateway for text messages that tells what became of them.
fn telling(setup: Setup, name: &str, double: &ProviderDouble) -> Setup {
    let key = |key: &str| format!("providers.{name}.{key}");
    let body = r#"{"to": {{ to|tojson }}, "text": {{ text|tojson }}, "reference": {{ reference|tojson }}}"#;
    let setup = setup.gateway(name, double, &["sms"]).set(&key("json"), body);
    setup
        .set(&key("receipts.reference"), "/reference")
        .set(&key("receipts.status"), "/status")
        .set(&key("receipts.delivered"), vec!["delivered"])
        .set(&key("receipts.failed"), vec!["failed"])
        .set(&key("receipts.secret"), PATH_SECRET)
}

/// What a gateway says of a message.
async fn says(app: &TestApp, gateway: &str, of: &Request, status: &str) {
    let receipt = json!({"reference": of.field("reference"), "status": status});
    app.nobody().post(&format!("/receipts/http/{gateway}/{PATH_SECRET}"), &receipt).await.assert(200);
}

/// A server whose first gateway takes a text without an answer, so that the second is asked for it, too.
async fn two_gateways() -> (TestApp, ProviderDouble, ProviderDouble) {
    let (first, second) = (ProviderDouble::start(Expected::json()).await, ProviderDouble::start(Expected::json()).await);
    let two = |setup: Setup| {
        let setup = telling(telling(setup, "first", &first), "second", &second);
        setup.set("public_url", "https://otp.example.com").set("channels.sms.providers", vec!["first", "second"])
    };
    let app = TestApp::builder().with(two).service(SERVICE, &[]).spawn().await;
    listen(&app).await;
    first.plan(Answer::Cut);
    (app, first, second)
}

#[tokio::test]
async fn a_failure_at_one_gateway_is_no_news_of_a_text_that_another_one_takes() {
    use WebhookEvent::{MessageDelivered, MessageSent};
    let (app, first, second) = two_gateways().await;
    let gate = second.hold();
    let meanwhile = async {
        let lost = first.request(1).await;
        let taken = second.request(1).await;
        says(&app, "first", &lost, "failed").await;
        until_counted(&app, "first", "early").await;
        gate.open();
        (lost, taken)
    };
    let (reply, (lost, taken)) = tokio::join!(post(&app, "live", "+12025550143", "Your parcel is here"), meanwhile);
    let id = reply.assert(200).text("$.messageId");
    until_counted(&app, "first", "unknown").await;
    says(&app, "first", &lost, "failed").await;
    says(&app, "second", &taken, "delivered").await;
    assert_eq!(until_told(&app, &id, MessageDelivered).await, [MessageSent, MessageDelivered]);
}

#[tokio::test]
async fn a_text_that_is_said_to_have_arrived_has_arrived_whoever_says_so_first() {
    use WebhookEvent::{MessageDelivered, MessageSent};
    let (app, first, second) = two_gateways().await;
    let gate = second.hold();
    let meanwhile = async {
        let slow = first.request(1).await;
        let taken = second.request(1).await;
        says(&app, "first", &slow, "delivered").await;
        until_counted(&app, "first", "delivered").await;
        gate.open();
        taken
    };
    let (reply, taken) = tokio::join!(post(&app, "live", "+12025550143", "Your parcel is here"), meanwhile);
    let id = reply.assert(200).text("$.messageId");
    says(&app, "second", &taken, "failed").await;
    until_counted(&app, "second", "unchanged").await;
    // That a gateway took it is told last: its answer came last.
    assert_eq!(until_told(&app, &id, MessageSent).await, [MessageDelivered, MessageSent]);
}
