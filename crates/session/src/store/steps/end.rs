//! Ends: at the caller's wish, or by time alone.

use countersign_model::{Scope, SessionId, StepId};

use super::claims::{Claim, Claimed, answer, claimed, snapshot};
use super::counts::leave_counts;
use super::{Step, finish, living};
use crate::session::{Context, Done};
use crate::store::StoreError;
use crate::store::rows::Rows;
use crate::store::verdicts::{Answer, CancelVerdict, LapseVerdict, Reply};

/// Ends a session.
#[derive(Debug, Clone)]
pub struct Cancel {
    /// Who asks.
    pub scope: Scope,
    /// The session.
    pub session: SessionId,
    /// This step's id.
    pub step: StepId,
    /// The idempotency key it claims.
    pub claim: Option<Claim>,
}

/// Does what time asks for on one session. Needs no id: taken twice, it does nothing the second time.
#[derive(Debug, Clone, Copy)]
pub struct Lapse {
    /// Who may see the session.
    pub scope: Scope,
    /// The session.
    pub session: SessionId,
}

impl Step for Cancel {
    type Verdict = Answer<CancelVerdict>;

    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Self::Verdict, StoreError> {
        let Some(mut session) = living(rows, self.scope, self.session, cx)? else {
            return Ok(Answer::Fresh(CancelVerdict::Unknown));
        };
        if session.recall(self.step).is_some() {
            return Ok(Answer::Fresh(CancelVerdict::Canceled(Box::new(session))));
        }
        match claimed(rows, self.claim, self.scope, cx)? {
            Claimed::Free => {}
            Claimed::Running => return Ok(Answer::Running),
            Claimed::Answered(Reply::Canceled(session)) => return Ok(Answer::Replayed(CancelVerdict::Canceled(session))),
            Claimed::Answered(Reply::Sent(..) | Reply::Judged(..)) | Claimed::Mismatch => return Ok(Answer::Mismatch),
        }
        let Some(events) = session.cancel(cx) else {
            return Ok(Answer::Fresh(CancelVerdict::AlreadyVerified(Box::new(session))));
        };
        if !events.is_empty() {
            session.remember(self.step, Done::Plain);
            leave_counts(rows, &session, cx)?;
            finish(rows, &mut session, events, cx)?;
        }
        if let Some(claim) = self.claim {
            answer(rows, claim, Reply::Canceled(snapshot(&session)), cx)?;
        }
        Ok(Answer::Fresh(CancelVerdict::Canceled(Box::new(session))))
    }
}

impl Step for Lapse {
    type Verdict = LapseVerdict;

    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Self::Verdict, StoreError> {
        let Some(mut session) = rows.session(self.scope, self.session)? else {
            return Ok(LapseVerdict::Settled);
        };
        if cx.now >= session.kept_until() {
            rows.drop_session(self.scope, self.session)?;
            return Ok(LapseVerdict::Settled);
        }
        let (fallback_due, events) = session.lapse(cx);
        if !events.is_empty() {
            finish(rows, &mut session, events, cx)?;
        }
        Ok(if fallback_due { LapseVerdict::FallbackDue } else { LapseVerdict::Settled })
    }
}
