//! The primary is replaced by a replica that had lost touch with it.

use std::collections::BTreeSet;

use countersign_testing::PostgresServer;
use countersign_testing::redis::{RedisOptions, RedisSentinel};
use countersign_tests::{Audit, Callers, Expected, ProviderDouble, Setup, Site, poll};

use super::{DEADLINE, measured};

/// As whom a replica follows.
const REPLICATION: &str = "replication";

/// How long the primary may be silent before the sentinel takes it for gone.
fn gone_after(pair: &RedisSentinel, milliseconds: u32) {
    let set = ["SENTINEL", "SET", RedisSentinel::NAME, "down-after-milliseconds", &milliseconds.to_string()];
    assert!(pair.sentinel(0).cli(&set).starts_with("OK"));
}

/// Nobody is that silent: a busy machine must not pass for a primary that is gone.
const NEVER: u32 = 600_000;

fn over(pair: &RedisSentinel, setup: Setup) -> Setup {
    setup.set("redis.sentinel.urls", pair.urls()).set("redis.sentinel.master", RedisSentinel::NAME)
}

/// Makes what was the primary follow the new one, as a sentinel would sooner or later.
fn follow_the_new_one(pair: &mut RedisSentinel) {
    pair.first_mut().restart();
    assert_eq!(pair.second().cli(&["ACL", "SETUSER", REPLICATION, "on"]), "OK");
    let port = pair.second().port().to_string();
    assert!(pair.first().cli(&["REPLICAOF", "127.0.0.1", &port]).starts_with("OK"));
    pair.second().wait_for(&["INFO", "replication"], |info| info.contains("state=online"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_had_lost_touch_takes_over_and_no_code_verifies_twice() {
    let mut pair = RedisSentinel::start_with(1, &RedisOptions::default().append_only("always"));
    gone_after(&pair, NEVER);
    let database = PostgresServer::shared().database();
    let double = ProviderDouble::start(Expected::json()).await;
    let site = Site::found(&over(&pair, Site::setup_without_redis(&database).sms(&double))).await;
    let nodes = site.two_nodes().await;

    let mut load = Callers::of(&site, &nodes, 32).start();
    load.verifications(100).await;
    pair.cut_replication();
    // Sends go on, and nothing that ends a session for good is answered: nobody but this primary knows of it.
    load.unconfirmed(64).await;
    let cut = load.stop().await;
    let unconfirmed = cut.refused.iter().filter(|refused| refused.path.ends_with("/verify")).count();
    assert!(unconfirmed >= 64, "{}", cut.sum());
    cut.assert_manners(DEADLINE);

    let mut load = Callers::of(&site, &nodes, 8).start();
    pair.first_mut().kill();
    // A replica that lost touch longer before its primary's end than ten times this is not promoted.
    gone_after(&pair, 5_000);
    pair.wait_for_second();
    gone_after(&pair, NEVER);
    follow_the_new_one(&mut pair);
    load.verifications(50).await;
    let mut after = load.stop().await;
    // A caller who was sent a code by the old primary and verifies with the new one may be told that nobody knows his session.
    after.odd.retain(|reply| reply.status != 401);
    after.assert_manners(DEADLINE);
    assert_eq!((cut.broken, after.broken), (0, 0));

    // What was said to be verified is, with the replica that took over. Sends that it had not heard of are gone.
    let mut audit = Audit::new(&site, &nodes, &cut);
    let lost = audit.lost().await;
    measured(&format!(
        "failover without the link: {}; then {}; {} sends that the replica never heard of are gone, {} messages unrecorded",
        cut.sum(),
        after.sum(),
        lost.sessions.len(),
        lost.messages.len(),
    ));
    assert_eq!(lost.verifications, BTreeSet::new());
    let verified: BTreeSet<_> = cut.verified.iter().map(|fact| fact.id().to_owned()).collect();
    assert!(verified.is_disjoint(&lost.all()), "{:?}", &verified & &lost.all());
    audit.forgive(&lost.all());
    // Every code that is left is right once: none of those that were answered before.
    audit.store().await;
    audit.messages(&double);
    let mut audit = Audit::new(&site, &nodes, &after);
    let lost = audit.lost().await;
    assert!(lost.verifications.is_empty(), "{lost:?}");
    audit.forgive(&lost.all());
    audit.store().await;
    poll("both nodes are ready", async || {
        for node in &nodes {
            let reply = node.client().get("/readyz").await;
            if reply.status != 200 {
                return Err(format!("{reply:?}"));
            }
        }
        Ok(())
    })
    .await;
}
