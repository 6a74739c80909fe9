//! What a session costs its tenant, and what of that is settled.

use countersign_model::{Attempt, Channel, EventKind, MessageId, Money, Timestamp};
use serde::{Deserialize, Serialize};

use super::Session;

/// How a session is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billing {
    /// The verification fee: once a session, with its first accepted message.
    pub fee: Money,
    /// Below this the tenant hears that its balance is low.
    pub low_at: Option<Money>,
}

impl Billing {
    /// The same for what is not a verification.
    pub(super) const fn without_fee(self) -> Self {
        Self { fee: Money::ZERO, ..self }
    }
}

/// The prices under which a session was opened. A session that costs nobody anything has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bill {
    pub(super) terms: Billing,
    pub(super) state: Fee,
    /// What has left the balance for good.
    pub(super) captured: Money,
}

/// How far the verification fee is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Fee {
    /// Set aside: a message is, or may still be, on its way.
    Held,
    /// Taken for good.
    Captured,
    /// Given back, since nothing went out. A later send sets it aside again.
    Released,
}

/// How a session stands with its tenant's balance. What a step changes in it, it changes in the balance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Set aside for messages on their way.
    pub(crate) held: Money,
    /// Taken for good.
    pub(crate) captured: Money,
}

impl Bill {
    /// A bill whose fee is set aside.
    pub(crate) const fn new(terms: Billing) -> Self {
        Self { terms, state: Fee::Held, captured: Money::ZERO }
    }
}

impl Session {
    /// How it stands with the balance.
    pub(crate) fn tally(&self) -> Tally {
        let Some(bill) = &self.bill else { return Tally::default() };
        let sending = self.challenges.iter().filter(|challenge| challenge.message.attempt == Attempt::Sending);
        let messages: Money = sending.map(|challenge| challenge.message.cost).sum();
        let fee = if bill.state == Fee::Held { bill.terms.fee } else { Money::ZERO };
        Tally { held: messages + fee, captured: bill.captured }
    }

    /// Below what its tenant hears of a low balance.
    pub(crate) fn low_at(&self) -> Option<Money> {
        self.bill.as_ref().and_then(|bill| bill.terms.low_at)
    }

    /// What it has cost so far; none: it is not billed.
    #[must_use]
    pub fn cost(&self) -> Option<Money> {
        self.bill.as_ref().map(|bill| bill.captured)
    }

    /// Takes what was set aside for a message that was accepted, or may have been; the first takes the fee along.
    pub(super) fn capture(&mut self, message: MessageId, cost: Money, events: &mut Vec<EventKind>) {
        let Some(bill) = &mut self.bill else { return };
        let fee = if bill.state == Fee::Captured { Money::ZERO } else { bill.terms.fee };
        bill.state = Fee::Captured;
        bill.captured = bill.captured + fee + cost;
        let parts = [(None, fee), (Some(message), cost)].into_iter().filter(|(_, amount)| !amount.is_zero());
        events.extend(parts.map(|(message, amount)| EventKind::Captured { message, amount }));
    }

    /// Takes what was set aside for the messages of these channels (none: all) that were accepted as they were made.
    pub(super) fn capture_accepted(&mut self, channels: Option<&[Channel]>, events: &mut Vec<EventKind>) {
        let chosen = self.challenges.iter().filter(|challenge| channels.is_none_or(|some| some.contains(&challenge.channel)));
        let accepted = chosen.filter(|challenge| challenge.message.attempt != Attempt::Sending);
        let accepted: Vec<_> = accepted.map(|challenge| (challenge.message.id, challenge.message.cost)).collect();
        for (message, cost) in accepted {
            self.capture(message, cost, events);
        }
    }

    /// Sets the fee aside again if it was given back: another message is about to go out.
    pub(super) fn hold_fee(&mut self) {
        if let Some(bill) = self.bill.as_mut().filter(|bill| bill.state == Fee::Released) {
            bill.state = Fee::Held;
        }
    }

    /// Gives the fee back once no message is on its way and none will follow by itself.
    pub(super) fn release_fee(&mut self, now: Timestamp) {
        let sending = self.challenges.iter().any(|challenge| challenge.message.attempt == Attempt::Sending);
        let more_to_come = self.end.is_none() && now < self.expires_at && !self.fallback.is_empty();
        if let Some(bill) = self.bill.as_mut().filter(|bill| bill.state == Fee::Held && !sending && !more_to_come) {
            bill.state = Fee::Released;
        }
    }
}
