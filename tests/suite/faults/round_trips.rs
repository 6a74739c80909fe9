//! What a call costs Redis: round trips, and commands within them.

use countersign_model::KeyKind;
use countersign_testing::PostgresServer;
use countersign_testing::redis::RedisServer;
use countersign_tests::{Ask, Client, Expected, ProviderDouble, Sent, Site, email, sms};
use serde_json::json;
use tokio::task::JoinSet;

use super::measured;

/// How many calls of each kind are counted.
const CALLS: u64 = 200;

/// Behind the address that receipts are posted to.
const SECRET: &str = "what-nobody-signs-could-be-posted-by-anybody";

/// What a node asks for besides: who the server is and how it does.
const BESIDES: [&str; 9] = ["evalsha", "info", "ping", "config", "client", "hello", "script", "select", "time"];

/// Round trips and commands since the last time.
struct Cost {
    scripts: u64,
    commands: u64,
}

fn cost(redis: &RedisServer) -> Cost {
    let (mut scripts, mut commands) = (0, 0);
    for line in redis.cli(&["INFO", "commandstats"]).lines() {
        let Some((name, stats)) = line.strip_prefix("cmdstat_").and_then(|line| line.split_once(":calls=")) else { continue };
        let calls: u64 = stats.split(',').next().unwrap().parse().unwrap();
        let command = name.split('|').next().unwrap();
        if command == "evalsha" {
            scripts += calls;
        }
        if !BESIDES.contains(&command) {
            commands += calls;
        }
    }
    assert_eq!(redis.cli(&["CONFIG", "RESETSTAT"]), "OK");
    Cost { scripts, commands }
}

async fn sends(client: &Client, order: &str, ask: impl Fn(u64) -> Ask) -> Vec<Sent> {
    let mut calls = JoinSet::new();
    for number in 0..CALLS {
        // Also a key under which a call is answered once.
        let (client, ask) = (client.with("Idempotency-Key", &format!("{order}-{number}")), ask(number));
        calls.spawn(async move { client.send(ask).await });
    }
    calls.join_all().await
}

async fn verifications(client: &Client, sent: Vec<Sent>, code: impl Fn(&Sent) -> String) {
    let mut calls = JoinSet::new();
    for sent in sent {
        let (client, code) = (client.clone(), code(&sent));
        calls.spawn(async move { client.verify(&sent, &code).await });
    }
    for reply in calls.join_all().await {
        reply.assert(200).json("$.verified", true);
    }
}

/// The gateway says of every message that it arrived.
async fn receipts(client: &Client, gateway: &ProviderDouble) {
    let mut calls = JoinSet::new();
    for request in gateway.requests() {
        let (client, told) = (client.without("X-API-Key"), json!({"reference": request.field("reference"), "status": "arrived"}));
        calls.spawn(async move { client.post(&format!("/receipts/http/gateway/{SECRET}"), &told).await });
    }
    for reply in calls.join_all().await {
        reply.assert(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_send_takes_two_round_trips_at_most_a_verification_one_and_a_receipt_one() {
    let (redis, database) = (RedisServer::start(), PostgresServer::shared().database());
    let double = ProviderDouble::start(Expected::json()).await;
    let setup = Site::setup(&redis, &database)
        .sms(&double)
        .set("providers.gateway.json", r#"{"to": {{ to|tojson }}, "text": {{ text|tojson }}, "reference": "{{ reference }}"}"#)
        .set("providers.gateway.receipts.reference", "/reference")
        .set("providers.gateway.receipts.status", "/status")
        .set("providers.gateway.receipts.delivered", vec!["arrived"])
        .set("providers.gateway.receipts.secret", SECRET)
        .set("contacts.locale_wait_ms", 5000)
        // The gateway's first answer waits for the last request.
        .set("delivery.try_timeout_seconds", 60)
        .set("delivery.deadline_seconds", 120)
        .set("limits.sends_per_ip", "100000/1h")
        .set("billing.enabled", true)
        .set("billing.prices.channels.sms.default", "0.01");
    let site = Site::found(&setup).await;
    let node = site.node_as("api").await;
    let (test, live) = (site.caller(KeyKind::Test, [&node]), site.caller(KeyKind::Live, [&node]));
    site.top_up("100").await;
    // From here on each recipient is looked for among the contacts, which are not in Redis.
    live.post("/api/v1/contacts", &json!({"phone": "+12025550000", "locale": "es"})).await.assert(201);
    // Both have been let in once, and every line is open.
    sends(&test, "first", |number| email(&format!("eve-{number}@example.com"))).await;
    cost(&redis);

    let full = |number: u64, ask: Ask| ask.set("user_id", format!("user-{}", number % 10)).set("client_ip", "192.0.2.1");
    let gate = double.hold();
    let live_sends = sends(&live, "live", |number| full(number, sms(&format!("+1202555{number:04}")).set("code", "482913")));
    // While the gateway has not answered, nothing is recorded.
    let opened = async {
        double.request(usize::try_from(CALLS).unwrap()).await;
        let opened = cost(&redis);
        gate.open();
        opened
    };
    let (sent, live_open) = tokio::join!(live_sends, opened);
    let live_record = cost(&redis);
    let phone = sent[0].clone();
    let spanish = |text: &str| text.contains("es su clave");
    assert_eq!(double.requests().iter().filter(|request| spanish(&request.field("text"))).count(), 1, "the contact's is one");
    verifications(&live, sent, |_| "482913".to_owned()).await;
    let live_verify = cost(&redis);
    receipts(&live, &double).await;
    let receipt = cost(&redis);
    live.status(&phone).await.json("$.channels.sms.status", "delivered");
    cost(&redis);
    let sent =
        sends(&test, "sandbox", |number| full(number, email(&format!("ann-{number}@example.com")).set("purpose", "count"))).await;
    let sandbox_send = cost(&redis);
    verifications(&test, sent, |sent| sent.code("email").to_owned()).await;
    let sandbox_verify = cost(&redis);

    let told = |cost: &Cost| format!("{} scripts, {} commands", cost.scripts, cost.commands);
    measured(&format!(
        "{CALLS} calls each: live send {} and {}, verify {}, receipt {}; sandbox send {}, verify {}",
        told(&live_open),
        told(&live_record),
        told(&live_verify),
        told(&receipt),
        told(&sandbox_send),
        told(&sandbox_verify),
    ));
    assert_eq!((live_open.scripts, live_record.scripts, live_verify.scripts), (CALLS, CALLS, CALLS));
    assert_eq!((receipt.scripts, sandbox_send.scripts, sandbox_verify.scripts), (CALLS, CALLS, CALLS));
    assert!(live_open.commands.max(sandbox_send.commands) <= 14 * CALLS, "an open takes at most 14 commands");
    assert!(live_verify.commands.max(sandbox_verify.commands) <= 6 * CALLS, "a verification takes at most 6 commands");
    assert!(receipt.commands <= 5 * CALLS, "a receipt takes at most 5 commands");
}
