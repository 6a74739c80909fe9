//! What is counted, for Prometheus. No label is ever a recipient, a tenant's secret or a raw path.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use countersign_channels::{Observer, TryOutcome};
use countersign_model::{Channel, ProviderName};
use countersign_session::store::VerifyVerdict;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use crate::log_metrics::LogMetrics;

/// Bounds in seconds, as OpenTelemetry gives them for HTTP.
const BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Labels of a served request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct HttpLabels {
    /// `GET`, `POST`.
    pub method: &'static str,
    /// The route's template, never the path as called.
    pub route: &'static str,
    /// Status.
    pub status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TryLabels {
    provider: String,
    channel: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProviderLabels {
    provider: String,
    channel: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerdictLabels {
    verdict: &'static str,
}

/// What this process knows of one provider since it started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// How tries ended, by the words of the router.
    pub(crate) tries: BTreeMap<&'static str, u64>,
    /// The last try that the provider did not take.
    pub(crate) last_failure: Option<LastFailure>,
}

/// A try that a provider did not take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LastFailure {
    pub(crate) channel: Channel,
    pub(crate) outcome: &'static str,
    pub(crate) when: Instant,
}

/// The counts of one installation's process.
#[derive(Debug)]
pub struct Metrics {
    tallies: Mutex<BTreeMap<ProviderName, Tally>>,
    registry: Mutex<Registry>,
    requests: Family<HttpLabels, Histogram>,
    tries: Family<TryLabels, Counter>,
    try_seconds: Family<ProviderLabels, Histogram>,
    verdicts: Family<VerdictLabels, Counter>,
    authentication_failures: Counter,
    /// Of the log, the ledger and webhooks.
    pub(crate) log: LogMetrics,
}

fn histogram() -> Histogram {
    Histogram::new(BOUNDS)
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("countersign");
        let requests = Family::new_with_constructor(histogram as fn() -> Histogram);
        let tries = Family::default();
        let try_seconds = Family::new_with_constructor(histogram as fn() -> Histogram);
        let verdicts = Family::default();
        let authentication_failures = Counter::default();
        registry.register("http_request_duration_seconds", "How long requests took", requests.clone());
        registry.register("provider_tries", "Tries to hand a message to a provider", tries.clone());
        registry.register("provider_try_duration_seconds", "How long those tries took", try_seconds.clone());
        registry.register("verdicts", "Verifications by what they came to", verdicts.clone());
        registry.register("authentication_failures", "Calls whose API key was not taken", authentication_failures.clone());
        let log = LogMetrics::register(&mut registry);
        let (registry, tallies) = (Mutex::new(registry), Mutex::default());
        Self { tallies, registry, requests, tries, try_seconds, verdicts, authentication_failures, log }
    }
}

impl Metrics {
    /// Counts a served request.
    pub fn served(&self, labels: &HttpLabels, elapsed: Duration) {
        self.requests.get_or_create(labels).observe(elapsed.as_secs_f64());
    }

    /// What is known of a provider; nothing where it was never tried.
    pub(crate) fn tally(&self, provider: &ProviderName) -> Tally {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner).get(provider).cloned().unwrap_or_default()
    }

    fn note(&self, provider: &ProviderName, channel: Channel, outcome: &'static str) {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = tallies.entry(provider.clone()).or_default();
        *tally.tries.entry(outcome).or_default() += 1;
        if outcome != TryOutcome::ACCEPTED {
            tally.last_failure = Some(LastFailure { channel, outcome, when: Instant::now() });
        }
    }

    /// Counts a call that was not let in.
    pub(crate) fn authentication_failed(&self) {
        self.authentication_failures.inc();
    }

    /// Counts a verification.
    pub(crate) fn verdict(&self, verdict: &VerifyVerdict) {
        let verdict = match verdict {
            VerifyVerdict::Judged(_, judgement) if judgement.session_verified => "verified",
            VerifyVerdict::Judged(_, judgement) if judgement.verified => "partly_verified",
            VerifyVerdict::Judged(..) => "wrong",
            VerifyVerdict::AlreadyVerified(_) => "already_verified",
            VerifyVerdict::Canceled(_) => "canceled",
            VerifyVerdict::Expired(_) => "expired",
            VerifyVerdict::Locked(_) => "locked",
            VerifyVerdict::ChannelNotFound(_) | VerifyVerdict::ChannelNeeded(_) => "channel_not_found",
            VerifyVerdict::ChannelVerified(_) => "channel_verified",
            VerifyVerdict::RecipientBlocked { .. } => "recipient_blocked",
            VerifyVerdict::Unknown => "unknown",
        };
        self.verdicts.get_or_create(&VerdictLabels { verdict }).inc();
    }

    /// The counts in the text form that Prometheus reads (OpenMetrics 1.0).
    #[must_use]
    pub fn render(&self) -> String {
        let mut page = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        if text::encode(&mut page, &registry).is_err() {
            page.clear();
            let _ = writeln!(page, "# EOF");
        }
        page
    }
}

impl Observer for Metrics {
    fn tried(&self, provider: &ProviderName, channel: Channel, outcome: &'static str, elapsed: Duration) {
        self.note(provider, channel, outcome);
        let (provider, channel) = (provider.as_str().to_owned(), channel.as_str());
        self.tries.get_or_create(&TryLabels { provider: provider.clone(), channel, outcome }).inc();
        self.try_seconds.get_or_create(&ProviderLabels { provider, channel }).observe(elapsed.as_secs_f64());
    }
}
