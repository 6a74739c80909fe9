//! Both databases, and what stories are told about.

use std::path::PathBuf;
use std::time::Duration;

use countersign_model::{
    AccessKey, ApiKey, KeyId, KeyKind, KeyScope, Partition, SecretHash, SeededRng, Tenant, TenantId, TenantSettings, Timestamp,
};
use countersign_records::{Place, PoolOptions, Records};
use countersign_testing::{PostgresDatabase, PostgresServer};
use tempfile::TempDir;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_768_473_900_123);

/// A database that nobody else uses.
pub(crate) enum Base {
    File(TempDir),
    Postgres(PostgresDatabase),
}

impl Base {
    pub(crate) fn file() -> Self {
        Self::File(TempDir::new().unwrap())
    }

    pub(crate) fn postgres() -> Self {
        Self::Postgres(PostgresServer::shared().database())
    }

    pub(crate) fn place(&self) -> Place {
        match self {
            Self::File(folder) => Place::File(records_file(folder)),
            Self::Postgres(database) => Place::Url(database.url().into()),
        }
    }

    /// Opens it as one more process would, in this release's form.
    pub(crate) async fn open(&self) -> Records {
        let records = Records::open_with(self.place(), patient()).await.unwrap();
        records.migrate().await.unwrap();
        records
    }
}

/// More time than the busiest machine needs.
pub(crate) fn patient() -> PoolOptions {
    let minutes = Duration::from_secs(180);
    PoolOptions { acquire_timeout: minutes, statement_timeout: minutes, ..PoolOptions::default() }
}

pub(crate) fn records_file(folder: &TempDir) -> PathBuf {
    folder.path().join("records.db")
}

/// Tells each story twice.
macro_rules! on_both {
    ($(async fn $name:ident($base:ident: Base) $story:block)*) => {
        $(mod $name {
            use super::*;

            async fn story($base: Base) $story

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_a_file() {
                story(Base::file()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_postgresql() {
                story(Base::postgres()).await;
            }
        })*
    };
}

pub(crate) use on_both;

pub(crate) fn later(seconds: i64) -> Timestamp {
    Timestamp::from_millis(NOW.millis() + seconds * 1_000)
}

pub(crate) fn tenant(name: &str, seed: u64) -> Tenant {
    Tenant {
        id: TenantId::mint(NOW, &SeededRng::new(seed), Partition::of(u128::from(seed))),
        name: name.to_owned(),
        email: Some(format!("{name}@example.com")),
        plan: "standard".to_owned(),
        settings: TenantSettings::default(),
        revision: 1,
        created_at: NOW,
    }
}

pub(crate) fn key(owner: &Tenant, seed: u8) -> ApiKey {
    ApiKey {
        id: KeyId::mint(NOW, &SeededRng::new(seed.into()), owner.id.partition()),
        tenant: owner.id,
        kind: KeyKind::Live,
        name: "shop".to_owned(),
        access_key: AccessKey(format!("ak_{seed}")),
        secret_hash: SecretHash([seed; 32]),
        scope: KeyScope::ReadOnly,
        allowed_ips: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        origins: Vec::new(),
        created_at: NOW,
        expires_at: Some(Timestamp::from_millis(NOW.millis() + 1)),
        revoked_at: None,
    }
}
