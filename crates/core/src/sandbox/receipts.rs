//! Receipts of messages that nobody carries: kept in this process until their time, then taken in like any provider's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_model::{Attempt, Channel, MessageId, Mode, ProviderName, Reference, Report, Timestamp};
use countersign_session::store::ParkedReceipt;
use countersign_session::{Challenge, Session};
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

/// A receipt that the sandbox gives of each message that it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StagedReceipt {
    /// What it says.
    pub report: Report,
    /// How long after the message was taken.
    pub after: Duration,
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
            let meant = outcome(session.mode(), session.dialect(), &challenge.recipient).and_then(super::Outcome::receipt);
            if let Some(receipt) = meant {
                self.stage(session, challenge, receipt);
            }
        }
    }

    /// Plans the same receipt of all messages of a session that the sandbox took. Nothing is planned of a live one.
    pub(crate) fn stage_receipts(&self, session: &Session, receipt: StagedReceipt) {
        if session.mode() == Mode::Sandbox {
            session.challenges().iter().for_each(|challenge| self.stage(session, challenge, receipt));
        }
    }

    fn stage(&self, session: &Session, challenge: &Challenge, receipt: StagedReceipt) {
        let Attempt::Accepted { provider, .. } = &challenge.message.attempt else { return };
        let of = Reference { scope: session.scope(), session: session.id(), message: challenge.message.id };
        let due = Due { of, through: provider.clone(), report: receipt.report };
        self.rehearsed.keep(self.clock.now().plus(receipt.after), due);
    }

    /// Takes in the sandbox's receipts whose time has come.
    pub async fn take_rehearsed(self: &Arc<Self>) {
        while let Some((at, Due { of, through, report })) = self.rehearsed.next(self.clock.now()) {
            let receipt = ParkedReceipt { report, at: Some(at), carrier: None };
            if let Err(failure) = self.take_known(&through, of, receipt).await {
                warn!(message = %of.message.shown(Mode::Sandbox), %failure, "a receipt of the sandbox was lost");
            }
        }
    }
}
