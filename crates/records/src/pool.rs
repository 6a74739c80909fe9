//! The database, its connections and its form.

use std::sync::Arc;

use sqlx::{AnyPool, ConnectOptions, Connection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::engine::{Engine, Patience, Settings, file_pool, keep_log_ahead, settle, url_pool};
use crate::{Place, PoolOptions, RecordsError, Transaction};

/// The records of an installation. Cheap to clone: all clones share the same connections.
///
/// Each table is a handle, [`Records::tenants`] and its kin. A call on it is one transaction of its own; the same handles are made by a
/// [`Transaction`], for changes that must happen together.
#[derive(Debug, Clone)]
pub struct Records {
    pub(crate) pool: AnyPool,
    pub(crate) engine: Engine,
    /// Writers of this process queue here for the one write lock of a file: in order, and without taking a connection meanwhile.
    pub(crate) turns: Option<Arc<Semaphore>>,
    settings: Settings,
}

impl Records {
    /// Opens the records with the usual [`PoolOptions`]: see [`Records::open_with`].
    pub async fn open(place: impl Into<Place>) -> Result<Self, RecordsError> {
        Self::open_with(place.into(), PoolOptions::default()).await
    }

    /// Opens the records.
    ///
    /// A file is created for its owner alone if need be, and its tables are brought to this release's form; several processes may open it
    /// at the same time: one migrates, the others wait for it. A PostgreSQL is neither connected to nor migrated: a server can start while
    /// it is away. [`Records::reach`] says whether it answers, [`Records::check`] whether its tables have the right form.
    pub async fn open_with(place: Place, options: PoolOptions) -> Result<Self, RecordsError> {
        match place {
            Place::File(file) => {
                let (pool, settings) = file_pool(&file)?;
                let records = Self { pool, engine: Engine::Sqlite, turns: Some(Arc::new(Semaphore::new(1))), settings };
                records.reach().await?;
                keep_log_ahead(&records.pool).await?;
                records.migrate().await?;
                Ok(records)
            }
            Place::Url(url) => {
                let (pool, settings) = url_pool(&url, options)?;
                Ok(Self { pool, engine: Engine::Postgres, turns: None, settings })
            }
        }
    }

    /// Connects once, apart from the connections that calls share, and says at once why it does not work. A call would wait for a database
    /// that is only just starting, and could only tell that its time was up.
    pub async fn reach(&self) -> Result<(), RecordsError> {
        let look = async {
            let mut connection = self.pool.connect_options().connect().await?;
            settle(&mut connection, &self.settings).await?;
            connection.close().await
        };
        let patience = self.pool.options().get_acquire_timeout();
        Ok(timeout(patience, look).await.map_err(|_| sqlx::Error::PoolTimedOut)??)
    }

    /// Begins a transaction that will write. Dropping it undoes it.
    ///
    /// In a file it is the only one of its kind; in PostgreSQL it is READ COMMITTED: a row it changes is its own until it ends.
    pub async fn begin(&self) -> Result<Transaction, RecordsError> {
        let turn = self.turn().await;
        Ok(Transaction::new(self.pool.begin_with(self.engine.begin()).await?, turn))
    }

    /// The same for who opens the records: waits as long as another process changes the form of a file.
    pub(crate) async fn begin_opening(&self) -> Result<Transaction, RecordsError> {
        let turn = self.turn().await;
        let patience = Patience::begin();
        loop {
            match self.pool.begin_with(self.engine.begin()).await {
                // It has waited already as long as any statement does.
                Err(refused) if patience.is_left_for(&refused) => {}
                begun => return Ok(Transaction::new(begun?, turn)),
            }
        }
    }

    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        // Never closed.
        Arc::clone(self.turns.as_ref()?).acquire_owned().await.ok()
    }

    /// Begins a transaction whose reads all see the moment of the first one, and that must not write.
    pub(crate) async fn begin_reading(&self) -> Result<Transaction, RecordsError> {
        Ok(Transaction::new(self.pool.begin_with(self.engine.begin_reading()).await?, None))
    }

    /// Waits for what runs and closes the connections; the last one folds the write-ahead log into the file. Other clones are of no
    /// use afterwards.
    pub async fn close(self) {
        self.pool.close().await;
    }
}
