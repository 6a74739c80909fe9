//! The contract, on one server and on a cluster of three.

use std::sync::{Arc, OnceLock};

use countersign_testing::redis::{RedisCluster, RedisServer};

use super::super::{RedisServers, RedisSettings};
use super::store;
use crate::store::suite::{Engine, Setup};

mod one_server {
    use super::*;

    async fn engine(setup: Setup) -> Engine {
        let server = RedisServer::start();
        let store = store(RedisSettings::single(server.url()), &setup).await;
        Engine { store: Arc::new(store), dump: None, keep: Box::new(server) }
    }

    crate::session_store_suite!(engine);
}

mod cluster {
    use super::*;

    /// One for all stores of a test, one after the other: it takes seconds to find itself.
    static CLUSTER: OnceLock<RedisCluster> = OnceLock::new();

    async fn engine(setup: Setup) -> Engine {
        let cluster = CLUSTER.get_or_init(|| RedisCluster::start(3));
        for number in 0..3 {
            assert_eq!(cluster.node(number).cli(&["FLUSHALL"]).trim(), "OK");
        }
        let store = store(RedisSettings::new(RedisServers::Cluster { urls: cluster.urls() }), &setup).await;
        Engine { store: Arc::new(store), dump: None, keep: Box::new(()) }
    }

    #[test]
    fn a_session_is_opened_sent_again_and_verified() {
        crate::store::suite::run(engine, crate::store::suite::resending::a_resend_makes_new_codes_and_a_new_expiry);
        crate::store::suite::run(engine, crate::store::suite::verifying::of_a_shared_code_the_named_channel_is_proved);
    }

    #[test]
    fn any_sequence_of_steps_ends_as_it_does_in_memory() {
        crate::store::suite::model::any_sequence_of_steps_ends_as_it_does_in_memory(engine);
    }
}
