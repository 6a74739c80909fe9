//! Changes that happen together, and where a table's statements run: in somebody's transaction or in one of their own.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection};
use tokio::sync::OwnedSemaphorePermit;

use crate::{Records, RecordsError};

/// How often a change that is a transaction of its own is tried again when another got in its way.
pub(crate) const REPEATS: u32 = 3;

/// Changes that happen together or not at all. Made by [`Records::begin`]; undone when dropped.
///
/// After an error it can only be dropped: PostgreSQL goes on with nothing in it.
#[derive(Debug)]
pub struct Transaction {
    inner: sqlx::Transaction<'static, Any>,
    /// Given back after the transaction has ended.
    _turn: Option<OwnedSemaphorePermit>,
}

impl Transaction {
    pub(crate) const fn new(inner: sqlx::Transaction<'static, Any>, turn: Option<OwnedSemaphorePermit>) -> Self {
        Self { inner, _turn: turn }
    }

    /// Makes everything that was done in it last. [`RecordsError::Unavailable`] leaves open whether it was done.
    pub async fn commit(self) -> Result<(), RecordsError> {
        Ok(self.inner.commit().await?)
    }

    /// Where statements run.
    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }
}

/// Whose statements a table's handle runs.
#[derive(Debug)]
pub(crate) enum On<'a> {
    /// Each call for itself.
    Records(&'a Records),
    /// All of them in one transaction.
    Transaction(&'a mut Transaction),
}

impl<'a> On<'a> {
    /// A connection for a look. Changes go through [`change!`].
    pub(crate) async fn reader(self) -> Result<Reader<'a>, RecordsError> {
        match self {
            Self::Records(records) => Ok(Reader::Own(records.pool.acquire().await?)),
            Self::Transaction(whole) => Ok(Reader::Part(whole.connection())),
        }
    }

    pub(crate) async fn change(&mut self) -> Result<Change<'_>, RecordsError> {
        match self {
            Self::Records(records) => Ok(Change::Own(records.begin().await?)),
            Self::Transaction(whole) => Ok(Change::Part(whole)),
        }
    }

    /// Whether a change is a transaction of its own, and may be repeated whole.
    pub(crate) const fn is_own(&self) -> bool {
        matches!(self, Self::Records(_))
    }
}

/// A connection that looks.
pub(crate) enum Reader<'a> {
    Own(PoolConnection<Any>),
    Part(&'a mut AnyConnection),
}

impl Deref for Reader<'_> {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        match self {
            Self::Own(connection) => connection,
            Self::Part(connection) => connection,
        }
    }
}

impl DerefMut for Reader<'_> {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        match self {
            Self::Own(connection) => connection,
            Self::Part(connection) => connection,
        }
    }
}

/// A change under way: a transaction of its own or a part of somebody's.
pub(crate) enum Change<'a> {
    Own(Transaction),
    Part(&'a mut Transaction),
}

impl Change<'_> {
    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        match self {
            Self::Own(own) => own.connection(),
            Self::Part(whole) => whole.connection(),
        }
    }

    /// Ends a transaction of its own: well if the change went well, else as if nothing had been.
    pub(crate) async fn finish<T>(self, outcome: Result<T, RecordsError>) -> Result<T, RecordsError> {
        match self {
            Self::Own(own) => {
                let done = outcome?;
                own.commit().await?;
                Ok(done)
            }
            Self::Part(_) => outcome,
        }
    }
}

/// Runs a change on a table's handle: `change!(self.on, |connection| insert(connection, record).await)`.
///
/// The body answers a `Result<_, RecordsError>` and runs again when the transaction is its own and another got in its way.
macro_rules! change {
    ($on:expr, |$connection:ident| $body:expr) => {{
        let mut on = $on;
        let mut repeats = $crate::transaction::REPEATS;
        loop {
            let mut change = on.change().await?;
            let outcome: Result<_, $crate::RecordsError> = {
                let $connection = change.connection();
                async { $body }.await
            };
            match change.finish(outcome).await {
                Err($crate::RecordsError::Conflict(_)) if on.is_own() && repeats > 0 => repeats -= 1,
                told => break told,
            }
        }
    }};
}

pub(crate) use change;
