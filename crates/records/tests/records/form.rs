//! The form of the tables: missing, current, newer, spoilt.

use countersign_records::{Form, Place, Records, RecordsError};
use sqlx::{AnyPool, Executor};

use crate::base::{Base, on_both, patient, tenant};

/// The database behind the records' back.
async fn behind(base: &Base) -> AnyPool {
    sqlx::any::install_default_drivers();
    let url = match base {
        Base::File(folder) => format!("sqlite://{}", folder.path().join("records.db").display()),
        Base::Postgres(database) => database.url(),
    };
    AnyPool::connect(&url).await.unwrap()
}

on_both! {
    async fn processes_that_start_together_migrate_once(base: Base) {
        let starts: Vec<_> = (0..8)
            .map(|_| {
                let place = base.place();
                tokio::spawn(async move { Records::open_with(place, patient()).await?.migrate().await })
            })
            .collect();
        let mut done = Vec::new();
        for start in starts {
            done.extend(start.await.unwrap().unwrap());
        }
        let expected = usize::from(matches!(base, Base::Postgres(_)));
        assert_eq!(done.iter().filter(|number| **number == 1).count(), expected, "a file is migrated when it is opened: {done:?}");
        assert_eq!(base.open().await.check().await.unwrap(), Form::default());
    }

    async fn a_newer_database_is_left_alone_and_says_what_to_do(base: Base) {
        let records = base.open().await;
        records.tenants().insert(&tenant("default", 1)).await.unwrap();
        let seen = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                    SELECT 9001, 'from the future', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
        behind(&base).await.execute(seen).await.unwrap();

        let form = records.check().await.unwrap();
        assert_eq!(form, Form { missing: vec![], unknown: vec![9001] });
        let refused = form.require_current().unwrap_err().to_string();
        assert!(refused.contains("newer release") && refused.contains("9001"), "{refused}");
        let migrated = records.migrate().await;
        assert!(matches!(&migrated, Err(RecordsError::Newer { unknown }) if unknown == &[9001]), "{migrated:?}");
        if let Place::File(file) = base.place() {
            let opened = Records::open(&file).await;
            assert!(matches!(opened, Err(RecordsError::Newer { .. })), "{opened:?}");
        }
    }

    async fn a_migration_that_was_changed_afterwards_is_a_fault(base: Base) {
        let records = base.open().await;
        behind(&base).await.execute("UPDATE _sqlx_migrations SET checksum = '00' WHERE version = 2").await.unwrap();
        let form = records.check().await;
        assert!(matches!(form, Err(RecordsError::Migration(_))), "{form:?}");
    }
}

#[tokio::test]
async fn a_postgresql_is_not_touched_before_it_is_told_to_migrate() {
    let base = Base::postgres();
    let records = Records::open_with(base.place(), patient()).await.unwrap();
    let form = records.check().await.unwrap();
    assert_eq!((form.missing.first(), &form.unknown[..]), (Some(&1), &[][..]));
    let refused = form.require_current().unwrap_err().to_string();
    assert!(refused.contains("countersign migrate"), "{refused}");
    let tables: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'")
        .fetch_one(&behind(&base).await)
        .await
        .unwrap();
    assert_eq!(tables, 0);
}

#[tokio::test]
async fn a_file_of_the_first_release_is_brought_along_with_what_it_holds() {
    let base = Base::file();
    let Base::File(folder) = &base else { return };
    std::fs::write(folder.path().join("records.db"), "").unwrap();
    let pool = behind(&base).await;
    let first = include_str!("../../migrations/0001_tenants_and_keys.sql");
    pool.execute(sqlx::raw_sql(first)).await.unwrap();
    let migration = sqlx::migrate::Migration::new(
        1,
        "tenants and keys".into(),
        sqlx::migrate::MigrationType::Simple,
        sqlx::SqlSafeStr::into_sql_str(first),
        false,
    );
    let mut connection = pool.acquire().await.unwrap();
    sqlx::migrate::Migrate::ensure_migrations_table(&mut *connection, "_sqlx_migrations").await.unwrap();
    sqlx::migrate::Migrate::skip(&mut *connection, "_sqlx_migrations", &migration).await.unwrap();
    let owner = tenant("default", 1);
    sqlx::query("INSERT INTO tenants (id, name) VALUES ($1, 'default')").bind(owner.id.to_string()).execute(&pool).await.unwrap();
    sqlx::query(
        "INSERT INTO api_keys (id, tenant_id, kind, name, access_key, secret_hash, scope, allowed_ips, created_at) \
         VALUES ('key_1', $1, 'test', 'n', 'ak', 'hash', 'full', '[]', 12345)",
    )
    .bind(owner.id.to_string())
    .execute(&pool)
    .await
    .unwrap();
    drop(connection);
    pool.close().await;

    let found = base.open().await.tenants().find(owner.id).await.unwrap().unwrap();
    assert_eq!(
        (found.name.as_str(), found.plan.as_str(), found.revision, found.created_at.millis()),
        ("default", "standard", 1, 12345)
    );
}
