//! Prints messages to standard output, code and all: for development, where nobody is to be reached. Not a log.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use countersign_model::{Channel, ProviderName};
use serde::{Deserialize, Serialize};

use crate::config::ConfigError;
use crate::provider::{CheckError, Content, Provider, Rendered, Tells, TryOutcome};
use crate::receipts::Receipts;
use crate::registry::ProviderContext;

/// `kind = "console"` has no keys of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {}

#[expect(clippy::unnecessary_wraps, reason = "every kind's constructor has this form")]
pub(crate) fn build(_: &Config, context: ProviderContext) -> Result<Arc<dyn Provider>, ConfigError> {
    Ok(Arc::new(Console { name: context.name, out: Mutex::new(io::stdout()) }))
}

/// Writes each message whole and in one piece.
struct Console<W> {
    name: ProviderName,
    out: Mutex<W>,
}

#[async_trait]
impl<W: Write + Send> Provider for Console<W> {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn serves(&self, _: Channel) -> bool {
        true
    }

    fn is_instant(&self) -> bool {
        true
    }

    /// A closed standard output loses the message and nothing else: by contract this cannot fail.
    async fn send(&self, message: &Rendered) -> TryOutcome {
        let page = page(message);
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = out.write_all(page.as_bytes()).and_then(|()| out.flush());
        TryOutcome::Accepted { provider_id: None }
    }

    async fn check(&self) -> Result<(), CheckError> {
        Ok(())
    }

    fn receipts(&self) -> Option<&dyn Receipts> {
        None
    }

    fn tells(&self) -> Tells {
        Tells::Nothing
    }

    async fn keep_up(&self) {}
}

fn page(message: &Rendered) -> String {
    use std::fmt::Write as _;

    let mut page = String::new();
    let _ = writeln!(page, "--- {} to {} ({})", message.channel, message.recipient.address(), message.id);
    if let Content::Email { subject, .. } = &message.content {
        let _ = writeln!(page, "    Subject: {subject}\n");
    }
    for line in message.text().lines() {
        let _ = writeln!(page, "    {line}");
    }
    page.push_str("---\n");
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{email, sms};

    #[tokio::test]
    async fn a_message_is_printed_whole_with_its_code_and_its_recipient() {
        let console = Console { name: ProviderName::new("dev"), out: Mutex::new(Vec::new()) };
        for message in [sms(), email()] {
            assert_eq!(console.send(&message).await, TryOutcome::Accepted { provider_id: None });
        }
        let printed = String::from_utf8(console.out.into_inner().unwrap()).unwrap();
        for expected in
            ["--- sms to +12025550143 (msg_", "482913 is your Acme code", "--- email to ann@example.com", "Subject: Your Acme"]
        {
            assert!(printed.contains(expected), "{printed}");
        }
    }

    #[tokio::test]
    async fn a_closed_output_loses_the_message_without_a_failure() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        let console = Console { name: ProviderName::new("dev"), out: Mutex::new(Closed) };
        assert!(console.is_instant());
        assert_eq!(console.send(&sms()).await, TryOutcome::Accepted { provider_id: None });
    }
}
