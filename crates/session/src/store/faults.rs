//! Where an engine may break in the middle of a step, so that a test can break it there.

/// A place at which an engine asks whether to break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultPoint {
    /// Just before a statement of a step runs, or just after it has run.
    Statement,
    /// Before what the steps wrote becomes lasting.
    Commit,
    /// It is lasting; nobody has been told yet.
    Reply,
}

/// Decides where an engine breaks. Outside tests it never does.
pub trait Faults: Send + Sync {
    /// Whether to break here.
    fn strikes(&self, point: FaultPoint) -> bool;
}

/// An engine that breaks only by itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NoFaults;

impl Faults for NoFaults {
    fn strikes(&self, _: FaultPoint) -> bool {
        false
    }
}
