//! From what a verb answered to the JSON of a reply.

pub(super) mod list;
pub(super) mod sender;
pub(super) mod template;
pub(super) mod verification;
pub(super) mod webhook;

use serde::Serialize;
use utoipa::ToSchema;

/// What every reply but an error is in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Envelope<T> {
    /// What was asked for.
    pub(super) data: T,
}
