//! Who gets messages out, and how that went as far as this node knows.

use std::collections::BTreeMap;

use countersign_channels::WayOut;
use countersign_model::{Channel, Mode};
use serde::Serialize;

use crate::metrics::Tally;
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
    /// First choice first.
    pub providers: Vec<String>,
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
    /// The last try that it did not take.
    pub last_failure: Option<FailureView>,
}

/// A try that a provider did not take.
#[derive(Debug, Clone, Serialize)]
pub struct FailureView {
    /// When.
    pub at: String,
    /// For which channel.
    pub channel: &'static str,
    /// How it ended, in the words of `tries`. The log says more.
    pub outcome: &'static str,
}

impl Platform {
    /// Who gets messages out.
    #[must_use]
    pub fn providers(&self) -> ProvidersView {
        let route = |channel: Channel| {
            let providers = self.router.providers(Mode::Live, channel);
            RouteView { channel: channel.as_str(), providers: providers.iter().map(ToString::to_string).collect() }
        };
        ProvidersView {
            channels: Channel::ALL.into_iter().map(route).collect(),
            providers: self.router.ways_out().into_iter().map(|way| self.provider(way)).collect(),
        }
    }

    fn provider(&self, way: WayOut) -> ProviderView {
        let Tally { tries, last_failure } = self.metrics.tally(&way.name);
        let failure = last_failure.map(|failure| FailureView {
            at: self.clock.now().minus(failure.when.elapsed()).to_string(),
            channel: failure.channel.as_str(),
            outcome: failure.outcome,
        });
        ProviderView {
            name: way.name.to_string(),
            kind: way.kind,
            mode: way.mode.as_str(),
            channels: way.channels.into_iter().map(Channel::as_str).collect(),
            tries,
            last_failure: failure,
        }
    }
}
