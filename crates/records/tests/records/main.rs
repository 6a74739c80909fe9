//! What the records keep and who sees it, in a file and in a PostgreSQL alike.
#![expect(clippy::unwrap_used, reason = "a test ends where its arrangement fails")]

mod base;
mod configuration;
mod contacts;
mod file;
mod form;
mod idempotency;
mod keys;
mod operators;
mod server;
