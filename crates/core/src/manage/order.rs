//! One change: its effect, its audit entry and its answer in one transaction.

use std::fmt;
use std::time::Duration;

use countersign_model::{Mode, Tenant, TenantId, Timestamp};
use countersign_records::{Claim, KeyedCall, NewAuditEntry, RecordsError, Transaction};
use data_encoding::HEXLOWER;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::{info, warn};

use super::error::ManageError;
use crate::platform::Platform;

/// How often a change is tried that others get in the way of.
const TRIES: usize = 4;
/// How long an answer is given again.
const ANSWER_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Who wants a change, and how the wish is known when it comes again.
#[derive(Debug, Clone)]
pub struct Order {
    /// The admin token's name, or who else it is: see [`Order::TERMINAL`]. Stands in the audit log.
    pub who: String,
    /// None: a repeated wish is another wish.
    pub key: Option<OrderKey>,
}

impl Order {
    /// Who sits at a terminal of the machine.
    pub const TERMINAL: &'static str = "terminal";

    /// Who it is when nobody wished for anything: a node that finishes what another began.
    pub const ITSELF: &'static str = "countersign";

    /// Names that no admin token has.
    pub(super) const TAKEN: [&'static str; 2] = [Self::TERMINAL, Self::ITSELF];

    /// A wish from a terminal.
    #[must_use]
    pub fn from_terminal() -> Self {
        Self { who: Self::TERMINAL.to_owned(), key: None }
    }
}

/// An idempotency key and what it came with. None of it is kept: only keyed hashes.
#[derive(Clone)]
pub struct OrderKey {
    /// Method and path as called.
    pub call: String,
    /// The key, without quotes.
    pub key: String,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl fmt::Debug for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrderKey({})", self.call)
    }
}

/// What a change came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<T> {
    /// The record as it is then.
    pub record: T,
    /// An earlier call with the same key made the change; this one made none.
    pub replayed: bool,
}

/// What was done in a transaction, as the audit log remembers it.
pub(super) struct Acted<T> {
    pub(super) record: T,
    /// `service.update`: kind of record, then what became of it.
    pub(super) what: &'static str,
    pub(super) target: String,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
}

impl<T> Acted<T> {
    /// For the audit log, and what was done it to.
    pub(super) fn entry(self, at: Timestamp, who: &str, tenant: Option<TenantId>) -> (NewAuditEntry, T) {
        let Self { record, what, target, before, after } = self;
        let target_kind = what.split('.').next().unwrap_or(what).to_owned();
        let (who, what) = (who.to_owned(), what.to_owned());
        (NewAuditEntry { at, who, what, tenant, target_kind, target_id: target, before, after }, record)
    }
}

impl Platform {
    /// Does what `act` does, remembers it in the audit log and keeps the answer, all or nothing; then puts it in force here.
    ///
    /// `act` runs again from the start when others changed the same records meanwhile, so it does nothing outside of its transaction.
    pub(super) async fn change<T: Serialize + DeserializeOwned>(
        &self,
        order: &Order,
        tenant: Option<TenantId>,
        act: impl AsyncFn(&mut Transaction) -> Result<Acted<T>, ManageError>,
    ) -> Result<Done<T>, ManageError> {
        for _ in 0..TRIES {
            match self.change_once(order, tenant, &act).await {
                Err(ManageError::Busy) => {}
                told => return told,
            }
        }
        Err(ManageError::Busy)
    }

    async fn change_once<T: Serialize + DeserializeOwned>(
        &self,
        order: &Order,
        tenant: Option<TenantId>,
        act: &impl AsyncFn(&mut Transaction) -> Result<Acted<T>, ManageError>,
    ) -> Result<Done<T>, ManageError> {
        let now = self.clock.now();
        let call = order.key.as_ref().map(|key| self.manage_call(&order.who, tenant, key));
        let mut transaction = self.records.begin().await?;
        if let Some(call) = &call {
            match transaction.claim(call, now, now.plus(ANSWER_KEPT)).await? {
                Claim::First => {}
                Claim::Answered(kept) => {
                    let record =
                        serde_json::from_str(&kept).map_err(|_| ManageError::Internal("a kept answer cannot be read"))?;
                    return Ok(Done { record, replayed: true });
                }
                Claim::OtherBody => return Err(ManageError::IdempotencyMismatch),
            }
        }
        let (entry, record) = act(&mut transaction).await?.entry(now, &order.who, tenant);
        if let Some(call) = &call {
            let kept = serde_json::to_string(&record).map_err(|_| ManageError::Internal("an answer cannot be kept"))?;
            transaction.answer(call, &kept).await?;
        }
        transaction.audit().insert(&entry).await?;
        transaction.commit().await?;
        info!(who = entry.who, what = entry.what, target_id = entry.target_id, "changed");
        self.put_in_force().await;
        Ok(Done { record, replayed: false })
    }

    /// What has just been written holds here at once, and the other nodes are told. They and this one would notice by themselves too.
    pub(super) async fn put_in_force(&self) {
        if let Err(failure) = self.refresh().await {
            warn!(%failure, "a change is written but not read again yet");
        }
        self.tell_revisions().await;
    }

    fn manage_call(&self, who: &str, tenant: Option<TenantId>, key: &OrderKey) -> KeyedCall {
        let hex = |parts: &[&[u8]]| HEXLOWER.encode(&self.keys.fingerprint(parts).0);
        KeyedCall {
            // What belongs to no tenant is kept under an id that no tenant has.
            tenant: tenant.unwrap_or_else(|| TenantId::from_bits(0)),
            mode: Mode::Live,
            key: hex(&[b"manage", who.as_bytes(), key.call.as_bytes(), key.key.as_bytes()]),
            body: hex(&[b"body", &key.body]),
        }
    }

    /// The tenant of that id or name; while the records are away, as it is known here.
    pub async fn tenant(&self, named: &str) -> Result<Tenant, ManageError> {
        let id = named.parse::<TenantId>().ok();
        let known = || match id {
            Some(id) => self.directory.tenant(id),
            None => self.directory.tenant_by_name(named),
        };
        if self.follower.is_away()
            && let Some(config) = known()
        {
            return Ok(config.tenant.clone());
        }
        let tenants = self.records.tenants();
        let found = match id {
            Some(id) => tenants.find(id).await,
            None => tenants.find_by_name(named).await,
        };
        match (found, known()) {
            (Err(RecordsError::Unavailable(failure)), Some(config)) => {
                warn!(%failure, "a tenant cannot be looked up: it is taken as it is known here");
                Ok(config.tenant.clone())
            }
            (found, _) => found?.ok_or(ManageError::Missing("tenant")),
        }
    }
}

/// The tenant of a change, as the transaction sees it before it writes: its revision tells [`unraced`] whether others got in between.
pub(super) async fn owner(transaction: &mut Transaction, tenant: TenantId) -> Result<Tenant, ManageError> {
    transaction.tenants().find(tenant).await?.ok_or(ManageError::Missing("tenant"))
}

/// Holds that nobody changed the tenant's records between the look at `before` and the write that came to `revision`.
pub(super) fn unraced(before: &Tenant, revision: u64) -> Result<(), ManageError> {
    if revision == before.revision + 1 { Ok(()) } else { Err(ManageError::Busy) }
}

/// The JSON form of a view.
pub(super) fn seen(view: &impl Serialize) -> Result<Option<Value>, ManageError> {
    serde_json::to_value(view).map(Some).map_err(|_| ManageError::Internal("a record cannot be shown"))
}

/// A look at records that finds nothing to do: kept apart from [`ManageError::of`], which knows what was meant.
pub(super) fn found<T>(what: &'static str, record: Result<Option<T>, RecordsError>) -> Result<T, ManageError> {
    record?.ok_or(ManageError::Missing(what))
}
