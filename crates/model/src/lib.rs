//! The words of Countersign: what every other crate means by a session, a channel, a recipient, a key.
//!
//! No I/O, no async, no framework. Time and chance come in as arguments: see [`Clock`] and [`Rng`].

mod chance;
mod channel;
mod clock;
mod code;
mod contact;
mod country;
mod event;
mod flaw;
mod ids;
mod key;
mod language;
mod limit;
mod message;
mod mode;
mod money;
mod number;
mod origin;
mod policy;
mod profile;
mod receipt;
mod recipient;
mod service;
mod template;
mod tenant;
mod test_recipient;
mod webhook;

pub use chance::{OsRng, Rng, SeededRng};
pub use channel::{Channel, PerChannel, UnknownChannel};
pub use clock::{Clock, InvalidTimestamp, ManualClock, SystemClock, Timestamp};
pub use code::{Code, InvalidCode};
pub use contact::{Contact, ContactFields};
pub use country::{Country, InvalidCountry};
pub use event::{Aggregate, Event, EventId, EventKind, LogEntry, SessionFacts};
pub use flaw::Flaw;
pub use ids::{
    ContactId, DeliveryId, EndpointId, InvalidId, KeyId, LedgerId, MessageId, Partition, SessionId, ShownMessageId, StepId,
    TenantId,
};
pub use ipnet::IpNet;
pub use key::{AccessKey, ApiKey, KeyScope, SecretHash};
pub use language::{LANGUAGE_TAG, is_language_tag, wider_tags};
pub use limit::{Limit, LimitName, LimitRule, LimitRules, Quota};
pub use message::{
    Attempt, Autofill, Errand, FailureReason, MessageStatus, Outgoing, OutgoingText, ProviderName, Rehearsal, Wording,
};
pub use mode::{Dialect, KeyKind, Mode, Scope};
pub use money::{ChannelPrice, InvalidMoney, Money, PriceList};
pub use number::{GeoRules, NumberKind, NumberRules, Passage};
pub use origin::{InvalidOrigin, Origin};
pub use policy::{
    AllFailed, DateFormat, NumberCheck, Policy, ReceiptFailover, ReceiptPolicy, ReceiptWaits, ResendPolicy, VerificationMode,
    WrongCode,
};
pub use profile::{NAME, ServiceProfile, ServiceRecord, is_name, is_steering};
pub use receipt::{Receipt, ReceiptOf, Reference, Report, Undelivered};
pub use recipient::{EmailAddress, InvalidRecipient, PhoneNumber, Recipient};
pub use service::{Service, ServiceId};
pub use template::{Sender, Template};
pub use tenant::{Tenant, TenantSettings};
pub use test_recipient::TestRecipient;
pub use uuid::Uuid;
pub use webhook::{UnknownEvent, UnknownFormat, WebhookEndpoint, WebhookEvent, WebhookFormat};
