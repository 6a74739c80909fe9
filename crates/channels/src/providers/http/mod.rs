//! Posts a message to a gateway's API: any service for SMS, WhatsApp or calls that takes JSON or a form.

mod config;
mod hide;
mod proof;
mod receipt;
mod receipts_config;
mod reply;
mod request;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use countersign_model::{Channel, ProviderName};
use reqwest::Client;

pub(crate) use self::config::Config;
use self::config::Settings;
use self::receipt::Reader;
use crate::config::ConfigError;
use crate::http;
use crate::provider::{CheckError, Diagnostic, Provider, Rendered, Tells, TryOutcome};
use crate::receipts::Receipts;
use crate::registry::ProviderContext;

pub(crate) fn build(config: &Config, context: ProviderContext) -> Result<Arc<dyn Provider>, ConfigError> {
    let settings = config.settle(&context.key, context.receipts_url.as_deref())?;
    let client = context.client()?;
    Ok(Arc::new(Http { name: context.name, settings, client }))
}

struct Http {
    name: ProviderName,
    settings: Settings,
    client: Client,
}

#[async_trait]
impl Provider for Http {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn serves(&self, channel: Channel) -> bool {
        self.settings.channels.contains(&channel)
    }

    fn is_instant(&self) -> bool {
        false
    }

    async fn send(&self, message: &Rendered) -> TryOutcome {
        if !self.settings.body.carries(message) {
            return TryOutcome::Misconfigured(Diagnostic::Note("the body template has no place for the text"));
        }
        let Ok(body) = self.settings.body.fill(message) else {
            return TryOutcome::Misconfigured(Diagnostic::Note("the body template failed"));
        };
        let settings = &self.settings;
        let request = self.client.request(settings.method.clone(), settings.url.clone()).headers(settings.headers.clone());
        match http::exchange(request.body(body)).await {
            Ok(reply) => settings.judge.outcome(reply.status, &reply.body),
            Err(outcome) => outcome,
        }
    }

    async fn check(&self) -> Result<(), CheckError> {
        http::reach(&self.client, &self.settings.url).await
    }

    fn receipts(&self) -> Option<&dyn Receipts> {
        self.settings.reader.as_ref().map(|reader| reader as &dyn Receipts)
    }

    fn tells(&self) -> Tells {
        self.settings.reader.as_ref().map_or(Tells::Nothing, Reader::tells)
    }

    async fn keep_up(&self) {}
}
