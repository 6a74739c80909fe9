//! What the projector and the workers keep, on both databases.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../records/base.rs"]
#[expect(dead_code, reason = "shared with the tests of the other records, which use more of it")]
mod base;
mod cursors;
mod ledger;
mod lists;
mod webhooks;
