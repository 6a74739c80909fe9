//! The bodies of calls and replies as the description tells them. Nothing here is ever built: calls are read in `request`, and replies are
//! views of `core`. A test holds the names of fields against both.

#![expect(dead_code, reason = "described, never built")]

mod replies;
mod requests;
mod shared;

pub(crate) use replies::{
    AdminToken, ApiKey, AuditEntry, Credited, Deleted, Delivery, DeliveryRef, DeliveryShown, Endpoint, Info, LedgerLine,
    MadeApiKey, MadeEndpoint, MadeToken, PoisonEntry, Preview, ProviderTest, Providers, Readiness, Rebuilt, Retried, Sender,
    Service, Session, Template, Tenant, Unblocked, Wallet, WalletDifference,
};
pub(crate) use requests::{
    AdjustmentRequest, AmountRequest, CreateSenderRequest, CreateServiceRequest, CreateTemplateRequest, EndpointRequest,
    KeyRequest, PreviewRequest, ProviderTestRequest, SenderRequest, ServiceRequest, TemplateRequest, TenantRequest, TokenRequest,
    UnblockRequest,
};
