use std::net::Ipv4Addr;

use countersign_model::{Clock, ManualClock, SeededRng, Timestamp};
use countersign_session::KeyMaterial;
use countersign_session::store::{MemoryStore, RedisSettings, RedisStore};
use tokio::net::TcpSocket;

use super::*;
use crate::settings::LimitSettings;

const START: Timestamp = Timestamp::from_millis(1_768_473_900_000);

fn keys() -> Arc<CodeKeys> {
    Arc::new(CodeKeys::open(&KeyMaterial::generate(&SeededRng::new(7), START)).unwrap())
}

#[tokio::test]
async fn nodes_that_share_a_store_share_a_providers_turns() {
    let (keys, clock) = (keys(), Arc::new(ManualClock::new(START)));
    let timed: Arc<dyn Clock> = clock.clone();
    let store: Arc<dyn SessionStore> = Arc::new(MemoryStore::new(Arc::clone(&keys), timed, LimitSettings::default().budget));
    let nodes = [(); 3].map(|()| SharedPace::new(Arc::clone(&store), Arc::clone(&keys)));
    let (mail, text) = (ProviderName::new("mail"), ProviderName::new("text"));
    for node in [0, 1, 2, 0] {
        assert_eq!(nodes[node].take(&mail, 4).await, Turn::Now);
    }
    clock.advance(Duration::from_millis(400));
    assert_eq!(nodes[1].take(&mail, 4).await, Turn::In(Duration::from_millis(600)));
    assert_eq!(nodes[2].take(&text, 4).await, Turn::Now, "another provider");
    clock.advance(Duration::from_millis(600));
    assert_eq!(nodes[1].take(&mail, 4).await, Turn::Now);
}

/// On a clock that stands still but for the waits: the three turns are taken within one second.
#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_each_node_counts_by_itself() {
    let keys = keys();
    // Held, and listened on by nobody.
    let nowhere = TcpSocket::new_v4().unwrap();
    nowhere.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let settings = RedisSettings::single(format!("redis://{}", nowhere.local_addr().unwrap()));
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(START));
    let store = RedisStore::open(settings, Arc::clone(&keys), clock, LimitSettings::default().budget).unwrap();
    let pace = SharedPace::new(Arc::new(store), keys);
    let mail = ProviderName::new("mail");
    assert_eq!((pace.take(&mail, 2).await, pace.take(&mail, 2).await), (Turn::Now, Turn::Now));
    assert!(matches!(pace.take(&mail, 2).await, Turn::In(_)));
}
