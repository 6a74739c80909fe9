//! What the two databases have of their own. All other statements are one text for both.

use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions, Executor};
use tokio::time::{Instant, sleep};

use crate::{PoolOptions, RecordsError};

/// How long a statement waits for somebody else's lock: another process's write, another transaction's row.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// How long whoever opens a file waits for another process that is just making it or changing its form: on a slow disk that takes its time.
const OPENING_TIMEOUT: Duration = Duration::from_secs(60);

/// How often a lock is asked for that SQLite itself does not wait for.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// A transaction whose node is gone gives its locks back after this.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Reads of a file are rare and short; one connection writes.
const FILE_CONNECTIONS: u32 = 4;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// Begins a transaction that will write.
    pub(crate) const fn begin(self) -> &'static str {
        match self {
            // Takes the write lock at once: one that began reading could not go on to write after somebody else did.
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// Begins a transaction whose reads all see one moment.
    pub(crate) const fn begin_reading(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN DEFERRED",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }
}

/// The statements with which each new connection is settled.
pub(crate) type Settings = Arc<str>;

/// Connections to a file, made for its owner alone if need be. Nothing is connected yet.
pub(crate) fn file_pool(file: &Path) -> Result<(AnyPool, Settings), RecordsError> {
    let file = create_private(file).map_err(|error| RecordsError::Unavailable(sqlx::Error::Io(error)))?;
    let options = connect_options(&file_url(&file)).map_err(RecordsError::Unavailable)?;
    // Every commit waits until it is on the disk: a key that was shown to somebody is never lost again.
    let settings =
        format!("PRAGMA busy_timeout = {}; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;", LOCK_TIMEOUT.as_millis());
    let own = PoolOptions { connections: FILE_CONNECTIONS, acquire_timeout: LOCK_TIMEOUT, ..PoolOptions::default() };
    Ok(lazy_pool(options, own, settings.into()))
}

/// Connections to a PostgreSQL. Nothing is connected yet.
pub(crate) fn url_pool(url: &SecretString, pool: PoolOptions) -> Result<(AnyPool, Settings), RecordsError> {
    let url = url.expose_secret();
    // The parser refuses what the connection would refuse, only sooner.
    url.parse::<PgConnectOptions>().map_err(RecordsError::Address)?;
    if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(RecordsError::Address(sqlx::Error::Configuration("it does not start with postgres://".into())));
    }
    let options = connect_options(url).map_err(RecordsError::Address)?;
    let settings = format!(
        "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {};",
        pool.statement_timeout.as_millis(),
        LOCK_TIMEOUT.as_millis(),
        IDLE_TIMEOUT.as_millis()
    );
    Ok(lazy_pool(options, pool, settings.into()))
}

fn lazy_pool(options: AnyConnectOptions, pool: PoolOptions, settings: Settings) -> (AnyPool, Settings) {
    let each = Arc::clone(&settings);
    let pool = AnyPoolOptions::new()
        .max_connections(pool.connections)
        .acquire_timeout(pool.acquire_timeout)
        .after_connect(move |connection, _| {
            let each = Arc::clone(&each);
            Box::pin(async move { settle(connection, &each).await })
        })
        .connect_lazy_with(options);
    (pool, settings)
}

/// Makes a new connection what it has to be.
pub(crate) async fn settle(connection: &mut AnyConnection, settings: &Settings) -> Result<(), sqlx::Error> {
    // Numbers of our own, several statements in one text: not prepared.
    connection.execute(sqlx::raw_sql(AssertSqlSafe(Arc::clone(settings)))).await.map(drop)
}

/// Has the file keep a write-ahead log, for good, so that readers and the writer do not wait for each other.
///
/// SQLite does not wait here for somebody who does the same (it refuses a reader that wants to write at once, lest two of them wait for
/// each other), whatever `busy_timeout` says: so this does.
pub(crate) async fn keep_log_ahead(pool: &AnyPool) -> Result<(), sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let patience = Patience::begin();
    loop {
        match connection.execute("PRAGMA journal_mode = WAL").await {
            Err(refused) if patience.is_left_for(&refused) => sleep(LOCK_PAUSE).await,
            done => return done.map(drop),
        }
    }
}

/// How long whoever opens a file still tries again what another process was in the way of.
pub(crate) struct Patience(Instant);

impl Patience {
    pub(crate) fn begin() -> Self {
        Self(Instant::now() + OPENING_TIMEOUT)
    }

    pub(crate) fn is_left_for(&self, refused: &sqlx::Error) -> bool {
        is_busy(refused) && Instant::now() < self.0
    }
}

/// Whether somebody else holds the lock that a statement needs (`SQLITE_BUSY` and its extended codes).
fn is_busy(refused: &sqlx::Error) -> bool {
    let code = refused.as_database_error().and_then(sqlx::error::DatabaseError::code).and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xFF == 5)
}

/// Statements are not logged: their values are people's addresses.
fn connect_options(url: &str) -> Result<AnyConnectOptions, sqlx::Error> {
    install_default_drivers();
    Ok(url.parse::<AnyConnectOptions>()?.disable_statement_logging())
}

/// Makes the file for its owner alone, and what `SQLite` puts beside it gets the same permissions. The path it really has.
///
/// One that is there is not opened: closing it again would drop the locks that this process's connections to it hold.
fn create_private(file: &Path) -> std::io::Result<PathBuf> {
    match fs::File::options().write(true).create_new(true).mode(0o600).open(file) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => fs::canonicalize(file),
    }
}

/// The path as an address: whatever a folder is called, it is taken by its letters.
fn file_url(file: &Path) -> String {
    let mut url = "sqlite://".to_owned();
    for &byte in file.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_waits_for_the_disk_and_keeps_foreign_keys_whatever_the_folder_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("a b%41?c#d ä");
        fs::create_dir(&odd).unwrap();
        let (pool, _) = file_pool(&odd.join("records.db")).unwrap();
        for (pragma, wanted) in [("PRAGMA synchronous", 2_i64), ("PRAGMA foreign_keys", 1), ("PRAGMA busy_timeout", 5_000)] {
            let found: i64 = sqlx::query_scalar(pragma).fetch_one(&pool).await.unwrap();
            assert_eq!(found, wanted, "{pragma}");
        }
    }

    #[test]
    fn an_address_that_is_none_of_postgresql_is_refused_without_being_shown() {
        for url in ["mysql://u:hunter2@h/d", "postgres://u:hunter2@h/d?sslmode=maybe", "hunter2", "postgres://u:hunter2@h:port/d"]
        {
            let refused = url_pool(&SecretString::from(url), PoolOptions::default()).unwrap_err();
            assert!(matches!(refused, RecordsError::Address(_)), "{refused:?}");
            assert!(!format!("{refused:?} {refused}").contains("hunter2"), "{refused:?}");
        }
    }
}
