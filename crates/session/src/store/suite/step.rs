//! Steps of every kind, for sentences that hold for all of them.

use std::fmt::Debug;
use std::sync::Arc;

use crate::store::{Advance, Cancel, Lapse, Open, Record, Resend, SessionStore, StoreError, Verify};

/// A step of any kind.
#[derive(Debug, Clone)]
pub(super) enum AnyStep {
    Open(Open),
    Record(Record),
    Verify(Verify),
    Resend(Resend),
    Advance(Advance),
    Cancel(Cancel),
    Lapse(Lapse),
}

impl AnyStep {
    /// Takes it, and tells what came of it in words.
    pub(super) async fn take(&self, store: &Arc<dyn SessionStore>) -> Result<String, StoreError> {
        fn told(verdict: impl Debug) -> String {
            format!("{verdict:#?}")
        }
        match self.clone() {
            Self::Open(step) => store.open(step).await.map(told),
            Self::Record(step) => store.record(step).await.map(told),
            Self::Verify(step) => store.verify(step).await.map(told),
            Self::Resend(step) => store.resend(step).await.map(told),
            Self::Advance(step) => store.advance(step).await.map(told),
            Self::Cancel(step) => store.cancel(step).await.map(told),
            Self::Lapse(step) => store.lapse(step).await.map(told),
        }
    }
}
