//! Judging guesses.

use countersign_model::{Scope, SessionId, StepId};

use super::account::funds;
use super::claims::{Claim, Claimed, answer, claimed, snapshot};
use super::guard::{Admission, Guard, admit};
use super::{Step, asked, finish};
use crate::code::SubjectKey;
use crate::guess::Guesses;
use crate::session::{Budgets, Context, Done, Session, VerifyRefusal};
use crate::store::StoreError;
use crate::store::rows::Rows;
use crate::store::verdicts::{Answer, Heard, Reply, VerifyVerdict};

/// Judges guesses.
#[derive(Debug, Clone)]
pub struct Verify {
    /// Who asks; none: a call that another step has counted.
    pub guard: Option<Guard>,
    /// Who may see the session.
    pub scope: Scope,
    /// The session.
    pub session: SessionId,
    /// This step's id.
    pub step: StepId,
    /// Where wrong guesses at the session's recipients are probably counted, so that an engine can read that along with the session. Never
    /// trusted: the session says where.
    pub budgets: Vec<SubjectKey>,
    /// What was typed.
    pub guesses: Guesses,
    /// Whether the guesses were counted against the recipients' budgets already, by a call on another session: then only this session counts
    /// them. A recipient that is blocked hears them no more for that.
    pub spare_budget: bool,
    /// The idempotency key it claims.
    pub claim: Option<Claim>,
}

impl Step for Verify {
    type Verdict = Heard<VerifyVerdict>;

    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Self::Verdict, StoreError> {
        let found = asked(rows, self.scope, self.session, cx)?;
        if let Some(session) = &found
            && let Some(Done::Judged(judgement)) = session.recall(self.step).cloned()
        {
            let carried = session.carried_before(&judgement);
            let verdict = VerifyVerdict::Judged(Box::new(session.clone()), judgement, carried);
            return Ok(Heard { quota: None, answer: Answer::Fresh(verdict) });
        }
        match admit(rows, self.guard.as_ref(), cx)? {
            Admission::In(quota) => Ok(Heard { quota, answer: self.decide(found, rows, cx)? }),
            Admission::Out(out) => Ok(out.heard()),
        }
    }
}

impl Verify {
    fn decide(&self, found: Option<Session>, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Answer<VerifyVerdict>, StoreError> {
        let Some(mut session) = found else { return Ok(Answer::Fresh(VerifyVerdict::Unknown)) };
        match claimed(rows, self.claim, self.scope, cx)? {
            Claimed::Free => {}
            Claimed::Running => return Ok(Answer::Running),
            Claimed::Answered(Reply::Judged(session, judgement)) => {
                let carried = session.carried_before(&judgement);
                return Ok(Answer::Replayed(VerifyVerdict::Judged(session, judgement, carried)));
            }
            Claimed::Answered(Reply::Sent(..) | Reply::Canceled(_)) | Claimed::Mismatch => return Ok(Answer::Mismatch),
        }
        let mut budgets = Budgets::new();
        for key in session.budget_keys() {
            if let Some(subject) = rows.subject(key)? {
                budgets.insert(key, subject);
            }
        }
        let before = budgets.clone();
        let tally = session.tally();
        let (judgement, carried, events) = match session.verify(&self.guesses, self.spare_budget, &mut budgets, cx) {
            Ok(heard) => heard,
            Err(refusal) => return Ok(Answer::Fresh(refused(session, refusal))),
        };
        session.remember(self.step, Done::Judged(judgement.clone()));
        for (key, subject) in budgets.iter().filter(|(key, subject)| before.get(key) != Some(subject)) {
            rows.put_subject(*key, subject, subject.forget_at(cx.now))?;
        }
        let funds = funds(rows, tally, &session)?;
        finish(rows, &mut session, funds, events, cx)?;
        if let Some(claim) = self.claim {
            answer(rows, claim, Reply::Judged(snapshot(&session), judgement.clone()), cx)?;
        }
        Ok(Answer::Fresh(VerifyVerdict::Judged(Box::new(session), judgement, carried)))
    }
}

fn refused(session: Session, refusal: VerifyRefusal) -> VerifyVerdict {
    let session = Box::new(session);
    match refusal {
        VerifyRefusal::AlreadyVerified => VerifyVerdict::AlreadyVerified(session),
        VerifyRefusal::Canceled => VerifyVerdict::Canceled(session),
        VerifyRefusal::Expired => VerifyVerdict::Expired(session),
        VerifyRefusal::Locked => VerifyVerdict::Locked(session),
        VerifyRefusal::ChannelNotFound => VerifyVerdict::ChannelNotFound(session),
        VerifyRefusal::ChannelVerified => VerifyVerdict::ChannelVerified(session),
        VerifyRefusal::ChannelNeeded => VerifyVerdict::ChannelNeeded(session),
        VerifyRefusal::RecipientBlocked { channel, wait } => VerifyVerdict::RecipientBlocked { session, channel, wait },
    }
}
