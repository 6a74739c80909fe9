//! A provider as the router keeps it: with its circuit, its pace, and what its last tries came to.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_model::{Channel, ProviderName};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::circuit::{Circuit, CircuitState, Sign, Ticket};
use crate::config::DeliveryConfig;
use crate::pace::Throttle;
use crate::provider::{Diagnostic, Provider, TryOutcome};
use crate::router::Observer;

/// Tries that [`Recent`] is about.
const RECENT: usize = 100;

/// How a provider fares, as far as this process saw since it started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Whether it is asked.
    pub circuit: CircuitState,
    /// Since when.
    pub since: Instant,
    /// How often its circuit was opened.
    pub opened_times: u64,
    /// Tries under way.
    pub in_flight: usize,
    /// Its last hundred tries.
    pub recent: Recent,
    /// The last try that it did not take.
    pub last_failure: Option<LastFailure>,
}

/// The last tries at a provider, a hundred at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recent {
    /// How many.
    pub tries: usize,
    /// Of these, how many speak against it: unreachable, misconfigured, unknown or unclear.
    pub failures: usize,
    /// Half of them took no longer; none without a try.
    pub median: Option<Duration>,
    /// Ninety-five of a hundred took no longer.
    pub p95: Option<Duration>,
}

/// A try that a provider did not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastFailure {
    /// When it ended.
    pub at: Instant,
    /// For which channel.
    pub channel: Channel,
    /// How, by a label of [`TryOutcome`].
    pub outcome: &'static str,
    /// What is known beyond that.
    pub diagnostic: Diagnostic,
}

/// A provider with what the router knows of it. Shared by all lists that name it.
pub(crate) struct Outlet {
    pub(crate) provider: Arc<dyn Provider>,
    /// For one try.
    pub(crate) try_timeout: Duration,
    /// How fast it is handed messages; none: as fast as they come.
    pub(crate) throttle: Option<Throttle>,
    watch: Mutex<Watch>,
}

struct Watch {
    circuit: Circuit,
    in_flight: usize,
    /// Whether it spoke against the provider, and how long it took; oldest first.
    recent: VecDeque<(bool, Duration)>,
    last_failure: Option<LastFailure>,
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").field("name", self.name()).finish_non_exhaustive()
    }
}

impl Outlet {
    pub(crate) fn new(provider: Arc<dyn Provider>, delivery: &DeliveryConfig) -> Arc<Self> {
        let name = provider.name().as_str();
        let (try_timeout, throttle) = (delivery.try_timeout_of(name), delivery.limits.get(name).copied().map(Throttle::new));
        let circuit = Circuit::new(delivery.breaker, Instant::now());
        let watch = Watch { circuit, in_flight: 0, recent: VecDeque::new(), last_failure: None };
        Arc::new(Self { provider, try_timeout, throttle, watch: Mutex::new(watch) })
    }

    pub(crate) fn name(&self) -> &ProviderName {
        self.provider.name()
    }

    /// Whether what it is handed counts as accepted before it is handed anything. One that may have to wait for its turn is not that quick.
    pub(crate) fn is_instant(&self) -> bool {
        self.provider.is_instant() && self.throttle.is_none()
    }

    pub(crate) fn health(&self) -> Health {
        let watch = self.watch();
        Health {
            circuit: watch.circuit.state(),
            since: watch.circuit.since(),
            opened_times: watch.circuit.opened_times(),
            in_flight: watch.in_flight,
            recent: recent(&watch.recent),
            last_failure: watch.last_failure,
        }
    }

    /// When its circuit was opened last.
    pub(crate) fn opened_at(&self) -> Instant {
        self.watch().circuit.opened_at()
    }

    /// Begins a try; none: its circuit is open. What is final at once cannot fail, and is always tried.
    pub(crate) fn enter<'a>(&'a self, observer: &'a dyn Observer) -> Option<Visit<'a>> {
        if self.provider.is_instant() {
            return Some(self.enter_anyway(observer));
        }
        let ticket = self.change(observer, |circuit| circuit.enter(Instant::now()))?;
        Some(Visit::begin(self, observer, ticket))
    }

    /// Begins a try although the circuit may be open.
    pub(crate) fn enter_anyway<'a>(&'a self, observer: &'a dyn Observer) -> Visit<'a> {
        let ticket = self.watch().circuit.enter_anyway();
        Visit::begin(self, observer, ticket)
    }

    /// Works on the circuit, and tells if that changed its state.
    fn change<T>(&self, observer: &dyn Observer, work: impl FnOnce(&mut Circuit) -> T) -> T {
        let (before, worked, after, opened) = {
            let circuit = &mut self.watch().circuit;
            let before = circuit.state();
            let worked = work(circuit);
            (before, worked, circuit.state(), circuit.opened_times())
        };
        if before != after {
            self.tell(observer, after, opened);
        }
        worked
    }

    fn tell(&self, observer: &dyn Observer, state: CircuitState, opened: u64) {
        let provider = self.name();
        match state {
            CircuitState::Open => {
                warn!(%provider, opened, "circuit opened: the provider is passed over while another one is left");
            }
            CircuitState::HalfOpen => info!(%provider, "circuit half open: one message at a time tries the provider again"),
            CircuitState::Closed => info!(%provider, "circuit closed: the provider is well again"),
        }
        observer.circuit(provider, state);
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn recent(tries: &VecDeque<(bool, Duration)>) -> Recent {
    let mut times: Vec<Duration> = tries.iter().map(|(_, elapsed)| *elapsed).collect();
    times.sort_unstable();
    let least_of = |hundredth: usize| times.get((times.len() * hundredth).div_ceil(100).saturating_sub(1)).copied();
    Recent {
        tries: tries.len(),
        failures: tries.iter().filter(|(against, _)| *against).count(),
        median: least_of(50),
        p95: least_of(95),
    }
}

/// A try under way. Dropped before its end, it says nothing of the provider.
pub(crate) struct Visit<'a> {
    outlet: &'a Outlet,
    observer: &'a dyn Observer,
    /// None: it has ended.
    ticket: Option<Ticket>,
}

impl<'a> Visit<'a> {
    fn begin(outlet: &'a Outlet, observer: &'a dyn Observer, ticket: Ticket) -> Self {
        outlet.watch().in_flight += 1;
        observer.in_flight(outlet.name(), 1);
        Self { outlet, observer, ticket: Some(ticket) }
    }

    /// Who is tried.
    pub(crate) fn provider(&self) -> &'a Arc<dyn Provider> {
        &self.outlet.provider
    }

    /// The try is over.
    pub(crate) fn end(mut self, channel: Channel, outcome: &TryOutcome, elapsed: Duration) {
        let sign = Sign::of(outcome);
        {
            let mut watch = self.outlet.watch();
            watch.recent.push_back((sign == Sign::Ill, elapsed));
            while watch.recent.len() > RECENT {
                watch.recent.pop_front();
            }
            if let Some(diagnostic) = outcome.diagnostic() {
                watch.last_failure = Some(LastFailure { at: Instant::now(), channel, outcome: outcome.label(), diagnostic });
            }
        }
        self.leave(sign);
    }

    fn leave(&mut self, sign: Sign) {
        let Some(ticket) = self.ticket.take() else { return };
        self.outlet.watch().in_flight -= 1;
        self.observer.in_flight(self.outlet.name(), -1);
        if !self.outlet.provider.is_instant() {
            self.outlet.change(self.observer, |circuit| circuit.leave(ticket, sign, Instant::now()));
        }
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.leave(Sign::Silent);
    }
}

#[cfg(test)]
mod tests;
