use serde::{Deserialize, Serialize};

use crate::{LimitRules, Money, Partition, PriceList, Rng, ServiceId, TenantId, Timestamp};

/// An owner of keys, services and sessions. What belongs to one is never seen by another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Carries the partition in which the tenant's sessions live.
    pub id: TenantId,
    /// For people: unique, used by the command line.
    pub name: String,
    /// Who answers for it.
    pub email: Option<String>,
    /// What its own customers' account page calls its plan.
    pub plan: String,
    /// What differs from the installation's settings.
    pub settings: TenantSettings,
    /// Counts the changes of the tenant and of its keys, services, templates and senders, from 1.
    pub revision: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The plan of a tenant that nobody named one for.
const PLAN: &str = "standard";

impl Tenant {
    /// A tenant with nothing of its own. Its partition is a fixed hash of its id, and read from the id for ever after.
    #[must_use]
    pub fn new(name: &str, now: Timestamp, rng: &dyn Rng) -> Self {
        let chance = TenantId::mint(now, rng, Partition::of(0)).bits();
        Self {
            id: TenantId::from_bits(chance | u128::from(Partition::hashed(chance).number())),
            name: name.to_owned(),
            email: None,
            plan: PLAN.to_owned(),
            settings: TenantSettings::default(),
            revision: 1,
            created_at: now,
        }
    }
}

/// What a tenant has of its own. What is left open, the installation's configuration decides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TenantSettings {
    /// Limits.
    pub limits: LimitRules,
    /// What its sends cost; none: the installation's prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prices: Option<PriceList>,
    /// Below this the tenant hears of a low balance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_balance: Option<Money>,
    /// The service of calls that name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_service: Option<ServiceId>,
}
