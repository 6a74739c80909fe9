//! A step's rows, each read and written by a statement that was prepared once.

use countersign_model::{KeyKind, LogEntry, Money, Scope, SessionId, TenantId, Timestamp};
use rusqlite::{Connection, Params, Statement};
use serde::de::DeserializeOwned;

use super::unavailable;
use crate::code::{Fingerprint, SubjectKey};
use crate::session::Session;
use crate::store::StoreError;
use crate::store::faults::{FaultPoint, Faults};
use crate::store::rows::{Account, Head, Memo, MessageRow, NameRow, Rows, pack, pack_session, unpack, unpack_session};
use crate::subject::Subject;

/// The scope's part of a session's key: the tenant, then the kind of key.
pub(super) fn scope_key(scope: Scope) -> [u8; 17] {
    let mut key = [0; 17];
    key[..16].copy_from_slice(&scope.tenant.bits().to_be_bytes());
    key[16] = match scope.keys {
        KeyKind::Live => 0,
        KeyKind::Test => 1,
    };
    key
}

/// Back from [`scope_key`].
pub(super) fn read_scope(key: [u8; 17]) -> Result<Scope, StoreError> {
    let (tenant, kind) = key.split_at(16);
    let bits = u128::from_be_bytes(tenant.try_into().map_err(|_| StoreError::Unreadable("scope"))?);
    let keys = match kind {
        [0] => KeyKind::Live,
        [1] => KeyKind::Test,
        _ => return Err(StoreError::Unreadable("scope")),
    };
    Ok(Scope { tenant: TenantId::from_bits(bits), keys })
}

pub(super) fn tenant_key(tenant: TenantId) -> [u8; 16] {
    tenant.bits().to_be_bytes()
}

/// The session's part of its key. Sorts as the ids do.
pub(super) fn id_key(id: SessionId) -> [u8; 16] {
    id.bits().to_be_bytes()
}

/// Every statement that a step may need.
struct Statements<'c> {
    session: Statement<'c>,
    put_session: Statement<'c>,
    drop_session: Statement<'c>,
    sessions: Statement<'c>,
    subject: Statement<'c>,
    put_subject: Statement<'c>,
    reply: Statement<'c>,
    put_reply: Statement<'c>,
    drop_reply: Statement<'c>,
    name: Statement<'c>,
    put_name: Statement<'c>,
    message: Statement<'c>,
    put_message: Statement<'c>,
    head: Statement<'c>,
    put_head: Statement<'c>,
    account: Statement<'c>,
    put_account: Statement<'c>,
    put_configuration: Statement<'c>,
    append: Statement<'c>,
    mark: Statement<'c>,
}

/// The rows of the writer's connection.
pub(super) struct SqliteRows<'c> {
    statements: Statements<'c>,
    faults: &'c dyn Faults,
}

impl<'c> SqliteRows<'c> {
    /// Prepares the statements.
    pub(super) fn new(connection: &'c Connection, faults: &'c dyn Faults) -> Result<Self, StoreError> {
        let prepare = |sql: &str| connection.prepare(sql).map_err(unavailable);
        let statements = Statements {
            session: prepare("SELECT value FROM sessions WHERE scope = ?1 AND id = ?2")?,
            put_session: prepare(
                "INSERT INTO sessions (scope, id, due_at, value) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (scope, id) DO UPDATE SET due_at = excluded.due_at, value = excluded.value",
            )?,
            drop_session: prepare("DELETE FROM sessions WHERE scope = ?1 AND id = ?2")?,
            sessions: prepare("SELECT value FROM sessions WHERE scope >= ?1 AND scope <= ?2")?,
            subject: prepare("SELECT value FROM subjects WHERE key = ?1")?,
            put_subject: prepare("INSERT OR REPLACE INTO subjects (key, forget_at, value) VALUES (?1, ?2, ?3)")?,
            reply: prepare("SELECT value FROM replies WHERE key = ?1")?,
            put_reply: prepare("INSERT OR REPLACE INTO replies (key, forget_at, value) VALUES (?1, ?2, ?3)")?,
            drop_reply: prepare("DELETE FROM replies WHERE key = ?1")?,
            name: prepare("SELECT value FROM names WHERE key = ?1")?,
            put_name: prepare("INSERT OR REPLACE INTO names (key, forget_at, value) VALUES (?1, ?2, ?3)")?,
            message: prepare("SELECT value FROM messages WHERE key = ?1")?,
            put_message: prepare("INSERT OR REPLACE INTO messages (key, forget_at, value) VALUES (?1, ?2, ?3)")?,
            head: prepare("SELECT value FROM heads WHERE tenant = ?1")?,
            put_head: prepare("INSERT OR REPLACE INTO heads (tenant, value) VALUES (?1, ?2)")?,
            account: prepare("SELECT value FROM accounts WHERE tenant = ?1")?,
            put_account: prepare("INSERT OR REPLACE INTO accounts (tenant, value) VALUES (?1, ?2)")?,
            put_configuration: prepare("INSERT OR REPLACE INTO configuration (key, value) VALUES (1, ?1)")?,
            append: prepare(
                "INSERT INTO log (partition, sequence, at, value)
                 VALUES (?1, (SELECT coalesce(max(sequence), 0) + 1 FROM log WHERE partition = ?1), ?2, ?3)",
            )?,
            mark: prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('ready_at', ?1)")?,
        };
        Ok(Self { statements, faults })
    }

    /// Replaces the copy of the records.
    pub(super) fn put_configuration(&mut self, copy: &[u8]) -> Result<(), StoreError> {
        write(self.faults, &mut self.statements.put_configuration, (copy,))
    }

    /// What all sessions of a tenant hold of its balance. Reads every one of them.
    pub(super) fn held(&mut self, tenant: TenantId) -> Result<Money, StoreError> {
        let scope = |keys| scope_key(Scope { tenant, keys });
        let mut found = self.statements.sessions.query((scope(KeyKind::Live), scope(KeyKind::Test))).map_err(unavailable)?;
        let mut held = Money::ZERO;
        while let Some(row) = found.next().map_err(unavailable)? {
            let packed = row.get_ref(0).map_err(unavailable)?.as_blob().map_err(|_| StoreError::Unreadable("session"))?;
            held = held + unpack_session(packed)?.tally().held;
        }
        Ok(held)
    }

    /// Writes a row that no step reads: whether anything can be written is only known by writing.
    pub(super) fn mark(&mut self, now: Timestamp) -> Result<(), StoreError> {
        write(self.faults, &mut self.statements.mark, (now.millis(),))
    }
}

/// Reads the one value that a key stands for, if it stands for one.
fn read<T: DeserializeOwned>(
    what: &'static str,
    faults: &dyn Faults,
    statement: &mut Statement<'_>,
    key: impl Params,
) -> Result<Option<T>, StoreError> {
    read_as(what, faults, statement, key, unpack)
}

fn read_session(faults: &dyn Faults, statement: &mut Statement<'_>, key: impl Params) -> Result<Option<Session>, StoreError> {
    read_as("session", faults, statement, key, |_, packed| unpack_session(packed))
}

fn read_as<T>(
    what: &'static str,
    faults: &dyn Faults,
    statement: &mut Statement<'_>,
    key: impl Params,
    form: impl FnOnce(&'static str, &[u8]) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    strike(faults)?;
    let mut rows = statement.query(key).map_err(unavailable)?;
    let value = match rows.next().map_err(unavailable)? {
        Some(row) => {
            let packed = row.get_ref(0).map_err(unavailable)?.as_blob().map_err(|_| StoreError::Unreadable(what))?;
            Some(form(what, packed)?)
        }
        None => None,
    };
    strike(faults)?;
    Ok(value)
}

fn write(faults: &dyn Faults, statement: &mut Statement<'_>, values: impl Params) -> Result<(), StoreError> {
    strike(faults)?;
    statement.execute(values).map_err(unavailable)?;
    strike(faults)
}

fn strike(faults: &dyn Faults) -> Result<(), StoreError> {
    if faults.strikes(FaultPoint::Statement) { Err(unavailable("a fault was asked for")) } else { Ok(()) }
}

impl Rows for SqliteRows<'_> {
    fn session(&mut self, scope: Scope, id: SessionId) -> Result<Option<Session>, StoreError> {
        read_session(self.faults, &mut self.statements.session, (scope_key(scope), id_key(id)))
    }

    fn put_session(&mut self, session: &Session) -> Result<(), StoreError> {
        let key = (scope_key(session.scope()), id_key(session.id()));
        let values = (key.0, key.1, session.due_at().millis(), pack_session(session)?);
        write(self.faults, &mut self.statements.put_session, values)
    }

    fn drop_session(&mut self, scope: Scope, id: SessionId) -> Result<(), StoreError> {
        write(self.faults, &mut self.statements.drop_session, (scope_key(scope), id_key(id)))
    }

    fn subject(&mut self, key: SubjectKey) -> Result<Option<Subject>, StoreError> {
        read("subject", self.faults, &mut self.statements.subject, (key.0,))
    }

    fn put_subject(&mut self, key: SubjectKey, subject: &Subject, forget_at: Timestamp) -> Result<(), StoreError> {
        write(self.faults, &mut self.statements.put_subject, (key.0, forget_at.millis(), pack(subject)?))
    }

    fn memo(&mut self, key: Fingerprint) -> Result<Option<Memo>, StoreError> {
        read("reply", self.faults, &mut self.statements.reply, (key.0,))
    }

    fn put_memo(&mut self, key: Fingerprint, memo: &Memo) -> Result<(), StoreError> {
        write(self.faults, &mut self.statements.put_reply, (key.0, memo.forget_at.millis(), pack(memo)?))
    }

    fn drop_memo(&mut self, key: Fingerprint) -> Result<(), StoreError> {
        write(self.faults, &mut self.statements.drop_reply, (key.0,))
    }

    fn name(&mut self, key: Fingerprint) -> Result<Option<NameRow>, StoreError> {
        read("name", self.faults, &mut self.statements.name, (key.0,))
    }

    fn put_name(&mut self, key: Fingerprint, row: &NameRow) -> Result<(), StoreError> {
        write(self.faults, &mut self.statements.put_name, (key.0, row.forget_at().millis(), pack(row)?))
    }

    fn message(&mut self, key: Fingerprint) -> Result<Option<MessageRow>, StoreError> {
        read("message", self.faults, &mut self.statements.message, (key.0,))
    }

    fn put_message(&mut self, key: Fingerprint, row: &MessageRow) -> Result<(), StoreError> {
        write(self.faults, &mut self.statements.put_message, (key.0, row.forget_at().millis(), pack(row)?))
    }

    fn head(&mut self, tenant: TenantId) -> Result<Option<Head>, StoreError> {
        read("head", self.faults, &mut self.statements.head, (tenant_key(tenant),))
    }

    fn put_head(&mut self, tenant: TenantId, head: &Head) -> Result<(), StoreError> {
        write(self.faults, &mut self.statements.put_head, (tenant_key(tenant), pack(head)?))
    }

    fn account(&mut self, tenant: TenantId) -> Result<Option<Account>, StoreError> {
        read("account", self.faults, &mut self.statements.account, (tenant_key(tenant),))
    }

    fn put_account(&mut self, tenant: TenantId, account: &Account) -> Result<(), StoreError> {
        write(self.faults, &mut self.statements.put_account, (tenant_key(tenant), pack(account)?))
    }

    fn append(&mut self, entry: &LogEntry) -> Result<(), StoreError> {
        let values = (entry.partition.number(), entry.at.millis(), pack(entry)?);
        write(self.faults, &mut self.statements.append, values)
    }
}
