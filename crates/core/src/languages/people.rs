//! The language that a contact of the tenant reads, for sends that name none.
//!
//! It is in the records, and no send fails or waits for long because of those: what they said is remembered for a minute, a tenant of whose
//! contacts none has a language asks for none, and who gets no answer in time goes on without one.

mod memory;

use std::time::Duration;

use countersign_model::{Recipient, TenantId};
use countersign_records::RecordsError;
use tokio::time::timeout;
use tracing::debug;

use memory::Recalled;
pub(crate) use memory::{ContactLocales, Writing};

use crate::platform::Platform;
use crate::send::Send;

/// Why a send goes on without an answer.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    /// They could not be asked.
    #[error(transparent)]
    Failed(#[from] RecordsError),
    /// They take too long.
    #[error("the records did not answer within {0:?}")]
    Late(Duration),
}

impl Platform {
    /// The language of the first person this send asks, now or later, of whom a contact says it. None: the call names a language itself,
    /// nobody says it, or the records did not answer in time.
    pub(crate) async fn contact_locale(&self, tenant: TenantId, command: &Send) -> Option<String> {
        let patience = self.settings.contact_locale_wait;
        if command.locale.is_some() || patience.is_zero() {
            return None;
        }
        in_time(patience, self.first_locale(tenant, command)).await.unwrap_or_else(|reason| {
            debug!(%tenant, %reason, "a contact's language is not known");
            self.contact_locales.rest(self.clock.now());
            None
        })
    }

    async fn first_locale(&self, tenant: TenantId, command: &Send) -> Result<Option<String>, RecordsError> {
        if !self.has_contact_locales(tenant).await? {
            return Ok(None);
        }
        for recipient in command.recipients() {
            if let Some(locale) = self.locale_of(tenant, recipient).await? {
                return Ok(Some(locale));
            }
        }
        Ok(None)
    }

    /// Whether it is worth asking. Sends that come together ask once.
    async fn has_contact_locales(&self, tenant: TenantId) -> Result<bool, RecordsError> {
        let known = || self.contact_locales.has_any(tenant, self.clock.now());
        if let Some(known) = known() {
            return Ok(known);
        }
        let turn = self.contact_locales.turn(tenant);
        let _alone = turn.lock().await;
        if let Some(known) = known() {
            return Ok(known);
        }
        if !self.may_ask() {
            return Ok(false);
        }
        let found = self.records.contacts().has_locales(tenant).await?;
        self.contact_locales.keep_any(tenant, found, self.clock.now());
        Ok(found)
    }

    async fn locale_of(&self, tenant: TenantId, recipient: &Recipient) -> Result<Option<String>, RecordsError> {
        let address = recipient.normalised();
        let name = self.keys.fingerprint(&[b"contact locale", &tenant.bits().to_be_bytes(), address.as_bytes()]);
        if let Recalled::Said(known) = self.contact_locales.recall(tenant, name, self.clock.now()) {
            return Ok(known);
        }
        if !self.may_ask() {
            return Ok(None);
        }
        // What is written meanwhile may not be in the answer.
        let changes = self.contact_locales.changes(tenant);
        let found = self.records.contacts().locale_of(tenant, recipient).await?;
        self.contact_locales.keep(tenant, name, found.clone(), changes, self.clock.now());
        Ok(found)
    }

    /// Nobody waits for records that are known to be away, or did not answer a moment ago.
    fn may_ask(&self) -> bool {
        !self.follower.is_away() && !self.contact_locales.rests(self.clock.now())
    }
}

/// What the records say, if they do within `patience`.
async fn in_time(
    patience: Duration,
    asked: impl Future<Output = Result<Option<String>, RecordsError>>,
) -> Result<Option<String>, Unanswered> {
    Ok(timeout(patience, asked).await.map_err(|_| Unanswered::Late(patience))??)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn records_that_do_not_answer_are_not_waited_for() {
        let late = in_time(Duration::from_millis(1), pending()).await;
        assert!(matches!(late, Err(Unanswered::Late(_))), "{late:?}");
        let failed = in_time(Duration::from_millis(1), ready(Err(RecordsError::Exists))).await;
        assert!(matches!(failed, Err(Unanswered::Failed(_))), "{failed:?}");
        assert_eq!(in_time(Duration::from_millis(1), ready(Ok(Some("es".to_owned())))).await.unwrap().as_deref(), Some("es"));
    }
}
