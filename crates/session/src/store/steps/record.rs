//! Writing down how handing messages over ended.

use countersign_model::{AllFailed, Attempt, Channel, MessageId, Scope, SessionId, StepId};

use super::account::funds;
use super::claims::{Claim, answer, snapshot};
use super::{Step, finish};
use crate::session::{Context, Delivery, Done};
use crate::store::StoreError;
use crate::store::rows::Rows;
use crate::store::verdicts::{RecordVerdict, Reply};

/// What became of messages: the id, the channel it went by, the outcome.
pub type Outcomes = Vec<(MessageId, Channel, Attempt)>;

/// Writes outcomes down.
#[derive(Debug, Clone)]
pub struct Record {
    /// Who may see the session.
    pub scope: Scope,
    /// The session.
    pub session: SessionId,
    /// This step's id.
    pub step: StepId,
    /// The outcomes.
    pub outcomes: Outcomes,
    /// The claim of the send that is answered now.
    pub claim: Option<Claim>,
    /// The channels of a resend, for its stored reply.
    pub channels: Vec<Channel>,
}

impl Step for Record {
    type Verdict = RecordVerdict;

    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Self::Verdict, StoreError> {
        let Some(mut session) = rows.session(self.scope, self.session)? else {
            return Ok(RecordVerdict::Unknown);
        };
        if session.recall(self.step).is_some() {
            let delivery = session.delivery();
            return Ok(RecordVerdict::Recorded(Box::new(session), delivery));
        }
        let before = session.tally();
        let (delivery, events) = session.record(&self.outcomes, cx.now);
        session.remember(self.step, Done::Plain);
        let funds = funds(rows, before, &session)?;
        finish(rows, &mut session, funds, events, cx)?;
        if let Some(claim) = self.claim {
            match delivery {
                Delivery::Sent => answer(rows, claim, Reply::Sent(snapshot(&session), self.channels.clone()), cx)?,
                Delivery::NothingSent if session.policy().all_failed == AllFailed::Session => {
                    answer(rows, claim, Reply::Sent(snapshot(&session), self.channels.clone()), cx)?;
                }
                Delivery::NothingSent => rows.drop_memo(claim.key)?,
                Delivery::NextFallback => {}
            }
        }
        Ok(RecordVerdict::Recorded(Box::new(session), delivery))
    }
}
