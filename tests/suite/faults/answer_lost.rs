//! A line to Redis is cut after a script ran and before its answer came.

use countersign_testing::PostgresServer;
use countersign_testing::redis::{Proxy, RedisOptions, RedisServer};
use countersign_tests::{Audit, Callers, Expected, ProviderDouble, Site, poll};

use super::{DEADLINE, measured};

/// How many answers are lost.
const LOST: usize = 25;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_whose_answer_was_lost_is_answered_all_the_same_and_not_taken_twice() {
    let redis = RedisServer::start_with(RedisOptions::default().append_only("always"));
    let proxy = Proxy::to(redis.port());
    let database = PostgresServer::shared().database();
    let double = ProviderDouble::start(Expected::json()).await;
    let setup = Site::setup(&redis, &database).sms(&double).set("redis.url", format!("redis://127.0.0.1:{}", proxy.port()));
    let site = Site::found(&setup).await;
    // Nothing but callers' steps goes through scripts here.
    let node = site.node_as("api").await;

    let mut load = Callers::of(&site, [&node], 16).guessing_wrong().start();
    load.verifications(10).await;
    for _ in 0..LOST {
        proxy.swallow_answers_to("EVALSHA", 1);
        poll("an answer is lost", async || match proxy.to_swallow() {
            0 => Ok(()),
            left => Err(format!("{left} to go")),
        })
        .await;
        // No step loses its answer twice: of that nobody could say more than "come again". Once the call is answered whose answer was lost, the
        // line has been cut; then all calls that were on it have to come through.
        load.under_way().await;
        load.under_way().await;
    }
    let told = load.stop().await;
    measured(&format!("{LOST} answers lost: {}", told.sum()));
    told.assert_manners(DEADLINE);
    // Each wrong guess left two attempts of three, and each right one was told that it was right: see `Callers::guessing_wrong`.
    assert!(told.refused.is_empty() && told.broken == 0, "{:#?}", told.refused);

    let mut audit = Audit::new(&site, [&node], &told);
    audit.store().await;
    audit.log().await;
    audit.messages(&double);
    let worker = site.node_as("worker").await;
    audit.records().await;
    drop(worker);
}
