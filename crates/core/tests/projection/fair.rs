//! One tenant's endpoints that hang, and everybody else's webhooks.

use std::time::Duration;

use countersign_model::{Clock as _, TenantId, WebhookFormat};
use countersign_records::{DeliveryFilter, DeliveryState};

use crate::bench::{Bench, on_both};
use crate::receiver::Receiver;
use crate::worker::settings;

impl Bench {
    /// So many endpoints of a tenant at one receiver, with so much due for each.
    async fn crowd(&self, tenant: TenantId, receiver: &Receiver, endpoints: u128, each: u128, from: u128) {
        let mut due = Vec::new();
        for number in 0..endpoints {
            let endpoint = self.endpoint_of(tenant, WebhookFormat::Native, &receiver.url(), &[]).await;
            due.extend((0..each).map(|which| self.new_delivery(tenant, endpoint.id, from + number * each + which)));
        }
        self.records.webhook_deliveries().insert(&due).await.unwrap();
    }

    async fn pending(&self, tenant: TenantId) -> usize {
        let filter = DeliveryFilter { state: Some(DeliveryState::Pending), ..DeliveryFilter::default() };
        self.records.webhook_deliveries().list(tenant, filter, 10_000).await.unwrap().len()
    }
}

on_both! {
    async fn many_endpoints_of_one_tenant_that_hang_leave_the_others_theirs_in_the_first_round(bench: Bench) {
        let (dead, quick) = (Receiver::spawn().await, Receiver::spawn().await);
        dead.hang(true);
        bench.crowd(bench.tenant, &dead, 120, 8, 1).await;
        bench.clock.advance(Duration::from_secs(60));
        let others = [bench.other_tenant("bob").await, bench.other_tenant("cid").await];
        for (nth, other) in (1..).zip(others) {
            bench.crowd(other, &quick, 3, 70, nth * 10_000).await;
        }
        let worker = bench.worker(&settings(&[dead.port, quick.port]));
        let started = worker.round().await.unwrap();
        assert!(started.waiting > 0 && started.endpoints < 64, "{started:?}");
        while quick.arrived().len() < 420 || bench.pending(others[0]).await + bench.pending(others[1]).await > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(quick.arrived().len(), 420, "posted twice");
        assert!(dead.arrived().len() <= 32, "more than half of all lanes: {}", dead.arrived().len());
        assert_eq!(bench.pending(bench.tenant).await, 960);
    }

    async fn what_waits_for_an_endpoint_that_fails_again_and_again_is_put_off_until_it_is_probed(bench: Bench) {
        let receiver = Receiver::spawn().await;
        receiver.will_say(std::iter::repeat_n((500, ""), 8));
        bench.crowd(bench.tenant, &receiver, 1, 20, 1).await;
        let worker = bench.worker(&settings(&[receiver.port]));
        let start = bench.clock.now();
        crate::worker::run(&worker).await;
        crate::worker::run(&worker).await;
        // Two times as many as may be on their way at once.
        assert_eq!(receiver.arrived().len(), 8);
        assert_eq!(bench.records.webhook_deliveries().due(start, 10, 10).await.unwrap(), [], "nothing is due for it");
        let filter = DeliveryFilter { state: Some(DeliveryState::Pending), ..DeliveryFilter::default() };
        let waiting = bench.records.webhook_deliveries().list(bench.tenant, filter, 100).await.unwrap();
        let untried: Vec<_> = waiting.iter().filter(|delivery| delivery.attempts == 0).collect();
        assert!(untried.iter().all(|delivery| delivery.next_at == start.plus(Duration::from_secs(30))), "{untried:#?}");
        bench.clock.advance(Duration::from_secs(30));
        for _ in 0..3 {
            crate::worker::run(&worker).await;
        }
        assert_eq!(bench.pending(bench.tenant).await, 0, "it works again");
    }
}
