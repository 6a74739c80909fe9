//! Text messages through Telnyx: one request a message, events back one by one under a signature.

mod config;
mod receipt;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use countersign_model::{Channel, ProviderName};
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};

pub(crate) use self::config::Config;
use self::config::Settings;
use crate::config::ConfigError;
use crate::http;
use crate::provider::{CheckError, Provider, Rendered, Tells, TryOutcome};
use crate::receipts::Receipts;
use crate::registry::ProviderContext;

pub(crate) fn build(config: &Config, context: ProviderContext) -> Result<Arc<dyn Provider>, ConfigError> {
    let settings = config.settle(&context.key)?;
    let client = context.client()?;
    // Nothing is posted that could not be checked.
    let receipts_url = context.receipts_url.filter(|_| settings.events.can_be_checked());
    Ok(Arc::new(Telnyx { name: context.name, settings, client, receipts_url }))
}

struct Telnyx {
    name: ProviderName,
    settings: Settings,
    client: Client,
    /// Where events shall be posted to; none: none are asked for.
    receipts_url: Option<String>,
}

#[async_trait]
impl Provider for Telnyx {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn serves(&self, channel: Channel) -> bool {
        channel == Channel::Sms
    }

    fn is_instant(&self) -> bool {
        false
    }

    async fn send(&self, message: &Rendered) -> TryOutcome {
        let body = wire::body(message, &self.settings, self.receipts_url.as_deref());
        let request = self.client.post(self.settings.send.clone()).header(AUTHORIZATION, self.settings.key.clone());
        match http::exchange(request.header(CONTENT_TYPE, "application/json").body(body)).await {
            Ok(reply) => wire::outcome(&reply),
            Err(outcome) => outcome,
        }
    }

    /// Asks for the account's balance.
    async fn check(&self) -> Result<(), CheckError> {
        let url = &self.settings.balance;
        let request = self.client.get(url.clone()).header(AUTHORIZATION, self.settings.key.clone());
        wire::check(&http::ask(request, url).await?, http::address(url))
    }

    fn receipts(&self) -> Option<&dyn Receipts> {
        Some(&self.settings.events)
    }

    fn tells(&self) -> Tells {
        if self.receipts_url.is_some() { Tells::ByReference } else { Tells::Nothing }
    }

    async fn keep_up(&self) {}
}
