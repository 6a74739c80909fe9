//! Decide, once and for all, whether guesses prove control of a recipient.

use countersign_session::store::{self, Answer, VerifyVerdict};
use countersign_session::{Guesses, Judgement, Session};

use crate::callers::Caller;
use crate::idempotency::IdempotencyKey;
use crate::platform::Platform;
use crate::refusal::Refusal;
use crate::status::Handle;

/// What a caller submits. Built by a dialect, which has read it already.
#[derive(Debug, Clone)]
pub struct Verify {
    /// How the wire named the session.
    pub handle: Handle,
    /// What was typed. Never empty.
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
        let session = self.resolve(&command.handle)?;
        let step = store::Verify {
            scope: caller.scope,
            session,
            step: self.step_id(caller.scope.tenant),
            guesses: command.guesses,
            claim: self.claim(caller, None, command.idempotency.as_ref()),
        };
        let (verdict, replayed) = match self.store.verify(step).await? {
            Answer::Fresh(verdict) => (verdict, false),
            Answer::Replayed(verdict) => (verdict, true),
            Answer::Running => return Err(Refusal::IdempotencyRunning),
            Answer::Mismatch => return Err(Refusal::IdempotencyMismatch),
        };
        self.metrics.verdict(&verdict);
        let (session, judgement) = heard(verdict)?;
        let proof = if judgement.session_verified { self.proofs.sign(&session) } else { Ok(None) };
        let proof = proof.map_err(|_| Refusal::Internal("the proof could not be signed"))?;
        Ok(Verified { session: *session, judgement, proof, replayed })
    }
}

fn heard(verdict: VerifyVerdict) -> Result<(Box<Session>, Judgement), Refusal> {
    let left = |session: Box<Session>| session.attempts_remaining();
    Err(match verdict {
        VerifyVerdict::Judged(session, judgement) => return Ok((session, judgement)),
        VerifyVerdict::AlreadyVerified(session) => Refusal::AlreadyVerified { attempts_remaining: left(session) },
        VerifyVerdict::Canceled(session) => Refusal::Canceled { attempts_remaining: left(session) },
        VerifyVerdict::Expired(session) => Refusal::Expired { attempts_remaining: left(session) },
        VerifyVerdict::Locked(_) => Refusal::Locked,
        VerifyVerdict::ChannelNotFound(session) => Refusal::ChannelNotFound { attempts_remaining: left(session) },
        VerifyVerdict::ChannelVerified(session) => Refusal::ChannelVerified { attempts_remaining: left(session) },
        VerifyVerdict::ChannelNeeded(session) => Refusal::ChannelNeeded { attempts_remaining: left(session) },
        VerifyVerdict::RecipientBlocked { wait, .. } => Refusal::RecipientBlocked { wait },
        VerifyVerdict::Unknown => Refusal::Unknown,
    })
}
