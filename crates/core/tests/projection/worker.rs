//! Webhooks on their way: what the receiver sees, what the log of deliveries says, and when.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::WebhookWorker;
use countersign_model::{Clock as _, DeliveryId, EndpointId, TenantId, Timestamp, WebhookEndpoint, WebhookEvent, WebhookFormat};
use countersign_records::{Delivery, DeliveryAttempt, DeliveryState, EndpointChange, NewDelivery, StoredSecrets};
use countersign_webhooks::{ATTEMPTS, Lanes, Poster, SystemResolver, WebhookSettings};

use crate::bench::{Bench, SECRET, START, on_both};
use crate::receiver::Receiver;

/// Ports that nobody listens on are refused at once.
const NOBODY: u16 = 1;

pub(crate) fn settings(ports: &[u16]) -> WebhookSettings {
    WebhookSettings {
        allow_http: true,
        allowed_networks: vec!["127.0.0.0/8".parse().unwrap()],
        allowed_ports: ports.to_vec(),
        // Longer than any test takes: what has to run out of time says so.
        timeout: Duration::from_hours(1),
        connect_timeout: Duration::from_hours(1),
        ..WebhookSettings::default()
    }
}

impl Bench {
    pub(crate) fn worker(&self, settings: &WebhookSettings) -> WebhookWorker {
        let poster = Poster::new(settings, Arc::new(SystemResolver));
        let (clock, rng) = (self.clock.clone(), self.rng.clone());
        WebhookWorker::new(self.records.clone(), poster, Lanes::new(settings), clock, rng, Arc::clone(&self.metrics))
    }

    async fn due(&self, endpoint: EndpointId, number: u128) -> DeliveryId {
        let new = self.new_delivery(self.tenant, endpoint, number);
        self.records.webhook_deliveries().insert(std::slice::from_ref(&new)).await.unwrap();
        new.id
    }

    pub(crate) fn new_delivery(&self, tenant: TenantId, endpoint: EndpointId, number: u128) -> NewDelivery {
        NewDelivery {
            id: DeliveryId::from_bits(number << 4),
            tenant,
            endpoint,
            event_id: format!("evt_1_{number}"),
            event: WebhookEvent::SessionVerified,
            body: format!("{{\"number\":{number}}}"),
            format: WebhookFormat::Native,
            at: self.clock.now(),
        }
    }

    pub(crate) async fn delivery(&self, id: DeliveryId) -> (Delivery, Vec<DeliveryAttempt>) {
        let table = || self.records.webhook_deliveries();
        (table().find(self.tenant, id).await.unwrap().unwrap(), table().attempts(id).await.unwrap())
    }

    async fn to(&self, receiver: &Receiver) -> WebhookEndpoint {
        self.endpoint(&receiver.url(), &[]).await
    }
}

pub(crate) async fn run(worker: &WebhookWorker) {
    worker.round().await.unwrap();
    worker.settle().await;
}

fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    to.since(from).as_secs()
}

on_both! {
    async fn what_is_due_arrives_signed_and_is_written_down(bench: Bench) {
        let receiver = Receiver::spawn().await;
        let endpoint = bench.to(&receiver).await;
        let id = bench.due(endpoint.id, 1).await;
        run(&bench.worker(&settings(&[receiver.port]))).await;
        let arrived = receiver.arrived();
        assert_eq!((arrived.len(), arrived[0].id.as_str(), arrived[0].body.as_str()), (1, "evt_1_1", "{\"number\":1}"), "{arrived:?}");
        let verifier = standardwebhooks::Webhook::new(SECRET).unwrap();
        let expected = verifier.sign("evt_1_1", START.seconds(), arrived[0].body.as_bytes()).unwrap();
        assert_eq!((arrived[0].signature.clone(), arrived[0].timestamp.clone()), (expected, START.seconds().to_string()));
        let (delivery, attempts) = bench.delivery(id).await;
        assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Delivered, 1));
        assert_eq!((attempts[0].status, attempts[0].error.as_deref()), (Some(204), None), "{attempts:?}");
        run(&bench.worker(&settings(&[receiver.port]))).await;
        assert_eq!(receiver.arrived().len(), 1, "posted twice");
    }

    async fn a_receiver_that_fails_is_asked_again_by_the_schedule_until_it_works(bench: Bench) {
        let receiver = Receiver::spawn().await;
        receiver.will_say([(500, ""), (302, "Location: http://10.0.0.1/\r\n"), (503, "Retry-After: 600\r\n")]);
        let endpoint = bench.to(&receiver).await;
        let id = bench.due(endpoint.id, 1).await;
        let worker = bench.worker(&settings(&[receiver.port]));
        let mut gaps = Vec::new();
        loop {
            let before = bench.clock.now();
            run(&worker).await;
            let (delivery, _) = bench.delivery(id).await;
            if delivery.state != DeliveryState::Pending {
                break;
            }
            gaps.push(seconds(before, delivery.next_at));
            bench.clock.advance(delivery.next_at.since(before).checked_sub(Duration::from_millis(1)).unwrap());
            run(&worker).await;
            assert_eq!(receiver.arrived().len(), gaps.len(), "asked too early");
            bench.clock.advance(Duration::from_millis(1));
        }
        // 5 s, 5 min and 30 min, a tenth less or more; the receiver's ten minutes are less than the half hour.
        assert!((4..=5).contains(&gaps[0]) && (270..=330).contains(&gaps[1]) && (1620..=1980).contains(&gaps[2]), "{gaps:?}");
        let (delivery, attempts) = bench.delivery(id).await;
        let statuses: Vec<_> = attempts.iter().map(|it| (it.number, it.status, it.response.as_deref())).collect();
        let said = Some("no");
        assert_eq!(statuses, [(1, Some(500), said), (2, Some(302), said), (3, Some(503), said), (4, Some(204), None)]);
        assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Delivered, 4));
        let arrived = receiver.arrived();
        assert!(arrived.iter().all(|it| it.id == arrived[0].id && it.body == arrived[0].body), "{arrived:?}");
    }

    async fn a_receiver_that_never_works_uses_its_attempts_up(bench: Bench) {
        let endpoint = bench.endpoint(&format!("http://127.0.0.1:{NOBODY}/"), &[]).await;
        let id = bench.due(endpoint.id, 1).await;
        let worker = bench.worker(&settings(&[NOBODY]));
        for _ in 0..2_000 {
            run(&worker).await;
            if bench.delivery(id).await.0.state != DeliveryState::Pending {
                break;
            }
            bench.clock.advance(Duration::from_mins(15));
        }
        let (delivery, attempts) = bench.delivery(id).await;
        assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Failed, ATTEMPTS));
        assert_eq!((attempts.len(), attempts[9].status, attempts[9].error.as_deref()), (10, None, Some("cannot connect to the host")));
        let hours = seconds(START, delivery.ended_at.unwrap()) / 3600;
        assert!((65..=90).contains(&hours), "{hours} h");
    }

    async fn an_endpoint_that_is_down_for_an_hour_gets_everything_afterwards(bench: Bench) {
        let receiver = Receiver::spawn().await;
        let endpoint = bench.endpoint(&format!("http://127.0.0.1:{NOBODY}/"), &[]).await;
        let mut ids = Vec::new();
        let worker = bench.worker(&settings(&[NOBODY, receiver.port]));
        for minute in 0..60 {
            ids.push(bench.due(endpoint.id, minute + 1).await);
            run(&worker).await;
            bench.clock.advance(Duration::from_mins(1));
        }
        let tried: u32 = { let mut sum = 0; for id in &ids { sum += bench.delivery(*id).await.0.attempts; } sum };
        assert!(tried < 30, "an endpoint that is down was posted to {tried} times in an hour");
        let back = EndpointChange { url: Some(receiver.url()), ..EndpointChange::default() };
        bench.records.webhook_endpoints().update(bench.tenant, endpoint.id, &back).await.unwrap();
        for _ in 0..60 {
            run(&worker).await;
            bench.clock.advance(Duration::from_mins(1));
        }
        for id in &ids {
            assert_eq!(bench.delivery(*id).await.0.state, DeliveryState::Delivered);
        }
        assert_eq!(receiver.arrived().len(), 60);
    }

    async fn an_endpoint_that_says_it_is_gone_is_disabled_and_hears_no_more(bench: Bench) {
        let receiver = Receiver::spawn().await;
        receiver.will_say([(410, "")]);
        let endpoint = bench.to(&receiver).await;
        let first = bench.due(endpoint.id, 1).await;
        let worker = bench.worker(&WebhookSettings { concurrency_per_endpoint: std::num::NonZeroUsize::MIN, ..settings(&[receiver.port]) });
        let second = bench.due(endpoint.id, 2).await;
        run(&worker).await;
        run(&worker).await;
        assert_eq!(receiver.arrived().len(), 1);
        assert_eq!(bench.delivery(first).await.0.state, DeliveryState::Failed);
        assert_eq!(bench.delivery(second).await.0.state, DeliveryState::Discarded);
        let disabled = bench.records.webhook_endpoints().find(bench.tenant, endpoint.id).await.unwrap().unwrap();
        assert_eq!(disabled.disabled.as_deref(), Some("gone"));
        let replayed = bench.records.webhook_deliveries().replay(bench.tenant, second, DeliveryId::from_bits(7), bench.clock.now());
        assert!(replayed.await.unwrap().is_some());
        let enable = EndpointChange { disabled: Some(None), ..EndpointChange::default() };
        bench.records.webhook_endpoints().update(bench.tenant, endpoint.id, &enable).await.unwrap();
        run(&worker).await;
        assert_eq!(receiver.arrived()[1].id, "evt_1_2", "the same event, at somebody's wish");
    }

    async fn an_endpoint_that_hangs_holds_up_nobody_else(bench: Bench) {
        let (slow, quick) = (Receiver::spawn().await, Receiver::spawn().await);
        slow.hang(true);
        let (hanging, working) = (bench.to(&slow).await, bench.to(&quick).await);
        let stuck = bench.due(hanging.id, 1).await;
        let worker = bench.worker(&settings(&[slow.port, quick.port]));
        worker.round().await.unwrap();
        let done = bench.due(working.id, 2).await;
        worker.round().await.unwrap();
        while bench.delivery(done).await.0.state == DeliveryState::Pending {
            tokio::task::yield_now().await;
        }
        assert_eq!(bench.delivery(done).await.0.state, DeliveryState::Delivered);
        let (hung, _) = bench.delivery(stuck).await;
        assert_eq!((hung.state, hung.attempts), (DeliveryState::Pending, 0), "it hangs still");
    }

    async fn an_endpoint_that_does_not_answer_in_time_is_asked_again(bench: Bench) {
        let receiver = Receiver::spawn().await;
        receiver.hang(true);
        let endpoint = bench.to(&receiver).await;
        let id = bench.due(endpoint.id, 1).await;
        run(&bench.worker(&WebhookSettings { timeout: Duration::from_millis(50), ..settings(&[receiver.port]) })).await;
        let (late, attempts) = bench.delivery(id).await;
        assert_eq!((late.state, attempts[0].error.as_deref()), (DeliveryState::Pending, Some("the endpoint did not answer in time")));
        assert!(late.next_at > bench.clock.now(), "{late:?}");
    }

    async fn what_a_dead_worker_had_taken_is_posted_when_its_lease_is_over(bench: Bench) {
        let receiver = Receiver::spawn().await;
        let endpoint = bench.to(&receiver).await;
        let id = bench.due(endpoint.id, 1).await;
        let taken = bench.records.webhook_deliveries().claim(endpoint.id, bench.clock.now(), Duration::from_mins(2), 4).await.unwrap();
        assert_eq!(taken.len(), 1);
        let worker = bench.worker(&settings(&[receiver.port]));
        run(&worker).await;
        assert!(receiver.arrived().is_empty());
        bench.clock.advance(Duration::from_mins(2));
        run(&worker).await;
        assert_eq!((receiver.arrived().len(), bench.delivery(id).await.0.state), (1, DeliveryState::Delivered));
    }

    async fn workers_side_by_side_post_everything_once(bench: Bench) {
        let receiver = Receiver::spawn().await;
        let endpoint = bench.to(&receiver).await;
        for number in 1..=40 {
            bench.due(endpoint.id, number).await;
        }
        let workers: Vec<_> = (0..3).map(|_| bench.worker(&settings(&[receiver.port]))).collect();
        for worker in &workers {
            worker.round().await.unwrap();
        }
        for worker in &workers {
            worker.settle().await;
        }
        let mut ids: Vec<_> = receiver.arrived().into_iter().map(|it| it.id).collect();
        assert_eq!(ids.len(), 40);
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 40, "posted twice");
        assert_eq!(bench.metric("countersign_webhook_attempts_total{outcome=\"delivered\"}"), "40");
    }

    async fn after_a_rotation_both_secrets_sign(bench: Bench) {
        let receiver = Receiver::spawn().await;
        let endpoint = bench.to(&receiver).await;
        let fresh = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let until = bench.clock.now().plus(Duration::from_hours(24));
        let secrets = StoredSecrets { current: fresh.into(), previous: Some((SECRET.into(), until)) };
        assert!(bench.records.webhook_endpoints().set_secrets(bench.tenant, endpoint.id, &secrets).await.unwrap());
        bench.due(endpoint.id, 1).await;
        run(&bench.worker(&settings(&[receiver.port]))).await;
        let arrived = receiver.arrived().remove(0);
        let sign = |secret| standardwebhooks::Webhook::new(secret).unwrap().sign("evt_1_1", START.seconds(), arrived.body.as_bytes()).unwrap();
        assert_eq!(arrived.signature, format!("{} {}", sign(fresh), sign(SECRET)));
    }
}
