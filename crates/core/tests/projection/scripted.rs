//! A log that says what a test wants it to say.

use std::sync::Mutex;

use async_trait::async_trait;
use countersign_model::{KeyId, LogEntry, Money, Partition, ProviderName, Reference, Scope, SessionId, TenantId, Timestamp};
use countersign_session::Session;
use countersign_session::store::{
    Advance, Balance, Cancel, CancelVerdict, Credit, CreditVerdict, Guard, Heard, Lapse, LapseVerdict, Listed, LogPage,
    NameQuery, NamedMessage, Open, OpenVerdict, ParkedReceipt, Receive, ReceiveVerdict, Record, RecordVerdict, Resend,
    SendAgainVerdict, SessionFilter, SessionStore, StoreError, Strike, StrikeVerdict, Unblock, Verify, VerifyVerdict,
};

/// Has nothing but a log.
#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) entries: Mutex<Vec<LogEntry>>,
    /// What was asked to be dropped.
    pub(crate) trimmed: Mutex<Vec<(Partition, u64, Timestamp)>>,
}

impl Scripted {
    pub(crate) fn of(entries: impl IntoIterator<Item = LogEntry>) -> Self {
        let it = Self::default();
        it.say(entries);
        it
    }

    /// Says this and nothing else, in this order.
    pub(crate) fn say(&self, entries: impl IntoIterator<Item = LogEntry>) {
        let entries = entries.into_iter().zip(1..).map(|(entry, sequence)| LogEntry { sequence, ..entry });
        *self.entries.lock().unwrap() = entries.collect();
    }
}

#[async_trait]
impl SessionStore for Scripted {
    async fn read_log(&self, partition: Partition, after: u64, limit: usize) -> Result<LogPage, StoreError> {
        let entries = self.entries.lock().unwrap();
        let own: Vec<_> = entries.iter().filter(|entry| entry.partition == partition).cloned().collect();
        let end = own.last().map_or(0, |entry| entry.sequence);
        Ok(LogPage { entries: own.into_iter().filter(|entry| entry.sequence > after).take(limit).collect(), end })
    }

    async fn trim_log(&self, partition: Partition, sequence: u64, before: Timestamp) -> Result<(), StoreError> {
        self.trimmed.lock().unwrap().push((partition, sequence, before));
        Ok(())
    }

    async fn open(&self, _: Open) -> Result<Heard<OpenVerdict>, StoreError> {
        unreachable!()
    }
    async fn record(&self, _: Record) -> Result<RecordVerdict, StoreError> {
        unreachable!()
    }
    async fn verify(&self, _: Verify) -> Result<Heard<VerifyVerdict>, StoreError> {
        unreachable!()
    }
    async fn resend(&self, _: Resend) -> Result<Heard<SendAgainVerdict>, StoreError> {
        unreachable!()
    }
    async fn advance(&self, _: Advance) -> Result<Heard<SendAgainVerdict>, StoreError> {
        unreachable!()
    }
    async fn cancel(&self, _: Cancel) -> Result<Heard<CancelVerdict>, StoreError> {
        unreachable!()
    }
    async fn lapse(&self, _: Lapse) -> Result<LapseVerdict, StoreError> {
        unreachable!()
    }
    async fn receive(&self, _: Receive) -> Result<ReceiveVerdict, StoreError> {
        unreachable!()
    }
    async fn name_message(&self, _: &ProviderName, _: &str, _: &NamedMessage) -> Result<Vec<ParkedReceipt>, StoreError> {
        unreachable!()
    }
    async fn find_message(&self, _: &ProviderName, _: &str, _: &ParkedReceipt) -> Result<Option<NamedMessage>, StoreError> {
        unreachable!()
    }
    async fn is_sending(&self, _: Reference) -> Result<bool, StoreError> {
        unreachable!()
    }
    async fn find(&self, _: Scope, _: SessionId) -> Result<Option<Session>, StoreError> {
        unreachable!()
    }
    async fn list(&self, _: Scope, _: SessionFilter, _: usize) -> Result<Listed, StoreError> {
        unreachable!()
    }
    async fn due(&self, _: usize) -> Result<Vec<(Scope, SessionId)>, StoreError> {
        unreachable!()
    }
    async fn named(&self, _: Scope, _: NameQuery) -> Result<Vec<Session>, StoreError> {
        unreachable!()
    }
    async fn strike(&self, _: Strike) -> Result<StrikeVerdict, StoreError> {
        unreachable!()
    }
    async fn unblock(&self, _: Unblock) -> Result<bool, StoreError> {
        unreachable!()
    }
    async fn admit(&self, _: Guard) -> Result<Heard<()>, StoreError> {
        unreachable!()
    }
    async fn set_revision(&self, _: TenantId, _: u64) -> Result<(), StoreError> {
        unreachable!()
    }
    async fn revoke(&self, _: TenantId, _: KeyId) -> Result<(), StoreError> {
        unreachable!()
    }
    async fn revoked(&self, _: TenantId) -> Result<Vec<(KeyId, Timestamp)>, StoreError> {
        unreachable!()
    }
    async fn credit(&self, _: Credit) -> Result<CreditVerdict, StoreError> {
        unreachable!()
    }
    async fn balance(&self, _: TenantId) -> Result<Balance, StoreError> {
        unreachable!()
    }
    async fn cut(&self, _: TenantId) -> Result<(), StoreError> {
        unreachable!()
    }
    async fn rebuild(&self, _: TenantId, _: Money, _: u64) -> Result<Balance, StoreError> {
        unreachable!()
    }
    async fn save_configuration(&self, _: Vec<u8>) -> Result<(), StoreError> {
        unreachable!()
    }
    async fn saved_configuration(&self) -> Result<Option<Vec<u8>>, StoreError> {
        unreachable!()
    }
    async fn has_configuration(&self) -> Result<bool, StoreError> {
        unreachable!()
    }
    async fn sweep(&self) -> Result<(), StoreError> {
        unreachable!()
    }
    fn memory_used(&self) -> Option<f64> {
        None
    }

    async fn ready(&self) -> Result<(), StoreError> {
        unreachable!()
    }
}
