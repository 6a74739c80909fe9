use std::sync::Arc;

use countersign_model::{ManualClock, Timestamp};
use countersign_testing::redis::{RedisCluster, RedisOptions, RedisServer};

use super::super::{Link, LinkError, RedisServers, Severity};
use super::{HOME, SCRIPTS, THEM, US, add, open, open_as, open_to, several, single};

#[tokio::test]
async fn a_server_of_ours_is_ready_and_tells_what_it_is() {
    let server = RedisServer::start_with(RedisOptions::default().append_only("everysec").line("maxmemory 100mb"));
    let link = open_to(&server);
    link.init_if_empty().await.expect("it is empty");
    assert_eq!(link.ready().await, Ok(()));
    let health = link.health();
    let [node] = &health.nodes[..] else { panic!("{health:?}") };
    let facts = node.state.as_ref().expect("it answers");
    assert_eq!((node.address.as_str(), node.partitions.len()), (format!("127.0.0.1:{}", server.port()).as_str(), 16));
    assert_eq!((facts.max_memory, facts.memory_policy.as_str()), (100 * 1024 * 1024, "noeviction"));
    assert_eq!(
        (facts.append_only, facts.append_fsync.as_deref(), facts.snapshots.as_deref()),
        (true, Some("everysec"), Some(""))
    );
    assert!(facts.clock_ahead.abs() < 100 && facts.version.starts_with(char::is_numeric), "{facts:?}");
    let worst = health.findings(80).into_iter().map(|finding| finding.severity).max();
    assert_eq!(worst, Some(Severity::Note));
}

#[tokio::test]
async fn an_empty_server_is_not_ready() {
    let server = RedisServer::start();
    let link = open_to(&server);
    let trouble = link.ready().await.expect_err("it holds nothing").to_string();
    assert!(trouble.contains("holds no data of ours"), "{trouble}");
}

#[tokio::test]
async fn a_server_that_is_away_is_not_ready() {
    let mut server = RedisServer::start();
    let link = open_to(&server);
    link.init_if_empty().await.expect("it is empty");
    server.kill();
    let health = link.examine().await;
    assert!(health.trouble().is_some(), "{health:?}");
    assert!(link.ready().await.is_err());
    assert_eq!(health.findings(80).first().map(|finding| finding.severity), Some(Severity::Fault));
}

#[tokio::test]
async fn a_cluster_without_a_node_leaves_partitions_unserved() {
    let cluster = RedisCluster::start(2);
    assert_eq!(cluster.node(1).cli(&["CLUSTER", "DELSLOTSRANGE", "8192", "16383"]), "OK");
    assert_eq!(cluster.node(0).cli(&["CLUSTER", "DELSLOTSRANGE", "8192", "16383"]), "OK");
    let link = open(several(RedisServers::Cluster { urls: vec![cluster.node(0).url()] }));
    let health = link.examine().await;
    assert_eq!(health.unserved.iter().map(|partition| partition.number()).collect::<Vec<_>>(), (8..16).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_clock_that_is_off_by_more_than_a_second_is_not_ready() {
    let server = RedisServer::start();
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_768_473_900_000)));
    let link = Link::open(single(server.url()), &SCRIPTS, US, clock).expect("the settings are good");
    link.init_if_empty().await.expect("it is empty");
    let trouble = link.ready().await.expect_err("the clocks differ").to_string();
    assert!(trouble.contains("clock"), "{trouble}");
}

#[tokio::test]
async fn memory_that_runs_low_is_seen_and_seen_again_when_there_is_more() {
    let server = RedisServer::start();
    let link = open_to(&server);
    link.examine().await;
    assert!(!link.is_memory_low(HOME));
    assert_eq!(server.cli(&["CONFIG", "SET", "maxmemory", "1mb"]), "OK");
    link.examine().await;
    assert!(link.is_memory_low(HOME));
    assert_eq!(server.cli(&["CONFIG", "SET", "maxmemory", "100mb"]), "OK");
    link.examine().await;
    assert!(!link.is_memory_low(HOME));
}

#[tokio::test]
async fn a_server_that_becomes_another_installations_hears_nothing_more_from_us() {
    let server = RedisServer::start();
    let (ours, theirs) = (open_to(&server), open_as(THEM, single(server.url())));
    ours.init_if_empty().await.expect("it is empty");
    assert_eq!((add(&ours, HOME).await, ours.examine().await.trouble()), (Ok(1), None));
    assert_eq!(server.cli(&["FLUSHALL"]), "OK");
    theirs.init(false).await.expect("it is empty");

    let health = ours.examine().await;
    let trouble = ours.ready().await.expect_err("it is theirs").to_string();
    assert!(trouble.contains("another installation's"), "{trouble}");
    let fault = health.findings(80).into_iter().find(|finding| finding.text.contains("another installation's"));
    assert_eq!(fault.map(|finding| finding.severity), Some(Severity::Fault));
    assert!(matches!(add(&ours, HOME).await, Err(LinkError::Foreign(_))));
    assert!(matches!(ours.own(HOME).await, Err(LinkError::Foreign(_))));
    // Theirs may have looked while the server was ours.
    assert_eq!(theirs.examine().await.trouble(), None);
    assert_eq!(add(&theirs, HOME).await, Ok(1));

    ours.init(true).await.expect("it was asked to");
    assert_eq!(ours.examine().await.trouble(), None);
    assert_eq!(add(&ours, HOME).await, Ok(2));
}
