//! Canceling, the turn of fallback channels, and what time alone does.

use std::time::Duration;

use countersign_model::{Attempt, Channel, MessageStatus};

use super::bench::{Bench, DAY, LEASE, MINUTE, POLICY, SECOND, UNREACHABLE, WRONG, code, expect_verdict, fresh};
use crate::session::{Delivery, Session, SessionStatus, Turn};
use crate::store::{Advance, CancelVerdict, LapseVerdict, SendAgainVerdict, VerifyVerdict};

const EMAIL: (Channel, &str) = (Channel::Email, code(Channel::Email));

async fn with_fallback(bench: &Bench, after: Duration) -> Session {
    let mut open = bench.opening(&[Channel::Email]);
    open.session.fallback = vec![bench.planned(Channel::Sms, after)];
    let session = bench.open(open).await;
    bench.accept(&session).await
}

async fn advance(bench: &Bench, session: &Session) -> SendAgainVerdict {
    fresh(bench.store.advance(bench.advance_step(session)).await.unwrap())
}

async fn due(bench: &Bench) -> Vec<countersign_model::SessionId> {
    bench.store.due(10).await.unwrap().into_iter().map(|(_, id)| id).collect()
}

pub async fn a_canceled_session_hears_nothing(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    let verdict = bench.cancel(&session).await;
    let canceled = expect_verdict!(verdict, CancelVerdict::Canceled(session) => session);
    assert_eq!(canceled.status(bench.now()), SessionStatus::Canceled);
    expect_verdict!(bench.guess(&session, &[EMAIL]).await, VerifyVerdict::Canceled(_) => ());
    assert_eq!(bench.names(&session).await, ["session.created", "message.sent", "session.canceled"]);
}

pub async fn canceling_twice_is_canceling_once(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    bench.cancel(&session).await;
    let once = bench.find(&session).await;
    bench.clock.advance(SECOND);
    expect_verdict!(bench.cancel(&session).await, CancelVerdict::Canceled(again) => assert_eq!(*again, once));
    assert_eq!(bench.find(&session).await, once);
    assert_eq!(bench.log().await.len(), 3);
}

pub async fn a_verified_session_cannot_be_canceled(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    bench.judged(&session, &[EMAIL]).await;
    expect_verdict!(bench.cancel(&session).await, CancelVerdict::AlreadyVerified(_) => ());
    assert_eq!(bench.find(&session).await.status(bench.now()), SessionStatus::Verified);
}

pub async fn the_next_fallback_is_asked_under_the_expiry_of_its_session(bench: Bench) {
    let first = with_fallback(&bench, MINUTE).await;
    bench.clock.advance(MINUTE * 2);
    let (session, channels) =
        expect_verdict!(advance(&bench, &first).await, SendAgainVerdict::Sent(session, channels) => (*session, channels));
    assert_eq!((channels, session.expires_at()), (vec![Channel::Sms], first.expires_at()));
    assert_eq!(session.challenges()[1].message.attempt, Attempt::Sending);
    let session = bench.accept(&session).await;
    assert_eq!(session.challenges()[1].status(), MessageStatus::Sent);
    let told = bench.names(&session).await;
    assert_eq!(told[2..], ["session.fallback", "message.sent"]);
    let sms = bench.new_code(&session, Channel::Sms);
    assert!(bench.judged(&session, &[(Channel::Sms, &sms)]).await.session_verified);
}

pub async fn of_two_that_saw_the_same_turn_one_takes_it(bench: Bench) {
    let mut open = bench.opening(&[Channel::Email]);
    open.session.fallback = vec![bench.planned(Channel::Sms, MINUTE), bench.planned(Channel::Voice, MINUTE * 2)];
    let session = bench.open(open).await;
    let turn = || Advance { turn: Turn::Of(Channel::Sms), ..bench.advance_step(&session) };
    expect_verdict!(fresh(bench.store.advance(turn()).await.unwrap()), SendAgainVerdict::Sent(_, channels) => assert_eq!(channels, [Channel::Sms]));
    expect_verdict!(fresh(bench.store.advance(turn()).await.unwrap()), SendAgainVerdict::NoFallback(_) => ());
    bench.clock.advance(MINUTE);
    let due = Advance { turn: Turn::Due, ..bench.advance_step(&session) };
    expect_verdict!(fresh(bench.store.advance(due.clone()).await.unwrap()), SendAgainVerdict::NoFallback(_) => ());
    assert_eq!(bench.find(&session).await.next_fallback(), Some(Channel::Voice), "its time has not come");
    bench.clock.advance(MINUTE);
    expect_verdict!(fresh(bench.store.advance(due).await.unwrap()), SendAgainVerdict::Sent(_, channels) => assert_eq!(channels, [Channel::Voice]));
}

pub async fn a_fallback_to_a_blocked_recipient_is_skipped(bench: Bench) {
    let mut open = bench.opening(&[Channel::Email]);
    let mut planned = bench.planned(Channel::Sms, MINUTE);
    planned.budget = open.session.challenges[0].budget;
    open.session.fallback = vec![planned];
    open.session.policy.max_attempts = 25;
    let session = bench.open(open).await;
    let session = bench.accept(&session).await;
    for _ in 0..20 {
        bench.judged(&session, &[(Channel::Email, WRONG)]).await;
    }
    expect_verdict!(advance(&bench, &session).await, SendAgainVerdict::RecipientBlocked { channel: Channel::Sms, .. } => ());
    bench.clock.advance(MINUTE * 2);
    assert!(due(&bench).await.is_empty(), "its turn is over");
    expect_verdict!(advance(&bench, &session).await, SendAgainVerdict::NoFallback(_) => ());
}

pub async fn there_is_no_fallback_when_none_is_left(bench: Bench) {
    let session = with_fallback(&bench, MINUTE).await;
    let session = expect_verdict!(advance(&bench, &session).await, SendAgainVerdict::Sent(session, _) => *session);
    let (_, delivery) = bench.record(&session, &[(Channel::Sms, UNREACHABLE)]).await;
    assert_eq!(delivery, Delivery::NothingSent);
    expect_verdict!(advance(&bench, &session).await, SendAgainVerdict::NoFallback(_) => ());
    assert!(bench.judged(&session, &[EMAIL]).await.verified, "what went out before still opens");
}

pub async fn no_fallback_starts_on_a_dead_session(bench: Bench) {
    let [locked, verified, canceled, expired] = [
        with_fallback(&bench, MINUTE).await,
        with_fallback(&bench, MINUTE).await,
        with_fallback(&bench, MINUTE).await,
        with_fallback(&bench, MINUTE).await,
    ];
    for _ in 0..3 {
        bench.judged(&locked, &[(Channel::Email, WRONG)]).await;
    }
    bench.judged(&verified, &[EMAIL]).await;
    bench.cancel(&canceled).await;
    expect_verdict!(advance(&bench, &locked).await, SendAgainVerdict::Locked(_) => ());
    expect_verdict!(advance(&bench, &verified).await, SendAgainVerdict::AlreadyVerified(_) => ());
    expect_verdict!(advance(&bench, &canceled).await, SendAgainVerdict::Canceled(_) => ());
    bench.clock.advance(POLICY.life);
    expect_verdict!(advance(&bench, &expired).await, SendAgainVerdict::Expired(_) => ());
}

pub async fn a_message_nobody_reported_on_becomes_unclear(bench: Bench) {
    let session = bench.open(bench.opening(&[Channel::Email])).await;
    bench.clock.advance(LEASE - SECOND);
    assert_eq!(due(&bench).await, []);
    bench.clock.advance(SECOND);
    assert_eq!(due(&bench).await, [session.id()]);
    assert_eq!(bench.lapse(&session).await, LapseVerdict::Settled);
    assert_eq!(due(&bench).await, []);
    let after = bench.find(&session).await;
    assert_eq!(after.challenges()[0].message.attempt, Attempt::Unclear { provider: None });
    assert_eq!(after.status(bench.now()), SessionStatus::Pending);
    assert!(bench.judged(&session, &[EMAIL]).await.verified);
    assert_eq!(bench.names(&session).await[..2], ["session.created", "message.unclear"]);
}

pub async fn an_expiry_is_told_once(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    bench.clock.advance(POLICY.life);
    assert_eq!(due(&bench).await, [session.id()]);
    for _ in 0..2 {
        assert_eq!(bench.lapse(&session).await, LapseVerdict::Settled);
        assert_eq!(due(&bench).await, []);
    }
    assert_eq!(bench.names(&session).await, ["session.created", "message.sent", "session.expired"]);
}

pub async fn a_fallback_is_due_at_its_time(bench: Bench) {
    let session = with_fallback(&bench, MINUTE).await;
    bench.clock.advance(MINUTE - SECOND);
    assert_eq!((bench.lapse(&session).await, due(&bench).await), (LapseVerdict::Settled, vec![]));
    bench.clock.advance(SECOND);
    assert_eq!((bench.lapse(&session).await, due(&bench).await), (LapseVerdict::FallbackDue, vec![session.id()]));
    let session = expect_verdict!(advance(&bench, &session).await, SendAgainVerdict::Sent(session, _) => *session);
    bench.accept(&session).await;
    assert_eq!((bench.lapse(&session).await, due(&bench).await), (LapseVerdict::Settled, vec![]));
}

pub async fn an_expired_session_with_a_fallback_left_is_not_due_for_ever(bench: Bench) {
    let session = with_fallback(&bench, MINUTE).await;
    bench.clock.advance(POLICY.life);
    assert_eq!(due(&bench).await, [session.id()]);
    assert_eq!(bench.lapse(&session).await, LapseVerdict::Settled);
    assert_eq!(due(&bench).await, []);
    let session = bench.resent(&session).await;
    bench.accept(&session).await;
    bench.clock.advance(MINUTE);
    assert_eq!((bench.lapse(&session).await, due(&bench).await), (LapseVerdict::FallbackDue, vec![session.id()]));
}

pub async fn a_session_is_dropped_when_nobody_can_ask_for_it(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    bench.judged(&session, &[EMAIL]).await;
    assert_eq!(due(&bench).await, []);
    bench.clock.advance(POLICY.life + DAY + MINUTE * 60);
    assert_eq!(due(&bench).await, [session.id()]);
    bench.lapse(&session).await;
    assert_eq!(due(&bench).await, []);
}

pub async fn what_is_longest_overdue_is_done_first(bench: Bench) {
    let mut opened = Vec::new();
    for _ in 0..5 {
        opened.push(bench.sent(&[Channel::Email]).await.id());
        bench.clock.advance(SECOND);
    }
    bench.clock.advance(POLICY.life);
    let due = bench.store.due(3).await.unwrap();
    assert_eq!(due, [(bench.scope, opened[0]), (bench.scope, opened[1]), (bench.scope, opened[2])]);
}
