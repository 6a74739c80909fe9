//! Hands mail to a mail server.

mod config;
mod dialogue;
mod letter;
mod reply;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use countersign_model::{Channel, Clock, ProviderName};
use lettre::message::Mailbox;

pub(crate) use self::config::Config;
use self::dialogue::Lines;
use crate::config::ConfigError;
use crate::provider::{CheckError, Content, Diagnostic, Provider, Rendered, Tells, TryOutcome};
use crate::receipts::Receipts;
use crate::registry::ProviderContext;

pub(crate) fn build(config: &Config, context: ProviderContext) -> Result<Arc<dyn Provider>, ConfigError> {
    let settings = config.settle(&context.key)?;
    let from = settings.from.clone();
    Ok(Arc::new(Smtp { name: context.name, clock: context.clock, from, lines: Lines::new(settings, context.patience) }))
}

struct Smtp {
    name: ProviderName,
    clock: Arc<dyn Clock>,
    from: Mailbox,
    lines: Lines,
}

#[async_trait]
impl Provider for Smtp {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn serves(&self, channel: Channel) -> bool {
        channel == Channel::Email
    }

    fn is_instant(&self) -> bool {
        false
    }

    /// The id it answers is the mail's `Message-ID`: servers log it beside their own.
    async fn send(&self, message: &Rendered) -> TryOutcome {
        let Content::Email { subject, text, html } = &message.content else {
            return TryOutcome::Misconfigured(Diagnostic::Note("not a mail"));
        };
        let letter = letter::write(message, &self.from, self.clock.now(), subject, text, html);
        let Some(letter) = letter else {
            return TryOutcome::Unknown(Diagnostic::Note("the address cannot be written in a mail"));
        };
        match self.lines.send(&letter.envelope, &letter.bytes).await {
            Ok(()) => TryOutcome::Accepted { provider_id: Some(letter.id) },
            Err(failure) => reply::outcome(&failure),
        }
    }

    /// Connects, protects the line, logs in and takes its leave.
    async fn check(&self) -> Result<(), CheckError> {
        self.lines.check().await.map_err(|failure| reply::check_error(&failure, self.lines.address()))
    }

    fn receipts(&self) -> Option<&dyn Receipts> {
        None
    }

    fn tells(&self) -> Tells {
        Tells::Nothing
    }

    async fn keep_up(&self) {}
}
