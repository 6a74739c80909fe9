//! New codes for an open session.

use std::time::Duration;

use countersign_model::{Channel, LimitName, PerChannel, ProviderName, ResendPolicy, VerificationMode};

use super::bench::{Bench, LEASE, MINUTE, POLICY, SECOND, UNREACHABLE, WRONG, code, expect_verdict};
use crate::session::{Delivery, Session, SessionStatus};
use crate::store::{Resend, SendAgainVerdict, VerifyVerdict};

const EMAIL: (Channel, &str) = (Channel::Email, code(Channel::Email));

/// Whether a guess at the e-mail channel is right.
async fn opens(bench: &Bench, session: &Session, guess: &str) -> bool {
    bench.judged(session, &[(Channel::Email, guess)]).await.verified
}

async fn keeping_previous(bench: &Bench) -> Session {
    let mut open = bench.opening(&[Channel::Email]);
    open.session.policy.resend = ResendPolicy::KeepPrevious;
    let session = bench.open(open).await;
    bench.accept(&session).await
}

pub async fn a_resend_makes_new_codes_and_a_new_expiry(bench: Bench) {
    let first = bench.sent(&[Channel::Email, Channel::Sms]).await;
    bench.clock.advance(MINUTE);
    let verdict = bench.try_resend(bench.resend_step(&first)).await;
    let (session, channels) = expect_verdict!(verdict, SendAgainVerdict::Sent(session, channels) => (session, channels));
    assert_eq!(channels, [Channel::Email, Channel::Sms]);
    assert_eq!(session.expires_at(), bench.now().plus(POLICY.life));
    assert_eq!(session.resend_after(), bench.now().plus(POLICY.resend_after));
    assert_ne!(session.challenges()[0].message.id, first.challenges()[0].message.id);
    let session = bench.accept(&session).await;
    assert!(!opens(&bench, &session, WRONG).await);
    assert!(opens(&bench, &session, &bench.new_code(&session, Channel::Email)).await);
    let told = bench.names(&session).await;
    assert_eq!(told[3..6], ["session.resent", "message.sent", "message.sent"]);
}

pub async fn the_old_code_opens_until_the_new_one_is_accepted(bench: Bench) {
    let [one, other] = [bench.sent(&[Channel::Email]).await, bench.sent(&[Channel::Email]).await];
    let one = bench.resent(&one).await;
    assert!(opens(&bench, &one, EMAIL.1).await);
    let other = bench.resent(&other).await;
    let other = bench.accept(&other).await;
    assert!(!opens(&bench, &other, EMAIL.1).await);
    assert!(opens(&bench, &other, &bench.new_code(&other, Channel::Email)).await);
}

pub async fn an_instant_resend_kills_the_old_code_at_once(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    bench.clock.advance(MINUTE);
    let instant = PerChannel::from_fn(|_| Some(ProviderName::new("sandbox")));
    let verdict = bench.try_resend(Resend { instant, ..bench.resend_step(&session) }).await;
    let session = expect_verdict!(verdict, SendAgainVerdict::Sent(session, _) => *session);
    assert!(!opens(&bench, &session, EMAIL.1).await);
    assert!(opens(&bench, &session, &bench.new_code(&session, Channel::Email)).await);
}

pub async fn keep_previous_keeps_both_codes_until_their_own_expiry(bench: Bench) {
    let session = keeping_previous(&bench).await;
    bench.clock.advance(MINUTE * 5);
    let session = bench.resent(&session).await;
    let session = bench.accept(&session).await;
    assert!(opens(&bench, &session, EMAIL.1).await);

    let session = keeping_previous(&bench).await;
    bench.clock.advance(MINUTE * 5);
    let session = bench.resent(&session).await;
    let session = bench.accept(&session).await;
    bench.clock.advance(MINUTE * 5);
    assert!(!opens(&bench, &session, EMAIL.1).await);
    assert!(opens(&bench, &session, &bench.new_code(&session, Channel::Email)).await);
}

pub async fn a_failed_resend_leaves_the_old_code_alive(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    let session = bench.resent(&session).await;
    let (session, delivery) = bench.record(&session, &[(Channel::Email, UNREACHABLE)]).await;
    assert_eq!((delivery, session.status(bench.now())), (Delivery::NothingSent, SessionStatus::Pending));
    assert!(!opens(&bench, &session, &bench.new_code(&session, Channel::Email)).await);
    assert!(opens(&bench, &session, EMAIL.1).await);
}

pub async fn a_failed_resend_brings_no_attempts_and_no_time(bench: Bench) {
    let first = bench.sent(&[Channel::Email]).await;
    opens(&bench, &first, WRONG).await;
    let session = bench.resent(&first).await;
    assert_eq!(session.attempts_remaining(), 3);
    let (session, _) = bench.record(&session, &[(Channel::Email, UNREACHABLE)]).await;
    assert_eq!((session.attempts_remaining(), session.expires_at()), (2, first.expires_at()));
}

pub async fn wrong_guesses_during_a_resend_that_fails_stay_counted(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    opens(&bench, &session, WRONG).await;
    let session = bench.resent(&session).await;
    opens(&bench, &session, WRONG).await;
    let (session, _) = bench.record(&session, &[(Channel::Email, UNREACHABLE)]).await;
    assert_eq!(session.attempts_remaining(), 1);
}

pub async fn two_resends_that_both_fail_leave_everything_as_it_was(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    opens(&bench, &session, WRONG).await;
    let first = bench.resent(&session).await;
    opens(&bench, &first, WRONG).await;
    let second = bench.resent(&first).await;
    let (_, late) = bench.record(&first, &[(Channel::Email, UNREACHABLE)]).await;
    let (after, delivery) = bench.record(&second, &[(Channel::Email, UNREACHABLE)]).await;
    assert_eq!((late, delivery), (Delivery::NothingSent, Delivery::NothingSent));
    assert_eq!((after.attempts_remaining(), after.expires_at()), (1, session.expires_at()));
    assert!(opens(&bench, &after, EMAIL.1).await);
}

pub async fn a_resend_that_is_not_out_yet_brings_no_more_guesses_at_the_old_code(bench: Bench) {
    for policy in [ResendPolicy::Rotate, ResendPolicy::KeepPrevious] {
        let mut open = bench.opening(&[Channel::Email]);
        open.session.policy.resend = policy;
        let session = bench.open(open).await;
        let session = bench.accept(&session).await;
        for _ in 0..3 {
            opens(&bench, &session, WRONG).await;
        }
        let session = bench.resent(&session).await;
        assert!(!opens(&bench, &session, EMAIL.1).await, "{policy:?}: its attempts were used up before");
        assert!(opens(&bench, &session, &bench.new_code(&session, Channel::Email)).await);
    }
}

pub async fn the_code_of_an_unclear_message_stays_whatever_the_policy(bench: Bench) {
    let session = bench.open(bench.opening(&[Channel::Email])).await;
    bench.clock.advance(LEASE);
    bench.lapse(&session).await;
    let session = bench.resent(&session).await;
    let session = bench.accept(&session).await;
    assert!(opens(&bench, &session, EMAIL.1).await);
}

pub async fn a_resend_unlocks_a_session(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    for _ in 0..3 {
        opens(&bench, &session, WRONG).await;
    }
    let session = bench.resent(&session).await;
    assert_eq!((session.attempts_remaining(), session.status(bench.now())), (3, SessionStatus::Pending));
}

pub async fn a_service_may_keep_a_locked_session_locked(bench: Bench) {
    let mut open = bench.opening(&[Channel::Email]);
    open.session.policy.resend_unlocks = false;
    let session = bench.open(open).await;
    for _ in 0..3 {
        opens(&bench, &session, WRONG).await;
    }
    bench.clock.advance(MINUTE);
    expect_verdict!(bench.try_resend(bench.resend_step(&session)).await, SendAgainVerdict::Locked(_) => ());
}

pub async fn a_resend_revives_an_expired_session(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    bench.clock.advance(POLICY.life);
    bench.lapse(&session).await;
    let session = bench.resent(&session).await;
    assert_eq!(session.status(bench.now()), SessionStatus::Pending);
    let session = bench.accept(&session).await;
    assert!(!opens(&bench, &session, EMAIL.1).await);
    assert!(opens(&bench, &session, &bench.new_code(&session, Channel::Email)).await);
}

pub async fn a_resend_before_its_time_waits(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    bench.clock.advance(SECOND * 12);
    let early = bench.try_resend(bench.resend_step(&session)).await;
    expect_verdict!(early, SendAgainVerdict::Limited { limit: LimitName::ResendAfter, wait, .. } => assert_eq!(wait, SECOND * 18));
    bench.clock.advance(SECOND * 18 - Duration::from_millis(1));
    expect_verdict!(bench.try_resend(bench.resend_step(&session)).await, SendAgainVerdict::Limited { .. } => ());
    assert_eq!(bench.find(&session).await, session);
    bench.clock.advance(Duration::from_millis(1));
    expect_verdict!(bench.try_resend(bench.resend_step(&session)).await, SendAgainVerdict::Sent(..) => ());
}

pub async fn a_resend_of_one_channel_leaves_the_other_alone(bench: Bench) {
    let session = bench.sent(&[Channel::Email, Channel::Sms]).await;
    bench.clock.advance(MINUTE);
    let step = Resend { channels: Some(vec![Channel::Sms]), ..bench.resend_step(&session) };
    let verdict = bench.try_resend(step).await;
    let (session, channels) = expect_verdict!(verdict, SendAgainVerdict::Sent(session, channels) => (*session, channels));
    assert_eq!(channels, [Channel::Sms]);
    let session = bench.accept(&session).await;
    assert!(opens(&bench, &session, EMAIL.1).await);
}

pub async fn a_resend_names_only_channels_that_are_asked(bench: Bench) {
    let mut open = bench.opening(&[Channel::Email, Channel::Sms]);
    open.session.policy.verification_mode = VerificationMode::All;
    let session = bench.open(open).await;
    bench.judged(&session, &[EMAIL]).await;
    bench.clock.advance(MINUTE);
    let naming = |channel| Resend { channels: Some(vec![channel]), ..bench.resend_step(&session) };
    expect_verdict!(bench.try_resend(naming(Channel::Voice)).await, SendAgainVerdict::ChannelNotFound(_) => ());
    expect_verdict!(bench.try_resend(naming(Channel::Email)).await, SendAgainVerdict::ChannelVerified(_) => ());
    let verdict = bench.try_resend(bench.resend_step(&session)).await;
    assert_eq!(expect_verdict!(verdict, SendAgainVerdict::Sent(_, channels) => channels), [Channel::Sms]);
}

pub async fn an_ended_session_is_not_sent_again(bench: Bench) {
    let verified = bench.sent(&[Channel::Email]).await;
    opens(&bench, &verified, EMAIL.1).await;
    let canceled = bench.sent(&[Channel::Email]).await;
    bench.cancel(&canceled).await;
    bench.clock.advance(MINUTE);
    expect_verdict!(bench.try_resend(bench.resend_step(&verified)).await, SendAgainVerdict::AlreadyVerified(_) => ());
    expect_verdict!(bench.try_resend(bench.resend_step(&canceled)).await, SendAgainVerdict::Canceled(_) => ());
    expect_verdict!(bench.guess(&canceled, &[EMAIL]).await, VerifyVerdict::Canceled(_) => ());
}
