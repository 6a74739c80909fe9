//! Endpoints and deliveries.

use std::time::Duration;

use countersign_model::{DeliveryId, EndpointId, SeededRng, Tenant, Timestamp, WebhookEndpoint, WebhookEvent, WebhookFormat};
use countersign_records::{
    Attempted, DeliveryAttempt, DeliveryFilter, DeliveryState, EndpointChange, NewDelivery, Records, StoredSecrets,
};
use secrecy::ExposeSecret;

use crate::base::{Base, NOW, later, on_both, tenant};

const LEASE: Duration = Duration::from_secs(120);

fn endpoint(tenant: &Tenant, seed: u64) -> WebhookEndpoint {
    WebhookEndpoint {
        id: EndpointId::mint(NOW, &SeededRng::new(seed), tenant.id.partition()),
        tenant: tenant.id,
        url: "https://example.com/hooks".to_owned(),
        format: WebhookFormat::Native,
        description: "ours".to_owned(),
        events: vec![WebhookEvent::SessionVerified],
        keys: None,
        disabled: None,
        created_at: NOW,
        updated_at: None,
    }
}

fn secrets() -> StoredSecrets {
    StoredSecrets { current: "whsec_now".into(), previous: Some(("whsec_before".into(), later(60))) }
}

fn delivery(endpoint: &WebhookEndpoint, seed: u64, at: Timestamp) -> NewDelivery {
    NewDelivery {
        id: DeliveryId::mint(at, &SeededRng::new(seed), endpoint.tenant.partition()),
        tenant: endpoint.tenant,
        endpoint: endpoint.id,
        event_id: format!("evt_1_{seed}"),
        event: WebhookEvent::SessionVerified,
        body: "{}".to_owned(),
        format: WebhookFormat::Native,
        at,
    }
}

fn attempt(number: u32) -> DeliveryAttempt {
    DeliveryAttempt {
        number,
        at: later(1),
        took: Duration::from_millis(12),
        status: Some(500),
        response: Some("no".to_owned()),
        error: Some("the endpoint answered 500".to_owned()),
    }
}

async fn set_up(records: &Records) -> WebhookEndpoint {
    let tenant = tenant("ann", 1);
    records.tenants().insert(&tenant).await.unwrap();
    let endpoint = endpoint(&tenant, 1);
    records.webhook_endpoints().insert(&endpoint, &secrets()).await.unwrap();
    endpoint
}

on_both! {
    async fn an_endpoint_is_its_tenants_and_its_secrets_are_not_shown(base: Base) {
        let records = base.open().await;
        let made = set_up(&records).await;
        let other = tenant("bob", 2);
        let table = || records.webhook_endpoints();
        assert_eq!(table().find(made.tenant, made.id).await.unwrap(), Some(made.clone()));
        assert_eq!(table().find(other.id, made.id).await.unwrap(), None);
        assert!(table().secrets(other.id, made.id).await.unwrap().is_none());
        let kept = table().secrets(made.tenant, made.id).await.unwrap().unwrap();
        assert_eq!(kept.current.expose_secret(), "whsec_now");
        let (previous, until) = kept.previous.clone().unwrap();
        assert_eq!((previous.expose_secret(), until), ("whsec_before", later(60)));
        assert!(!format!("{kept:?}").contains("whsec"), "{kept:?}");
        let change = EndpointChange { url: Some("https://example.com/b".to_owned()), disabled: Some(Some("operator".to_owned())), ..EndpointChange::default() };
        let changed = table().update(made.tenant, made.id, &change).await.unwrap().unwrap();
        assert_eq!((changed.url.as_str(), changed.disabled.as_deref()), ("https://example.com/b", Some("operator")));
        assert_eq!(changed.description, made.description);
        let enabled = EndpointChange { disabled: Some(None), ..EndpointChange::default() };
        assert_eq!(table().update(made.tenant, made.id, &enabled).await.unwrap().unwrap().disabled, None);
        assert_eq!(table().update(other.id, made.id, &enabled).await.unwrap(), None);
        assert!(!table().delete(other.id, made.id, NOW).await.unwrap());
        assert!(table().delete(made.tenant, made.id, NOW).await.unwrap());
    }

    async fn what_is_due_is_claimed_by_one_of_many(base: Base) {
        let records = base.open().await;
        let endpoint = set_up(&records).await;
        let due: Vec<_> = (0..30).map(|seed| delivery(&endpoint, seed, NOW)).collect();
        records.webhook_deliveries().insert(&due).await.unwrap();
        assert_eq!(records.webhook_deliveries().due(NOW, 10, 10).await.unwrap(), [(endpoint.tenant, endpoint.id)]);
        let claiming = (0..8).map(|_| {
            let (records, endpoint) = (records.clone(), endpoint.id);
            tokio::spawn(async move { records.webhook_deliveries().claim(endpoint, NOW, LEASE, 4).await.unwrap() })
        });
        let mut claimed = Vec::new();
        for task in claiming.collect::<Vec<_>>() {
            claimed.extend(task.await.unwrap().into_iter().map(|it| it.delivery.id));
        }
        loop {
            let more = records.webhook_deliveries().claim(endpoint.id, NOW, LEASE, 4).await.unwrap();
            if more.is_empty() {
                break;
            }
            claimed.extend(more.into_iter().map(|it| it.delivery.id));
        }
        claimed.sort_unstable();
        let mut all: Vec<_> = due.iter().map(|it| it.id).collect();
        all.sort_unstable();
        assert_eq!(claimed, all);
        assert!(records.webhook_deliveries().due(NOW, 10, 10).await.unwrap().is_empty());
        let lease_over = NOW.plus(LEASE);
        assert_eq!(records.webhook_deliveries().claim(endpoint.id, lease_over, LEASE, 99).await.unwrap().len(), 30);
    }

    async fn an_attempt_counts_once_and_says_when_the_next_one_is(base: Base) {
        let records = base.open().await;
        let endpoint = set_up(&records).await;
        let made = delivery(&endpoint, 1, NOW);
        records.webhook_deliveries().insert(std::slice::from_ref(&made)).await.unwrap();
        let claimed = records.webhook_deliveries().claim(endpoint.id, NOW, LEASE, 1).await.unwrap().remove(0);
        assert_eq!((claimed.url.as_str(), claimed.secrets.current.expose_secret()), ("https://example.com/hooks", "whsec_now"));
        let retry = Attempted { delivery: made.id, attempt: attempt(1), state: DeliveryState::Pending, at: later(5) };
        assert!(records.webhook_deliveries().attempted(&retry).await.unwrap());
        assert!(!records.webhook_deliveries().attempted(&retry).await.unwrap(), "counted twice");
        assert!(records.webhook_deliveries().due(later(4), 10, 10).await.unwrap().is_empty());
        assert_eq!(records.webhook_deliveries().due(later(5), 10, 10).await.unwrap(), [(endpoint.tenant, endpoint.id)]);
        let done = Attempted { delivery: made.id, attempt: attempt(2), state: DeliveryState::Delivered, at: later(6) };
        assert!(records.webhook_deliveries().attempted(&done).await.unwrap());
        let found = records.webhook_deliveries().find(made.tenant, made.id).await.unwrap().unwrap();
        assert_eq!((found.state, found.attempts, found.ended_at), (DeliveryState::Delivered, 2, Some(later(6))));
        assert_eq!(records.webhook_deliveries().attempts(made.id).await.unwrap(), [attempt(1), attempt(2)]);
        assert_eq!(records.webhook_deliveries().count_pending(10).await.unwrap(), 0);
    }

    async fn a_replay_is_a_new_delivery_of_the_same_event(base: Base) {
        let records = base.open().await;
        let endpoint = set_up(&records).await;
        let made = delivery(&endpoint, 1, NOW);
        let fresh = DeliveryId::mint(later(9), &SeededRng::new(9), endpoint.tenant.partition());
        records.webhook_deliveries().insert(std::slice::from_ref(&made)).await.unwrap();
        let replay = || records.webhook_deliveries().replay(made.tenant, made.id, fresh, later(9));
        assert_eq!(replay().await.unwrap(), None, "it is pending still");
        let failed = Attempted { delivery: made.id, attempt: attempt(1), state: DeliveryState::Failed, at: later(6) };
        records.webhook_deliveries().attempted(&failed).await.unwrap();
        let again = replay().await.unwrap().unwrap();
        assert_eq!((again.id, again.replay_of, again.event_id, again.attempts), (fresh, Some(made.id), made.event_id.clone(), 0));
        let filter = DeliveryFilter { endpoint: Some(endpoint.id), state: Some(DeliveryState::Pending), before: None };
        assert_eq!(records.webhook_deliveries().list(made.tenant, filter, 10).await.unwrap().len(), 1);
        let newest = records.webhook_deliveries().list(made.tenant, DeliveryFilter::default(), 1).await.unwrap();
        assert_eq!(newest[0].id, fresh);
        let older = DeliveryFilter { before: Some(fresh), ..DeliveryFilter::default() };
        assert_eq!(records.webhook_deliveries().list(made.tenant, older, 10).await.unwrap()[0].id, made.id);
    }

    async fn what_waits_for_an_endpoint_that_is_gone_is_dropped_and_for_a_disabled_one_it_waits(base: Base) {
        let records = base.open().await;
        let endpoint = set_up(&records).await;
        let made = delivery(&endpoint, 1, NOW);
        records.webhook_deliveries().insert(std::slice::from_ref(&made)).await.unwrap();
        let disable = |word: Option<&str>| EndpointChange { disabled: Some(word.map(str::to_owned)), ..EndpointChange::default() };
        records.webhook_endpoints().update(endpoint.tenant, endpoint.id, &disable(Some("operator"))).await.unwrap();
        assert!(records.webhook_deliveries().due(NOW, 10, 10).await.unwrap().is_empty());
        assert!(records.webhook_deliveries().claim(endpoint.id, NOW, LEASE, 1).await.unwrap().is_empty());
        records.webhook_endpoints().update(endpoint.tenant, endpoint.id, &disable(None)).await.unwrap();
        assert_eq!(records.webhook_deliveries().due(NOW, 10, 10).await.unwrap(), [(endpoint.tenant, endpoint.id)]);
        assert!(records.webhook_endpoints().gone(endpoint.id, later(3)).await.unwrap());
        let found = records.webhook_deliveries().find(made.tenant, made.id).await.unwrap().unwrap();
        assert_eq!((found.state, found.ended_at), (DeliveryState::Discarded, Some(later(3))));
        let gone = records.webhook_endpoints().find(endpoint.tenant, endpoint.id).await.unwrap().unwrap();
        assert_eq!(gone.disabled.as_deref(), Some("gone"));
    }

    async fn what_waited_too_long_has_failed_and_what_ended_long_ago_is_forgotten(base: Base) {
        let records = base.open().await;
        let endpoint = set_up(&records).await;
        let (old, young) = (delivery(&endpoint, 1, NOW), delivery(&endpoint, 2, later(100)));
        records.webhook_deliveries().insert(&[old.clone(), young.clone()]).await.unwrap();
        assert_eq!(records.webhook_deliveries().fail_older(later(50), later(101), 10).await.unwrap(), 1);
        let found = records.webhook_deliveries().find(old.tenant, old.id).await.unwrap().unwrap();
        assert_eq!(found.state, DeliveryState::Failed);
        assert_eq!(records.webhook_deliveries().sweep(later(101), 10).await.unwrap(), 0);
        assert_eq!(records.webhook_deliveries().sweep(later(102), 10).await.unwrap(), 1);
        assert!(records.webhook_deliveries().find(young.tenant, young.id).await.unwrap().is_some());
    }

    async fn whatever_waits_for_one_tenant_the_others_stand_beside_it(base: Base) {
        let records = base.open().await;
        let crowd = tenant("crowd", 1);
        records.tenants().insert(&crowd).await.unwrap();
        let mut due = Vec::new();
        for number in 1..=12_u8 {
            let one = WebhookEndpoint { id: EndpointId::from_bits(u128::from(number) << 4), ..endpoint(&crowd, 1) };
            records.webhook_endpoints().insert(&one, &secrets()).await.unwrap();
            // The last one waits longest.
            due.extend((0..20).map(|seed| delivery(&one, u64::from(number) * 100 + seed, NOW.minus(Duration::from_secs(number.into())))));
        }
        let mut others = Vec::new();
        for seed in [2, 3] {
            let other = tenant(&format!("other{seed}"), seed);
            records.tenants().insert(&other).await.unwrap();
            let one = endpoint(&other, 100 + seed);
            records.webhook_endpoints().insert(&one, &secrets()).await.unwrap();
            due.push(delivery(&one, 5_000 + seed, NOW));
            others.push((other.id, one.id));
        }
        records.webhook_deliveries().insert(&due).await.unwrap();
        let line = records.webhook_deliveries().due(NOW, 4, 100).await.unwrap();
        assert_eq!(line.len(), 4 + 2, "{line:?}");
        let of_crowd: Vec<_> = line.iter().filter(|(tenant, _)| *tenant == crowd.id).map(|(_, id)| id.bits() >> 4).collect();
        assert_eq!(of_crowd, [12, 11, 10, 9]);
        assert!(others.iter().all(|other| line[..3].contains(other)), "{line:?}");
        assert_eq!(records.webhook_deliveries().due(NOW, 4, 3).await.unwrap(), line[..3]);
    }

    async fn what_is_put_off_is_due_later_and_has_lost_no_attempt(base: Base) {
        let records = base.open().await;
        let endpoint = set_up(&records).await;
        let due: Vec<_> = (0..3).map(|seed| delivery(&endpoint, seed, NOW)).collect();
        records.webhook_deliveries().insert(&due).await.unwrap();
        let taken = records.webhook_deliveries().claim(endpoint.id, NOW, LEASE, 1).await.unwrap().remove(0).delivery;
        records.webhook_deliveries().put_off(endpoint.id, NOW, later(600)).await.unwrap();
        assert!(records.webhook_deliveries().due(later(599), 10, 10).await.unwrap() == [(endpoint.tenant, endpoint.id)], "the lease of the first is over");
        assert_eq!(records.webhook_deliveries().claim(endpoint.id, later(599), LEASE, 9).await.unwrap().len(), 1);
        let back = records.webhook_deliveries().claim(endpoint.id, later(600), LEASE, 9).await.unwrap();
        assert_eq!(back.len(), 2);
        assert!(back.iter().all(|it| it.delivery.attempts == 0 && it.delivery.id != taken.id));
    }

    async fn a_delivery_keeps_the_format_it_was_spelt_in(base: Base) {
        let records = base.open().await;
        let endpoint = set_up(&records).await;
        let made = NewDelivery { format: WebhookFormat::GetOtp, ..delivery(&endpoint, 1, NOW) };
        records.webhook_deliveries().insert(std::slice::from_ref(&made)).await.unwrap();
        let change = EndpointChange { format: Some(WebhookFormat::Kotp), updated_at: Some(later(3)), ..EndpointChange::default() };
        let changed = records.webhook_endpoints().update(endpoint.tenant, endpoint.id, &change).await.unwrap().unwrap();
        assert_eq!((changed.format, changed.updated_at, changed.url.as_str()), (WebhookFormat::Kotp, Some(later(3)), "https://example.com/hooks"));
        let claimed = records.webhook_deliveries().claim(endpoint.id, NOW, LEASE, 1).await.unwrap().remove(0);
        assert_eq!(claimed.delivery.format, WebhookFormat::GetOtp);
        let failed = Attempted { delivery: made.id, attempt: attempt(1), state: DeliveryState::Failed, at: later(6) };
        records.webhook_deliveries().attempted(&failed).await.unwrap();
        let fresh = DeliveryId::mint(later(9), &SeededRng::new(9), endpoint.tenant.partition());
        let again = records.webhook_deliveries().replay(made.tenant, made.id, fresh, later(9)).await.unwrap().unwrap();
        assert_eq!((again.format, again.body), (WebhookFormat::GetOtp, made.body));
    }

    async fn a_tenants_endpoints_are_counted(base: Base) {
        let records = base.open().await;
        let endpoint = set_up(&records).await;
        let other = tenant("bob", 2);
        records.tenants().insert(&other).await.unwrap();
        assert_eq!(records.webhook_endpoints().count(endpoint.tenant).await.unwrap(), 1);
        assert_eq!(records.webhook_endpoints().count(other.id).await.unwrap(), 0);
    }
}
