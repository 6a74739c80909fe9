//! The names that providers give to messages, where their receipts use no other.

use std::sync::Arc;

use countersign_model::{Attempt, Reference, Scope, SessionId};
use countersign_session::store::Outcomes;
use tracing::warn;

use crate::platform::Platform;

impl Platform {
    /// Keeps the names of accepted messages, and takes in receipts that were faster, in a task of its own: nobody waits for it. What is lost
    /// with this process leaves messages `sent`.
    pub(crate) fn keep_names(self: &Arc<Self>, scope: Scope, session: SessionId, outcomes: &Outcomes) {
        for (message, _, attempt) in outcomes {
            let Attempt::Accepted { provider, provider_id: Some(id) } = attempt else { continue };
            if !self.router.names_by_id(provider) {
                continue;
            }
            let (platform, through, id) = (Arc::clone(self), provider.clone(), id.clone());
            let reference = Reference { scope, session, message: *message };
            self.tasks.spawn(async move {
                let early = match platform.store.name_message(&through, &id, reference).await {
                    Ok(early) => early,
                    Err(failure) => {
                        warn!(provider = %through, %failure, "a message's name was not kept; its receipts will not be understood");
                        return;
                    }
                };
                for receipt in early {
                    if let Err(failure) = platform.take_known(&through, reference, receipt).await {
                        warn!(provider = %through, %failure, "a receipt that came early was lost");
                    }
                }
            });
        }
    }
}
