//! What goes wrong between the log and the records, and what is left of it.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::Retried;
use countersign_model::{Event, EventKind, LogEntry};
use countersign_records::{ListFilter, PoisonKind, SessionState};

use crate::bench::{Base, Bench, CODE, EMAIL, START, on_both, read_all};
use crate::scripted::Scripted;

/// The same entry with events one number later.
fn skipping(mut entry: LogEntry) -> LogEntry {
    for event in &mut entry.events {
        event.number += 1;
    }
    entry
}

on_both! {
    async fn an_entry_that_does_not_fit_is_set_aside_and_the_rest_goes_on(bench: Bench) {
        let (ann, bob) = (bench.sent().await, bench.sent().await);
        bench.guess(&ann, EMAIL, CODE).await;
        let mut log = bench.log().await;
        // Ann's message is accepted by an event that comes too early; what is told of her afterwards does not fit either.
        log[1] = skipping(log[1].clone());
        let sound = log[1].clone();
        let progress = read_all(&bench.projector_over(Arc::new(Scripted::of(log.clone())))).await;
        assert_eq!((progress.taken, progress.set_aside), (3, 2));
        let poison = bench.records.poison().list(10).await.unwrap();
        assert_eq!(poison.iter().map(|it| (it.sequence, it.kind)).collect::<Vec<_>>(), [(2, PoisonKind::Gap), (5, PoisonKind::Gap)]);
        assert_eq!(poison[0].error, "event 3 came where event 2 was due");
        assert_eq!(poison[0].aggregate, ann.id().to_string());
        assert_eq!(bench.recorded(ann.id()).await.status, SessionState::Pending);
        assert_eq!(bench.recorded(bob.id()).await.history.len(), 16);
        assert_eq!(bench.metric("countersign_log_poison"), "2");
        assert_eq!(bench.metric("countersign_log_entries_total{outcome=\"gap\"}"), "2");

        let again = bench.projector().retry(sound.partition, 2, sound.at).await.unwrap();
        assert_eq!(again, Retried::Still("event 3 came where event 2 was due".to_owned()));
        assert_eq!(bench.projector().retry(sound.partition, 3, sound.at).await.unwrap(), Retried::Unknown);
    }

    async fn an_entry_that_was_set_aside_is_taken_in_when_what_it_lacked_has_come(bench: Bench) {
        let ann = bench.sent().await;
        bench.guess(&ann, EMAIL, CODE).await;
        let log = bench.log().await;
        let scripted = Arc::new(Scripted::of([log[1].clone(), log[0].clone(), log[2].clone()]));
        let progress = read_all(&bench.projector_over(scripted)).await;
        assert_eq!((progress.taken, progress.set_aside), (1, 2));
        for sequence in [1, 3] {
            let retried = bench.projector().retry(log[0].partition, sequence, log[0].at).await.unwrap();
            assert_eq!(retried, Retried::TakenIn);
        }
        assert_eq!(bench.recorded(ann.id()).await.status, SessionState::Verified);
        assert_eq!(bench.records.poison().count().await.unwrap(), 0);
    }

    async fn a_message_that_nobody_knows_sets_its_entry_aside_whole(bench: Bench) {
        let ann = bench.sent().await;
        let mut log = bench.log().await;
        let message = countersign_model::MessageId::from_bits(5);
        let stray = EventKind::MessageFailed { message, channel: EMAIL, reason: countersign_model::FailureReason::Refused };
        log[1].events.push(Event { number: 3, kind: stray });
        read_all(&bench.projector_over(Arc::new(Scripted::of(log)))).await;
        assert_eq!(bench.records.poison().list(1).await.unwrap()[0].kind, PoisonKind::Gap);
        assert_eq!(bench.recorded(ann.id()).await.history.len(), 8, "half of the entry was taken in");
    }

    async fn a_log_that_lost_its_end_is_read_again_and_what_is_known_is_passed_over(bench: Bench) {
        let (ann, _) = (bench.sent().await, bench.sent().await);
        let log = bench.log().await;
        let scripted = Arc::new(Scripted::of(log.clone()));
        let projector = bench.projector_over(scripted.clone());
        assert_eq!(read_all(&projector).await.taken, 4);
        // The last entry is lost. Another one comes in its place, so that the log seems as long as before.
        bench.guess(&ann, EMAIL, CODE).await;
        let verified = bench.log().await.pop().unwrap();
        scripted.say(log[..3].iter().cloned().chain([verified]));
        let progress = read_all(&projector).await;
        assert_eq!((progress.taken, progress.known, progress.set_aside), (1, 3, 0));
        assert_eq!(bench.recorded(ann.id()).await.status, SessionState::Verified);
        // And it may end before the cursor.
        scripted.say(log[..2].iter().cloned());
        assert_eq!(read_all(&projector).await.known, 2);
        assert_eq!(bench.metric("countersign_log_rewinds_total"), "2");
        let total = bench.records.messages().page(&ListFilter::all(bench.realm()), None, 0, 1).await.unwrap().total;
        assert_eq!(total, 2, "nothing was taken in twice");
    }

    async fn another_story_under_a_known_number_is_an_alarm(bench: Bench) {
        let ann = bench.sent().await;
        let mut log = bench.log().await;
        let scripted = Arc::new(Scripted::of(log.clone()));
        let projector = bench.projector_over(scripted.clone());
        read_all(&projector).await;
        log[1].events[0].kind = EventKind::SessionCanceled;
        scripted.say(log);
        let progress = read_all(&projector).await;
        assert_eq!((progress.taken, progress.known, progress.set_aside), (0, 1, 1));
        assert_eq!(bench.records.poison().list(1).await.unwrap()[0].kind, PoisonKind::Fork);
        assert_eq!(bench.recorded(ann.id()).await.status, SessionState::Pending, "the first story stands");
        assert_eq!(bench.metric("countersign_log_entries_total{outcome=\"fork\"}"), "1");
    }

    async fn a_log_is_trimmed_only_of_what_was_read_and_is_old(bench: Bench) {
        bench.sent().await;
        let scripted = Arc::new(Scripted::of(bench.log().await));
        let projector = bench.projector_over(scripted.clone());
        read_all(&projector).await;
        bench.clock.advance(Duration::from_secs(30));
        read_all(&projector).await;
        bench.clock.advance(Duration::from_secs(30));
        read_all(&projector).await;
        let partition = bench.tenant.partition();
        let asked: Vec<_> = scripted.trimmed.lock().unwrap().iter().filter(|it| it.0 == partition).copied().collect();
        let kept = Duration::from_mins(10);
        let later = START.plus(Duration::from_secs(60));
        assert_eq!(asked, [(partition, 0, START.minus(kept)), (partition, 2, later.minus(kept))]);
    }

    async fn the_lag_is_the_age_of_what_is_not_read_yet(bench: Bench) {
        bench.sent().await;
        bench.clock.advance(Duration::from_secs(40));
        let projector = bench.projector();
        projector.round().await.unwrap();
        assert_eq!(bench.metric("countersign_log_lag_seconds{partition=\"5\"}"), "40.0");
        assert_eq!(bench.metric("countersign_log_behind{partition=\"5\"}"), "2");
        projector.round().await.unwrap();
        assert_eq!(bench.metric("countersign_log_lag_seconds{partition=\"5\"}"), "0.0");
        assert_eq!(bench.metric("countersign_log_behind{partition=\"5\"}"), "0");
    }

    async fn a_projector_that_is_cut_off_at_any_moment_loses_nothing_and_repeats_nothing(bench: Bench) {
        for _ in 0..150 {
            let session = bench.sent().await;
            bench.guess(&session, EMAIL, CODE).await;
        }
        bench.endpoint("https://example.com/", &[]).await;
        let mut cut_off = 0;
        for patience in 0..200 {
            bench.clock.advance(Duration::from_secs(5));
            let projector = bench.projector();
            // Polled so many times, then dropped wherever it stands.
            let mut round = Box::pin(async move { projector.round().await.unwrap() });
            let done = std::future::poll_fn(|context| {
                for _ in 0..patience * 3 {
                    if let std::task::Poll::Ready(done) = round.as_mut().poll(context) {
                        return std::task::Poll::Ready(Some(done));
                    }
                }
                std::task::Poll::Ready(None)
            });
            match done.await {
                None => cut_off += 1,
                Some(progress) if progress.taken == 0 && !progress.more => break,
                Some(_) => {}
            }
        }
        bench.clock.advance(Duration::from_secs(5));
        bench.project().await;
        assert!(cut_off > 0);
        let filter = ListFilter::all(bench.realm());
        assert_eq!(bench.records.sessions().page(&filter, 0, 1).await.unwrap().total, 150);
        assert_eq!(bench.records.webhook_deliveries().count_pending(10_000).await.unwrap(), 450);
        assert_eq!(bench.records.poison().count().await.unwrap(), 0);
    }
}

/// What one database takes the other may refuse: a NUL is no text to PostgreSQL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_the_database_refuses_is_set_aside_and_its_neighbours_are_not() {
    let bench = Bench::on(Base::postgres()).await;
    for _ in 0..20 {
        bench.sent().await;
    }
    let mut log = bench.log().await;
    let EventKind::SessionCreated(facts) = &mut log[12].events[0].kind else { panic!("{:?}", log[12]) };
    facts.purpose = "a\0b".to_owned();
    let progress = read_all(&bench.projector_over(Arc::new(Scripted::of(log)))).await;
    // The entry after it, on the same session, lacks it.
    assert_eq!((progress.taken, progress.set_aside), (38, 2));
    let poison = bench.records.poison().list(9).await.unwrap();
    assert_eq!((poison[0].kind, poison[0].error.as_str()), (PoisonKind::Refused, "the database refuses its values (code 22021)"));
    let total = bench.records.sessions().page(&ListFilter::all(bench.realm()), 0, 1).await.unwrap().total;
    assert_eq!(total, 19);
}
