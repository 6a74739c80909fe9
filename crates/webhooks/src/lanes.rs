//! How much is posted at a time. In memory of one process: two workers may post twice as much.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_model::{EndpointId, TenantId, Timestamp};

use crate::circuit::{Circuit, Pass, Role};
use crate::settings::WebhookSettings;

/// Gives every endpoint a lane of its own, so that one that hangs holds up nobody else, and every tenant its part of all lanes, so that many that
/// hang hold up only their own tenant.
///
/// A tenant has a quarter of all places for sure. Beyond that it gets one only while half of all are free: what it takes then is never what
/// another one needs. Of an endpoint or a tenant of which nothing is out and nothing bad is known, nothing is kept.
#[derive(Debug, Clone)]
pub struct Lanes(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    per_endpoint: usize,
    in_all: usize,
    /// What a tenant has for sure.
    share: usize,
    /// Up to so many in all, a tenant gets more than its share.
    half: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    in_flight: usize,
    lanes: HashMap<EndpointId, LaneState>,
    /// What is on its way for each tenant; never 0.
    tenants: HashMap<TenantId, usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LaneState {
    in_flight: usize,
    circuit: Circuit,
}

impl LaneState {
    /// What is not kept.
    const CLEAN: Self = Self { in_flight: 0, circuit: Circuit::CLEAN };
}

/// Whether a due delivery may go out. Only `Go` leads to an attempt.
#[derive(Debug)]
pub enum Lane {
    /// It may; the lane counts it as long as the permit lives.
    Go(Permit),
    /// Enough is on its way to this endpoint, or a probe is. Ask again when a post has ended.
    Busy,
    /// Enough is on its way for this tenant; others may still get through. Ask again when a post has ended.
    Crowded,
    /// Enough is on its way in all. Ask again when a post has ended.
    Full,
    /// The endpoint failed too often in a row: put off to that moment what waits for it. That is no attempt.
    Open {
        /// When a probe may go out.
        until: Timestamp,
    },
}

/// The right to post once. Dropped without [`done`](Self::done), as when its task is cancelled, it says nothing of the endpoint.
#[derive(Debug)]
pub struct Permit {
    shared: Arc<Shared>,
    tenant: TenantId,
    endpoint: EndpointId,
    role: Role,
    verdict: Option<(bool, Timestamp)>,
}

impl Lanes {
    /// With nothing on its way.
    #[must_use]
    pub fn new(settings: &WebhookSettings) -> Self {
        let (per_endpoint, in_all) = (settings.concurrency_per_endpoint.get(), settings.concurrency.get());
        let (share, half) = (in_all.div_ceil(4), in_all.div_ceil(2));
        Self(Arc::new(Shared { per_endpoint, in_all, share, half, state: Mutex::default() }))
    }

    /// The most that can be on its way for one tenant.
    #[must_use]
    pub fn most_of_a_tenant(&self) -> usize {
        self.0.share.max(self.0.half)
    }

    /// Asks for a post to an endpoint of this tenant.
    #[must_use]
    pub fn take(&self, tenant: TenantId, endpoint: EndpointId, now: Timestamp) -> Lane {
        let mut state = self.0.state();
        let mut lane = state.lanes.get(&endpoint).copied().unwrap_or(LaneState::CLEAN);
        let role = match lane.circuit.pass(now) {
            Pass::Open { until } => return Lane::Open { until },
            Pass::Wait => return Lane::Busy,
            Pass::Go(_) if lane.in_flight >= self.0.per_endpoint => return Lane::Busy,
            Pass::Go(_) if state.in_flight >= self.0.in_all => return Lane::Full,
            Pass::Go(_) if self.0.is_crowded(&state, tenant) => return Lane::Crowded,
            Pass::Go(role) => role,
        };
        lane.circuit.went(role);
        lane.in_flight += 1;
        state.lanes.insert(endpoint, lane);
        *state.tenants.entry(tenant).or_default() += 1;
        state.in_flight += 1;
        Lane::Go(Permit { shared: Arc::clone(&self.0), tenant, endpoint, role, verdict: None })
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_crowded(&self, state: &State, tenant: TenantId) -> bool {
        let own = state.tenants.get(&tenant).copied().unwrap_or(0);
        own >= self.share && state.in_flight >= self.half
    }
}

impl Permit {
    /// The post ended.
    pub fn done(mut self, is_delivered: bool, now: Timestamp) {
        self.verdict = Some((is_delivered, now));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.in_flight -= 1;
        if let Entry::Occupied(mut own) = state.tenants.entry(self.tenant) {
            *own.get_mut() -= 1;
            if *own.get() == 0 {
                own.remove();
            }
        }
        if let Entry::Occupied(mut entry) = state.lanes.entry(self.endpoint) {
            let lane = entry.get_mut();
            lane.in_flight -= 1;
            match self.verdict {
                Some((is_delivered, now)) => lane.circuit.done(self.role, is_delivered, now),
                None => lane.circuit.abandon(self.role),
            }
            if *lane == LaneState::CLEAN {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_768_473_900_000);
    const ACME: TenantId = TenantId::from_bits(1);
    const UMBRELLA: TenantId = TenantId::from_bits(2);
    const ANN: EndpointId = EndpointId::from_bits(1);
    const BOB: EndpointId = EndpointId::from_bits(2);

    fn lanes(per_endpoint: usize, in_all: usize) -> Lanes {
        Lanes::new(&WebhookSettings {
            concurrency_per_endpoint: NonZeroUsize::new(per_endpoint).unwrap(),
            concurrency: NonZeroUsize::new(in_all).unwrap(),
            ..WebhookSettings::default()
        })
    }

    fn permit(lanes: &Lanes, endpoint: EndpointId, now: Timestamp) -> Permit {
        let tenant = if endpoint == BOB { UMBRELLA } else { ACME };
        match lanes.take(tenant, endpoint, now) {
            Lane::Go(permit) => permit,
            other @ (Lane::Busy | Lane::Crowded | Lane::Full | Lane::Open { .. }) => panic!("{other:?}"),
        }
    }

    fn fail(lanes: &Lanes, times: usize) {
        for _ in 0..times {
            permit(lanes, ANN, NOW).done(false, NOW);
        }
    }

    #[test]
    fn an_endpoint_that_hangs_fills_its_own_lane_only() {
        let lanes = lanes(2, 10);
        let (first, _second) = (permit(&lanes, ANN, NOW), permit(&lanes, ANN, NOW));
        assert!(matches!(lanes.take(ACME, ANN, NOW), Lane::Busy));
        drop(permit(&lanes, BOB, NOW));
        first.done(true, NOW);
        drop(permit(&lanes, ANN, NOW));
    }

    #[test]
    fn all_lanes_together_have_a_bound() {
        let lanes = lanes(2, 3);
        let taken = [ANN, ANN, BOB].map(|endpoint| permit(&lanes, endpoint, NOW));
        assert!(matches!(lanes.take(UMBRELLA, BOB, NOW), Lane::Full));
        drop(taken);
        drop(permit(&lanes, BOB, NOW));
    }

    #[test]
    fn a_tenant_whose_endpoints_all_hang_leaves_the_others_their_lanes() {
        let lanes = lanes(2, 16);
        let mut hanging = Vec::new();
        let crowded = (10..).map(EndpointId::from_bits).find_map(|endpoint| match lanes.take(ACME, endpoint, NOW) {
            Lane::Go(permit) => {
                hanging.push(permit);
                None
            }
            other => Some(other),
        });
        assert!(matches!(crowded, Some(Lane::Crowded)), "{crowded:?}");
        assert_eq!(hanging.len(), 8, "half of all while nobody else posts");
        assert_eq!(hanging.len(), lanes.most_of_a_tenant());
        let mut taken = Vec::new();
        for number in 0..15 {
            let (tenant, endpoint) = (TenantId::from_bits(30 + number / 5), EndpointId::from_bits(900 + number));
            match lanes.take(tenant, endpoint, NOW) {
                Lane::Go(permit) => taken.push(permit),
                Lane::Crowded => assert!(taken.len() % 4 == 0, "no less than a quarter: {}", taken.len()),
                Lane::Full => assert_eq!(taken.len(), 8),
                other @ (Lane::Busy | Lane::Open { .. }) => panic!("{other:?}"),
            }
        }
        assert_eq!(taken.len(), 8);
        drop(hanging);
        assert!(matches!(lanes.take(ACME, ANN, NOW), Lane::Go(_)));
    }

    #[test]
    fn an_endpoint_that_fails_again_and_again_is_left_alone_and_then_probed_once() {
        let lanes = lanes(4, 10);
        fail(&lanes, 5);
        let Lane::Open { until } = lanes.take(ACME, ANN, NOW) else { panic!("{lanes:?}") };
        assert_eq!(until, NOW.plus(Duration::from_secs(30)));
        drop(permit(&lanes, BOB, NOW));
        let probe = permit(&lanes, ANN, until);
        assert!(matches!(lanes.take(ACME, ANN, until), Lane::Busy));
        probe.done(true, until);
        let _both = (permit(&lanes, ANN, until), permit(&lanes, ANN, until));
    }

    #[test]
    fn a_permit_that_is_dropped_frees_its_place_and_says_nothing_of_the_endpoint() {
        let lanes = lanes(1, 1);
        fail(&lanes, 4);
        for _ in 0..10 {
            drop(permit(&lanes, ANN, NOW));
        }
        fail(&lanes, 1);
        let Lane::Open { until } = lanes.take(ACME, ANN, NOW) else { panic!("{lanes:?}") };
        drop(permit(&lanes, ANN, until));
        drop(permit(&lanes, ANN, until));
    }

    #[test]
    fn no_probe_is_spent_while_all_lanes_are_full() {
        let lanes = lanes(4, 1);
        fail(&lanes, 5);
        let Lane::Open { until } = lanes.take(ACME, ANN, NOW) else { panic!("{lanes:?}") };
        let other = permit(&lanes, BOB, until);
        assert!(matches!(lanes.take(ACME, ANN, until), Lane::Full));
        other.done(true, until);
        permit(&lanes, ANN, until).done(true, until);
    }

    #[test]
    fn nothing_is_kept_of_an_endpoint_that_works() {
        let lanes = lanes(4, 10);
        fail(&lanes, 1);
        permit(&lanes, ANN, NOW).done(true, NOW);
        drop(permit(&lanes, BOB, NOW));
        let state = lanes.0.state();
        assert!(state.lanes.is_empty() && state.tenants.is_empty(), "{state:?}");
    }
}
