//! Idempotency keys: who holds one, and what it stands for once its call is answered.

use std::time::Duration;

use countersign_model::{Attempt, Channel, Scope};

use super::living;
use crate::code::Fingerprint;
use crate::session::{Context, Session};
use crate::store::StoreError;
use crate::store::rows::{Memo, MemoState, Rows};
use crate::store::verdicts::Reply;

/// How long an idempotency key is remembered.
const REPLY_KEPT: Duration = Duration::from_hours(24);

/// A call's claim on an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Tenant, mode, path and key.
    pub key: Fingerprint,
    /// The body.
    pub body: Fingerprint,
    /// How long the call may run before a repetition is answered with what it has done so far.
    pub lease: Duration,
}

/// What an idempotency key says to a call.
pub(super) enum Claimed {
    /// Nobody holds it.
    Free,
    /// The call that holds it is under way.
    Running,
    /// It was claimed with another body.
    Mismatch,
    /// It was answered; or the call that held it died, and this is what it had done.
    Answered(Reply),
}

pub(super) fn claimed(rows: &mut dyn Rows, claim: Option<Claim>, scope: Scope, cx: &Context<'_>) -> Result<Claimed, StoreError> {
    let Some(claim) = claim else { return Ok(Claimed::Free) };
    let Some(memo) = rows.memo(claim.key)?.filter(|memo| memo.forget_at > cx.now) else { return Ok(Claimed::Free) };
    if memo.body != claim.body {
        return Ok(Claimed::Mismatch);
    }
    match memo.state {
        MemoState::Answered(reply) => Ok(Claimed::Answered(reply)),
        MemoState::Running { lease_until, .. } if lease_until > cx.now => Ok(Claimed::Running),
        MemoState::Running { session, .. } => match living(rows, scope, session, cx)? {
            Some(session) => {
                let channels = session.pending_channels();
                Ok(Claimed::Answered(Reply::Sent(snapshot(&session), channels)))
            }
            None => Ok(Claimed::Free),
        },
    }
}

/// Holds the key while messages are handed over; answers at once when all are final already.
pub(super) fn claim_send(
    rows: &mut dyn Rows,
    claim: Option<Claim>,
    session: &Session,
    channels: Vec<Channel>,
    cx: &Context<'_>,
) -> Result<(), StoreError> {
    let Some(claim) = claim else { return Ok(()) };
    let sending = session.challenges().iter().any(|challenge| challenge.message.attempt == Attempt::Sending);
    if !sending {
        return answer(rows, claim, Reply::Sent(snapshot(session), channels), cx);
    }
    let state = MemoState::Running { session: session.id(), lease_until: cx.now.plus(claim.lease) };
    rows.put_memo(claim.key, &Memo { body: claim.body, state, forget_at: cx.now.plus(REPLY_KEPT) })
}

pub(super) fn answer(rows: &mut dyn Rows, claim: Claim, reply: Reply, cx: &Context<'_>) -> Result<(), StoreError> {
    let state = MemoState::Answered(reply);
    rows.put_memo(claim.key, &Memo { body: claim.body, state, forget_at: cx.now.plus(REPLY_KEPT) })
}

pub(super) fn snapshot(session: &Session) -> Box<Session> {
    Box::new(session.without_digests())
}
