//! Opening a session.

use super::account::{Funds, funds};
use super::claims::{Claim, Claimed, claim_send, claimed};
use super::counts::{SendLimits, Sending, blocked};
use super::guard::{Admission, Guard, admit};
use super::{Step, finish, names};
use crate::session::{Context, NewSession, Session, Tally};
use crate::store::StoreError;
use crate::store::rows::Rows;
use crate::store::verdicts::{Answer, Heard, OpenVerdict, Reply};

/// Opens a session. The session's id is the step's id.
#[derive(Debug, Clone)]
pub struct Open {
    /// Who asks.
    pub guard: Guard,
    /// The session.
    pub session: NewSession,
    /// What it counts against.
    pub limits: SendLimits,
    /// The idempotency key it claims.
    pub claim: Option<Claim>,
}

impl Step for Open {
    type Verdict = Heard<OpenVerdict>;

    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Self::Verdict, StoreError> {
        if let Some(session) = rows.session(self.session.scope, self.session.id)? {
            return Ok(Heard { quota: None, answer: Answer::Fresh(OpenVerdict::Opened(Box::new(session))) });
        }
        match admit(rows, Some(&self.guard), cx)? {
            Admission::In(quota) => Ok(Heard { quota, answer: self.decide(rows, cx)? }),
            Admission::Out(out) => Ok(out.heard()),
        }
    }
}

impl Open {
    fn decide(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Answer<OpenVerdict>, StoreError> {
        let new = &self.session;
        match claimed(rows, self.claim, new.scope, cx)? {
            Claimed::Free => {}
            Claimed::Running => return Ok(Answer::Running),
            Claimed::Answered(Reply::Sent(session, _)) => return Ok(Answer::Replayed(OpenVerdict::Opened(session))),
            Claimed::Answered(Reply::Judged(..) | Reply::Canceled(_)) | Claimed::Mismatch => return Ok(Answer::Mismatch),
        }
        if let Some(wait) = names::slot_wait(rows, new, cx)? {
            return Ok(Answer::Fresh(OpenVerdict::SlotTaken { wait }));
        }
        if let Some((channel, wait)) = blocked(rows, new.budgets(), cx)? {
            return Ok(Answer::Fresh(OpenVerdict::RecipientBlocked { channel, wait }));
        }
        let sending = Sending { limits: &self.limits, users: &new.users, scope: new.scope, session: new.id };
        let room = match sending.room(rows, cx)? {
            Ok(room) => room,
            Err((limit, wait)) => return Ok(Answer::Fresh(OpenVerdict::Limited { limit, wait })),
        };
        let (mut session, events) = Session::open(new, names::free_generation(rows, new, cx)?, cx);
        let funds = funds(rows, Tally::default(), &session)?;
        if matches!(funds, Funds::Short) {
            return Ok(Answer::Fresh(OpenVerdict::InsufficientBalance));
        }
        sending.count(room, session.expires_at(), rows, cx)?;
        names::write(rows, new, &session, cx)?;
        finish(rows, &mut session, funds, events, cx)?;
        claim_send(rows, self.claim, &session, Vec::new(), cx)?;
        Ok(Answer::Fresh(OpenVerdict::Opened(Box::new(session))))
    }
}
