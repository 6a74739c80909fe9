//! What is counted of providers.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use countersign_channels::{CircuitState, Observer};
use countersign_model::{Channel, ProviderName};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::metrics::{Metrics, histogram};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TryLabels {
    provider: String,
    channel: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChannelLabels {
    provider: String,
    channel: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProviderLabels {
    provider: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChangeLabels {
    provider: String,
    to: &'static str,
}

impl ProviderLabels {
    fn of(provider: &ProviderName) -> Self {
        Self { provider: provider.as_str().to_owned() }
    }
}

/// The part of the counts that the router keeps.
#[derive(Debug)]
pub(crate) struct ProviderMetrics {
    /// How tries ended, by the words of the router.
    tallies: Mutex<BTreeMap<ProviderName, BTreeMap<&'static str, u64>>>,
    tries: Family<TryLabels, Counter>,
    try_seconds: Family<ChannelLabels, Histogram>,
    in_flight: Family<ProviderLabels, Gauge>,
    circuit: Family<ProviderLabels, Gauge>,
    circuit_changes: Family<ChangeLabels, Counter>,
}

impl ProviderMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let it = Self {
            tallies: Mutex::default(),
            tries: Family::default(),
            try_seconds: Family::new_with_constructor(histogram as fn() -> Histogram),
            in_flight: Family::default(),
            circuit: Family::default(),
            circuit_changes: Family::default(),
        };
        registry.register("provider_tries", "Tries to hand a message to a provider", it.tries.clone());
        registry.register("provider_try_duration_seconds", "How long those tries took", it.try_seconds.clone());
        registry.register("provider_in_flight", "Tries at a provider that are under way", it.in_flight.clone());
        let states = "Whether a provider is asked: 0 it is, 1 one message at a time tries it, 2 it is passed over";
        registry.register("provider_circuit", states, it.circuit.clone());
        registry.register("provider_circuit_changes", "Changes of a provider's circuit", it.circuit_changes.clone());
        it
    }

    /// How tries at a provider ended since this process started; nothing where it was never tried.
    pub(crate) fn tally(&self, provider: &ProviderName) -> BTreeMap<&'static str, u64> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner).get(provider).cloned().unwrap_or_default()
    }
}

impl Observer for Metrics {
    fn tried(&self, provider: &ProviderName, channel: Channel, outcome: &'static str, elapsed: Duration) {
        let counts = &self.providers;
        *counts
            .tallies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(provider.clone())
            .or_default()
            .entry(outcome)
            .or_default() += 1;
        let (provider, channel) = (provider.as_str().to_owned(), channel.as_str());
        counts.tries.get_or_create(&TryLabels { provider: provider.clone(), channel, outcome }).inc();
        counts.try_seconds.get_or_create(&ChannelLabels { provider, channel }).observe(elapsed.as_secs_f64());
    }

    fn in_flight(&self, provider: &ProviderName, change: i64) {
        self.providers.in_flight.get_or_create(&ProviderLabels::of(provider)).inc_by(change);
    }

    fn circuit(&self, provider: &ProviderName, state: CircuitState) {
        let value = match state {
            CircuitState::Closed => 0,
            CircuitState::HalfOpen => 1,
            CircuitState::Open => 2,
        };
        let labels = ProviderLabels::of(provider);
        // What is told first is how it begins, which is no change.
        let is_change = self.providers.circuit.get(&labels).is_some();
        self.providers.circuit.get_or_create(&labels).set(value);
        if is_change {
            let labels = ChangeLabels { provider: labels.provider, to: state.as_str() };
            self.providers.circuit_changes.get_or_create(&labels).inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_try_is_counted_by_its_provider_channel_and_outcome_with_the_seconds_that_it_took() {
        let metrics = Metrics::default();
        for (provider, channel, outcome, millis) in [
            ("main", Channel::Sms, "unknown", 1_500),
            ("spare", Channel::Sms, "accepted", 80),
            ("calls", Channel::Voice, "accepted", 6_000),
            ("calls", Channel::Voice, "accepted", 6_000),
        ] {
            metrics.tried(&ProviderName::new(provider), channel, outcome, Duration::from_millis(millis));
        }
        let page = metrics.render();
        let mut counted: Vec<&str> = page.lines().filter(|line| line.starts_with("countersign_provider_tr")).collect();
        for (bound, labels, within) in [
            ("0.075", "provider=\"spare\",channel=\"sms\"", 0),
            ("0.1", "provider=\"spare\",channel=\"sms\"", 1),
            ("1.0", "provider=\"main\",channel=\"sms\"", 0),
            ("2.5", "provider=\"main\",channel=\"sms\"", 1),
            ("5.0", "provider=\"calls\",channel=\"voice\"", 0),
            ("7.5", "provider=\"calls\",channel=\"voice\"", 2),
        ] {
            let line = format!("countersign_provider_try_duration_seconds_bucket{{le=\"{bound}\",{labels}}} {within}");
            assert!(counted.contains(&line.as_str()), "{line} is not in\n{page}");
        }
        counted.retain(|line| !line.contains("_bucket{"));
        counted.sort_unstable();
        let expected = [
            "countersign_provider_tries_total{provider=\"calls\",channel=\"voice\",outcome=\"accepted\"} 2",
            "countersign_provider_tries_total{provider=\"main\",channel=\"sms\",outcome=\"unknown\"} 1",
            "countersign_provider_tries_total{provider=\"spare\",channel=\"sms\",outcome=\"accepted\"} 1",
            "countersign_provider_try_duration_seconds_count{provider=\"calls\",channel=\"voice\"} 2",
            "countersign_provider_try_duration_seconds_count{provider=\"main\",channel=\"sms\"} 1",
            "countersign_provider_try_duration_seconds_count{provider=\"spare\",channel=\"sms\"} 1",
            "countersign_provider_try_duration_seconds_sum{provider=\"calls\",channel=\"voice\"} 12.0",
            "countersign_provider_try_duration_seconds_sum{provider=\"main\",channel=\"sms\"} 1.5",
            "countersign_provider_try_duration_seconds_sum{provider=\"spare\",channel=\"sms\"} 0.08",
        ];
        assert_eq!(counted, expected, "{page}");
    }

    #[test]
    fn a_circuit_is_shown_by_a_number_and_its_changes_are_counted() {
        let (metrics, provider) = (Metrics::default(), ProviderName::new("mail"));
        metrics.in_flight(&provider, 2);
        metrics.in_flight(&provider, -1);
        for (state, shown) in
            [(CircuitState::Closed, 0), (CircuitState::Open, 2), (CircuitState::HalfOpen, 1), (CircuitState::Open, 2)]
        {
            metrics.circuit(&provider, state);
            let page = metrics.render();
            assert!(page.contains(&format!("countersign_provider_circuit{{provider=\"mail\"}} {shown}\n")), "{page}");
        }
        let page = metrics.render();
        for line in [
            "countersign_provider_in_flight{provider=\"mail\"} 1\n",
            "countersign_provider_circuit_changes_total{provider=\"mail\",to=\"open\"} 2\n",
            "countersign_provider_circuit_changes_total{provider=\"mail\",to=\"half_open\"} 1\n",
        ] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
        assert!(!page.contains("to=\"closed\""), "{page}");
    }
}
