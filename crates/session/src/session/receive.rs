//! What receipts say of messages, and what is to follow.

use countersign_model::{
    Attempt, Channel, EventKind, MessageId, MessageStatus, ProviderName, ReceiptFailover, ReceiptPolicy, Report, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Challenge, Message, Session};

/// Replaced messages of which a session still hears: the newest.
pub(super) const REPLACED_KEPT: usize = 4;

/// What a receipt says, and through whom it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard<'a> {
    pub(crate) message: MessageId,
    pub(crate) through: &'a ProviderName,
    pub(crate) report: Report,
    pub(crate) at: Option<Timestamp>,
    pub(crate) carrier: Option<&'a str>,
}

/// A message whose place another one took, and which may have gone out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Replaced {
    pub(super) id: MessageId,
    pub(super) channel: Channel,
    pub(super) status: MessageStatus,
    /// Who took it; none: that is not known.
    pub(super) provider: Option<ProviderName>,
    /// Whether its provider took it in vain: another message followed because of that, and the caller has asked for none since.
    pub(super) in_vain: bool,
}

impl Session {
    /// Takes a receipt in. None: it is about no message of this session, or came through somebody who did not take the message.
    pub(crate) fn receive(&mut self, heard: &Heard<'_>, now: Timestamp) -> Option<Vec<EventKind>> {
        let follows = self.follows();
        if let Some(challenge) = self.challenges.iter_mut().find(|challenge| challenge.message.id == heard.message) {
            let (channel, message) = (challenge.channel, &mut challenge.message);
            if !message.believes(heard.through) {
                return None;
            }
            let is_news = message.hear(heard, follows, now);
            return Some(if is_news { vec![heard.event(channel)] } else { Vec::new() });
        }
        let replaced = self.replaced.iter_mut().find(|replaced| replaced.id == heard.message)?;
        if replaced.provider.as_ref().is_some_and(|provider| provider != heard.through) {
            return None;
        }
        let (channel, after) = (replaced.channel, replaced.status.after(heard.report));
        if after == replaced.status {
            return Some(Vec::new());
        }
        replaced.status = after;
        // The code of a message in whose place another was tried is as good as the newest.
        if after == MessageStatus::Delivered && replaced.in_vain {
            self.give_up(|challenge| challenge.channel == channel);
        }
        Some(vec![heard.event(channel)])
    }

    /// Whether a message is being handed over.
    pub(crate) fn is_sending(&self, message: MessageId) -> bool {
        self.challenges.iter().any(|challenge| challenge.message.id == message && challenge.message.attempt == Attempt::Sending)
    }

    /// Whether anything can follow a message that did not arrive.
    pub(super) fn follows(&self) -> bool {
        self.policy.receipts.failover != ReceiptFailover::None || !self.fallback.is_empty()
    }

    /// Whether one more message may be tried in the place of another: as many as can be remembered.
    pub(super) fn may_retry(&self) -> bool {
        self.replaced.iter().filter(|replaced| replaced.in_vain).count() < REPLACED_KEPT
    }

    /// Writes down who took a replaced message, once that is known.
    pub(super) fn record_replaced(&mut self, message: MessageId, attempt: &Attempt) {
        let Some(replaced) = self.replaced.iter_mut().find(|replaced| replaced.id == message) else { return };
        match attempt {
            Attempt::Accepted { provider, .. } => {
                replaced.provider = Some(provider.clone());
                if replaced.status == MessageStatus::Pending {
                    replaced.status = MessageStatus::Sent;
                }
            }
            Attempt::Unclear { provider } => replaced.provider.clone_from(provider),
            Attempt::Failed(_) if replaced.status == MessageStatus::Pending => replaced.status = MessageStatus::Failed,
            Attempt::Sending | Attempt::Failed(_) => {}
        }
    }

    /// Keeps of a message whose place another takes what a receipt needs. What certainly did not go out is of no use.
    pub(super) fn keep_replaced(&mut self, channel: Channel, message: &Message, in_vain: bool) {
        if matches!(message.attempt, Attempt::Failed(_)) {
            return;
        }
        if self.replaced.len() == REPLACED_KEPT {
            self.replaced.remove(0);
        }
        let provider = message.taken_by().cloned();
        self.replaced.push(Replaced { id: message.id, channel, status: message.status, provider, in_vain });
    }

    /// Providers that took earlier messages of the channel in vain, as of the newest message: they need not be asked again. A resend that the
    /// caller asked for empties it.
    #[must_use]
    pub fn passed_over(&self, channel: Channel) -> Vec<ProviderName> {
        let mut providers = Vec::new();
        for replaced in self.replaced.iter().filter(|replaced| replaced.in_vain && replaced.channel == channel) {
            providers.extend(replaced.provider.clone().filter(|provider| !providers.contains(provider)));
        }
        providers
    }

    /// The channel of `message` when something is to follow it now: it is the newest there, its receipt is bad or missing, and the session can
    /// still use another.
    #[must_use]
    pub fn awaited(&self, message: MessageId, now: Timestamp) -> Option<Channel> {
        self.overdue(now).find(|(overdue, _)| *overdue == message).map(|(_, channel)| channel)
    }

    /// Messages that something is to follow now.
    pub(crate) fn overdue(&self, now: Timestamp) -> impl Iterator<Item = (MessageId, Channel)> {
        let open = self.is_open(now);
        let asked = self.challenges.iter().filter(move |challenge| open && challenge.verified_at.is_none());
        let overdue = asked.filter(move |challenge| challenge.message.follow_at.is_some_and(|at| at <= now));
        overdue.map(|challenge| (challenge.message.id, challenge.channel))
    }

    /// Nothing more follows a message. True where something would have.
    pub(crate) fn give_up_on(&mut self, message: MessageId) -> bool {
        self.give_up(|challenge| challenge.message.id == message)
    }

    fn give_up(&mut self, which: impl Fn(&Challenge) -> bool) -> bool {
        let mut waited = false;
        for challenge in self.challenges.iter_mut().filter(|challenge| which(challenge)) {
            waited |= challenge.message.follow_at.take().is_some();
        }
        waited
    }
}

impl Message {
    /// Who took it, as far as that is known.
    pub(super) const fn taken_by(&self) -> Option<&ProviderName> {
        match &self.attempt {
            Attempt::Accepted { provider, .. } | Attempt::Unclear { provider: Some(provider) } => Some(provider),
            Attempt::Sending | Attempt::Unclear { provider: None } | Attempt::Failed(_) => None,
        }
    }

    /// Whether a receipt that comes through `provider` can be about it.
    fn believes(&self, provider: &ProviderName) -> bool {
        !matches!(self.attempt, Attempt::Failed(_)) && self.taken_by().is_none_or(|taken_by| taken_by == provider)
    }

    /// Takes in what a receipt says. True when that is news. `follows`: something can follow a message that did not arrive.
    fn hear(&mut self, heard: &Heard<'_>, follows: bool, now: Timestamp) -> bool {
        let after = self.status.after(heard.report);
        if after == self.status {
            return false;
        }
        self.status = after;
        match heard.report {
            Report::Underway => {}
            Report::Delivered => {
                self.delivered_at = Some(heard.at.map_or(now, |at| at.min(now)));
                self.undelivered = None;
                self.carrier = heard.carrier.map(str::to_owned);
                self.follow_at = None;
            }
            Report::Undelivered(reason) => {
                self.undelivered = Some(reason);
                // While it is being handed over nobody may hand over another.
                self.follow_at = (follows && self.attempt != Attempt::Sending).then_some(now);
            }
        }
        true
    }
}

impl Challenge {
    /// What follows once its message is no longer being handed over. `follows`: something can follow a message that did not arrive.
    pub(super) fn await_receipt(&mut self, policy: ReceiptPolicy, follows: bool, now: Timestamp) {
        let (message, waits) = (&mut self.message, policy.failover != ReceiptFailover::None);
        message.follow_at = match (&message.attempt, message.undelivered) {
            (Attempt::Accepted { .. } | Attempt::Unclear { .. }, Some(_)) => follows.then_some(now),
            (Attempt::Accepted { .. }, None) if waits && message.status != MessageStatus::Delivered => {
                Some(now.plus(policy.waits.of(self.channel)))
            }
            (Attempt::Accepted { .. } | Attempt::Unclear { .. }, None) | (Attempt::Sending | Attempt::Failed(_), _) => None,
        };
    }
}

impl Heard<'_> {
    fn event(&self, channel: Channel) -> EventKind {
        let message = self.message;
        match self.report {
            Report::Undelivered(reason) => EventKind::MessageUndelivered { message, channel, reason },
            Report::Delivered | Report::Underway => {
                EventKind::MessageDelivered { message, channel, at: self.at, carrier: self.carrier.map(str::to_owned) }
            }
        }
    }
}
