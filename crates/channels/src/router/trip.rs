//! A message's way from provider to provider, until one took it, refused it, or nobody is left.

use std::sync::Arc;
use std::time::Duration;

use countersign_model::{Attempt, FailureReason, ProviderName};
use tokio::time::{Instant, timeout};

use super::{Prepared, Router};
use crate::config::OnUnclear;
use crate::outlet::{Outlet, Visit};
use crate::pace::Turn;
use crate::provider::{Rendered, TryOutcome};

impl Router {
    /// Asks the providers of a message's list: first those that are well and have a turn at once; then those that it has to wait for; and last
    /// those whose circuit is open, the least recently opened first, so that nothing fails untried.
    pub(super) async fn deliver_one(&self, prepared: Prepared) -> Attempt {
        let Prepared { mode, message } = prepared;
        let order = self.routes.lane(mode, message.channel).order(&message.errand, &*self.routes.rng);
        let begun = Instant::now();
        let trip = Trip { router: self, message, begun, end: begun + self.routes.delivery.deadline(), tried: Tried::default() };
        trip.run(order).await
    }
}

struct Trip<'a> {
    router: &'a Router,
    message: Arc<Rendered>,
    begun: Instant,
    /// When it is over, whatever a provider does.
    end: Instant,
    tried: Tried,
}

/// What asking a provider came to.
enum Asked {
    /// The message has its outcome.
    Settled(Attempt),
    /// It was tried, or cannot be any more; the next one is asked.
    Next,
    /// Its circuit is open.
    Ill,
    /// About so long until it is the message's turn there.
    Busy(Duration),
}

impl Trip<'_> {
    async fn run(mut self, order: Vec<Arc<Outlet>>) -> Attempt {
        let (mut busy, mut ill) = (Vec::new(), Vec::new());
        for outlet in order {
            match self.ask(&outlet).await {
                Asked::Settled(attempt) => return attempt,
                Asked::Next => {}
                Asked::Ill => ill.push(outlet),
                Asked::Busy(wait) => busy.push((wait, outlet)),
            }
        }
        busy.sort_by_key(|(wait, _)| *wait);
        for (_, outlet) in busy {
            match self.wait_for(&outlet, false).await {
                Asked::Settled(attempt) => return attempt,
                Asked::Next | Asked::Busy(_) => {}
                Asked::Ill => ill.push(outlet),
            }
        }
        ill.sort_by_key(|outlet| outlet.opened_at());
        for outlet in ill {
            if let Asked::Settled(attempt) = self.wait_for(&outlet, true).await {
                return attempt;
            }
        }
        self.tried.attempt()
    }

    /// Asks without waiting for a turn.
    async fn ask(&mut self, outlet: &Outlet) -> Asked {
        if self.time_left().is_zero() {
            return Asked::Next;
        }
        let Some(visit) = outlet.enter(&*self.router.observer) else { return Asked::Ill };
        match self.turn(outlet).await {
            Turn::Now => self.attempt(outlet, visit).await,
            Turn::In(wait) => Asked::Busy(wait),
        }
    }

    /// Asks as soon as there is a turn; `anyway`: although its circuit is open.
    async fn wait_for(&mut self, outlet: &Outlet, anyway: bool) -> Asked {
        if self.time_left().is_zero() {
            return Asked::Next;
        }
        if let Some(throttle) = &outlet.throttle
            && self.turn(outlet).await != Turn::Now
            && !throttle.in_line(outlet.name(), &*self.router.pace, self.last_turn(outlet)).await
        {
            self.tried.held_up();
            return Asked::Next;
        }
        let observer = &*self.router.observer;
        let visit = if anyway { Some(outlet.enter_anyway(observer)) } else { outlet.enter(observer) };
        match visit {
            Some(visit) => self.attempt(outlet, visit).await,
            None => Asked::Ill,
        }
    }

    async fn attempt(&mut self, outlet: &Outlet, visit: Visit<'_>) -> Asked {
        let time_left = self.time_left();
        if time_left.is_zero() {
            return Asked::Next;
        }
        let outcome = self.router.try_once(visit, &self.message, time_left.min(outlet.try_timeout)).await;
        let on_unclear = self.router.routes.on_unclear(self.message.channel);
        match self.tried.note(outlet.name(), outcome, on_unclear) {
            Some(attempt) => Asked::Settled(attempt),
            None => Asked::Next,
        }
    }

    /// A turn at once, or about how long until there is one.
    async fn turn(&self, outlet: &Outlet) -> Turn {
        let Some(throttle) = &outlet.throttle else { return Turn::Now };
        let turn = timeout(self.time_left(), throttle.at_once(outlet.name(), &*self.router.pace)).await;
        turn.unwrap_or(Turn::In(Duration::ZERO))
    }

    fn time_left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// A turn after this would leave a try too little time: it would be broken off, and nobody would know whether the message went out.
    fn last_turn(&self, outlet: &Outlet) -> Instant {
        let whole = self.end - self.begun;
        self.end - outlet.try_timeout.min(whole / 2)
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

    /// A provider was not asked, since there was no turn.
    fn held_up(&mut self) {
        (self.any, self.throttled) = (true, true);
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
