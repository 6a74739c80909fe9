//! Tenants and what lets their callers in.

use countersign_records::RecordsError;

use crate::base::{Base, NOW, key, later, on_both, tenant};

on_both! {
    async fn what_is_written_is_read_back_after_a_restart(base: Base) {
        let owner = tenant("default", 1);
        let first = base.open().await;
        first.tenants().insert(&owner).await.unwrap();
        let revision = first.api_keys().insert(&key(&owner, 1)).await.unwrap();
        first.close().await;

        let second = base.open().await;
        let owner = countersign_model::Tenant { revision, ..owner };
        assert_eq!(second.tenants().list().await.unwrap(), vec![owner.clone()]);
        assert_eq!(second.tenants().find(owner.id).await.unwrap(), Some(owner.clone()));
        assert_eq!(second.tenants().find_by_name("default").await.unwrap(), Some(owner.clone()));
        assert_eq!(second.tenants().find_by_name("other").await.unwrap(), None);
        assert_eq!(second.api_keys().all().await.unwrap(), vec![key(&owner, 1)]);
    }

    async fn a_key_belongs_to_one_tenant_and_is_out_of_reach_of_others(base: Base) {
        let records = base.open().await;
        let (ours, theirs) = (tenant("ours", 1), tenant("theirs", 2));
        records.tenants().insert(&ours).await.unwrap();
        records.tenants().insert(&theirs).await.unwrap();
        records.api_keys().insert(&key(&ours, 1)).await.unwrap();

        assert_eq!(records.api_keys().list(theirs.id).await.unwrap(), vec![]);
        assert_eq!(records.api_keys().find(theirs.id, key(&ours, 1).id).await.unwrap(), None);
        assert_eq!(records.api_keys().revoke(theirs.id, key(&ours, 1).id, NOW).await.unwrap(), None);
        assert_eq!(records.api_keys().list(ours.id).await.unwrap()[0].revoked_at, None);
    }

    async fn the_first_end_of_a_key_is_the_one_that_counts(base: Base) {
        let records = base.open().await;
        let owner = tenant("default", 1);
        let made = key(&owner, 1);
        records.tenants().insert(&owner).await.unwrap();
        records.api_keys().insert(&made).await.unwrap();

        assert!(records.api_keys().revoke(owner.id, made.id, NOW).await.unwrap().is_some());
        assert!(records.api_keys().revoke(owner.id, made.id, later(60)).await.unwrap().is_some());
        assert_eq!(records.api_keys().all().await.unwrap()[0].revoked_at, Some(NOW));
    }

    async fn a_second_tenant_of_one_name_and_a_key_of_no_tenant_are_refused(base: Base) {
        let records = base.open().await;
        records.tenants().insert(&tenant("default", 1)).await.unwrap();

        let twice = records.tenants().insert(&tenant("default", 2)).await;
        assert!(matches!(twice, Err(RecordsError::Exists)), "{twice:?}");
        let orphan = records.api_keys().insert(&key(&tenant("nobody", 3), 1)).await;
        assert!(matches!(orphan, Err(RecordsError::Missing)), "{orphan:?}");
    }

    async fn a_changed_tenant_has_a_new_revision_and_keeps_its_age(base: Base) {
        let records = base.open().await;
        let owner = tenant("default", 1);
        records.tenants().insert(&owner).await.unwrap();
        let changed = countersign_model::Tenant { plan: "large".to_owned(), created_at: later(9), ..owner.clone() };
        assert_eq!(records.tenants().update(&changed).await.unwrap(), 2);
        let found = records.tenants().find(owner.id).await.unwrap().unwrap();
        assert_eq!((found.plan.as_str(), found.revision, found.created_at), ("large", 2, NOW));

        let nobody = records.tenants().update(&tenant("nobody", 3)).await;
        assert!(matches!(nobody, Err(RecordsError::Missing)), "{nobody:?}");
    }
}
