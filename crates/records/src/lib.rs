//! Durable configuration records: tenants and their API keys, in SQL.
//!
//! Whatever a call needs at once is kept in memory by `core`, which reads it from here at start and again when
//! [`Records::data_version`] moves. Nothing here is on the path of a request.

mod api_keys;
mod error;
mod health;
mod pool;
mod tenants;

pub use api_keys::ApiKeys;
pub use error::RecordsError;
pub use health::{Health, check_file};
pub use pool::Records;
pub use tenants::Tenants;
