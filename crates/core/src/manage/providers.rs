//! Who gets messages out, and how that went as far as this node knows.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_channels::{ListView, WayOut};
use countersign_model::{Channel, Timestamp};
use serde::Serialize;
use tokio::time::Instant;

use crate::platform::Platform;

/// Ways out, seen from both ends.
#[derive(Debug, Clone, Serialize)]
pub struct ProvidersView {
    /// Each channel of live messages.
    pub channels: Vec<RouteView>,
    /// Each provider, the sandbox too.
    pub providers: Vec<ProviderView>,
}

/// Who serves a channel.
#[derive(Debug, Clone, Serialize)]
pub struct RouteView {
    /// The way.
    pub channel: &'static str,
    /// Lists of their own for some of its messages: the first that a message fits is taken.
    pub routes: Vec<NarrowedView>,
    /// For the other messages. First choice first, unless there are weights.
    pub providers: Vec<String>,
    /// Of each of `providers`, where the order is drawn anew for each message; none: it is that of the list.
    pub weights: Option<Vec<u32>>,
}

/// A list for some of a channel's messages. What is empty does not matter; all the rest must hold.
#[derive(Debug, Clone, Serialize)]
pub struct NarrowedView {
    /// Countries of numbers, by two letters.
    pub countries: Vec<String>,
    /// Whose messages.
    pub tenants: Vec<String>,
    /// Under which profile.
    pub services: Vec<String>,
    /// First choice first, unless there are weights.
    pub providers: Vec<String>,
    /// As for a channel.
    pub weights: Option<Vec<u32>>,
}

/// A provider. What it did is what this node saw since it started: other nodes saw other tries.
#[derive(Debug, Clone, Serialize)]
pub struct ProviderView {
    /// The operator's name for it.
    pub name: String,
    /// Its `kind` in the configuration; the sandbox has none.
    pub kind: Option<&'static str>,
    /// `live` or `sandbox`.
    pub mode: &'static str,
    /// What it is used for; empty: it is configured and no channel names it.
    pub channels: Vec<&'static str>,
    /// How often tries ended how: `accepted`, `refused`, `throttled`, `unreachable`, `misconfigured`, `unknown`, `unclear`. What never happened is
    /// not there.
    pub tries: BTreeMap<&'static str, u64>,
    /// How it fares.
    pub health: HealthView,
    /// The last try that it did not take.
    pub last_failure: Option<FailureView>,
}

/// How a provider fares.
#[derive(Debug, Clone, Serialize)]
pub struct HealthView {
    /// `closed`: it is asked. `open`: it is passed over while another one is left. `half_open`: one message at a time tries it.
    pub circuit: &'static str,
    /// When the circuit came into this state.
    pub since: String,
    /// How often it was opened.
    pub opened: u64,
    /// Tries under way.
    pub in_flight: usize,
    /// How many of its last tries the next three are about: a hundred at most.
    pub recent_tries: usize,
    /// Of these, how many speak against it: `unreachable`, `misconfigured`, `unknown`, `unclear`.
    pub recent_failures: usize,
    /// Half of them took no longer, in milliseconds.
    pub median_ms: Option<u64>,
    /// Ninety-five of a hundred took no longer, in milliseconds.
    pub p95_ms: Option<u64>,
}

/// A try that a provider did not take.
#[derive(Debug, Clone, Serialize)]
pub struct FailureView {
    /// When.
    pub at: String,
    /// For which channel.
    pub channel: &'static str,
    /// How it ended, in the words of `tries`.
    pub outcome: &'static str,
    /// What is known beyond that: a status of the provider's, or words of our own.
    pub diagnostic: String,
}

impl Platform {
    /// Who gets messages out.
    #[must_use]
    pub fn providers(&self) -> ProvidersView {
        ProvidersView {
            channels: Channel::ALL.into_iter().map(|channel| route(channel, &self.router.lists(channel))).collect(),
            providers: self.router.ways_out().into_iter().map(|way| self.provider(way)).collect(),
        }
    }

    fn provider(&self, way: WayOut) -> ProviderView {
        let WayOut { name, kind, mode, channels, health } = way;
        let now = self.clock.now();
        let failure = health.last_failure.map(|failure| FailureView {
            at: moment(failure.at, now),
            channel: failure.channel.as_str(),
            outcome: failure.outcome,
            diagnostic: failure.diagnostic.to_string(),
        });
        ProviderView {
            tries: self.metrics.providers.tally(&name),
            name: name.to_string(),
            kind,
            mode: mode.as_str(),
            channels: channels.into_iter().map(Channel::as_str).collect(),
            health: HealthView {
                circuit: health.circuit.as_str(),
                since: moment(health.since, now),
                opened: health.opened_times,
                in_flight: health.in_flight,
                recent_tries: health.recent.tries,
                recent_failures: health.recent.failures,
                median_ms: health.recent.median.map(milliseconds),
                p95_ms: health.recent.p95.map(milliseconds),
            },
            last_failure: failure,
        }
    }
}

/// A moment of the process, by the clock that says it is `now`.
fn moment(then: Instant, now: Timestamp) -> String {
    now.minus(then.elapsed()).to_string()
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn route(channel: Channel, lists: &[ListView]) -> RouteView {
    let mut routes: Vec<NarrowedView> = lists.iter().map(narrowed).collect();
    let own = routes.pop();
    let (providers, weights) = own.map_or_else(Default::default, |own| (own.providers, own.weights));
    RouteView { channel: channel.as_str(), routes, providers, weights }
}

fn narrowed(list: &ListView) -> NarrowedView {
    fn words<T: ToString>(values: &[T]) -> Vec<String> {
        values.iter().map(ToString::to_string).collect()
    }
    let weights: Vec<u32> = list.providers.iter().filter_map(|listed| listed.weight).collect();
    NarrowedView {
        countries: words(&list.countries),
        tenants: words(&list.tenants),
        services: words(&list.services),
        providers: list.providers.iter().map(|listed| listed.name.to_string()).collect(),
        weights: Some(weights).filter(|weights| !weights.is_empty()),
    }
}
