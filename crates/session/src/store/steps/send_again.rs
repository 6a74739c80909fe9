//! New codes for an open session: a resend, or the turn of the next fallback channel.

use std::time::Duration;

use countersign_model::{Channel, LimitName, MessageId, PerChannel, ProviderName, Scope, SessionId, StepId};

use super::account::{Funds, funds};
use super::claims::{Claim, Claimed, claim_send, claimed};
use super::counts::{SendLimits, Sending, blocked};
use super::guard::{Admission, Guard, admit};
use super::{Step, asked, finish};
use crate::code::Seed;
use crate::session::{Context, Done, SendAgain, SendAgainRefusal, Session, Turn};
use crate::store::StoreError;
use crate::store::rows::Rows;
use crate::store::verdicts::{Answer, Heard, Reply, SendAgainVerdict};

/// Makes new codes. Brings something for every channel, since only the store knows the session's.
#[derive(Debug, Clone)]
pub struct Resend {
    /// Who asks.
    pub guard: Guard,
    /// Who may see the session.
    pub scope: Scope,
    /// The session.
    pub session: SessionId,
    /// This step's id.
    pub step: StepId,
    /// Which channels; none: all that are not proved.
    pub channels: Option<Vec<Channel>>,
    /// From which the codes are derived.
    pub seed: Seed,
    /// Ids for the messages.
    pub messages: PerChannel<MessageId>,
    /// Providers that are final at once.
    pub instant: PerChannel<Option<ProviderName>>,
    /// How long handing over may take.
    pub lease: Duration,
    /// What it counts against.
    pub limits: SendLimits,
    /// The idempotency key it claims.
    pub claim: Option<Claim>,
}

/// Opens the next fallback channel, or tries a channel once more. Part of the send that the session began with: it counts against no limit.
#[derive(Debug, Clone)]
pub struct Advance {
    /// Who asks; none: its time has come, or the channel before it failed.
    pub guard: Option<Guard>,
    /// Who may see the session.
    pub scope: Scope,
    /// The session.
    pub session: SessionId,
    /// This step's id.
    pub step: StepId,
    /// Whose turn is meant. If that has been taken meanwhile, nothing happens.
    pub turn: Turn,
    /// From which the code is derived.
    pub seed: Seed,
    /// Ids for the message.
    pub messages: PerChannel<MessageId>,
    /// Providers that are final at once.
    pub instant: PerChannel<Option<ProviderName>>,
    /// How long handing over may take.
    pub lease: Duration,
}

impl Step for Resend {
    type Verdict = Heard<SendAgainVerdict>;

    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Self::Verdict, StoreError> {
        let found = asked(rows, self.scope, self.session, cx)?;
        if let Some(sent) = sent_before(found.as_ref(), self.step) {
            return Ok(Heard { quota: None, answer: Answer::Fresh(sent) });
        }
        match admit(rows, Some(&self.guard), cx)? {
            Admission::In(quota) => Ok(Heard { quota, answer: self.decide(found, rows, cx)? }),
            Admission::Out(out) => Ok(out.heard()),
        }
    }
}

impl Step for Advance {
    type Verdict = Heard<SendAgainVerdict>;

    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Self::Verdict, StoreError> {
        let found = asked(rows, self.scope, self.session, cx)?;
        if let Some(sent) = sent_before(found.as_ref(), self.step) {
            return Ok(Heard { quota: None, answer: Answer::Fresh(sent) });
        }
        match admit(rows, self.guard.as_ref(), cx)? {
            Admission::In(quota) => Ok(Heard { quota, answer: Answer::Fresh(self.decide(found, rows, cx)?) }),
            Admission::Out(out) => Ok(out.heard()),
        }
    }
}

/// What this very step did when it was taken before.
fn sent_before(found: Option<&Session>, step: StepId) -> Option<SendAgainVerdict> {
    let session = found?;
    match session.recall(step)? {
        Done::Sent(channels) => Some(SendAgainVerdict::Sent(Box::new(session.clone()), channels.clone())),
        Done::Plain | Done::Judged(_) => None,
    }
}

impl Resend {
    fn decide(
        &self,
        found: Option<Session>,
        rows: &mut dyn Rows,
        cx: &Context<'_>,
    ) -> Result<Answer<SendAgainVerdict>, StoreError> {
        let Some(mut session) = found else { return Ok(Answer::Fresh(SendAgainVerdict::Unknown)) };
        match claimed(rows, self.claim, self.scope, cx)? {
            Claimed::Free => {}
            Claimed::Running => return Ok(Answer::Running),
            Claimed::Answered(Reply::Sent(session, channels)) => {
                return Ok(Answer::Replayed(SendAgainVerdict::Sent(session, channels)));
            }
            Claimed::Answered(Reply::Judged(..) | Reply::Canceled(_)) | Claimed::Mismatch => return Ok(Answer::Mismatch),
        }
        let untouched = session.clone();
        let again = SendAgain { seed: &self.seed, messages: &self.messages, instant: &self.instant, lease: self.lease };
        let (channels, events) = match session.resend(self.channels.as_deref(), &again, cx) {
            Ok(sent) => sent,
            Err(refusal) => return Ok(Answer::Fresh(not_sent(untouched, refusal))),
        };
        if let Some((channel, wait)) = blocked(rows, session.budgets_of(&channels), cx)? {
            let session = Box::new(untouched);
            return Ok(Answer::Fresh(SendAgainVerdict::RecipientBlocked { session, channel, wait }));
        }
        let users = session.users().to_vec();
        let sending = Sending { limits: &self.limits, users: &users, scope: self.scope, session: session.id() };
        let room = match sending.room(rows, cx)? {
            Ok(room) => room,
            Err((limit, wait)) => {
                let session = Box::new(untouched);
                return Ok(Answer::Fresh(SendAgainVerdict::Limited { session, limit, wait }));
            }
        };
        let funds = funds(rows, untouched.tally(), &session)?;
        if matches!(funds, Funds::Short) {
            return Ok(Answer::Fresh(SendAgainVerdict::InsufficientBalance(Box::new(untouched))));
        }
        sending.count(room, session.expires_at(), rows, cx)?;
        session.remember(self.step, Done::Sent(channels.clone()));
        finish(rows, &mut session, funds, events, cx)?;
        claim_send(rows, self.claim, &session, channels.clone(), cx)?;
        Ok(Answer::Fresh(SendAgainVerdict::Sent(Box::new(session), channels)))
    }
}

impl Advance {
    fn decide(&self, found: Option<Session>, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<SendAgainVerdict, StoreError> {
        let Some(mut session) = found else { return Ok(SendAgainVerdict::Unknown) };
        if !session.is_turn(self.turn, cx.now) {
            return Ok(SendAgainVerdict::NoFallback(Box::new(session)));
        }
        let untouched = session.clone();
        let again = SendAgain { seed: &self.seed, messages: &self.messages, instant: &self.instant, lease: self.lease };
        let (channels, events) = match session.advance(self.turn, &again, cx) {
            Ok(sent) => sent,
            Err(refusal) => return Ok(not_sent(untouched, refusal)),
        };
        if let Some((channel, wait)) = blocked(rows, session.budgets_of(&channels), cx)? {
            let session = turn_over(untouched, self.turn, rows, cx)?;
            return Ok(SendAgainVerdict::RecipientBlocked { session, channel, wait });
        }
        let funds = funds(rows, untouched.tally(), &session)?;
        if matches!(funds, Funds::Short) {
            return Ok(SendAgainVerdict::InsufficientBalance(turn_over(untouched, self.turn, rows, cx)?));
        }
        session.remember(self.step, Done::Sent(channels.clone()));
        finish(rows, &mut session, funds, events, cx)?;
        Ok(SendAgainVerdict::Sent(Box::new(session), channels))
    }
}

/// Nothing can be sent. The turn is over all the same, or it would stay due.
fn turn_over(mut session: Session, turn: Turn, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Box<Session>, StoreError> {
    let before = session.tally();
    session.skip(turn, cx.now);
    let funds = funds(rows, before, &session)?;
    finish(rows, &mut session, funds, Vec::new(), cx)?;
    Ok(Box::new(session))
}

fn not_sent(session: Session, refusal: SendAgainRefusal) -> SendAgainVerdict {
    let session = Box::new(session);
    match refusal {
        SendAgainRefusal::AlreadyVerified => SendAgainVerdict::AlreadyVerified(session),
        SendAgainRefusal::Canceled => SendAgainVerdict::Canceled(session),
        SendAgainRefusal::Locked => SendAgainVerdict::Locked(session),
        SendAgainRefusal::Expired => SendAgainVerdict::Expired(session),
        SendAgainRefusal::TooEarly(wait) => SendAgainVerdict::Limited { session, limit: LimitName::ResendAfter, wait },
        SendAgainRefusal::ChannelNotFound => SendAgainVerdict::ChannelNotFound(session),
        SendAgainRefusal::ChannelVerified => SendAgainVerdict::ChannelVerified(session),
        SendAgainRefusal::NoFallback => SendAgainVerdict::NoFallback(session),
    }
}
