//! Look at sessions.

use std::fmt;

use countersign_model::{Mode, ServiceId, SessionId};
use countersign_session::store::{Listed, SessionFilter};
use countersign_session::{Session, SubjectKey};

use crate::callers::Caller;
use crate::platform::Platform;
use crate::refusal::Refusal;

/// How a wire names a session. The scope that it is looked up in is the caller's, whatever the name says.
#[derive(Clone)]
pub enum Handle {
    /// A session token.
    Token(String),
    /// A session id, which only look-ups take.
    Id(SessionId),
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(_) => f.write_str("Token(…)"),
            Self::Id(id) => write!(f, "Id({id})"),
        }
    }
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page {
    /// Sessions, newest first.
    pub sessions: Vec<Session>,
    /// Where the next page starts; none at the end. A page may be short, or empty, and yet not the last: a filter that admits few is not
    /// searched for without end.
    pub next: Option<SessionId>,
}

impl Platform {
    /// A session as it stands.
    pub async fn status(&self, caller: &Caller, handle: &Handle) -> Result<Session, Refusal> {
        let caller = self.admit(caller).await?;
        let session = self.resolve(handle)?.session;
        self.store.find(caller.scope, session).await?.ok_or(Refusal::Unknown)
    }

    /// At most `limit` sessions of the caller, newest first.
    pub async fn list(&self, caller: &Caller, filter: SessionFilter, limit: usize) -> Result<Page, Refusal> {
        let caller = self.admit(caller).await?;
        let Listed { mut sessions, given_up_at } = self.store.list(caller.scope, filter, limit + 1).await?;
        let more = sessions.len() > limit;
        sessions.truncate(limit);
        let next = if more { sessions.last().map(Session::id) } else { given_up_at };
        Ok(Page { sessions, next })
    }

    /// The session behind a handle. A token that is ours but names somebody else's session passes here and finds nothing in the caller's
    /// scope.
    pub(crate) fn resolve(&self, handle: &Handle) -> Result<Named, Refusal> {
        match handle {
            Handle::Token(token) => {
                let named = self.tokens.read(token, self.clock.now()).map_err(|_| Refusal::Unknown)?;
                Ok(Named { session: named.session, mode: Some(named.mode), service: named.service, budgets: named.budgets })
            }
            Handle::Id(id) => Ok(Named { session: *id, mode: None, service: None, budgets: Vec::new() }),
        }
    }
}

/// What a handle says of a session before the store is asked.
pub(crate) struct Named {
    pub(crate) session: SessionId,
    /// A token says it.
    pub(crate) mode: Option<Mode>,
    /// The profile it was opened under; a token says it.
    pub(crate) service: Option<ServiceId>,
    /// Where wrong guesses are probably counted; a token says it.
    pub(crate) budgets: Vec<SubjectKey>,
}
