//! From what a store heard to what a caller is told: admitted, turned away, or asked again with newer records.

use countersign_session::store::{Answer, Heard};
use tracing::warn;

use crate::callers::Caller;
use crate::platform::Platform;
use crate::refusal::Refusal;

/// How often a call may find that its node knows too old records.
pub(crate) const TRIES: usize = 4;

/// What a step came to for its caller.
pub(crate) enum Told<V> {
    /// This, and whether it is an earlier call's answer.
    Verdict(V, bool),
    /// Nothing: the tenant's records have changed. The step is to be planned anew for this caller.
    Again(Caller),
}

impl Platform {
    /// Reads what a store heard, and notes where the caller's key stands.
    pub(crate) async fn told<V: Send>(&self, caller: &Caller, heard: Heard<V>) -> Result<Told<V>, Refusal> {
        caller.stands(heard.quota);
        match heard.answer {
            Answer::Fresh(verdict) => Ok(Told::Verdict(verdict, false)),
            Answer::Replayed(verdict) => Ok(Told::Verdict(verdict, true)),
            Answer::Running => Err(Refusal::IdempotencyRunning),
            Answer::Mismatch => Err(Refusal::IdempotencyMismatch),
            Answer::Revoked => Err(Refusal::KeyRevoked),
            Answer::TooManyCalls => {
                let wait = heard.quota.map_or(self.settings.limits.calls_per_key.window, |quota| quota.resets_in);
                Err(Refusal::TooManyCalls { wait })
            }
            Answer::Stale { revision } => {
                // While the records are away the old ones stay in force; a key that was revoked is refused by the store itself.
                if let Err(failure) = self.refresh_for_call().await {
                    warn!(%failure, "newer records cannot be read; the known ones stay in force");
                }
                self.again(caller, revision).map(Told::Again).ok_or(Refusal::KeyRevoked)
            }
        }
    }

    /// Counts a call that takes no step of its own, and gives its caller by the newest records.
    pub async fn admit(&self, caller: &Caller) -> Result<Caller, Refusal> {
        let mut caller = caller.clone();
        for _ in 0..TRIES {
            let heard = self.store.admit(self.guard(&caller)).await?;
            match self.told(&caller, heard).await? {
                Told::Verdict((), _) => return Ok(caller),
                Told::Again(newer) => caller = newer,
            }
        }
        Err(Refusal::Unsettled)
    }
}
