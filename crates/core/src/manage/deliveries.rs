//! The log of what was posted, and posting it again.

use countersign_model::{DeliveryId, TenantId};
use countersign_records::{Delivery, DeliveryAttempt, DeliveryFilter, Transaction};

use super::error::ManageError;
use super::order::{Acted, Done, Order, found};
use crate::platform::Platform;

impl Platform {
    /// Deliveries of a tenant, newest first, at most `limit`.
    pub async fn list_deliveries(
        &self,
        tenant: TenantId,
        filter: DeliveryFilter,
        limit: u32,
    ) -> Result<Vec<Delivery>, ManageError> {
        Ok(self.records.webhook_deliveries().list(tenant, filter, limit).await?)
    }

    /// A delivery and its attempts, first to last.
    pub async fn show_delivery(&self, tenant: TenantId, id: DeliveryId) -> Result<(Delivery, Vec<DeliveryAttempt>), ManageError> {
        let delivery = found("delivery", self.records.webhook_deliveries().find(tenant, id).await)?;
        let attempts = self.records.webhook_deliveries().attempts(id).await?;
        Ok((delivery, attempts))
    }

    /// Posts a delivery that has ended once more: as a new delivery of the same event, due at once. Gives the new one's id.
    pub async fn replay_delivery(
        &self,
        order: &Order,
        tenant: TenantId,
        id: DeliveryId,
    ) -> Result<Done<DeliveryId>, ManageError> {
        let now = self.clock.now();
        let new = DeliveryId::mint(now, &*self.rng, tenant.partition());
        self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            found("delivery", transaction.webhook_deliveries().find(tenant, id).await)?;
            let again = transaction.webhook_deliveries().replay(tenant, id, new, now).await?;
            again.ok_or(ManageError::State("the delivery is still on its way, or its endpoint is gone"))?;
            Ok(Acted { record: new, what: "delivery.replay", target: id.to_string(), before: None, after: None })
        })
        .await
    }
}
