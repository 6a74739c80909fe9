//! What an installation has before it can serve: a data directory, keys, records, a tenant, a first API key.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use countersign_core::manage::{KeyOrder, NewKey};
use countersign_model::{KeyKind, KeyScope, Rng, Tenant, Timestamp};
use countersign_records::{Records, RecordsError};
use countersign_session::KeyMaterial;

use crate::data_dir::{DataDir, DataDirError};
use crate::secrets::{self, KeyFileError};

/// The tenant that commands mean when they name none.
pub const DEFAULT_TENANT: &str = "default";

/// What the first key is called.
const FIRST_KEY: &str = "first sandbox key";

/// Keys and records of a data directory, ready for use.
#[derive(Debug)]
pub struct Installation {
    /// Where it is.
    pub data_dir: DataDir,
    /// Its secrets.
    pub keys: KeyMaterial,
    /// Its records.
    pub records: Records,
    /// The sandbox key, where this call was the one that made it: to be shown once.
    pub first_key: Option<NewKey>,
}

/// A data directory cannot be used as an installation.
#[derive(Debug, thiserror::Error)]
pub enum InstallationError {
    /// The folder itself.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The key file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The records database.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// Nothing has been set up there yet.
    #[error("{} is not set up: run `countersign init` or `countersign serve` first, or name the right --data-dir", dir.display())]
    NotSetUp {
        /// Which folder.
        dir: PathBuf,
    },
    /// The session database is gone while keys and records are there.
    #[error(
        "{} is missing: it held sessions, limits and blocks. Put it back from a backup, or run `countersign init --forget-sessions` to \
         go on without them",
        file.display()
    )]
    SessionsLost {
        /// Where it should be.
        file: PathBuf,
    },
    /// The file for sessions cannot be made.
    #[error("{} cannot be made", file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl Installation {
    /// Opens an installation and makes what is missing of it. Where a start was cut off in the middle, the next one goes on.
    ///
    /// Keys are never made where sessions or records exist: they would lock out whoever holds what the old keys signed.
    pub async fn open_or_create(data_dir: DataDir, now: Timestamp, rng: &dyn Rng) -> Result<Self, InstallationError> {
        let key_file = data_dir.key_file();
        Self::embedded(data_dir, &key_file, now, rng).await
    }

    /// The same with the key file at a place of its own.
    pub async fn embedded(data_dir: DataDir, key_file: &Path, now: Timestamp, rng: &dyn Rng) -> Result<Self, InstallationError> {
        data_dir.create()?;
        let _alone = data_dir.alone()?;
        let untouched = !key_file.exists() && !data_dir.records_file().exists() && !data_dir.hot_file().exists();
        if untouched {
            secrets::create(key_file, &KeyMaterial::generate(rng, now))?;
        }
        let keys = secrets::load(key_file)?;
        let records = Records::open(&data_dir.records_file()).await?;
        let hot_file = data_dir.hot_file();
        if !hot_file.exists() {
            // Once there is a key, somebody may have sent codes with it: limits and blocks are never forgotten without a word.
            if !records.api_keys().all().await?.is_empty() {
                return Err(InstallationError::SessionsLost { file: hot_file });
            }
            make_empty(hot_file)?;
        }
        let first_key = first_key(&records, now, rng).await?;
        Ok(Self { data_dir, keys, records, first_key })
    }

    /// The keys of an installation that several nodes share. They are never made by a start: each node must have the same.
    pub fn shared_keys(key_file: &Path) -> Result<KeyMaterial, InstallationError> {
        Ok(secrets::load(key_file)?)
    }

    /// Makes the key file where it is missing. Tells whether it did.
    pub fn make_keys(key_file: &Path, now: Timestamp, rng: &dyn Rng) -> Result<bool, InstallationError> {
        if key_file.exists() {
            secrets::load(key_file)?;
            return Ok(false);
        }
        secrets::create(key_file, &KeyMaterial::generate(rng, now))?;
        Ok(true)
    }

    /// The tenant `default` and its sandbox key in records that several nodes share, where there is no tenant yet.
    pub async fn first_tenant(records: &Records, now: Timestamp, rng: &dyn Rng) -> Result<Option<NewKey>, InstallationError> {
        Ok(first_key(records, now, rng).await?)
    }

    /// Begins with no sessions where their database is lost. One that is there is left alone.
    pub fn forget_sessions(data_dir: &DataDir) -> Result<(), InstallationError> {
        let _alone = data_dir.alone()?;
        let hot_file = data_dir.hot_file();
        if hot_file.exists() { Ok(()) } else { make_empty(hot_file) }
    }

    /// The records of an installation that is there already, for commands beside a server.
    pub async fn records(data_dir: &DataDir) -> Result<Records, InstallationError> {
        if !data_dir.records_file().exists() || !data_dir.hot_file().exists() {
            return Err(InstallationError::NotSetUp { dir: data_dir.path().to_owned() });
        }
        Ok(Records::open(&data_dir.records_file()).await?)
    }
}

/// An empty file is an empty database.
fn make_empty(file: PathBuf) -> Result<(), InstallationError> {
    let made = File::options().write(true).create_new(true).mode(0o600).open(&file);
    made.map(drop).map_err(|source| InstallationError::Io { file, source })
}

/// Makes the tenant `default` where there is no tenant, and its sandbox key where it never had any.
async fn first_key(records: &Records, now: Timestamp, rng: &dyn Rng) -> Result<Option<NewKey>, RecordsError> {
    if records.tenants().list().await?.is_empty() {
        records.tenants().insert(&Tenant::new(DEFAULT_TENANT, now, rng)).await?;
    }
    let Some(tenant) = records.tenants().find_by_name(DEFAULT_TENANT).await? else { return Ok(None) };
    if !records.api_keys().list(tenant.id).await?.is_empty() {
        return Ok(None);
    }
    let order = KeyOrder {
        tenant: tenant.id,
        kind: KeyKind::Test,
        name: FIRST_KEY.to_owned(),
        scope: KeyScope::Full,
        allowed_ips: Vec::new(),
        origins: Vec::new(),
        expires_at: None,
    };
    let made = NewKey::mint(order, now, rng);
    records.api_keys().insert(&made.key).await?;
    Ok(Some(made))
}

#[cfg(test)]
mod tests {
    use countersign_model::SeededRng;

    use super::*;
    use crate::secrets::permissions;

    const NOW: Timestamp = Timestamp::from_millis(1_768_473_900_000);

    async fn start(folder: &tempfile::TempDir, seed: u64) -> Result<Installation, InstallationError> {
        let data_dir = DataDir::new(folder.path().join("data"));
        Installation::open_or_create(data_dir, NOW, &SeededRng::new(seed)).await
    }

    #[tokio::test]
    async fn the_first_start_makes_one_key_and_later_ones_none() {
        let folder = tempfile::tempdir().unwrap();
        let first = start(&folder, 1).await.unwrap();
        let made = first.first_key.as_ref().unwrap();
        assert!(made.secret().starts_with("sk_test_"));
        assert_eq!(permissions(first.data_dir.path()).unwrap(), 0o700);
        assert_eq!(permissions(&first.data_dir.key_file()).unwrap(), 0o600);

        let second = start(&folder, 2).await.unwrap();
        assert!(second.first_key.is_none());
        assert_eq!(second.keys.subjects.kid, first.keys.subjects.kid, "the keys of the first start are kept");
        assert_eq!(second.records.api_keys().all().await.unwrap(), vec![made.key.clone()]);
    }

    #[tokio::test]
    async fn a_revoked_first_key_is_not_replaced_behind_the_operators_back() {
        let folder = tempfile::tempdir().unwrap();
        let first = start(&folder, 1).await.unwrap();
        let key = first.first_key.unwrap().key;
        first.records.api_keys().revoke(key.tenant, key.id, NOW).await.unwrap();
        assert!(start(&folder, 2).await.unwrap().first_key.is_none());
    }

    #[tokio::test]
    async fn a_start_that_was_cut_off_before_the_key_is_completed_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = DataDir::new(folder.path().join("data"));
        data_dir.create().unwrap();
        secrets::create(&data_dir.key_file(), &KeyMaterial::generate(&SeededRng::new(1), NOW)).unwrap();
        let records = Records::open(&data_dir.records_file()).await.unwrap();
        let tenant = Tenant::new(DEFAULT_TENANT, NOW, &SeededRng::new(3));
        records.tenants().insert(&tenant).await.unwrap();

        let next = start(&folder, 2).await.unwrap();
        assert_eq!(next.first_key.unwrap().key.tenant, tenant.id);
    }

    #[tokio::test]
    async fn lost_keys_are_never_replaced_by_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let first = start(&folder, 1).await.unwrap();
        std::fs::remove_file(first.data_dir.key_file()).unwrap();
        let refused = start(&folder, 2).await.unwrap_err();
        assert!(refused.to_string().contains("backup"), "{refused}");
    }

    #[tokio::test]
    async fn lost_sessions_are_not_replaced_by_none_without_a_word() {
        let folder = tempfile::tempdir().unwrap();
        let first = start(&folder, 1).await.unwrap();
        std::fs::remove_file(first.data_dir.hot_file()).unwrap();
        let refused = start(&folder, 2).await.unwrap_err();
        assert!(refused.to_string().contains("--forget-sessions"), "{refused}");
        Installation::forget_sessions(&first.data_dir).unwrap();
        start(&folder, 3).await.unwrap();
    }

    #[tokio::test]
    async fn commands_on_an_empty_folder_say_how_to_set_it_up() {
        let folder = tempfile::tempdir().unwrap();
        let refused = Installation::records(&DataDir::new(folder.path().to_owned())).await.unwrap_err();
        assert!(refused.to_string().contains("countersign init"), "{refused}");
    }
}
