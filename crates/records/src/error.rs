/// Why a record could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The database cannot be reached or refuses to work: a missing folder, a full disk, a lock held for too long.
    #[error("the records database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// The address is not one of a PostgreSQL, or one of its parameters makes no sense.
    #[error("not the address of a PostgreSQL database (postgres://user@host/name)")]
    Address(#[source] sqlx::Error),
    /// The tables could not be brought to the form this release works with.
    #[error("the records database could not be migrated")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// The tables have the form of an older release.
    #[error("the records database lacks migrations {missing:?}: run `countersign migrate`")]
    NotMigrated {
        /// The numbers of the migrations that are to be done.
        missing: Vec<i64>,
    },
    /// The tables have the form of a newer release.
    #[error(
        "the records database was migrated by a newer release (migrations {unknown:?}): start that release, or put back a backup; \
         `countersign migrate` only goes forward"
    )]
    Newer {
        /// The numbers of the migrations that this release does not know.
        unknown: Vec<i64>,
    },
    /// Another record already has this name, id, address or hash.
    #[error("a record with the same name or id exists already")]
    Exists,
    /// A record that this one belongs to or refers to is not there.
    #[error("the record that this one belongs to does not exist")]
    Missing,
    /// Another transaction got in the way and this one was undone whole: it may be tried again. Only who began a transaction himself
    /// sees this; a call that is its own transaction is repeated.
    #[error("another change got in the way")]
    Conflict(#[source] sqlx::Error),
    /// A stored field holds what no release ever wrote there: a person has to look.
    #[error("field {field} of a stored {record} cannot be read")]
    Corrupt {
        /// Which kind of record.
        record: &'static str,
        /// Which field of it.
        field: &'static str,
    },
}

impl From<sqlx::Error> for RecordsError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(refused) if refused.is_unique_violation() => Self::Exists,
            Some(refused) if refused.is_foreign_key_violation() => Self::Missing,
            // PostgreSQL's serialization failure and deadlock.
            Some(refused) if matches!(refused.code().as_deref(), Some("40001" | "40P01")) => Self::Conflict(error),
            Some(_) | None => Self::Unavailable(error),
        }
    }
}
