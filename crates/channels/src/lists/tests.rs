use std::collections::BTreeMap;

use countersign_model::{Scope, SeededRng};

use super::*;
use crate::config::DeliveryConfig;
use crate::providers::sandbox::Sandbox;
use crate::testing::errand;

#[test]
fn weights_are_the_shares_of_first_draws() {
    let rng = SeededRng::new(11);
    let mut counts = [0_u32; 3];
    for _ in 0..10_000 {
        counts[draw([7, 2, 1].into_iter(), &rng)] += 1;
    }
    let near = |count: u32, share: u32| count.abs_diff(share) < 250;
    assert!(near(counts[0], 7_000) && near(counts[1], 2_000) && near(counts[2], 1_000), "{counts:?}");
}

#[test]
fn a_heavy_one_is_not_the_only_one_and_a_single_one_is() {
    let rng = SeededRng::new(12);
    assert!((0..10_000).any(|_| draw([1_000, 1].into_iter(), &rng) == 1));
    assert!((0..100).all(|_| draw([3].into_iter(), &rng) == 0));
}

fn outlet() -> Arc<Outlet> {
    Outlet::new(Arc::new(Sandbox::new()), &DeliveryConfig::default())
}

fn narrowed(change: impl FnOnce(&mut Narrowed)) -> Narrowed {
    let mut route = Narrowed { list: List::ordered([outlet()]), ..Narrowed::default() };
    change(&mut route);
    route
}

#[tokio::test]
async fn every_condition_that_is_given_must_hold() {
    let service: ServiceId = "8c4f9a52-2f0b-4f6e-9d0e-6a2b8f1f3c11".parse().unwrap();
    let india: Country = "IN".parse().unwrap();
    let mut errand = errand();
    let country = narrowed(|route| route.countries = vec!["DE".parse().unwrap(), india]);
    let tenant = narrowed(|route| route.tenants = vec![errand.scope.tenant]);
    let both = narrowed(|route| (route.countries, route.services) = (vec![india], vec![service]));
    assert_eq!([&country, &tenant, &both].map(|route| route.fits(&errand)), [false, true, false]);
    errand.country = Some(india);
    assert_eq!([&country, &tenant, &both].map(|route| route.fits(&errand)), [true, true, false]);
    errand.service = Some(service);
    assert!(both.fits(&errand));
    errand.scope.tenant = TenantId::from_bits(5);
    assert!(!tenant.fits(&errand));
}

#[tokio::test]
async fn the_first_route_that_fits_is_taken_and_its_list_alone() {
    let errand = errand();
    let rng = SeededRng::new(13);
    let route = |tenant| narrowed(|route| route.tenants = vec![tenant]);
    let lane = Lane {
        routes: vec![route(TenantId::from_bits(5)), route(errand.scope.tenant), route(errand.scope.tenant)],
        own: List::ordered([outlet()]),
        on_unclear: None,
    };
    let order = lane.order(&errand, &rng);
    assert!(matches!(order.as_slice(), [only] if Arc::ptr_eq(only, lane.routes[1].list.outlets().next().unwrap())));
    let stranger = Errand { scope: Scope { tenant: TenantId::from_bits(6), ..errand.scope }, ..errand };
    let order = lane.order(&stranger, &rng);
    assert!(matches!(order.as_slice(), [only] if Arc::ptr_eq(only, lane.own.outlets().next().unwrap())));
    assert!(lane.first().is_none(), "it depends on the message");
}

#[tokio::test]
async fn who_is_passed_over_is_left_out() {
    let lane = Lane { own: List::ordered([outlet()]), ..Lane::default() };
    let mut errand = errand();
    assert!(lane.has_somebody(&errand) && lane.first().is_some());
    errand.passed_over = vec![ProviderName::new(Sandbox::NAME)];
    assert!(!lane.has_somebody(&errand));
    assert!(lane.order(&errand, &SeededRng::new(14)).is_empty());
}

#[tokio::test]
async fn a_drawn_order_holds_everybody_once_and_changes() {
    let (one, two, three) = (outlet(), outlet(), outlet());
    let list = List::drawn(vec![(Arc::clone(&one), 1), (Arc::clone(&two), 1), (Arc::clone(&three), 1)]);
    let rng = SeededRng::new(15);
    let mut orders = BTreeMap::<Vec<usize>, u32>::new();
    for _ in 0..600 {
        let order = list.order(&[], &rng);
        let position = |outlet: &Arc<Outlet>| [&one, &two, &three].iter().position(|known| Arc::ptr_eq(known, outlet)).unwrap();
        *orders.entry(order.iter().map(position).collect()).or_default() += 1;
    }
    assert_eq!(orders.len(), 6, "{orders:?}");
    assert!(orders.values().all(|count| (60..150).contains(count)), "{orders:?}");
    assert!(list.first().is_none());
}
