use countersign_model::Partition;
use countersign_testing::redis::{RedisCluster, RedisServer};

use super::super::meta::{LAYOUT, Meta};
use super::super::{InitError, LinkError, META, RedisServers, partitions, tag};
use super::{THEM, US, open, open_as, open_to, several, single};

fn is_ours(meta: Meta) -> bool {
    meta.layout == LAYOUT && meta.generation > 0 && meta.owner == Some(US)
}

#[tokio::test]
async fn a_first_start_on_an_empty_store_initialises_it_and_the_next_leaves_it() {
    let server = RedisServer::start();
    let link = open_to(&server);
    assert!(link.shared.meta().await.expect("it answers").iter().all(|(_, meta)| meta.is_none()));
    link.init_if_empty().await.expect("it is empty");
    let first = link.shared.meta().await.expect("it answers");
    assert!(first.iter().all(|(_, meta)| meta.is_some_and(is_ours)), "{first:?}");
    link.init_if_empty().await.expect("it is whole");
    assert_eq!(link.shared.meta().await, Ok(first));
}

#[tokio::test]
async fn nodes_that_start_at_the_same_time_agree() {
    let cluster = RedisCluster::start(2);
    let settings = || several(RedisServers::Cluster { urls: cluster.urls() });
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

#[tokio::test]
async fn a_store_of_another_installation_is_left_as_it_is_unless_a_person_insists() {
    let server = RedisServer::start();
    let theirs = open_as(THEM, single(server.url()));
    theirs.init_if_empty().await.expect("it is empty");
    let before = theirs.shared.meta().await;

    let ours = open_to(&server);
    let refused = ours.claim().await.expect_err("it is theirs");
    let words = refused.to_string();
    assert!(words.starts_with("redis.url: leads to") && words.contains("a database number or a server of its own"), "{words}");
    assert_eq!(ours.init(false).await, Err(InitError::Link(refused.clone())));
    assert_eq!(ours.init_if_empty().await, Err(InitError::Link(refused)));
    assert_eq!(theirs.shared.meta().await, before);
    assert_eq!(theirs.claim().await, Ok(()));

    ours.init(true).await.expect("it was asked to");
    assert_eq!(ours.claim().await, Ok(()));
    assert!(matches!(theirs.claim().await, Err(LinkError::Foreign(_))));
}

#[tokio::test]
async fn each_database_number_may_be_another_installations() {
    let server = RedisServer::start();
    let ours = open(single(server.url()));
    let theirs = open_as(THEM, single(format!("{}/1", server.url().trim_end_matches('/'))));
    ours.init_if_empty().await.expect("it is empty");
    theirs.init_if_empty().await.expect("it is empty");
    assert_eq!((ours.claim().await, theirs.claim().await), (Ok(()), Ok(())));
}

#[tokio::test]
async fn a_store_that_an_earlier_release_began_becomes_that_of_whoever_starts_first() {
    let server = RedisServer::start();
    for partition in partitions() {
        assert_eq!(server.cli(&["SET", &[tag(partition), META].concat(), "1:1768473900000"]), "OK");
    }
    let (ours, ours_too) = (open_to(&server), open_to(&server));
    assert_eq!(ours.ready().await, Ok(()));
    let (first, second) = tokio::join!(ours.claim(), ours_too.claim());
    assert_eq!((first, second), (Ok(()), Ok(())));
    let metas = ours.shared.meta().await.expect("it answers");
    let kept = |meta: Meta| is_ours(meta) && meta.generation == 1_768_473_900_000;
    assert!(metas.iter().all(|(_, meta)| meta.is_some_and(kept)), "{metas:?}");
    let theirs = open_as(THEM, single(server.url()));
    assert!(matches!(theirs.claim().await, Err(LinkError::Foreign(_))));
}

#[tokio::test]
async fn of_two_installations_that_start_at_the_same_time_one_gets_all() {
    for is_nobodys in [true, false] {
        let server = RedisServer::start();
        let (ours, theirs) = (open_to(&server), open_as(THEM, single(server.url())));
        let got = if is_nobodys {
            for partition in partitions() {
                assert_eq!(server.cli(&["SET", &[tag(partition), META].concat(), "1:1768473900000"]), "OK");
            }
            let (first, second) = tokio::join!(ours.claim(), theirs.claim());
            [first.is_ok(), second.is_ok()]
        } else {
            let (first, second) = tokio::join!(ours.init_if_empty(), theirs.init_if_empty());
            [first.is_ok(), second.is_ok()]
        };
        let metas = ours.shared.meta().await.expect("it answers");
        let owner = if got[0] { US } else { THEM };
        assert!(got[0] != got[1], "{got:?} {metas:?}");
        assert!(metas.iter().all(|(_, meta)| meta.is_some_and(|meta| meta.owner == Some(owner))), "{metas:?}");
    }
}
