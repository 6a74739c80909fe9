//! How handing messages over ends, and what that does to a session.

use countersign_model::{AllFailed, Attempt, Channel, MessageStatus, VerificationMode};

use super::bench::{Bench, LEASE, MINUTE, REFUSED, UNREACHABLE, accepted, code, expect_verdict, unclear};
use crate::session::{Delivery, SessionStatus};
use crate::store::{RecordVerdict, VerifyVerdict};

pub async fn an_accepted_message_is_sent(bench: Bench) {
    let session = bench.open(bench.opening(&[Channel::Email])).await;
    let (session, delivery) = bench.record(&session, &[(Channel::Email, accepted())]).await;
    assert_eq!(delivery, Delivery::Sent);
    let message = &session.challenges()[0].message;
    assert_eq!((message.status, message.sent_at), (MessageStatus::Sent, Some(bench.now())));
    assert_eq!(bench.find(&session).await, session);
    assert_eq!(bench.names(&session).await, ["session.created", "message.sent"]);
}

pub async fn one_accepted_channel_is_enough(bench: Bench) {
    let session = bench.open(bench.opening(&[Channel::Email, Channel::Sms])).await;
    let (session, delivery) = bench.record(&session, &[(Channel::Email, REFUSED), (Channel::Sms, accepted())]).await;
    assert_eq!(delivery, Delivery::Sent);
    assert_eq!(session.status(bench.now()), SessionStatus::Pending);
    assert_eq!(session.challenges()[0].status(), MessageStatus::Failed);
    assert!(!bench.judged(&session, &[(Channel::Email, code(Channel::Email))]).await.verified);
    assert!(bench.judged(&session, &[(Channel::Sms, code(Channel::Sms))]).await.verified);
}

pub async fn a_session_of_which_nothing_went_out_is_closed(bench: Bench) {
    let session = bench.open(bench.opening(&[Channel::Email, Channel::Sms])).await;
    let (session, delivery) = bench.record(&session, &[(Channel::Email, UNREACHABLE), (Channel::Sms, REFUSED)]).await;
    assert_eq!(delivery, Delivery::NothingSent);
    assert_eq!(session.status(bench.now()), SessionStatus::Failed);
    expect_verdict!(bench.guess(&session, &[(Channel::Email, code(Channel::Email))]).await, VerifyVerdict::Canceled(_) => ());
    assert_eq!(bench.names(&session).await, ["session.created", "message.failed", "message.failed", "session.failed"]);
}

pub async fn a_service_may_keep_a_session_of_which_nothing_went_out(bench: Bench) {
    let mut open = bench.opening(&[Channel::Email]);
    open.session.policy.all_failed = AllFailed::Session;
    let session = bench.open(open).await;
    let (session, delivery) = bench.record(&session, &[(Channel::Email, UNREACHABLE)]).await;
    assert_eq!((delivery, session.status(bench.now())), (Delivery::NothingSent, SessionStatus::Pending));
    let session = bench.resent(&session).await;
    let session = bench.accept(&session).await;
    let fresh = bench.new_code(&session, Channel::Email);
    assert!(bench.judged(&session, &[(Channel::Email, &fresh)]).await.session_verified);
}

pub async fn in_all_mode_a_refused_channel_ends_the_session(bench: Bench) {
    for (outcome, status) in [(REFUSED, SessionStatus::Failed), (UNREACHABLE, SessionStatus::Pending)] {
        let mut open = bench.opening(&[Channel::Email, Channel::Sms]);
        open.session.policy.verification_mode = VerificationMode::All;
        let session = bench.open(open).await;
        let (session, _) = bench.record(&session, &[(Channel::Email, accepted()), (Channel::Sms, outcome)]).await;
        assert_eq!(session.status(bench.now()), status);
    }
}

pub async fn when_nothing_went_out_the_next_fallback_is_due(bench: Bench) {
    let mut open = bench.opening(&[Channel::Email]);
    open.session.fallback = vec![bench.planned(Channel::Sms, MINUTE)];
    let session = bench.open(open).await;
    let (session, delivery) = bench.record(&session, &[(Channel::Email, UNREACHABLE)]).await;
    assert_eq!((delivery, session.status(bench.now())), (Delivery::NextFallback, SessionStatus::Pending));
    assert!(session.next_fallback().is_some());
}

pub async fn an_outcome_of_a_replaced_message_goes_to_the_log_only(bench: Bench) {
    let old = bench.open(bench.opening(&[Channel::Email])).await;
    let session = bench.resent(&old).await;
    let session = bench.accept(&session).await;
    let late = bench.record_step(&old, &[(Channel::Email, UNREACHABLE)]);
    let (after, _) =
        expect_verdict!(bench.store.record(late).await.unwrap(), RecordVerdict::Recorded(after, delivery) => (after, delivery));
    assert_eq!(after.challenges(), session.challenges());
    assert_eq!(bench.names(&session).await, ["session.created", "session.resent", "message.sent", "message.failed"]);
}

pub async fn a_late_outcome_of_an_old_message_does_not_settle_a_resend(bench: Bench) {
    let old = bench.open(bench.opening(&[Channel::Email])).await;
    let resent = bench.resent(&old).await;
    let late = bench.record_step(&old, &[(Channel::Email, accepted())]);
    expect_verdict!(bench.store.record(late).await.unwrap(), RecordVerdict::Recorded(..) => ());
    let (session, delivery) = bench.record(&resent, &[(Channel::Email, UNREACHABLE)]).await;
    assert_eq!(delivery, Delivery::NothingSent);
    assert_eq!(session.expires_at(), old.expires_at());
    assert!(bench.judged(&session, &[(Channel::Email, code(Channel::Email))]).await.verified);
}

pub async fn an_unclear_message_may_turn_out_accepted(bench: Bench) {
    let session = bench.open(bench.opening(&[Channel::Email])).await;
    bench.clock.advance(LEASE);
    bench.lapse(&session).await;
    let (session, delivery) = bench.record(&session, &[(Channel::Email, accepted())]).await;
    assert_eq!((delivery, session.challenges()[0].status()), (Delivery::Sent, MessageStatus::Sent));
    assert_eq!(bench.names(&session).await, ["session.created", "message.unclear", "message.sent"]);
}

pub async fn an_outcome_is_settled_once(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    let (after, delivery) = bench.record(&session, &[(Channel::Email, UNREACHABLE)]).await;
    assert_eq!((delivery, after.challenges()), (Delivery::Sent, session.challenges()));
    let (after, _) = bench.record(&session, &[(Channel::Email, unclear())]).await;
    assert!(matches!(after.challenges()[0].message.attempt, Attempt::Accepted { .. }));
    assert_eq!(bench.names(&session).await, ["session.created", "message.sent"]);
}

pub async fn outcomes_of_an_unknown_session_are_not_written(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    let mut record = bench.record_step(&session, &[(Channel::Email, accepted())]);
    record.session = bench.opening(&[Channel::Email]).session.id;
    assert_eq!(bench.store.record(record).await, Ok(RecordVerdict::Unknown));
    assert_eq!(bench.log().await.len(), 2);
}
