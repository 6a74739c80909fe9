//! What the records keep, and what other processes see of it.
#![expect(clippy::unwrap_used, reason = "a test ends where its arrangement fails")]

use countersign_model::{
    AccessKey, ApiKey, KeyId, KeyKind, KeyScope, Partition, SecretHash, SeededRng, Tenant, TenantId, Timestamp,
};
use countersign_records::{Health, Records, RecordsError, check_file};
use tempfile::TempDir;

const NOW: Timestamp = Timestamp::from_millis(1_768_473_900_123);

fn tenant(name: &str, seed: u64) -> Tenant {
    Tenant { id: TenantId::mint(NOW, &SeededRng::new(seed), Partition::of(u128::from(seed))), name: name.to_owned() }
}

fn key(owner: &Tenant, seed: u8) -> ApiKey {
    ApiKey {
        id: KeyId::mint(NOW, &SeededRng::new(seed.into()), owner.id.partition()),
        tenant: owner.id,
        kind: KeyKind::Live,
        name: "shop".to_owned(),
        access_key: AccessKey(format!("ak_{seed}")),
        secret_hash: SecretHash([seed; 32]),
        scope: KeyScope::ReadOnly,
        allowed_ips: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        created_at: NOW,
        expires_at: Some(Timestamp::from_millis(NOW.millis() + 1)),
        revoked_at: None,
    }
}

async fn open(folder: &TempDir) -> Records {
    Records::open(&folder.path().join("records.db")).await.unwrap()
}

#[tokio::test]
async fn what_is_written_is_read_back_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let owner = tenant("default", 1);
    let first = open(&folder).await;
    first.tenants().insert(&owner).await.unwrap();
    first.api_keys().insert(&key(&owner, 1)).await.unwrap();
    first.close().await;

    let second = open(&folder).await;
    assert_eq!(second.tenants().list().await.unwrap(), vec![owner.clone()]);
    assert_eq!(second.tenants().find(owner.id).await.unwrap(), Some(owner.clone()));
    assert_eq!(second.tenants().find_by_name("default").await.unwrap(), Some(owner.clone()));
    assert_eq!(second.tenants().find_by_name("other").await.unwrap(), None);
    assert_eq!(second.api_keys().all().await.unwrap(), vec![key(&owner, 1)]);
}

#[tokio::test]
async fn a_key_belongs_to_one_tenant_and_is_out_of_reach_of_others() {
    let folder = TempDir::new().unwrap();
    let records = open(&folder).await;
    let (ours, theirs) = (tenant("ours", 1), tenant("theirs", 2));
    records.tenants().insert(&ours).await.unwrap();
    records.tenants().insert(&theirs).await.unwrap();
    records.api_keys().insert(&key(&ours, 1)).await.unwrap();

    assert_eq!(records.api_keys().list(theirs.id).await.unwrap(), vec![]);
    assert!(!records.api_keys().revoke(theirs.id, key(&ours, 1).id, NOW).await.unwrap());
    assert_eq!(records.api_keys().list(ours.id).await.unwrap()[0].revoked_at, None);
}

#[tokio::test]
async fn the_first_end_of_a_key_is_the_one_that_counts() {
    let folder = TempDir::new().unwrap();
    let records = open(&folder).await;
    let owner = tenant("default", 1);
    let made = key(&owner, 1);
    records.tenants().insert(&owner).await.unwrap();
    records.api_keys().insert(&made).await.unwrap();

    let later = Timestamp::from_millis(NOW.millis() + 60_000);
    assert!(records.api_keys().revoke(owner.id, made.id, NOW).await.unwrap());
    assert!(records.api_keys().revoke(owner.id, made.id, later).await.unwrap());
    assert_eq!(records.api_keys().all().await.unwrap()[0].revoked_at, Some(NOW));
}

#[tokio::test]
async fn a_second_tenant_of_one_name_and_a_key_of_no_tenant_are_refused() {
    let folder = TempDir::new().unwrap();
    let records = open(&folder).await;
    records.tenants().insert(&tenant("default", 1)).await.unwrap();

    let twice = records.tenants().insert(&tenant("default", 2)).await;
    assert!(matches!(twice, Err(RecordsError::Exists)), "{twice:?}");
    let orphan = records.api_keys().insert(&key(&tenant("nobody", 3), 1)).await;
    assert!(matches!(orphan, Err(RecordsError::NoTenant)), "{orphan:?}");
}

#[tokio::test]
async fn a_change_by_another_process_moves_the_version_and_a_look_does_not() {
    let folder = TempDir::new().unwrap();
    let serving = open(&folder).await;
    let at_the_terminal = open(&folder).await;
    let before = serving.data_version().await.unwrap();
    serving.tenants().list().await.unwrap();
    assert_eq!(serving.data_version().await.unwrap(), before);

    at_the_terminal.tenants().insert(&tenant("default", 1)).await.unwrap();
    let after = serving.data_version().await.unwrap();
    assert_ne!(after, before);

    serving.tenants().insert(&tenant("second", 2)).await.unwrap();
    assert_ne!(serving.data_version().await.unwrap(), after, "a change of our own is seen as well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_together_migrate_once() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("records.db");
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let file = file.clone();
            tokio::spawn(async move { Records::open(&file).await })
        })
        .collect();
    for start in starts {
        let opened = start.await.unwrap();
        assert!(opened.is_ok(), "{opened:?}");
    }
}

#[tokio::test]
async fn a_file_is_checked_beside_whoever_works_on_it() {
    let folder = TempDir::new().unwrap();
    let records = open(&folder).await;
    records.tenants().insert(&tenant("default", 1)).await.unwrap();
    let health = check_file(&folder.path().join("records.db")).await.unwrap();
    assert_eq!(health, Health { damage: vec![], journal_mode: "wal".to_owned() });
}

#[tokio::test]
async fn a_file_that_is_no_database_is_not_sound() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("records.db");
    std::fs::write(&file, "this was never a database, not even on a good day").unwrap();
    assert!(check_file(&file).await.is_err());
    assert!(check_file(&folder.path().join("absent.db")).await.is_err());
}
