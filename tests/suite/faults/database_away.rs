//! PostgreSQL is away for a while, and a node starts meanwhile.

use std::time::Instant;

use countersign_model::{KeyKind, WebhookEvent};
use countersign_testing::PostgresServer;
use countersign_testing::redis::{RedisOptions, RedisServer};
use countersign_tests::{Audit, Callers, Expected, Process, ProviderDouble, Receiver, Site, email, poll};

use tokio::task::JoinSet;

use super::{DEADLINE, measured};

/// A key that nobody made.
const STRANGER: &str = "sk_test_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_away_codes_go_out_and_verify_also_on_a_node_that_starts_meanwhile() {
    let redis = RedisServer::start_with(RedisOptions::default().append_only("always"));
    let mut postgres = PostgresServer::start();
    let database = postgres.database();
    let (double, receiver) = (ProviderDouble::start(Expected::json()).await, Receiver::start().await);
    let site =
        Site::found(&receiver.allowed_by(Site::setup(&redis, &database).sms(&double).set("database.acquire_seconds", 1))).await;
    site.subscribe(&receiver, &[WebhookEvent::SessionVerified]).await;
    let [killed, other] = site.two_nodes().await;

    let mut load = Callers::of(&site, [&killed, &other], 32).start();
    load.verifications(60).await;
    postgres.stop();
    load.verifications(60).await;
    killed.kill().await;
    let late = site.node().await;
    load.verifications(60).await;
    let told = load.stop().await;
    // The node that started without the database serves as the other does.
    let mut load = Callers::of(&site, [&late, &other], 32).start();
    load.verifications(60).await;
    let later = load.stop().await;
    measured(&format!("PostgreSQL away: {}; with a node started meanwhile: {}", told.sum(), later.sum()));
    for told in [&told, &later] {
        told.assert_manners(DEADLINE);
        assert!(told.refused.is_empty(), "{}", told.sum());
    }
    assert!(told.broken > 0 && later.broken == 0);
    for node in [&late, &other] {
        strangers_are_told_to_come_again(node).await;
        site.caller(KeyKind::Test, [node]).send(email("ann@example.com")).await;
        node.client().get("/readyz").await.assert(200);
    }

    postgres.restart();
    let mut audit = Audit::new(&site, [&late, &other], &told);
    audit.also(&later);
    audit.store().await;
    audit.log().await;
    audit.records().await;
    audit.webhooks(&receiver).await;
    audit.messages(&double);
    let known = poll("the node that started late to find the database", async || {
        let reply = late.client().with_key(STRANGER).try_send(&email("ann@example.com")).await;
        if reply.status == 503 { Err(format!("{reply:?}")) } else { Ok(reply) }
    });
    known.await.error(401, "invalid_api_key");
}

/// An unknown key may have been made a moment ago: nobody says that it is none. Many who come at once do not wait for each other.
async fn strangers_are_told_to_come_again(node: &Process) {
    let stranger = node.client().with_key(STRANGER);
    let mut strangers = JoinSet::new();
    for _ in 0..12 {
        let (stranger, asked) = (stranger.clone(), Instant::now());
        strangers.spawn(async move { (stranger.try_send(&email("ann@example.com")).await, asked.elapsed()) });
    }
    for (reply, took) in strangers.join_all().await {
        reply.error(503, "unavailable");
        assert!(reply.number_in("retry-after") >= 1 && took < DEADLINE, "after {took:?}: {reply:?}");
    }
}
