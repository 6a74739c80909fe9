//! The verbs of operators: what the admin API and the command line ask for. Each change is one transaction with its entry in the audit log.

mod admin_tokens;
mod api_keys;
mod deliveries;
mod error;
mod operations;
mod order;
mod own_webhooks;
mod poison;
mod previews;
mod provider_tests;
mod providers;
mod recipients;
mod revocations;
mod senders;
mod services;
mod sessions;
mod templates;
mod tenants;
mod uuids;
mod views;
mod wallet_views;
mod wallets;
mod webhook_views;
mod webhooks;

pub use admin_tokens::{Admin, AdminScope, TokenDraft, UnknownScope};
pub use api_keys::{KeyOrder, NewKey, Secretive};
pub use countersign_records::{
    AdminToken, AuditEntry, Delivery, DeliveryAttempt, DeliveryFilter, DeliveryState, LedgerLine, LineFilter, LineKind,
    LineState, Poison, WalletDifference,
};
pub use error::ManageError;
pub use operations::{InfoView, ReadinessView};
pub use order::{Done, Order, OrderKey};
pub use own_webhooks::{OwnEndpoint, OwnEndpointDraft, OwnEndpointError};
pub use poison::{PoisonName, PoisonView};
pub use previews::{Preview, PreviewDraft};
pub use provider_tests::{ProviderTestDraft, ProviderTestView};
pub use providers::{FailureView, HealthView, NarrowedView, ProviderView, ProvidersView, RouteView};
pub use recipients::{BlockDraft, UnblockedView};
pub use revocations::RevokedKey;
pub(crate) use revocations::Unwritten;
pub use senders::SenderDraft;
pub use services::ServiceDraft;
pub use sessions::{ChannelView, SessionView};
pub use templates::TemplateDraft;
pub use tenants::TenantDraft;
pub use views::{AuditView, KeyView, SenderView, ServiceView, SettingsView, TemplateView, TenantView, TokenView};
pub use wallet_views::{BalanceView, DifferenceView, LineView, MoneyView};
pub use webhook_views::{AttemptView, DeliveryView, EndpointView};
pub use webhooks::EndpointDraft;
