//! Whose message it is and where it goes.

use countersign_model::{Errand, ProviderName, Recipient, Scope, ServiceId, SessionId};

use crate::numbers::country;

/// The errand of a message to `recipient`.
pub(crate) fn errand(
    scope: Scope,
    session: SessionId,
    service: Option<ServiceId>,
    recipient: &Recipient,
    passed_over: Vec<ProviderName>,
) -> Errand {
    let country = if let Recipient::Phone(number) = recipient { country(number) } else { None };
    Errand { scope, session, service, country, passed_over }
}
