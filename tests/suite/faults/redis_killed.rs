//! Redis is killed and comes back with what it had written.

use countersign_model::KeyKind;
use countersign_testing::redis::RedisOptions;
use countersign_tests::{Setup, email, poll};

use super::stage::Stage;
use super::{DEADLINE, measured};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_killed_loses_nothing_acknowledged_and_callers_are_told_to_come_again() {
    let mut stage = Stage::set_with(RedisOptions::default().append_only("always"), Setup::brisk).await;
    let mut load = stage.callers().start();
    load.verifications(100).await;
    stage.redis.kill();
    load.refusals(200).await;
    for node in &stage.nodes {
        poll("readyz is red", async || {
            let reply = node.client().get("/readyz").await;
            if reply.status == 503 { Ok(()) } else { Err(format!("{reply:?}")) }
        })
        .await;
        let reply = stage.site.caller(KeyKind::Test, [node]).try_send(&email("ann@example.com")).await;
        reply.error(503, "unavailable");
    }
    stage.redis.restart();
    load.verifications(100).await;
    let told = load.stop().await;
    measured(&format!("Redis killed: {}", told.sum()));
    told.assert_manners(DEADLINE);
    assert_eq!(told.broken, 0, "{}", told.sum());
    stage.account_for(&told).await;
}
