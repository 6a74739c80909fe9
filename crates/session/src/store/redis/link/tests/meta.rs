use countersign_model::Partition;
use countersign_testing::redis::{RedisCluster, RedisServer};

use super::super::meta::LAYOUT;
use super::super::{InitError, LinkError, META, RedisServers, RedisSettings, tag};
use super::{open, open_to};

#[tokio::test]
async fn a_first_start_on_an_empty_store_initialises_it_and_the_next_leaves_it() {
    let server = RedisServer::start();
    let link = open_to(&server);
    assert!(link.shared.meta().await.expect("it answers").iter().all(|(_, meta)| meta.is_none()));
    link.init_if_empty().await.expect("it is empty");
    let first = link.shared.meta().await.expect("it answers");
    assert!(first.iter().all(|(_, meta)| meta.is_some_and(|meta| meta.layout == LAYOUT && meta.generation > 0)), "{first:?}");
    link.init_if_empty().await.expect("it is whole");
    assert_eq!(link.shared.meta().await, Ok(first));
}

#[tokio::test]
async fn nodes_that_start_at_the_same_time_agree() {
    let cluster = RedisCluster::start(2);
    let settings = || RedisSettings::new(RedisServers::Cluster { urls: cluster.urls() });
    let (one, other) = (open(settings()), open(settings()));
    let (first, second) = tokio::join!(one.init_if_empty(), other.init_if_empty());
    assert_eq!((first, second), (Ok(()), Ok(())));
    assert_eq!(one.shared.meta().await, other.shared.meta().await);
}

#[tokio::test]
async fn a_store_that_holds_data_is_completed_only_when_asked_to() {
    let server = RedisServer::start();
    let link = open_to(&server);
    link.init(false).await.expect("it is empty");
    assert!(matches!(link.init(false).await, Err(InitError::HoldsData(holding)) if holding.len() == 16));
    let before = link.shared.meta().await.expect("it answers");

    let lost = [tag(Partition::of(3)), META].concat();
    assert_eq!(server.cli(&["DEL", &lost]), "1");
    assert!(matches!(link.init_if_empty().await, Err(InitError::HoldsData(holding)) if holding.len() == 15));
    assert!(matches!(link.init(false).await, Err(InitError::HoldsData(_))));
    link.init(true).await.expect("it was asked to");
    let after = link.shared.meta().await.expect("it answers");
    for ((partition, before), (_, after)) in before.iter().zip(&after) {
        assert_eq!(before == after, partition.number() != 3, "{partition:?}");
    }
}

#[tokio::test]
async fn a_meta_of_another_form_is_not_overwritten() {
    let server = RedisServer::start();
    let link = open_to(&server);
    let key = [tag(Partition::of(0)), META].concat();
    assert_eq!(server.cli(&["SET", &key, "somebody else's"]), "OK");
    assert!(matches!(link.init(true).await, Err(InitError::Link(LinkError::Uninitialised(_)))));
    assert_eq!(server.cli(&["GET", &key]), "somebody else's");
}
