//! How handing messages over ended.

use countersign_model::{
    AllFailed, Attempt, Channel, EventKind, FailureReason, MessageId, MessageStatus, Timestamp, VerificationMode,
};

use super::open::outcome_event;
use super::{Challenge, End, Session};

/// What a send came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Something went out, or may have.
    Sent,
    /// Nothing went out and another channel is due at once.
    NextFallback,
    /// Nothing went out and none is left. An opening send has closed its session, unless the service keeps such sessions.
    NothingSent,
}

impl Session {
    /// Writes outcomes down. One for a message that a later send has replaced settles nothing: it goes to the log.
    pub(crate) fn record(&mut self, outcomes: &[(MessageId, Channel, Attempt)], now: Timestamp) -> (Delivery, Vec<EventKind>) {
        let mut events = Vec::new();
        let keeps = self.policy.all_failed == AllFailed::Session;
        let (receipts, follows) = (self.policy.receipts, self.follows());
        let is_lost = self.is_lost_by(outcomes);
        for (message, channel, attempt) in outcomes {
            let current = self.challenges.iter_mut().find(|challenge| challenge.message.id == *message);
            match current {
                Some(challenge) if challenge.is_settled() => {}
                Some(challenge) => {
                    let (was_sending, cost) = (challenge.message.attempt == Attempt::Sending, challenge.message.cost);
                    challenge.settle(attempt, keeps, now);
                    challenge.await_receipt(receipts, follows, now);
                    events.extend(outcome_event(*message, *channel, attempt));
                    if was_sending && !is_lost && matches!(attempt, Attempt::Accepted { .. } | Attempt::Unclear { .. }) {
                        self.capture(*message, cost, &mut events);
                    }
                }
                None => {
                    self.record_replaced(*message, attempt);
                    events.extend(outcome_event(*message, *channel, attempt));
                }
            }
        }
        if !outcomes.is_empty() && outcomes.iter().all(|(message, ..)| !self.owes(*message)) {
            let failed = outcomes.iter().all(|(.., attempt)| matches!(attempt, Attempt::Failed(_)));
            self.release_fee(now);
            return (if failed { Delivery::NothingSent } else { Delivery::Sent }, events);
        }
        let delivery = self.delivery();
        if delivery == Delivery::NothingSent {
            self.nothing_sent(now, &mut events);
        } else if self.has_reached() {
            self.before_resend = None;
        }
        self.release_fee(now);
        (delivery, events)
    }

    /// What it would be after these outcomes: for an answer, when the store cannot be told at once.
    #[must_use]
    pub fn assuming(mut self, outcomes: &[(MessageId, Channel, Attempt)], now: Timestamp) -> (Self, Delivery) {
        let (delivery, _) = self.record(outcomes, now);
        (self, delivery)
    }

    /// Whether these outcomes close the session although something went out, since one of its channels is certainly out of reach and all are
    /// needed. Its caller hears that all failed and is charged nothing.
    fn is_lost_by(&self, outcomes: &[(MessageId, Channel, Attempt)]) -> bool {
        let closes = self.policy.verification_mode == VerificationMode::All
            && self.policy.all_failed == AllFailed::Error
            && self.end.is_none()
            && self.before_resend.is_none()
            && !self.is_retry();
        let is_newest = |message: MessageId| self.newest().any(|challenge| challenge.message.id == message);
        let mut refused = outcomes.iter().filter(|(.., attempt)| *attempt == Attempt::Failed(FailureReason::Refused));
        closes && refused.any(|(message, ..)| is_newest(*message))
    }

    /// Whether a message is the newest of its channel.
    fn owes(&self, message: MessageId) -> bool {
        self.challenges.iter().any(|challenge| challenge.message.id == message)
    }

    /// What the newest send came to. In `all` mode a channel that is certainly out of reach makes the rest worthless.
    pub(crate) fn delivery(&self) -> Delivery {
        let reached = self.newest().any(|challenge| !matches!(challenge.message.attempt, Attempt::Failed(_)));
        let refused = self.newest().any(|challenge| challenge.message.attempt == Attempt::Failed(FailureReason::Refused));
        let worthless = self.policy.verification_mode == VerificationMode::All && refused;
        if (reached && !worthless) || matches!(self.end, Some(End::Verified(_) | End::Canceled(_))) {
            Delivery::Sent
        } else if self.fallback.is_empty() {
            Delivery::NothingSent
        } else {
            Delivery::NextFallback
        }
    }

    /// Whether a message of the newest send went out, or may have. One that is still being handed over says nothing yet.
    pub(super) fn has_reached(&self) -> bool {
        self.newest().any(|challenge| matches!(challenge.message.attempt, Attempt::Accepted { .. } | Attempt::Unclear { .. }))
    }

    /// Whether the newest send is one more try on a channel whose earlier message may have arrived.
    fn is_retry(&self) -> bool {
        self.newest()
            .any(|challenge| self.replaced.iter().any(|replaced| replaced.in_vain && replaced.channel == challenge.channel))
    }

    /// A failed resend leaves things as they were, and so does a failed retry; a session of which nothing ever went out is over.
    fn nothing_sent(&mut self, now: Timestamp, events: &mut Vec<EventKind>) {
        if let Some(before) = self.before_resend.take() {
            self.expires_at = before.expires_at;
            self.wrong = before.wrong.saturating_add(self.wrong);
            return;
        }
        if self.is_retry() {
            return;
        }
        let reached = self.challenges.iter().any(|challenge| !matches!(challenge.message.attempt, Attempt::Failed(_)));
        let ever_reached = reached || self.replaced.iter().any(|replaced| replaced.in_vain);
        let worthless = self.policy.verification_mode == VerificationMode::All;
        if (worthless || !ever_reached) && self.policy.all_failed == AllFailed::Error && self.end.is_none() {
            self.close(End::Failed(now));
            events.push(EventKind::SessionFailed);
        }
    }
}

impl Challenge {
    /// Whether its message's outcome is known for certain.
    fn is_settled(&self) -> bool {
        matches!(self.message.attempt, Attempt::Accepted { .. } | Attempt::Failed(_))
    }

    /// Takes an outcome, and with it the fate of the codes: an accepted message retires the older ones, a failed one was never seen.
    ///
    /// `keeps`: the session is kept though nothing went out. Then so is the code that is the only one: who got it otherwise can use it.
    fn settle(&mut self, attempt: &Attempt, keeps: bool, now: Timestamp) {
        let generation = self.message.generation;
        self.message.attempt = attempt.clone();
        match attempt {
            Attempt::Sending | Attempt::Unclear { .. } => {}
            Attempt::Accepted { .. } => {
                // A receipt may have been quicker.
                if self.message.status == MessageStatus::Pending {
                    self.message.status = MessageStatus::Sent;
                }
                self.message.sent_at = Some(now);
                self.digests.retain(|digest| !digest.retiring);
            }
            Attempt::Failed(_) => {
                if self.message.status != MessageStatus::Delivered {
                    self.message.status = MessageStatus::Failed;
                }
                let is_only = self.digests.iter().all(|digest| digest.generation == generation);
                if !(keeps && is_only) {
                    self.digests.retain(|digest| digest.generation != generation);
                }
                for digest in &mut self.digests {
                    digest.retiring = false;
                }
            }
        }
    }
}
