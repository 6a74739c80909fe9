//! The verbs that dialects other than the native one call, over a whole platform without a listener.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod catalogue;
mod checks;
mod gateway;
mod history;
mod house;
mod ladders;
mod languages;
mod meddler;
mod money;
mod posts;
mod sends;
mod slots;
