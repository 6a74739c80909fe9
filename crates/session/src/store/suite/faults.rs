//! An engine that breaks in the middle of a step. For engines that can be broken into: see [`Engine::dump`](super::Engine::dump).

use countersign_model::{Channel, ReceiptFailover, Report};

use super::bench::{Bench, DAY, MINUTE, POLICY, WRONG, accepted, code, per_ip};
use super::receipts::{newest, receipt};
use super::step::AnyStep;
use super::{Engine, Setup, runtime};
use crate::code::SubjectKind;
use crate::session::{Instead, Names, Turn};
use crate::store::faults::FaultPoint;
use crate::store::{Advance, Cancel, Lapse, NamedMessage, ParkedReceipt, Record, Resend, Verify};

/// Steps that write all that a step of their kind can write.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Open,
    Record,
    WrongGuess,
    RightGuess,
    Resend,
    Advance,
    Cancel,
    Expiry,
    Drop,
    Receive,
    Retry,
    GivenUp,
    NameMessage,
    FindMessage,
}

const KINDS: [Kind; 14] = [
    Kind::Open,
    Kind::Record,
    Kind::WrongGuess,
    Kind::RightGuess,
    Kind::Resend,
    Kind::Advance,
    Kind::Cancel,
    Kind::Expiry,
    Kind::Drop,
    Kind::Receive,
    Kind::Retry,
    Kind::GivenUp,
    Kind::NameMessage,
    Kind::FindMessage,
];

impl Kind {
    /// Brings the store to where such a step can be taken, and makes the step.
    async fn prepare(self, bench: &Bench) -> AnyStep {
        let mut open = bench.opening(&[Channel::Email]);
        open.session.fallback = vec![bench.planned(Channel::Sms, MINUTE)];
        open.limits.counts = vec![per_ip(bench.subject(SubjectKind::Ip, &open.session.id.to_string()))];
        open.claim = Some(bench.claim(&open.session.id.to_string(), "send"));
        let name = |kind: &str| bench.keys.fingerprint(&[kind.as_bytes(), open.session.id.to_string().as_bytes()]);
        open.session.names = Names { slot: Some(name("slot")), recipient: Some(name("recipient")), by_code: true };
        let (claim, scope) = (open.claim, open.session.scope);
        open.session.policy.receipts.failover = ReceiptFailover::Provider;
        if let Self::Open = self {
            return AnyStep::Open(Box::new(open));
        }
        let session = bench.open(open).await;
        if let Self::Record = self {
            return AnyStep::Record(Record { claim, ..bench.record_step(&session, &[(Channel::Email, accepted())]) });
        }
        let session = bench.accept(&session).await;
        bench.judged(&session, &[(Channel::Email, WRONG)]).await;
        let claim = Some(bench.claim(&format!("next {}", session.id()), "next"));
        match self {
            Self::WrongGuess => AnyStep::Verify(Verify { claim, ..bench.verify_step(&session, &[(Channel::Email, WRONG)]) }),
            Self::RightGuess => {
                AnyStep::Verify(Verify { claim, ..bench.verify_step(&session, &[(Channel::Email, code(Channel::Email))]) })
            }
            Self::Resend => {
                bench.clock.advance(MINUTE);
                AnyStep::Resend(Resend { claim, ..bench.resend_step(&session) })
            }
            Self::Advance => AnyStep::Advance(bench.advance_step(&session)),
            Self::Cancel => AnyStep::Cancel(Cancel { claim, ..bench.cancel_step(&session) }),
            Self::Expiry => {
                bench.clock.advance(POLICY.life);
                AnyStep::Lapse(Lapse { scope, session: session.id(), given_up: None })
            }
            Self::Drop => {
                bench.clock.advance(DAY * 2);
                AnyStep::Lapse(Lapse { scope, session: session.id(), given_up: None })
            }
            Self::Receive => AnyStep::Receive(receipt(&session, Channel::Email, Report::Delivered)),
            Self::Retry => {
                bench.clock.advance(MINUTE * 5);
                let turn = Turn::Instead { of: session.challenges()[0].message.id, by: Instead::Provider };
                AnyStep::Advance(Advance { turn, ..bench.advance_step(&session) })
            }
            Self::GivenUp => {
                bench.clock.advance(MINUTE * 5);
                let given_up = Some(session.challenges()[0].message.id);
                AnyStep::Lapse(Lapse { scope, session: session.id(), given_up })
            }
            Self::NameMessage => {
                let message = NamedMessage::whole(newest(&session, Channel::Email));
                AnyStep::NameMessage(session.id().to_string(), message)
            }
            Self::FindMessage => {
                let receipt = ParkedReceipt { report: Report::Delivered, at: None, carrier: None };
                AnyStep::FindMessage(session.id().to_string(), receipt)
            }
            Self::Open | Self::Record => unreachable!("made above"),
        }
    }
}

/// Runs the story when the engine can be broken into.
fn with_breakable(make: impl AsyncFn(Setup) -> Engine, story: &impl AsyncFn(&Bench, &(dyn Fn() -> String + Send + Sync))) {
    runtime().block_on(async {
        let mut bench = Bench::new(&make).await;
        if let Some(dump) = bench.dump.take() {
            story(&bench, &*dump).await;
        }
    });
}

pub fn an_error_at_any_statement_of_a_step_changes_nothing(make: impl AsyncFn(Setup) -> Engine) {
    with_breakable(make, &async |bench, dump| {
        for kind in KINDS {
            let mut passed = 0;
            loop {
                let step = kind.prepare(bench).await;
                let before = dump();
                bench.strike.arm(FaultPoint::Statement, passed);
                let broken = step.take(&bench.store).await;
                if bench.strike.disarm() {
                    broken.unwrap();
                    break;
                }
                assert!(broken.is_err(), "{kind:?}, after {passed}: {broken:?}");
                assert!(dump() == before, "{kind:?}, after {passed}");
                succeeds_once(bench, dump, &step).await;
                passed += 1;
            }
            assert!(passed >= 4, "{kind:?} has only {passed} places to break at");
        }
    });
}

/// The step can be taken, changes something, and then nothing more.
async fn succeeds_once(bench: &Bench, dump: &(dyn Fn() -> String + Send + Sync), step: &AnyStep) {
    let before = dump();
    let answer = step.take(&bench.store).await.unwrap().answer;
    let after = dump();
    assert!(before != after, "nothing changed: {answer}");
    let again = step.take(&bench.store).await.unwrap().answer;
    // A receipt has no id: it is known by saying nothing new.
    assert_eq!(again, if matches!(step, AnyStep::Receive(_)) { "Unchanged" } else { answer.as_str() });
    assert!(dump() == after, "changed again: {answer}");
}

pub fn a_commit_that_fails_changes_nothing(make: impl AsyncFn(Setup) -> Engine) {
    with_breakable(make, &async |bench, dump| {
        for kind in KINDS {
            let step = kind.prepare(bench).await;
            let before = dump();
            bench.strike.arm(FaultPoint::Commit, 0);
            assert!(step.take(&bench.store).await.is_err(), "{kind:?}");
            assert!(dump() == before, "{kind:?}");
            succeeds_once(bench, dump, &step).await;
        }
    });
}

pub fn a_step_whose_reply_was_lost_is_answered_when_it_is_repeated(make: impl AsyncFn(Setup) -> Engine) {
    with_breakable(make, &async |bench, dump| {
        for kind in KINDS {
            let step = kind.prepare(bench).await;
            bench.strike.arm(FaultPoint::Reply, 0);
            assert!(step.take(&bench.store).await.is_err(), "{kind:?}");
            let after = dump();
            let answer = step.take(&bench.store).await.unwrap().answer;
            assert!(dump() == after, "{kind:?}: {answer}");
        }
    });
}
