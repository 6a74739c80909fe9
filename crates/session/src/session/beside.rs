//! What a session was not kept with at first. It lies behind the rest, and only where there is some: what an earlier release wrote is read
//! without it, and an earlier release reads over it.

use countersign_model::{ReceiptPolicy, Timestamp, Undelivered};
use serde::{Deserialize, Serialize};

use super::{Message, Replaced, Session};

/// The later part of a session that was taken apart to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Beside {
    receipts: ReceiptPolicy,
    /// Of each message, in the order of the channels: why it did not arrive, when another is to follow, who carried it.
    messages: Vec<(Option<Undelivered>, Option<Timestamp>, Option<String>)>,
    replaced: Vec<Replaced>,
}

impl Session {
    /// What its serial form lacks; none where that is nothing.
    pub(crate) fn beside(&self) -> Option<Beside> {
        let kept = |message: &Message| (message.undelivered, message.follow_at, message.carrier.clone());
        let messages = self.challenges.iter().map(|challenge| kept(&challenge.message));
        let beside = Beside { receipts: self.policy.receipts, messages: messages.collect(), replaced: self.replaced.clone() };
        let says = beside.receipts != ReceiptPolicy::default()
            || !beside.replaced.is_empty()
            || beside.messages.iter().any(|message| *message != (None, None, None));
        says.then_some(beside)
    }

    /// Puts it back.
    pub(crate) fn with_beside(mut self, beside: Beside) -> Self {
        self.policy.receipts = beside.receipts;
        for (challenge, (undelivered, follow_at, carrier)) in self.challenges.iter_mut().zip(beside.messages) {
            challenge.message.undelivered = undelivered;
            challenge.message.follow_at = follow_at;
            challenge.message.carrier = carrier;
        }
        self.replaced = beside.replaced;
        self
    }
}
