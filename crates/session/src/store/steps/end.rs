//! Ends: at the caller's wish, or by time alone.

use countersign_model::{MessageId, Scope, SessionId, StepId};

use super::account::funds;
use super::claims::{Claim, Claimed, answer, claimed, snapshot};
use super::guard::{Admission, Guard, admit};
use super::{Step, asked, finish};
use crate::session::{Context, Done, Session};
use crate::store::StoreError;
use crate::store::rows::Rows;
use crate::store::verdicts::{Answer, CancelVerdict, Heard, LapseVerdict, Reply};

/// Ends a session.
#[derive(Debug, Clone)]
pub struct Cancel {
    /// Who asks; none: a call that another step has counted.
    pub guard: Option<Guard>,
    /// Who may see the session.
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
    /// A message that did not arrive, or of which nobody says that it did, and that nothing more follows: it is not asked for again.
    pub given_up: Option<MessageId>,
}

impl Step for Cancel {
    type Verdict = Heard<CancelVerdict>;

    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Self::Verdict, StoreError> {
        let found = asked(rows, self.scope, self.session, cx)?;
        if let Some(session) = found.as_ref().filter(|session| session.recall(self.step).is_some()) {
            let verdict = CancelVerdict::Canceled(Box::new(session.clone()));
            return Ok(Heard { quota: None, answer: Answer::Fresh(verdict) });
        }
        match admit(rows, self.guard.as_ref(), cx)? {
            Admission::In(quota) => Ok(Heard { quota, answer: self.decide(found, rows, cx)? }),
            Admission::Out(out) => Ok(out.heard()),
        }
    }
}

impl Cancel {
    fn decide(&self, found: Option<Session>, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Answer<CancelVerdict>, StoreError> {
        let Some(mut session) = found else { return Ok(Answer::Fresh(CancelVerdict::Unknown)) };
        match claimed(rows, self.claim, self.scope, cx)? {
            Claimed::Free => {}
            Claimed::Running => return Ok(Answer::Running),
            Claimed::Answered(Reply::Canceled(session)) => return Ok(Answer::Replayed(CancelVerdict::Canceled(session))),
            Claimed::Answered(Reply::Sent(..) | Reply::Judged(..)) | Claimed::Mismatch => return Ok(Answer::Mismatch),
        }
        let before = session.tally();
        let Some(events) = session.cancel(cx) else {
            return Ok(Answer::Fresh(CancelVerdict::AlreadyVerified(Box::new(session))));
        };
        if !events.is_empty() {
            session.remember(self.step, Done::Plain);
            let funds = funds(rows, before, &session)?;
            finish(rows, &mut session, funds, events, cx)?;
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
        let before = session.tally();
        let given_up = self.given_up.is_some_and(|message| session.give_up_on(message));
        let events = session.lapse(cx);
        if given_up || !events.is_empty() {
            let funds = funds(rows, before, &session)?;
            finish(rows, &mut session, funds, events, cx)?;
        }
        let overdue = session.overdue(cx.now).next();
        Ok(match overdue {
            Some((message, channel)) => LapseVerdict::Undelivered { message, channel },
            None if session.is_fallback_due(cx.now) => LapseVerdict::FallbackDue,
            None => LapseVerdict::Settled,
        })
    }
}
