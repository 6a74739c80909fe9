//! What is counted of the log, the ledger and webhooks.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use countersign_model::Partition;
use countersign_records::PoisonKind;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PartitionLabels {
    partition: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

/// The part of the counts that the projector and the workers keep.
#[derive(Debug, Default)]
pub(crate) struct LogMetrics {
    lag: Family<PartitionLabels, Gauge<f64, AtomicU64>>,
    behind: Family<PartitionLabels, Gauge>,
    entries: Family<OutcomeLabels, Counter>,
    rewinds: Counter,
    poison: Gauge,
    deliveries: Family<OutcomeLabels, Counter>,
    pending: Gauge,
    differences: Gauge,
    pending_credits: Gauge,
    store_memory: Gauge<f64, AtomicU64>,
}

impl LogMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let it = Self::default();
        registry.register("log_lag_seconds", "Age of the oldest entry of the log that is not in the records", it.lag.clone());
        registry.register(
            "log_behind",
            "Distance of the records from the end of the log, in sequence numbers",
            it.behind.clone(),
        );
        registry.register("log_entries", "Entries of the log by what became of them", it.entries.clone());
        registry.register("log_rewinds", "Times a log had lost its end and was read again", it.rewinds.clone());
        registry.register("log_poison", "Entries of the log that are set aside", it.poison.clone());
        registry.register("webhook_attempts", "Posts to endpoints by what came of them", it.deliveries.clone());
        registry.register("webhook_pending", "Webhooks that are to be posted, counted up to ten thousand", it.pending.clone());
        registry.register("wallet_differences", "Balances that are not what the ledger says", it.differences.clone());
        registry.register("wallet_pending_credits", "Credits that are not in the balance yet", it.pending_credits.clone());
        let memory = "How much of the memory that it may use the session store uses, from 0 to 1";
        registry.register("store_memory_ratio", memory, it.store_memory.clone());
        it
    }

    pub(crate) fn store_memory(&self, used: f64) {
        self.store_memory.set(used);
    }

    pub(crate) fn read(&self, partition: Partition, lag: Duration, behind: u64) {
        let labels = PartitionLabels { partition: partition.number().into() };
        self.lag.get_or_create(&labels).set(lag.as_secs_f64());
        self.behind.get_or_create(&labels).set(i64::try_from(behind).unwrap_or(i64::MAX));
    }

    /// Somebody else tells how far that partition is.
    pub(crate) fn not_ours(&self, partition: Partition) {
        let labels = PartitionLabels { partition: partition.number().into() };
        self.lag.remove(&labels);
        self.behind.remove(&labels);
    }

    pub(crate) fn taken_in(&self, taken: usize, known: usize) {
        self.count_entries("taken_in", taken);
        self.count_entries("known", known);
    }

    pub(crate) fn set_aside(&self, kind: PoisonKind) {
        self.count_entries(kind.as_str(), 1);
    }

    pub(crate) fn rewound(&self) {
        self.rewinds.inc();
    }

    pub(crate) fn poison_waiting(&self, count: u64) {
        self.poison.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn posted(&self, outcome: &'static str) {
        self.deliveries.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    pub(crate) fn webhooks_pending(&self, count: u64) {
        self.pending.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn differences(&self, count: u64) {
        self.differences.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn credits_pending(&self, count: usize) {
        self.pending_credits.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    fn count_entries(&self, outcome: &'static str, count: usize) {
        if count > 0 {
            self.entries.get_or_create(&OutcomeLabels { outcome }).inc_by(count as u64);
        }
    }
}
