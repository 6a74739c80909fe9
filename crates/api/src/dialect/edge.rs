use countersign_core::Refusal;

use crate::body::BodyError;

/// What stops a call before its operation has looked at it. Every dialect has words of its own for each.
#[derive(Debug)]
pub enum Edge {
    /// Nothing lives at the path.
    NotFound,
    /// The path does not know the method.
    MethodNotAllowed {
        /// The methods that it knows, as `Allow` lists them.
        allow: String,
    },
    /// The body did not arrive, or is not what it must be.
    Body(BodyError),
    /// The key only reads, and the operation writes.
    ReadOnly,
    /// The key has no call left, or was revoked a moment ago: what counting the call came to.
    Refused(Refusal),
    /// A defect. The log has heard what it was.
    Internal,
}
