//! Text messages through Plivo.

mod config;
mod receipt;
mod signature;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use countersign_model::{Channel, Clock, ProviderName};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use secrecy::ExposeSecret as _;

pub(crate) use self::config::Config;
use self::config::Settings;
use self::receipt::{Ear, REFERENCE};
use crate::config::ConfigError;
use crate::provider::{CheckError, Diagnostic, Provider, Rendered, Tells, TryOutcome};
use crate::receipts::Receipts;
use crate::registry::ProviderContext;
use crate::{http, section};

pub(crate) fn build(config: &Config, context: ProviderContext) -> Result<Arc<dyn Provider>, ConfigError> {
    let settings = config.settle(&context.key)?;
    let client = context.client()?;
    let line = context.receipts_url.map(|url| Line { url, ear: Ear { token: settings.token.clone() } });
    Ok(Arc::new(Plivo { name: context.name, settings, client, line, clock: context.clock }))
}

struct Plivo {
    name: ProviderName,
    settings: Settings,
    client: Client,
    /// None: Plivo is not asked to post anything.
    line: Option<Line>,
    clock: Arc<dyn Clock>,
}

/// The way back.
struct Line {
    url: String,
    ear: Ear,
}

#[async_trait]
impl Provider for Plivo {
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
        let back = self.line.as_ref().map(|line| format!("{}?{REFERENCE}={}", line.url, message.reference()));
        let Some(body) = wire::body(message, &self.settings, back, self.clock.now()) else {
            return TryOutcome::Misconfigured(Diagnostic::Note("the request could not be written"));
        };
        let request = self.client.post(self.resource("Message/"));
        let request = request.basic_auth(&self.settings.account, Some(self.settings.token.expose_secret()));
        match http::exchange(request.header(CONTENT_TYPE, "application/json").body(body)).await {
            Ok(reply) => wire::outcome(&reply),
            Err(outcome) => outcome,
        }
    }

    /// Looks the account up.
    async fn check(&self) -> Result<(), CheckError> {
        let url = self.resource("");
        let request = self.client.get(url.clone()).basic_auth(&self.settings.account, Some(self.settings.token.expose_secret()));
        let reply = http::ask(request, &url).await?;
        let address = http::address(&url);
        match reply.status {
            200..300 => Ok(()),
            401 | 403 | 404 => Err(CheckError::Credentials { address }),
            _ => Err(CheckError::Answer { address, diagnostic: reply.diagnostic() }),
        }
    }

    fn receipts(&self) -> Option<&dyn Receipts> {
        self.line.as_ref().map(|line| &line.ear as &dyn Receipts)
    }

    fn tells(&self) -> Tells {
        if self.line.is_some() { Tells::ByReference } else { Tells::Nothing }
    }

    async fn keep_up(&self) {}
}

impl Plivo {
    fn resource(&self, name: &str) -> Url {
        section::under(&self.settings.endpoint, &format!("/v1/Account/{}/{name}", self.settings.account))
    }
}
