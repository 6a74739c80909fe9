//! Steps that come at the same time.

use std::collections::BTreeSet;
use std::sync::Arc;

use countersign_model::{Channel, EventKind, Mode, ReceiptFailover, Report};

use super::bench::{Bench, MINUTE, WRONG, accepted, code, fresh};
use super::receipts::receipt;
use super::step::AnyStep;
use crate::code::SubjectKind;
use crate::guess::Guess;
use crate::session::{Instead, Session, SessionStatus, Turn};
use crate::store::{
    Advance, NameQuery, OpenVerdict, ReceiveVerdict, SendAgainVerdict, SessionStore, StoreError, Verify, VerifyVerdict,
};

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
            VerifyVerdict::Judged(_, judgement, _) => left.push(judgement.attempts_remaining),
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
            VerifyVerdict::Judged(_, judgement, _) if judgement.session_verified => complete += 1,
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

pub async fn of_fifty_racing_opens_of_one_slot_one_passes(bench: Bench) {
    let slot = bench.keys.fingerprint(&[b"slot", b"a service", b"ann"]);
    let opening = |_| {
        let mut open = bench.opening(&[Channel::Sms]);
        open.session.names.slot = Some(slot);
        open
    };
    let steps = (0..50).map(opening).collect();
    let verdicts = race(&bench, steps, async |store, step| store.open(step).await).await;
    let (mut opened, mut refused) = (Vec::new(), 0);
    for verdict in verdicts {
        match fresh(verdict) {
            OpenVerdict::Opened(session) => opened.push(session.id()),
            OpenVerdict::SlotTaken { .. } => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((opened.len(), refused), (1, 49));
    let holder = bench.store.named(bench.scope, NameQuery::Slot(slot)).await.unwrap();
    assert_eq!(holder.iter().map(Session::id).collect::<Vec<_>>(), opened);
}

pub async fn of_two_hundred_racing_opens_no_two_are_found_by_one_code(bench: Bench) {
    // As few codes as there may be, so that some of them meet.
    let opening = |_| {
        let mut open = bench.opening(&[Channel::Sms]);
        open.session.policy.code_length = 4;
        open.session.names.by_code = true;
        open.session.codes = bench.minted();
        open
    };
    let steps = (0..200).map(opening).collect();
    let verdicts = race(&bench, steps, async |store, step| store.open(step).await).await;
    let mut codes = BTreeSet::new();
    for verdict in verdicts {
        let OpenVerdict::Opened(session) = fresh(verdict) else { panic!("not opened") };
        let code = bench.new_code(&session, Channel::Sms);
        let query = NameQuery::Code { mode: Mode::Live, guess: Guess::read(&code).unwrap() };
        let named = bench.store.named(bench.scope, query).await.unwrap();
        assert_eq!(named.iter().map(Session::id).collect::<Vec<_>>(), [session.id()]);
        assert!(codes.insert(code));
    }
}

pub async fn of_fifty_racing_checks_of_one_code_one_consumes_it(bench: Bench) {
    let mut open = bench.opening(&[Channel::Sms]);
    open.session.names.by_code = true;
    let session = bench.open(open).await;
    let session = bench.accept(&session).await;
    let guess = code(Channel::Sms);
    let query = || NameQuery::Code { mode: Mode::Live, guess: Guess::read(guess).unwrap() };
    let steps = (0..50).map(|_| (query(), bench.verify_step(&session, &[(Channel::Sms, guess)]))).collect();
    let verdicts = race(&bench, steps, async |store, (query, step): (NameQuery, Verify)| {
        let named = store.named(step.scope, query).await?;
        assert_eq!(named.len(), 1, "what becomes of it is nothing to the name");
        store.verify(Verify { session: named[0].id(), ..step }).await
    });
    let consumed = verdicts
        .await
        .into_iter()
        .filter(|verdict| matches!(fresh(verdict.clone()), VerifyVerdict::Judged(_, judgement, _) if judgement.session_verified));
    assert_eq!(consumed.count(), 1);
}

pub async fn of_fifty_racing_retries_one_sends(bench: Bench) {
    for by in [Instead::Provider, Instead::Channel] {
        let mut open = bench.opening(&[Channel::Sms]);
        open.session.policy.receipts.failover = ReceiptFailover::Provider;
        open.session.fallback = vec![bench.planned(Channel::Voice, MINUTE * 9), bench.planned(Channel::Whatsapp, MINUTE * 9)];
        let session = bench.open(open).await;
        let session = bench.accept(&session).await;
        bench.clock.advance(MINUTE);
        let turn = Turn::Instead { of: session.challenges()[0].message.id, by };
        let steps = (0..50).map(|_| Advance { turn, ..bench.advance_step(&session) }).collect();
        let verdicts = race(&bench, steps, async |store, step| store.advance(step).await).await;
        let (mut sent, mut late) = (0, 0);
        for verdict in verdicts {
            match fresh(verdict) {
                SendAgainVerdict::Sent(..) => sent += 1,
                SendAgainVerdict::NoFallback(_) => late += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((sent, late), (1, 49));
    }
}

pub async fn racing_receipts_are_told_once(bench: Bench) {
    let session = bench.sent(&[Channel::Sms]).await;
    let receipts = (0..50).map(|_| receipt(&session, Channel::Sms, Report::Delivered)).collect();
    let verdicts = race(&bench, receipts, async |store, receipt| store.receive(receipt).await).await;
    let changed = verdicts.iter().filter(|verdict| matches!(verdict, ReceiveVerdict::Changed(_))).count();
    assert_eq!((changed, verdicts.contains(&ReceiveVerdict::Unknown)), (1, false));
    assert_eq!(bench.names(&session).await[2..], ["message.delivered"]);
}
