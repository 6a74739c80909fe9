//! What a guess proves.

use std::time::Duration;

use countersign_model::{Channel, Code, EventKind, VerificationMode};

use super::bench::{Bench, POLICY, WRONG, code, expect_verdict};
use crate::code::CodeSource;
use crate::session::{GuessResult, Session, SessionStatus};
use crate::store::VerifyVerdict;

const EMAIL: (Channel, &str) = (Channel::Email, code(Channel::Email));
const SMS: (Channel, &str) = (Channel::Sms, code(Channel::Sms));

async fn in_all_mode(bench: &Bench) -> Session {
    let mut open = bench.opening(&[Channel::Email, Channel::Sms]);
    open.session.policy.verification_mode = VerificationMode::All;
    let session = bench.open(open).await;
    bench.accept(&session).await
}

pub async fn a_right_guess_completes_a_session_in_any_mode(bench: Bench) {
    let session = bench.sent(&[Channel::Email, Channel::Sms]).await;
    let judgement = bench.judged(&session, &[EMAIL]).await;
    assert!(judgement.verified && judgement.session_verified);
    assert_eq!(judgement.results, [(Channel::Email, GuessResult::Right)]);
    assert_eq!((&*judgement.verified_channels, &*judgement.pending_channels), (&[Channel::Email][..], &[Channel::Sms][..]));
    assert_eq!((judgement.verified_at, judgement.attempts_remaining), (Some(bench.now()), 3));
    assert_eq!(bench.find(&session).await.status(bench.now()), SessionStatus::Verified);
    let told = ["session.created", "message.sent", "message.sent", "channel.verified", "session.verified"];
    assert_eq!(bench.names(&session).await, told);
}

pub async fn a_code_verifies_once(bench: Bench) {
    let session = bench.sent(&[Channel::Email, Channel::Sms]).await;
    bench.judged(&session, &[EMAIL]).await;
    for again in [EMAIL, SMS, (Channel::Voice, WRONG)] {
        expect_verdict!(bench.guess(&session, &[again]).await, VerifyVerdict::AlreadyVerified(_) => ());
    }
}

pub async fn in_any_mode_the_named_channel_is_a_hint(bench: Bench) {
    let session = bench.sent(&[Channel::Email, Channel::Sms]).await;
    let judgement = bench.judged(&session, &[(Channel::Email, code(Channel::Sms))]).await;
    assert_eq!(judgement.results, [(Channel::Email, GuessResult::Right)]);
    assert_eq!(judgement.verified_channels, [Channel::Sms]);
}

pub async fn one_code_posted_under_two_channels_verifies(bench: Bench) {
    let session = bench.sent(&[Channel::Email, Channel::Sms]).await;
    let judgement = bench.judged(&session, &[(Channel::Sms, EMAIL.1), EMAIL]).await;
    assert!(judgement.verified && judgement.session_verified);
    assert_eq!(judgement.results, [(Channel::Sms, GuessResult::Right), (Channel::Email, GuessResult::Right)]);
    assert_eq!((judgement.verified_channels, judgement.attempts_remaining), (vec![Channel::Email], 3));
}

pub async fn of_a_shared_code_the_named_channel_is_proved(bench: Bench) {
    let mut open = bench.opening(&[Channel::Email, Channel::Sms]);
    open.session.policy.shared_code = true;
    let shared = Code::parse("555555").unwrap();
    open.session.codes = CodeSource::Given([(Channel::Email, shared.clone()), (Channel::Sms, shared)].into());
    let session = bench.open(open).await;
    let judgement = bench.judged(&session, &[(Channel::Sms, "555555")]).await;
    assert_eq!(judgement.verified_channels, [Channel::Sms]);
}

pub async fn in_all_mode_every_channel_must_be_proved(bench: Bench) {
    let session = in_all_mode(&bench).await;
    let first = bench.judged(&session, &[SMS]).await;
    assert!(first.verified && !first.session_verified);
    assert_eq!((first.verified_at, &*first.pending_channels), (None, &[Channel::Email][..]));
    assert_eq!(bench.find(&session).await.status(bench.now()), SessionStatus::Pending);
    let second = bench.judged(&session, &[EMAIL]).await;
    assert!(second.session_verified);
    assert_eq!(second.verified_channels, [Channel::Email, Channel::Sms]);
}

pub async fn in_all_mode_a_guess_counts_for_its_channel_only(bench: Bench) {
    let session = in_all_mode(&bench).await;
    let judgement = bench.judged(&session, &[(Channel::Email, SMS.1)]).await;
    assert!(!judgement.verified);
    assert_eq!((judgement.verified_channels, judgement.attempts_remaining), (vec![], 2));
}

pub async fn a_right_guess_is_kept_beside_a_wrong_one(bench: Bench) {
    let session = in_all_mode(&bench).await;
    let judgement = bench.judged(&session, &[EMAIL, (Channel::Sms, WRONG)]).await;
    assert_eq!(judgement.results, [(Channel::Email, GuessResult::Right), (Channel::Sms, GuessResult::Wrong)]);
    assert!(!judgement.verified);
    assert_eq!((judgement.verified_channels, judgement.attempts_remaining), (vec![Channel::Email], 2));
    assert!(bench.judged(&session, &[SMS]).await.session_verified);

    let session = bench.sent(&[Channel::Email, Channel::Sms]).await;
    let judgement = bench.judged(&session, &[(Channel::Sms, WRONG), EMAIL]).await;
    assert!(judgement.verified && judgement.session_verified);
    assert_eq!(judgement.attempts_remaining, 2);
}

pub async fn a_call_with_two_wrong_guesses_uses_one_attempt(bench: Bench) {
    let session = bench.sent(&[Channel::Email, Channel::Sms]).await;
    let judgement = bench.judged(&session, &[(Channel::Email, WRONG), (Channel::Sms, "888888")]).await;
    assert_eq!(judgement.results, [(Channel::Email, GuessResult::Wrong), (Channel::Sms, GuessResult::Wrong)]);
    assert_eq!(judgement.attempts_remaining, 2);
    assert_eq!(bench.story(&session).await.last(), Some(&EventKind::GuessRefused { attempts_remaining: 2 }));
}

pub async fn the_last_allowed_guess_may_still_be_right(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    for left in [2, 1] {
        assert_eq!(bench.judged(&session, &[(Channel::Email, WRONG)]).await.attempts_remaining, left);
    }
    let judgement = bench.judged(&session, &[EMAIL]).await;
    assert!(judgement.session_verified);
    assert_eq!(judgement.attempts_remaining, 1);
}

pub async fn no_guess_is_heard_beyond_the_last_allowed_one(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    for left in [2, 1, 0] {
        assert_eq!(bench.judged(&session, &[(Channel::Email, WRONG)]).await.attempts_remaining, left);
    }
    let locked = expect_verdict!(bench.guess(&session, &[EMAIL]).await, VerifyVerdict::Locked(session) => session);
    assert_eq!((locked.attempts_remaining(), locked.status(bench.now())), (0, SessionStatus::Locked));
    let told = bench.names(&session).await;
    assert_eq!(told[2..], ["guess.refused", "guess.refused", "guess.refused", "session.locked"]);
}

pub async fn a_channel_that_is_not_in_the_session_uses_no_attempt(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    let judgement = bench.judged(&session, &[(Channel::Voice, WRONG), EMAIL]).await;
    assert_eq!(judgement.results, [(Channel::Voice, GuessResult::NotInSession), (Channel::Email, GuessResult::Right)]);
    assert!(judgement.verified);
    assert_eq!(judgement.attempts_remaining, 3);
}

pub async fn nothing_is_compared_when_no_named_channel_is_in_the_session(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    let verdict = bench.guess(&session, &[(Channel::Sms, EMAIL.1)]).await;
    let after = expect_verdict!(verdict, VerifyVerdict::ChannelNotFound(after) => *after);
    assert_eq!(after, session);
    assert_eq!(bench.find(&session).await, session);
}

pub async fn a_channel_that_was_proved_is_not_asked_again(bench: Bench) {
    let session = in_all_mode(&bench).await;
    bench.judged(&session, &[EMAIL]).await;
    expect_verdict!(bench.guess(&session, &[EMAIL]).await, VerifyVerdict::ChannelVerified(_) => ());
    let judgement = bench.judged(&session, &[(Channel::Email, WRONG), SMS]).await;
    assert_eq!(judgement.results, [(Channel::Email, GuessResult::VerifiedBefore), (Channel::Sms, GuessResult::Right)]);
    assert_eq!((judgement.session_verified, judgement.attempts_remaining), (true, 3));
}

pub async fn an_unnamed_guess_is_held_against_every_open_channel(bench: Bench) {
    let session = bench.sent(&[Channel::Email, Channel::Sms]).await;
    let wrong = bench.guess_unnamed(&session, WRONG).await;
    let judgement = expect_verdict!(wrong, VerifyVerdict::Judged(_, judgement, _) => judgement);
    assert_eq!(judgement.results, [(Channel::Email, GuessResult::Wrong), (Channel::Sms, GuessResult::Wrong)]);
    let right = bench.guess_unnamed(&session, SMS.1).await;
    let judgement = expect_verdict!(right, VerifyVerdict::Judged(_, judgement, _) => judgement);
    assert_eq!((judgement.results, judgement.verified), (vec![(Channel::Sms, GuessResult::Right)], true));
}

pub async fn an_unnamed_guess_is_not_heard_where_two_channels_could_be_meant(bench: Bench) {
    let session = in_all_mode(&bench).await;
    expect_verdict!(bench.guess_unnamed(&session, EMAIL.1).await, VerifyVerdict::ChannelNeeded(_) => ());
    assert_eq!(bench.find(&session).await, session);
    bench.judged(&session, &[EMAIL]).await;
    let verdict = bench.guess_unnamed(&session, SMS.1).await;
    assert!(expect_verdict!(verdict, VerifyVerdict::Judged(_, judgement, _) => judgement).session_verified);
}

pub async fn codes_die_with_their_session(bench: Bench) {
    let one = bench.sent(&[Channel::Email]).await;
    let other = bench.sent(&[Channel::Email]).await;
    bench.clock.advance(POLICY.life - Duration::from_millis(1));
    assert!(bench.judged(&one, &[EMAIL]).await.verified);
    bench.clock.advance(Duration::from_millis(1));
    expect_verdict!(bench.guess(&other, &[EMAIL]).await, VerifyVerdict::Expired(_) => ());
}

pub async fn an_expired_session_is_not_locked_any_more(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    for _ in 0..3 {
        bench.judged(&session, &[(Channel::Email, WRONG)]).await;
    }
    bench.clock.advance(POLICY.life);
    expect_verdict!(bench.guess(&session, &[EMAIL]).await, VerifyVerdict::Expired(_) => ());
}

pub async fn a_contact_is_due_when_the_first_channel_is_proved(bench: Bench) {
    let mut open = bench.opening(&[Channel::Email, Channel::Sms]);
    open.session.policy.verification_mode = VerificationMode::All;
    open.session.add_contact = true;
    let session = bench.open(open).await;
    bench.judged(&session, &[SMS]).await;
    bench.judged(&session, &[EMAIL]).await;
    let due: Vec<_> = bench.story(&session).await.into_iter().filter(|event| event.name() == "contact.due").collect();
    assert_eq!(due, [EventKind::ContactDue { channel: Channel::Sms }]);
}
