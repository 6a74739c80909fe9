//! The WhatsApp Cloud API of Meta: codes as authentication templates.

mod config;
mod fault;
mod language;
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
use crate::provider::{CheckError, Diagnostic, Provider, Rendered, Tells, TryOutcome};
use crate::receipts::Receipts;
use crate::registry::ProviderContext;

pub(crate) fn build(config: &Config, context: ProviderContext) -> Result<Arc<dyn Provider>, ConfigError> {
    let settings = config.settle(&context.key)?;
    let client = context.client()?;
    let is_told = context.receipts_url.is_some() && settings.signing.is_some();
    Ok(Arc::new(Meta { name: context.name, settings, client, is_told }))
}

struct Meta {
    name: ProviderName,
    settings: Settings,
    client: Client,
    /// Receipts can come, and can be checked.
    is_told: bool,
}

#[async_trait]
impl Provider for Meta {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn serves(&self, channel: Channel) -> bool {
        channel == Channel::Whatsapp
    }

    fn is_instant(&self) -> bool {
        false
    }

    async fn send(&self, message: &Rendered) -> TryOutcome {
        let Some(code) = &message.code else {
            return TryOutcome::Misconfigured(Diagnostic::Note("an authentication template carries nothing but a code"));
        };
        let request = self.client.post(self.settings.messages_url.clone());
        let request = request.header(AUTHORIZATION, &self.settings.authorization).header(CONTENT_TYPE, "application/json");
        match http::exchange(request.body(wire::body(&self.settings, message, code))).await {
            Ok(reply) => wire::outcome(&reply),
            Err(outcome) => outcome,
        }
    }

    /// Asks for the number by its id.
    async fn check(&self) -> Result<(), CheckError> {
        let mut url = self.settings.number_url.clone();
        url.set_query(Some("fields=id"));
        let request = self.client.get(url.clone()).header(AUTHORIZATION, &self.settings.authorization);
        let reply = http::ask(request, &url).await?;
        let address = http::address(&url);
        match (reply.status, wire::code(&reply)) {
            (200..=299, _) => Ok(()),
            (401 | 403, _) | (_, Some(0 | 3 | 10 | 190 | 200..=299)) => Err(CheckError::Credentials { address }),
            _ => Err(CheckError::Answer { address, diagnostic: reply.diagnostic() }),
        }
    }

    fn receipts(&self) -> Option<&dyn Receipts> {
        Some(self)
    }

    fn tells(&self) -> Tells {
        if self.is_told { Tells::ByReference } else { Tells::Nothing }
    }

    async fn keep_up(&self) {}
}
