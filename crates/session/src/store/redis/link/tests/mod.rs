//! Against real servers: each test starts its own.

mod adapters;
mod barriers;
mod health;
mod meta;
mod trouble;
mod workers;

use std::sync::Arc;
use std::time::Duration;

use countersign_model::{Partition, SystemClock};
use countersign_testing::redis::RedisServer;
use redis::Value;
use tokio::time::{Instant, sleep};

use super::super::tests::patient;
use super::{Call, Link, LinkError, Owner, RedisServers, RedisSettings, Reply, Script};

/// Adds a number to a key, twice when it is sent twice: a step would know better.
static ADD: Script = Script::new("add", "return redis.call('INCRBY', KEYS[1], ARGV[1])");

/// Refuses where there is no `meta`.
static GUARDED: Script = Script::new(
    "guarded",
    "if not redis.call('GET', KEYS[1]) then return redis.error_reply('CS UNINITIALISED no meta') end return 1",
);

/// Refuses always.
static REFUSE: Script = Script::new("refuse", "error({err = 'CS CORRUPT session'})");

static SCRIPTS: [&Script; 3] = [&ADD, &GUARDED, &REFUSE];

const HOME: Partition = Partition::of(7);

/// The installation of most tests, and another one.
const US: Owner = Owner([1; 16]);
const THEM: Owner = Owner([2; 16]);

fn open(settings: RedisSettings) -> Link {
    open_as(US, settings)
}

fn open_as(owner: Owner, settings: RedisSettings) -> Link {
    Link::open(settings, &SCRIPTS, owner, Arc::new(SystemClock)).expect("the settings are good")
}

/// One server, with time enough.
fn single(url: impl Into<String>) -> RedisSettings {
    patient(RedisSettings::single(url))
}

/// Several, with time enough.
fn several(servers: RedisServers) -> RedisSettings {
    patient(RedisSettings::new(servers))
}

fn open_to(server: &RedisServer) -> Link {
    open(single(server.url()))
}

fn adding(partition: Partition, number: i64) -> Call {
    let mut call = Call::new(&ADD, partition, 1, 16);
    call.key(&[b"sum"]).arg(number);
    call
}

async fn add(link: &Link, partition: Partition) -> Result<i64, LinkError> {
    let Reply { value, .. } = link.call(&adding(partition, 1)).await?;
    match value {
        Value::Int(sum) => Ok(sum),
        other => panic!("a number is answered, not {other:?}"),
    }
}

/// Calls until it is answered; the longest a failover may take on a busy machine is long past when it gives up.
async fn add_when_possible(link: &Link, partition: Partition) -> i64 {
    let started = Instant::now();
    loop {
        match add(link, partition).await {
            Ok(sum) => return sum,
            Err(error) => assert!(started.elapsed() < Duration::from_secs(200), "still {error}"),
        }
        sleep(Duration::from_millis(20)).await;
    }
}
