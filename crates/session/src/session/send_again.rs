//! New codes for a session that is already open: a resend, or the turn of the next fallback channel.

use std::time::Duration;

use countersign_model::{Attempt, Channel, EventKind, MessageId, PerChannel, ProviderName, ResendPolicy, Timestamp};

use super::{BeforeResend, Challenge, Context, End, Message, PlannedChannel, Session, SessionStatus};
use crate::code::Seed;

/// What a further send brings along. The caller does not know the session's channels yet, so it has something for each.
#[derive(Debug, Clone)]
pub(crate) struct SendAgain<'a> {
    /// From which the codes are derived.
    pub(crate) seed: &'a Seed,
    /// A message id for every channel.
    pub(crate) messages: &'a PerChannel<MessageId>,
    /// The providers that are final at once.
    pub(crate) instant: &'a PerChannel<Option<ProviderName>>,
    /// How long handing over may take.
    pub(crate) lease: Duration,
}

/// Which fallback channel's turn is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Whichever is next.
    Next,
    /// This one's, and no other's.
    Of(Channel),
    /// The next one's, if its time has come.
    Due,
    /// Something in place of a message whose receipt is bad or missing, if it is still that message that something is to follow.
    Instead {
        /// The message.
        of: MessageId,
        /// What.
        by: Instead,
    },
}

/// What follows a message that did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// A new message and a new code for the same channel, beside the old ones. At most four in a send.
    Provider,
    /// The next fallback channel, unless something was sent after that message: its failure has been made up for.
    Channel,
}

/// Why nothing was sent again. It changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SendAgainRefusal {
    AlreadyVerified,
    Canceled,
    Locked,
    /// Too early: how long to wait.
    TooEarly(Duration),
    /// A named channel is not in the session.
    ChannelNotFound,
    /// A named channel was proved before.
    ChannelVerified,
    /// The codes are dead; only a resend helps.
    Expired,
    /// No channel is left whose turn it could be.
    NoFallback,
}

impl Session {
    /// New codes and a new expiry. Attempts start again; the recipients' failure budgets do not.
    pub(crate) fn resend(
        &mut self,
        channels: Option<&[Channel]>,
        again: &SendAgain<'_>,
        cx: &Context<'_>,
    ) -> Result<(Vec<Channel>, Vec<EventKind>), SendAgainRefusal> {
        self.refuse_ended()?;
        if self.attempts_remaining() == 0 && !self.policy.resend_unlocks {
            return Err(SendAgainRefusal::Locked);
        }
        if cx.now < self.resend_after {
            return Err(SendAgainRefusal::TooEarly(self.resend_after.since(cx.now)));
        }
        let chosen = self.chosen(channels)?;
        // One that is undecided still goes back, if it fails, to what was before it.
        self.before_resend = Some(match self.before_resend.take() {
            Some(before) => BeforeResend { wrong: before.wrong.saturating_add(self.wrong), ..before },
            None => BeforeResend { expires_at: self.expires_at, wrong: self.wrong },
        });
        self.generation += 1;
        self.wrong = 0;
        self.expiry_told = false;
        self.expires_at = cx.now.plus(self.policy.life);
        self.resend_after = cx.now.plus(self.policy.resend_after);
        self.fallback = self.fallback.iter().map(|planned| planned.starting(cx)).collect();
        self.hold_fee();
        for replaced in &mut self.replaced {
            replaced.in_vain = false;
        }
        let messages = chosen.iter().map(|channel| (*again.messages.get(*channel), *channel)).collect();
        let mut events = vec![EventKind::SessionResent { messages, expires_at: self.expires_at }];
        for channel in &chosen {
            self.renew(*channel, false, again, cx, &mut events);
        }
        self.capture_accepted(Some(&chosen), &mut events);
        if self.has_reached() {
            self.before_resend = None;
        }
        Ok((chosen, events))
    }

    /// Takes a turn, under the session's own expiry.
    pub(crate) fn advance(
        &mut self,
        turn: Turn,
        again: &SendAgain<'_>,
        cx: &Context<'_>,
    ) -> Result<(Vec<Channel>, Vec<EventKind>), SendAgainRefusal> {
        self.refuse_ended()?;
        match self.status(cx.now) {
            SessionStatus::Expired => return Err(SendAgainRefusal::Expired),
            SessionStatus::Locked => return Err(SendAgainRefusal::Locked),
            _ => {}
        }
        match turn {
            Turn::Instead { of, by: Instead::Provider } => return self.retry(of, again, cx),
            _ if self.fallback.is_empty() => return Err(SendAgainRefusal::NoFallback),
            Turn::Instead { of, by: Instead::Channel } => drop(self.give_up_on(of)),
            Turn::Next | Turn::Of(_) | Turn::Due => {}
        }
        let PlannedChannel { channel, recipient, budget, cost, .. } = self.fallback.remove(0);
        self.hold_fee();
        self.generation += 1;
        let instant = again.instant.get(channel).clone();
        let message = Message::begin(*again.messages.get(channel), self.generation, cost, instant, again.lease, cx);
        let mut challenge = Challenge { channel, recipient, message, verified_at: None, digests: Vec::new(), budget };
        let named = (!self.policy.shared_code).then_some(channel);
        let code = again.seed.code(self.id, named, self.generation, self.policy.code_length);
        challenge.digests.push(cx.keys.digest(self.id, channel, self.generation, &code, self.expires_at));
        let mut events = vec![EventKind::FallbackStarted { message: challenge.message.id, channel }];
        events.extend(challenge.outcome());
        self.challenges.push(challenge);
        self.capture_accepted(Some(&[channel]), &mut events);
        Ok((vec![channel], events))
    }

    /// One more message, with one more code, on the channel of a message that did not arrive.
    fn retry(
        &mut self,
        of: MessageId,
        again: &SendAgain<'_>,
        cx: &Context<'_>,
    ) -> Result<(Vec<Channel>, Vec<EventKind>), SendAgainRefusal> {
        let place = self.challenges.iter().find(|challenge| challenge.message.id == of);
        let (Some(channel), true) = (place.map(|challenge| challenge.channel), self.may_retry()) else {
            return Err(SendAgainRefusal::NoFallback);
        };
        self.hold_fee();
        self.generation += 1;
        let mut events = vec![EventKind::RetryStarted { message: *again.messages.get(channel), channel }];
        self.renew(channel, true, again, cx, &mut events);
        self.capture_accepted(Some(&[channel]), &mut events);
        Ok((vec![channel], events))
    }

    /// Whether the turn that is meant has not been taken yet. Where no fallback is left, that is for [`Session::advance`] to say.
    pub(crate) fn is_turn(&self, turn: Turn, now: Timestamp) -> bool {
        let next = self.fallback.first();
        match turn {
            Turn::Next => true,
            Turn::Of(channel) => next.is_none_or(|next| next.channel == channel),
            Turn::Due => next.is_none_or(|next| next.at <= now),
            Turn::Instead { of, by } => self.challenges.iter().any(|challenge| {
                let message = &challenge.message;
                let is_due = challenge.verified_at.is_none() && message.follow_at.is_some_and(|at| at <= now);
                message.id == of && is_due && (by == Instead::Provider || message.generation == self.generation)
            }),
        }
    }

    /// Gives up a turn that cannot be taken, or it would stay due.
    pub(crate) fn skip(&mut self, turn: Turn, now: Timestamp) {
        if let Turn::Instead { of, .. } = turn {
            self.give_up_on(of);
        }
        if !matches!(turn, Turn::Instead { by: Instead::Provider, .. }) {
            self.fallback.remove(0);
        }
        self.release_fee(now);
    }

    const fn refuse_ended(&self) -> Result<(), SendAgainRefusal> {
        match self.end {
            Some(End::Verified(_)) => Err(SendAgainRefusal::AlreadyVerified),
            Some(End::Canceled(_) | End::Failed(_) | End::Notice(_)) => Err(SendAgainRefusal::Canceled),
            None => Ok(()),
        }
    }

    /// The named channels, or all that are not proved.
    fn chosen(&self, channels: Option<&[Channel]>) -> Result<Vec<Channel>, SendAgainRefusal> {
        let Some(named) = channels else {
            return Ok(self.pending_channels());
        };
        for channel in named {
            match self.challenges.iter().find(|challenge| challenge.channel == *channel) {
                None => return Err(SendAgainRefusal::ChannelNotFound),
                Some(challenge) if challenge.verified_at.is_some() => return Err(SendAgainRefusal::ChannelVerified),
                Some(_) => {}
            }
        }
        Ok(named.to_vec())
    }

    /// A new message and a new code for one channel. What happens to the old code is the resend policy's to say; it stays when its message is
    /// believed to have been sent `in_vain`.
    fn renew(&mut self, channel: Channel, in_vain: bool, again: &SendAgain<'_>, cx: &Context<'_>, events: &mut Vec<EventKind>) {
        let (id, generation, expires_at, policy) = (self.id, self.generation, self.expires_at, self.policy);
        let code = again.seed.code(id, (!policy.shared_code).then_some(channel), generation, policy.code_length);
        let Some(place) = self.challenges.iter().position(|challenge| challenge.channel == channel) else { return };
        // Nobody will say what became of a message whose place is taken: it counts as one that may have gone out.
        let Message { id: old, cost, ref attempt, .. } = self.challenges[place].message;
        if *attempt == Attempt::Sending {
            self.capture(old, cost, events);
        }
        let replaced = self.challenges[place].message.clone();
        self.keep_replaced(channel, &replaced, in_vain);
        let challenge = &mut self.challenges[place];
        challenge.digests.retain(|digest| digest.expires_at > cx.now);
        // A message whose fate is unclear may yet arrive: its code stays whatever the policy.
        let may_arrive = matches!(challenge.message.attempt, Attempt::Unclear { .. } | Attempt::Sending);
        if policy.resend == ResendPolicy::Rotate && !may_arrive && !in_vain {
            for digest in &mut challenge.digests {
                digest.retiring = true;
            }
        }
        challenge.digests.push(cx.keys.digest(id, channel, generation, &code, expires_at));
        let instant = again.instant.get(channel).clone();
        if instant.is_some() {
            challenge.digests.retain(|digest| !digest.retiring);
        }
        challenge.message = Message::begin(*again.messages.get(channel), generation, cost, instant, again.lease, cx);
        events.extend(challenge.outcome());
    }
}
