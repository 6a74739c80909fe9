//! Looking without writing, beside the writer and off the threads that serve requests.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_model::{KeyId, LogEntry, Partition, Scope, SessionId, TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::rows::{id_key, read_scope, scope_key, tenant_key};
use super::schema::open_reader;
use super::unavailable;
use crate::code::Fingerprint;
use crate::session::Session;
use crate::store::rows::{Account, Head, NameRow, unpack, unpack_session};
use crate::store::{Balance, Listed, LogPage, SessionFilter, StoreError};

/// Connections that look at the same time.
const READERS: usize = 4;
/// Rows that a list unpacks between two looks at whether it has enough.
const CHUNK: usize = 256;
/// Rows that one list may unpack: a filter that almost nothing passes must not hold the readers up for a whole day's sessions.
const MAX_SCANNED: usize = 10_240;

/// A few connections that only look, opened when first needed.
pub(super) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    /// Readers of a file whose tables are there.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Arc::default(), permits: Arc::new(Semaphore::new(READERS)) }
    }

    /// Looks through a connection, on a thread that may block.
    pub(super) async fn read<T, R>(&self, look: R) -> Result<T, StoreError>
    where
        T: Send + 'static,
        R: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(unavailable)?;
        let (idle, path) = (Arc::clone(&self.idle), self.path.clone());
        let looked = spawn_blocking(move || {
            let _permit = permit;
            let waiting = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = waiting.map_or_else(|| open_reader(&path), Ok)?;
            let found = look(&connection);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            found
        });
        looked.await.map_err(unavailable)?
    }
}

/// A session as it stands.
pub(super) fn find(connection: &Connection, scope: Scope, id: SessionId) -> Result<Option<Session>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT value FROM sessions WHERE scope = ?1 AND id = ?2").map_err(unavailable)?;
    let packed = statement.query_row((scope_key(scope), id_key(id)), value).optional().map_err(unavailable)?;
    packed.map(|packed| unpack_session(&packed)).transpose()
}

/// The sessions of a scope for which any of these names stands.
pub(super) fn named(
    connection: &Connection,
    scope: Scope,
    names: &[Fingerprint],
    now: Timestamp,
) -> Result<Vec<Session>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM names WHERE key = ?1").map_err(unavailable)?;
    let mut sessions = Vec::new();
    for name in names {
        let Some(packed) = statement.query_row((name.0,), value).optional().map_err(unavailable)? else { continue };
        let row: NameRow = unpack("name", &packed)?;
        for one in row.living(now).filter(|one| one.keys == scope.keys) {
            sessions.extend(find(connection, scope, one.session)?);
        }
    }
    Ok(sessions)
}

/// The newest sessions of a scope that the filter admits. Looks at a bounded number of sessions, however few it admits.
pub(super) fn list(
    connection: &Connection,
    scope: Scope,
    filter: &SessionFilter,
    limit: usize,
    now: Timestamp,
) -> Result<Listed, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT value, id FROM sessions WHERE scope = ?1 AND id >= ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4")
        .map_err(unavailable)?;
    let (oldest, before) = filter.bounds();
    let (oldest, mut before) = (oldest.to_be_bytes(), before.to_be_bytes());
    let (mut admitted, mut scanned) = (Vec::new(), 0);
    while admitted.len() < limit && scanned < MAX_SCANNED {
        let range = (scope_key(scope), oldest, before, i64::try_from(CHUNK).unwrap_or(i64::MAX));
        let mut rows = statement.query(range).map_err(unavailable)?;
        let mut seen = 0;
        while let Some(row) = rows.next().map_err(unavailable)? {
            seen += 1;
            before = row.get(1).map_err(unavailable)?;
            let packed = row.get_ref(0).map_err(unavailable)?.as_blob().map_err(|_| StoreError::Unreadable("session"))?;
            let session = unpack_session(packed)?;
            if filter.admits(&session, now) {
                admitted.push(session);
            }
            if admitted.len() == limit {
                return Ok(Listed { sessions: admitted, given_up_at: None });
            }
        }
        if seen < CHUNK {
            return Ok(Listed { sessions: admitted, given_up_at: None });
        }
        scanned += seen;
    }
    Ok(Listed { sessions: admitted, given_up_at: Some(SessionId::from_bits(u128::from_be_bytes(before))) })
}

/// Sessions for which time alone asks for something, the longest overdue first.
pub(super) fn due(connection: &Connection, now: Timestamp, limit: usize) -> Result<Vec<(Scope, SessionId)>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT scope, id FROM sessions WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2")
        .map_err(unavailable)?;
    let keys = statement.query_map((now.millis(), at_most(limit)), |row| Ok((row.get(0)?, row.get(1)?))).map_err(unavailable)?;
    let session = |key: rusqlite::Result<([u8; 17], [u8; 16])>| {
        let (scope, id) = key.map_err(unavailable)?;
        Ok((read_scope(scope)?, SessionId::from_bits(u128::from_be_bytes(id))))
    };
    keys.map(session).collect()
}

/// Entries of one partition, in order.
pub(super) fn read_log(connection: &Connection, partition: Partition, after: u64, limit: usize) -> Result<LogPage, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT value, sequence FROM log WHERE partition = ?1 AND sequence > ?2 AND length(value) > 0 ORDER BY sequence LIMIT ?3")
        .map_err(unavailable)?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let entries = statement
        .query_map((partition.number(), after, at_most(limit)), |row| Ok((value(row)?, row.get(1)?)))
        .map_err(unavailable)?;
    let entry = |row: rusqlite::Result<(Vec<u8>, i64)>| {
        let (packed, sequence) = row.map_err(unavailable)?;
        let entry: LogEntry = unpack("log entry", &packed)?;
        Ok(LogEntry { sequence: u64::try_from(sequence).unwrap_or(0), ..entry })
    };
    let entries: Vec<LogEntry> = entries.map(entry).collect::<Result<_, StoreError>>()?;
    let mut last = connection.prepare_cached("SELECT max(sequence) FROM log WHERE partition = ?1").map_err(unavailable)?;
    let end: Option<i64> = last.query_row((partition.number(),), |row| row.get(0)).map_err(unavailable)?;
    Ok(LogPage { entries, end: end.and_then(|end| u64::try_from(end).ok()).unwrap_or(0) })
}

/// The copy of the records.
pub(super) fn configuration(connection: &Connection) -> Result<Option<Vec<u8>>, StoreError> {
    connection.query_row("SELECT value FROM configuration", (), value).optional().map_err(unavailable)
}

/// A tenant's balance.
pub(super) fn balance(connection: &Connection, tenant: TenantId) -> Result<Balance, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM accounts WHERE tenant = ?1").map_err(unavailable)?;
    let packed = statement.query_row((tenant_key(tenant),), value).optional().map_err(unavailable)?;
    let account: Option<Account> = packed.map(|packed| unpack("account", &packed)).transpose()?;
    Ok(account.as_ref().map(Account::view).unwrap_or_default())
}

/// Keys of a tenant that were revoked lately, and when.
pub(super) fn revoked(connection: &Connection, tenant: TenantId) -> Result<Vec<(KeyId, Timestamp)>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM heads WHERE tenant = ?1").map_err(unavailable)?;
    let packed = statement.query_row((tenant_key(tenant),), value).optional().map_err(unavailable)?;
    let head: Option<Head> = packed.map(|packed| unpack("head", &packed)).transpose()?;
    Ok(head.as_ref().map(Head::revoked).unwrap_or_default())
}

fn value(row: &Row<'_>) -> rusqlite::Result<Vec<u8>> {
    row.get(0)
}

fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
