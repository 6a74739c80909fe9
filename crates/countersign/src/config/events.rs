use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Problem;

/// `[events]`: the log of what happened to sessions.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Events {
    /// Hours that an entry is kept.
    pub keep_hours: u32,
}

impl Default for Events {
    fn default() -> Self {
        Self { keep_hours: 24 }
    }
}

impl Events {
    /// Thirty days.
    const MAX_HOURS: u32 = 720;

    /// How long an entry is kept.
    #[must_use]
    pub fn kept(&self) -> Duration {
        Duration::from_secs(u64::from(self.keep_hours) * 3_600)
    }

    pub(super) fn problems(&self, found: &mut Vec<Problem>) {
        if !(1..=Self::MAX_HOURS).contains(&self.keep_hours) {
            found.push(Problem::new("events.keep_hours", "must be 1 to 720"));
        }
    }
}
