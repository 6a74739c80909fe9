//! Who carries a message: a channel's own list of providers, or that of the first route which the message fits.

use std::sync::Arc;

use countersign_model::{Country, Errand, ProviderName, Rng, ServiceId, TenantId};

use crate::config::OnUnclear;
use crate::outlet::Outlet;

/// Providers, to be tried in order or in an order drawn by weights.
#[derive(Debug, Default)]
pub(crate) struct List {
    entries: Vec<(Arc<Outlet>, u32)>,
    is_drawn: bool,
}

impl List {
    /// In order.
    pub(crate) fn ordered(outlets: impl IntoIterator<Item = Arc<Outlet>>) -> Self {
        Self { entries: outlets.into_iter().map(|outlet| (outlet, 1)).collect(), is_drawn: false }
    }

    /// Drawn by weights, none of which is zero.
    pub(crate) fn drawn(entries: Vec<(Arc<Outlet>, u32)>) -> Self {
        Self { entries, is_drawn: true }
    }

    pub(crate) fn outlets(&self) -> impl Iterator<Item = &Arc<Outlet>> {
        self.entries.iter().map(|(outlet, _)| outlet)
    }

    /// Those to be tried, first choice first.
    fn order(&self, passed_over: &[ProviderName], rng: &dyn Rng) -> Vec<Arc<Outlet>> {
        let mut left: Vec<_> = self.entries.iter().filter(|(outlet, _)| !passed_over.contains(outlet.name())).collect();
        let mut order = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let next = if self.is_drawn { draw(left.iter().map(|(_, weight)| *weight), rng) } else { 0 };
            order.push(Arc::clone(&left.remove(next).0));
        }
        order
    }

    /// Who always comes first: with several and weights, nobody does.
    fn first(&self) -> Option<&Arc<Outlet>> {
        (!self.is_drawn || self.entries.len() == 1).then(|| self.outlets().next()).flatten()
    }
}

/// The position of one of `weights`, each as likely as it is heavy.
fn draw(weights: impl Iterator<Item = u32> + Clone, rng: &dyn Rng) -> usize {
    let total: u64 = weights.clone().map(u64::from).sum();
    let mut bytes = [0_u8; 8];
    rng.fill(&mut bytes);
    let mut at = u64::from_be_bytes(bytes) % total.max(1);
    for (position, weight) in weights.enumerate() {
        match at.checked_sub(weight.into()) {
            Some(rest) => at = rest,
            None => return position,
        }
    }
    0
}

/// A list for the messages that fit: each condition that is not empty must hold.
#[derive(Debug, Default)]
pub(crate) struct Narrowed {
    pub(crate) countries: Vec<Country>,
    pub(crate) tenants: Vec<TenantId>,
    pub(crate) services: Vec<ServiceId>,
    pub(crate) list: List,
}

impl Narrowed {
    fn fits(&self, errand: &Errand) -> bool {
        fn holds<T: PartialEq>(wanted: &[T], is: Option<&T>) -> bool {
            wanted.is_empty() || is.is_some_and(|is| wanted.contains(is))
        }
        holds(&self.countries, errand.country.as_ref())
            && holds(&self.tenants, Some(&errand.scope.tenant))
            && holds(&self.services, errand.service.as_ref())
    }
}

/// All lists of a channel.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    /// The first that a message fits is taken.
    pub(crate) routes: Vec<Narrowed>,
    /// For the rest.
    pub(crate) own: List,
    /// What follows an unclear try, where the channel says so.
    pub(crate) on_unclear: Option<OnUnclear>,
}

impl Lane {
    /// Those to be tried with this message, first choice first.
    pub(crate) fn order(&self, errand: &Errand, rng: &dyn Rng) -> Vec<Arc<Outlet>> {
        self.list(errand).order(&errand.passed_over, rng)
    }

    /// Whether anybody is left to be tried with this message.
    pub(crate) fn has_somebody(&self, errand: &Errand) -> bool {
        self.list(errand).outlets().any(|outlet| !errand.passed_over.contains(outlet.name()))
    }

    /// Who comes first whatever the message; none: that depends.
    pub(crate) fn first(&self) -> Option<&Arc<Outlet>> {
        let first = self.own.first()?;
        let agrees = |route: &Narrowed| route.list.first().is_some_and(|other| Arc::ptr_eq(first, other));
        self.routes.iter().all(agrees).then_some(first)
    }

    /// Everybody in any list, some of them several times.
    pub(crate) fn everybody(&self) -> impl Iterator<Item = &Arc<Outlet>> {
        self.routes.iter().map(|route| &route.list).chain([&self.own]).flat_map(List::outlets)
    }

    /// What an operator is shown: the routes, and last the channel's own list.
    pub(crate) fn view(&self) -> Vec<ListView> {
        let listed = |list: &List| -> Vec<ListedProvider> {
            let entry = |(outlet, weight): &(Arc<Outlet>, u32)| ListedProvider {
                name: outlet.name().clone(),
                weight: list.is_drawn.then_some(*weight),
            };
            list.entries.iter().map(entry).collect()
        };
        let routes = self.routes.iter().map(|route| ListView {
            countries: route.countries.clone(),
            tenants: route.tenants.clone(),
            services: route.services.clone(),
            providers: listed(&route.list),
        });
        let own = ListView { providers: listed(&self.own), ..ListView::default() };
        routes.chain([own]).collect()
    }

    fn list(&self, errand: &Errand) -> &List {
        self.routes.iter().find(|route| route.fits(errand)).map_or(&self.own, |route| &route.list)
    }
}

/// A list of a channel, as an operator wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListView {
    /// For numbers of these countries only; empty: it does not matter.
    pub countries: Vec<Country>,
    /// For these tenants only.
    pub tenants: Vec<TenantId>,
    /// For these services only.
    pub services: Vec<ServiceId>,
    /// Who is tried.
    pub providers: Vec<ListedProvider>,
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedProvider {
    /// Whom.
    pub name: ProviderName,
    /// Its weight, where the order is drawn; none: the order is that of the list.
    pub weight: Option<u32>,
}

#[cfg(test)]
mod tests;
