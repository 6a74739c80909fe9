//! The power fails: what the disk had not got is gone. A kill alone proves nothing here, since the system keeps what it was handed.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

use countersign_model::{Clock, SystemClock, Timestamp};
use countersign_testing::redis::{RedisOptions, RedisServer};
use countersign_tests::{Callers, Fact, Setup, poll};

use super::stage::Stage;
use super::{DEADLINE, measured};

/// Puts the file that a Redis left behind back to what it held at the end of a second since the epoch.
fn forget_what_came_after(redis: &RedisServer, second: i64) {
    let manifest = redis.folder().join("appendonlydir/appendonly.aof.manifest");
    let done = Command::new("redis-check-aof").arg("--truncate-to-timestamp").arg(second.to_string()).arg(manifest).output();
    let done = done.expect("this test needs redis-check-aof (Debian's package redis-tools)");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
}

fn written(redis: &RedisServer) -> u64 {
    let files = fs::read_dir(redis.folder().join("appendonlydir")).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn written_every_second_a_power_cut_costs_the_last_seconds_and_nothing_older() {
    let options = RedisOptions::default().append_only("everysec").line("aof-timestamp-enabled yes");
    let mut stage = Stage::set_with(options, Setup::brisk).await;
    // So few that the records can follow.
    let mut load = Callers::of(&stage.site, &stage.nodes, 4).start();
    load.verifications(50).await;
    // Some of what was acknowledged is older than what is about to be lost, and the records know some of what is.
    let (older, records) = (SystemClock.now(), stage.site.records().await);
    poll("more than three seconds of load", async || {
        let now = SystemClock.now();
        let young = load.sent_since(now.minus(Duration::from_secs(1)));
        let known = records.sessions().load(&young.iter().map(|session| session.parse().unwrap()).collect::<Vec<_>>()).await;
        let (passed, known) = (now.since(older), known.map_err(|error| error.to_string())?.len());
        if passed.as_millis() > 3_500 && known > 0 {
            Ok(())
        } else {
            Err(format!("{passed:?}, {known} of {} known", young.len()))
        }
    })
    .await;
    stage.redis.kill();
    let killed = SystemClock.now();
    // The last whole second that was over two seconds before.
    let second = killed.millis() / 1_000 - 3;
    let before = written(&stage.redis);
    forget_what_came_after(&stage.redis, second);
    assert!(written(&stage.redis) < before, "the last seconds were truncated");
    stage.redis.restart();
    let back = SystemClock.now();
    load.verifications(100).await;
    let mut told = load.stop().await;
    // A caller who was sent a code before the cut and verifies after it is told that nobody knows his session.
    told.odd.retain(|reply| reply.status != 401);
    told.assert_manners(DEADLINE);

    let mut audit = stage.audit(&told);
    let forgotten = audit.lost().await;
    let moments = |facts: &[Fact], lost: &BTreeSet<String>| -> Vec<Timestamp> {
        facts.iter().filter(|fact| lost.contains(fact.id())).map(|fact| fact.at).collect()
    };
    let sends = moments(&told.sent, &(&forgotten.sessions | &forgotten.messages));
    let verifications = moments(&told.verified, &forgotten.all());
    let first = *sends.iter().chain(&verifications).min().expect("the window was not empty");
    let last = *sends.iter().chain(&verifications).max().expect("the window was not empty");
    measured(&format!(
        "power lost with everysec: {}; the cut took back {} ms: {} sends and {} verifications acknowledged in the last {} ms before it",
        told.sum(),
        killed.millis() - (second + 1) * 1_000,
        sends.len(),
        verifications.len(),
        killed.since(first).as_millis(),
    ));
    assert!(first.millis() >= (second + 1) * 1_000, "{first} is older than what was truncated");
    assert!(last <= back, "{last} was acknowledged after the restart");

    // The records had read on in the log before it lost its end, and read what is left of it again without an alarm.
    let ids: Vec<_> = forgotten.sessions.iter().map(|session| session.parse().unwrap()).collect();
    assert!(!records.sessions().load(&ids).await.unwrap().is_empty(), "the log ended behind the cursor");

    audit.forgive(&forgotten.all());
    stage.account(audit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn written_at_once_a_power_cut_costs_nothing() {
    let options = RedisOptions::default().append_only("always").line("aof-timestamp-enabled yes");
    let mut stage = Stage::set_with(options, Setup::brisk).await;
    let mut load = stage.callers().start();
    load.verifications(100).await;
    stage.redis.kill();
    forget_what_came_after(&stage.redis, SystemClock.now().millis() / 1_000);
    stage.redis.restart();
    load.verifications(50).await;
    let told = load.stop().await;
    measured(&format!("power lost with always: {}", told.sum()));
    told.assert_manners(DEADLINE);
    stage.account_for(&told).await;
}
