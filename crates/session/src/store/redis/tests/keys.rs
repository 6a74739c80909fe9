//! Keys at which something else lies than a step expects.

use countersign_model::{Channel, KeyId, Limit, ReceiptFailover, Report, Undelivered};

use super::Workshop;
use crate::code::{CodeSource, SubjectKind};
use crate::session::packed::Writer;
use crate::session::{Instead, Session, Turn};
use crate::store::redis::link::tag;
use crate::store::redis::plan::{Moment, Plan, head_key};
use crate::store::redis::steps::{self, GUESSED, Means, SENT_AGAIN};
use crate::store::redis::{account, names, receipts, scripts};
use crate::store::suite::bench::{BUDGET, MINUTE, POLICY, WRONG, accepted, code};
use crate::store::suite::receipts::{newest, receipt};
use crate::store::{
    Advance, Cancel, Credit, Lapse, NamedMessage, ParkedReceipt, Record, Resend, StoreError, Strike, Unblock, Verify,
};

/// Steps that write all that a step of their kind can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    NamedOpen,
    Notice,
    Record,
    WrongGuess,
    RightGuess,
    Resend,
    Advance,
    Cancel,
    Expiry,
    Drop,
    Admit,
    Revoke,
    Credit,
    Cut,
    Rebuild,
    Strike,
    Unblock,
    Receive,
    Retry,
    GivenUp,
    NameMessage,
    FindMessage,
}

impl Kind {
    pub(super) const ALL: [Self; 23] = [
        Self::Open,
        Self::NamedOpen,
        Self::Notice,
        Self::Record,
        Self::WrongGuess,
        Self::RightGuess,
        Self::Resend,
        Self::Advance,
        Self::Cancel,
        Self::Expiry,
        Self::Drop,
        Self::Admit,
        Self::Revoke,
        Self::Credit,
        Self::Cut,
        Self::Rebuild,
        Self::Strike,
        Self::Unblock,
        Self::Receive,
        Self::Retry,
        Self::GivenUp,
        Self::NameMessage,
        Self::FindMessage,
    ];
}

/// Brings the store to where such a step can be taken, and says what it sends.
pub(super) async fn plans(shop: &Workshop, kind: Kind) -> Plan {
    let bench = &shop.bench;
    bench.clock.advance(MINUTE * 5);
    let means = Means { keys: &bench.keys, budget: BUDGET, log_max_events: 1_000_000 };
    let mut open = shop.full_opening();
    open.session.fallback = vec![bench.planned(Channel::Sms, MINUTE)];
    open.session.policy.receipts.failover = ReceiptFailover::Provider;
    let (scope, claim) = (open.session.scope, open.claim);
    let next = Some(bench.claim(&format!("next {}", open.session.id), "next"));
    let session = match kind {
        Kind::Open => return means.open(&open).unwrap(),
        Kind::NamedOpen => return means.open(&shop.named_opening()).unwrap(),
        Kind::Notice => {
            open.session.codes = CodeSource::Notice;
            return means.open(&open).unwrap();
        }
        Kind::Strike => {
            let subject = bench.subject(SubjectKind::Misses, "");
            return names::strike(&Strike {
                tenant: scope.tenant,
                subject,
                limit: Limit { max: 1_000, window: MINUTE },
                count: 1,
            });
        }
        Kind::Unblock => {
            let session = bench.open(open).await;
            bench.judged(&session, &[(Channel::Email, WRONG)]).await;
            return names::unblock(&Unblock { tenant: scope.tenant, subject: session.budgets()[0] }, BUDGET);
        }
        Kind::Admit => return steps::admit(&open.guard),
        Kind::Revoke => {
            let mut out = Writer::new();
            out.array(2).none().bytes(&KeyId::from_bits(9).bits().to_be_bytes());
            return Plan::new(&scripts::HEAD, scope.tenant.partition(), vec![head_key(scope.tenant)], out);
        }
        Kind::Credit => {
            let number = bench.store.balance(scope.tenant).await.unwrap().credits + 1;
            return account::credit(&Credit { tenant: scope.tenant, number, amount: "1.00".parse().unwrap() });
        }
        Kind::Cut => return account::cut(scope.tenant),
        Kind::Rebuild => return account::rebuild(scope.tenant, "50.00".parse().unwrap(), 7),
        _ => bench.open(open).await,
    };
    if kind == Kind::Record {
        return steps::record(&Record { claim, ..bench.record_step(&session, &[(Channel::Email, accepted())]) });
    }
    let session: Session = bench.accept(&session).await;
    bench.judged(&session, &[(Channel::Email, WRONG)]).await;
    let verify = |guess| Verify { claim: next, ..bench.verify_step(&session, &[(Channel::Email, guess)]) };
    match kind {
        Kind::WrongGuess => means.verify(&verify(WRONG), &GUESSED),
        Kind::RightGuess => means.verify(&verify(code(Channel::Email)), &GUESSED),
        Kind::Resend => {
            bench.clock.advance(MINUTE);
            let step = Resend { claim: next, ..bench.resend_step(&session) };
            means.resend(&step, crate::store::redis::plan::ShapeSeen::new().last(), &SENT_AGAIN)
        }
        Kind::Advance => {
            let step = Advance { guard: Some(bench.guard()), ..bench.advance_step(&session) };
            means.advance(&step, crate::store::redis::plan::ShapeSeen::new().last(), &SENT_AGAIN)
        }
        Kind::Cancel => steps::cancel(&Cancel { claim: next, ..bench.cancel_step(&session) }),
        Kind::Expiry => {
            bench.clock.advance(POLICY.life);
            steps::lapse(&Lapse { scope, session: session.id(), given_up: None })
        }
        Kind::Drop => {
            bench.clock.advance(MINUTE * 60 * 48);
            steps::lapse(&Lapse { scope, session: session.id(), given_up: None })
        }
        Kind::Receive => {
            // Earlier than anything else that is due, so that this is written as well.
            let bad = receipt(&session, Channel::Email, Report::Undelivered(Undelivered::Unknown));
            receipts::receive(&bad)
        }
        Kind::Retry => {
            bench.clock.advance(MINUTE * 5);
            let turn = Turn::Instead { of: session.challenges()[0].message.id, by: Instead::Provider };
            let step = Advance { guard: Some(bench.guard()), turn, ..bench.advance_step(&session) };
            means.advance(&step, crate::store::redis::plan::ShapeSeen::new().last(), &SENT_AGAIN)
        }
        Kind::GivenUp => {
            bench.clock.advance(MINUTE * 5);
            let given_up = Some(session.challenges()[0].message.id);
            steps::lapse(&Lapse { scope, session: session.id(), given_up })
        }
        Kind::NameMessage => {
            let message = NamedMessage::whole(newest(&session, Channel::Email));
            receipts::name_message(bench.keys.fingerprint(&[b"7"]), &message).unwrap()
        }
        Kind::FindMessage => {
            let parked = ParkedReceipt { report: Report::Delivered, at: None, carrier: None };
            receipts::find_message(bench.keys.fingerprint(&[b"8"]), &parked).unwrap()
        }
        other => unreachable!("{other:?} is made above"),
    }
}

impl Workshop {
    /// Runs it as the store would.
    async fn take(&self, plan: &Plan) -> Result<(), StoreError> {
        let server = super::patient(crate::store::redis::RedisSettings::single(self.server.url()));
        let owner = crate::store::redis::link::Owner(self.bench.keys.fingerprint(&[b"installation"]).0);
        let clock = std::sync::Arc::new(countersign_model::SystemClock);
        let link = crate::store::redis::link::Link::open(server, &scripts::ALL, owner, clock);
        let reply = link.unwrap().call(&plan.call(Moment::Now(self.bench.now().millis()))).await;
        reply.map(drop).map_err(crate::store::redis::refused)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_of_the_type_that_a_step_expects_is_never_written_over() {
    let shop = Workshop::new().await;
    shop.bench.credit(1, "100.00").await;
    for kind in Kind::ALL {
        let keys = plans(&shop, kind).await.keys.len();
        for at in 1..keys {
            for wrong in ["list", "text"] {
                let plan = plans(&shop, kind).await;
                let key = [tag(plan.partition).as_bytes(), &plan.keys[at]].concat();
                let mut line = shop.line.clone();
                let kept: Option<Vec<u8>> = redis::cmd("DUMP").arg(&key).query_async(&mut line).await.unwrap();
                let () = redis::cmd("DEL").arg(&key).query_async(&mut line).await.unwrap();
                let mut spoil = redis::cmd(if wrong == "list" { "RPUSH" } else { "SET" });
                let () = spoil.arg(&key).arg("not ours").query_async(&mut line).await.unwrap();
                let before = shop.dump().await;
                let taken = shop.take(&plan).await;
                let after = shop.dump().await;
                let letter = char::from(plan.keys[at].first().copied().unwrap_or(b'-'));
                match taken {
                    // It had no use for the key.
                    Ok(()) => {
                        let of = |dump: &[(Vec<u8>, Vec<u8>)]| dump.iter().find(|(name, _)| *name == key).cloned();
                        let dropped = kind == Kind::Drop && letter == 's';
                        assert!(of(&before) == of(&after) || dropped, "{kind:?} has written over a {wrong} at {letter}");
                    }
                    Err(error) => {
                        assert!(matches!(error, StoreError::Unreadable(_)), "{kind:?}, a {wrong} at {letter}: {error}");
                        assert!(before == after, "{kind:?} has changed something beside a {wrong} at {letter}");
                    }
                }
                let () = redis::cmd("DEL").arg(&key).query_async(&mut line).await.unwrap();
                if let Some(kept) = kept {
                    let () = redis::cmd("RESTORE").arg(&key).arg(0).arg(kept).query_async(&mut line).await.unwrap();
                }
            }
        }
    }
}
