//! What follows when a message did not arrive, or nobody said that it did.

use std::sync::Arc;

use countersign_model::{Channel, MessageId, ReceiptFailover, Rehearsal, Report, Undelivered};
use countersign_session::store::{Lapse, StoreError};
use countersign_session::{Instead, Session, Turn};
use tracing::warn;

use crate::errand::errand;
use crate::message_metrics::Stage;
use crate::platform::Platform;
use crate::refusal::Refusal;
use crate::staging::rehearsal;

/// The word for metrics.
pub(super) const fn word(report: Report) -> &'static str {
    match report {
        Report::Underway => "underway",
        Report::Delivered => "delivered",
        Report::Undelivered(_) => "undelivered",
    }
}

impl Platform {
    /// Counts what a receipt changed.
    pub(super) fn count_receipt(&self, session: &Session, message: MessageId, report: Report) {
        let stage = match report {
            Report::Underway => return,
            Report::Delivered => Stage::Delivered,
            Report::Undelivered(_) => Stage::Undelivered,
        };
        for challenge in session.challenges().iter().filter(|challenge| challenge.message.id == message) {
            self.metrics.messages.stage(session, challenge, stage);
        }
    }

    /// Acts at once on a receipt that asks for it, in a task of its own. If this process dies first, the sweeper finds it.
    pub(super) fn follow_receipt(self: &Arc<Self>, session: &Session, message: MessageId) {
        let Some(channel) = session.awaited(message, self.clock.now()) else { return };
        let (platform, session) = (Arc::clone(self), session.clone());
        self.tasks.spawn(async move {
            if let Err(failure) = platform.instead(&session, message, channel).await {
                warn!(session = %session.id(), %failure, "nothing could follow a message that did not arrive; the sweeper will try");
            }
        });
    }

    /// Sends another message instead of `message`, through another provider or on the next channel, as the service wants it; gives up where
    /// nothing is left. Any number of nodes may ask: one of them gets the turn.
    pub(crate) async fn instead(
        self: &Arc<Self>,
        session: &Session,
        message: MessageId,
        channel: Channel,
    ) -> Result<(), StoreError> {
        let turn = self.turn_instead(session, message, channel);
        if let Some(by) = turn {
            match self.advance(None, session, Turn::Instead { of: message, by }).await {
                Ok((advanced, channels, codes)) => {
                    let (platform, id) = (Arc::clone(self), session.id());
                    self.tasks.spawn(async move {
                        if let Err(refusal) = platform.hand_over_again(advanced, channels, &codes, None).await {
                            warn!(session = %id, %refusal, "the message after one that did not arrive could not be handed over");
                        }
                    });
                    return Ok(());
                }
                Err(Refusal::Unavailable(failure)) => return Err(failure),
                // Verified, ended, or somebody else's turn; or no money: the wait is over either way.
                Err(_) => {}
            }
        }
        let lapse = Lapse { scope: session.scope(), session: session.id(), given_up: Some(message) };
        self.store.lapse(lapse).await.map(drop)
    }

    fn turn_instead(&self, session: &Session, message: MessageId, channel: Channel) -> Option<Instead> {
        let challenge =
            session.challenges().iter().find(|challenge| challenge.channel == channel && challenge.message.id == message)?;
        let reason = challenge.message.undelivered;
        let failover = session.policy().receipts.failover;
        let provider = challenge.message.attempt.provider().cloned();
        // Of a provider that never tells, silence says nothing, unless it is rehearsed.
        let is_rehearsed = rehearsal(session, &challenge.recipient) == Some(Rehearsal::Silent);
        if reason.is_none() && !is_rehearsed && provider.as_ref().is_some_and(|provider| !self.router.tells(provider)) {
            return None;
        }
        if failover == ReceiptFailover::Provider && reason != Some(Undelivered::NotThere) {
            let mut passed_over = session.passed_over(channel);
            passed_over.extend(provider);
            let errand = errand(session.scope(), session.id(), session.service(), &challenge.recipient, passed_over);
            if self.router.untried(session.mode(), channel, &errand) {
                return Some(Instead::Provider);
            }
        }
        let moves_on = failover != ReceiptFailover::None || reason.is_some();
        (moves_on && session.next_fallback().is_some()).then_some(Instead::Channel)
    }
}
