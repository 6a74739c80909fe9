//! Two nodes, one tenant, sixty-four callers at once: nothing fails here, and nothing may be counted twice or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_model::{KeyKind, Money};
use countersign_session::store::SessionStore;
use countersign_testing::PostgresServer;
use countersign_testing::redis::RedisServer;
use countersign_tests::{Answer, Ask, Client, Expected, ProviderDouble, Site, email, poll, sms};
use tokio::task::JoinSet;

use super::measured;

const CALLERS: usize = 64;

/// Sends numbers `0..count`, by as many callers as there are, and tells how many were let through; the others met this limit.
async fn let_through(
    client: &Client,
    count: usize,
    limit: &'static str,
    ask: impl Fn(usize) -> Ask + Send + Sync + 'static,
) -> usize {
    let (ask, next) = (Arc::new(ask), Arc::new(AtomicUsize::new(0)));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (client, ask, next) = (client.clone(), Arc::clone(&ask), Arc::clone(&next));
        callers.spawn(async move {
            let mut through = 0;
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                if number >= count {
                    return through;
                }
                let reply = client.try_send(&ask(number)).await;
                if reply.status == 200 {
                    through += 1;
                } else {
                    reply.error(429, "rate_limited").json("$.details.limit", limit);
                }
            }
        });
    }
    callers.join_all().await.into_iter().sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_are_exact_however_many_call_whichever_node() {
    let (redis, database) = (RedisServer::start(), PostgresServer::shared().database());
    let setup = Site::setup(&redis, &database).set("limits.calls_per_key", "450/1h").set("limits.sends_per_user", "7/1h");
    let site = Site::found(&setup).await;
    let nodes = site.two_nodes().await;

    let live = site.caller(KeyKind::Live, &nodes);
    let users = |number: usize| {
        email(&format!("ann-{number}@example.com")).set("user_id", format!("user-{}", number % 10)).set("sandbox_mode", true)
    };
    assert_eq!(let_through(&live, 300, "sends_per_user", users).await, 10 * 7);

    let test = site.caller(KeyKind::Test, &nodes);
    let strangers = |number: usize| email(&format!("bob-{number}@example.com"));
    assert_eq!(let_through(&test, 700, "calls_per_key", strangers).await, 450);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wallet_is_never_overdrawn_and_ends_at_its_credits_less_its_captures() {
    let (redis, database) = (RedisServer::start(), PostgresServer::shared().database());
    let double = ProviderDouble::start(Expected::json()).await;
    // The gateway refuses one of four of the first messages: what was held for them is given back.
    for number in 0..200 {
        let (status, body) = if number % 4 == 3 { (422, "{}".to_owned()) } else { (200, format!(r#"{{"id":"gw-{number}"}}"#)) };
        double.plan(Answer::With(status, body));
    }
    let setup = Site::setup(&redis, &database)
        .sms(&double)
        .set("billing.enabled", true)
        .set("billing.prices.verification", "0.01")
        .set("billing.prices.channels.sms.default", "0.04");
    let site = Site::found(&setup).await;
    let nodes = site.two_nodes().await;
    let credits: Money = "15.02".parse().unwrap();
    site.top_up(&credits.to_string()).await;

    let (store, tenant) = (site.store(), site.tenant);
    let looking = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for looks in 0_usize.. {
                let balance = store.balance(tenant).await.unwrap();
                assert!(balance.held >= Money::ZERO && balance.available() >= Money::ZERO, "{balance:?}");
                if balance.available() < "0.05".parse().unwrap() && balance.held.is_zero() {
                    return looks;
                }
                tokio::task::yield_now().await;
            }
            0
        }
    });
    let live = site.caller(KeyKind::Live, &nodes);
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(until_broke(live.clone(), caller));
    }
    let accepted: usize = callers.join_all().await.into_iter().sum();
    // Who was told that nothing is left may have met money that was held and given back.
    let accepted = accepted + until_broke(live.clone(), CALLERS).await;
    let looks = looking.await.unwrap();
    assert_eq!(accepted, 300, "15.02 pays for 300 messages");
    measured(&format!("a wallet: {accepted} sends captured, {looks} looks at the balance"));

    let left = "0.02".parse().unwrap();
    let balance = store.balance(tenant).await.unwrap();
    assert_eq!((balance.balance, balance.held), (left, Money::ZERO));
    assert_eq!(double.requests().len(), 300 + 50, "what was refused cost nothing");
    let records = site.records().await;
    poll("the ledger to know every capture", async || {
        let sum = records.ledger().sum(tenant).await.map_err(|error| error.to_string())?.balance;
        if sum == left { Ok(()) } else { Err(sum.to_string()) }
    })
    .await;
    site.wallets().await.cut(None, 10).await.unwrap();
    assert_eq!(records.wallet_differences().list(true, 10).await.unwrap(), []);
    assert_eq!(records.poison().list(10).await.unwrap(), []);
}

/// Sends until the balance does not cover it, and lets two callers verify each session at the same time, on both nodes. How many were sent.
async fn until_broke(client: Client, caller: usize) -> usize {
    let (mut sent, mut number) = (0, 0);
    loop {
        number += 1;
        let to = format!("+1202{:07}", 5_000_000 + caller * 1_000 + number);
        let reply = client.try_send(&sms(&to).set("code", "482913")).await;
        match reply.status {
            402 => {
                reply.error(402, "insufficient_balance");
                return sent;
            }
            502 => continue,
            _ => drop(reply.assert(200).clone()),
        }
        sent += 1;
        let token = serde_json::json!({"session_token": reply.text("$.session_token"), "code": "482913"});
        let (one, other) = tokio::join!(client.post("/api/v1/otp/verify", &token), client.post("/api/v1/otp/verify", &token));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{one:?}\n{other:?}");
    }
}
