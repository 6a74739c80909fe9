//! The people tenants keep.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign_model::{Channel, Contact, ContactFields, ContactId, Recipient, SeededRng, Tenant, Timestamp};
use countersign_records::{NewContact, Records, RecordsError, Start, Upserted};

use crate::base::{Base, NOW, later, on_both, tenant};

fn fields(email: Option<&str>, phone: Option<&str>) -> ContactFields {
    ContactFields {
        external_id: None,
        email: email.map(str::to_owned),
        phone: phone.map(str::to_owned),
        first_name: Some("Ann".to_owned()),
        last_name: None,
        locale: None,
        tags: vec!["vip".to_owned(), "ünïcode".to_owned()],
        custom_fields: r#"{"size":1.50}"#.to_owned(),
        metadata: "{}".to_owned(),
        preferences: BTreeMap::from([(Channel::Sms, false)]),
        is_active: true,
    }
}

fn contact(owner: &Tenant, seed: u64, fields: ContactFields) -> Contact {
    let at = Timestamp::from_millis(NOW.millis() + i64::try_from(seed).unwrap());
    Contact {
        id: ContactId::mint(at, &SeededRng::new(seed), owner.id.partition()),
        tenant: owner.id,
        fields,
        verified_channels: vec![],
        created_at: at,
        updated_at: at,
    }
}

fn numbered(owner: &Tenant, seed: u64) -> Contact {
    contact(owner, seed, fields(None, Some(&format!("+1202555{seed:04}"))))
}

async fn two_tenants(records: &Records) -> (Tenant, Tenant) {
    let (ours, theirs) = (tenant("ours", 1), tenant("theirs", 2));
    records.tenants().insert(&ours).await.unwrap();
    records.tenants().insert(&theirs).await.unwrap();
    (ours, theirs)
}

on_both! {
    async fn a_contact_is_found_by_each_of_its_names_and_only_by_its_tenant(base: Base) {
        let records = base.open().await;
        let (ours, theirs) = two_tenants(&records).await;
        let named = ContactFields { external_id: Some("crm-7".to_owned()), ..fields(Some("Ann@Example.com"), Some("+12025550143")) };
        let ann = contact(&ours, 1, named);
        records.contacts().insert(&ann).await.unwrap();
        for (owner, wanted) in [(&ours, Some(&ann)), (&theirs, None)] {
            assert_eq!(records.contacts().find(owner.id, ann.id).await.unwrap().as_ref(), wanted);
            assert_eq!(records.contacts().find_by_external_id(owner.id, "crm-7").await.unwrap().as_ref(), wanted);
            assert_eq!(records.contacts().find_by_email(owner.id, "aNN@example.COM").await.unwrap().as_ref(), wanted);
            assert_eq!(records.contacts().find_by_phone(owner.id, "+12025550143").await.unwrap().as_ref(), wanted);
        }
        assert!(!records.contacts().delete(theirs.id, ann.id).await.unwrap());
        assert!(records.contacts().update(theirs.id, ann.id, NOW, |fields| fields).await.unwrap().is_none());
        assert_eq!(records.contacts().list(theirs.id, Start::Offset(0), 10).await.unwrap().total, 0);
        records.contacts().insert(&contact(&theirs, 2, ann.fields.clone())).await.unwrap();
    }

    async fn an_external_id_and_each_address_is_there_once_in_a_tenant(base: Base) {
        let records = base.open().await;
        let (ours, _) = two_tenants(&records).await;
        let named = ContactFields { external_id: Some("crm-7".to_owned()), ..fields(Some("ann@example.com"), Some("+12025550143")) };
        records.contacts().insert(&contact(&ours, 1, named)).await.unwrap();
        for taken in [
            fields(Some("ANN@example.com"), None),
            fields(Some("ben@example.com"), Some("+12025550143")),
            ContactFields { external_id: Some("crm-7".to_owned()), ..fields(Some("ben@example.com"), None) },
        ] {
            let refused = records.contacts().insert(&contact(&ours, 2, taken)).await;
            assert!(matches!(refused, Err(RecordsError::Exists)), "{refused:?}");
        }
        let ben = contact(&ours, 3, fields(Some("ben@example.com"), None));
        records.contacts().insert(&ben).await.unwrap();
        let refused = records
            .contacts()
            .update(ours.id, ben.id, NOW, |fields| ContactFields { email: Some("Ann@example.com".to_owned()), ..fields })
            .await;
        assert!(matches!(refused, Err(RecordsError::Exists)), "{refused:?}");
        let nobody = records.contacts().insert(&contact(&tenant("nobody", 3), 4, fields(None, None))).await;
        assert!(matches!(nobody, Err(RecordsError::Missing)), "{nobody:?}");
        assert_eq!(records.contacts().list(ours.id, Start::Offset(0), 10).await.unwrap().total, 2);
    }

    async fn two_nodes_that_add_the_same_address_at_once_add_it_once(base: Base) {
        let nodes = [Arc::new(base.open().await), Arc::new(base.open().await)];
        let (ours, _) = two_tenants(&nodes[0]).await;
        for round in 0..20_u64 {
            let calls: Vec<_> = nodes
                .iter()
                .zip(0_u64..)
                .map(|(node, number)| {
                    let (node, email) = (Arc::clone(node), format!("ann{round}@example.com"));
                    let ann = contact(&ours, round * 2 + number, fields(Some(&email), None));
                    tokio::spawn(async move { node.contacts().insert(&ann).await })
                })
                .collect();
            let mut told = Vec::new();
            for call in calls {
                told.push(call.await.unwrap());
            }
            let refused = told.iter().filter(|told| matches!(told, Err(RecordsError::Exists))).count();
            assert_eq!((told.iter().filter(|told| told.is_ok()).count(), refused), (1, 1), "{told:?}");
        }
        assert_eq!(nodes[0].contacts().list(ours.id, Start::Offset(0), 1).await.unwrap().total, 20);
    }

    async fn a_change_is_made_on_what_is_there_then_however_many_change_it(base: Base) {
        let records = Arc::new(base.open().await);
        let (ours, _) = two_tenants(&records).await;
        let ann = contact(&ours, 1, ContactFields { tags: vec![], ..fields(Some("ann@example.com"), None) });
        records.contacts().insert(&ann).await.unwrap();
        let calls: Vec<_> = (0..12)
            .map(|number| {
                let (records, ann) = (Arc::clone(&records), ann.clone());
                tokio::spawn(async move {
                    let add = |mut fields: ContactFields| {
                        fields.tags.push(format!("t{number}"));
                        fields
                    };
                    records.contacts().update(ann.tenant, ann.id, later(number), add).await.unwrap().unwrap()
                })
            })
            .collect();
        for call in calls {
            call.await.unwrap();
        }
        let found = records.contacts().find(ours.id, ann.id).await.unwrap().unwrap();
        assert_eq!(found.fields.tags.len(), 12, "{:?}", found.fields.tags);
        assert_eq!(found.created_at, ann.created_at);
    }

    async fn a_new_address_is_not_proved_by_the_old_ones_code(base: Base) {
        let records = base.open().await;
        let (ours, _) = two_tenants(&records).await;
        let both = fields(Some("ann@example.com"), Some("+12025550143"));
        let ann = Contact { verified_channels: vec![Channel::Email, Channel::Sms], ..contact(&ours, 1, both) };
        records.contacts().insert(&ann).await.unwrap();
        let change = |email: &'static str| move |fields| ContactFields { email: Some(email.to_owned()), ..fields };
        let same = records.contacts().update(ours.id, ann.id, NOW, change("Ann@example.com")).await.unwrap().unwrap();
        assert_eq!(same.verified_channels, [Channel::Email, Channel::Sms], "another spelling is the same mailbox");
        let other = records.contacts().update(ours.id, ann.id, NOW, change("ben@example.com")).await.unwrap().unwrap();
        assert_eq!(other.verified_channels, [Channel::Sms]);
    }

    async fn pages_hold_every_contact_once_newest_first_whichever_way_they_are_turned(base: Base) {
        let records = base.open().await;
        let (ours, theirs) = two_tenants(&records).await;
        for seed in 0..7 {
            records.contacts().insert(&numbered(&ours, seed)).await.unwrap();
            records.contacts().insert(&numbered(&theirs, 100 + seed)).await.unwrap();
        }
        let newest_first: Vec<ContactId> = (0..7).rev().map(|seed| numbered(&ours, seed).id).collect();

        let mut by_cursor = Vec::new();
        let mut start = Start::Offset(0);
        loop {
            let page = records.contacts().list(ours.id, start, 3).await.unwrap();
            assert_eq!(page.total, 7);
            by_cursor.extend(page.contacts.iter().map(|contact| contact.id));
            let Some(last) = page.contacts.last().filter(|_| page.has_more) else { break };
            start = Start::After(last.id);
        }
        assert_eq!(by_cursor, newest_first);

        let mut by_number = Vec::new();
        for page in 0..3 {
            let page = records.contacts().list(ours.id, Start::Offset(page * 3), 3).await.unwrap();
            by_number.extend(page.contacts.iter().map(|contact| contact.id));
        }
        assert_eq!(by_number, newest_first);

        assert!(records.contacts().delete(ours.id, newest_first[2]).await.unwrap());
        assert!(!records.contacts().delete(ours.id, newest_first[2]).await.unwrap());
        let rest = records.contacts().list(ours.id, Start::After(newest_first[2]), 10).await.unwrap();
        assert_eq!((rest.contacts.len(), rest.total, rest.has_more), (4, 6, false), "a cursor outlives its contact");
        let nothing = records.contacts().list(ours.id, Start::Offset(u64::MAX), 10).await.unwrap();
        assert_eq!((nothing.contacts.len(), nothing.total), (0, 6));
    }

    async fn many_are_added_and_changed_whole_and_each_is_told(base: Base) {
        let records = base.open().await;
        let (ours, _) = two_tenants(&records).await;
        let ann = contact(&ours, 1, ContactFields { external_id: Some("crm-7".to_owned()), ..fields(Some("ann@example.com"), None) });
        let ben = contact(&ours, 2, fields(None, Some("+12025550143")));
        for there in [&ann, &ben] {
            records.contacts().insert(there).await.unwrap();
        }
        let item = |seed, fields, verified| NewContact { id: contact(&ours, seed, ann.fields.clone()).id, fields, verified };
        let items = [
            item(10, fields(Some("new@example.com"), None), Some(Channel::Email)),
            item(11, ContactFields { first_name: Some("Anna".to_owned()), ..fields(Some("ANN@example.com"), None) }, Some(Channel::Email)),
            item(12, ContactFields { external_id: Some("crm-7".to_owned()), ..fields(None, Some("+12025550143")) }, None),
            item(13, fields(Some("NEW@example.com"), None), Some(Channel::Email)),
        ];
        let merge = |place: usize, old: ContactFields| ContactFields {
            first_name: items[place].fields.first_name.clone().or(old.first_name),
            phone: items[place].fields.phone.clone().or(old.phone),
            ..old
        };
        let told = records.contacts().upsert_many(ours.id, &items, later(5), merge).await.unwrap();
        let [Upserted::Created(new), Upserted::Updated(anna), Upserted::Taken, Upserted::Updated(again)] = &told[..] else {
            panic!("{told:?}");
        };
        assert_eq!((new.id, &new.verified_channels[..], new.created_at), (items[0].id, &[Channel::Email][..], later(5)));
        assert_eq!((anna.id, anna.fields.first_name.as_deref(), &anna.verified_channels[..]), (ann.id, Some("Anna"), &[Channel::Email][..]));
        assert_eq!((again.id, &again.verified_channels[..]), (new.id, &[Channel::Email][..]), "one proof is noted once");
        assert_eq!(records.contacts().find(ours.id, ann.id).await.unwrap().as_ref(), Some(anna));
        assert_eq!(records.contacts().list(ours.id, Start::Offset(0), 10).await.unwrap().total, 3);
    }

    async fn the_language_of_a_contact_is_found_by_its_addresses_and_only_by_its_tenant(base: Base) {
        let records = base.open().await;
        let (ours, theirs) = two_tenants(&records).await;
        let email = |text: &str| Recipient::parse(Channel::Email, text).unwrap();
        let phone = |text: &str| Recipient::parse(Channel::Voice, text).unwrap();
        records.contacts().insert(&contact(&ours, 1, fields(Some("ben@example.com"), None))).await.unwrap();
        assert!(!records.contacts().has_locales(ours.id).await.unwrap());
        let spanish = ContactFields { locale: Some("es-MX".to_owned()), ..fields(Some("Ann@Example.com"), Some("+12025550143")) };
        let ann = contact(&ours, 2, spanish);
        records.contacts().insert(&ann).await.unwrap();
        assert_eq!(records.contacts().find(ours.id, ann.id).await.unwrap().as_ref(), Some(&ann));
        for (owner, wanted) in [(&ours, Some("es-MX")), (&theirs, None)] {
            assert_eq!(records.contacts().has_locales(owner.id).await.unwrap(), wanted.is_some());
            for address in [email("aNN@example.COM"), phone("+12025550143")] {
                assert_eq!(records.contacts().locale_of(owner.id, &address).await.unwrap().as_deref(), wanted, "{address:?}");
            }
        }
        for nobody in [email("ben@example.com"), email("carl@example.com"), phone("+12025550144")] {
            assert_eq!(records.contacts().locale_of(ours.id, &nobody).await.unwrap(), None, "{nobody:?}");
        }
        let change = |locale: Option<&'static str>| move |fields| ContactFields { locale: locale.map(str::to_owned), ..fields };
        records.contacts().update(ours.id, ann.id, NOW, change(Some("pt"))).await.unwrap();
        assert_eq!(records.contacts().locale_of(ours.id, &phone("+12025550143")).await.unwrap().as_deref(), Some("pt"));
        records.contacts().update(ours.id, ann.id, NOW, change(None)).await.unwrap();
        assert_eq!(records.contacts().locale_of(ours.id, &phone("+12025550143")).await.unwrap(), None);
        assert!(!records.contacts().has_locales(ours.id).await.unwrap());
    }

    async fn part_of_a_larger_change_goes_with_it(base: Base) {
        let records = base.open().await;
        let (ours, _) = two_tenants(&records).await;
        let mut whole = records.begin().await.unwrap();
        whole.contacts().insert(&numbered(&ours, 1)).await.unwrap();
        let twice = whole.contacts().insert(&contact(&ours, 2, numbered(&ours, 1).fields)).await;
        assert!(matches!(twice, Err(RecordsError::Exists)), "{twice:?}");
        assert_eq!(whole.contacts().list(ours.id, Start::Offset(0), 10).await.unwrap().total, 1, "a refused look-up spoils nothing");
        drop(whole);
        assert_eq!(records.contacts().list(ours.id, Start::Offset(0), 10).await.unwrap().total, 0);
    }
}
