//! Chance as an argument, so that a test can repeat what happened.

use std::sync::Mutex;

/// A source of unpredictable bytes. Whoever mints a code, a key or an id takes one as an argument.
pub trait Rng: Send + Sync {
    /// Fills `buffer` whole.
    fn fill(&self, buffer: &mut [u8]);
}

/// The operating system's generator: the only source used outside tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRng;

impl Rng for OsRng {
    /// # Panics
    /// When the operating system has no randomness to give: going on would mean predictable codes.
    #[expect(clippy::disallowed_methods, reason = "the one place where chance comes from")]
    #[expect(clippy::expect_used, reason = "without entropy no code, key or id may be made")]
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the operating system gives randomness");
    }
}

/// A repeatable stream for tests (`SplitMix64`). Predictable, so never a source of secrets.
#[derive(Debug)]
pub struct SeededRng(Mutex<u64>);

impl SeededRng {
    /// The same seed gives the same bytes.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Rng for SeededRng {
    fn fill(&self, buffer: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in buffer.chunks_mut(8) {
            *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut word = *state;
            word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            word ^= word >> 31;
            chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
        }
    }
}
