//! Gets messages out: side by side over messages, in order over the providers of each, within a deadline.

mod once;
mod trip;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use countersign_model::{Attempt, Channel, Errand, MessageId, Mode, Outgoing, OutgoingText, ProviderName};
use futures_util::FutureExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{Instrument as _, error};

use crate::circuit::CircuitState;
use crate::lists::ListView;
use crate::pace::{OwnPace, Pace};
use crate::provider::{CheckError, Provider, Rendered, Tells, TryOutcome};
use crate::receipts::Pushed;
use crate::render::{RenderError, Renderer};
use crate::routes::{Routes, WayOut};
use crate::wording::WordingError;

/// Is told of every try, so that somebody can count.
pub trait Observer: Send + Sync {
    /// A try at `provider` ended as `outcome` (a label of [`TryOutcome`]) after `elapsed`.
    fn tried(&self, provider: &ProviderName, channel: Channel, outcome: &'static str, elapsed: Duration);

    /// So many more tries at `provider` are under way; fewer when it is negative.
    fn in_flight(&self, provider: &ProviderName, change: i64);

    /// The circuit of `provider` came into this state. Told of every provider at the start, too.
    fn circuit(&self, provider: &ProviderName, state: CircuitState);
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
    pace: Arc<dyn Pace>,
}

/// Why nothing was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TestError {
    /// No provider has that name.
    #[error("no provider has that name")]
    NoSuchProvider,
    /// It does not reach people on the message's channel.
    #[error("the provider does not serve that channel")]
    DoesNotServe,
}

impl Router {
    /// Works over `routes` and tells `observer` of every try. Providers with a limit are paced by this process alone.
    #[must_use]
    pub fn new(routes: Routes, observer: Arc<dyn Observer>) -> Self {
        let renderer = Arc::new(Renderer::new(routes.max_segments));
        for outlet in routes.everybody() {
            observer.circuit(outlet.name(), CircuitState::Closed);
            observer.in_flight(outlet.name(), 0);
        }
        Self { routes: Arc::new(routes), renderer, observer, pace: Arc::new(OwnPace::default()) }
    }

    /// Lets `pace` decide how fast providers with a limit are handed messages, such as one that several nodes share.
    #[must_use]
    pub fn paced_by(self, pace: Arc<dyn Pace>) -> Self {
        Self { pace, ..self }
    }

    /// The provider that every message of the channel goes to first, when it is final at once: its acceptance may be recorded before
    /// [`Router::deliver`].
    #[must_use]
    pub fn instant(&self, mode: Mode, channel: Channel) -> Option<ProviderName> {
        let first = self.routes.lane(mode, channel).first()?;
        first.is_instant().then(|| first.name().clone())
    }

    /// Whether any message of this mode and channel has a way out.
    #[must_use]
    pub fn has_route(&self, mode: Mode, channel: Channel) -> bool {
        self.routes.lane(mode, channel).everybody().next().is_some()
    }

    /// Whether a message of this errand has a way out, not counting the providers that it passes over.
    #[must_use]
    pub fn untried(&self, mode: Mode, channel: Channel, errand: &Errand) -> bool {
        self.routes.lane(mode, channel).has_somebody(errand)
    }

    /// The lists of a channel's live messages: its routes, in order, and last its own.
    #[must_use]
    pub fn lists(&self, channel: Channel) -> Vec<ListView> {
        self.routes.lane(Mode::Live, channel).view()
    }

    /// Every provider, the configured ones first.
    #[must_use]
    pub fn ways_out(&self) -> Vec<WayOut> {
        self.routes.ways_out()
    }

    /// Who is configured under that kind and name, as posted receipts name it.
    #[must_use]
    pub fn connection(&self, kind: &str, name: &str) -> Option<Arc<dyn Provider>> {
        self.routes.connection(kind, name).map(Arc::clone)
    }

    /// Whether a provider can be expected to tell what became of messages.
    #[must_use]
    pub fn tells(&self, provider: &ProviderName) -> bool {
        self.told_by(provider) != Tells::Nothing
    }

    /// Whether its receipts name messages by its own ids.
    #[must_use]
    pub fn names_by_id(&self, provider: &ProviderName) -> bool {
        self.told_by(provider) == Tells::ById
    }

    fn told_by(&self, provider: &ProviderName) -> Tells {
        let known = self.routes.outlets.iter().find(|outlet| outlet.name() == provider);
        known.map_or(Tells::Nothing, |outlet| outlet.provider.tells())
    }

    /// Receipts that come in over connections which providers hold open. Handed out once: whoever takes them must keep taking.
    #[must_use]
    pub fn take_pushed(&self) -> Option<mpsc::Receiver<Pushed>> {
        self.routes.take_pushed()
    }

    /// Holds open what providers need held open, until it is dropped.
    pub async fn keep_up(&self) {
        let mut tasks = JoinSet::new();
        for outlet in &self.routes.outlets {
            let provider = Arc::clone(&outlet.provider);
            tasks.spawn(async move { provider.keep_up().await });
        }
        while tasks.join_next().await.is_some() {}
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
        let mut tasks = JoinSet::new();
        for (position, outlet) in self.routes.outlets.iter().enumerate() {
            let outlet = Arc::clone(outlet);
            tasks.spawn(async move {
                let checked = timeout(outlet.try_timeout, outlet.provider.check()).await;
                (position, checked.unwrap_or(Err(CheckError::Silent)))
            });
        }
        let mut checked: Vec<_> =
            self.routes.outlets.iter().map(|outlet| (outlet.name().clone(), Err(CheckError::Broken))).collect();
        while let Some(joined) = tasks.join_next().await {
            if let Ok((position, result)) = joined {
                checked[position].1 = result;
            }
        }
        checked
    }

    /// Whether that provider reaches people on `channel`; none: no provider has that name.
    #[must_use]
    pub fn serves(&self, provider: &ProviderName, channel: Channel) -> Option<bool> {
        let outlet = self.routes.everybody().find(|outlet| outlet.name() == provider)?;
        Some(outlet.provider.serves(channel))
    }

    /// Hands one message to exactly that provider, once, whatever its circuit and its pace say. It is counted as any try.
    pub async fn test(&self, provider: &ProviderName, message: Prepared) -> Result<TryOutcome, TestError> {
        let outlet = self.routes.everybody().find(|outlet| outlet.name() == provider).ok_or(TestError::NoSuchProvider)?;
        if !outlet.provider.serves(message.channel()) {
            return Err(TestError::DoesNotServe);
        }
        let visit = outlet.enter_anyway(&*self.observer);
        Ok(self.try_once(visit, &message.message, outlet.try_timeout).await)
    }
}

fn broke_off() {
    error!("a delivery broke off; its message counts as unclear");
}

#[cfg(test)]
mod storm;
#[cfg(test)]
mod tests;
