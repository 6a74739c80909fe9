//! Which partitions have replicas, as far as anybody ever saw.

use std::sync::atomic::{AtomicU16, Ordering};

use countersign_model::Partition;

use super::primary::bit;
use super::settings::BarrierMode;

/// Set once and never taken back while the process lives: a primary that has lost its replica is the very one that must not promise anything.
#[derive(Debug)]
pub(super) struct Replicated {
    mode: BarrierMode,
    seen: AtomicU16,
}

impl Replicated {
    /// Where sentinels watch, there are replicas or there should be.
    pub(super) const fn new(mode: BarrierMode, is_watched: bool) -> Self {
        Self { mode, seen: AtomicU16::new(if is_watched { u16::MAX } else { 0 }) }
    }

    /// A server with these partitions has replicas, or wants some.
    pub(super) fn note(&self, places: u16) {
        self.seen.fetch_or(places, Ordering::Relaxed);
    }

    /// Whether an answer from this partition waits for a replica.
    pub(super) fn demands(&self, partition: Partition) -> bool {
        match self.mode {
            BarrierMode::On => true,
            BarrierMode::Off => false,
            BarrierMode::Auto => self.seen.load(Ordering::Relaxed) & bit(partition) != 0,
        }
    }
}
