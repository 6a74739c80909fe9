//! The database file, its connections and its tables.

use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlSafeStr};
use tokio::sync::Mutex;

use crate::{ApiKeys, RecordsError, Tenants};

/// How long a statement waits for another process (a command at the terminal) to finish its write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Reads are rare and short: one connection serves, the other is there while it writes.
const CONNECTIONS: u32 = 2;

/// The records of an installation. Cheap to clone: all clones share the same connections.
#[derive(Debug, Clone)]
pub struct Records {
    pool: SqlitePool,
    /// Never writes, so that every change, whoever made it, moves the number it sees.
    watcher: Arc<Mutex<Option<SqliteConnection>>>,
}

impl Records {
    /// Opens the file, creating it for its owner alone if need be, and brings its tables to this release's form.
    ///
    /// Several processes may open the same file at the same time: one migrates, the others wait for it.
    pub async fn open(file: &Path) -> Result<Self, RecordsError> {
        create_private(file).map_err(|error| RecordsError::Unavailable(sqlx::Error::Io(error)))?;
        let options = options(file);
        let mut watcher = options.connect().await?;
        migrate(&mut watcher).await?;
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_lazy_with(options);
        Ok(Self { pool, watcher: Arc::new(Mutex::new(Some(watcher))) })
    }

    /// The owners.
    #[must_use]
    pub const fn tenants(&self) -> Tenants<'_> {
        Tenants::new(&self.pool)
    }

    /// What lets callers in.
    #[must_use]
    pub const fn api_keys(&self) -> ApiKeys<'_> {
        ApiKeys::new(&self.pool)
    }

    /// A number that is another one after any change, also by another process. It says nothing about how much changed,
    /// and numbers of different [`Records`] cannot be compared.
    pub async fn data_version(&self) -> Result<i64, RecordsError> {
        let mut watcher = self.watcher.lock().await;
        let connection = watcher.as_mut().ok_or(RecordsError::Unavailable(sqlx::Error::PoolClosed))?;
        Ok(sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await?)
    }

    /// Waits for what runs and closes the connections; the last one folds the write-ahead log into the file. Other clones are of no
    /// use afterwards.
    pub async fn close(self) {
        self.pool.close().await;
        if let Some(watcher) = self.watcher.lock().await.take()
            && let Err(error) = watcher.close().await
        {
            // Nothing is lost: the next start folds the log in.
            tracing::warn!(%error, "the records database was not closed in order");
        }
    }
}

/// Makes the file for its owner alone; what `SQLite` puts beside it gets the same permissions.
fn create_private(file: &Path) -> std::io::Result<()> {
    std::fs::File::options().create(true).append(true).mode(0o600).open(file).map(drop)
}

/// Every commit waits until it is on the disk: a key that was shown to somebody is never lost again.
fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

/// All migrations in one transaction that takes the write lock first: it is done whole and once, or not at all.
async fn migrate(connection: &mut SqliteConnection) -> Result<(), RecordsError> {
    let first = Migration::new(
        1,
        "tenants and keys".into(),
        MigrationType::Simple,
        include_str!("../migrations/0001_tenants_and_keys.sql").into_sql_str(),
        false,
    );
    let migrator = Migrator::with_migrations(vec![first]);
    let mut whole = connection.begin_with("BEGIN IMMEDIATE").await?;
    migrator.run_direct(None, &mut *whole, false).await.map_err(RecordsError::Migration)?;
    Ok(whole.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_waits_for_the_disk_and_keeps_foreign_keys() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("records.db");
        create_private(&file).unwrap();
        let mut connection = options(&file).connect().await.unwrap();
        for (pragma, wanted) in [("PRAGMA synchronous", 2_i64), ("PRAGMA foreign_keys", 1)] {
            let found: i64 = sqlx::query_scalar(pragma).fetch_one(&mut connection).await.unwrap();
            assert_eq!(found, wanted, "{pragma}");
        }
    }
}
