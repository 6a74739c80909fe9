//! The folder in which an embedded installation keeps all its state.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The data directory. Who can read it can read every secret of the installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir(PathBuf);

/// Held by the one `serve` that works on a data directory; the operating system gives it back when the process ends.
#[derive(Debug)]
pub struct ServeLock {
    _file: File,
}

/// Held while keys, databases and the first tenant are made, so that two first starts make one installation.
#[derive(Debug)]
pub struct SetupLock {
    _folder: File,
}

/// The data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It can neither be found nor made.
    #[error("the data directory {} cannot be created: set --data-dir or COUNTERSIGN_DATA_DIR to a folder that can be written", dir.display())]
    Create {
        /// Which folder.
        dir: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another `serve` works on it.
    #[error("another `countersign serve` works on {}: stop it first, or give this one its own --data-dir", dir.display())]
    Taken {
        /// Which folder.
        dir: PathBuf,
    },
    /// The lock file cannot be made.
    #[error("the data directory {} cannot be locked", dir.display())]
    Lock {
        /// Which folder.
        dir: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl DataDir {
    /// At `path`, which need not exist yet.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The secrets of the installation.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.0.join("keys.json")
    }

    /// Tenants and API keys.
    #[must_use]
    pub fn records_file(&self) -> PathBuf {
        self.0.join("records.db")
    }

    /// Sessions, limits and the event log.
    #[must_use]
    pub fn hot_file(&self) -> PathBuf {
        self.0.join("hot.db")
    }

    /// Makes it, for its owner alone. One that is there already is left as it is.
    pub fn create(&self) -> Result<(), DataDirError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
            .map_err(|source| DataDirError::Create { dir: self.0.clone(), source })
    }

    /// Waits until no other process sets this directory up, and keeps others from doing so until the answer is dropped.
    pub fn alone(&self) -> Result<SetupLock, DataDirError> {
        let lock = |source| DataDirError::Lock { dir: self.0.clone(), source };
        let folder = File::open(&self.0).map_err(lock)?;
        folder.lock().map_err(lock)?;
        Ok(SetupLock { _folder: folder })
    }

    /// Takes it for one `serve`. Commands at the terminal do not lock: they work beside a server.
    pub fn lock(&self) -> Result<ServeLock, DataDirError> {
        let lock = |source| DataDirError::Lock { dir: self.0.clone(), source };
        let file = File::options().create(true).append(true).open(self.0.join("serve.lock")).map_err(lock)?;
        match file.try_lock() {
            Ok(()) => Ok(ServeLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::Taken { dir: self.0.clone() }),
            Err(TryLockError::Error(source)) => Err(lock(source)),
        }
    }
}
