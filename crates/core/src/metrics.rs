//! What is counted, for Prometheus. No label is ever a recipient, a tenant's secret or a raw path.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use countersign_model::{Channel, Country, NumberKind, Passage};
use countersign_session::store::VerifyVerdict;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::log_metrics::LogMetrics;
use crate::message_metrics::MessageMetrics;
use crate::provider_metrics::ProviderMetrics;

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
struct DestinationLabels {
    channel: &'static str,
    /// Two letters; `none` where a number is of no country.
    country: String,
    kind: &'static str,
    verdict: &'static str,
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
    verdicts: Family<VerdictLabels, Counter>,
    destinations: Family<DestinationLabels, Counter>,
    authentication_failures: Counter,
    /// Of the log, the ledger and webhooks.
    pub(crate) log: LogMetrics,
    /// Of tries at providers.
    pub(crate) providers: ProviderMetrics,
    /// Of messages that a provider took.
    pub(crate) messages: MessageMetrics,
}

pub(crate) fn histogram() -> Histogram {
    Histogram::new(BOUNDS)
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("countersign");
        let requests = Family::new_with_constructor(histogram as fn() -> Histogram);
        let verdicts = Family::default();
        let destinations = Family::default();
        let authentication_failures = Counter::default();
        registry.register("http_request_duration_seconds", "How long requests took", requests.clone());
        registry.register(
            "destinations",
            "Phone numbers that live messages were asked for, by country, kind and what the rules said",
            destinations.clone(),
        );
        registry.register("verdicts", "Verifications by what they came to", verdicts.clone());
        registry.register("authentication_failures", "Calls whose API key was not taken", authentication_failures.clone());
        let log = LogMetrics::register(&mut registry);
        let providers = ProviderMetrics::register(&mut registry);
        let messages = MessageMetrics::register(&mut registry);
        let registry = Mutex::new(registry);
        Self { registry, requests, verdicts, destinations, authentication_failures, log, providers, messages }
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

    /// Counts what the rules said of a number.
    pub(crate) fn destination(&self, channel: Channel, country: Option<Country>, kind: NumberKind, passage: Passage) {
        let country = country.map_or_else(|| "none".to_owned(), |country| country.to_string());
        let (channel, kind, verdict) = (channel.as_str(), kind.as_str(), passage.as_str());
        self.destinations.get_or_create(&DestinationLabels { channel, country, kind, verdict }).inc();
    }

    /// Counts a verification.
    pub(crate) fn verdict(&self, verdict: &VerifyVerdict) {
        let verdict = match verdict {
            VerifyVerdict::Judged(_, judgement, _) if judgement.session_verified => "verified",
            VerifyVerdict::Judged(_, judgement, _) if judgement.verified => "partly_verified",
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
