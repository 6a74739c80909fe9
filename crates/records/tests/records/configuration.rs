//! Services, templates, senders, and the number that moves with them.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign_model::{
    Channel, ChannelPrice, LimitRule, LimitRules, PriceList, Sender, ServiceId, ServiceProfile, ServiceRecord, Template, Tenant,
    Uuid,
};
use countersign_records::{RecordsError, Snapshot};

use crate::base::{Base, NOW, key, later, on_both, tenant};
use crate::operators::token;

fn service(owner: &Tenant, number: u128, name: &str) -> ServiceRecord {
    let sms = ChannelPrice {
        default: "0.05".parse().unwrap(),
        countries: BTreeMap::from([("DE".to_owned(), "0.07".parse().unwrap())]),
    };
    ServiceRecord {
        id: id(number).to_string().parse::<ServiceId>().unwrap(),
        tenant: owner.id,
        name: name.to_owned(),
        profile: ServiceProfile { code_length: Some(8), locale: Some("pt-BR".to_owned()), ..ServiceProfile::default() },
        limits: LimitRules { sends_per_ip: Some(LimitRule { max: 3, seconds: 60 }), ..LimitRules::default() },
        prices: Some(PriceList { verification: "1".parse().unwrap(), channels: BTreeMap::from([(Channel::Sms, sms)]) }),
        created_at: NOW,
        updated_at: NOW,
    }
}

fn template(owner: &Tenant, number: u128, of: Option<ServiceId>) -> Template {
    Template {
        id: id(number),
        tenant: owner.id,
        service: of,
        channel: Channel::Email,
        locale: "en".to_owned(),
        name: "welcome".to_owned(),
        subject: Some("Your code".to_owned()),
        body: "{{code}} is your code".to_owned(),
        version: 1,
        by_choice: false,
        created_at: NOW,
    }
}

fn sender(owner: &Tenant, number: u128, value: &str) -> Sender {
    Sender { id: id(number), tenant: owner.id, channel: Channel::Sms, value: value.to_owned(), created_at: NOW }
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

on_both! {
    async fn what_a_tenant_has_is_read_back_and_out_of_reach_of_others(base: Base) {
        let records = base.open().await;
        let (ours, theirs) = (tenant("ours", 1), tenant("theirs", 2));
        for owner in [&ours, &theirs] {
            records.tenants().insert(owner).await.unwrap();
        }
        let made = service(&ours, 1, "shop");
        records.services().insert(&made).await.unwrap();
        let words = template(&ours, 2, Some(made.id));
        records.templates().insert(&words).await.unwrap();
        let from = sender(&ours, 3, "ACME");
        records.senders().insert(&from).await.unwrap();

        assert_eq!(records.services().find(ours.id, made.id).await.unwrap(), Some(made.clone()));
        assert_eq!(records.services().list(ours.id).await.unwrap(), vec![made.clone()]);
        assert_eq!(records.templates().find(ours.id, words.id).await.unwrap(), Some(words.clone()));
        assert_eq!(records.templates().list(ours.id).await.unwrap(), vec![words.clone()]);
        assert_eq!(records.senders().find(ours.id, from.id).await.unwrap(), Some(from.clone()));
        assert_eq!(records.senders().list(ours.id).await.unwrap(), vec![from.clone()]);

        assert_eq!(records.services().find(theirs.id, made.id).await.unwrap(), None);
        assert_eq!(records.services().delete(theirs.id, made.id).await.unwrap(), None);
        assert_eq!(records.templates().find(theirs.id, words.id).await.unwrap(), None);
        assert_eq!(records.templates().delete(theirs.id, words.id).await.unwrap(), None);
        assert_eq!(records.senders().find(theirs.id, from.id).await.unwrap(), None);
        assert_eq!(records.senders().delete(theirs.id, from.id).await.unwrap(), None);
        let foreign = records.templates().insert(&template(&theirs, 4, Some(made.id))).await;
        assert!(matches!(foreign, Err(RecordsError::Missing)), "a service of another tenant is none: {foreign:?}");
    }

    async fn two_tenants_may_bring_the_same_ids_along_but_one_tenant_not_twice(base: Base) {
        let records = base.open().await;
        let (ours, theirs) = (tenant("ours", 1), tenant("theirs", 2));
        for owner in [&ours, &theirs] {
            records.tenants().insert(owner).await.unwrap();
            records.services().insert(&service(owner, 1, "shop")).await.unwrap();
            records.templates().insert(&template(owner, 1, None)).await.unwrap();
            records.senders().insert(&sender(owner, 1, "ACME")).await.unwrap();
        }
        for refused in [
            records.services().insert(&service(&ours, 1, "other")).await,
            records.services().insert(&service(&ours, 2, "shop")).await,
            records.templates().insert(&template(&ours, 1, None)).await,
            records.senders().insert(&sender(&ours, 1, "OTHER")).await,
            records.senders().insert(&sender(&ours, 2, "ACME")).await,
        ] {
            assert!(matches!(refused, Err(RecordsError::Exists)), "{refused:?}");
        }
    }

    async fn a_changed_template_is_a_new_version_and_the_old_one_stays(base: Base) {
        let records = base.open().await;
        let owner = tenant("default", 1);
        records.tenants().insert(&owner).await.unwrap();
        let first = template(&owner, 1, None);
        records.templates().insert(&first).await.unwrap();
        let second = Template { version: 2, body: "{{code}}!".to_owned(), created_at: later(1), ..first.clone() };
        records.templates().update(&second).await.unwrap();

        assert_eq!(records.templates().list(owner.id).await.unwrap(), vec![second.clone()]);
        assert_eq!(records.templates().versions(owner.id, first.id).await.unwrap(), vec![second.clone(), first.clone()]);
        let late = records.templates().update(&second).await;
        assert!(matches!(late, Err(RecordsError::Exists)), "somebody else was quicker: {late:?}");
        let gap = records.templates().update(&Template { version: 4, ..second.clone() }).await;
        assert!(matches!(gap, Err(RecordsError::Missing)), "{gap:?}");
        records.templates().delete(owner.id, first.id).await.unwrap().unwrap();
        assert_eq!(records.templates().versions(owner.id, first.id).await.unwrap(), vec![]);
    }

    async fn a_service_that_goes_takes_its_templates_along(base: Base) {
        let records = base.open().await;
        let owner = tenant("default", 1);
        records.tenants().insert(&owner).await.unwrap();
        let made = service(&owner, 1, "shop");
        records.services().insert(&made).await.unwrap();
        records.templates().insert(&template(&owner, 2, Some(made.id))).await.unwrap();
        records.templates().insert(&template(&owner, 3, None)).await.unwrap();
        records.services().delete(owner.id, made.id).await.unwrap().unwrap();
        assert_eq!(records.services().list(owner.id).await.unwrap(), vec![]);
        assert_eq!(records.templates().list(owner.id).await.unwrap(), vec![template(&owner, 3, None)]);
    }

    async fn every_change_moves_the_version_and_the_tenants_revision_and_a_look_or_a_refusal_does_not(base: Base) {
        let serving = base.open().await;
        let at_the_terminal = base.open().await;
        let mut seen = serving.configuration_version().await.unwrap();
        let owner = tenant("default", 1);
        at_the_terminal.tenants().insert(&owner).await.unwrap();
        let made = service(&owner, 1, "shop");
        let words = template(&owner, 1, None);
        let from = sender(&owner, 1, "ACME");
        for (step, wanted) in (0..12).zip(1..) {
            let revision = match step {
                0 => Some(1),
                1 => Some(at_the_terminal.api_keys().insert(&key(&owner, 1)).await.unwrap()),
                2 => at_the_terminal.api_keys().revoke(owner.id, key(&owner, 1).id, NOW).await.unwrap(),
                3 => Some(at_the_terminal.services().insert(&made).await.unwrap()),
                4 => at_the_terminal.services().update(&ServiceRecord { name: "store".to_owned(), ..made.clone() }).await.unwrap(),
                5 => Some(at_the_terminal.templates().insert(&words).await.unwrap()),
                6 => Some(at_the_terminal.templates().update(&Template { version: 2, ..words.clone() }).await.unwrap()),
                7 => at_the_terminal.templates().delete(owner.id, words.id).await.unwrap(),
                8 => Some(at_the_terminal.senders().insert(&from).await.unwrap()),
                9 => at_the_terminal.senders().update(&Sender { value: "BETA".to_owned(), ..from.clone() }).await.unwrap(),
                10 => at_the_terminal.senders().delete(owner.id, from.id).await.unwrap(),
                _ => at_the_terminal.services().delete(owner.id, made.id).await.unwrap(),
            };
            assert_eq!(revision, Some(wanted), "step {step}");
            let now = serving.configuration_version().await.unwrap();
            assert_eq!(now, seen + 1, "step {step}");
            seen = now;
        }
        serving.snapshot().await.unwrap();
        assert!(at_the_terminal.tenants().insert(&tenant("default", 2)).await.is_err());
        assert!(at_the_terminal.senders().update(&from).await.unwrap().is_none());
        assert_eq!(serving.configuration_version().await.unwrap(), seen);
    }

    async fn a_snapshot_holds_everything_of_its_version_and_can_be_kept_elsewhere(base: Base) {
        let records = base.open().await;
        let owner = tenant("default", 1);
        records.tenants().insert(&owner).await.unwrap();
        records.api_keys().insert(&key(&owner, 1)).await.unwrap();
        records.services().insert(&service(&owner, 1, "shop")).await.unwrap();
        records.templates().insert(&template(&owner, 1, None)).await.unwrap();
        let newest = Template { version: 2, ..template(&owner, 1, None) };
        records.templates().update(&newest).await.unwrap();
        records.senders().insert(&sender(&owner, 1, "ACME")).await.unwrap();
        let before = records.configuration_version().await.unwrap();
        records.admin_tokens().insert(&token("ops", 1)).await.unwrap();
        assert_eq!(records.configuration_version().await.unwrap(), before + 1);

        let snapshot = records.snapshot().await.unwrap();
        let wanted = Snapshot {
            version: records.configuration_version().await.unwrap(),
            tenants: vec![Tenant { revision: 6, ..owner.clone() }],
            keys: vec![key(&owner, 1)],
            services: vec![service(&owner, 1, "shop")],
            templates: vec![newest],
            senders: vec![sender(&owner, 1, "ACME")],
            admin_tokens: vec![token("ops", 1)],
        };
        assert_eq!(snapshot, wanted);
        let kept = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(serde_json::from_str::<Snapshot>(&kept).unwrap(), wanted);
    }

    async fn a_snapshot_never_sees_half_of_a_change(base: Base) {
        let records = Arc::new(base.open().await);
        let owner = tenant("default", 1);
        records.tenants().insert(&owner).await.unwrap();
        let writer = tokio::spawn({
            let (records, owner) = (Arc::clone(&records), owner.clone());
            async move {
                for number in 0..20_u8 {
                    let mut both = records.begin().await.unwrap();
                    both.api_keys().insert(&key(&owner, number)).await.unwrap();
                    both.senders().insert(&sender(&owner, number.into(), &format!("S{number}"))).await.unwrap();
                    both.commit().await.unwrap();
                }
            }
        });
        while !writer.is_finished() {
            let snapshot = records.snapshot().await.unwrap();
            assert_eq!(snapshot.keys.len(), snapshot.senders.len());
            let counted = u64::try_from(snapshot.keys.len() + snapshot.senders.len()).unwrap();
            assert_eq!(snapshot.tenants[0].revision, 1 + counted);
        }
        writer.await.unwrap();
        assert_eq!(records.snapshot().await.unwrap().keys.len(), 20);
    }

    async fn changes_that_are_dropped_never_were(base: Base) {
        let records = base.open().await;
        let before = records.configuration_version().await.unwrap();
        let mut whole = records.begin().await.unwrap();
        whole.tenants().insert(&tenant("default", 1)).await.unwrap();
        assert_eq!(whole.tenants().list().await.unwrap().len(), 1);
        drop(whole);
        assert_eq!(records.tenants().list().await.unwrap(), vec![]);
        assert_eq!(records.configuration_version().await.unwrap(), before);
    }
}
