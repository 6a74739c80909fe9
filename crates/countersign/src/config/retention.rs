use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Problem;

/// `[retention]`: how long what happened is kept in the records.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Days after which sessions and their messages are forgotten; 0: never. The ledger is kept for ever.
    pub sessions_days: u32,
}

impl Retention {
    /// A session can be asked for, and can change, for a day; news of its messages come for three.
    const LEAST: u32 = 7;
    const MOST: u32 = 36_500;

    /// How long sessions are kept; none: for ever.
    pub(super) fn sessions(&self) -> Option<Duration> {
        (self.sessions_days > 0).then(|| Duration::from_secs(u64::from(self.sessions_days) * 86_400))
    }

    pub(super) fn problems(&self, found: &mut Vec<Problem>) {
        if self.sessions_days != 0 && !(Self::LEAST..=Self::MOST).contains(&self.sessions_days) {
            let must = format!("must be 0 (for ever), or {} to {} days", Self::LEAST, Self::MOST);
            found.push(Problem::new("retention.sessions_days", must));
        }
    }
}
