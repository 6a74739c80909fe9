//! A node is killed.

use countersign_model::{KeyKind, WebhookEvent};
use countersign_testing::PostgresServer;
use countersign_testing::redis::{RedisOptions, RedisServer};
use countersign_tests::{Audit, Callers, Expected, ProviderDouble, Receiver, Site};

use super::DEADLINE;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_takes_nothing_acknowledged_with_it() {
    let redis = RedisServer::start_with(RedisOptions::default().append_only("always"));
    let database = PostgresServer::shared().database();
    let (double, receiver) = (ProviderDouble::start(Expected::json()).await, Receiver::start().await);
    let site = Site::found(&receiver.allowed_by(Site::setup(&redis, &database).sms(&double))).await;
    site.subscribe(&receiver, &[WebhookEvent::SessionVerified]).await;
    let [killed, other] = site.two_nodes().await;

    let nodes = [&killed, &other];
    let (test, live) = (site.caller(KeyKind::Test, nodes), Some(site.caller(KeyKind::Live, nodes)));
    let mut load = Callers { test, live, count: 32, guess_wrong: false }.start();
    load.verifications(100).await;
    killed.kill().await;
    load.verifications(100).await;
    let told = load.stop().await;
    println!("a node killed: {}", told.sum());
    told.assert_manners(DEADLINE);
    assert!(told.broken > 0 && told.refused.is_empty(), "{}", told.sum());

    let mut audit = Audit::new(&site, [&other], &told);
    audit.store().await;
    audit.log().await;
    audit.records().await;
    audit.webhooks(&receiver).await;
    audit.messages(&double);
}
