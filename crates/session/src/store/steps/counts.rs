//! What a send counts against.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_model::{Channel, Limit, LimitName, SessionId, Timestamp};

use crate::code::SubjectKey;
use crate::session::{Context, Session};
use crate::store::StoreError;
use crate::store::rows::Rows;

/// One thing that a send counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Whose count.
    pub subject: SubjectKey,
    /// What a refusal is called.
    pub name: LimitName,
    /// How many.
    pub limit: Limit,
}

/// The limits of a send.
#[derive(Debug, Clone)]
pub struct SendLimits {
    /// Counts beyond those of the session's users, such as the end user's address.
    pub counts: Vec<Count>,
    /// Sends of each user of the session.
    pub per_user: Limit,
    /// Open sessions of each user of the session.
    pub active_per_user: u32,
}

/// Counts a send against everything it counts against, or against nothing when one of them has no room.
pub(super) fn count_send(
    rows: &mut dyn Rows,
    limits: &SendLimits,
    users: &[SubjectKey],
    session: SessionId,
    open_until: Timestamp,
    cx: &Context<'_>,
) -> Result<Option<(LimitName, Duration)>, StoreError> {
    let per_user = users.iter().map(|subject| Count { subject: *subject, name: LimitName::SendsPerUser, limit: limits.per_user });
    let counts: Vec<Count> = per_user.chain(limits.counts.iter().copied()).collect();
    let mut subjects = BTreeMap::new();
    for count in &counts {
        let subject = rows.subject(count.subject)?.unwrap_or_default();
        if let Some(wait) = subject.sends.wait(count.limit, 1, cx.now) {
            return Ok(Some((count.name, wait)));
        }
        if users.contains(&count.subject)
            && let Some(wait) = subject.active_wait(limits.active_per_user, session, cx.now)
        {
            return Ok(Some((LimitName::ActivePerUser, wait)));
        }
        subjects.insert(count.subject, subject);
    }
    for count in &counts {
        let subject = subjects.entry(count.subject).or_default();
        subject.sends.add(count.limit, 1, cx.now);
        if users.contains(&count.subject) {
            subject.enter(session, open_until, cx.now);
        }
    }
    for (key, subject) in &subjects {
        rows.put_subject(*key, subject, subject.forget_at(cx.now))?;
    }
    Ok(None)
}

/// The first channel whose recipient's failure budget is used up, and for how long.
pub(super) fn blocked(
    rows: &mut dyn Rows,
    budgets: impl IntoIterator<Item = (Channel, SubjectKey)>,
    cx: &Context<'_>,
) -> Result<Option<(Channel, Duration)>, StoreError> {
    for (channel, key) in budgets {
        if let Some(wait) = rows.subject(key)?.and_then(|subject| subject.guess_wait(cx.budget, 1, cx.now)) {
            return Ok(Some((channel, wait)));
        }
    }
    Ok(None)
}

/// Takes the session out of its users' counts of open sessions.
pub(super) fn leave_counts(rows: &mut dyn Rows, session: &Session, cx: &Context<'_>) -> Result<(), StoreError> {
    for key in session.users() {
        if let Some(mut subject) = rows.subject(*key)?
            && subject.leave(session.id(), cx.now)
        {
            rows.put_subject(*key, &subject, subject.forget_at(cx.now))?;
        }
    }
    Ok(())
}
