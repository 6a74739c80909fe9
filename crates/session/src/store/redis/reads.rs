//! Looking without deciding: sessions, what is due, the log, the copy of the configuration.

use std::collections::HashMap;

use countersign_model::{KeyId, LogEntry, Partition, Scope, SessionId, TenantId, Timestamp};
use redis::{RedisError, Value};

use super::RedisStore;
use super::answers::{Parts, session};
use super::link::{partitions, tag};
use super::log::{entry_id, read_entry, sequence};
use super::plan::{Plan, due_key, head_key, index_key, log_key, session_key};
use super::scripts;
use crate::session::Session;
use crate::session::packed::{LAYOUT, Malformed, Reader, Writer, scope as read_scope, scope_bytes};
use crate::store::rows::REVOKED_KEPT;
use crate::store::{Listed, LogPage, SessionFilter, StoreError};

/// Sessions that one answer of a list holds at most, and bytes after which it ends sooner: long answers hold up everybody on the connection.
const CHUNK: usize = 128;
const CHUNK_BYTES: u32 = 48 * 1024;
/// Sessions that one list may look at: a filter that almost nothing passes must not go through a whole day's.
const MAX_SCANNED: usize = 10_240;
/// Sessions of a partition that are asked for at once when something is due.
const MAX_DUE: usize = 500;
/// Entries of the log that one answer holds.
const PAGE: usize = 64;
/// Entries that one step of trimming looks at, and steps of one trim.
const TRIM: u32 = 256;
const TRIM_TURNS: usize = 32;
/// Values of a head.
const HEAD: usize = 3;
/// Where the copy of the configuration lies: in the first partition, since it belongs to none.
const CONFIGURATION: &str = "configuration";

/// A session of which a list tells: its id, and itself unless it is gone.
type Row = (SessionId, Option<Session>);

impl RedisStore {
    /// One value, and what time it is there.
    pub(super) async fn peek(&self, partition: Partition, key: Vec<u8>) -> Result<(Timestamp, Option<Vec<u8>>), StoreError> {
        let plan = Plan::new(&scripts::PEEK, partition, vec![key], Writer::new());
        let mut parts = Parts::of(self.run(&plan).await?.value)?;
        Ok((parts.moment()?, parts.next_bytes()?))
    }

    /// Keys of a tenant that were revoked lately, and when.
    pub(super) async fn revoked_keys(&self, tenant: TenantId) -> Result<Vec<(KeyId, Timestamp)>, StoreError> {
        let (_, packed) = self.peek(tenant.partition(), head_key(tenant)).await?;
        let revoked = packed.map(|packed| read_revoked(&packed)).transpose();
        revoked.map(Option::unwrap_or_default).map_err(|_| StoreError::Unreadable("head"))
    }

    /// A session as it lies there, and what time it is.
    pub(super) async fn stored_session(&self, scope: Scope, id: SessionId) -> Result<(Timestamp, Option<Session>), StoreError> {
        let (now, packed) = self.peek(scope.tenant.partition(), session_key(scope, id)).await?;
        Ok((now, packed.map(|packed| session(&packed)).transpose()?))
    }

    pub(super) async fn find_session(&self, scope: Scope, id: SessionId) -> Result<Option<Session>, StoreError> {
        let (now, found) = self.stored_session(scope, id).await?;
        Ok(found.filter(|session| session.is_there(now)))
    }

    /// Looks at a bounded number of sessions, however few the filter admits.
    pub(super) async fn list_sessions(&self, scope: Scope, filter: &SessionFilter, limit: usize) -> Result<Listed, StoreError> {
        let (oldest, mut before) = filter.bounds();
        let (mut sessions, mut scanned) = (Vec::new(), 0);
        if limit == 0 {
            return Ok(Listed { sessions, given_up_at: None });
        }
        while scanned < MAX_SCANNED {
            let (now, ended, rows) = self.stretch(scope, oldest, before).await?;
            scanned += rows.len();
            for (id, session) in rows {
                before = id.bits();
                sessions.extend(session.filter(|session| filter.admits(session, now)));
                if sessions.len() == limit {
                    return Ok(Listed { sessions, given_up_at: None });
                }
            }
            if ended {
                return Ok(Listed { sessions, given_up_at: None });
            }
        }
        Ok(Listed { sessions, given_up_at: Some(SessionId::from_bits(before)) })
    }

    /// The newest sessions of a stretch of ids, from the first up to but without the second, and whether these were all.
    async fn stretch(&self, scope: Scope, oldest: u128, before: u128) -> Result<(Timestamp, bool, Vec<Row>), StoreError> {
        let bound = |sign: u8, id: u128| [&[sign], &id.to_be_bytes()[..]].concat();
        let mut out = Writer::new();
        out.array(5).bytes(&scope_bytes(scope)).bytes(&bound(b'(', before)).bytes(&bound(b'[', oldest));
        out.int(i64::try_from(CHUNK).unwrap_or(i64::MAX)).int(CHUNK_BYTES);
        let plan = Plan::new(&scripts::LIST, scope.tenant.partition(), vec![index_key(scope)], out);
        let mut parts = Parts::of(self.run(&plan).await?.value)?;
        let (now, ended) = (parts.moment()?, parts.int::<u8>()? == 1);
        let mut rows = Vec::new();
        while let Some(id) = parts.next_bytes()? {
            let id = u128::from_be_bytes(id.try_into().map_err(|_| Malformed)?);
            let packed = parts.bytes()?;
            let found = if packed.is_empty() { None } else { Some(session(&packed)?) };
            rows.push((SessionId::from_bits(id), found));
        }
        Ok((now, ended, rows))
    }

    /// Sessions for which time alone may ask for something, the longest overdue first. A partition that cannot be asked keeps the others from
    /// nothing; only when none could be asked is that an error.
    pub(super) async fn due_sessions(&self, limit: usize) -> Result<Vec<(Scope, SessionId)>, StoreError> {
        let (mut due, mut failed) = (Vec::new(), None);
        let mut asked = false;
        for partition in partitions() {
            match self.due_in(partition, limit.min(MAX_DUE)).await {
                Ok(some) => {
                    asked = true;
                    due.extend(some);
                }
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed.filter(|_| !asked) {
            return Err(error);
        }
        due.sort_by_key(|(since, ..)| *since);
        Ok(due.into_iter().take(limit).map(|(_, scope, id)| (scope, id)).collect())
    }

    async fn due_in(&self, partition: Partition, limit: usize) -> Result<Vec<(i64, Scope, SessionId)>, StoreError> {
        let mut out = Writer::new();
        out.array(1).int(i64::try_from(limit).unwrap_or(i64::MAX));
        let plan = Plan::new(&scripts::DUE, partition, vec![due_key()], out);
        let mut parts = Parts::of(self.run(&plan).await?.value)?;
        let mut due = Vec::new();
        while let Some(name) = parts.next_bytes()? {
            let name: [u8; 33] = name.try_into().map_err(|_| Malformed)?;
            let scope = read_scope(std::array::from_fn(|at| name[at]))?;
            let id = u128::from_be_bytes(std::array::from_fn(|at| name[17 + at]));
            let since = parts.text()?.parse().map_err(|_| Malformed)?;
            due.push((since, scope, SessionId::from_bits(id)));
        }
        Ok(due)
    }

    /// Entries in order. Over a connection of its own: they may be long.
    pub(super) async fn log_page(&self, partition: Partition, after: u64, limit: usize) -> Result<LogPage, StoreError> {
        let mut connection = self.link.own(partition).await.map_err(super::unavailable)?;
        let key = log_name(partition);
        let mut entries: Vec<LogEntry> = Vec::new();
        while entries.len() < limit {
            let after = entries.last().map_or(after, |entry| entry.sequence);
            let count = PAGE.min(limit - entries.len());
            let mut range = redis::cmd("XRANGE");
            range.arg(&key).arg(format!("({}", entry_id(after))).arg("+").arg("COUNT").arg(count);
            let page: Vec<(String, Vec<Vec<u8>>)> = range.query_async(&mut connection).await.map_err(lost)?;
            let read = page.len();
            for (id, fields) in page {
                let packed = fields.get(1).ok_or(StoreError::Unreadable("log entry"))?;
                let entry = sequence(&id).and_then(|sequence| read_entry(partition, sequence, packed));
                entries.push(entry.map_err(|_| StoreError::Unreadable("log entry"))?);
            }
            if read < count {
                break;
            }
        }
        let asked: Result<HashMap<String, Value>, RedisError> =
            redis::cmd("XINFO").arg("STREAM").arg(&key).query_async(&mut connection).await;
        let end = match asked {
            Ok(told) => match told.get("last-generated-id") {
                Some(Value::BulkString(id)) => sequence(std::str::from_utf8(id).map_err(|_| Malformed)?)?,
                _ => return Err(StoreError::Unreadable("log")),
            },
            // A log that never had an entry is not there.
            Err(error) if error.detail().is_some_and(|words| words.contains("no such key")) => 0,
            Err(error) => return Err(lost(error)),
        };
        Ok(LogPage { entries, end })
    }

    pub(super) async fn trim(&self, partition: Partition, last: u64, before: Timestamp) -> Result<(), StoreError> {
        for _ in 0..TRIM_TURNS {
            let mut out = Writer::new();
            out.array(3).bytes(entry_id(last).as_bytes()).int(before.millis()).int(TRIM);
            let plan = Plan::new(&scripts::TRIM, partition, vec![log_key()], out);
            if !matches!(self.run(&plan).await?.value, Value::Int(1)) {
                break;
            }
        }
        Ok(())
    }

    pub(super) async fn put_configuration(&self, copy: Vec<u8>) -> Result<(), StoreError> {
        let mut connection = self.link.own(Partition::of(0)).await.map_err(super::unavailable)?;
        let mut set = redis::cmd("SET");
        set.arg(configuration_name()).arg(copy).exec_async(&mut connection).await.map_err(lost)
    }

    pub(super) async fn configuration(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let mut connection = self.link.own(Partition::of(0)).await.map_err(super::unavailable)?;
        redis::cmd("GET").arg(configuration_name()).query_async(&mut connection).await.map_err(lost)
    }

    pub(super) async fn is_configuration_there(&self) -> Result<bool, StoreError> {
        let mut connection = self.link.own(Partition::of(0)).await.map_err(super::unavailable)?;
        redis::cmd("EXISTS").arg(configuration_name()).query_async(&mut connection).await.map_err(lost)
    }
}

/// Redis's own words hold neither keys nor values.
fn lost(error: RedisError) -> StoreError {
    super::unavailable(error)
}

fn log_name(partition: Partition) -> Vec<u8> {
    [tag(partition).as_bytes(), &log_key()].concat()
}

fn configuration_name() -> String {
    [tag(Partition::of(0)), CONFIGURATION].concat()
}

/// What a head, as the scripts keep it, says of keys: each with the moment until which it is remembered.
fn read_revoked(packed: &[u8]) -> Result<Vec<(KeyId, Timestamp)>, Malformed> {
    let mut from = Reader::new(packed);
    from.array_of(HEAD)?;
    if from.int::<u8>()? != LAYOUT {
        return Err(Malformed);
    }
    let _revision: u64 = from.int()?;
    let keys = from.array()? / 2;
    let mut key = || Ok((KeyId::from_bits(from.id()?), Timestamp::from_millis(from.int()?).minus(REVOKED_KEPT)));
    (0..keys).map(|_| key()).collect()
}
