//! Making API keys: see [`countersign_core::manage`].

pub use countersign_core::manage::{KeyOrder, NewKey};
