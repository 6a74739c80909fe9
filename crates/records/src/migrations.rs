//! The form of the tables: the migrations this release knows, and those a database has seen.

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, Executor, SqlSafeStr};

use crate::engine::Engine;
use crate::{Records, RecordsError};

/// Number, name and text, in order. A text never changes once a release has had it: databases keep its checksum.
const MIGRATIONS: [(i64, &str, &str); 10] = [
    (1, "tenants and keys", include_str!("../migrations/0001_tenants_and_keys.sql")),
    (2, "configuration and contacts", include_str!("../migrations/0002_configuration_and_contacts.sql")),
    (3, "projection", include_str!("../migrations/0003_projection.sql")),
    (4, "webhook formats", include_str!("../migrations/0004_webhook_formats.sql")),
    (6, "templates by choice", include_str!("../migrations/0006_templates_by_choice.sql")),
    (7, "browser keys", include_str!("../migrations/0007_browser_keys.sql")),
    (8, "endpoints by key", include_str!("../migrations/0008_endpoints_by_key.sql")),
    (9, "carriers", include_str!("../migrations/0009_carriers.sql")),
    (10, "contacts' languages", include_str!("../migrations/0010_contacts_languages.sql")),
    (11, "named languages", include_str!("../migrations/0011_named_languages.sql")),
];

/// Where a database keeps what it has seen.
const TABLE: &str = "_sqlx_migrations";

/// What PostgreSQL's migrations take turns by. Any number, the same in all releases.
const LOCK: &str = "SELECT pg_advisory_xact_lock(4851305271)";

/// How a database's form differs from this release's. Nothing in either list: not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// Migrations that are to be done.
    pub missing: Vec<i64>,
    /// Migrations that a newer release has done.
    pub unknown: Vec<i64>,
}

impl Form {
    /// Whether this release can work with it, and what to do if not.
    pub fn require_current(self) -> Result<(), RecordsError> {
        if !self.unknown.is_empty() {
            return Err(RecordsError::Newer { unknown: self.unknown });
        }
        if self.missing.is_empty() { Ok(()) } else { Err(RecordsError::NotMigrated { missing: self.missing }) }
    }
}

impl Records {
    /// Brings the tables to this release's form, whole or not at all, and tells which migrations it did. Whoever comes second waits and
    /// finds nothing to do. A database of a newer release is left alone: [`RecordsError::Newer`].
    pub async fn migrate(&self) -> Result<Vec<i64>, RecordsError> {
        let mut whole = self.begin_opening().await?;
        let connection = whole.connection();
        if self.engine == Engine::Postgres {
            // Text of our own, several statements: not prepared.
            connection.execute(sqlx::raw_sql("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")).await?;
            connection.execute(LOCK).await?;
        }
        let form = form(connection, self.engine).await?;
        if !form.unknown.is_empty() {
            return Err(RecordsError::Newer { unknown: form.unknown });
        }
        let mut migrator = Migrator::with_migrations(migrations());
        migrator.set_locking(false);
        migrator.run_direct(None, connection, false).await.map_err(RecordsError::Migration)?;
        whole.commit().await?;
        Ok(form.missing)
    }

    /// Compares the form of the tables with this release's; changes nothing. [`Form::require_current`] turns it into an error.
    pub async fn check(&self) -> Result<Form, RecordsError> {
        let mut look = self.begin_reading().await?;
        form(look.connection(), self.engine).await
    }
}

fn migrations() -> Vec<Migration> {
    MIGRATIONS
        .into_iter()
        .map(|(number, name, text)| Migration::new(number, name.into(), MigrationType::Simple, text.into_sql_str(), false))
        .collect()
}

async fn form(connection: &mut AnyConnection, engine: Engine) -> Result<Form, RecordsError> {
    let exists = match engine {
        Engine::Sqlite => "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'",
        Engine::Postgres => "SELECT COUNT(*) FROM (SELECT 1 WHERE to_regclass('_sqlx_migrations') IS NOT NULL) AS found",
    };
    let seen = if sqlx::query_scalar::<_, i64>(exists).fetch_one(&mut *connection).await? == 0 {
        Vec::new()
    } else {
        connection.list_applied_migrations(TABLE).await.map_err(RecordsError::Migration)?
    };
    let known = migrations();
    if let Some(other) =
        known.iter().find(|ours| seen.iter().any(|it| it.version == ours.version && it.checksum != ours.checksum))
    {
        return Err(RecordsError::Migration(MigrateError::VersionMismatch(other.version)));
    }
    Ok(Form {
        missing: known.iter().map(|ours| ours.version).filter(|number| seen.iter().all(|it| it.version != *number)).collect(),
        unknown: seen.iter().map(|it| it.version).filter(|number| known.iter().all(|ours| ours.version != *number)).collect(),
    })
}
