//! Who may take a step at all, and how often.

use countersign_model::{Channel, KeyId, Limit, Quota};

use super::bench::{Bench, MINUTE, WRONG, code, expect_verdict, fresh};
use crate::code::SubjectKind;
use crate::store::{Answer, Cancel, CancelVerdict, Guard, OpenVerdict, Verify, VerifyVerdict};

fn with_limit(bench: &Bench, max: u32) -> Guard {
    Guard { limit: Limit { max, window: MINUTE }, ..bench.guard() }
}

pub async fn a_step_tells_how_many_calls_its_key_has_left(bench: Bench) {
    let mut open = bench.opening(&[Channel::Email]);
    open.guard = with_limit(&bench, 3);
    let heard = bench.store.open(open).await.unwrap();
    let resets_at = bench.now().plus(MINUTE);
    let quota = Quota { limit: with_limit(&bench, 3).limit, remaining: 2, resets_in: MINUTE, resets_at };
    assert_eq!(heard.quota, Some(quota));
    let session = expect_verdict!(fresh(heard), OpenVerdict::Opened(session) => session);
    let mut verify = bench.verify_step(&session, &[(Channel::Email, WRONG)]);
    verify.guard = Some(with_limit(&bench, 3));
    assert_eq!(bench.store.verify(verify).await.unwrap().quota.unwrap().remaining, 1);
}

pub async fn a_key_without_a_call_left_takes_no_step(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    let guard = with_limit(&bench, 2);
    let calls = bench.subject(SubjectKind::Key, "another key");
    for _ in 0..2 {
        assert_eq!(bench.store.admit(Guard { calls, ..guard }).await.unwrap().answer, Answer::Fresh(()));
    }
    let mut verify = bench.verify_step(&session, &[(Channel::Email, code(Channel::Email))]);
    verify.guard = Some(Guard { calls, ..guard });
    let heard = bench.store.verify(verify.clone()).await.unwrap();
    assert_eq!(heard.answer, Answer::TooManyCalls);
    let quota = heard.quota.unwrap();
    assert_eq!((quota.remaining, quota.resets_in), (0, MINUTE));
    bench.clock.advance(MINUTE);
    expect_verdict!(fresh(bench.store.verify(verify).await.unwrap()), VerifyVerdict::Judged(_, judgement, _) => assert!(judgement.verified));
}

pub async fn a_step_that_nobody_asks_for_counts_no_call(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    bench.store.set_revision(bench.scope.tenant, 5).await.unwrap();
    let verify = bench.verify_step(&session, &[(Channel::Email, WRONG)]);
    let heard = bench.store.verify(Verify { guard: None, ..verify }).await.unwrap();
    assert_eq!(heard.quota, None);
    expect_verdict!(fresh(heard), VerifyVerdict::Judged(_, judgement, _) => assert!(!judgement.verified));
    let heard = bench.store.cancel(Cancel { guard: None, ..bench.cancel_step(&session) }).await.unwrap();
    assert_eq!(heard.quota, None);
    expect_verdict!(fresh(heard), CancelVerdict::Canceled(_) => ());
}

pub async fn a_repeated_step_counts_no_call(bench: Bench) {
    let mut open = bench.opening(&[Channel::Email]);
    open.guard = with_limit(&bench, 1);
    assert!(bench.store.open(open.clone()).await.unwrap().quota.is_some());
    let again = bench.store.open(open).await.unwrap();
    assert_eq!(again.quota, None);
    expect_verdict!(fresh(again), OpenVerdict::Opened(_) => ());
}

pub async fn a_caller_of_an_older_revision_must_read_its_records_again(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    bench.store.set_revision(bench.scope.tenant, 5).await.unwrap();
    let mut verify = bench.verify_step(&session, &[(Channel::Email, code(Channel::Email))]);
    let heard = bench.store.verify(verify.clone()).await.unwrap();
    assert_eq!((heard.answer, heard.quota), (Answer::Stale { revision: 5 }, None));
    bench.store.set_revision(bench.scope.tenant, 4).await.unwrap();
    assert_eq!(bench.store.admit(bench.guard()).await.unwrap().answer, Answer::Stale { revision: 5 });
    for revision in [5, 6] {
        let guard = Guard { revision, ..bench.guard() };
        assert_eq!(bench.store.admit(guard).await.unwrap().answer, Answer::Fresh(()));
    }
    verify.guard = Some(Guard { revision: 5, ..bench.guard() });
    expect_verdict!(fresh(bench.store.verify(verify).await.unwrap()), VerifyVerdict::Judged(..) => ());
}

pub async fn a_revoked_key_takes_no_step(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    bench.store.revoke(bench.scope.tenant, bench.guard().key).await.unwrap();
    let verify = bench.verify_step(&session, &[(Channel::Email, code(Channel::Email))]);
    assert_eq!(bench.store.verify(verify).await.unwrap().answer, Answer::Revoked);
    assert_eq!(bench.store.open(bench.opening(&[Channel::Sms])).await.unwrap().answer, Answer::Revoked);
    let resend = bench.resend_step(&session);
    assert_eq!(bench.store.resend(resend).await.unwrap().answer, Answer::Revoked);
    assert_eq!(bench.store.cancel(bench.cancel_step(&session)).await.unwrap().answer, Answer::Revoked);
    let other = Guard { key: KeyId::from_bits(8), ..bench.guard() };
    assert_eq!(bench.store.admit(other).await.unwrap().answer, Answer::Fresh(()));
    let remembered = bench.store.revoked(bench.scope.tenant).await.unwrap();
    assert_eq!(remembered, [(bench.guard().key, bench.now())]);
}

pub async fn of_a_hundred_racing_calls_as_many_as_the_limit_are_let_through(bench: Bench) {
    let guard = with_limit(&bench, 70);
    let store = &bench.store;
    let racing: Vec<_> = (0..100)
        .map(|_| {
            let store = std::sync::Arc::clone(store);
            tokio::spawn(async move { store.admit(guard).await.unwrap().answer })
        })
        .collect();
    let mut through = 0;
    for call in racing {
        through += u32::from(call.await.unwrap() == Answer::Fresh(()));
    }
    assert_eq!(through, 70);
}
