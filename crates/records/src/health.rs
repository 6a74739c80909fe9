use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::RecordsError;

/// What a look at a database file found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// What the integrity check complained of; empty when the file is sound.
    pub damage: Vec<String>,
    /// `wal`, unless the file system cannot do it.
    pub journal_mode: String,
}

/// Reads a whole `SQLite` file and says what is wrong with it, also beside a server that works on it. Changes nothing in it.
/// Slow on a large file.
pub async fn check_file(file: &Path) -> Result<Health, RecordsError> {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(5)).disable_statement_logging();
    let mut connection = options.connect().await?;
    let rows: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut connection).await?;
    let journal_mode = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut connection).await?;
    Ok(Health { damage: rows.into_iter().filter(|row| row != "ok").collect(), journal_mode })
}
