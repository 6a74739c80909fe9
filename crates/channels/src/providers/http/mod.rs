//! Posts a message to a gateway's API: any service for SMS, WhatsApp or calls that takes JSON or a form.

mod config;
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
use crate::config::ConfigError;
use crate::http;
use crate::provider::{CheckError, Diagnostic, Provider, Rendered, TryOutcome};
use crate::registry::ProviderContext;
use crate::tls::is_tls;

pub(crate) fn build(config: &Config, context: ProviderContext) -> Result<Arc<dyn Provider>, ConfigError> {
    let settings = config.settle(&context.key)?;
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
        match request.body(body).send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                self.settings.judge.outcome(status, &http::read(response).await)
            }
            Err(error) if error.is_connect() => TryOutcome::Unreachable(Diagnostic::Note("no connection")),
            Err(error) if error.is_builder() => TryOutcome::Misconfigured(Diagnostic::Note("the request could not be built")),
            Err(_) => TryOutcome::Unclear(Diagnostic::Note("the line broke before a reply")),
        }
    }

    /// Asks for the head of the host's root without credentials: any answer shows that host, port and TLS are right.
    async fn check(&self) -> Result<(), CheckError> {
        let mut root = self.settings.url.clone();
        root.set_path("/");
        root.set_query(None);
        let address = format!("{}:{}", root.host_str().unwrap_or_default(), root.port_or_known_default().unwrap_or_default());
        match self.client.head(root).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_tls(&error) => Err(CheckError::Tls { address }),
            Err(_) => Err(CheckError::Unreachable { address }),
        }
    }
}
