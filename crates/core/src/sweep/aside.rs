//! Sessions whose time has come and for which nothing could be done: they must not keep a round from the others.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_model::{Scope, SessionId, Timestamp};

/// How long one of them is left alone. They stay due, so that nothing is lost.
const REST: Duration = Duration::from_secs(5);
/// Most that are left alone at a time. Beyond it they take part in rounds as before.
const MOST: usize = 1000;

/// Who is left alone, and until when.
#[derive(Debug, Default)]
pub(crate) struct SetAside(Mutex<HashMap<SessionId, Timestamp>>);

impl SetAside {
    /// How many a store may name in vain, at most.
    pub(super) fn count(&self, now: Timestamp) -> usize {
        let mut resting = self.resting();
        resting.retain(|_, until| now < *until);
        resting.len()
    }

    /// The first `most` of those that are due and not left alone.
    pub(super) fn others(&self, due: Vec<(Scope, SessionId)>, most: usize) -> Vec<(Scope, SessionId)> {
        let resting = self.resting();
        due.into_iter().filter(|(_, session)| !resting.contains_key(session)).take(most).collect()
    }

    /// Leaves one alone for a while.
    pub(super) fn put(&self, session: SessionId, now: Timestamp) {
        let mut resting = self.resting();
        if resting.len() < MOST {
            resting.insert(session, now.plus(REST));
        }
    }

    fn resting(&self) -> MutexGuard<'_, HashMap<SessionId, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
