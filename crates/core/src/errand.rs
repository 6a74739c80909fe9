//! Whose message it is and where it goes.

use countersign_model::{Errand, ProviderName, Recipient, ServiceId, SessionId, TenantId};

use crate::numbers::country;

/// The errand of a message to `recipient`.
pub(crate) fn errand(
    session: SessionId,
    tenant: TenantId,
    service: Option<ServiceId>,
    recipient: &Recipient,
    passed_over: Vec<ProviderName>,
) -> Errand {
    let country = if let Recipient::Phone(number) = recipient { country(number) } else { None };
    Errand { session, tenant, service, country, passed_over }
}
