//! Delivery receipts: from a provider's post, or from a connection that a provider holds open, to what is known of a message.

mod early;
mod follow;
mod names;
mod parts;

use std::sync::Arc;
use std::time::Duration;

use countersign_channels::{Callback, CallbackRefusal, Pushed, Reading};
use countersign_model::{ProviderName, Receipt, ReceiptOf, Reference, Report};
use countersign_session::store::{NamedMessage, ParkedReceipt, Receive, ReceiveVerdict, StoreError};
use tokio::task::JoinSet;
use tracing::{debug, info, warn};

use crate::platform::Platform;

/// Receipts of open connections that are taken in side by side.
const AT_A_TIME: usize = 64;

/// A vendor's clock that says less than this ago is not believed: no message is on its way for so long.
const OLDEST: Duration = Duration::from_hours(31 * 24);

/// What a provider that posted is answered with status 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackReply {
    /// Nothing but that.
    Taken,
    /// This body. It may hold a code: never for a log.
    Say {
        /// Its media type.
        media_type: &'static str,
        /// What is said.
        body: String,
    },
}

/// Why a post was not taken. None of them tells whether a message exists.
#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    /// No provider of that kind and name is configured, or none that posts.
    #[error("no such connection")]
    NoConnection,
    /// It is not from that provider.
    #[error("not signed by the provider")]
    Forged,
    /// It cannot be read.
    #[error("not to be read: {0}")]
    Malformed(&'static str),
    /// What it takes to check or to keep it is away: it may be posted again.
    #[error("cannot be taken now")]
    Unavailable(#[source] Option<StoreError>),
}

impl Platform {
    /// Takes what a provider posted to its connection. Everything in it may come late, twice and out of order.
    ///
    /// A message that is not known, or not known any more, is no error: whoever posts learns nothing of it.
    pub async fn callback(
        self: &Arc<Self>,
        kind: &str,
        connection: &str,
        callback: &Callback,
    ) -> Result<CallbackReply, CallbackError> {
        let provider = self.router.connection(kind, connection).ok_or(CallbackError::NoConnection)?;
        let reader = provider.receipts().ok_or(CallbackError::NoConnection)?;
        let through = provider.name();
        match reader.read(callback, self.clock.now()).await {
            Ok(Reading::Reply { media_type, body, receipts }) => {
                // Whoever asks does not ask again, and a person may be on the line: the answer waits for nothing that is away.
                for receipt in receipts {
                    if let Err(failure) = self.take(through, receipt).await {
                        warn!(provider = %through, %failure, "a receipt that came with a question could not be kept");
                    }
                }
                Ok(CallbackReply::Say { media_type, body })
            }
            Ok(Reading::Receipts(receipts)) => {
                for receipt in receipts {
                    self.take(through, receipt).await.map_err(|failure| CallbackError::Unavailable(Some(failure)))?;
                }
                Ok(CallbackReply::Taken)
            }
            Err(refusal) => {
                info!(provider = %through, %refusal, "a post was not taken for a receipt");
                self.metrics.messages.receipt(through, "refused");
                Err(match refusal {
                    CallbackRefusal::Forged => CallbackError::Forged,
                    CallbackRefusal::Malformed(why) => CallbackError::Malformed(why),
                    CallbackRefusal::Unchecked => CallbackError::Unavailable(None),
                })
            }
        }
    }

    /// Takes receipts in that come over connections which providers hold open, for as long as they do. Only the first caller gets any.
    pub async fn take_pushed(self: &Arc<Self>) {
        let Some(mut pushed) = self.router.take_pushed() else { return };
        let mut running = JoinSet::new();
        let mut waiting = Vec::with_capacity(AT_A_TIME);
        while pushed.recv_many(&mut waiting, AT_A_TIME).await > 0 {
            for Pushed { through, receipt, kept } in waiting.drain(..) {
                let platform = Arc::clone(self);
                running.spawn(async move {
                    let taken = platform.take(&through, receipt).await;
                    if let Err(failure) = &taken {
                        warn!(provider = %through, %failure, "a receipt could not be kept; its sender is asked to offer it again");
                    }
                    // Whoever does not wait for the answer any more will offer it again.
                    let _ = kept.send(taken.is_ok());
                });
            }
            while running.join_next().await.is_some() {}
        }
    }

    /// Holds open what providers need held open. Ends only when it is dropped, or at once where that is nothing.
    pub async fn keep_up_providers(&self) {
        self.router.keep_up().await;
    }

    async fn take(self: &Arc<Self>, through: &ProviderName, receipt: Receipt) -> Result<(), StoreError> {
        let Receipt { of, report, at, carrier } = receipt;
        let at = at.filter(|at| *at >= self.clock.now().minus(OLDEST));
        let parked = ParkedReceipt { report, at, carrier };
        let id = match of {
            ReceiptOf::Reference(reference) => return self.take_known(through, reference, parked).await,
            ReceiptOf::ProviderId(id) => id,
        };
        if let Some(message) = self.store.find_message(through, &id, &parked).await? {
            return self.take_named(through, &id, &message, parked).await;
        }
        debug!(provider = %through, "a receipt came before its message is known; it waits");
        self.metrics.messages.receipt(through, "early");
        Ok(())
    }

    /// Takes a receipt in whose provider calls the message, or a part of it, `id`.
    async fn take_named(
        self: &Arc<Self>,
        through: &ProviderName,
        id: &str,
        message: &NamedMessage,
        receipt: ParkedReceipt,
    ) -> Result<(), StoreError> {
        if self.holds_for_all(through, id, message, receipt.report).await? {
            return self.take_known(through, message.reference, receipt).await;
        }
        self.metrics.messages.receipt(through, "part");
        Ok(())
    }

    pub(crate) async fn take_known(
        self: &Arc<Self>,
        through: &ProviderName,
        reference: Reference,
        receipt: ParkedReceipt,
    ) -> Result<(), StoreError> {
        if matches!(receipt.report, Report::Undelivered(_)) && self.is_under_way(reference).await? {
            self.metrics.messages.receipt(through, "early");
            self.take_once_handed_over(through, reference, receipt);
            return Ok(());
        }
        self.take_settled(through, reference, receipt).await
    }

    async fn take_settled(
        self: &Arc<Self>,
        through: &ProviderName,
        reference: Reference,
        receipt: ParkedReceipt,
    ) -> Result<(), StoreError> {
        let ParkedReceipt { report, at, carrier } = receipt;
        let step = Receive { reference, through: through.clone(), report, at, carrier };
        match self.store.receive(step).await? {
            ReceiveVerdict::Changed(session) => {
                self.metrics.messages.receipt(through, follow::word(report));
                self.count_receipt(&session, reference.message, report);
                self.follow_receipt(&session, reference.message);
            }
            ReceiveVerdict::Unchanged => self.metrics.messages.receipt(through, "unchanged"),
            ReceiveVerdict::Unknown => {
                debug!(provider = %through, %reference, "a receipt is about no message that is known");
                self.metrics.messages.receipt(through, "unknown");
            }
        }
        Ok(())
    }
}
