//! What is counted of messages after a provider took them: how many arrived, how many led to a right code.

use std::time::Duration;

use countersign_model::{Attempt, Mode, ProviderName};
use countersign_session::store::VerifyVerdict;
use countersign_session::{Challenge, Session};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// From a second to a quarter of an hour.
const BOUNDS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0];

/// What a message came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// A provider took it.
    Accepted,
    /// A receipt says that it arrived.
    Delivered,
    /// A receipt says that it did not.
    Undelivered,
}

/// What is counted of a message whose code came back right: the surest sign that it arrived.
const VERIFIED: &str = "verified";

impl Stage {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabels {
    provider: String,
    channel: &'static str,
    stage: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReceiptLabels {
    provider: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ArrivalLabels {
    provider: String,
    channel: &'static str,
}

/// The part of the counts that is about live messages on their way.
#[derive(Debug)]
pub(crate) struct MessageMetrics {
    stages: Family<StageLabels, Counter>,
    receipts: Family<ReceiptLabels, Counter>,
    arrivals: Family<ArrivalLabels, Histogram>,
}

impl MessageMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let arrivals = Family::new_with_constructor((|| Histogram::new(BOUNDS)) as fn() -> Histogram);
        let it = Self { stages: Family::default(), receipts: Family::default(), arrivals };
        let stages = "Live messages that a provider took, and what they came to: their ratio is the conversion";
        registry.register("messages", stages, it.stages.clone());
        registry.register("receipts", "Delivery receipts by what came of them", it.receipts.clone());
        let arrivals = "Time from a provider's acceptance to its receipt that the message arrived";
        registry.register("message_delivery_seconds", arrivals, it.arrivals.clone());
        it
    }

    /// Counts a receipt, or what came in the place of one.
    pub(crate) fn receipt(&self, provider: &ProviderName, outcome: &'static str) {
        let provider = provider.as_str().to_owned();
        self.receipts.get_or_create(&ReceiptLabels { provider, outcome }).inc();
    }

    /// Counts what became of a message that a provider took.
    pub(crate) fn stage(&self, session: &Session, challenge: &Challenge, stage: Stage) {
        let Attempt::Accepted { provider, .. } = &challenge.message.attempt else { return };
        if !is_counted(session) {
            return;
        }
        let (provider, channel) = (provider.as_str().to_owned(), challenge.channel.as_str());
        if stage == Stage::Delivered
            && let (Some(sent), Some(delivered)) = (challenge.message.sent_at, challenge.message.delivered_at)
        {
            let took: Duration = delivered.since(sent);
            let labels = ArrivalLabels { provider: provider.clone(), channel };
            self.arrivals.get_or_create(&labels).observe(took.as_secs_f64());
        }
        self.stages.get_or_create(&StageLabels { provider, channel, stage: stage.as_str() }).inc();
    }

    /// Counts the messages whose codes came back right, each where its channel is proved: for who took that message, which need not be its
    /// channel's newest.
    pub(crate) fn verdict(&self, verdict: &VerifyVerdict) {
        let VerifyVerdict::Judged(session, _, carried) = verdict else { return };
        if !is_counted(session) {
            return;
        }
        for message in carried {
            let (provider, channel) = (message.provider.as_str().to_owned(), message.channel.as_str());
            self.stages.get_or_create(&StageLabels { provider, channel, stage: VERIFIED }).inc();
        }
    }
}

/// Messages of the sandbox are not counted, nor those to test recipients: their known codes would pass for conversion.
fn is_counted(session: &Session) -> bool {
    session.mode() == Mode::Live && !session.is_test()
}
