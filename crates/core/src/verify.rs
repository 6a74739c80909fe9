//! Decide, once and for all, whether guesses prove control of a recipient.

use countersign_session::store::{self, VerifyVerdict};
use countersign_session::{Guesses, Judgement, Session};

use crate::admission::{TRIES, Told};
use crate::callers::Caller;
use crate::idempotency::IdempotencyKey;
use crate::platform::Platform;
use crate::refusal::{About, Refusal};
use crate::status::{Handle, Named};

/// What a caller submits. Built by a dialect, which has read it already.
#[derive(Debug, Clone)]
pub struct Verify {
    /// How the wire named the session.
    pub handle: Handle,
    /// What was typed.
    pub guesses: Guesses,
    /// The idempotency key.
    pub idempotency: Option<IdempotencyKey>,
}

/// A verdict. The guesses may all have been wrong: that is no error.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The session, as the call left it.
    pub session: Session,
    /// What the guesses came to.
    pub judgement: Judgement,
    /// A signed statement for third parties, when the session is complete.
    pub proof: Option<String>,
    /// An earlier call with the same idempotency key was answered so.
    pub replayed: bool,
}

impl Platform {
    /// Counts the guesses, compares them, marks what they proved and logs it, in one store call.
    ///
    /// Safe to repeat and to race: of any number of right guesses one completes the session, and of any number of wrong ones no more are
    /// heard than the session allows.
    pub async fn verify(&self, caller: &Caller, command: Verify) -> Result<Verified, Refusal> {
        let Named { session, budgets, .. } = self.resolve(caller, &command.handle).await?;
        let step = self.step_id(caller.scope.tenant);
        let mut caller = caller.clone();
        for _ in 0..TRIES {
            let step = store::Verify {
                guard: Some(self.guard(&caller)),
                scope: caller.scope,
                session,
                step,
                budgets: budgets.clone(),
                guesses: command.guesses.clone(),
                spare_budget: false,
                claim: self.claim(&caller, None, command.idempotency.as_ref()),
            };
            match self.told(&caller, self.store.verify(step).await?).await? {
                Told::Verdict(verdict, replayed) => return self.judged(verdict, replayed),
                Told::Again(newer) => caller = newer,
            }
        }
        Err(Refusal::Unsettled)
    }

    fn judged(&self, verdict: VerifyVerdict, replayed: bool) -> Result<Verified, Refusal> {
        self.metrics.verdict(&verdict);
        if !replayed {
            self.metrics.messages.verdict(&verdict);
        }
        let (session, judgement) = heard(verdict)?;
        let proof = if judgement.session_verified { self.proofs.sign(&session) } else { Ok(None) };
        let proof = proof.map_err(|_| Refusal::Internal("the proof could not be signed"))?;
        Ok(Verified { session: *session, judgement, proof, replayed })
    }
}

pub(crate) fn heard(verdict: VerifyVerdict) -> Result<(Box<Session>, Judgement), Refusal> {
    let about = |session: Box<Session>| About::of(&session);
    Err(match verdict {
        VerifyVerdict::Judged(session, judgement, _) => return Ok((session, judgement)),
        VerifyVerdict::AlreadyVerified(session) => Refusal::AlreadyVerified(about(session)),
        VerifyVerdict::Canceled(session) => Refusal::Canceled(about(session)),
        VerifyVerdict::Expired(session) => Refusal::Expired(about(session)),
        VerifyVerdict::Locked(session) => Refusal::Locked(about(session)),
        VerifyVerdict::ChannelNotFound(session) => Refusal::ChannelNotFound(about(session)),
        VerifyVerdict::ChannelVerified(session) => Refusal::ChannelVerified(about(session)),
        VerifyVerdict::ChannelNeeded(session) => Refusal::ChannelNeeded(about(session)),
        VerifyVerdict::RecipientBlocked { session, wait, .. } => Refusal::RecipientBlocked { wait, about: Some(about(session)) },
        VerifyVerdict::Unknown => Refusal::Unknown,
    })
}
