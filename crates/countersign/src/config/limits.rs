use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Problem, Rate};

/// `[limits]`: how much callers may do. Each is exact: never more in any stretch of its length.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Calls of one API key.
    pub calls_per_key: Rate,
    /// Sends and resends to one user.
    pub sends_per_user: Rate,
    /// Sessions of one user that are open at a time.
    pub active_per_user: u32,
    /// Sends and resends asked for by one end-user address.
    pub sends_per_ip: Rate,
    /// Sends to one recipient, in the dialects that count by recipients and not by users.
    pub sends_per_recipient: Rate,
    /// A tenant's checks of codes that say nobody and open nothing.
    pub code_misses: Rate,
    /// Wrong guesses for one recipient, over all its sessions.
    pub wrong_guesses: Rate,
    /// Wrong guesses without a success after which a recipient is blocked for a day, then longer.
    pub block_after: u32,
    /// Calls of one peer address with a credential that opens nothing.
    pub failed_authentication: Rate,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls_per_key: Rate::new(1_000, 60),
            sends_per_user: Rate::new(5, 300),
            active_per_user: 100,
            sends_per_ip: Rate::new(20, 3_600),
            sends_per_recipient: Rate::new(10, 60),
            code_misses: Rate::new(100, 60),
            wrong_guesses: Rate::new(20, 86_400),
            block_after: 100,
            failed_authentication: Rate::new(30, 60),
        }
    }
}

impl Limits {
    /// NIST SP 800-63B-4, 3.2.2: no more failures than this in a row.
    const MAX_BLOCK_AFTER: u32 = 100;

    /// What a store keeps of a count.
    const MAX_WINDOW: Duration = Duration::from_secs(86_400);

    pub(super) fn problems(&self, found: &mut Vec<Problem>) {
        let rates = [
            ("calls_per_key", self.calls_per_key),
            ("sends_per_user", self.sends_per_user),
            ("sends_per_ip", self.sends_per_ip),
            ("sends_per_recipient", self.sends_per_recipient),
            ("code_misses", self.code_misses),
            ("wrong_guesses", self.wrong_guesses),
            ("failed_authentication", self.failed_authentication),
        ];
        for (key, rate) in rates {
            if rate.limit().window > Self::MAX_WINDOW {
                found.push(Problem::new(format!("limits.{key}"), "must not look back more than 24h"));
            }
        }
        if self.active_per_user == 0 {
            found.push(Problem::new("limits.active_per_user", "must be at least 1, else no session can be opened"));
        }
        if self.block_after == 0 || self.block_after > Self::MAX_BLOCK_AFTER {
            found.push(Problem::new("limits.block_after", "must be 1 to 100 (NIST SP 800-63B-4, 3.2.2)"));
        }
    }
}
