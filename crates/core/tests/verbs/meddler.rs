//! A store between whose steps somebody else's may come.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use countersign_model::{
    KeyId, MessageId, Money, Partition, PerChannel, ProviderName, Reference, Scope, SessionId, StepId, TenantId, Timestamp,
};
use countersign_session::store::{
    Advance, Balance, Cancel, CancelVerdict, Credit, CreditVerdict, Guard, Heard, Lapse, LapseVerdict, Listed, LogPage,
    MemoryStore, NameQuery, NamedMessage, Open, OpenVerdict, ParkedReceipt, Receive, ReceiveVerdict, Record, RecordVerdict,
    Resend, SendAgainVerdict, SessionFilter, SessionStore, StoreError, Strike, StrikeVerdict, Unblock, Verify, VerifyVerdict,
};
use countersign_session::{Session, Turn};
use tokio::task::yield_now;

/// Memory, but for what it is told to do.
pub(crate) struct Meddler {
    store: MemoryStore,
    is_quicker: AtomicBool,
    broken: Mutex<Vec<SessionId>>,
}

impl Meddler {
    pub(crate) fn over(store: MemoryStore) -> Self {
        Self { store, is_quicker: AtomicBool::new(false), broken: Mutex::default() }
    }

    /// Before the next turn is taken somebody else asks for the next channel.
    pub(crate) fn be_quicker(&self) {
        self.is_quicker.store(true, Ordering::Relaxed);
    }

    /// From now on this session cannot be read when its time has come.
    pub(crate) fn break_session(&self, session: SessionId) {
        self.broken.lock().unwrap().push(session);
    }
}

#[async_trait]
impl SessionStore for Meddler {
    async fn advance(&self, step: Advance) -> Result<Heard<SendAgainVerdict>, StoreError> {
        if self.is_quicker.swap(false, Ordering::Relaxed) {
            let messages = PerChannel::from_fn(|channel| MessageId::from_bits(step.messages.get(channel).bits() ^ (1 << 20)));
            let other = StepId::from_bits(step.step.bits() ^ (1 << 20));
            self.store.advance(Advance { step: other, turn: Turn::Next, messages, ..step.clone() }).await?;
        }
        let heard = self.store.advance(step).await;
        yield_now().await;
        heard
    }

    async fn lapse(&self, step: Lapse) -> Result<LapseVerdict, StoreError> {
        if self.broken.lock().unwrap().contains(&step.session) {
            return Err(StoreError::Unreadable("session"));
        }
        self.store.lapse(step).await
    }

    async fn open(&self, step: Open) -> Result<Heard<OpenVerdict>, StoreError> {
        self.store.open(step).await
    }

    async fn record(&self, step: Record) -> Result<RecordVerdict, StoreError> {
        self.store.record(step).await
    }

    async fn verify(&self, step: Verify) -> Result<Heard<VerifyVerdict>, StoreError> {
        self.store.verify(step).await
    }

    async fn resend(&self, step: Resend) -> Result<Heard<SendAgainVerdict>, StoreError> {
        self.store.resend(step).await
    }

    async fn cancel(&self, step: Cancel) -> Result<Heard<CancelVerdict>, StoreError> {
        self.store.cancel(step).await
    }

    async fn receive(&self, step: Receive) -> Result<ReceiveVerdict, StoreError> {
        self.store.receive(step).await
    }

    async fn name_message(
        &self,
        through: &ProviderName,
        provider_id: &str,
        named: &NamedMessage,
    ) -> Result<Vec<ParkedReceipt>, StoreError> {
        self.store.name_message(through, provider_id, named).await
    }

    async fn find_message(
        &self,
        through: &ProviderName,
        provider_id: &str,
        receipt: &ParkedReceipt,
    ) -> Result<Option<NamedMessage>, StoreError> {
        self.store.find_message(through, provider_id, receipt).await
    }

    async fn is_sending(&self, message: Reference) -> Result<bool, StoreError> {
        self.store.is_sending(message).await
    }

    async fn find(&self, scope: Scope, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.store.find(scope, id).await
    }

    async fn named(&self, scope: Scope, query: NameQuery) -> Result<Vec<Session>, StoreError> {
        self.store.named(scope, query).await
    }

    async fn list(&self, scope: Scope, filter: SessionFilter, limit: usize) -> Result<Listed, StoreError> {
        self.store.list(scope, filter, limit).await
    }

    async fn due(&self, limit: usize) -> Result<Vec<(Scope, SessionId)>, StoreError> {
        self.store.due(limit).await
    }

    async fn strike(&self, step: Strike) -> Result<StrikeVerdict, StoreError> {
        self.store.strike(step).await
    }

    async fn unblock(&self, step: Unblock) -> Result<bool, StoreError> {
        self.store.unblock(step).await
    }

    async fn admit(&self, guard: Guard) -> Result<Heard<()>, StoreError> {
        self.store.admit(guard).await
    }

    async fn set_revision(&self, tenant: TenantId, revision: u64) -> Result<(), StoreError> {
        self.store.set_revision(tenant, revision).await
    }

    async fn revoke(&self, tenant: TenantId, key: KeyId) -> Result<(), StoreError> {
        self.store.revoke(tenant, key).await
    }

    async fn revoked(&self, tenant: TenantId) -> Result<Vec<(KeyId, Timestamp)>, StoreError> {
        self.store.revoked(tenant).await
    }

    async fn credit(&self, step: Credit) -> Result<CreditVerdict, StoreError> {
        self.store.credit(step).await
    }

    async fn balance(&self, tenant: TenantId) -> Result<Balance, StoreError> {
        self.store.balance(tenant).await
    }

    async fn cut(&self, tenant: TenantId) -> Result<(), StoreError> {
        self.store.cut(tenant).await
    }

    async fn rebuild(&self, tenant: TenantId, ledger: Money, credits: u64) -> Result<Balance, StoreError> {
        self.store.rebuild(tenant, ledger, credits).await
    }

    async fn read_log(&self, partition: Partition, after: u64, limit: usize) -> Result<LogPage, StoreError> {
        self.store.read_log(partition, after, limit).await
    }

    async fn trim_log(&self, partition: Partition, sequence: u64, before: Timestamp) -> Result<(), StoreError> {
        self.store.trim_log(partition, sequence, before).await
    }

    async fn save_configuration(&self, copy: Vec<u8>) -> Result<(), StoreError> {
        self.store.save_configuration(copy).await
    }

    async fn saved_configuration(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.saved_configuration().await
    }

    async fn has_configuration(&self) -> Result<bool, StoreError> {
        self.store.has_configuration().await
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        self.store.sweep().await
    }

    fn memory_used(&self) -> Option<f64> {
        self.store.memory_used()
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.store.ready().await
    }
}
