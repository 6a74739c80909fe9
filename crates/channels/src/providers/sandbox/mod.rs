//! The provider of every sandbox session: built in, on every channel, sends nothing. Codes come back in the API's reply instead.

use async_trait::async_trait;
use countersign_model::{Channel, ProviderName};

use crate::provider::{CheckError, Provider, Rendered, TryOutcome};

/// Accepts everything and does nothing.
pub(crate) struct Sandbox {
    name: ProviderName,
}

impl Sandbox {
    /// A name that no configured provider may take.
    pub(crate) const NAME: &'static str = "sandbox";

    pub(crate) fn new() -> Self {
        Self { name: ProviderName::new(Self::NAME) }
    }
}

#[async_trait]
impl Provider for Sandbox {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn serves(&self, _: Channel) -> bool {
        true
    }

    fn is_instant(&self) -> bool {
        true
    }

    async fn send(&self, _: &Rendered) -> TryOutcome {
        TryOutcome::Accepted { provider_id: None }
    }

    async fn check(&self) -> Result<(), CheckError> {
        Ok(())
    }
}
