//! Amazon's service for mail (SES), version 2 of its API.

mod config;
mod receipt;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use countersign_model::{Channel, Clock, ProviderName};
use reqwest::{Client, Method};

pub(crate) use self::config::Config;
use self::config::Settings;
use crate::aws::{self, ByHttp, Fetch, Unsigned};
use crate::config::ConfigError;
use crate::http;
use crate::mail::Letter;
use crate::provider::{CheckError, Diagnostic, Provider, Rendered, Tells, TryOutcome};
use crate::receipts::Receipts;
use crate::registry::ProviderContext;

pub(crate) fn build(config: &Config, context: ProviderContext) -> Result<Arc<dyn Provider>, ConfigError> {
    let fetch = ByHttp { client: context.client()?, patience: context.patience };
    assemble(config, context, Arc::new(fetch))
}

/// [`build`], with whoever fetches the certificates of notifications.
fn assemble(config: &Config, context: ProviderContext, fetch: Arc<dyn Fetch>) -> Result<Arc<dyn Provider>, ConfigError> {
    let settings = config.settle(&context.key, fetch)?;
    let client = context.client()?;
    let is_told = context.receipts_url.is_some() && settings.topic.is_some();
    Ok(Arc::new(Ses { name: context.name, clock: context.clock, settings, client, is_told }))
}

struct Ses {
    name: ProviderName,
    /// Dates signatures.
    clock: Arc<dyn Clock>,
    settings: Settings,
    client: Client,
    /// Receipts can come, and can be checked.
    is_told: bool,
}

#[async_trait]
impl Provider for Ses {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn serves(&self, channel: Channel) -> bool {
        channel == Channel::Email
    }

    fn is_instant(&self) -> bool {
        false
    }

    async fn send(&self, message: &Rendered) -> TryOutcome {
        let settings = &self.settings;
        let letter = match Letter::of(message, &settings.from) {
            Ok(letter) => letter,
            Err(outcome) => return outcome,
        };
        let is_from_house = letter.from.address == settings.from.address;
        let body = wire::body(&letter, settings.configuration_set.as_deref());
        let headers = [("content-type", "application/json")];
        let unsigned = Unsigned { method: Method::POST, url: &settings.mail_url, headers: &headers, body: &body };
        let Some(headers) = settings.signer.sign(&unsigned, self.clock.now()) else {
            return TryOutcome::Misconfigured(Diagnostic::Note("the request could not be signed"));
        };
        match http::exchange(self.client.post(settings.mail_url.clone()).headers(headers).body(body)).await {
            Ok(reply) => wire::outcome(&reply, &letter, is_from_house),
            Err(outcome) => outcome,
        }
    }

    /// Asks for the account.
    async fn check(&self) -> Result<(), CheckError> {
        let url = &self.settings.account_url;
        let unsigned = Unsigned { method: Method::GET, url, headers: &[], body: "" };
        let headers = self.settings.signer.sign(&unsigned, self.clock.now()).ok_or(CheckError::Broken)?;
        let reply = http::ask(self.client.get(url.clone()).headers(headers), url).await?;
        aws::check(&reply, url)
    }

    fn receipts(&self) -> Option<&dyn Receipts> {
        Some(self)
    }

    fn tells(&self) -> Tells {
        if self.is_told { Tells::ByReference } else { Tells::Nothing }
    }

    async fn keep_up(&self) {}
}
