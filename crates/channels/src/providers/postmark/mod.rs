//! Mail through Postmark: one request a mail, events back one by one under a password or a secret path.

mod config;
mod receipt;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use countersign_model::{Channel, ProviderName};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder};

pub(crate) use self::config::Config;
use self::config::Settings;
use crate::config::ConfigError;
use crate::http;
use crate::mail::Letter;
use crate::provider::{CheckError, Provider, Rendered, Tells, TryOutcome};
use crate::receipts::Receipts;
use crate::registry::ProviderContext;

pub(crate) fn build(config: &Config, context: ProviderContext) -> Result<Arc<dyn Provider>, ConfigError> {
    let settings = config.settle(&context.key)?;
    let client = context.client()?;
    let tells =
        if settings.events.can_be_checked() && context.receipts_url.is_some() { Tells::ByReference } else { Tells::Nothing };
    Ok(Arc::new(Postmark { name: context.name, settings, client, tells }))
}

struct Postmark {
    name: ProviderName,
    settings: Settings,
    client: Client,
    tells: Tells,
}

impl Postmark {
    fn signed_on(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("x-postmark-server-token", self.settings.token.clone()).header(ACCEPT, "application/json")
    }
}

#[async_trait]
impl Provider for Postmark {
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
        let body = wire::body(&letter, settings.reply_to.as_ref(), &settings.message_stream);
        let request = self.signed_on(self.client.post(settings.send.clone()));
        match http::exchange(request.header(CONTENT_TYPE, "application/json").body(body)).await {
            Ok(reply) => wire::outcome(&reply, &letter),
            Err(outcome) => outcome,
        }
    }

    /// Asks for the server that the token belongs to.
    async fn check(&self) -> Result<(), CheckError> {
        let url = &self.settings.server;
        let reply = http::ask(self.signed_on(self.client.get(url.clone())), url).await?;
        wire::check(&reply, http::address(url))
    }

    fn receipts(&self) -> Option<&dyn Receipts> {
        Some(&self.settings.events)
    }

    fn tells(&self) -> Tells {
        self.tells
    }

    async fn keep_up(&self) {}
}
