//! Counts that no step on a session keeps, and wrong guesses that are forgiven.

use countersign_model::{Limit, TenantId};

use super::Step;
use crate::code::SubjectKey;
use crate::session::Context;
use crate::store::StoreError;
use crate::store::rows::Rows;
use crate::store::verdicts::StrikeVerdict;

/// Counts something against a subject, such as a tenant's guesses that name nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike {
    /// Whose subject it is.
    pub tenant: TenantId,
    /// Whose count.
    pub subject: SubjectKey,
    /// How many fit into it.
    pub limit: Limit,
    /// How many are counted; 0: none, it only looks whether one more would fit.
    pub count: u32,
}

/// Forgets the wrong guesses at a recipient: those of the day, those in a row, and the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unblock {
    /// Whose subject it is.
    pub tenant: TenantId,
    /// Where the guesses are counted.
    pub subject: SubjectKey,
}

impl Step for Strike {
    type Verdict = StrikeVerdict;

    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<StrikeVerdict, StoreError> {
        let mut subject = rows.subject(self.subject)?.unwrap_or_default();
        if let Some(wait) = subject.sends.wait(self.limit, self.count.max(1), cx.now) {
            return Ok(StrikeVerdict::Full { wait });
        }
        if self.count > 0 {
            subject.sends.add(self.limit, self.count, cx.now);
            rows.put_subject(self.subject, &subject, subject.forget_at(cx.now))?;
        }
        Ok(StrikeVerdict::Room { remaining: self.limit.max.saturating_sub(subject.sends.count(self.limit, cx.now)) })
    }
}

impl Step for Unblock {
    type Verdict = bool;

    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<bool, StoreError> {
        let Some(mut subject) = rows.subject(self.subject)? else { return Ok(false) };
        let before = subject.clone();
        let was_blocked = subject.forgive(cx.budget, cx.now);
        if subject != before {
            rows.put_subject(self.subject, &subject, subject.forget_at(cx.now))?;
        }
        Ok(was_blocked)
    }
}
