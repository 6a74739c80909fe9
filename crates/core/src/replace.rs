//! Let a session take the place of earlier ones.

use countersign_model::StepId;
use countersign_session::store::{self, NameQuery};
use countersign_session::{Fingerprint, Session, SessionStatus};
use tracing::warn;

use crate::platform::Platform;
use crate::refusal::Refusal;

impl Platform {
    /// Ends the sessions that were opened under the same name before this one. Of two that race the later one stays, whichever comes here
    /// first. What cannot be ended dies with its own code.
    pub(crate) async fn replace_earlier(&self, by: &Session, name: Fingerprint) {
        if let Err(refusal) = self.end_earlier(by, name).await {
            warn!(session = %by.id(), %refusal, "earlier sessions were not replaced");
        }
    }

    async fn end_earlier(&self, by: &Session, name: Fingerprint) -> Result<(), Refusal> {
        let scope = by.scope();
        let is_earlier = |session: &Session| (session.created_at(), session.id()) < (by.created_at(), by.id());
        for session in self.store.named(scope, NameQuery::Recipient(name)).await?.iter().filter(|session| is_earlier(session)) {
            if matches!(session.status(self.clock.now()), SessionStatus::Pending | SessionStatus::Locked) {
                // The same step however often the call comes: what it has done it does not do again.
                let step = StepId::from_bits(by.id().bits());
                self.store.cancel(store::Cancel { guard: None, scope, session: session.id(), step, claim: None }).await?;
            }
        }
        Ok(())
    }
}
