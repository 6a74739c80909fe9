use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Channel, ServiceId, TenantId, Timestamp};

/// A text of a tenant's own for one channel and language. Each change makes a new version; the newest is the one that is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// A UUID, which customers may bring along.
    pub id: Uuid,
    /// Whose it is.
    pub tenant: TenantId,
    /// The service whose messages it words; none: all of the tenant's that have none of their own.
    pub service: Option<ServiceId>,
    /// Where it is used.
    pub channel: Channel,
    /// BCP 47 tag of its language.
    pub locale: String,
    /// For people.
    pub name: String,
    /// The subject line; e-mail only.
    pub subject: Option<String>,
    /// The words, with `{{code}}` once at least; also `{{app}}` and `{{minutes}}`.
    pub body: String,
    /// Whether it is used only where a call chooses it, and never by itself.
    #[serde(default)]
    pub by_choice: bool,
    /// Counts its versions, from 1.
    pub version: u32,
    /// When this version was made.
    pub created_at: Timestamp,
}

/// A name or number that messages come from, registered for a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// A UUID, which customers may bring along.
    pub id: Uuid,
    /// Whose it is.
    pub tenant: TenantId,
    /// Where it is used.
    pub channel: Channel,
    /// What recipients see: an address, a number, or a name of 1 to 15 characters.
    pub value: String,
    /// When it was made.
    pub created_at: Timestamp,
}
