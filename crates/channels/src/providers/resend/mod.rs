//! Mail through Resend: one request a mail, safe to repeat, events back one by one under a signature.

mod config;
mod mailbox;
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
use crate::mail::Letter;
use crate::provider::{CheckError, Provider, Rendered, Tells, TryOutcome};
use crate::receipts::Receipts;
use crate::registry::ProviderContext;

pub(crate) fn build(config: &Config, context: ProviderContext) -> Result<Arc<dyn Provider>, ConfigError> {
    let settings = config.settle(&context.key)?;
    let client = context.client()?;
    let tells =
        if settings.events.can_be_checked() && context.receipts_url.is_some() { Tells::ByReference } else { Tells::Nothing };
    Ok(Arc::new(Resend { name: context.name, settings, client, tells }))
}

struct Resend {
    name: ProviderName,
    settings: Settings,
    client: Client,
    tells: Tells,
}

#[async_trait]
impl Provider for Resend {
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
        let letter = match Letter::of(message, &self.settings.from) {
            Ok(letter) => letter,
            Err(outcome) => return outcome,
        };
        let body = wire::body(&letter, self.settings.reply_to.as_ref());
        let request = self.client.post(self.settings.send.clone()).header(AUTHORIZATION, self.settings.key.clone());
        let request = request.header("idempotency-key", message.id.to_string()).header(CONTENT_TYPE, "application/json");
        match http::exchange(request.body(body)).await {
            Ok(reply) => wire::outcome(&reply, &letter),
            Err(outcome) => outcome,
        }
    }

    /// Asks for the domains. A key that may only send is told so, which shows that it is known.
    async fn check(&self) -> Result<(), CheckError> {
        let url = &self.settings.domains;
        let request = self.client.get(url.clone()).header(AUTHORIZATION, self.settings.key.clone());
        wire::check(&http::ask(request, url).await?, http::address(url))
    }

    fn receipts(&self) -> Option<&dyn Receipts> {
        Some(&self.settings.events)
    }

    fn tells(&self) -> Tells {
        self.tells
    }

    async fn keep_up(&self) {}
}
