//! One proof of control, from open to close.
//!
//! [`Session`] is a pure state machine: it knows no store, no wire and no clock of its own. A [`store`] runs its steps, each whole and
//! repeatable. Beside it stand the secrets that a session needs: code digests ([`CodeKeys`]), session tokens ([`SessionTokens`]) and
//! verification proofs ([`Proofs`]).

mod code;
mod guess;
mod keys;
mod proof;
mod session;
pub mod store;
mod subject;
mod token;
mod window;

pub use code::{CodeDigest, CodeKeys, CodeSource, Fingerprint, Seed, SubjectKey, SubjectKind};
pub use guess::{Guess, Guesses};
pub use keys::{InvalidKeys, KeyMaterial, KeyRole, Kid, StoredKey};
pub use proof::{Jwk, Jwks, ProofClaims, ProofError, Proofs};
pub use session::{
    Billing, Carried, Challenge, Delivery, GuessResult, Instead, Judgement, Message, Names, NewChallenge, NewSession,
    PlannedChannel, Session, SessionStatus, Turn,
};
pub use subject::BudgetRule;
pub use token::{InvalidToken, NamedSession, SessionTokens, TokenClaims};
pub use window::Window;
