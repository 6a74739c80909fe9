//! Tenants and keys, all in memory, so that letting a caller in asks no database.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use countersign_model::{ApiKey, SecretHash};

/// What the directory is filled from: records as they stand in their database.
#[derive(Debug, Clone, Default)]
pub struct Records {
    /// Every key, the revoked ones too.
    pub keys: Vec<ApiKey>,
}

/// The records that requests need. Replaced whole when their database has changed.
#[derive(Default)]
pub struct Directory {
    keys: RwLock<Arc<HashMap<SecretHash, ApiKey>>>,
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Directory(…)")
    }
}

impl Directory {
    /// Filled from `records`.
    #[must_use]
    pub fn new(records: Records) -> Self {
        let directory = Self::default();
        directory.replace(records);
        directory
    }

    /// Takes over new records at once: a call that is being let in sees the old ones or the new ones, never a mixture.
    pub fn replace(&self, records: Records) {
        let keys = records.keys.into_iter().map(|key| (key.secret_hash, key)).collect();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// The key behind a secret's hash.
    pub(crate) fn key(&self, hash: &SecretHash) -> Option<ApiKey> {
        let keys = Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner));
        keys.get(hash).cloned()
    }
}
