//! Who speaks on which path.
//!
//! The owner of a path speaks for every method and every error on it. A new dialect is a folder beside `native` and one line in [`ALL`].

#![deny(clippy::wildcard_enum_match_arm)]

pub(crate) mod antryk;
pub(crate) mod getotp;
pub(crate) mod kotp;
pub(crate) mod native;

use actix_web::http::header::HeaderMap;

use self::antryk::Antryk;
use self::getotp::GetOtp;
use self::kotp::Kotp;
use self::native::Native;
use crate::dialect::Wire;

/// Every dialect. Where several would speak, the first does.
pub(crate) const ALL: [&dyn Wire; 4] = [&Antryk, &GetOtp, &Native, &Kotp];

/// The dialect that speaks on `path`: the one whose it is, else one that takes it in, else our own.
pub(crate) fn speaker<'w>(wires: &[&'w dyn Wire], path: &str, headers: &HeaderMap) -> &'w dyn Wire {
    let owner = wires.iter().find(|wire| wire.owns(path, headers));
    let adopter = || wires.iter().find(|wire| wire.adopts(path, headers));
    owner.or_else(adopter).copied().unwrap_or(&Native)
}

#[cfg(test)]
mod tests;
