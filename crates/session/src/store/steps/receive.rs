//! Delivery receipts, and how those find their message that name it as its provider does.

use countersign_model::{ProviderName, Reference, Report, Timestamp};

use super::account::Funds;
use super::{Step, finish};
use crate::code::Fingerprint;
use crate::session::{Context, Heard};
use crate::store::StoreError;
use crate::store::rows::{MessageRow, Rows};
use crate::store::verdicts::{NamedMessage, ParkedReceipt, ReceiveVerdict};

/// Takes a delivery receipt in. Needs no id: a receipt that comes again, or later than a newer one, changes nothing.
#[derive(Debug, Clone)]
pub struct Receive {
    /// Which message of which session.
    pub reference: Reference,
    /// Through whom it came. Only who took the message is believed, as far as that is known.
    pub through: ProviderName,
    /// What it says.
    pub report: Report,
    /// When that happened, by the provider's clock.
    pub at: Option<Timestamp>,
    /// Who carried the message the last mile.
    pub carrier: Option<String>,
}

impl Step for Receive {
    type Verdict = ReceiveVerdict;

    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<ReceiveVerdict, StoreError> {
        let Reference { scope, session, message } = self.reference;
        let found = rows.session(scope, session)?.filter(|session| !session.is_forgotten(cx.now));
        let Some(mut session) = found else { return Ok(ReceiveVerdict::Unknown) };
        let heard = Heard { message, through: &self.through, report: self.report, at: self.at, carrier: self.carrier.as_deref() };
        match session.receive(&heard, cx.now) {
            None => Ok(ReceiveVerdict::Unknown),
            Some(events) if events.is_empty() => Ok(ReceiveVerdict::Unchanged),
            Some(events) => {
                finish(rows, &mut session, Funds::Still, events, cx)?;
                Ok(ReceiveVerdict::Changed(Box::new(session)))
            }
        }
    }
}

/// Says which message a provider means by a name of its own.
#[derive(Debug, Clone)]
pub(crate) struct NameMessage {
    pub(crate) key: Fingerprint,
    pub(crate) message: NamedMessage,
}

/// Looks up which message a provider means; lets the receipt wait where that is not known yet.
#[derive(Debug, Clone)]
pub(crate) struct FindMessage {
    pub(crate) key: Fingerprint,
    pub(crate) receipt: ParkedReceipt,
}

impl Step for NameMessage {
    type Verdict = Vec<ParkedReceipt>;

    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Self::Verdict, StoreError> {
        let mut row = rows.message(self.key)?.unwrap_or_default();
        let waiting = row.name(&self.message, cx.now);
        rows.put_message(self.key, &row)?;
        Ok(waiting)
    }
}

impl Step for FindMessage {
    type Verdict = Option<NamedMessage>;

    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Self::Verdict, StoreError> {
        let mut row: MessageRow = rows.message(self.key)?.unwrap_or_default();
        if let Some(message) = row.named(cx.now) {
            return Ok(Some(message));
        }
        if row.park(&self.receipt, cx.now) {
            rows.put_message(self.key, &row)?;
        }
        Ok(None)
    }
}
