//! Gets messages out: side by side over messages, in order over the providers of each, within a deadline.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use countersign_model::{Attempt, Channel, FailureReason, MessageId, Mode, Outgoing, OutgoingText, ProviderName};
use futures_util::FutureExt as _;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tracing::{Instrument as _, debug, error, warn};

use crate::config::OnUnclear;
use crate::provider::{CheckError, Diagnostic, Provider, Rendered, TryOutcome};
use crate::render::{RenderError, Renderer};
use crate::routes::{Routes, WayOut};
use crate::wording::WordingError;

/// Is told of every try, so that somebody can count.
pub trait Observer: Send + Sync {
    /// A try at `provider` ended as `outcome` (a label of [`TryOutcome`]) after `elapsed`.
    fn tried(&self, provider: &ProviderName, channel: Channel, outcome: &'static str, elapsed: Duration);
}

/// A message that is worded and can go out.
#[derive(Debug)]
pub struct Prepared {
    mode: Mode,
    message: Arc<Rendered>,
}

impl Prepared {
    /// The message's id.
    #[must_use]
    pub fn id(&self) -> MessageId {
        self.message.id
    }

    /// The way it goes.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.message.channel
    }
}

/// The one who gets messages out. Cheap to clone.
#[derive(Clone)]
pub struct Router {
    routes: Arc<Routes>,
    renderer: Arc<Renderer>,
    observer: Arc<dyn Observer>,
}

impl Router {
    /// Works over `routes` and tells `observer` of every try.
    #[must_use]
    pub fn new(routes: Routes, observer: Arc<dyn Observer>) -> Self {
        let renderer = Arc::new(Renderer::new(routes.max_segments));
        Self { routes: Arc::new(routes), renderer, observer }
    }

    /// The first provider of the channel when it is final at once: its acceptance may be recorded before [`Router::deliver`].
    #[must_use]
    pub fn instant(&self, mode: Mode, channel: Channel) -> Option<ProviderName> {
        let first = self.routes.providers(mode, channel).first()?;
        first.is_instant().then(|| first.name().clone())
    }

    /// Whether a message of this mode and channel has any way out.
    #[must_use]
    pub fn has_route(&self, mode: Mode, channel: Channel) -> bool {
        !self.routes.providers(mode, channel).is_empty()
    }

    /// Who serves a channel, first choice first.
    #[must_use]
    pub fn providers(&self, mode: Mode, channel: Channel) -> Vec<ProviderName> {
        self.routes.providers(mode, channel).iter().map(|provider| provider.name().clone()).collect()
    }

    /// Every provider, the configured ones first.
    #[must_use]
    pub fn ways_out(&self) -> Vec<WayOut> {
        self.routes.ways_out()
    }

    /// Puts a message into words. Nothing leaves the house.
    pub fn prepare(&self, message: Outgoing) -> Result<Prepared, RenderError> {
        let mode = message.mode;
        self.renderer.render(message).map(|message| Prepared { mode, message: Arc::new(message) })
    }

    /// Takes a text that is said as it is. Nothing leaves the house.
    #[must_use]
    pub fn prepare_text(&self, message: OutgoingText) -> Prepared {
        Prepared { mode: message.mode, message: Arc::new(Renderer::plain(message)) }
    }

    /// Looks through words of a tenant's own before they are kept: what passes is fit for every message without a long name or an autofill
    /// line.
    pub fn check_wording(&self, channel: Channel, subject: Option<&str>, body: &str) -> Result<(), WordingError> {
        self.renderer.check_wording(channel, subject, body)
    }

    /// Sends all messages side by side and tells for each how it ended, in the order given and never as [`Attempt::Sending`].
    ///
    /// Ends within the overall deadline whatever a provider does. Dropping the future ends the tries under way, which may then
    /// have gone out or not: a caller that must know runs it in a task of its own.
    pub async fn deliver(&self, messages: Vec<Prepared>) -> Vec<(MessageId, Channel, Attempt)> {
        let mut ended: Vec<_> =
            messages.iter().map(|message| (message.id(), message.channel(), Attempt::Unclear { provider: None })).collect();
        let messages = match <[Prepared; 1]>::try_from(messages) {
            Err(messages) => messages,
            // With nothing to go beside, it needs no task of its own.
            Ok([message]) => {
                match AssertUnwindSafe(self.deliver_one(message)).catch_unwind().await {
                    Ok(attempt) => ended[0].2 = attempt,
                    Err(_) => broke_off(),
                }
                return ended;
            }
        };
        let mut tasks = JoinSet::new();
        for (position, message) in messages.into_iter().enumerate() {
            let router = self.clone();
            tasks.spawn(async move { (position, router.deliver_one(message).await) }.in_current_span());
        }
        while let Some(joined) = tasks.join_next().await {
            match joined {
                Ok((position, attempt)) => ended[position].2 = attempt,
                Err(_) => broke_off(),
            }
        }
        ended
    }

    /// Reaches every configured provider without sending anything, all side by side.
    pub async fn check(&self) -> Vec<(ProviderName, Result<(), CheckError>)> {
        let limit = self.routes.delivery.try_timeout();
        let mut tasks = JoinSet::new();
        for (position, provider) in self.routes.providers.iter().enumerate() {
            let provider = Arc::clone(provider);
            tasks.spawn(async move {
                let checked = timeout(limit, provider.check()).await;
                (position, checked.unwrap_or(Err(CheckError::Silent)))
            });
        }
        let mut checked: Vec<_> =
            self.routes.providers.iter().map(|provider| (provider.name().clone(), Err(CheckError::Broken))).collect();
        while let Some(joined) = tasks.join_next().await {
            if let Ok((position, result)) = joined {
                checked[position].1 = result;
            }
        }
        checked
    }

    async fn deliver_one(&self, prepared: Prepared) -> Attempt {
        let Prepared { mode, message } = prepared;
        let end = Instant::now() + self.routes.delivery.deadline();
        let mut tried = Tried::default();
        for provider in self.routes.providers(mode, message.channel) {
            let time_left = end.saturating_duration_since(Instant::now());
            if time_left.is_zero() {
                break;
            }
            let limit = time_left.min(self.routes.delivery.try_timeout());
            let outcome = self.try_once(provider, &message, limit).await;
            if let Some(attempt) = tried.note(provider.name(), outcome, self.routes.delivery.on_unclear) {
                return attempt;
            }
        }
        tried.attempt()
    }

    async fn try_once(&self, provider: &Arc<dyn Provider>, message: &Arc<Rendered>, limit: Duration) -> TryOutcome {
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

fn broke_off() {
    error!("a delivery broke off; its message counts as unclear");
}

/// One log line a try: ids and closed words only.
fn report(provider: &ProviderName, message: &Rendered, outcome: &TryOutcome, elapsed: Duration) {
    let (id, channel, label) = (message.id, message.channel, outcome.label());
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    match outcome.diagnostic() {
        None => debug!(message_id = %id, %channel, %provider, outcome = label, milliseconds, "message handed over"),
        Some(diagnostic) => {
            warn!(message_id = %id, %channel, %provider, outcome = label, %diagnostic, milliseconds, "message not handed over");
        }
    }
}

/// What the tries so far add up to.
#[derive(Default)]
struct Tried {
    unclear: Option<ProviderName>,
    throttled: bool,
    answered: bool,
    any: bool,
}

impl Tried {
    /// Takes in one try; an answer ends the message.
    fn note(&mut self, provider: &ProviderName, outcome: TryOutcome, on_unclear: OnUnclear) -> Option<Attempt> {
        self.any = true;
        match outcome {
            TryOutcome::Accepted { provider_id } => return Some(Attempt::Accepted { provider: provider.clone(), provider_id }),
            TryOutcome::Refused(_) => {
                return Some(match self.unclear.take() {
                    Some(earlier) => Attempt::Unclear { provider: Some(earlier) },
                    None => Attempt::Failed(FailureReason::Refused),
                });
            }
            TryOutcome::Unclear(_) => {
                self.unclear.get_or_insert_with(|| provider.clone());
                if on_unclear == OnUnclear::Stop {
                    return Some(Attempt::Unclear { provider: self.unclear.take() });
                }
            }
            TryOutcome::Throttled(_) => self.throttled = true,
            TryOutcome::Misconfigured(_) | TryOutcome::Unknown(_) => self.answered = true,
            TryOutcome::Unreachable(_) => {}
        }
        None
    }

    /// Nobody took it. A message that may have gone out is never called failed; else the reason that holds for all tries.
    fn attempt(self) -> Attempt {
        match self {
            Self { unclear: Some(provider), .. } => Attempt::Unclear { provider: Some(provider) },
            Self { any: false, .. } | Self { answered: true, .. } => Attempt::Failed(FailureReason::ProviderUnavailable),
            Self { throttled: true, .. } => Attempt::Failed(FailureReason::Throttled),
            Self { .. } => Attempt::Failed(FailureReason::Unreachable),
        }
    }
}

#[cfg(test)]
mod tests;
