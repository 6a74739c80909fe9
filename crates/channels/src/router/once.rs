//! One try at one provider.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use countersign_model::ProviderName;
use futures_util::FutureExt as _;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tracing::{Instrument as _, debug, warn};

use super::Router;
use crate::outlet::Visit;
use crate::provider::{Diagnostic, Provider, Rendered, TryOutcome};

impl Router {
    /// Hands a message over, and has it known what that came to.
    pub(super) async fn try_once(&self, visit: Visit<'_>, message: &Arc<Rendered>, limit: Duration) -> TryOutcome {
        let provider = visit.provider();
        let started = Instant::now();
        let tried = timeout(limit, async {
            if provider.is_instant() { send_here(provider, message).await } else { send_apart(provider, message).await }
        });
        let outcome = match tried.await {
            Ok(Some(outcome)) => outcome,
            Ok(None) => TryOutcome::Unclear(Diagnostic::Note("the provider's code panicked")),
            Err(_) => TryOutcome::Unclear(Diagnostic::Note("no answer in time")),
        };
        let elapsed = started.elapsed();
        self.observer.tried(provider.name(), message.channel, outcome.label(), elapsed);
        report(provider.name(), message, &outcome, elapsed);
        visit.end(message.channel, &outcome, elapsed);
        outcome
    }
}

/// A try in a task of its own, so that endless work of a provider stays its own; none when it panicked.
async fn send_apart(provider: &Arc<dyn Provider>, message: &Arc<Rendered>) -> Option<TryOutcome> {
    let (provider, message) = (Arc::clone(provider), Arc::clone(message));
    let mut task = JoinSet::new();
    task.spawn(async move { provider.send(&message).await }.in_current_span());
    task.join_next().await?.ok()
}

/// A try at a provider that does next to nothing: a task would cost more than the try. None when it panicked.
async fn send_here(provider: &Arc<dyn Provider>, message: &Rendered) -> Option<TryOutcome> {
    AssertUnwindSafe(async { provider.send(message).await }).catch_unwind().await.ok()
}

/// One log line a try: ids and closed words only.
fn report(provider: &ProviderName, message: &Rendered, outcome: &TryOutcome, elapsed: Duration) {
    let (id, channel, label) = (message.id.shown(message.mode), message.channel, outcome.label());
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    match outcome.diagnostic() {
        None => debug!(message_id = %id, %channel, %provider, outcome = label, milliseconds, "message handed over"),
        // What was rehearsed is nothing to be woken by.
        Some(diagnostic) if message.rehearsal.is_some() => {
            debug!(message_id = %id, %channel, %provider, outcome = label, %diagnostic, milliseconds, "message not handed over");
        }
        Some(diagnostic) => {
            warn!(message_id = %id, %channel, %provider, outcome = label, %diagnostic, milliseconds, "message not handed over");
        }
    }
}
