//! What is kept for long, in SQL: a file or a PostgreSQL, spoken to in one statement text.
//!
//! Whatever a call needs at once is kept in memory by `core`, which reads it with [`Records::snapshot`] and again when
//! [`Records::configuration_version`] moves. Nothing here is on the path of a send or a verification.
//!
//! Statements keep to what both databases understand alike: TEXT and BIGINT, `$1`, `RETURNING`, `ON CONFLICT`. Columns are named one by
//! one: with `*`, a node of the release before would stumble over the columns that a migration adds.

mod admin_tokens;
mod api_keys;
mod audit;
mod blame;
mod columns;
mod configuration;
mod contacts;
mod engine;
mod error;
mod health;
mod idempotency;
mod ledger;
mod many;
mod migrations;
mod place;
mod pool;
mod projected;
mod projection;
mod realm;
mod senders;
mod services;
mod tables;
mod templates;
mod tenants;
mod transaction;
mod webhooks;
mod words;

pub use admin_tokens::{AdminToken, AdminTokens};
pub use api_keys::ApiKeys;
pub use audit::{Audit, AuditEntry, AuditFilter, NewAuditEntry};
pub use configuration::Snapshot;
pub use contacts::{ContactPage, Contacts, NewContact, Start, Upserted};
pub use error::RecordsError;
pub use health::{Health, check_file};
pub use idempotency::{Claim, KeyedCall};
pub use ledger::{
    Booked, CutFound, CutVerdict, EntryKind, Ledger, LedgerLine, LedgerSum, LineFilter, LineKind, LineState, NewCapture,
    NewCredit, StatementFilter, StatementLine, WalletDifference, WalletDifferences,
};
pub use migrations::Form;
pub use place::{Place, PoolOptions};
pub use pool::Records;
pub use projection::{
    Cursor, Cursors, ListFilter, ListPage, ListPlace, ListSlice, MessageChange, MessageLog, MessageRecord, Moment, Moved, Poison,
    PoisonEvents, PoisonKind, RecordedChannel, SessionLog, SessionRecord, SessionState, ShownStatus,
};
pub use realm::Realm;
pub use senders::Senders;
pub use services::Services;
pub use templates::Templates;
pub use tenants::Tenants;
pub use transaction::Transaction;
pub use webhooks::{
    Attempted, Claimed, Delivery, DeliveryAttempt, DeliveryFilter, DeliveryState, EndpointChange, NewDelivery, StoredSecrets,
    WebhookDeliveries, WebhookEndpoints,
};
pub use words::UnknownWord;
