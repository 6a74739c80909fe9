/// Why a record could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The database cannot be reached or refuses to work: a missing folder, a full disk, a lock held for too long.
    #[error("the records database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// The tables could not be brought to the form this release works with.
    #[error("the records database could not be migrated")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// Another record already has this name, id or hash.
    #[error("a record with the same name or id exists already")]
    Exists,
    /// The tenant that a record should belong to is not there.
    #[error("the tenant of this record does not exist")]
    NoTenant,
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
            Some(refused) if refused.is_foreign_key_violation() => Self::NoTenant,
            Some(_) | None => Self::Unavailable(error),
        }
    }
}
