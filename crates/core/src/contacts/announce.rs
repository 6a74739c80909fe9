//! Tell subscribers of new contacts.

use countersign_model::{Contact, TenantId};
use countersign_records::{RecordsError, Transaction};

use crate::announce::{contact_created, deliveries};
use crate::platform::Platform;

impl Platform {
    /// Puts `contact.created` on its way to every endpoint of the tenant that wants it, in the transaction that made the contacts: whoever
    /// is told of one can find it.
    pub(super) async fn announce_contacts(
        &self,
        transaction: &mut Transaction,
        tenant: TenantId,
        created: &[Contact],
    ) -> Result<(), RecordsError> {
        if created.is_empty() {
            return Ok(());
        }
        let endpoints = transaction.webhook_endpoints().list(tenant).await?;
        let news = created.iter().map(contact_created);
        let due: Vec<_> = news.flat_map(|news| deliveries(news, &endpoints, &*self.rng)).collect();
        if due.is_empty() { Ok(()) } else { transaction.webhook_deliveries().insert(&due).await }
    }
}
