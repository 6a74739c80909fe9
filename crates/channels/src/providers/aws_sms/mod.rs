//! Amazon's service for text messages and calls (End User Messaging), version 2 of its API.

mod config;
mod receipt;
mod speech;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use countersign_model::{Channel, Clock, ProviderName};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method};

pub(crate) use self::config::Config;
use self::config::Settings;
use self::speech::Speech;
use crate::aws::{self, ByHttp, Fetch, Unsigned};
use crate::config::ConfigError;
use crate::http;
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
    Ok(Arc::new(AwsSms { name: context.name, clock: context.clock, settings, client, is_told }))
}

struct AwsSms {
    name: ProviderName,
    /// Dates signatures.
    clock: Arc<dyn Clock>,
    settings: Settings,
    client: Client,
    /// Receipts can come, and can be checked.
    is_told: bool,
}

impl AwsSms {
    /// The headers of a call of `operation`.
    fn sign(&self, operation: &str, body: &str) -> Option<HeaderMap> {
        let target = format!("PinpointSMSVoiceV2.{operation}");
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target.as_str())];
        let unsigned = Unsigned { method: Method::POST, url: &self.settings.url, headers: &headers, body };
        self.settings.signer.sign(&unsigned, self.clock.now())
    }
}

#[async_trait]
impl Provider for AwsSms {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn serves(&self, channel: Channel) -> bool {
        match channel {
            Channel::Sms => true,
            Channel::Voice => self.settings.voice_from.is_some(),
            Channel::Email | Channel::Whatsapp => false,
        }
    }

    fn is_instant(&self) -> bool {
        false
    }

    async fn send(&self, message: &Rendered) -> TryOutcome {
        let (settings, now) = (&self.settings, self.clock.now());
        let (operation, body) = if message.channel == Channel::Voice {
            let Some(caller) = settings.caller(message.sender.as_deref()) else {
                return TryOutcome::Misconfigured(Diagnostic::Note("no number to call from"));
            };
            let Some(speech) = Speech::of(message) else {
                return TryOutcome::Misconfigured(Diagnostic::Note("no voice for the language"));
            };
            ("SendVoiceMessage", wire::call(settings, message, caller, &speech, now))
        } else {
            ("SendTextMessage", wire::text(settings, message, now))
        };
        let body = body.to_string();
        let Some(headers) = self.sign(operation, &body) else {
            return TryOutcome::Misconfigured(Diagnostic::Note("the request could not be signed"));
        };
        match http::exchange(self.client.post(settings.url.clone()).headers(headers).body(body)).await {
            Ok(reply) => wire::outcome(&reply),
            Err(outcome) => outcome,
        }
    }

    /// Asks for the account's attributes.
    async fn check(&self) -> Result<(), CheckError> {
        let url = &self.settings.url;
        let headers = self.sign("DescribeAccountAttributes", "{}").ok_or(CheckError::Broken)?;
        let reply = http::ask(self.client.post(url.clone()).headers(headers).body("{}"), url).await?;
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
