use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Channel, ContactId, TenantId, Timestamp};

/// A person that a tenant keeps. Has an e-mail address or a phone number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// Whose it is.
    pub tenant: TenantId,
    /// What everybody may change.
    pub fields: ContactFields,
    /// Channels on which a right code proved the address.
    pub verified_channels: Vec<Channel>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a caller says of a contact. Addresses are checked and normalised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactFields {
    /// The tenant's own name for it; unique in the tenant.
    pub external_id: Option<String>,
    /// Unique in the tenant.
    pub email: Option<String>,
    /// Unique in the tenant.
    pub phone: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// In which language it is written to, a BCP 47 tag; none: nobody says.
    pub locale: Option<String>,
    /// Labels.
    pub tags: Vec<String>,
    /// The tenant's JSON object, as text.
    pub custom_fields: String,
    /// The tenant's JSON object, as text.
    pub metadata: String,
    /// May it be written to, by channel; what is not listed may.
    pub preferences: BTreeMap<Channel, bool>,
    /// Whether the tenant still counts it among its contacts.
    pub is_active: bool,
}
