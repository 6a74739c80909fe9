//! The file: who may read it, how connections to it behave, which tables it has.

use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{SqliteOptions, unavailable};
use crate::store::StoreError;

/// The layout of the tables that this release writes, kept in `PRAGMA user_version`.
const LAYOUT: i32 = 2;
/// How long a connection waits for a lock that somebody else holds, such as a backup.
const BUSY: Duration = Duration::from_secs(5);

/// A step is lasting when its commit returns (`synchronous = FULL`). What is dropped is overwritten: addresses do not outlive their rows. Steps wait while the log is copied into the file; a log of 64 MiB
/// makes that so rare that fewer than one step in a hundred meets it, and coalesces most of what is written twice.
const WRITER: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 16000;
    PRAGMA cache_size = -8192;
    PRAGMA temp_store = MEMORY;
    PRAGMA secure_delete = ON;
";
/// Readers come and go beside the writer, each with a small cache of its own.
const READER: &str = "
    PRAGMA cache_size = -512;
    PRAGMA temp_store = MEMORY;
";

/// A session is found by scope and id together, so that a foreign one is simply no row. Ids are big-endian and begin with the time: a
/// list that shows the newest first walks the key backwards. `due_at` is the one other thing sessions are looked for by.
///
/// The log numbers the entries of each partition for itself: the key that keeps an entry also reads them in order. The last entry of a
/// partition is emptied instead of dropped, so no number is given twice.
const TABLES: &str = "
    CREATE TABLE sessions (
        scope BLOB NOT NULL, id BLOB NOT NULL, due_at INTEGER NOT NULL, value BLOB NOT NULL,
        PRIMARY KEY (scope, id)
    ) WITHOUT ROWID;
    CREATE INDEX sessions_due ON sessions (due_at);
    CREATE TABLE subjects (
        key BLOB NOT NULL PRIMARY KEY, forget_at INTEGER NOT NULL, value BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE replies (
        key BLOB NOT NULL PRIMARY KEY, forget_at INTEGER NOT NULL, value BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE heads (tenant BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE accounts (tenant BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE configuration (key INTEGER NOT NULL PRIMARY KEY CHECK (key = 1), value BLOB NOT NULL);
    CREATE TABLE log (
        partition INTEGER NOT NULL, sequence INTEGER NOT NULL, at INTEGER NOT NULL, value BLOB NOT NULL,
        PRIMARY KEY (partition, sequence)
    ) WITHOUT ROWID;
    CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
";

/// What a file of this layout may lack: tables that an earlier release did not know and does not mind.
const ADDED: &str = "
    CREATE TABLE IF NOT EXISTS names (
        key BLOB NOT NULL PRIMARY KEY, forget_at INTEGER NOT NULL, value BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS messages (
        key BLOB NOT NULL PRIMARY KEY, forget_at INTEGER NOT NULL, value BLOB NOT NULL
    ) WITHOUT ROWID;
";

/// Opens the file for writing, makes its tables on first use, and refuses a layout from the future.
pub(super) fn open_writer(options: &SqliteOptions) -> Result<Connection, StoreError> {
    private_file(&options.path)?;
    let mut connection = connect(&options.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.execute_batch(WRITER).map_err(unavailable)?;
    create_tables(&mut connection)?;
    Ok(connection)
}

/// Opens the file for looking only. The tables must be there.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.execute_batch(READER).map_err(unavailable)?;
    Ok(connection)
}

fn connect(path: &Path, how: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, how | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(unavailable)?;
    connection.busy_timeout(BUSY).map_err(unavailable)?;
    Ok(connection)
}

/// Makes the file, or takes it as it is, for its owner alone. What SQLite keeps beside it gets the same permissions.
fn private_file(path: &Path) -> Result<(), StoreError> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    file.and_then(|file: File| file.set_permissions(Permissions::from_mode(0o600))).map_err(unavailable)
}

fn create_tables(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unavailable)?;
    let found: i32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(unavailable)?;
    match found {
        LAYOUT => {
            transaction.execute_batch(ADDED).map_err(unavailable)?;
            return transaction.commit().map_err(unavailable);
        }
        0 => {}
        newer => {
            return Err(StoreError::Unavailable(format!("its file has layout {newer}, this release reads layout {LAYOUT}")));
        }
    }
    transaction.execute_batch(TABLES).map_err(unavailable)?;
    transaction.execute_batch(ADDED).map_err(unavailable)?;
    transaction.pragma_update(None, "user_version", LAYOUT).map_err(unavailable)?;
    transaction.commit().map_err(unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(directory: &tempfile::TempDir) -> SqliteOptions {
        SqliteOptions { path: directory.path().join("hot.db") }
    }

    #[test]
    fn nobody_but_the_owner_may_read_the_file_or_what_lies_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(options(&directory).path, "").unwrap();
        let connection = open_writer(&options(&directory)).unwrap();
        connection.execute("INSERT INTO meta (key, value) VALUES ('a', 1)", ()).unwrap();
        for file in std::fs::read_dir(directory.path()).unwrap() {
            let file = file.unwrap();
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
        }
    }

    #[test]
    fn a_commit_is_on_the_disk_when_it_returns() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_writer(&options(&directory)).unwrap();
        let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(pragma("synchronous"), 2);
        let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
    }

    #[test]
    fn a_layout_from_the_future_is_refused_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_writer(&options(&directory)).unwrap();
        connection.pragma_update(None, "user_version", LAYOUT + 1).unwrap();
        drop(connection);
        let refusal = open_writer(&options(&directory)).unwrap_err();
        assert!(refusal.to_string().contains("layout 3"), "{refusal}");
    }

    #[test]
    fn a_second_start_finds_what_the_first_made() {
        let directory = tempfile::tempdir().unwrap();
        let first = open_writer(&options(&directory)).unwrap();
        first.execute("INSERT INTO meta (key, value) VALUES ('a', 1)", ()).unwrap();
        drop(first);
        let second = open_writer(&options(&directory)).unwrap();
        let value: i64 = second.query_row("SELECT value FROM meta WHERE key = 'a'", (), |row| row.get(0)).unwrap();
        assert_eq!(value, 1);
    }
}
