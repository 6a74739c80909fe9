//! The verbs: what a caller can ask of Countersign, one file each. A dialect parses, calls one verb, prints.

mod callers;
mod deliver;
mod directory;
mod idempotency;
mod metrics;
mod numbers;
mod plan;
mod platform;
mod refusal;
mod settings;

mod cancel;
mod resend;
mod send;
mod status;
mod sweep;
mod tasks;
mod verify;

pub use callers::{AuthError, Caller, Quota, mint_secret, secret_hash};
pub use countersign_channels::RenderError;
pub use countersign_session::store::{SessionFilter, StoreError};
pub use countersign_session::{Challenge, Guess, GuessResult, Guesses, Judgement, Jwk, Jwks, Message, Session, SessionStatus};
pub use directory::{Directory, Records};
pub use idempotency::IdempotencyKey;
pub use metrics::{HttpLabels, Metrics};
pub use platform::{Parts, Platform};
pub use refusal::{About, Refusal};
pub use resend::{Next, Resend};
pub use send::{Asked, Codes, Later, Send, SendError, Sent};
pub use settings::{LimitSettings, Settings};
pub use status::{Handle, Page};
pub use sweep::Swept;
pub use tasks::Tasks;
pub use verify::{Verified, Verify};
