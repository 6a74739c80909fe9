//! A node is killed.

use countersign_testing::redis::RedisOptions;

use super::stage::Stage;
use super::{DEADLINE, measured};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_takes_nothing_acknowledged_with_it() {
    let mut stage = Stage::set(RedisOptions::default().append_only("always")).await;
    let mut load = stage.callers().start();
    load.verifications(100).await;
    stage.nodes.remove(0).kill().await;
    load.verifications(100).await;
    let told = load.stop().await;
    measured(&format!("a node killed: {}", told.sum()));
    told.assert_manners(DEADLINE);
    assert!(told.broken > 0 && told.refused.is_empty(), "the other node goes on: {}", told.sum());
    stage.account_for(&told).await;
}
