//! Calls that come twice: the same step because its reply was lost, or another call under the same idempotency key.

use countersign_model::{AllFailed, Channel};

use super::bench::{Bench, DAY, LEASE, MINUTE, SECOND, UNREACHABLE, WRONG, accepted, code, expect_verdict, fresh};
use crate::code::SubjectKind;
use crate::session::{Delivery, Judgement, Session};
use crate::store::{
    Answer, Cancel, CancelVerdict, Claim, Open, OpenVerdict, Record, RecordVerdict, Resend, SendAgainVerdict, Verify,
    VerifyVerdict,
};

const EMAIL: (Channel, &str) = (Channel::Email, code(Channel::Email));

fn claiming(bench: &Bench, key: &str, body: &str) -> Open {
    Open { claim: Some(bench.claim(key, body)), ..bench.opening(&[Channel::Email]) }
}

/// Opens under a key and writes down that the message was accepted.
async fn answered(bench: &Bench, key: &str) -> Session {
    let open = claiming(bench, key, "body");
    let claim = open.claim;
    let session = bench.open(open).await;
    let record = Record { claim, ..bench.record_step(&session, &[(Channel::Email, accepted())]) };
    expect_verdict!(bench.store.record(record).await.unwrap(), RecordVerdict::Recorded(session, Delivery::Sent) => *session)
}

async fn judged(bench: &Bench, step: Verify) -> Judgement {
    expect_verdict!(fresh(bench.store.verify(step).await.unwrap()), VerifyVerdict::Judged(_, judgement, _) => judgement)
}

pub async fn an_open_repeated_with_its_id_opens_nothing_more(bench: Bench) {
    let mut open = claiming(&bench, "key", "body");
    open.session.users = vec![bench.subject(SubjectKind::User, "ann")];
    let session = bench.open(open.clone()).await;
    for _ in 0..10 {
        assert_eq!(bench.open(open.clone()).await, session);
    }
    assert_eq!(bench.log().await.len(), 1);
    for _ in 0..4 {
        let mut more = bench.opening(&[Channel::Email]);
        more.session.users.clone_from(&open.session.users);
        bench.open(more).await;
    }
}

pub async fn a_record_repeated_with_its_step_changes_nothing(bench: Bench) {
    let session = bench.open(bench.opening(&[Channel::Email])).await;
    let record = bench.record_step(&session, &[(Channel::Email, UNREACHABLE)]);
    let once = bench.store.record(record.clone()).await.unwrap();
    expect_verdict!(&once, RecordVerdict::Recorded(_, Delivery::NothingSent) => ());
    assert_eq!(bench.store.record(record).await.unwrap(), once);
    assert_eq!(bench.log().await.len(), 2);
}

pub async fn a_verify_repeated_with_its_step_answers_the_same(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    for guess in [WRONG, EMAIL.1] {
        let verify = bench.verify_step(&session, &[(Channel::Email, guess)]);
        let once = bench.store.verify(verify.clone()).await.unwrap();
        let log = bench.log().await;
        bench.clock.advance(SECOND);
        assert_eq!(bench.store.verify(verify).await.unwrap().answer, once.answer);
        assert_eq!(bench.log().await, log);
    }
    let judgement = expect_verdict!(bench.guess(&session, &[EMAIL]).await, VerifyVerdict::AlreadyVerified(session) => session);
    assert_eq!(judgement.attempts_remaining(), 2);
}

pub async fn a_resend_repeated_with_its_step_answers_the_same(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    bench.clock.advance(MINUTE);
    let resend = bench.resend_step(&session);
    let once = bench.store.resend(resend.clone()).await.unwrap();
    expect_verdict!(&once.answer, Answer::Fresh(SendAgainVerdict::Sent(session, _)) => assert_eq!(session.generation(), 1));
    bench.clock.advance(MINUTE);
    assert_eq!(bench.store.resend(resend).await.unwrap().answer, once.answer);
    assert_eq!(bench.log().await.len(), 3);
}

pub async fn a_cancel_repeated_with_its_step_answers_the_same(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    let cancel = bench.cancel_step(&session);
    let once = bench.store.cancel(cancel.clone()).await.unwrap();
    assert_eq!(bench.store.cancel(cancel).await.unwrap().answer, once.answer);
    assert_eq!(bench.log().await.len(), 3);
}

pub async fn an_advance_repeated_with_its_step_answers_the_same(bench: Bench) {
    let mut open = bench.opening(&[Channel::Email]);
    open.session.fallback = vec![bench.planned(Channel::Sms, MINUTE), bench.planned(Channel::Voice, MINUTE)];
    let session = bench.open(open).await;
    let advance = bench.advance_step(&session);
    let once = bench.store.advance(advance.clone()).await.unwrap();
    assert_eq!(bench.store.advance(advance).await.unwrap(), once);
    assert_eq!(bench.find(&session).await.challenges().len(), 2);
}

/// The adapter repeats a step whose reply it never saw. That is the first answer of its call, not a replay of an earlier one.
pub async fn a_lost_reply_is_not_mistaken_for_a_replay(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    bench.clock.advance(MINUTE);
    let resend = Resend { claim: Some(bench.claim("resend", "")), ..bench.resend_step(&session) };
    let verify = Verify { claim: Some(bench.claim("verify", "")), ..bench.verify_step(&session, &[(Channel::Email, WRONG)]) };
    let cancel = Cancel { claim: Some(bench.claim("cancel", "")), ..bench.cancel_step(&session) };
    for _ in 0..2 {
        expect_verdict!(bench.store.resend(resend.clone()).await.unwrap().answer, Answer::Fresh(SendAgainVerdict::Sent(..)) => ());
    }
    for _ in 0..2 {
        expect_verdict!(bench.store.verify(verify.clone()).await.unwrap().answer, Answer::Fresh(VerifyVerdict::Judged(..)) => ());
    }
    for _ in 0..2 {
        expect_verdict!(bench.store.cancel(cancel.clone()).await.unwrap().answer, Answer::Fresh(CancelVerdict::Canceled(_)) => ());
    }
}

pub async fn a_send_under_a_used_key_is_answered_from_memory(bench: Bench) {
    let first = answered(&bench, "key").await;
    bench.clock.advance(MINUTE * 30);
    let again = bench.store.open(claiming(&bench, "key", "body")).await.unwrap();
    let replayed = expect_verdict!(again.answer, Answer::Replayed(OpenVerdict::Opened(session)) => session);
    assert_eq!((replayed.id(), replayed.expires_at()), (first.id(), first.expires_at()));
    assert_eq!(bench.log().await.len(), 2);
}

pub async fn a_send_under_the_key_of_a_running_one_waits(bench: Bench) {
    bench.open(claiming(&bench, "key", "body")).await;
    bench.clock.advance(LEASE - SECOND);
    assert_eq!(bench.store.open(claiming(&bench, "key", "body")).await.unwrap().answer, Answer::Running);
    assert_eq!(bench.log().await.len(), 1);
}

pub async fn a_key_used_with_another_body_is_refused(bench: Bench) {
    let session = answered(&bench, "key").await;
    assert_eq!(bench.store.open(claiming(&bench, "key", "other")).await.unwrap().answer, Answer::Mismatch);
    let claim = Some(bench.claim("key", "other"));
    let verify = Verify { claim, ..bench.verify_step(&session, &[EMAIL]) };
    assert_eq!(bench.store.verify(verify).await.unwrap().answer, Answer::Mismatch);
    bench.clock.advance(MINUTE);
    assert_eq!(bench.store.resend(Resend { claim, ..bench.resend_step(&session) }).await.unwrap().answer, Answer::Mismatch);
    assert_eq!(bench.store.cancel(Cancel { claim, ..bench.cancel_step(&session) }).await.unwrap().answer, Answer::Mismatch);
    assert_eq!(bench.find(&session).await, session);
}

pub async fn a_key_whose_call_died_answers_what_it_had_opened(bench: Bench) {
    let first = bench.open(claiming(&bench, "key", "body")).await;
    bench.clock.advance(LEASE);
    for _ in 0..2 {
        let again = bench.store.open(claiming(&bench, "key", "body")).await.unwrap();
        expect_verdict!(again.answer, Answer::Replayed(OpenVerdict::Opened(session)) => assert_eq!(session.id(), first.id()));
    }
    assert_eq!(bench.log().await.len(), 1);
}

pub async fn a_refused_send_leaves_no_trace_under_its_key(bench: Bench) {
    let of_ann = || {
        let mut open = claiming(&bench, "key", "body");
        open.session.users = vec![bench.subject(SubjectKind::User, "ann")];
        open
    };
    for _ in 0..5 {
        bench.open(Open { claim: None, ..of_ann() }).await;
    }
    expect_verdict!(bench.try_open(of_ann()).await, OpenVerdict::Limited { .. } => ());
    expect_verdict!(bench.try_open(of_ann()).await, OpenVerdict::Limited { .. } => ());
    bench.clock.advance(MINUTE * 5);
    bench.open(of_ann()).await;
}

pub async fn a_send_of_which_nothing_went_out_frees_its_key(bench: Bench) {
    for (all_failed, freed) in [(AllFailed::Error, true), (AllFailed::Session, false)] {
        let opening = || {
            let mut open = claiming(&bench, if freed { "freed" } else { "kept" }, "body");
            open.session.policy.all_failed = all_failed;
            open
        };
        let open = opening();
        let claim = open.claim;
        let session = bench.open(open).await;
        let record = Record { claim, ..bench.record_step(&session, &[(Channel::Email, UNREACHABLE)]) };
        bench.store.record(record).await.unwrap();
        let again = bench.store.open(opening()).await.unwrap();
        assert_eq!(matches!(again.answer, Answer::Fresh(OpenVerdict::Opened(_))), freed, "{again:?}");
    }
}

pub async fn a_verify_under_a_used_key_is_answered_from_memory(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    let claim = Some(bench.claim("key", "body"));
    let first = judged(&bench, Verify { claim, ..bench.verify_step(&session, &[(Channel::Email, WRONG)]) }).await;
    judged(&bench, bench.verify_step(&session, &[(Channel::Email, WRONG)])).await;
    let again = bench.store.verify(Verify { claim, ..bench.verify_step(&session, &[(Channel::Email, WRONG)]) }).await.unwrap();
    expect_verdict!(again.answer, Answer::Replayed(VerifyVerdict::Judged(_, judgement, _)) => assert_eq!(judgement, first));
    assert_eq!(bench.find(&session).await.attempts_remaining(), 1);

    let claim = Some(bench.claim("right", "body"));
    let first = judged(&bench, Verify { claim, ..bench.verify_step(&session, &[EMAIL]) }).await;
    let again = bench.store.verify(Verify { claim, ..bench.verify_step(&session, &[EMAIL]) }).await.unwrap();
    expect_verdict!(again.answer, Answer::Replayed(VerifyVerdict::Judged(_, judgement, _)) => assert_eq!(judgement, first));
}

pub async fn a_cancel_under_a_used_key_is_answered_from_memory(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    let claim = Some(bench.claim("key", "body"));
    bench.store.cancel(Cancel { claim, ..bench.cancel_step(&session) }).await.unwrap();
    let again = bench.store.cancel(Cancel { claim, ..bench.cancel_step(&session) }).await.unwrap();
    expect_verdict!(again.answer, Answer::Replayed(CancelVerdict::Canceled(again)) => assert_eq!(again.id(), session.id()));
}

pub async fn a_resend_under_a_used_key_is_answered_from_memory(bench: Bench) {
    let session = bench.sent(&[Channel::Email, Channel::Sms]).await;
    bench.clock.advance(MINUTE);
    let claim: Option<Claim> = Some(bench.claim("key", "body"));
    let step = || Resend { claim, channels: Some(vec![Channel::Sms]), ..bench.resend_step(&session) };
    let sent = bench.try_resend(step()).await;
    let session = expect_verdict!(sent, SendAgainVerdict::Sent(session, _) => *session);
    assert_eq!(bench.store.resend(step()).await.unwrap().answer, Answer::Running);
    let record = bench.record_step(&session, &[(Channel::Sms, accepted())]);
    bench.store.record(Record { claim, channels: vec![Channel::Sms], ..record }).await.unwrap();
    let again = bench.store.resend(step()).await.unwrap();
    let (again, channels) =
        expect_verdict!(again.answer, Answer::Replayed(SendAgainVerdict::Sent(again, channels)) => (again, channels));
    assert_eq!((again.generation(), channels), (1, vec![Channel::Sms]));
}

pub async fn a_key_means_nothing_after_a_day(bench: Bench) {
    let first = answered(&bench, "key").await;
    bench.clock.advance(DAY - SECOND);
    expect_verdict!(bench.store.open(claiming(&bench, "key", "body")).await.unwrap().answer, Answer::Replayed(_) => ());
    bench.clock.advance(SECOND);
    assert_ne!(bench.open(claiming(&bench, "key", "other")).await.id(), first.id());
}

pub async fn a_stored_reply_holds_nothing_to_try_a_guess_against(bench: Bench) {
    let first = answered(&bench, "key").await;
    assert!(format!("{first:?}").contains("CodeDigest"));
    let again = bench.store.open(claiming(&bench, "key", "body")).await.unwrap();
    assert!(!format!("{again:?}").contains("CodeDigest"), "{again:?}");
}
