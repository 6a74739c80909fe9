//! The names that providers give to messages, where their receipts use no other.

use std::sync::Arc;

use countersign_model::{Attempt, ProviderName, Reference, Scope, SessionId};
use countersign_session::store::{NamedMessage, Outcomes};
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
            self.tasks.spawn(async move { platform.keep_name(&through, &id, reference).await });
        }
    }

    async fn keep_name(self: &Arc<Self>, through: &ProviderName, id: &str, reference: Reference) {
        let names: Vec<String> = Attempt::names(id).map(str::to_owned).collect();
        let parts = if names.len() > 1 { names.clone() } else { Vec::new() };
        let message = NamedMessage { reference, parts };
        for name in names {
            let early = match self.store.name_message(through, &name, &message).await {
                Ok(early) => early,
                Err(failure) => {
                    warn!(provider = %through, %failure, "a message's name was not kept; its receipts will not be understood");
                    return;
                }
            };
            for receipt in early {
                if let Err(failure) = self.take_named(through, &name, &message, receipt).await {
                    warn!(provider = %through, %failure, "a receipt that came early was lost");
                }
            }
        }
    }
}
