//! What a dialect is: a way of speaking HTTP that translates into the verbs of `core` and back.
//!
//! A dialect is one [`Voice`]: which paths are its own, what their operations read, how a caller shows who it is, and how replies and failures
//! are printed. The order in which a call is checked is the same in every dialect and stands once, in [`Wire`]. To add one, write a
//! folder in `dialects` and name it in the list there.

mod edge;
mod voice;
mod wire;

pub use edge::Edge;
pub use voice::{Reads, Route, Voice};
pub use wire::{Answer, Wire};

pub use crate::body::{Body, BodyError};
pub use crate::call::{Call, Method};
pub use crate::limit_headers::retry_after;
