use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Problem;

/// `[contacts]`: what sends ask of the people whom tenants keep.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Contacts {
    /// Milliseconds that a send whose call names no language waits to be told its contact's; 0: nobody asks for it.
    pub locale_wait_ms: u64,
}

impl Default for Contacts {
    fn default() -> Self {
        Self { locale_wait_ms: 50 }
    }
}

impl Contacts {
    /// People wait for their codes.
    const MOST: u64 = 5_000;

    /// How long a send waits.
    pub(super) const fn locale_wait(&self) -> Duration {
        Duration::from_millis(self.locale_wait_ms)
    }

    pub(super) fn problems(&self, found: &mut Vec<Problem>) {
        if self.locale_wait_ms > Self::MOST {
            found.push(Problem::new("contacts.locale_wait_ms", format!("must be 0 (never asked) to {}", Self::MOST)));
        }
    }
}
