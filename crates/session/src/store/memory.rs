//! The engine of least surprise: maps in memory, gone with the process. Other engines are held against it; it never serves.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use countersign_model::{
    Clock, KeyId, LogEntry, Money, Partition, ProviderName, Reference, Scope, SessionId, TenantId, Timestamp,
};

use super::rows::{Account, Head, Memo, MessageRow, NameRow, Rows};
use super::steps::{
    Admit, Advance, Cancel, Credit, Cut, FindMessage, Guard, Lapse, NameMessage, Open, Rebuild, Receive, Record, Resend, Revoke,
    SetRevision, Step, Strike, Unblock, Verify,
};
use super::verdicts::{
    Balance, CancelVerdict, CreditVerdict, Heard, LapseVerdict, NamedMessage, OpenVerdict, ParkedReceipt, ReceiveVerdict,
    RecordVerdict, SendAgainVerdict, StrikeVerdict, VerifyVerdict,
};
use super::{Listed, LogPage, NameQuery, SessionFilter, SessionStore, StoreError, message_name, newest_first};
use crate::code::{CodeKeys, Fingerprint, SubjectKey};
use crate::session::{Context, Session};
use crate::subject::{BudgetRule, Subject};

/// Keeps everything in maps. One step at a time.
pub struct MemoryStore {
    tables: Mutex<Tables>,
    keys: Arc<CodeKeys>,
    clock: Arc<dyn Clock>,
    budget: BudgetRule,
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryStore")
    }
}

#[derive(Default)]
struct Tables {
    sessions: BTreeMap<(Scope, SessionId), Session>,
    subjects: BTreeMap<SubjectKey, (Subject, Timestamp)>,
    memos: BTreeMap<[u8; 16], Memo>,
    names: BTreeMap<[u8; 16], NameRow>,
    messages: BTreeMap<[u8; 16], MessageRow>,
    heads: BTreeMap<TenantId, Head>,
    accounts: BTreeMap<TenantId, Account>,
    log: Vec<LogEntry>,
    ends: BTreeMap<Partition, u64>,
    configuration: Option<Vec<u8>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(keys: Arc<CodeKeys>, clock: Arc<dyn Clock>, budget: BudgetRule) -> Self {
        Self { tables: Mutex::default(), keys, clock, budget }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run<S: Step>(&self, step: &S) -> Result<S::Verdict, StoreError> {
        let mut tables = self.tables();
        let cx = Context { now: self.clock.now(), keys: &self.keys, budget: self.budget };
        let mut overlay = Overlay { below: &tables, written: Written::default() };
        let verdict = step.take(&mut overlay, &cx)?;
        let written = overlay.written;
        tables.apply(written);
        Ok(verdict)
    }
}

impl Tables {
    fn apply(&mut self, written: Written) {
        for (key, session) in written.sessions {
            put(&mut self.sessions, key, session);
        }
        for (key, memo) in written.memos {
            put(&mut self.memos, key, memo);
        }
        self.subjects.extend(written.subjects);
        self.names.extend(written.names);
        self.messages.extend(written.messages);
        self.heads.extend(written.heads);
        self.accounts.extend(written.accounts);
        for entry in written.log {
            let end = self.ends.entry(entry.partition).or_default();
            *end += 1;
            self.log.push(LogEntry { sequence: *end, ..entry });
        }
    }
}

/// Writes a value, or drops what stands under the key.
fn put<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}

/// What a step has written and nobody else sees yet. None: dropped.
#[derive(Default)]
struct Written {
    sessions: BTreeMap<(Scope, SessionId), Option<Session>>,
    subjects: BTreeMap<SubjectKey, (Subject, Timestamp)>,
    memos: BTreeMap<[u8; 16], Option<Memo>>,
    names: BTreeMap<[u8; 16], NameRow>,
    messages: BTreeMap<[u8; 16], MessageRow>,
    heads: BTreeMap<TenantId, Head>,
    accounts: BTreeMap<TenantId, Account>,
    log: Vec<LogEntry>,
}

/// The tables as one step sees them. Thrown away when the step errs.
struct Overlay<'a> {
    below: &'a Tables,
    written: Written,
}

impl Rows for Overlay<'_> {
    fn session(&mut self, scope: Scope, id: SessionId) -> Result<Option<Session>, StoreError> {
        let key = (scope, id);
        Ok(self.written.sessions.get(&key).cloned().unwrap_or_else(|| self.below.sessions.get(&key).cloned()))
    }

    fn put_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.written.sessions.insert((session.scope(), session.id()), Some(session.clone()));
        Ok(())
    }

    fn drop_session(&mut self, scope: Scope, id: SessionId) -> Result<(), StoreError> {
        self.written.sessions.insert((scope, id), None);
        Ok(())
    }

    fn subject(&mut self, key: SubjectKey) -> Result<Option<Subject>, StoreError> {
        let found = self.written.subjects.get(&key).or_else(|| self.below.subjects.get(&key));
        Ok(found.map(|(subject, _)| subject.clone()))
    }

    fn put_subject(&mut self, key: SubjectKey, subject: &Subject, forget_at: Timestamp) -> Result<(), StoreError> {
        self.written.subjects.insert(key, (subject.clone(), forget_at));
        Ok(())
    }

    fn memo(&mut self, key: Fingerprint) -> Result<Option<Memo>, StoreError> {
        Ok(self.written.memos.get(&key.0).cloned().unwrap_or_else(|| self.below.memos.get(&key.0).cloned()))
    }

    fn put_memo(&mut self, key: Fingerprint, memo: &Memo) -> Result<(), StoreError> {
        self.written.memos.insert(key.0, Some(memo.clone()));
        Ok(())
    }

    fn drop_memo(&mut self, key: Fingerprint) -> Result<(), StoreError> {
        self.written.memos.insert(key.0, None);
        Ok(())
    }

    fn name(&mut self, key: Fingerprint) -> Result<Option<NameRow>, StoreError> {
        Ok(self.written.names.get(&key.0).or_else(|| self.below.names.get(&key.0)).cloned())
    }

    fn put_name(&mut self, key: Fingerprint, row: &NameRow) -> Result<(), StoreError> {
        self.written.names.insert(key.0, row.clone());
        Ok(())
    }

    fn message(&mut self, key: Fingerprint) -> Result<Option<MessageRow>, StoreError> {
        Ok(self.written.messages.get(&key.0).or_else(|| self.below.messages.get(&key.0)).cloned())
    }

    fn put_message(&mut self, key: Fingerprint, row: &MessageRow) -> Result<(), StoreError> {
        self.written.messages.insert(key.0, row.clone());
        Ok(())
    }

    fn head(&mut self, tenant: TenantId) -> Result<Option<Head>, StoreError> {
        Ok(self.written.heads.get(&tenant).or_else(|| self.below.heads.get(&tenant)).cloned())
    }

    fn put_head(&mut self, tenant: TenantId, head: &Head) -> Result<(), StoreError> {
        self.written.heads.insert(tenant, head.clone());
        Ok(())
    }

    fn account(&mut self, tenant: TenantId) -> Result<Option<Account>, StoreError> {
        Ok(self.written.accounts.get(&tenant).or_else(|| self.below.accounts.get(&tenant)).cloned())
    }

    fn put_account(&mut self, tenant: TenantId, account: &Account) -> Result<(), StoreError> {
        self.written.accounts.insert(tenant, account.clone());
        Ok(())
    }

    fn append(&mut self, entry: &LogEntry) -> Result<(), StoreError> {
        self.written.log.push(entry.clone());
        Ok(())
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn open(&self, step: Open) -> Result<Heard<OpenVerdict>, StoreError> {
        self.run(&step)
    }

    async fn record(&self, step: Record) -> Result<RecordVerdict, StoreError> {
        self.run(&step)
    }

    async fn verify(&self, step: Verify) -> Result<Heard<VerifyVerdict>, StoreError> {
        self.run(&step)
    }

    async fn resend(&self, step: Resend) -> Result<Heard<SendAgainVerdict>, StoreError> {
        self.run(&step)
    }

    async fn advance(&self, step: Advance) -> Result<Heard<SendAgainVerdict>, StoreError> {
        self.run(&step)
    }

    async fn cancel(&self, step: Cancel) -> Result<Heard<CancelVerdict>, StoreError> {
        self.run(&step)
    }

    async fn lapse(&self, step: Lapse) -> Result<LapseVerdict, StoreError> {
        self.run(&step)
    }

    async fn receive(&self, step: Receive) -> Result<ReceiveVerdict, StoreError> {
        self.run(&step)
    }

    async fn name_message(
        &self,
        through: &ProviderName,
        provider_id: &str,
        named: &NamedMessage,
    ) -> Result<Vec<ParkedReceipt>, StoreError> {
        self.run(&NameMessage { key: message_name(&self.keys, through, provider_id), message: named.clone() })
    }

    async fn find_message(
        &self,
        through: &ProviderName,
        provider_id: &str,
        receipt: &ParkedReceipt,
    ) -> Result<Option<NamedMessage>, StoreError> {
        self.run(&FindMessage { key: message_name(&self.keys, through, provider_id), receipt: receipt.clone() })
    }

    async fn is_sending(&self, message: Reference) -> Result<bool, StoreError> {
        let tables = self.tables();
        let found = tables.sessions.get(&(message.scope, message.session));
        Ok(found.is_some_and(|session| session.is_sending(message.message)))
    }

    async fn find(&self, scope: Scope, id: SessionId) -> Result<Option<Session>, StoreError> {
        let now = self.clock.now();
        Ok(self.tables().sessions.get(&(scope, id)).filter(|session| session.is_there(now)).cloned())
    }

    async fn named(&self, scope: Scope, query: NameQuery) -> Result<Vec<Session>, StoreError> {
        let now = self.clock.now();
        let tables = self.tables();
        let rows = query.names(scope.tenant, &self.keys).into_iter().filter_map(|name| tables.names.get(&name.0));
        let named = rows.flat_map(|row| row.living(now)).filter(|one| one.keys == scope.keys);
        let found = named.filter_map(|one| tables.sessions.get(&(scope, one.session)).cloned());
        Ok(newest_first(found, now))
    }

    async fn list(&self, scope: Scope, filter: SessionFilter, limit: usize) -> Result<Listed, StoreError> {
        let now = self.clock.now();
        let tables = self.tables();
        let newest_first = tables.sessions.values().rev().filter(|session| session.scope() == scope);
        let sessions = newest_first.filter(|session| filter.admits(session, now)).take(limit).cloned().collect();
        Ok(Listed { sessions, given_up_at: None })
    }

    async fn due(&self, limit: usize) -> Result<Vec<(Scope, SessionId)>, StoreError> {
        let now = self.clock.now();
        let tables = self.tables();
        let mut due: Vec<&Session> = tables.sessions.values().filter(|session| session.due_at() <= now).collect();
        due.sort_by_key(|session| session.due_at());
        Ok(due.into_iter().take(limit).map(|session| (session.scope(), session.id())).collect())
    }

    async fn strike(&self, step: Strike) -> Result<StrikeVerdict, StoreError> {
        self.run(&step)
    }

    async fn unblock(&self, step: Unblock) -> Result<bool, StoreError> {
        self.run(&step)
    }

    async fn admit(&self, guard: Guard) -> Result<Heard<()>, StoreError> {
        self.run(&Admit { guard })
    }

    async fn set_revision(&self, tenant: TenantId, revision: u64) -> Result<(), StoreError> {
        self.run(&SetRevision { tenant, revision })
    }

    async fn revoke(&self, tenant: TenantId, key: KeyId) -> Result<(), StoreError> {
        self.run(&Revoke { tenant, key })
    }

    async fn revoked(&self, tenant: TenantId) -> Result<Vec<(KeyId, Timestamp)>, StoreError> {
        Ok(self.tables().heads.get(&tenant).map(Head::revoked).unwrap_or_default())
    }

    async fn credit(&self, step: Credit) -> Result<CreditVerdict, StoreError> {
        self.run(&step)
    }

    async fn balance(&self, tenant: TenantId) -> Result<Balance, StoreError> {
        Ok(self.tables().accounts.get(&tenant).map(Account::view).unwrap_or_default())
    }

    async fn cut(&self, tenant: TenantId) -> Result<(), StoreError> {
        self.run(&Cut { tenant })
    }

    async fn rebuild(&self, tenant: TenantId, ledger: Money, credits: u64) -> Result<Balance, StoreError> {
        let sessions = |tables: &Tables| -> Money {
            let own = tables.sessions.values().filter(|session| session.scope().tenant == tenant);
            own.map(|session| session.tally().held).sum()
        };
        let held = sessions(&self.tables());
        self.run(&Rebuild { tenant, balance: ledger, held, credits })?;
        self.balance(tenant).await
    }

    async fn read_log(&self, partition: Partition, after: u64, limit: usize) -> Result<LogPage, StoreError> {
        let tables = self.tables();
        let own = || tables.log.iter().filter(|entry| entry.partition == partition);
        let entries = own().filter(|entry| entry.sequence > after).take(limit).cloned().collect();
        Ok(LogPage { entries, end: tables.ends.get(&partition).copied().unwrap_or(0) })
    }

    async fn trim_log(&self, partition: Partition, sequence: u64, before: Timestamp) -> Result<(), StoreError> {
        let goes = |entry: &LogEntry| entry.partition == partition && entry.sequence <= sequence && entry.at < before;
        self.tables().log.retain(|entry| !goes(entry));
        Ok(())
    }

    async fn save_configuration(&self, copy: Vec<u8>) -> Result<(), StoreError> {
        self.tables().configuration = Some(copy);
        Ok(())
    }

    async fn saved_configuration(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.tables().configuration.clone())
    }

    async fn has_configuration(&self) -> Result<bool, StoreError> {
        Ok(self.saved_configuration().await?.is_some())
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        tables.subjects.retain(|_, (_, forget_at)| *forget_at > now);
        tables.memos.retain(|_, memo| memo.forget_at > now);
        tables.names.retain(|_, row| row.forget_at() > now);
        tables.messages.retain(|_, row| row.forget_at() > now);
        Ok(())
    }

    fn memory_used(&self) -> Option<f64> {
        None
    }

    async fn ready(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::suite::{Engine, Setup};

    async fn engine(setup: Setup) -> Engine {
        let store = Arc::new(MemoryStore::new(setup.keys, setup.clock, setup.budget));
        Engine { store, dump: None, keep: Box::new(()) }
    }

    crate::session_store_suite!(engine);
}
