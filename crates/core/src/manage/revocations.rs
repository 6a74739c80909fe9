//! The end of a key. The session store hears of it first, because all nodes ask it at each call; the records write it down as soon as they can.
//!
//! What they could not write is found again in the session store, which remembers ended keys for thirty days: whichever node sees the records
//! come back, or starts, writes it then.

use countersign_model::{ApiKey, KeyId, TenantId, Timestamp};
use countersign_records::{RecordsError, Transaction};
use tracing::{info, warn};

use super::error::ManageError;
use super::order::{Acted, Done, Order, found, owner, seen, unraced};
use super::views::KeyView;
use crate::platform::Platform;

/// A key that is refused from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedKey {
    /// The key.
    pub key: ApiKey,
    /// Whether the records have it written down. If not, they are away and will.
    pub written: bool,
}

/// An end that the records have not heard of, and whose wish it was.
#[derive(Debug, Clone)]
pub(crate) struct Unwritten {
    who: String,
    tenant: TenantId,
    key: KeyId,
    at: Timestamp,
}

impl Platform {
    /// Ends a key for good. Refused from now on by every node, whatever it has in memory: the session store hears of it first.
    ///
    /// Ending it again is no error. A key that is in memory is ended while the records are away too.
    pub async fn revoke_key(&self, order: &Order, tenant: TenantId, id: KeyId) -> Result<RevokedKey, ManageError> {
        let known = self.directory.key_by_id(id).map(|(key, _)| key).filter(|key| key.tenant == tenant);
        if known.is_none() {
            found("key", self.records.api_keys().find(tenant, id).await)?;
        }
        self.store.revoke(tenant, id).await?;
        let at = self.clock.now();
        match (self.write_end(order, tenant, id, at).await, known) {
            (Ok(done), _) => Ok(RevokedKey { key: done.record, written: true }),
            (Err(ManageError::Records(failure @ RecordsError::Unavailable(_))), Some(key)) => {
                warn!(%failure, key = %id, who = order.who, "a key is refused from now on; the records will hear of it when they are back");
                self.follower.remember(Unwritten { who: order.who.clone(), tenant, key: id, at });
                Ok(RevokedKey { key: ApiKey { revoked_at: key.revoked_at.or(Some(at)), ..key }, written: false })
            }
            (Err(failure), _) => {
                warn!(%failure, key = %id, "a key is refused but its end is not written: revoke it again");
                Err(failure)
            }
        }
    }

    /// A round of whoever follows the records, after they were read: writes ends of keys down that they missed while they were away. Asks
    /// nobody unless they were.
    pub async fn write_revocations(&self) -> Result<(), ManageError> {
        if !self.follower.take_missed() {
            return Ok(());
        }
        let written = self.write_missed().await;
        if written.is_err() {
            self.follower.missed();
        }
        written
    }

    async fn write_missed(&self) -> Result<(), ManageError> {
        while let Some(Unwritten { who, tenant, key, at }) = self.follower.first_unwritten() {
            match self.write_late(&who, tenant, key, at, true).await {
                Ok(()) | Err(ManageError::Missing(_)) => self.follower.forget(key),
                Err(failure) => return Err(failure),
            }
        }
        for config in self.directory.tenants() {
            let tenant = config.tenant.id;
            for (id, at) in self.store.revoked(tenant).await? {
                let known = self.directory.key_by_id(id);
                if known.is_some_and(|(key, _)| key.tenant == tenant && key.revoked_at.is_none()) {
                    self.write_late(Order::ITSELF, tenant, id, at, false).await?;
                }
            }
        }
        Ok(())
    }

    /// Writes the end of a key down at somebody's wish, also a second time.
    async fn write_end(&self, order: &Order, tenant: TenantId, id: KeyId, at: Timestamp) -> Result<Done<ApiKey>, ManageError> {
        self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            let before = found("key", transaction.api_keys().find(tenant, id).await)?;
            transaction.api_keys().revoke(tenant, id, at).await?.ok_or(ManageError::Missing("key"))?;
            ended(&before, at)
        })
        .await
    }

    /// Writes down an end that is in force already. One that is written is left alone unless `again`: then the audit log hears whose wish it was.
    async fn write_late(&self, who: &str, tenant: TenantId, id: KeyId, at: Timestamp, again: bool) -> Result<(), ManageError> {
        let mut transaction = self.records.begin().await?;
        let owner = owner(&mut transaction, tenant).await?;
        let before = found("key", transaction.api_keys().find(tenant, id).await)?;
        if before.revoked_at.is_some() && !again {
            return Ok(());
        }
        let revision = transaction.api_keys().revoke(tenant, id, at).await?.ok_or(ManageError::Missing("key"))?;
        // Of several nodes that find it one writes it down.
        unraced(&owner, revision)?;
        let entry = ended(&before, at)?.entry(self.clock.now(), who, Some(tenant)).0;
        transaction.audit().insert(&entry).await?;
        transaction.commit().await?;
        info!(key = %id, who, "the records write down the end of a key that they missed");
        self.put_in_force().await;
        Ok(())
    }
}

fn ended(before: &ApiKey, at: Timestamp) -> Result<Acted<ApiKey>, ManageError> {
    let after = ApiKey { revoked_at: before.revoked_at.or(Some(at)), ..before.clone() };
    Ok(Acted {
        what: "key.revoke",
        target: before.id.to_string(),
        before: seen(&KeyView::of(before, at))?,
        after: seen(&KeyView::of(&after, at))?,
        record: after,
    })
}

impl Unwritten {
    /// Of which key.
    pub(crate) const fn key(&self) -> KeyId {
        self.key
    }
}
