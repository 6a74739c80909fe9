//! What is refused before anything is decided, and what a script asks back for.

use std::sync::Arc;
use std::time::Duration;

use countersign_model::{Channel, SystemClock};
use countersign_testing::redis::RedisServer;

use super::{RedisSettings, RedisStore, Workshop, patient, store};
use crate::code::CodeSource;
use crate::store::StoreError;
use crate::store::suite::bench::{BUDGET, Bench, MINUTE, WRONG, code, expect_verdict};
use crate::store::suite::{Engine, Setup};
use crate::store::{OpenVerdict, SendAgainVerdict, SessionStore};

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_redis_does_not_pass_for_one_in_which_nothing_was_used() {
    let shop = Workshop::new().await;
    let session = shop.bench.sent(&[Channel::Email]).await;
    assert_eq!(shop.server.cli(&["FLUSHALL"]).trim(), "OK");
    let open = shop.bench.store.open(shop.bench.opening(&[Channel::Email])).await;
    let verify = shop.bench.store.verify(shop.bench.verify_step(&session, &[(Channel::Email, WRONG)])).await;
    let find = shop.bench.store.find(shop.bench.scope, session.id()).await;
    assert!(matches!(open, Err(StoreError::Unavailable(_))), "{open:?}");
    assert!(matches!(verify, Err(StoreError::Unavailable(_))), "{verify:?}");
    assert!(matches!(find, Err(StoreError::Unavailable(_))), "{find:?}");
    assert_eq!(shop.dump().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_stops_sends_and_nothing_else() {
    let server = RedisServer::start();
    let bench = Bench::new(&async |setup: Setup| {
        let mut settings = RedisSettings::single(server.url());
        settings.log_max_events = 2;
        Engine { store: Arc::new(store(settings, &setup).await), dump: None, keep: Box::new(()) }
    })
    .await;
    let session = bench.sent(&[Channel::Email]).await;
    bench.clock.advance(MINUTE);
    for refused in [
        bench.store.open(bench.opening(&[Channel::Email])).await.map(drop),
        bench.store.resend(bench.resend_step(&session)).await.map(drop),
    ] {
        assert_eq!(refused, Err(StoreError::Unavailable("the log is full: nobody reads it".into())));
    }
    assert!(bench.judged(&session, &[(Channel::Email, code(Channel::Email))]).await.verified);
}

/// The time is Redis's own here: only then does a step have a last moment.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stood_still_does_not_do_afterwards_what_nobody_waits_for() {
    let server = RedisServer::start();
    let bench = Bench::new(&async |setup: Setup| {
        let settings = patient(RedisSettings::single(server.url()));
        let store = RedisStore::open(settings, Arc::clone(&setup.keys), Arc::new(SystemClock), setup.budget).unwrap();
        store.init_if_empty().await.unwrap();
        Engine { store: Arc::new(store), dump: None, keep: Box::new(()) }
    })
    .await;
    bench.sent(&[Channel::Email]).await;
    let mut hasty = RedisSettings::single(server.url());
    (hasty.per_try, hasty.deadline) = (Duration::from_millis(400), Duration::from_secs(1));
    let hasty = RedisStore::open(hasty, Arc::clone(&bench.keys), Arc::new(SystemClock), BUDGET).unwrap();
    let mut tries = 0;
    // From here on it is known how far the two clocks are apart, and there is a line.
    while hasty.examine().await.trouble().is_some() || hasty.admit(bench.guard()).await.is_err() {
        tries += 1;
        assert!(tries < 100, "{:?}", hasty.health());
    }

    server.freeze();
    let opened = hasty.open(bench.opening(&[Channel::Email])).await.map(drop);
    // Once this has been given up too, the last moment of the opening is long past.
    let admitted = hasty.admit(bench.guard()).await.map(drop);
    server.thaw();

    for refused in [opened, admitted] {
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }
    server.wait_for(&["INFO", "errorstats"], |told| told.contains("errorstat_CS:"));
    let sessions = server.cli(&["KEYS", "{*}s*"]);
    assert_eq!(sessions.trim().lines().count(), 1, "only the one before: {sessions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_of_any_form_and_generation_are_made_and_heard() {
    let shop = Workshop::new().await;
    for (length, shared) in [(8, true), (4, false), (6, true)] {
        let mut open = shop.bench.opening(&[Channel::Email, Channel::Sms]);
        open.session.policy.code_length = length;
        open.session.policy.shared_code = shared;
        open.session.users = Vec::new();
        open.session.codes = CodeSource::Seed(shop.bench.keys.sandbox_seed());
        let mut session = expect_verdict!(shop.bench.try_open(open).await, OpenVerdict::Opened(session) => *session);
        for generation in 1..=7 {
            shop.bench.clock.advance(MINUTE);
            let resent = shop.bench.try_resend(shop.bench.resend_step(&session)).await;
            session = expect_verdict!(resent, SendAgainVerdict::Sent(session, _) => *session);
            assert_eq!(session.generation(), generation);
        }
        let newest = shop.bench.new_code(&session, Channel::Sms);
        assert_eq!(newest.len(), usize::from(length));
        assert!(shop.bench.judged(&session, &[(Channel::Sms, &newest)]).await.verified, "{length} {shared}");
    }
}
