use std::time::Duration;

use countersign_model::Partition;
use countersign_testing::redis::{RedisOptions, RedisSentinel, RedisServer};

use super::super::{BarrierMode, Link, LinkError, Ran, RedisServers, RedisSettings, partitions};
use super::{HOME, add, adding, open, open_to, several, single};

async fn ran(link: &Link, partition: Partition) -> Ran {
    link.call(&adding(partition, 1)).await.expect("the server answers").ran
}

/// For confirmations that come: with more time than a busy machine needs.
fn confirming(server: &RedisServer) -> RedisSettings {
    RedisSettings { barrier_wait: Duration::from_secs(60), ..single(server.url()) }
}

/// For confirmations that do not come: what is waited for in vain is not waited for long.
async fn in_vain(server: &RedisServer) -> Link {
    let link = open(single(server.url()));
    // A replica that was never seen is not missed.
    ran(&link, HOME).await;
    link
}

fn follower(primary: &RedisServer) -> RedisServer {
    let replica = RedisServer::start_with(RedisOptions::default().line(format!("replicaof 127.0.0.1 {}", primary.port())));
    primary.wait_for(&["INFO", "replication"], |info| info.contains("state=online"));
    replica
}

#[tokio::test]
async fn where_there_are_no_replicas_nobody_waits() {
    let server = RedisServer::start();
    let link = open_to(&server);
    let ran = ran(&link, HOME).await;
    assert_eq!(link.barrier(HOME, ran).await, Ok(()));
    assert_eq!(server.calls("wait"), 0);
}

#[tokio::test]
async fn a_replica_that_follows_confirms_and_one_that_was_cut_off_does_not() {
    let pair = RedisSentinel::start();
    let link = open(confirming(pair.first()));
    let first = ran(&link, HOME).await;
    assert_eq!(link.barrier(HOME, first).await, Ok(()));
    assert_eq!(pair.second().cli(&["GET", "{p07wp}sum"]), "1");

    let in_vain = in_vain(pair.first()).await;
    pair.cut_replication();
    let second = ran(&link, HOME).await;
    assert_eq!(in_vain.barrier(HOME, second).await, Err(LinkError::NotReplicated));
    pair.restore_replication();
    assert_eq!(link.barrier(HOME, second).await, Ok(()));
}

#[tokio::test]
async fn many_who_wait_share_a_round_and_without_them_there_is_none() {
    let primary = RedisServer::start();
    let _replica = follower(&primary);
    let link = std::sync::Arc::new(open(confirming(&primary)));
    let ran = ran(&link, HOME).await;
    assert_eq!(link.barrier(HOME, ran).await, Ok(()));
    let before = primary.calls("wait");
    let waiting: tokio::task::JoinSet<_> = (0..200)
        .map(|number| {
            let link = std::sync::Arc::clone(&link);
            async move { link.barrier(Partition::of(number), ran).await }
        })
        .collect();
    assert!(waiting.join_all().await.into_iter().all(|passed| passed.is_ok()));
    let rounds = primary.calls("wait") - before;
    assert!((1..=3).contains(&rounds), "{rounds} rounds");
    add(&link, HOME).await.expect("the server answers");
    assert_eq!(primary.calls("wait") - before, rounds);
}

#[tokio::test]
async fn a_server_that_has_forgotten_a_step_does_not_confirm_it() {
    let mut primary = RedisServer::start();
    let link = open(RedisSettings { barrier: BarrierMode::On, ..confirming(&primary) });
    let old = ran(&link, HOME).await;
    primary.kill();
    primary.restart();
    let _replica = follower(&primary);
    let new = ran(&link, HOME).await;
    // The first round after the restart may still meet the old connection.
    let _first = link.barrier(HOME, new).await;
    assert_eq!(link.barrier(HOME, new).await, Ok(()));
    assert_eq!(link.barrier(HOME, old).await, Err(LinkError::NotReplicated));
}

#[tokio::test]
async fn a_promoted_replica_does_not_confirm_what_it_never_heard_of() {
    let mut pair = RedisSentinel::start();
    let servers = RedisServers::Sentinel { urls: pair.urls(), master: RedisSentinel::NAME.into(), user: None, password: None };
    let link = open(several(servers));
    ran(&link, HOME).await;
    pair.cut_replication();
    let lost = ran(&link, HOME).await;
    pair.kill_first();
    pair.wait_for_second();
    assert_eq!(link.barrier(HOME, lost).await, Err(LinkError::NotReplicated));
}

#[tokio::test]
async fn a_primary_that_lost_its_replica_promises_nothing() {
    let primary = RedisServer::start();
    let replica = follower(&primary);
    let link = open(confirming(&primary));
    let ran = ran(&link, HOME).await;
    assert_eq!(link.barrier(HOME, ran).await, Ok(()));
    let in_vain = in_vain(&primary).await;
    drop(replica);
    primary.wait_for(&["INFO", "replication"], |info| info.contains("connected_slaves:0"));
    in_vain.examine().await;
    let started = tokio::time::Instant::now();
    assert_eq!(in_vain.barrier(HOME, ran).await, Err(LinkError::NotReplicated));
    // A caller's whole deadline is longer.
    assert!(started.elapsed() < in_vain.settings().deadline / 2, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_full_server_still_confirms() {
    let primary = RedisServer::start();
    let _replica = follower(&primary);
    let link = open(confirming(&primary));
    let ran = ran(&link, HOME).await;
    assert_eq!(link.barrier(HOME, ran).await, Ok(()));
    assert_eq!(primary.cli(&["CONFIG", "SET", "maxmemory", "1"]), "OK");
    for partition in partitions() {
        assert_eq!(link.barrier(partition, ran).await, Ok(()), "{partition:?}");
    }
}

#[tokio::test]
async fn a_server_that_demands_replicas_and_has_none_takes_no_step() {
    let server = RedisServer::start_with(RedisOptions::default().line("min-replicas-to-write 1"));
    let link = open_to(&server);
    assert_eq!(add(&link, HOME).await, Err(LinkError::NotReplicated));
}
