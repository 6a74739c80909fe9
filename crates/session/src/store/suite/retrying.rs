//! What follows a message that did not arrive, or of which nobody says that it did.

use std::time::Duration;

use countersign_model::{
    Attempt, Channel, EventKind, MessageId, MessageStatus, ProviderName, ReceiptFailover, ReceiptPolicy, ReceiptWaits, Report,
    Undelivered, VerificationMode,
};

use super::bench::{Bench, LEASE, MINUTE, POLICY, SECOND, UNREACHABLE, WRONG, accepted, code, expect_verdict, fresh, unclear};
use super::receipts::{changed, receipt};
use crate::session::{Delivery, Instead, Session, SessionStatus, Turn};
use crate::store::{Advance, Lapse, LapseVerdict, Open, OpenVerdict, SendAgainVerdict};

const SMS: Channel = Channel::Sms;
const WHATSAPP: Channel = Channel::Whatsapp;
const BAD: Report = Report::Undelivered(Undelivered::Unknown);
/// How long the receipt of an SMS may take where nobody says.
pub(super) const WAIT: Duration = Duration::from_secs(45);

pub(super) fn opening(bench: &Bench, failover: ReceiptFailover) -> Open {
    let mut open = bench.opening(&[SMS]);
    open.session.policy.receipts = ReceiptPolicy { failover, waits: ReceiptWaits::default() };
    open
}

/// A session whose SMS was accepted.
pub(super) async fn sent(bench: &Bench, failover: ReceiptFailover) -> Session {
    let session = bench.open(opening(bench, failover)).await;
    bench.accept(&session).await
}

/// The same with a fallback that is not due for a long time.
async fn with_fallback(bench: &Bench, failover: ReceiptFailover) -> Session {
    let mut open = opening(bench, failover);
    open.session.fallback = vec![bench.planned(WHATSAPP, MINUTE * 9)];
    let session = bench.open(open).await;
    bench.accept(&session).await
}

fn message(session: &Session) -> MessageId {
    session.challenges()[0].message.id
}

pub(super) fn step(bench: &Bench, session: &Session, by: Instead) -> Advance {
    Advance { turn: Turn::Instead { of: message(session), by }, ..bench.advance_step(session) }
}

async fn instead(bench: &Bench, session: &Session, by: Instead) -> SendAgainVerdict {
    fresh(bench.store.advance(step(bench, session, by)).await.unwrap())
}

pub(super) async fn retried(bench: &Bench, session: &Session) -> Session {
    expect_verdict!(instead(bench, session, Instead::Provider).await, SendAgainVerdict::Sent(session, channels) => {
        assert_eq!(channels, [SMS]);
        *session
    })
}

/// Whether it is due, and what it asks for. An engine may ask too early, and never too late.
async fn asks(bench: &Bench, session: &Session) -> (bool, LapseVerdict) {
    let due = async || bench.store.due(10).await.unwrap().contains(&(bench.scope, session.id()));
    let was_due = due().await;
    let verdict = bench.lapse(session).await;
    assert!(was_due || verdict == LapseVerdict::Settled, "nobody would have come for {verdict:?}");
    (due().await, verdict)
}

fn overdue(session: &Session) -> LapseVerdict {
    LapseVerdict::Undelivered { message: message(session), channel: SMS }
}

const NOTHING: (bool, LapseVerdict) = (false, LapseVerdict::Settled);

pub async fn a_missing_receipt_is_asked_for_at_its_time(bench: Bench) {
    let session = sent(&bench, ReceiptFailover::Provider).await;
    bench.clock.advance(WAIT - SECOND);
    assert_eq!(asks(&bench, &session).await, NOTHING);
    bench.clock.advance(SECOND);
    assert_eq!(asks(&bench, &session).await, (true, overdue(&session)));
    assert_eq!(bench.find(&session).await.awaited(message(&session), bench.now()), Some(SMS));
    assert_eq!(asks(&bench, &session).await, (true, overdue(&session)), "until something is done about it");
}

pub async fn every_channel_has_a_wait_of_its_own(bench: Bench) {
    for channel in Channel::ALL {
        let mut open = bench.opening(&[channel]);
        let waits = ReceiptWaits::from_fn(|channel| 10 * u16::from(channel.tag()));
        open.session.policy.receipts = ReceiptPolicy { failover: ReceiptFailover::Channel, waits };
        let session = bench.open(open).await;
        let session = bench.accept(&session).await;
        bench.clock.advance(SECOND * (10 * u32::from(channel.tag()) - 1));
        assert_eq!(asks(&bench, &session).await, NOTHING);
        bench.clock.advance(SECOND);
        let missing = LapseVerdict::Undelivered { message: message(&session), channel };
        assert_eq!(asks(&bench, &session).await, (true, missing));
    }
}

pub async fn a_message_that_arrived_is_not_asked_for(bench: Bench) {
    let session = sent(&bench, ReceiptFailover::Provider).await;
    changed(&bench, receipt(&session, SMS, Report::Delivered)).await;
    bench.clock.advance(WAIT);
    assert_eq!(bench.lapse(&session).await, LapseVerdict::Settled);
    assert_eq!(asks(&bench, &session).await, NOTHING);
}

pub async fn a_receipt_that_came_early_needs_no_waiting(bench: Bench) {
    let early = bench.open(opening(&bench, ReceiptFailover::Provider)).await;
    changed(&bench, receipt(&early, SMS, Report::Delivered)).await;
    bench.accept(&early).await;
    let late = bench.open(opening(&bench, ReceiptFailover::Provider)).await;
    changed(&bench, receipt(&late, SMS, BAD)).await;
    assert_eq!(asks(&bench, &late).await, NOTHING, "it is still being handed over");
    bench.accept(&late).await;
    assert_eq!(asks(&bench, &late).await, (true, overdue(&late)));
    bench.clock.advance(WAIT);
    assert_eq!(asks(&bench, &early).await, NOTHING);
}

pub async fn a_bad_receipt_asks_at_once_where_anything_can_follow(bench: Bench) {
    for (session, asked) in [
        (sent(&bench, ReceiptFailover::Provider).await, true),
        (sent(&bench, ReceiptFailover::None).await, false),
        (with_fallback(&bench, ReceiptFailover::None).await, true),
    ] {
        let told = changed(&bench, receipt(&session, SMS, BAD)).await;
        assert_eq!(told.awaited(message(&session), bench.now()), asked.then_some(SMS));
        assert_eq!(asks(&bench, &session).await, if asked { (true, overdue(&session)) } else { NOTHING });
    }
}

pub async fn where_nobody_asks_for_it_no_receipt_is_missed(bench: Bench) {
    let session = with_fallback(&bench, ReceiptFailover::None).await;
    bench.clock.advance(MINUTE * 6);
    assert_eq!(asks(&bench, &session).await, NOTHING);
    let mut instant = opening(&bench, ReceiptFailover::Provider);
    instant.session.challenges[0].instant = Some(ProviderName::new("console"));
    let instant = bench.open(instant).await;
    let unsure = bench.open(opening(&bench, ReceiptFailover::Provider)).await;
    bench.record(&unsure, &[(SMS, unclear())]).await;
    bench.clock.advance(WAIT);
    assert_eq!(asks(&bench, &instant).await, NOTHING, "its provider has no more to say");
    assert_eq!(asks(&bench, &unsure).await, NOTHING, "what may have gone out is not repeated by itself");
}

pub async fn a_retry_sends_a_new_code_beside_the_old_one(bench: Bench) {
    let session = sent(&bench, ReceiptFailover::Provider).await;
    bench.clock.advance(WAIT);
    let retry = retried(&bench, &session).await;
    let newest = &retry.challenges()[0].message;
    assert_eq!((retry.challenges().len(), &newest.attempt, newest.status), (1, &Attempt::Sending, MessageStatus::Pending));
    assert_eq!((retry.expires_at(), retry.generation()), (session.expires_at(), session.generation() + 1));
    assert_eq!(retry.passed_over(SMS), [ProviderName::new("house")]);
    assert_eq!(asks(&bench, &session).await, NOTHING, "the wait is over with the step that begins the retry");
    let retry = bench.accept(&retry).await;
    let started = EventKind::RetryStarted { message: message(&retry), channel: SMS };
    assert_eq!(bench.story(&session).await[2..3], [started]);
    assert_eq!(bench.names(&session).await[2..], ["session.retry", "message.sent"]);
    bench.clock.advance(WAIT);
    assert_eq!(asks(&bench, &retry).await, (true, overdue(&retry)), "the retry is waited for like any message");
    assert!(bench.judged(&session, &[(SMS, code(SMS))]).await.session_verified, "the old code is still good");

    let other = sent(&bench, ReceiptFailover::Provider).await;
    bench.clock.advance(WAIT);
    let other = retried(&bench, &other).await;
    let other = bench.accept(&other).await;
    let new_code = bench.new_code(&other, SMS);
    assert!(bench.judged(&other, &[(SMS, &new_code)]).await.session_verified, "and so is the new one");
}

pub async fn a_retry_of_which_nothing_went_out_leaves_the_session_open(bench: Bench) {
    for mode in [VerificationMode::Any, VerificationMode::All] {
        let mut open = opening(&bench, ReceiptFailover::Provider);
        open.session.policy.verification_mode = mode;
        let session = bench.open(open).await;
        let session = bench.accept(&session).await;
        bench.clock.advance(WAIT);
        let retry = retried(&bench, &session).await;
        let (after, delivery) = bench.record(&retry, &[(SMS, UNREACHABLE)]).await;
        assert_eq!((delivery, after.status(bench.now())), (Delivery::NothingSent, SessionStatus::Pending));
        assert!(bench.judged(&session, &[(SMS, code(SMS))]).await.session_verified);
    }
}

pub async fn a_retry_is_paid_for_like_any_message(bench: Bench) {
    bench.credit(1, "0.25").await;
    let mut open = opening(&bench, ReceiptFailover::Provider);
    open.session.billing = Some(crate::session::Billing { fee: "0.05".parse().unwrap(), low_at: None });
    open.session.challenges[0].cost = "0.1".parse().unwrap();
    let session = bench.open(open).await;
    let session = bench.accept(&session).await;
    assert_eq!(bench.balance().await, ("0.10".to_owned(), "0.00".to_owned()));
    bench.clock.advance(WAIT);
    let retry = retried(&bench, &session).await;
    assert_eq!(bench.balance().await, ("0.10".to_owned(), "0.10".to_owned()));
    let retry = bench.accept(&retry).await;
    assert_eq!(bench.balance().await, ("0.00".to_owned(), "0.00".to_owned()));
    bench.clock.advance(WAIT);
    expect_verdict!(instead(&bench, &retry, Instead::Provider).await, SendAgainVerdict::InsufficientBalance(_) => ());
    assert_eq!(asks(&bench, &retry).await, NOTHING, "what cannot be paid for is not asked for again");
}

pub async fn no_more_than_four_retries_are_made_until_a_resend(bench: Bench) {
    let mut session = sent(&bench, ReceiptFailover::Provider).await;
    let names = ["house", "b", "c", "d", "e"].map(ProviderName::new);
    for nth in 1..5 {
        bench.clock.advance(WAIT);
        let retry = retried(&bench, &session).await;
        assert_eq!(retry.passed_over(SMS), names[..nth]);
        let took = Attempt::Accepted { provider: names[nth].clone(), provider_id: None };
        session = bench.record(&retry, &[(SMS, took)]).await.0;
    }
    bench.clock.advance(WAIT);
    expect_verdict!(instead(&bench, &session, Instead::Provider).await, SendAgainVerdict::NoFallback(_) => ());
    let resent = bench.resent(&session).await;
    assert_eq!(resent.passed_over(SMS), []);
    let resent = bench.accept(&resent).await;
    bench.clock.advance(WAIT);
    assert_eq!(retried(&bench, &resent).await.passed_over(SMS), names[..1]);
}

pub async fn a_receipt_for_the_message_before_ends_the_waiting_for_its_retry(bench: Bench) {
    let session = sent(&bench, ReceiptFailover::Provider).await;
    bench.clock.advance(WAIT);
    let retry = retried(&bench, &session).await;
    let retry = bench.accept(&retry).await;
    let told = changed(&bench, receipt(&session, SMS, Report::Delivered)).await;
    assert_eq!(told.challenges()[0].status(), MessageStatus::Sent);
    bench.clock.advance(WAIT);
    assert_eq!(bench.lapse(&retry).await, LapseVerdict::Settled);
}

pub async fn another_channel_follows_in_place_of_a_message(bench: Bench) {
    for failover in [ReceiptFailover::None, ReceiptFailover::Channel] {
        let session = with_fallback(&bench, failover).await;
        changed(&bench, receipt(&session, SMS, BAD)).await;
        let after = expect_verdict!(instead(&bench, &session, Instead::Channel).await, SendAgainVerdict::Sent(after, channels) => {
            assert_eq!(channels, [WHATSAPP]);
            *after
        });
        assert_eq!((after.challenges().len(), after.next_fallback()), (2, None));
        assert_eq!(asks(&bench, &session).await, NOTHING);
        assert!(bench.judged(&session, &[(SMS, code(SMS))]).await.session_verified);
    }
}

pub async fn no_channel_follows_one_that_another_has_followed_already(bench: Bench) {
    for failover in [ReceiptFailover::None, ReceiptFailover::Channel] {
        let mut open = opening(&bench, failover);
        open.session.fallback = vec![bench.planned(WHATSAPP, MINUTE), bench.planned(Channel::Voice, MINUTE * 9)];
        let session = bench.open(open).await;
        let session = bench.accept(&session).await;
        let next = fresh(bench.store.advance(bench.advance_step(&session)).await.unwrap());
        expect_verdict!(next, SendAgainVerdict::Sent(_, channels) => assert_eq!(channels, [WHATSAPP]));
        changed(&bench, receipt(&session, SMS, BAD)).await;
        expect_verdict!(instead(&bench, &session, Instead::Channel).await, SendAgainVerdict::NoFallback(_) => ());
        assert_eq!(bench.find(&session).await.next_fallback(), Some(Channel::Voice), "its own time brings it");
    }
}

pub async fn nothing_follows_a_message_for_which_nobody_waits(bench: Bench) {
    let session = with_fallback(&bench, ReceiptFailover::Provider).await;
    for by in [Instead::Provider, Instead::Channel] {
        expect_verdict!(instead(&bench, &session, by).await, SendAgainVerdict::NoFallback(_) => ());
    }
    bench.clock.advance(WAIT);
    let retry = retried(&bench, &session).await;
    for by in [Instead::Provider, Instead::Channel] {
        expect_verdict!(instead(&bench, &session, by).await, SendAgainVerdict::NoFallback(_) => ());
    }
    assert_eq!(bench.find(&session).await, retry);
    let alone = sent(&bench, ReceiptFailover::Channel).await;
    bench.clock.advance(WAIT);
    expect_verdict!(instead(&bench, &alone, Instead::Channel).await, SendAgainVerdict::NoFallback(_) => ());
}

pub async fn what_is_given_up_is_not_asked_for_again(bench: Bench) {
    let session = sent(&bench, ReceiptFailover::Channel).await;
    changed(&bench, receipt(&session, SMS, BAD)).await;
    let lapse = |given_up| Lapse { scope: bench.scope, session: session.id(), given_up };
    let wrong = MessageId::from_bits(7);
    assert_eq!(bench.store.lapse(lapse(Some(wrong))).await, Ok(overdue(&session)), "that is another message");
    assert_eq!(bench.store.lapse(lapse(Some(message(&session)))).await, Ok(LapseVerdict::Settled));
    assert_eq!(asks(&bench, &session).await, NOTHING);
    let message = bench.find(&session).await.challenges()[0].message.clone();
    assert_eq!((message.status, message.undelivered), (MessageStatus::Failed, Some(Undelivered::Unknown)));
}

pub async fn nothing_follows_in_a_session_that_is_over(bench: Bench) {
    let mut sessions = Vec::new();
    for _ in 0..4 {
        let mut open = opening(&bench, ReceiptFailover::Provider);
        open.session.policy.receipts.waits = ReceiptWaits::default().with(SMS, 600);
        let session = bench.open(open).await;
        let session = bench.accept(&session).await;
        sessions.push(changed(&bench, receipt(&session, SMS, BAD)).await);
    }
    let [locked, verified, canceled, expired] = &sessions[..] else { panic!("{sessions:?}") };
    for _ in 0..3 {
        bench.judged(locked, &[(SMS, WRONG)]).await;
    }
    bench.judged(verified, &[(SMS, code(SMS))]).await;
    bench.cancel(canceled).await;
    for session in [locked, verified, canceled] {
        assert_eq!(bench.lapse(session).await, LapseVerdict::Settled);
        assert_eq!(bench.find(session).await.awaited(message(session), bench.now()), None);
    }
    expect_verdict!(instead(&bench, locked, Instead::Provider).await, SendAgainVerdict::Locked(_) => ());
    expect_verdict!(instead(&bench, verified, Instead::Provider).await, SendAgainVerdict::NoFallback(_) => ());
    expect_verdict!(instead(&bench, canceled, Instead::Provider).await, SendAgainVerdict::Canceled(_) => ());
    bench.clock.advance(POLICY.life);
    assert_eq!(bench.lapse(expired).await, LapseVerdict::Settled);
    expect_verdict!(instead(&bench, expired, Instead::Provider).await, SendAgainVerdict::Expired(_) => ());
    for session in &sessions {
        assert!(!bench.names(session).await.contains(&"session.retry"));
    }
}

pub async fn a_proved_channel_is_not_sent_to_again(bench: Bench) {
    let mut open = bench.opening(&[Channel::Email, SMS]);
    open.session.policy.receipts.failover = ReceiptFailover::Provider;
    open.session.policy.verification_mode = VerificationMode::All;
    let session = bench.open(open).await;
    let session = bench.accept(&session).await;
    bench.judged(&session, &[(SMS, code(SMS))]).await;
    bench.clock.advance(MINUTE * 5);
    let email = LapseVerdict::Undelivered { message: message(&session), channel: Channel::Email };
    assert_eq!(bench.lapse(&session).await, email);
}

pub async fn a_retry_repeated_with_its_step_answers_the_same(bench: Bench) {
    let session = sent(&bench, ReceiptFailover::Provider).await;
    bench.clock.advance(WAIT);
    let step = step(&bench, &session, Instead::Provider);
    let first = bench.store.advance(step.clone()).await.unwrap();
    assert_eq!(bench.store.advance(step).await.unwrap(), first);
    assert_eq!(bench.names(&session).await[2..], ["session.retry"]);
}

pub async fn a_retry_whose_sender_died_may_have_gone_out(bench: Bench) {
    let session = sent(&bench, ReceiptFailover::Provider).await;
    bench.clock.advance(WAIT);
    let retry = retried(&bench, &session).await;
    bench.clock.advance(LEASE);
    assert!(bench.store.due(10).await.unwrap().contains(&(bench.scope, session.id())));
    assert_eq!(asks(&bench, &retry).await, NOTHING);
    let retry = bench.find(&session).await;
    assert_eq!(retry.challenges()[0].message.attempt, Attempt::Unclear { provider: None });
    changed(&bench, receipt(&retry, SMS, BAD)).await;
    assert_eq!(asks(&bench, &retry).await, (true, overdue(&retry)), "unless a receipt says that it did not arrive");
    let accepted = bench.record_step(&session, &[(SMS, accepted())]);
    bench.store.record(accepted).await.unwrap();
    assert_eq!(asks(&bench, &retry).await, (true, overdue(&retry)));
}

pub async fn a_retry_whose_sender_died_keeps_the_slot_of_what_went_out_before(bench: Bench) {
    let slot = bench.keys.fingerprint(&[b"slot"]);
    let slotted = || {
        let mut open = opening(&bench, ReceiptFailover::Provider);
        open.session.names.slot = Some(slot);
        open
    };
    let session = bench.open(slotted()).await;
    let session = bench.accept(&session).await;
    bench.clock.advance(WAIT);
    retried(&bench, &session).await;
    bench.clock.advance(LEASE);
    expect_verdict!(bench.try_open(slotted()).await, OpenVerdict::SlotTaken { .. } => ());
}
