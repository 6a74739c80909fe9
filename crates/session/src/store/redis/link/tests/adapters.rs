use std::time::Duration;

use countersign_testing::redis::{RedisCluster, RedisOptions, RedisSentinel, RedisServer};
use secrecy::SecretString;

use super::super::{LinkError, RedisServers, RedisSettings, partitions};
use super::{HOME, add, add_when_possible, open, several, single};

fn watched(pair: &RedisSentinel) -> RedisSettings {
    several(RedisServers::Sentinel { urls: pair.urls(), master: RedisSentinel::NAME.to_owned(), user: None, password: None })
}

fn clustered(cluster: &RedisCluster) -> RedisSettings {
    // One node is enough to find the others.
    several(RedisServers::Cluster { urls: cluster.urls().into_iter().take(1).collect() })
}

/// For what is tried in vain until time is up: one attempt at least comes to its end.
fn in_vain(settings: RedisSettings) -> RedisSettings {
    let short = Duration::from_secs(3);
    RedisSettings { per_try: short, deadline: short, ..settings }
}

#[tokio::test]
async fn the_sentinels_new_primary_takes_over() {
    let mut pair = RedisSentinel::start();
    let link = open(watched(&pair));
    assert_eq!(add(&link, HOME).await, Ok(1));
    pair.second().wait_for(&["GET", "{p07wp}sum"], |sum| sum == "1");
    pair.kill_first();
    assert_eq!(add_when_possible(&link, HOME).await, 2);
    assert_eq!(pair.second().cli(&["GET", "{p07wp}sum"]), "2");
}

#[tokio::test]
async fn a_primary_that_was_made_a_replica_is_left() {
    let pair = RedisSentinel::start();
    let link = open(watched(&pair));
    assert_eq!(add(&link, HOME).await, Ok(1));
    pair.second().wait_for(&["GET", "{p07wp}sum"], |sum| sum == "1");
    pair.change_places();
    assert_eq!(add(&link, HOME).await, Ok(2));
    assert_eq!(pair.second().cli(&["GET", "{p07wp}sum"]), "2");
}

#[tokio::test]
async fn three_nodes_take_the_steps_of_all_partitions() {
    let cluster = RedisCluster::start(3);
    let link = open(clustered(&cluster));
    for partition in partitions() {
        assert_eq!(add(&link, partition).await, Ok(1), "{partition:?}");
    }
    let taken = [0, 1, 2].map(|node| cluster.node(node).calls("evalsha"));
    assert_eq!(taken, [5, 6, 5], "each where its slot is, without a redirection");
}

#[tokio::test]
async fn a_slot_that_moves_is_followed() {
    let cluster = RedisCluster::start(2);
    let link = open(clustered(&cluster));
    // The slot of partition 7 lies with the first of two nodes.
    assert_eq!(add(&link, HOME).await, Ok(1));
    cluster.move_slot(7683, 0, 1);
    assert_eq!(add(&link, HOME).await, Ok(2));
    assert_eq!(cluster.node(1).cli(&["GET", "{p07wp}sum"]), "2");
}

#[tokio::test]
async fn a_key_that_is_not_there_yet_is_asked_for_where_its_slot_is_moving_to() {
    let cluster = RedisCluster::start(2);
    let link = open(clustered(&cluster));
    cluster.begin_move(7683, 0, 1);
    assert_eq!(add(&link, HOME).await, Ok(1));
    assert_eq!(cluster.node(1).calls("asking"), 1);
}

#[tokio::test]
async fn a_node_that_is_down_takes_its_partitions_with_it_and_no_others() {
    let mut cluster = RedisCluster::start_with(2, &RedisOptions::default().line("cluster-require-full-coverage no"));
    let link = open(clustered(&cluster));
    assert_eq!(add(&link, HOME).await, Ok(1));
    cluster.node_mut(1).kill();
    assert_eq!(add(&link, HOME).await, Ok(2));
    let far = countersign_model::Partition::of(15);
    let failed = add(&open(in_vain(clustered(&cluster))), far).await;
    assert!(matches!(failed, Err(LinkError::Unavailable(_))), "{failed:?}");
}

#[tokio::test]
async fn a_user_with_few_rights_is_enough() {
    let rules = "on >hunter2 ~{p* resetchannels +@read +@write +@scripting +@connection +@transaction +info +time +wait";
    let server = RedisServer::start_with(RedisOptions::default().acl_user("countersign", rules).password("admin"));
    let mut settings = single(server.url());
    settings.user = Some("countersign".to_owned());
    settings.password = Some(SecretString::from("hunter2"));
    let link = open(settings.clone());
    assert_eq!(add(&link, HOME).await, Ok(1));
    link.init_if_empty().await.expect("the rights are enough");
    let health = link.examine().await;
    assert_eq!(health.trouble(), None);

    settings.password = Some(SecretString::from("hunter3"));
    let failed = add(&open(in_vain(settings)), HOME).await.expect_err("the password is wrong").to_string();
    assert!(failed.to_lowercase().contains("auth") && !failed.contains("hunter"), "{failed}");
}

#[tokio::test]
async fn a_user_and_password_may_stand_in_the_url() {
    let server = RedisServer::start_with(RedisOptions::default().acl_user("app", "on >p%ss ~* +@all").password("admin"));
    let url = format!("redis://app:p%25ss@127.0.0.1:{}", server.port());
    assert_eq!(add(&open(single(url)), HOME).await, Ok(1));
}

#[tokio::test]
async fn tls_is_spoken_with_those_whom_the_authority_vouches_for() {
    let server = RedisServer::start_with(RedisOptions::default().tls());
    let mut settings = single(server.url());
    settings.ca_file = Some(RedisOptions::authority());
    assert_eq!(add(&open(settings.clone()), HOME).await, Ok(1));

    settings.ca_file = Some(RedisOptions::stranger());
    let failed = add(&open(in_vain(settings)), HOME).await.expect_err("nobody vouches for it").to_string();
    assert!(failed.contains("certificate"), "{failed}");
}

#[tokio::test]
async fn a_socket_is_as_good_as_a_port() {
    let server = RedisServer::start();
    let settings = single(format!("unix://{}", server.socket().display()));
    assert_eq!(add(&open(settings), HOME).await, Ok(1));
}

#[tokio::test]
async fn a_replica_is_not_taken_for_a_primary() {
    let primary = RedisServer::start();
    let replica = RedisServer::start_with(RedisOptions::default().line(format!("replicaof 127.0.0.1 {}", primary.port())));
    let link = open(in_vain(single(replica.url())));
    let failed = add(&link, HOME).await.expect_err("it takes no writes").to_string();
    assert!(failed.contains("replica"), "{failed}");
}

#[tokio::test]
async fn what_needs_a_connection_of_its_own_gets_one() {
    let cluster = RedisCluster::start(2);
    let link = open(clustered(&cluster));
    for partition in partitions() {
        let mut owned = link.own(partition).await.expect("the node answers");
        let key = [super::super::tag(partition), "own"].concat();
        redis::cmd("SET").arg(key).arg(1).exec_async(&mut owned).await.expect("the node holds the slot");
    }
}
