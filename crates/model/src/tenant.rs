use serde::{Deserialize, Serialize};

use crate::TenantId;

/// An owner of keys, services and sessions. What belongs to one is never seen by another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Carries the partition in which the tenant's sessions live.
    pub id: TenantId,
    /// For people: unique, used by the command line.
    pub name: String,
}
