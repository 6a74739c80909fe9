//! What a send counts against.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_model::{Channel, Limit, LimitName, Scope, SessionId, Timestamp};

use crate::code::SubjectKey;
use crate::session::Context;
use crate::store::StoreError;
use crate::store::rows::Rows;
use crate::subject::{Active, Subject};

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

/// A send that is about to be counted.
pub(super) struct Sending<'a> {
    pub(super) limits: &'a SendLimits,
    pub(super) users: &'a [SubjectKey],
    pub(super) scope: Scope,
    pub(super) session: SessionId,
}

/// The counts of a send that fits into all of them.
pub(super) struct Room {
    subjects: BTreeMap<SubjectKey, Subject>,
}

impl Sending<'_> {
    fn counts(&self) -> impl Iterator<Item = Count> {
        let per_user =
            |subject: &SubjectKey| Count { subject: *subject, name: LimitName::SendsPerUser, limit: self.limits.per_user };
        self.users.iter().map(per_user).chain(self.limits.counts.iter().copied())
    }

    /// Looks whether there is room, and writes nothing.
    pub(super) fn room(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Result<Room, (LimitName, Duration)>, StoreError> {
        let mut subjects = BTreeMap::new();
        for count in self.counts() {
            let mut subject = rows.subject(count.subject)?.unwrap_or_default();
            if let Some(wait) = subject.sends.wait(count.limit, 1, cx.now) {
                return Ok(Err((count.name, wait)));
            }
            if self.users.contains(&count.subject)
                && let Some(wait) = self.active_wait(&mut subject, rows, cx)?
            {
                return Ok(Err((LimitName::ActivePerUser, wait)));
            }
            subjects.insert(count.subject, subject);
        }
        Ok(Ok(Room { subjects }))
    }

    /// None when one more session may be open; otherwise how long until the first of them dies. Sessions that ended before their time are
    /// only looked for here, where it matters: no step that ends a session has to say so.
    fn active_wait(&self, subject: &mut Subject, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Option<Duration>, StoreError> {
        let max = self.limits.active_per_user as usize;
        if subject.others(self.session, cx.now).count() < max {
            return Ok(None);
        }
        let mut open = Vec::new();
        for active in std::mem::take(&mut subject.active) {
            let scope = Scope { keys: active.keys, ..self.scope };
            if let Some(session) = rows.session(scope, active.session)?.filter(|session| !session.is_over(cx.now)) {
                open.push(Active { until: session.expires_at(), ..active });
            }
        }
        subject.active = open;
        if subject.others(self.session, cx.now).count() < max {
            return Ok(None);
        }
        Ok(subject.others(self.session, cx.now).map(|active| active.until.since(cx.now)).min())
    }

    /// Counts the send against everything it counts against.
    pub(super) fn count(
        &self,
        room: Room,
        open_until: Timestamp,
        rows: &mut dyn Rows,
        cx: &Context<'_>,
    ) -> Result<(), StoreError> {
        let mut subjects = room.subjects;
        for count in self.counts() {
            let subject = subjects.entry(count.subject).or_default();
            subject.sends.add(count.limit, 1, cx.now);
            if self.users.contains(&count.subject) {
                subject.enter(Active { session: self.session, keys: self.scope.keys, until: open_until }, cx.now);
            }
        }
        for (key, subject) in &subjects {
            rows.put_subject(*key, subject, subject.forget_at(cx.now))?;
        }
        Ok(())
    }
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
