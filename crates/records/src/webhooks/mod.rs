//! Where events are posted to, and the events on their way.

mod deliveries;
mod endpoints;
mod posting;

pub use deliveries::{Delivery, DeliveryAttempt, DeliveryFilter, DeliveryState, NewDelivery, WebhookDeliveries};
pub use endpoints::{EndpointChange, StoredSecrets, WebhookEndpoints};
pub use posting::{Attempted, Claimed};
