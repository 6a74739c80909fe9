//! Look at sessions.

use std::fmt;

use countersign_model::{Mode, Recipient, ServiceId, SessionId};
use countersign_session::store::{Listed, NameQuery, SessionFilter};
use countersign_session::{Session, SubjectKey};

use crate::callers::Caller;
use crate::platform::Platform;
use crate::refusal::Refusal;

/// How a wire names a session. The scope that it is looked up in is the caller's, whatever the name says.
#[derive(Clone)]
pub enum Handle {
    /// A session token.
    Token(String),
    /// A session id.
    Id(SessionId),
    /// The session that holds, or held last, the slot of a service and a recipient.
    Slot {
        /// The profile it was opened under.
        service: ServiceId,
        /// Who was asked.
        recipient: Recipient,
    },
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(_) => f.write_str("Token(…)"),
            Self::Id(id) => write!(f, "Id({id})"),
            Self::Slot { service, recipient } => write!(f, "Slot({service}, {})", recipient.masked()),
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
    /// A session as it stands, as long as its token lives: by its id it is not known for longer than by its token.
    pub async fn status(&self, caller: &Caller, handle: &Handle) -> Result<Session, Refusal> {
        let caller = self.admit(caller).await?;
        let session = self.resolve(&caller, handle).await?.session;
        let found = self.store.find(caller.scope, session).await?;
        found.filter(|session| self.clock.now() < session.token_expires_at()).ok_or(Refusal::Unknown)
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
    pub(crate) async fn resolve(&self, caller: &Caller, handle: &Handle) -> Result<Named, Refusal> {
        match handle {
            Handle::Token(token) => {
                let named = self.tokens.read(token, self.clock.now()).map_err(|_| Refusal::Unknown)?;
                let (mode, service, is_test, budgets) = (Some(named.mode), named.service, named.test, named.budgets);
                Ok(Named { session: named.session, mode, service, is_test, budgets })
            }
            Handle::Id(id) => Ok(Named { session: *id, mode: None, service: None, is_test: false, budgets: Vec::new() }),
            Handle::Slot { service, recipient } => {
                let slot = self.slot_name(caller.scope.tenant, caller.mode(), *service, recipient);
                let Some(session) = self.store.named(caller.scope, NameQuery::Slot(slot)).await?.into_iter().next() else {
                    return Err(Refusal::Unknown);
                };
                let (mode, service, budgets) = (Some(session.mode()), session.service(), session.budgets());
                Ok(Named { session: session.id(), mode, service, is_test: session.is_test(), budgets })
            }
        }
    }
}

/// What a handle says of a session before the store is asked.
pub(crate) struct Named {
    pub(crate) session: SessionId,
    /// All but an id say it.
    pub(crate) mode: Option<Mode>,
    /// The profile it was opened under; all but an id say it.
    pub(crate) service: Option<ServiceId>,
    /// Whether its codes are the known ones of test recipients; all but an id say it.
    pub(crate) is_test: bool,
    /// Where wrong guesses are probably counted; all but an id say it.
    pub(crate) budgets: Vec<SubjectKey>,
}
