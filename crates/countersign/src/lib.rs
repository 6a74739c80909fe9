//! The composition root: configuration, the parts put together, the workers, the command line.
//!
//! [`app::App`] is a whole server, for the binary and for tests alike.

pub mod app;
pub mod cli;
pub mod config;
pub mod telemetry;

mod data_dir;
mod first_start;
mod installation;
mod planes;
mod secrets;
mod server;
pub mod setup;
mod workers;

pub use countersign_core::manage::{KeyOrder, NewKey};
pub use data_dir::{DataDir, DataDirError, ServeLock, SetupLock};
pub use first_start::{FirstStart, Greeting};
pub use installation::{DEFAULT_TENANT, Installation, InstallationError};
pub use secrets::KeyFileError;
