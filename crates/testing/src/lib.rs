//! Private servers for tests: real ones, on the loopback, gone when the test or the run is over.
//!
//! Nothing here is part of the product. Every helper panics with a sentence where something is not as a test needs it.

#![expect(clippy::expect_used, reason = "what goes wrong in a test ends it")]
#![expect(clippy::missing_panics_doc, reason = "every helper of a test panics where something is not as expected")]

mod postgres;
mod process;
pub mod redis;
mod shared;

pub use postgres::{PostgresDatabase, PostgresOptions, PostgresServer, SharedPostgres};
