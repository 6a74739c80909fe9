//! What only a server does: go away, come back, be told what it may take.

use std::time::Duration;

use countersign_records::{NewAuditEntry, Place, PoolOptions, Records, RecordsError};
use countersign_testing::PostgresServer;

use crate::base::{Base, NOW, patient, tenant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_open_while_their_server_is_away_and_work_when_it_is_back() {
    let mut server = PostgresServer::start();
    let database = server.database();
    server.kill();
    let hurried = PoolOptions { acquire_timeout: Duration::from_millis(200), ..PoolOptions::default() };
    let impatient = Records::open_with(Place::Url(database.url().into()), hurried).await.unwrap();
    let away = impatient.check().await;
    assert!(matches!(away, Err(RecordsError::Unavailable(_))), "{away:?}");
    let records = Records::open_with(Place::Url(database.url().into()), patient()).await.unwrap();
    let reason = records.reach().await;
    assert!(matches!(&reason, Err(RecordsError::Unavailable(sqlx::Error::Io(_)))), "{reason:?}");

    server.restart();
    records.reach().await.unwrap();
    records.migrate().await.unwrap();
    records.tenants().insert(&tenant("default", 1)).await.unwrap();
    server.kill();
    server.restart();
    assert_eq!(records.tenants().list().await.unwrap().len(), 1, "old connections are noticed and replaced");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended() {
    let base = Base::postgres();
    base.open().await;
    let hurried = PoolOptions { statement_timeout: Duration::from_millis(50), ..PoolOptions::default() };
    let records = Records::open_with(base.place(), hurried).await.unwrap();
    let mut holder = base.open().await.begin().await.unwrap();
    holder.tenants().insert(&tenant("default", 1)).await.unwrap();
    let waiting = records.tenants().insert(&tenant("other", 2)).await;
    assert!(matches!(waiting, Err(RecordsError::Unavailable(_))), "{waiting:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_transactions_that_wait_for_each_other_one_is_told_to_try_again() {
    let base = Base::postgres();
    let records = base.open().await;
    let entry = NewAuditEntry {
        at: NOW,
        who: "ops".to_owned(),
        what: "test".to_owned(),
        tenant: None,
        target_kind: "tenant".to_owned(),
        target_id: "none".to_owned(),
        before: None,
        after: None,
    };
    let (mut one, mut other) = (records.begin().await.unwrap(), records.begin().await.unwrap());
    one.audit().insert(&entry).await.unwrap();
    other.tenants().insert(&tenant("other", 2)).await.unwrap();
    let one = tokio::spawn(async move { one.tenants().insert(&tenant("one", 1)).await });
    let told = other.audit().insert(&entry).await;
    drop(other);
    let told = [one.await.unwrap(), told.map(drop)];
    assert_eq!(told.iter().filter(|told| matches!(told, Err(RecordsError::Conflict(_)))).count(), 1, "{told:?}");
    assert_eq!(told.iter().filter(|told| told.is_ok()).count(), 1, "{told:?}");
}
