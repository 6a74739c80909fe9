//! The tables that the projector and the workers write, as the records and a transaction offer them.

use crate::ledger::{Ledger, WalletDifferences};
use crate::projection::{Cursors, MessageLog, PoisonEvents, SessionLog};
use crate::transaction::On;
use crate::webhooks::{WebhookDeliveries, WebhookEndpoints};
use crate::{Records, Transaction};

/// Names a table's handle once, for calls that are transactions of their own and for those that are part of one.
macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident: $table:ident;)*) => {
        impl Records {
            $($(#[$doc])* #[must_use] pub const fn $name(&self) -> $table<'_> { $table { on: On::Records(self) } })*
        }

        impl Transaction {
            $($(#[$doc])* pub const fn $name(&mut self) -> $table<'_> { $table { on: On::Transaction(self) } })*
        }
    };
}

tables! {
    /// How far the log has been read.
    cursors: Cursors;
    /// Entries of the log that were set aside.
    poison: PoisonEvents;
    /// Sessions, as the log tells of them.
    sessions: SessionLog;
    /// Messages, as the log tells of them.
    messages: MessageLog;
    /// What was paid in and what was taken.
    ledger: Ledger;
    /// Balances that were not what the ledger says.
    wallet_differences: WalletDifferences;
    /// Where events are posted to.
    webhook_endpoints: WebhookEndpoints;
    /// Events on their way there.
    webhook_deliveries: WebhookDeliveries;
}
