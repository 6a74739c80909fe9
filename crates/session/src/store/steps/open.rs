//! Opening a session.

use super::claims::{Claim, Claimed, claim_send, claimed};
use super::counts::{SendLimits, blocked, count_send};
use super::{Step, finish};
use crate::session::{Context, NewSession, Session};
use crate::store::StoreError;
use crate::store::rows::Rows;
use crate::store::verdicts::{Answer, OpenVerdict, Reply};

/// Opens a session. The session's id is the step's id.
#[derive(Debug, Clone)]
pub struct Open {
    /// The session.
    pub session: NewSession,
    /// What it counts against.
    pub limits: SendLimits,
    /// The idempotency key it claims.
    pub claim: Option<Claim>,
}

impl Step for Open {
    type Verdict = Answer<OpenVerdict>;

    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Self::Verdict, StoreError> {
        let new = &self.session;
        if let Some(session) = rows.session(new.scope, new.id)? {
            return Ok(Answer::Fresh(OpenVerdict::Opened(Box::new(session))));
        }
        match claimed(rows, self.claim, new.scope, cx)? {
            Claimed::Free => {}
            Claimed::Running => return Ok(Answer::Running),
            Claimed::Answered(Reply::Sent(session, _)) => return Ok(Answer::Replayed(OpenVerdict::Opened(session))),
            Claimed::Answered(Reply::Judged(..) | Reply::Canceled(_)) | Claimed::Mismatch => return Ok(Answer::Mismatch),
        }
        if let Some((channel, wait)) = blocked(rows, new.budgets(), cx)? {
            return Ok(Answer::Fresh(OpenVerdict::RecipientBlocked { channel, wait }));
        }
        let expires_at = cx.now.plus(new.policy.life);
        if let Some((limit, wait)) = count_send(rows, &self.limits, &new.users, new.id, expires_at, cx)? {
            return Ok(Answer::Fresh(OpenVerdict::Limited { limit, wait }));
        }
        let (mut session, events) = Session::open(new, cx);
        finish(rows, &mut session, events, cx)?;
        claim_send(rows, self.claim, &session, Vec::new(), cx)?;
        Ok(Answer::Fresh(OpenVerdict::Opened(Box::new(session))))
    }
}
