//! End a session at the caller's wish.

use countersign_session::Session;
use countersign_session::store::{self, CancelVerdict};

use crate::admission::{TRIES, Told};
use crate::callers::Caller;
use crate::idempotency::IdempotencyKey;
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
        let session = self.resolve(caller, handle).await?.session;
        let step = self.step_id(caller.scope.tenant);
        let mut caller = caller.clone();
        for _ in 0..TRIES {
            let claim = self.claim(&caller, None, idempotency);
            let step = store::Cancel { guard: Some(self.guard(&caller)), scope: caller.scope, session, step, claim };
            match self.told(&caller, self.store.cancel(step).await?).await? {
                Told::Verdict(verdict, replayed) => return canceled(verdict).map(|session| (session, replayed)),
                Told::Again(newer) => caller = newer,
            }
        }
        Err(Refusal::Unsettled)
    }
}

fn canceled(verdict: CancelVerdict) -> Result<Session, Refusal> {
    match verdict {
        CancelVerdict::Canceled(session) => Ok(*session),
        CancelVerdict::AlreadyVerified(session) => Err(Refusal::AlreadyVerified(About::of(&session))),
        CancelVerdict::Unknown => Err(Refusal::Unknown),
    }
}
