//! Judging guesses.

use countersign_model::{Scope, SessionId, StepId};

use super::claims::{Claim, Claimed, answer, claimed, snapshot};
use super::counts::leave_counts;
use super::{Step, finish, living};
use crate::guess::Guesses;
use crate::session::{Budgets, Context, Done, Session, VerifyRefusal};
use crate::store::StoreError;
use crate::store::rows::Rows;
use crate::store::verdicts::{Answer, Reply, VerifyVerdict};

/// Judges guesses.
#[derive(Debug, Clone)]
pub struct Verify {
    /// Who asks.
    pub scope: Scope,
    /// The session.
    pub session: SessionId,
    /// This step's id.
    pub step: StepId,
    /// What was typed.
    pub guesses: Guesses,
    /// The idempotency key it claims.
    pub claim: Option<Claim>,
}

impl Step for Verify {
    type Verdict = Answer<VerifyVerdict>;

    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Self::Verdict, StoreError> {
        let Some(mut session) = living(rows, self.scope, self.session, cx)? else {
            return Ok(Answer::Fresh(VerifyVerdict::Unknown));
        };
        if let Some(Done::Judged(judgement)) = session.recall(self.step).cloned() {
            return Ok(Answer::Fresh(VerifyVerdict::Judged(Box::new(session), judgement)));
        }
        match claimed(rows, self.claim, self.scope, cx)? {
            Claimed::Free => {}
            Claimed::Running => return Ok(Answer::Running),
            Claimed::Answered(Reply::Judged(session, judgement)) => {
                return Ok(Answer::Replayed(VerifyVerdict::Judged(session, judgement)));
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
        let (judgement, events) = match session.verify(&self.guesses, &mut budgets, cx) {
            Ok(heard) => heard,
            Err(refusal) => return Ok(Answer::Fresh(refused(session, refusal))),
        };
        session.remember(self.step, Done::Judged(judgement.clone()));
        if judgement.session_verified {
            leave_counts(rows, &session, cx)?;
        }
        for (key, subject) in budgets.iter().filter(|(key, subject)| before.get(key) != Some(subject)) {
            rows.put_subject(*key, subject, subject.forget_at(cx.now))?;
        }
        finish(rows, &mut session, events, cx)?;
        if let Some(claim) = self.claim {
            answer(rows, claim, Reply::Judged(snapshot(&session), judgement.clone()), cx)?;
        }
        Ok(Answer::Fresh(VerifyVerdict::Judged(Box::new(session), judgement)))
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
