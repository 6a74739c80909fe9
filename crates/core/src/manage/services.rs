//! Named verification profiles.

use std::time::Duration;

use countersign_model::{
    Flaw, LimitRules, NAME, PriceList, ServiceId, ServiceProfile, ServiceRecord, TenantId, Timestamp, is_name,
};
use countersign_records::Transaction;

use super::error::ManageError;
use super::order::{Acted, Done, Order, found, owner, seen, unraced};
use super::tenants::{prices, service_limits};
use super::uuids::mint_uuid;
use super::views::ServiceView;
use crate::platform::Platform;

/// How far ahead a test recipient may end: nobody is to be forgotten there.
const TEST_RECIPIENT_LIFE: Duration = Duration::from_secs(90 * 86_400);

/// What an operator may say of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceDraft {
    /// Unique in the tenant.
    pub name: String,
    /// Its rules.
    pub profile: ServiceProfile,
    /// Its limits; what is left open, the tenant's.
    pub limits: LimitRules,
    /// What its sends cost; none: the tenant's prices.
    pub prices: Option<PriceList>,
}

impl ServiceDraft {
    /// As it is now.
    #[must_use]
    pub fn of(service: &ServiceRecord) -> Self {
        Self {
            name: service.name.clone(),
            profile: service.profile.clone(),
            limits: service.limits.clone(),
            prices: service.prices.clone(),
        }
    }

    /// `ceiling`: the longest life in minutes where the service sets none.
    fn check(&self, ceiling: u32, now: Timestamp) -> Vec<Flaw> {
        let mut found = Vec::new();
        if !is_name(&self.name) {
            found.push(Flaw::new("name", format!("must {NAME}")));
        }
        found.extend(self.profile.check(ceiling).into_iter().map(|flaw| flaw.under("profile")));
        for (at, one) in self.profile.test_recipients.iter().enumerate() {
            if one.until > now.plus(TEST_RECIPIENT_LIFE) {
                found.push(Flaw::new(format!("profile.test_recipients[{at}].until"), "must be at most 90 days ahead"));
            }
        }
        found.extend(service_limits(&self.limits));
        found.extend(prices(self.prices.as_ref()));
        found
    }
}

impl Platform {
    /// Makes a service under the id that its tenant brings along, or a new one. Sends may name it at once.
    pub async fn create_service(
        &self,
        order: &Order,
        tenant: TenantId,
        id: Option<ServiceId>,
        draft: ServiceDraft,
    ) -> Result<Done<ServiceRecord>, ManageError> {
        let now = self.clock.now();
        ManageError::unless_sound(draft.check(self.ceiling(), now))?;
        let id = match id {
            Some(id) => id,
            None => mint_uuid(&*self.rng).to_string().parse().map_err(|_| ManageError::Internal("a new UUID cannot be read"))?,
        };
        let ServiceDraft { name, profile, limits, prices } = draft;
        let service = ServiceRecord { id, tenant, name, profile, limits, prices, created_at: now, updated_at: now };
        self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            owner(transaction, tenant).await?;
            transaction.services().insert(&service).await.map_err(ManageError::of("service"))?;
            Ok(Acted {
                record: service.clone(),
                what: "service.create",
                target: id.to_string(),
                before: None,
                after: seen(&ServiceView::of(&service))?,
            })
        })
        .await
    }

    /// Changes a service by what it is now. Open sessions keep the rules they were opened with. `change` may run again.
    pub async fn update_service(
        &self,
        order: &Order,
        tenant: TenantId,
        id: ServiceId,
        change: impl Fn(ServiceDraft) -> Result<ServiceDraft, Vec<Flaw>>,
    ) -> Result<Done<ServiceRecord>, ManageError> {
        let now = self.clock.now();
        self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            let owner = owner(transaction, tenant).await?;
            let before = found("service", transaction.services().find(tenant, id).await)?;
            let draft = change(ServiceDraft::of(&before)).map_err(ManageError::Invalid)?;
            ManageError::unless_sound(draft.check(self.ceiling(), now))?;
            let ServiceDraft { name, profile, limits, prices } = draft;
            let after = ServiceRecord { name, profile, limits, prices, updated_at: now, ..before.clone() };
            let revision = transaction.services().update(&after).await.map_err(ManageError::of("service"))?;
            unraced(&owner, revision.ok_or(ManageError::Missing("service"))?)?;
            Ok(Acted {
                what: "service.update",
                target: id.to_string(),
                before: seen(&ServiceView::of(&before))?,
                after: seen(&ServiceView::of(&after))?,
                record: after,
            })
        })
        .await
    }

    /// Removes a service with its templates. A tenant's default service is not removed: another one, or none, is made the default first.
    pub async fn delete_service(
        &self,
        order: &Order,
        tenant: TenantId,
        id: ServiceId,
    ) -> Result<Done<ServiceRecord>, ManageError> {
        self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            let owner = owner(transaction, tenant).await?;
            let before = found("service", transaction.services().find(tenant, id).await)?;
            if owner.settings.default_service == Some(id) {
                return Err(ManageError::State("the service is its tenant's default: set another one, or none, first"));
            }
            let revision = transaction.services().delete(tenant, id).await?;
            unraced(&owner, revision.ok_or(ManageError::Missing("service"))?)?;
            Ok(Acted {
                what: "service.delete",
                target: id.to_string(),
                before: seen(&ServiceView::of(&before))?,
                after: None,
                record: before,
            })
        })
        .await
    }

    /// The services of a tenant, oldest first.
    pub async fn list_services(&self, tenant: TenantId) -> Result<Vec<ServiceRecord>, ManageError> {
        Ok(self.records.services().list(tenant).await?)
    }

    /// One of them.
    pub async fn show_service(&self, tenant: TenantId, id: ServiceId) -> Result<ServiceRecord, ManageError> {
        found("service", self.records.services().find(tenant, id).await)
    }

    /// The longest life in minutes where a service sets none.
    fn ceiling(&self) -> u32 {
        u32::try_from(self.settings.default_service.max_life.as_secs() / 60).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::LimitRule;

    use super::*;

    #[test]
    fn every_flaw_of_a_draft_is_told_with_its_place() {
        let rule = LimitRule { max: 5, seconds: 90_000 };
        let draft = ServiceDraft {
            name: " ".to_owned(),
            profile: ServiceProfile { code_length: Some(11), life_minutes: Some(61), ..ServiceProfile::default() },
            limits: LimitRules {
                calls_per_key: Some(LimitRule { max: 1, seconds: 1 }),
                sends_per_user: Some(rule),
                code_misses: Some(LimitRule { max: 1, seconds: 1 }),
                ..LimitRules::default()
            },
            prices: Some(PriceList { verification: "-0.1".parse().unwrap(), ..PriceList::default() }),
        };
        let found: Vec<_> = draft.check(60, Timestamp::from_millis(0)).into_iter().map(|flaw| flaw.field).collect();
        let all = [
            "name",
            "profile.code_length",
            "profile.life_minutes",
            "limits.sends_per_user.seconds",
            "limits.calls_per_key",
            "limits.code_misses",
            "prices.verification",
        ];
        assert_eq!(found, all);
    }
}
