//! Owners of keys, services and sessions.

use countersign_model::{EmailAddress, Flaw, LimitRules, Money, NAME, PriceList, Tenant, TenantId, TenantSettings, is_name};
use countersign_records::Transaction;

use super::error::ManageError;
use super::order::{Acted, Done, Order, owner, seen};
use super::views::TenantView;
use crate::platform::Platform;

/// What an operator may say of a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantDraft {
    /// Unique, for people.
    pub name: String,
    /// Who answers for it.
    pub email: Option<String>,
    /// What its own customers' account page calls its plan.
    pub plan: String,
    /// What differs from the installation's settings.
    pub settings: TenantSettings,
}

impl TenantDraft {
    /// The plan of a tenant for which nobody named another.
    pub const PLAN: &'static str = "standard";

    /// As it is now.
    #[must_use]
    pub fn of(tenant: &Tenant) -> Self {
        Self {
            name: tenant.name.clone(),
            email: tenant.email.clone(),
            plan: tenant.plan.clone(),
            settings: tenant.settings.clone(),
        }
    }

    fn check(&self) -> Vec<Flaw> {
        let mut found = Vec::new();
        if !is_name(&self.name) {
            found.push(Flaw::new("name", format!("must {NAME}")));
        } else if self.name.starts_with(TenantId::PREFIX) {
            found.push(Flaw::new("name", "must not start like an id"));
        }
        if self.email.as_ref().is_some_and(|email| EmailAddress::parse(email).is_err()) {
            found.push(Flaw::new("email", "must be an e-mail address"));
        }
        if !is_name(&self.plan) {
            found.push(Flaw::new("plan", format!("must {NAME}")));
        }
        found.extend(self.settings.limits.check().into_iter().map(|flaw| flaw.under("settings.limits")));
        found.extend(prices(self.settings.prices.as_ref()).into_iter().map(|flaw| flaw.under("settings")));
        if self.settings.low_balance.is_some_and(|mark| mark < Money::ZERO) {
            found.push(Flaw::new("settings.low_balance", "must not be negative"));
        }
        found
    }
}

/// Flaws of prices, where there are any prices.
pub(super) fn prices(prices: Option<&PriceList>) -> Vec<Flaw> {
    prices.map(PriceList::check).unwrap_or_default().into_iter().map(|flaw| flaw.under("prices")).collect()
}

/// Limits that only a tenant has.
pub(super) fn service_limits(limits: &LimitRules) -> Vec<Flaw> {
    let mut found: Vec<Flaw> = limits.check().into_iter().map(|flaw| flaw.under("limits")).collect();
    if limits.calls_per_key.is_some() {
        found.push(Flaw::new("limits.calls_per_key", "must be left out: a service has no keys; set it for the tenant"));
    }
    if limits.code_misses.is_some() {
        found.push(Flaw::new("limits.code_misses", "must be left out: what opens nothing has no service; set it for the tenant"));
    }
    found
}

impl Platform {
    /// Makes a tenant.
    pub async fn create_tenant(&self, order: &Order, draft: TenantDraft) -> Result<Done<Tenant>, ManageError> {
        ManageError::unless_sound(draft.check())?;
        let now = self.clock.now();
        let TenantDraft { name, email, plan, settings } = draft;
        let tenant = Tenant { email, plan, settings, ..Tenant::new(&name, now, &*self.rng) };
        if tenant.settings.default_service.is_some() {
            return Err(ManageError::invalid("settings.default_service", "must be left out: a new tenant has no services"));
        }
        self.change(order, None, async |transaction: &mut Transaction| {
            transaction.tenants().insert(&tenant).await.map_err(ManageError::of("tenant"))?;
            Ok(Acted {
                record: tenant.clone(),
                what: "tenant.create",
                target: tenant.id.to_string(),
                before: None,
                after: seen(&TenantView::of(&tenant))?,
            })
        })
        .await
    }

    /// Changes a tenant by what it is now. `change` may run again.
    pub async fn update_tenant(
        &self,
        order: &Order,
        id: TenantId,
        change: impl Fn(TenantDraft) -> Result<TenantDraft, Vec<Flaw>>,
    ) -> Result<Done<Tenant>, ManageError> {
        self.change(order, Some(id), async |transaction: &mut Transaction| {
            let before = owner(transaction, id).await?;
            let draft = change(TenantDraft::of(&before)).map_err(ManageError::Invalid)?;
            ManageError::unless_sound(draft.check())?;
            if let Some(service) = draft.settings.default_service
                && transaction.services().find(id, service).await?.is_none()
            {
                return Err(ManageError::invalid("settings.default_service", "must be a service of the tenant"));
            }
            let TenantDraft { name, email, plan, settings } = draft;
            let mut after = Tenant { name, email, plan, settings, ..before.clone() };
            after.revision = transaction.tenants().update(&after).await.map_err(ManageError::of("tenant"))?;
            super::order::unraced(&before, after.revision)?;
            Ok(Acted {
                what: "tenant.update",
                target: id.to_string(),
                before: seen(&TenantView::of(&before))?,
                after: seen(&TenantView::of(&after))?,
                record: after,
            })
        })
        .await
    }

    /// Every tenant, by name.
    pub async fn list_tenants(&self) -> Result<Vec<Tenant>, ManageError> {
        Ok(self.records.tenants().list().await?)
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::LimitRule;

    use super::*;

    #[test]
    fn every_flaw_of_a_draft_is_told_with_its_place() {
        let limits = LimitRules { sends_per_ip: Some(LimitRule { max: 0, seconds: 60 }), ..LimitRules::default() };
        let less = "-1".parse().unwrap();
        let prices = Some(PriceList { verification: less, ..PriceList::default() });
        let settings = TenantSettings { limits, prices, low_balance: Some(less), default_service: None };
        let draft = TenantDraft { name: "ten_x".to_owned(), email: Some("nobody".to_owned()), plan: String::new(), settings };
        let found: Vec<_> = draft.check().into_iter().map(|flaw| flaw.field).collect();
        let all =
            ["name", "email", "plan", "settings.limits.sends_per_ip.max", "settings.prices.verification", "settings.low_balance"];
        assert_eq!(found, all);
        let sound = TenantDraft { name: "acme".to_owned(), plan: TenantDraft::PLAN.to_owned(), ..TenantDraft::default() };
        assert_eq!(sound.check(), Vec::new());
    }
}
