//! From the log to the records, and from there to subscribers: on both databases.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod bench;
mod fair;
mod formats;
mod money;
mod receiver;
mod scripted;
mod setbacks;
mod stories;
mod subscribers;
mod worker;
