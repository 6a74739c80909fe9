//! Breaks an engine where a test says.

use std::sync::{Mutex, PoisonError};

use crate::store::faults::{FaultPoint, Faults};

/// Strikes once, at the n-th place of a kind.
#[derive(Debug, Default)]
pub struct Strike(Mutex<Option<(FaultPoint, usize)>>);

impl Strike {
    /// Strikes at the place of that kind that comes after `passed` others.
    pub fn arm(&self, point: FaultPoint, passed: usize) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((point, passed));
    }

    /// Stops waiting for its place. True when it had not struck.
    pub fn disarm(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().is_some()
    }
}

impl Faults for Strike {
    fn strikes(&self, point: FaultPoint) -> bool {
        let mut armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *armed {
            Some((at, 0)) if at == point => {
                *armed = None;
                true
            }
            Some((at, passed)) if at == point => {
                *armed = Some((at, passed - 1));
                false
            }
            _ => false,
        }
    }
}
