use serde::{Deserialize, Serialize};

use super::Problem;

/// `[events]`: the log of what happened to sessions, on its way into the records.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Events {
    /// Entries that each of the 16 partitions of a Redis log may hold before sends are refused: they wait there while the database is away.
    pub max_entries: u64,
}

impl Default for Events {
    fn default() -> Self {
        Self { max_entries: 1_000_000 }
    }
}

impl Events {
    pub(super) fn problems(&self, found: &mut Vec<Problem>) {
        if self.max_entries < 1_000 {
            found.push(Problem::new("events.max_entries", "must be at least 1000"));
        }
    }
}
