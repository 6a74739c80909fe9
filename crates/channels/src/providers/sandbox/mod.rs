//! The provider of every sandbox session: built in, on every channel, sends nothing. Codes come back in the API's reply instead.
//!
//! It accepts everything, unless a message rehearses another outcome.

use std::time::Duration;

use async_trait::async_trait;
use countersign_model::{Channel, ProviderName, Rehearsal};

use crate::provider::{CheckError, Diagnostic, Provider, Rendered, Tells, TryOutcome};
use crate::receipts::Receipts;

/// How long a slow message takes to be accepted.
const SLOW: Duration = Duration::from_secs(3);

/// Accepts everything and does nothing.
pub(crate) struct Sandbox {
    name: ProviderName,
}

impl Sandbox {
    /// A name that no configured provider may take.
    pub(crate) const NAME: &'static str = "sandbox";

    pub(crate) fn new() -> Self {
        Self { name: ProviderName::new(Self::NAME) }
    }
}

#[async_trait]
impl Provider for Sandbox {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn serves(&self, _: Channel) -> bool {
        true
    }

    fn is_instant(&self) -> bool {
        true
    }

    /// A message that rehearses an outcome is not final at once: whoever prepared it knows.
    async fn send(&self, message: &Rendered) -> TryOutcome {
        match message.rehearsal {
            None | Some(Rehearsal::Silent) => TryOutcome::Accepted { provider_id: None },
            Some(Rehearsal::DeliveryFails) => TryOutcome::Refused(Diagnostic::Note("a rehearsed failure")),
            Some(Rehearsal::NobodyTakes) => TryOutcome::Unknown(Diagnostic::Note("a rehearsed lack of takers")),
            Some(Rehearsal::Throttled) => TryOutcome::Throttled(Diagnostic::Note("a rehearsed throttle")),
            Some(Rehearsal::Unreachable) => TryOutcome::Unreachable(Diagnostic::Note("a rehearsed absence")),
            Some(Rehearsal::Ambiguous) => TryOutcome::Unclear(Diagnostic::Note("a rehearsed doubt")),
            Some(Rehearsal::Slow) => {
                tokio::time::sleep(SLOW).await;
                TryOutcome::Accepted { provider_id: None }
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{email, outgoing, rendered, sms};

    #[tokio::test(start_paused = true)]
    async fn a_message_ends_as_it_rehearses() {
        let sandbox = Sandbox::new();
        let rehearsed = async |rehearsal| {
            let mut message = outgoing(Channel::Sms);
            message.rehearsal = Some(rehearsal);
            sandbox.send(&rendered(message)).await.label()
        };
        for message in [sms(), email()] {
            assert_eq!(sandbox.send(&message).await.label(), "accepted");
        }
        assert_eq!(rehearsed(Rehearsal::DeliveryFails).await, "refused");
        assert_eq!(rehearsed(Rehearsal::NobodyTakes).await, "unknown");
        assert_eq!(rehearsed(Rehearsal::Throttled).await, "throttled");
        assert_eq!(rehearsed(Rehearsal::Unreachable).await, "unreachable");
        assert_eq!(rehearsed(Rehearsal::Ambiguous).await, "unclear");
        assert_eq!(rehearsed(Rehearsal::Silent).await, "accepted");
        let before = tokio::time::Instant::now();
        assert_eq!(rehearsed(Rehearsal::Slow).await, "accepted");
        assert_eq!(before.elapsed(), SLOW);
    }
}
