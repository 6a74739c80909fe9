//! Forgetting sessions and messages after the time that the operator sets. The ledger is kept for ever.

use std::sync::Arc;

use countersign_model::{KeyKind, Mode, Scope, TenantId};
use countersign_records::{Realm, RecordsError};

use crate::directory::TenantConfig;
use crate::platform::Platform;

/// Rows of a kind that one statement removes at most.
const BATCH: u32 = 500;
/// Statements of one realm in one round: what is left waits for the next.
const BATCHES: usize = 20;
/// Tenants that one round looks at.
const TENANTS: usize = 50;

impl Platform {
    /// A round: removes what is older than sessions are kept, of a few tenants behind `after`. Gives the last one, none when it was through.
    pub async fn forget_history(&self, after: Option<TenantId>) -> Result<Option<TenantId>, RecordsError> {
        let Some(kept) = self.settings.history_kept else { return Ok(None) };
        let before = self.clock.now().minus(kept);
        let mut tenants: Vec<TenantId> =
            self.directory.tenants().iter().map(|config: &Arc<TenantConfig>| config.tenant.id).collect();
        tenants.retain(|tenant| after.is_none_or(|after| *tenant > after));
        tenants.sort_unstable();
        tenants.truncate(TENANTS);
        for &tenant in &tenants {
            for (keys, mode) in [(KeyKind::Live, Mode::Live), (KeyKind::Live, Mode::Sandbox), (KeyKind::Test, Mode::Sandbox)] {
                let realm = Realm { scope: Scope { tenant, keys }, mode };
                for _ in 0..BATCHES {
                    if self.records.forget_before(realm, before, BATCH).await? == 0 {
                        break;
                    }
                }
            }
        }
        Ok(tenants.last().copied().filter(|_| tenants.len() == TENANTS))
    }
}
