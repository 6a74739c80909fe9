//! Text messages through Bird's older API, that of `MessageBird`.

mod config;
mod receipt;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use countersign_model::{Channel, Clock, ProviderName};
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};

pub(crate) use self::config::Config;
use self::config::Settings;
use self::receipt::Reports;
use crate::config::ConfigError;
use crate::provider::{CheckError, Diagnostic, Provider, Rendered, Tells, TryOutcome};
use crate::receipts::Receipts;
use crate::registry::ProviderContext;
use crate::{http, section};

pub(crate) fn build(config: &Config, context: ProviderContext) -> Result<Arc<dyn Provider>, ConfigError> {
    let mut settings = config.settle(&context.key)?;
    let client = context.client()?;
    let line = context.receipts_url.zip(settings.signing_key.take()).map(|(url, key)| Line { url, reports: Reports::new(key) });
    Ok(Arc::new(MessageBird { name: context.name, settings, client, line, clock: context.clock }))
}

struct MessageBird {
    name: ProviderName,
    settings: Settings,
    client: Client,
    /// None: it is not asked to call back, since nobody could tell a genuine call.
    line: Option<Line>,
    clock: Arc<dyn Clock>,
}

/// The way back.
struct Line {
    url: String,
    reports: Reports,
}

#[async_trait]
impl Provider for MessageBird {
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
        let back = self.line.as_ref().map(|line| line.url.as_str());
        let Some(body) = wire::body(message, &self.settings.from, back, self.clock.now()) else {
            return TryOutcome::Misconfigured(Diagnostic::Note("the request could not be written"));
        };
        let request = self.client.post(section::under(&self.settings.endpoint, "/messages"));
        let request = request.header(AUTHORIZATION, self.settings.key.clone()).header(CONTENT_TYPE, "application/json");
        match http::exchange(request.body(body)).await {
            Ok(reply) => wire::outcome(&reply),
            Err(outcome) => outcome,
        }
    }

    /// Looks the balance up.
    async fn check(&self) -> Result<(), CheckError> {
        let url = section::under(&self.settings.endpoint, "/balance");
        let reply = http::ask(self.client.get(url.clone()).header(AUTHORIZATION, self.settings.key.clone()), &url).await?;
        let address = http::address(&url);
        match reply.status {
            200..300 => Ok(()),
            401 | 403 => Err(CheckError::Credentials { address }),
            _ => Err(CheckError::Answer { address, diagnostic: reply.diagnostic() }),
        }
    }

    fn receipts(&self) -> Option<&dyn Receipts> {
        self.line.as_ref().map(|line| &line.reports as &dyn Receipts)
    }

    fn tells(&self) -> Tells {
        if self.line.is_some() { Tells::ByReference } else { Tells::Nothing }
    }

    async fn keep_up(&self) {}
}
