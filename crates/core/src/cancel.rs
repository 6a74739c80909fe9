//! End a session at the caller's wish.

use countersign_session::Session;
use countersign_session::store::{self, CancelVerdict};

use crate::callers::Caller;
use crate::idempotency::{IdempotencyKey, verdict_of};
use crate::platform::Platform;
use crate::refusal::{About, Refusal};
use crate::status::Handle;

impl Platform {
    /// Ends the session. Ending it again is no error; a complete one stays complete. The flag tells a replay.
    pub async fn cancel(
        &self,
        caller: &Caller,
        handle: &Handle,
        idempotency: Option<&IdempotencyKey>,
    ) -> Result<(Session, bool), Refusal> {
        let step = store::Cancel {
            scope: caller.scope,
            session: self.resolve(handle)?,
            step: self.step_id(caller.scope.tenant),
            claim: self.claim(caller, None, idempotency),
        };
        let (verdict, replayed) = verdict_of(self.store.cancel(step).await?)?;
        match verdict {
            CancelVerdict::Canceled(session) => Ok((*session, replayed)),
            CancelVerdict::AlreadyVerified(session) => Err(Refusal::AlreadyVerified(About::of(&session))),
            CancelVerdict::Unknown => Err(Refusal::Unknown),
        }
    }
}
