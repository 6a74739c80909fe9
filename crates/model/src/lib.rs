//! The words of Countersign: what every other crate means by a session, a channel, a recipient, a key.
//!
//! No I/O, no async, no framework. Time and chance come in as arguments: see [`Clock`] and [`Rng`].

mod chance;
mod channel;
mod clock;
mod code;
mod event;
mod ids;
mod key;
mod limit;
mod message;
mod mode;
mod policy;
mod recipient;
mod service;
mod tenant;

pub use chance::{OsRng, Rng, SeededRng};
pub use channel::{Channel, PerChannel, UnknownChannel};
pub use clock::{Clock, InvalidTimestamp, ManualClock, SystemClock, Timestamp};
pub use code::{Code, InvalidCode};
pub use event::{Event, EventKind, LogEntry};
pub use ids::{InvalidId, KeyId, MessageId, Partition, SessionId, StepId, TenantId};
pub use ipnet::IpNet;
pub use key::{AccessKey, ApiKey, KeyScope, SecretHash};
pub use limit::{Limit, LimitName};
pub use message::{Attempt, Autofill, FailureReason, MessageStatus, Outgoing, ProviderName};
pub use mode::{Dialect, KeyKind, Mode, Scope};
pub use policy::{AllFailed, NumberCheck, Policy, ResendPolicy, VerificationMode};
pub use recipient::{EmailAddress, InvalidRecipient, PhoneNumber, Recipient};
pub use service::{Service, ServiceId};
pub use tenant::Tenant;
