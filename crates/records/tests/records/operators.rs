//! Admin tokens and the audit log.

use countersign_model::SecretHash;
use countersign_records::{AdminToken, AuditFilter, NewAuditEntry, RecordsError};
use serde_json::json;

use crate::base::{Base, NOW, later, on_both, tenant};

pub(crate) fn token(name: &str, seed: u8) -> AdminToken {
    AdminToken {
        name: name.to_owned(),
        hash: SecretHash([seed; 32]),
        scopes: vec!["tenants:read".to_owned()],
        created_at: NOW,
        expires_at: Some(later(60)),
        revoked_at: None,
    }
}

on_both! {
    async fn a_token_is_found_by_its_hash_and_ends_once(base: Base) {
        let records = base.open().await;
        records.admin_tokens().insert(&token("ops", 1)).await.unwrap();
        let found = records.admin_tokens().find_by_hash(SecretHash([1; 32])).await.unwrap().unwrap();
        assert_eq!(found, token("ops", 1));
        assert!(found.is_usable(later(59)) && !found.is_usable(later(60)));
        assert_eq!(records.admin_tokens().find_by_hash(SecretHash([2; 32])).await.unwrap(), None);

        assert!(records.admin_tokens().revoke("ops", NOW).await.unwrap());
        assert!(records.admin_tokens().revoke("ops", later(1)).await.unwrap());
        assert!(!records.admin_tokens().revoke("nobody", NOW).await.unwrap());
        assert_eq!(records.admin_tokens().find("ops").await.unwrap().unwrap().revoked_at, Some(NOW));
        let again = records.admin_tokens().insert(&token("ops", 3)).await;
        assert!(matches!(again, Err(RecordsError::Exists)), "a name in the log means one token: {again:?}");
        assert_eq!(records.admin_tokens().list().await.unwrap().len(), 1);
    }

    async fn the_log_tells_every_change_in_its_order_and_none_that_was_undone(base: Base) {
        let records = base.open().await;
        let owner = tenant("ours", 1);
        let entry = |what: &str, tenant| NewAuditEntry {
            at: NOW,
            who: "ops".to_owned(),
            what: what.to_owned(),
            tenant,
            target_kind: "tenant".to_owned(),
            target_id: owner.id.to_string(),
            before: None,
            after: Some(json!({"plan": "standard"})),
        };
        assert_eq!(records.audit().insert(&entry("one", Some(owner.id))).await.unwrap(), 1);
        let mut undone = records.begin().await.unwrap();
        undone.audit().insert(&entry("undone", Some(owner.id))).await.unwrap();
        drop(undone);
        assert_eq!(records.audit().insert(&entry("two", None)).await.unwrap(), 2);
        assert_eq!(records.audit().insert(&entry("three", Some(owner.id))).await.unwrap(), 3);

        let all = records.audit().list(AuditFilter::default(), 2).await.unwrap();
        assert_eq!(all.iter().map(|told| told.number).collect::<Vec<_>>(), [3, 2]);
        assert_eq!(all[0].entry, entry("three", Some(owner.id)));
        let rest = records.audit().list(AuditFilter { before: Some(2), tenant: None }, 9).await.unwrap();
        assert_eq!(rest.len(), 1);
        let ours = records.audit().list(AuditFilter { before: None, tenant: Some(owner.id) }, 9).await.unwrap();
        assert_eq!(ours.iter().map(|told| told.number).collect::<Vec<_>>(), [3, 1]);
    }
}
