//! Which rules hold for a call: its service's, else its tenant's, else the installation's.

use std::time::Duration;

use countersign_model::{Limit, LimitRules, Mode, PriceList, Service, ServiceId, ServiceProfile};
use countersign_session::Billing;

use crate::directory::TenantConfig;
use crate::platform::Platform;

/// Rules of one call.
pub(crate) struct Rules {
    pub(crate) service: Service,
    pub(crate) sends_per_user: Limit,
    pub(crate) active_per_user: u32,
    pub(crate) sends_per_ip: Limit,
    /// None: nobody pays.
    pub(crate) prices: Option<(PriceList, Billing)>,
}

impl Platform {
    /// The rules of a call of this tenant that names `named`; none: there is no such service.
    pub(crate) fn rules(&self, config: &TenantConfig, named: Option<ServiceId>, mode: Mode) -> Option<Rules> {
        let (tenant, settings) = (&config.tenant.settings, &self.settings);
        let own = named.or(tenant.default_service).and_then(|id| config.service(id));
        let service = match own {
            Some(record) => overlay(&settings.default_service, record.id, &record.profile),
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
            prices,
        })
    }
}

/// The installation's profile with what a service decides for itself.
fn overlay(wide: &Service, id: ServiceId, own: &ServiceProfile) -> Service {
    let minutes = |minutes: u32| Duration::from_secs(u64::from(minutes) * 60);
    Service {
        id: Some(id),
        app_name: own.app_name.clone().unwrap_or_else(|| wide.app_name.clone()),
        code_length: own.code_length.or(wide.code_length),
        life: own.life_minutes.map(minutes).or(wide.life),
        max_life: own.max_life_minutes.map_or(wide.max_life, minutes),
        max_attempts: own.max_attempts.or(wide.max_attempts),
        resend_after: own.resend_after_seconds.map_or(wide.resend_after, |seconds| Duration::from_secs(seconds.into())),
        resend: own.resend_policy.unwrap_or(wide.resend),
        resend_unlocks: own.resend_unlocks.unwrap_or(wide.resend_unlocks),
        all_failed: own.all_failed.unwrap_or(wide.all_failed),
        number_check: own.number_check.or(wide.number_check),
        locale: own.locale.clone().or_else(|| wide.locale.clone()),
    }
}
