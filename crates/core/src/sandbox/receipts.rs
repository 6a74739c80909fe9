//! Receipts of messages that nobody carries: kept in this process until their time, then taken in like any provider's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_model::{Attempt, Channel, MessageId, ProviderName, Reference, Report, Timestamp};
use countersign_session::Session;
use countersign_session::store::ParkedReceipt;
use tracing::warn;

use super::outcome;
use crate::platform::Platform;

/// Receipts that wait at most: beyond it, messages stay without one.
const MOST: usize = 10_000;

/// What is to come. It does not outlive the process: the sandbox owes nobody a receipt.
#[derive(Debug, Default)]
pub(crate) struct Rehearsed {
    /// By when, and in the order of their messages.
    due: Mutex<BTreeMap<(Timestamp, MessageId), Due>>,
}

#[derive(Debug)]
struct Due {
    of: Reference,
    through: ProviderName,
    report: Report,
}

impl Rehearsed {
    fn keep(&self, at: Timestamp, receipt: Due) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if due.len() < MOST {
            due.insert((at, receipt.of.message), receipt);
        }
    }

    fn next(&self, now: Timestamp) -> Option<(Timestamp, Due)> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let first = due.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((at, _), receipt) = first.remove_entry();
        Some((at, receipt))
    }
}

impl Platform {
    /// Plans the receipts of messages that the sandbox took, where their recipients stand for one.
    pub(crate) fn rehearse_receipts(&self, session: &Session, channels: &[Channel]) {
        for challenge in session.challenges().iter().filter(|challenge| channels.contains(&challenge.channel)) {
            let Attempt::Accepted { provider, .. } = &challenge.message.attempt else { continue };
            let meant = outcome(session.mode(), session.dialect(), &challenge.recipient).and_then(super::Outcome::receipt);
            if let Some((report, after)) = meant {
                let of = Reference { scope: session.scope(), session: session.id(), message: challenge.message.id };
                self.rehearsed.keep(self.clock.now().plus(after), Due { of, through: provider.clone(), report });
            }
        }
    }

    /// Takes in the sandbox's receipts whose time has come.
    pub async fn take_rehearsed(self: &Arc<Self>) {
        while let Some((at, Due { of, through, report })) = self.rehearsed.next(self.clock.now()) {
            let receipt = ParkedReceipt { report, at: Some(at), carrier: None };
            if let Err(failure) = self.take_known(&through, of, receipt).await {
                warn!(message = %of.message, %failure, "a receipt of the sandbox was lost");
            }
        }
    }
}
