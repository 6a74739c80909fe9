//! Two installations are led to one Redis.

use countersign_model::KeyKind;
use countersign_testing::PostgresServer;
use countersign_testing::redis::{RedisOptions, RedisServer};
use countersign_tests::{Process, Site, email, poll, refused};

const WORDS: &str = "another installation's sessions";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_holds_another_installations_sessions_is_left_alone() {
    let start = || RedisServer::start_with(RedisOptions::default().append_only("always"));
    let (redis, others_redis) = (start(), start());
    let (database, others_database) = (PostgresServer::shared().database(), PostgresServer::shared().database());
    let site = Site::found(&Site::setup(&redis, &database)).await;
    let node = site.node().await;
    let other = Site::found(&Site::setup(&others_redis, &others_database)).await;
    let caller = site.caller(KeyKind::Test, [&node]);
    let sent = caller.send(email("ann@example.com")).await;

    // Somebody mistakes one for the other.
    Site::setup(&redis, &others_database).write(other.path());
    for arguments in [&["serve"][..], &["store", "init"], &["store", "rebuild"], &["doctor"]] {
        let said = refused(other.path(), arguments).await;
        assert!(said.contains(WORDS), "{arguments:?}: {said}");
        assert!(arguments == ["doctor"] || said.contains("redis.url: leads to"), "{arguments:?}: {said}");
    }
    caller.verify(&sent, sent.code("email")).await.assert(200).json("$.verified", true);

    // And worse: takes it.
    assert_eq!(redis.cli(&["FLUSHALL"]), "OK");
    other.command(&["store", "init"]).await;
    let others_node = other.node().await;
    not_ready(&node).await;
    caller.post("/api/v1/otp/send", email("ann@example.com").body()).await.error(503, "unavailable");
    other.caller(KeyKind::Test, [&others_node]).send(email("ben@example.com")).await;

    // Who insists gets it, and the others hear of it.
    site.command(&["store", "init", "--force"]).await;
    not_ready(&others_node).await;
    poll("the node is ready", async || {
        let reply = node.client().get("/readyz").await;
        if reply.status == 200 { Ok(()) } else { Err(format!("{reply:?}")) }
    })
    .await;
    caller.send(email("ann@example.com")).await;
}

async fn not_ready(node: &Process) {
    poll("readyz is red and says why", async || {
        let reply = node.client().get("/readyz").await;
        let said = format!("{reply:?}");
        if reply.status == 503 && node.logged.lines().iter().any(|line| line.contains("another installation's data")) {
            Ok(())
        } else {
            Err(said)
        }
    })
    .await;
}
