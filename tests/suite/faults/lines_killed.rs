//! Every line to Redis is cut, again and again.

use countersign_testing::redis::RedisOptions;
use countersign_tests::Setup;

use super::stage::Stage;
use super::{DEADLINE, measured};

/// How often.
const CUTS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_are_killed_lose_nothing_acknowledged() {
    let stage = Stage::set_with(RedisOptions::default().append_only("always"), Setup::brisk).await;
    let mut load = stage.callers().start();
    for _ in 0..CUTS {
        load.verifications(30).await;
        let killed: u32 = stage.redis.cli(&["CLIENT", "KILL", "TYPE", "normal"]).parse().expect("a number of lines");
        assert!(killed >= 4, "each worker of each node has a line: {killed}");
    }
    load.verifications(30).await;
    let told = load.stop().await;
    measured(&format!("all lines killed {CUTS} times: {}", told.sum()));
    told.assert_manners(DEADLINE);
    assert_eq!(told.broken, 0, "{}", told.sum());
    stage.account_for(&told).await;
}
