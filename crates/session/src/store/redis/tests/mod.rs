//! The engine against real servers.

mod contract;
mod costs;
mod keys;
mod refusals;
mod struck;

use std::sync::Arc;
use std::time::Duration;

use countersign_model::{Channel, Limit, Money, SystemClock};
use countersign_testing::redis::RedisServer;
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;

use super::{RedisSettings, RedisStore};
use crate::code::SubjectKind;
use crate::session::{Billing, Names, Session};
use crate::store::suite::bench::{Bench, MINUTE, accepted, per_ip};
use crate::store::suite::{Engine, Setup};
use crate::store::{Open, Record};

/// The same with more time than the busiest machine needs: what comes too late is a matter of tests of its own.
pub(in crate::store::redis) fn patient(settings: RedisSettings) -> RedisSettings {
    RedisSettings { per_try: Duration::from_secs(60), deadline: Duration::from_secs(180), ..settings }
}

/// A store at the time of the suite's clock.
async fn store(settings: RedisSettings, setup: &Setup) -> RedisStore {
    let store = RedisStore::open(patient(settings), Arc::clone(&setup.keys), Arc::new(SystemClock), setup.budget).unwrap();
    store.init_if_empty().await.unwrap();
    store.at_time(Arc::clone(&setup.clock) as _)
}

/// A server, a bench with a store on it, and a line to look behind the store's back.
struct Workshop {
    server: RedisServer,
    bench: Bench,
    line: MultiplexedConnection,
}

impl Workshop {
    async fn new() -> Self {
        let server = RedisServer::start();
        let bench = Bench::new(&async |setup: Setup| {
            let store = store(RedisSettings::single(server.url()), &setup).await;
            Engine { store: Arc::new(store), dump: None, keep: Box::new(()) }
        })
        .await;
        let client = redis::Client::open(server.url()).unwrap();
        let unhurried = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let line = client.get_multiplexed_async_connection_with_config(&unhurried).await.unwrap();
        Self { server, bench, line }
    }

    /// An opening that touches all that a usual one can: a user, an address, an idempotency key, a balance.
    fn full_opening(&self) -> Open {
        let mut open = self.bench.opening(&[Channel::Email]);
        open.guard.limit = Limit { max: 600, window: MINUTE };
        open.limits.counts = vec![per_ip(self.bench.subject(SubjectKind::Ip, "192.0.2.1"))];
        open.claim = Some(self.bench.claim(&open.session.id.to_string(), "send"));
        open.session.billing = Some(Billing { fee: "0.01".parse().unwrap(), low_at: Some(Money::ZERO) });
        open.session.challenges[0].cost = "0.05".parse().unwrap();
        open
    }

    /// The same found by all that a session may be found by.
    fn named_opening(&self) -> Open {
        let mut open = self.full_opening();
        let name = |kind: &str| self.bench.keys.fingerprint(&[kind.as_bytes(), &open.session.id.bits().to_be_bytes()]);
        open.session.names = Names { slot: Some(name("slot")), recipient: Some(name("recipient")), by_code: true };
        open.session.codes = self.bench.minted();
        open
    }

    /// A session that was opened so, and its message accepted.
    async fn full_session(&self) -> Session {
        let open = self.full_opening();
        let claim = open.claim;
        let session = self.bench.open(open).await;
        let record = Record { claim, ..self.bench.record_step(&session, &[(Channel::Email, accepted())]) };
        self.bench.store.record(record).await.unwrap();
        self.bench.find(&session).await
    }

    /// Every key with what lies there. From here on none of them goes by itself: Redis counts lives by the machine's clock, and a test may take
    /// longer than one of them.
    async fn dump(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut line = self.line.clone();
        let mut names: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query_async(&mut line).await.unwrap();
        names.sort();
        let mut dump = Vec::new();
        for name in names {
            let () = redis::cmd("PERSIST").arg(&name).query_async(&mut line).await.unwrap();
            let value: Vec<u8> = redis::cmd("DUMP").arg(&name).query_async(&mut line).await.unwrap();
            dump.push((name, value));
        }
        dump
    }
}
