//! Somebody empties Redis.

use std::collections::BTreeSet;

use countersign_model::{Clock, KeyKind, Money, SystemClock};
use countersign_session::store::SessionStore;
use countersign_testing::redis::RedisOptions;
use countersign_tests::{email, poll, sms};
use serde_json::json;

use super::DEADLINE;
use super::stage::Stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_redis_is_refused_until_a_person_decides_and_balances_come_back_from_the_ledger() {
    let mut stage = Stage::set_with(RedisOptions::default().append_only("always"), |setup| {
        setup
            .set("billing.enabled", true)
            .set("billing.prices.verification", "0.01")
            .set("billing.prices.channels.sms.default", "0.04")
    })
    .await;
    assert_eq!(stage.site.top_up("100").await.available().to_string(), "100.00");
    let mut load = stage.callers().start();
    load.verifications(60).await;
    let told = load.stop().await;
    let paid: Vec<_> = told.sent.iter().filter(|fact| fact.live).collect();
    assert!(told.refused.is_empty() && !paid.is_empty(), "{}", told.sum());
    // Each live session costs a fee and a message.
    let captured = Money::from_micros(50_000 * i64::try_from(paid.len()).unwrap()).unwrap();
    let left = "100".parse::<Money>().unwrap() - captured;
    let records = stage.site.records().await;
    poll("the ledger to know every capture", async || {
        let balance = records.ledger().sum(stage.site.tenant).await.map_err(|error| error.to_string())?.balance;
        if balance == left { Ok(()) } else { Err(format!("{balance}, expected {left}")) }
    })
    .await;

    assert_eq!(stage.redis.cli(&["FLUSHALL"]), "OK");
    refused_everywhere(&stage, &told.sent[0].sent.token).await;
    let mut load = stage.callers().start();
    load.refusals(100).await;
    let refused = load.stop().await;
    refused.assert_manners(DEADLINE);
    assert!(refused.sent.is_empty() && refused.broken == 0, "{}", refused.sum());
    // Neither a node that starts, nor a second set-up, makes a store of it.
    stage.nodes.pop().unwrap().kill().await;
    stage.nodes.push(stage.site.node().await);
    stage.site.command(&["init"]).await;
    refused_everywhere(&stage, &told.sent[0].sent.token).await;
    let keys: BTreeSet<String> = stage.redis.cli(&["KEYS", "*meta"]).lines().map(str::to_owned).collect();
    assert!(keys.iter().all(String::is_empty), "{keys:?}");

    stage.site.command(&["store", "init"]).await;
    poll("both nodes are ready", async || {
        for node in &stage.nodes {
            let reply = node.client().get("/readyz").await;
            if reply.status != 200 {
                return Err(format!("{reply:?}"));
            }
        }
        Ok(())
    })
    .await;
    // What was is gone, also the money, until a person says otherwise.
    let (test, live) = (stage.site.caller(KeyKind::Test, &stage.nodes), stage.site.caller(KeyKind::Live, &stage.nodes));
    let status = test.post("/api/v1/otp/status", &json!({"session_token": told.sent[0].sent.token})).await;
    status.error(401, "session_not_recognised");
    let sent = test.send(email("ann@example.com")).await;
    test.verify(&sent, sent.code("email")).await.assert(200).json("$.verified", true);
    live.try_send(&sms("+12025550143")).await.error(402, "insufficient_balance");

    let rebuilt = stage.site.command(&["store", "rebuild"]).await;
    let since = SystemClock.now();
    assert_eq!(rebuilt["tenants"][0]["balance"], left.to_string(), "{rebuilt}");
    let balance = stage.site.store().balance(stage.site.tenant).await.unwrap();
    assert_eq!((balance.available(), balance.held), (left, Money::ZERO));
    live.send(sms("+12025550143")).await;
    // A credit after the rebuild is the next one.
    assert_eq!(stage.site.top_up("7").await.available(), left + "6.95".parse().unwrap());
    poll("the ledger to know of the last send", async || {
        let balance = records.ledger().sum(stage.site.tenant).await.map_err(|error| error.to_string())?.balance;
        if balance == left + "6.95".parse().unwrap() { Ok(()) } else { Err(format!("{balance}")) }
    })
    .await;
    // The two are compared, and nobody is alarmed. Nodes compare them too, every few seconds: while the balance was gone they were right to be.
    stage.site.wallets().await.cut(None, 10).await.unwrap();
    let mut differences = records.wallet_differences().list(true, 10).await.unwrap();
    differences.retain(|difference| difference.at >= since);
    assert_eq!(differences, []);
    assert_eq!(records.poison().list(10).await.unwrap(), []);
}

/// Every node refuses every verb, within the deadline, and says that it is not ready.
async fn refused_everywhere(stage: &Stage, token: &str) {
    for node in &stage.nodes {
        poll("readyz is red", async || {
            let reply = node.client().get("/readyz").await;
            if reply.status == 503 { Ok(()) } else { Err(format!("{reply:?}")) }
        })
        .await;
        for kind in [KeyKind::Test, KeyKind::Live] {
            let caller = stage.site.caller(kind, [node]);
            for (path, body) in [
                ("send", email("ann@example.com").body().clone()),
                ("verify", json!({"session_token": token, "code": "123456"})),
                ("resend", json!({"session_token": token})),
                ("status", json!({"session_token": token})),
                ("cancel", json!({"session_token": token})),
            ] {
                let asked = std::time::Instant::now();
                let reply = caller.post(&format!("/api/v1/otp/{path}"), &body).await;
                reply.error(503, "unavailable");
                assert!(reply.number_in("retry-after") >= 1 && asked.elapsed() < DEADLINE, "{path}: {reply:?}");
            }
        }
    }
}
