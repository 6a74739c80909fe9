//! How a bind comes about, is kept, and ends.

use tokio::task::JoinHandle;

use super::centre::{BIND_RECEIVER, BIND_TRANSMITTER, ENQUIRE, RESPONSE};
use super::*;

/// Lets time pass at once. Nothing that has a deadline may be on its way meanwhile: it would be too late.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

/// A script by how a bind is answered.
macro_rules! refuses_bind {
    ($status:literal) => {
        |frame, before| if frame.id == BIND_TRANSCEIVER { reply(frame, $status, b"") } else { polite(frame, before) }
    };
}

#[tokio::test]
async fn all_messages_share_one_bind() {
    let centre = Centre::start(polite).await;
    let provider = provider(&config(centre.port));
    let sends: Vec<_> = (0..50)
        .map(|_| {
            let provider = Arc::clone(&provider);
            tokio::spawn(async move { provider.send(&sms()).await })
        })
        .collect();
    let mut ids = std::collections::BTreeSet::new();
    for send in sends {
        let TryOutcome::Accepted { provider_id: Some(id) } = send.await.unwrap() else { panic!("not accepted") };
        ids.insert(id);
    }
    assert_eq!((centre.connections(), centre.of(SUBMIT).len(), ids.len()), (1, 50, 50));
}

#[tokio::test]
async fn a_bind_that_is_refused_is_the_operators_to_mend() {
    let cases: [(Script, &str, Option<u32>); 5] = [
        (refuses_bind!(0x0D), "misconfigured", None),
        (refuses_bind!(0x0E), "misconfigured", None),
        (refuses_bind!(0x0F), "misconfigured", None),
        (refuses_bind!(0x58), "throttled", Some(0x58)),
        (refuses_bind!(0x05), "unreachable", Some(0x05)),
    ];
    for (script, label, told) in cases {
        let centre = Centre::start(script).await;
        let provider = provider(&config(centre.port));
        assert_eq!(provider.send(&sms()).await.label(), label);
        let address = format!("127.0.0.1:{}", centre.port);
        let expected = match told {
            Some(status) => CheckError::Answer { address, diagnostic: Diagnostic::Smpp(status) },
            None => CheckError::Credentials { address },
        };
        assert_eq!(provider.check().await, Err(expected));
        assert_eq!(centre.of(SUBMIT), []);
    }
}

#[tokio::test]
async fn a_check_binds_and_takes_its_leave_and_sends_nothing() {
    let centre = Centre::start(polite).await;
    let provider = provider(&config(centre.port));
    assert_eq!(provider.check().await, Ok(()));
    centre.until(UNBIND, 1).await;
    assert_eq!((centre.of(BIND_TRANSCEIVER).len(), centre.of(UNBIND).len(), centre.of(SUBMIT).len()), (1, 1, 0));
    assert_eq!(provider.send(&sms()).await.label(), "accepted");
    assert_eq!(provider.check().await, Ok(()));
    assert_eq!((centre.connections(), centre.of(ENQUIRE).len()), (2, 1), "it asks over the bind that stands");
}

#[tokio::test]
async fn a_bind_that_ended_is_made_anew_by_the_next_message() {
    let centre = Centre::start(polite).await;
    let provider = provider(&config(centre.port));
    assert_eq!(provider.send(&sms()).await.label(), "accepted");
    centre.push(pdu(UNBIND, 0, 77, b""));
    let goodbye = centre.until(RESPONSE | UNBIND, 1).await;
    assert_eq!((goodbye.status, goodbye.sequence), (0, 77));
    assert_eq!(provider.send(&sms()).await.label(), "accepted");
    assert_eq!(centre.connections(), 2);
}

#[tokio::test]
async fn a_message_whose_bind_ended_under_it_is_unclear() {
    let centre = Centre::start(|frame, before| if frame.id == SUBMIT { Act::Nothing } else { polite(frame, before) }).await;
    let provider = provider(&config(centre.port));
    let send = tokio::spawn(async move { provider.send(&sms()).await });
    centre.until(SUBMIT, 1).await;
    centre.push(Vec::new());
    assert_eq!(send.await.unwrap().label(), "unclear");
}

#[tokio::test]
async fn a_full_window_throttles_and_an_answer_makes_room() {
    let centre = Centre::start(|frame, before| if frame.id == SUBMIT { Act::Nothing } else { polite(frame, before) }).await;
    let provider = provider(&Config { window: 1, enquire_link_seconds: 3600, ..config(centre.port) });
    let first = {
        let provider = Arc::clone(&provider);
        tokio::spawn(async move { provider.send(&sms()).await })
    };
    let waiting = centre.until(SUBMIT, 1).await;
    // Nothing goes over the line now, so the clock may go on to the end of all patience.
    tokio::time::pause();
    assert_eq!(provider.send(&sms()).await, TryOutcome::Throttled(Diagnostic::Note("the window stayed full")));
    tokio::time::resume();
    assert_eq!(centre.of(SUBMIT).len(), 1);
    centre.push(pdu(0x8000_0004, 0, waiting.sequence, b"one\0"));
    assert_eq!(first.await.unwrap().label(), "accepted");
    let second = tokio::spawn(async move { provider.send(&sms()).await });
    let waiting = centre.until(SUBMIT, 2).await;
    centre.push(pdu(0x8000_0004, 0, waiting.sequence, b"two\0"));
    assert_eq!(second.await.unwrap().label(), "accepted");
}

#[tokio::test]
async fn a_silent_line_is_tried_and_a_dead_one_is_given_up() {
    let centre = Centre::start(polite).await;
    let living = provider(&config(centre.port));
    assert_eq!(living.send(&sms()).await.label(), "accepted");
    let dead = Centre::start(|frame, before| if frame.id == ENQUIRE { Act::Nothing } else { polite(frame, before) }).await;
    let given_up = provider(&config(dead.port));
    assert_eq!(given_up.send(&sms()).await.label(), "accepted");
    pass(31).await;
    centre.until(ENQUIRE, 1).await;
    dead.until(ENQUIRE, 1).await;
    assert_eq!(living.check().await, Ok(()), "the answer before this one was heard, too");
    pass(11).await;
    assert_eq!(living.send(&sms()).await.label(), "accepted");
    assert_eq!(given_up.send(&sms()).await.label(), "accepted");
    assert_eq!((centre.connections(), dead.connections()), (1, 2));
}

#[tokio::test]
async fn the_centre_may_try_the_line_and_what_it_says_unasked_is_answered() {
    let centre = Centre::start(polite).await;
    let provider = provider(&config(centre.port));
    assert_eq!(provider.send(&sms()).await.label(), "accepted");
    centre.push(pdu(ENQUIRE, 0, 41, b""));
    let answer = centre.until(RESPONSE | ENQUIRE, 1).await;
    assert_eq!((answer.status, answer.sequence), (0, 41));
    centre.push(pdu(0x0102, 0, 42, b"whatever"));
    centre.push(pdu(0x7777, 0, 43, b"whatever"));
    let nack = centre.until(RESPONSE, 1).await;
    assert_eq!((nack.status, nack.sequence), (3, 43));
}

#[tokio::test]
async fn two_connections_are_bound_each_for_its_way() {
    let centre = Centre::start(polite).await;
    let provider = provider(&Config { bind: Bind::Pair, ..config(centre.port) });
    let kept = {
        let provider = Arc::clone(&provider);
        tokio::spawn(async move { provider.keep_up().await })
    };
    let back = centre.until(BIND_RECEIVER, 1).await;
    let out = centre.until(BIND_TRANSMITTER, 1).await;
    assert_ne!(back.connection, out.connection);
    assert_eq!(provider.send(&sms()).await.label(), "accepted");
    assert_eq!(centre.of(SUBMIT)[0].connection, out.connection);
    assert_eq!((provider.check().await, centre.connections()), (Ok(()), 2));
    kept.abort();
    assert!(kept.await.unwrap_err().is_cancelled());
    drop(provider);
    centre.until(UNBIND, 2).await;
}

#[tokio::test]
async fn what_is_kept_up_binds_again_when_its_bind_ended() {
    let centre = Centre::start(polite).await;
    let provider = provider(&config(centre.port));
    tokio::spawn(async move { provider.keep_up().await });
    let first = centre.until(BIND_TRANSCEIVER, 1).await;
    centre.push(Vec::new());
    let second = centre.until(BIND_TRANSCEIVER, 2).await;
    assert_ne!(first.connection, second.connection);
}

#[tokio::test]
async fn what_is_kept_up_rests_longer_the_longer_it_goes_wrong() {
    let trap = LogTrap::set();
    let centre = Centre::start(refuses_bind!(0x08)).await;
    let provider = provider(&config(centre.port));
    tokio::spawn(async move { provider.keep_up().await });
    let mut last = centre.until(BIND_TRANSCEIVER, 1).await;
    for (number, rest) in (1..).zip([1, 2, 4, 8, 16, 32, 60, 60]) {
        // The refusal was heard: the rest has begun.
        while trap.log().matches("not bound").count() < number {
            tokio::task::yield_now().await;
        }
        pass(rest).await;
        let next = centre.until(BIND_TRANSCEIVER, number + 1).await;
        assert!(next.at - last.at >= Duration::from_secs(rest), "{number}: {:?}", next.at - last.at);
        last = next;
    }
}

#[tokio::test]
async fn many_messages_do_not_each_try_a_centre_that_has_just_refused() {
    let centre = Centre::start(refuses_bind!(0x0D)).await;
    let provider = provider(&config(centre.port));
    for _ in 0..20 {
        assert_eq!(provider.send(&sms()).await.label(), "misconfigured");
    }
    assert_eq!(centre.connections(), 1);
    pass(2).await;
    assert_eq!(provider.send(&sms()).await.label(), "misconfigured");
    assert_eq!(centre.connections(), 2);
}

/// A centre that never answers the first message.
fn forgets_the_first(frame: &Frame, before: usize) -> Act {
    if frame.id == SUBMIT && before == 0 { Act::Nothing } else { polite(frame, before) }
}

/// A message that is on its way to the centre.
async fn under_way(provider: &Arc<dyn Provider>, centre: &Centre) -> JoinHandle<&'static str> {
    let provider = Arc::clone(provider);
    let send = tokio::spawn(async move { provider.send(&sms()).await.label() });
    centre.until(SUBMIT, 1).await;
    send
}

#[tokio::test]
async fn an_answer_that_never_comes_gives_its_place_in_the_window_back() {
    let centre = Centre::start(forgets_the_first).await;
    let provider = provider(&Config { window: 1, ..config(centre.port) });
    let forgotten = under_way(&provider, &centre).await;
    pass(31).await;
    assert_eq!(provider.check().await, Ok(()), "the line is not silent");
    pass(31).await;
    assert_eq!(forgotten.await.unwrap(), "unclear");
    assert_eq!(provider.send(&sms()).await.label(), "accepted");
    assert_eq!((centre.connections(), centre.of(SUBMIT).len()), (1, 2), "the bind stands all the while");
}

#[tokio::test]
async fn a_place_in_the_window_comes_back_though_the_centre_never_falls_silent() {
    let centre = Centre::start(forgets_the_first).await;
    let provider = provider(&Config { window: 1, ..config(centre.port) });
    let forgotten = under_way(&provider, &centre).await;
    for second in 1..=90 {
        centre.push(pdu(ENQUIRE, 0, 100, b""));
        centre.until(RESPONSE | ENQUIRE, second).await;
        pass(1).await;
    }
    assert_eq!(forgotten.await.unwrap(), "unclear");
    assert_eq!(provider.send(&sms()).await.label(), "accepted");
    assert_eq!((centre.connections(), centre.of(SUBMIT).len()), (1, 2), "the bind stands all the while");
}

#[tokio::test]
async fn the_parts_of_a_message_wait_for_each_other_where_the_window_is_narrow() {
    let centre = Centre::start(polite).await;
    let outcome = provider(&Config { window: 1, ..config(centre.port) }).send(&long("Acme ")).await;
    assert_eq!(outcome, TryOutcome::Accepted { provider_id: Some("id-1 id-2".to_owned()) });
}
