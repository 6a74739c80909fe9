//! Who the caller is, and what it can still spend.

use countersign_model::{Money, Tenant};

use crate::callers::Caller;
use crate::platform::Platform;
use crate::refusal::Refusal;

/// What a tenant is told of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The tenant.
    pub tenant: Tenant,
    /// What sends can still be paid from; none where nobody is billed.
    pub available: Option<Money>,
}

impl Platform {
    /// The caller's own tenant.
    pub async fn account(&self, caller: &Caller) -> Result<Account, Refusal> {
        let caller = self.admit(caller).await?;
        let available = match self.settings.billing {
            Some(_) => Some(self.store.balance(caller.scope.tenant).await?.available()),
            None => None,
        };
        Ok(Account { tenant: caller.config.tenant.clone(), available })
    }

    /// What amounts are in: the billing's currency, else `USD`.
    #[must_use]
    pub fn currency(&self) -> &str {
        self.settings.billing.as_ref().map_or("USD", |billing| &billing.currency)
    }
}
