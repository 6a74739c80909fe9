//! Which rules hold for a call: its service's, else its tenant's, else the installation's.

use countersign_model::{Channel, Country, Limit, LimitRules, Mode, Money, PriceList, Service, ServiceId};
use countersign_session::Billing;

use crate::callers::Caller;
use crate::directory::TenantConfig;
use crate::platform::Platform;

/// Rules of one call.
pub(crate) struct Rules {
    pub(crate) service: Service,
    pub(crate) sends_per_user: Limit,
    pub(crate) active_per_user: u32,
    pub(crate) sends_per_ip: Limit,
    pub(crate) sends_per_recipient: Limit,
    /// None: nobody pays.
    pub(crate) prices: Option<(PriceList, Billing)>,
}

impl Rules {
    /// What a message costs; `country` is the number's, where it has one.
    pub(crate) fn cost(&self, channel: Channel, country: Option<Country>) -> Money {
        let price = |(prices, _): &(PriceList, Billing)| prices.message(channel, country.as_ref().map(Country::as_str));
        self.prices.as_ref().map_or(Money::ZERO, price)
    }
}

impl Platform {
    /// The profile that a call of this caller names, or the one of its calls that name none; none: there is no such profile.
    #[must_use]
    pub fn service(&self, caller: &Caller, named: Option<ServiceId>) -> Option<Service> {
        self.rules(&caller.config, named, caller.mode()).map(|rules| rules.service)
    }

    /// The rules of a call of this tenant that names `named`; none: there is no such service.
    pub(crate) fn rules(&self, config: &TenantConfig, named: Option<ServiceId>, mode: Mode) -> Option<Rules> {
        let (tenant, settings) = (&config.tenant.settings, &self.settings);
        let own = named.or(tenant.default_service).and_then(|id| config.service(id));
        let service = match own {
            Some(record) => record.profile.service(Some(record.id), &settings.default_service),
            None => settings.service(named)?.clone(),
        };
        let none = LimitRules::default();
        let service_limits = own.map_or(&none, |record| &record.limits);
        let pick = |wide: Limit, rule: fn(&LimitRules) -> Option<Limit>| {
            rule(service_limits).or_else(|| rule(&tenant.limits)).unwrap_or(wide)
        };
        let active = service_limits.active_per_user.or(tenant.limits.active_per_user);
        let billing = settings.billing.as_ref().filter(|_| mode == Mode::Live);
        let prices = billing.map(|billing| {
            let prices = own.and_then(|record| record.prices.as_ref()).or(tenant.prices.as_ref()).unwrap_or(&billing.prices);
            let terms = Billing { fee: prices.verification, low_at: tenant.low_balance.or(billing.low_balance) };
            (prices.clone(), terms)
        });
        Some(Rules {
            service,
            sends_per_user: pick(settings.limits.sends_per_user, |rules| rules.sends_per_user.map(Limit::from)),
            active_per_user: active.unwrap_or(settings.limits.active_per_user),
            sends_per_ip: pick(settings.limits.sends_per_ip, |rules| rules.sends_per_ip.map(Limit::from)),
            sends_per_recipient: pick(settings.limits.sends_per_recipient, |rules| rules.sends_per_recipient.map(Limit::from)),
            prices,
        })
    }
}
