//! What is counted, for Prometheus. No label is ever a recipient, a tenant's secret or a raw path.

use std::fmt::Write;
use std::sync::Mutex;
use std::time::Duration;

use countersign_channels::Observer;
use countersign_model::{Channel, ProviderName};
use countersign_session::store::VerifyVerdict;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

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

/// The counts of one installation's process.
#[derive(Debug)]
pub struct Metrics {
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
        Self { registry: Mutex::new(registry), requests, tries, try_seconds, verdicts, authentication_failures, log }
    }
}

impl Metrics {
    /// Counts a served request.
    pub fn served(&self, labels: &HttpLabels, elapsed: Duration) {
        self.requests.get_or_create(labels).observe(elapsed.as_secs_f64());
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
        let registry = self.registry.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if text::encode(&mut page, &registry).is_err() {
            page.clear();
            let _ = writeln!(page, "# EOF");
        }
        page
    }
}

impl Observer for Metrics {
    fn tried(&self, provider: &ProviderName, channel: Channel, outcome: &'static str, elapsed: Duration) {
        let (provider, channel) = (provider.as_str().to_owned(), channel.as_str());
        self.tries.get_or_create(&TryLabels { provider: provider.clone(), channel, outcome }).inc();
        self.try_seconds.get_or_create(&ProviderLabels { provider, channel }).observe(elapsed.as_secs_f64());
    }
}
