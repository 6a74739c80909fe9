use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

/// Where the records are.
#[derive(Debug, Clone)]
pub enum Place {
    /// A file of this machine: `SQLite`.
    File(PathBuf),
    /// A PostgreSQL, `postgres://…`; `sslmode` and its kin decide about TLS. Secret: it may hold a password.
    Url(SecretString),
}

impl From<&Path> for Place {
    fn from(file: &Path) -> Self {
        Self::File(file.to_owned())
    }
}

impl From<&PathBuf> for Place {
    fn from(file: &PathBuf) -> Self {
        Self::File(file.clone())
    }
}

/// How many connections to a PostgreSQL there are, and how long anybody waits. A file decides both for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolOptions {
    /// The most connections of this process.
    pub connections: u32,
    /// How long a call waits for a free or a new connection.
    pub acquire_timeout: Duration,
    /// How long the database works on one statement. Migrations take as long as they take.
    pub statement_timeout: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self { connections: 10, acquire_timeout: Duration::from_secs(3), statement_timeout: Duration::from_secs(15) }
    }
}
