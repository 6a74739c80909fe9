use countersign_model::Flaw;
use countersign_records::RecordsError;
use countersign_session::store::StoreError;

/// Why a change or a look of an operator came to nothing. Nothing was changed then, unless it says so.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    /// Values that cannot be. Every one is told.
    #[error("{}", listed(.0))]
    Invalid(Vec<Flaw>),
    /// There is no such thing, or not in this tenant.
    #[error("there is no such {0}")]
    Missing(&'static str),
    /// Its name or id is taken.
    #[error("there is a {0} with this name or id already")]
    Exists(&'static str),
    /// It is what it would be made to be already, or it is past that.
    #[error("{0}")]
    State(&'static str),
    /// The idempotency key came with another body before.
    #[error("the idempotency key was used with another body")]
    IdempotencyMismatch,
    /// Others changed the same records again and again meanwhile.
    #[error("others are changing the same records: try again")]
    Busy,
    /// The records cannot be read or written. Whether a change was written is open where its last word got lost: repeat it.
    #[error("the records are unavailable")]
    Records(#[source] RecordsError),
    /// The session store is away.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A defect. Nothing about it is told to operators either.
    #[error("internal: {0}")]
    Internal(&'static str),
}

impl ManageError {
    /// What became of a `what` in the records.
    pub(super) fn of(what: &'static str) -> impl Fn(RecordsError) -> Self {
        move |error| match error {
            RecordsError::Exists => Self::Exists(what),
            RecordsError::Missing => Self::Missing(what),
            other => other.into(),
        }
    }

    /// All of `flaws`, if there are any.
    pub(super) fn unless_sound(flaws: Vec<Flaw>) -> Result<(), Self> {
        if flaws.is_empty() { Ok(()) } else { Err(Self::Invalid(flaws)) }
    }

    /// One value that cannot be.
    pub(super) fn invalid(field: &str, must: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self::Invalid(vec![Flaw::new(field, must)])
    }
}

impl From<RecordsError> for ManageError {
    fn from(error: RecordsError) -> Self {
        match error {
            RecordsError::Conflict(_) => Self::Busy,
            other => Self::Records(other),
        }
    }
}

fn listed(flaws: &[Flaw]) -> String {
    flaws.iter().map(Flaw::to_string).collect::<Vec<_>>().join("; ")
}
