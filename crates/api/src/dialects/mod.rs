//! Who speaks on which path. The owner of a path speaks for every method and every error on it.
//!
//! A new dialect is a folder beside `native` and one line in [`find`].

#![deny(clippy::wildcard_enum_match_arm)]

pub(crate) mod native;

use crate::dialects::native::Path;

/// The path, with the part of it that names something. None: nothing lives there, and native says so.
pub(crate) fn find(path: &str) -> Option<(Path, &str)> {
    native::find(path)
}
