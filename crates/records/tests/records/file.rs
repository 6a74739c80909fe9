//! What only a file has.

use std::os::unix::fs::PermissionsExt;

use countersign_records::{Health, Records, check_file};
use tempfile::TempDir;

use crate::base::{records_file, tenant};

#[tokio::test]
async fn a_file_and_what_lies_beside_it_are_its_owners_alone() {
    let folder = TempDir::new().unwrap();
    let records = Records::open(&records_file(&folder)).await.unwrap();
    records.tenants().insert(&tenant("default", 1)).await.unwrap();
    for name in ["records.db", "records.db-wal", "records.db-shm"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    records.close().await;
    assert!(!folder.path().join("records.db-wal").exists(), "the last connection folds the log in");
}

#[tokio::test]
async fn a_file_is_checked_beside_whoever_works_on_it() {
    let folder = TempDir::new().unwrap();
    let records = Records::open(&records_file(&folder)).await.unwrap();
    records.tenants().insert(&tenant("default", 1)).await.unwrap();
    let health = check_file(&records_file(&folder)).await.unwrap();
    assert_eq!(health, Health { damage: vec![], journal_mode: "wal".to_owned() });
}

#[tokio::test]
async fn a_file_that_is_no_database_is_not_sound() {
    let folder = TempDir::new().unwrap();
    let file = records_file(&folder);
    std::fs::write(&file, "this was never a database, not even on a good day").unwrap();
    assert!(check_file(&file).await.is_err());
    assert!(check_file(&folder.path().join("absent.db")).await.is_err());
    assert!(Records::open(&file).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_one_process_take_turns_and_lookers_do_not_wait() {
    let folder = TempDir::new().unwrap();
    let records = Records::open(&records_file(&folder)).await.unwrap();
    let mut first = records.begin().await.unwrap();
    first.tenants().insert(&tenant("default", 1)).await.unwrap();
    let others: Vec<_> = (2..20)
        .map(|seed| {
            let records = records.clone();
            tokio::spawn(async move { records.tenants().insert(&tenant(&format!("t{seed}"), seed)).await })
        })
        .collect();
    for _ in 0..20 {
        assert_eq!(records.tenants().list().await.unwrap(), vec![], "what is not committed is not seen");
        tokio::task::yield_now().await;
    }
    first.commit().await.unwrap();
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_eq!(records.tenants().list().await.unwrap().len(), 19);
}
