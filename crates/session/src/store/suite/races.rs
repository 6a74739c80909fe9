//! Steps that come at the same time.

use std::sync::Arc;

use countersign_model::{Channel, EventKind};

use super::bench::{Bench, MINUTE, WRONG, accepted, code, fresh};
use super::step::AnyStep;
use crate::code::SubjectKind;
use crate::session::SessionStatus;
use crate::store::{OpenVerdict, SessionStore, StoreError, VerifyVerdict};

/// Does all of it at once.
async fn race<S, T, F>(bench: &Bench, steps: Vec<S>, take: impl Fn(Arc<dyn SessionStore>, S) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T, StoreError>> + Send + 'static,
{
    let racing: Vec<_> = steps.into_iter().map(|step| tokio::spawn(take(Arc::clone(&bench.store), step))).collect();
    let mut verdicts = Vec::new();
    for one in racing {
        verdicts.push(one.await.unwrap().unwrap());
    }
    verdicts
}

pub async fn of_two_hundred_racing_wrong_guesses_three_are_counted(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    let steps = (0..200).map(|_| bench.verify_step(&session, &[(Channel::Email, WRONG)])).collect();
    let verdicts = race(&bench, steps, async |store, step| store.verify(step).await).await;
    let mut left = Vec::new();
    for verdict in verdicts {
        match fresh(verdict) {
            VerifyVerdict::Judged(_, judgement) => left.push(judgement.attempts_remaining),
            VerifyVerdict::Locked(_) => {}
            other => panic!("{other:?}"),
        }
    }
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2]);
    let refused = bench.names(&session).await.into_iter().filter(|name| *name == "guess.refused").count();
    assert_eq!(refused, 3);
}

pub async fn of_fifty_racing_right_guesses_one_completes_the_session(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    let steps = (0..50).map(|_| bench.verify_step(&session, &[(Channel::Email, code(Channel::Email))])).collect();
    let verdicts = race(&bench, steps, async |store, step| store.verify(step).await).await;
    let (mut complete, mut late) = (0, 0);
    for verdict in verdicts {
        match fresh(verdict) {
            VerifyVerdict::Judged(_, judgement) if judgement.session_verified => complete += 1,
            VerifyVerdict::AlreadyVerified(_) => late += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((complete, late), (1, 49));
}

pub async fn of_fifty_racing_opens_of_a_user_five_are_let_through(bench: Bench) {
    let opening = |_| {
        let mut open = bench.opening(&[Channel::Email]);
        open.session.users = vec![bench.subject(SubjectKind::User, "ann")];
        open
    };
    let steps = (0..50).map(opening).collect();
    let verdicts = race(&bench, steps, async |store, step| store.open(step).await).await;
    let opened = verdicts.into_iter().filter(|verdict| matches!(fresh(verdict.clone()), OpenVerdict::Opened(_))).count();
    assert_eq!(opened, 5);
}

pub async fn racing_resends_guesses_and_cancels_leave_one_history(bench: Bench) {
    for _ in 0..10 {
        let session = bench.open(bench.opening(&[Channel::Email, Channel::Sms])).await;
        bench.clock.advance(MINUTE);
        let mut steps = Vec::new();
        for nth in 0..20 {
            steps.push(AnyStep::Resend(bench.resend_step(&session)));
            let guess = if nth == 10 { code(Channel::Sms) } else { WRONG };
            steps.push(AnyStep::Verify(bench.verify_step(&session, &[(Channel::Sms, guess)])));
            steps.push(AnyStep::Record(bench.record_step(&session, &[(Channel::Sms, accepted())])));
            if nth == 15 {
                steps.push(AnyStep::Cancel(bench.cancel_step(&session)));
            }
        }
        race(&bench, steps, async |store, step: AnyStep| step.take(&store).await).await;
        let story = bench.story(&session).await;
        let count = |name: &str| story.iter().filter(|event| event.name() == name).count();
        assert_eq!(count("session.verified") + count("session.canceled"), 1, "{story:?}");
        assert!(count("session.resent") <= 1, "a second resend came too early: {story:?}");
        assert!(count("guess.refused") <= 6, "three for each send: {story:?}");
        let ended = matches!(bench.find(&session).await.status(bench.now()), SessionStatus::Verified | SessionStatus::Canceled);
        assert!(ended, "{story:?}");
        let last =
            story.iter().rposition(|event| matches!(event, EventKind::SessionVerified { .. } | EventKind::SessionCanceled));
        let after = &story[last.unwrap() + 1..];
        assert!(after.iter().all(|event| matches!(event, EventKind::MessageSent { .. })), "{story:?}");
    }
}
