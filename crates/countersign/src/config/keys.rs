use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[keys]`: the secrets that tokens, codes and proofs depend on. All nodes of an installation have the same.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// The key file; `keys.json` in the data directory when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}
