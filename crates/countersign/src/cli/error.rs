use std::io;

use countersign_records::RecordsError;
use serde_json::Value;

use super::client::text;
use crate::app::AppError;
use crate::config::ConfigError;
use crate::installation::InstallationError;

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data directory cannot be used.
    #[error(transparent)]
    Installation(#[from] InstallationError),
    /// The records cannot be read or written.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// The server cannot start or broke off.
    #[error(transparent)]
    App(#[from] AppError),
    /// The key file holds keys that do not fit together.
    #[error("the key file cannot be used: put it back from a backup")]
    Keys(#[from] countersign_session::InvalidKeys),
    /// The session store is away, or refuses.
    #[error(transparent)]
    Store(#[from] countersign_session::store::StoreError),
    /// A change or a look came to nothing.
    #[error(transparent)]
    Manage(#[from] countersign_core::manage::ManageError),
    /// What was asked for makes no sense.
    #[error("{0}")]
    Usage(String),
    /// No HTTP client can be made on this machine.
    #[error("no HTTP client can be made: are there system certificates?")]
    Client {
        /// Why not.
        source: reqwest::Error,
    },
    /// The server does not answer.
    #[error("no answer from {url}: is the server running, and is --url right?")]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why not.
        source: reqwest::Error,
    },
    /// Something answers there, but not with JSON.
    #[error("{url} answered {status} without JSON: is this address a Countersign server?")]
    NotOurs {
        /// What was asked.
        url: String,
        /// What it answered.
        status: u16,
    },
    /// The server refused.
    #[error("the server refused with {status}: {} ({})", text(body, "message"), text(body, "code"))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The reply.
        body: Value,
    },
    /// Standard output, or the system around the process, failed.
    #[error("the system refused")]
    Io(#[from] io::Error),
}
