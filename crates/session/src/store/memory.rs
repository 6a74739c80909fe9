//! The engine of least surprise: maps in memory, gone with the process. Other engines are held against it; it never serves.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use countersign_model::{Clock, LogEntry, Partition, Scope, SessionId, Timestamp};

use super::rows::{Memo, Rows};
use super::steps::{Advance, Cancel, Lapse, Open, Record, Resend, Step, Verify};
use super::verdicts::{Answer, CancelVerdict, LapseVerdict, OpenVerdict, RecordVerdict, SendAgainVerdict, VerifyVerdict};
use super::{Listed, SessionFilter, SessionStore, StoreError};
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
    log: Vec<LogEntry>,
    last_sequence: u64,
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
        for entry in written.log {
            self.last_sequence += 1;
            self.log.push(LogEntry { sequence: self.last_sequence, ..entry });
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

    fn append(&mut self, entry: &LogEntry) -> Result<(), StoreError> {
        self.written.log.push(entry.clone());
        Ok(())
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn open(&self, step: Open) -> Result<Answer<OpenVerdict>, StoreError> {
        self.run(&step)
    }

    async fn record(&self, step: Record) -> Result<RecordVerdict, StoreError> {
        self.run(&step)
    }

    async fn verify(&self, step: Verify) -> Result<Answer<VerifyVerdict>, StoreError> {
        self.run(&step)
    }

    async fn resend(&self, step: Resend) -> Result<Answer<SendAgainVerdict>, StoreError> {
        self.run(&step)
    }

    async fn advance(&self, step: Advance) -> Result<SendAgainVerdict, StoreError> {
        self.run(&step)
    }

    async fn cancel(&self, step: Cancel) -> Result<Answer<CancelVerdict>, StoreError> {
        self.run(&step)
    }

    async fn lapse(&self, step: Lapse) -> Result<LapseVerdict, StoreError> {
        self.run(&step)
    }

    async fn find(&self, scope: Scope, id: SessionId) -> Result<Option<Session>, StoreError> {
        let now = self.clock.now();
        Ok(self.tables().sessions.get(&(scope, id)).filter(|session| !session.is_forgotten(now)).cloned())
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

    async fn read_log(&self, partition: Partition, after: u64, limit: usize) -> Result<Vec<LogEntry>, StoreError> {
        let tables = self.tables();
        let wanted = tables.log.iter().filter(|entry| entry.partition == partition && entry.sequence > after);
        Ok(wanted.take(limit).cloned().collect())
    }

    async fn sweep(&self, log_before: Timestamp) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        tables.subjects.retain(|_, (_, forget_at)| *forget_at > now);
        tables.memos.retain(|_, memo| memo.forget_at > now);
        tables.log.retain(|entry| entry.at >= log_before);
        Ok(())
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
