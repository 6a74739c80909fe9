//! The tenants' own words for messages.

use countersign_model::{
    Channel, Flaw, LANGUAGE_TAG, NAME, ServiceId, Template, TenantId, Uuid, Wording, is_language_tag, is_name,
};
use countersign_records::{RecordsError, Transaction};

use super::error::ManageError;
use super::order::{Acted, Done, Order, found, owner, seen, unraced};
use super::uuids::mint_uuid;
use super::views::TemplateView;
use crate::platform::Platform;

/// What an operator may say of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateDraft {
    /// The service whose messages it words; none: all of the tenant's that have none of their own.
    pub service: Option<ServiceId>,
    /// Where it is used.
    pub channel: Channel,
    /// BCP 47 tag of its language.
    pub locale: String,
    /// For people.
    pub name: String,
    /// The words.
    pub wording: Wording,
    /// Whether it is used only where a call chooses it.
    pub by_choice: bool,
}

impl TemplateDraft {
    /// As it is now.
    #[must_use]
    pub fn of(template: &Template) -> Self {
        Self {
            service: template.service,
            channel: template.channel,
            locale: template.locale.clone(),
            name: template.name.clone(),
            wording: Wording { subject: template.subject.clone(), body: template.body.clone() },
            by_choice: template.by_choice,
        }
    }

    fn check(&self) -> Vec<Flaw> {
        let mut found = Vec::new();
        if !is_language_tag(&self.locale) {
            found.push(Flaw::new("locale", format!("must be {LANGUAGE_TAG}")));
        }
        if !is_name(&self.name) {
            found.push(Flaw::new("name", format!("must {NAME}")));
        }
        found
    }

    fn version(self, tenant: TenantId, id: Uuid, version: u32, created_at: countersign_model::Timestamp) -> Template {
        let Self { service, channel, locale, name, wording: Wording { subject, body }, by_choice } = self;
        Template { id, tenant, service, channel, locale, name, subject, body, version, by_choice, created_at }
    }
}

impl Platform {
    /// Makes a template under the id that its tenant brings along, or a new one. The next send uses it.
    pub async fn create_template(
        &self,
        order: &Order,
        tenant: TenantId,
        id: Option<Uuid>,
        draft: TemplateDraft,
    ) -> Result<Done<Template>, ManageError> {
        self.check_template(&draft)?;
        let id = id.unwrap_or_else(|| mint_uuid(&*self.rng));
        let template = draft.version(tenant, id, 1, self.clock.now());
        self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            owner(transaction, tenant).await?;
            check_service(transaction, &template).await?;
            transaction.templates().insert(&template).await.map_err(ManageError::of("template"))?;
            Ok(Acted {
                record: template.clone(),
                what: "template.create",
                target: id.to_string(),
                before: None,
                after: seen(&TemplateView::of(&template))?,
            })
        })
        .await
    }

    /// Makes a new version of a template by what the newest one says. `change` may run again.
    pub async fn update_template(
        &self,
        order: &Order,
        tenant: TenantId,
        id: Uuid,
        change: impl Fn(TemplateDraft) -> Result<TemplateDraft, Vec<Flaw>>,
    ) -> Result<Done<Template>, ManageError> {
        let now = self.clock.now();
        self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            let owner = owner(transaction, tenant).await?;
            let before = found("template", transaction.templates().find(tenant, id).await)?;
            let draft = change(TemplateDraft::of(&before)).map_err(ManageError::Invalid)?;
            self.check_template(&draft)?;
            let after = draft.version(tenant, id, before.version + 1, now);
            check_service(transaction, &after).await?;
            let revision = transaction.templates().update(&after).await.map_err(|error| match error {
                RecordsError::Exists | RecordsError::Missing => ManageError::Busy,
                other => other.into(),
            })?;
            unraced(&owner, revision)?;
            Ok(Acted {
                what: "template.update",
                target: id.to_string(),
                before: seen(&TemplateView::of(&before))?,
                after: seen(&TemplateView::of(&after))?,
                record: after,
            })
        })
        .await
    }

    /// Removes a template with all its versions: wider ones, or the built-in words, are used again.
    pub async fn delete_template(&self, order: &Order, tenant: TenantId, id: Uuid) -> Result<Done<Template>, ManageError> {
        self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            let before = found("template", transaction.templates().find(tenant, id).await)?;
            transaction.templates().delete(tenant, id).await?.ok_or(ManageError::Missing("template"))?;
            Ok(Acted {
                what: "template.delete",
                target: id.to_string(),
                before: seen(&TemplateView::of(&before))?,
                after: None,
                record: before,
            })
        })
        .await
    }

    /// The newest version of each template of a tenant.
    pub async fn list_templates(&self, tenant: TenantId) -> Result<Vec<Template>, ManageError> {
        Ok(self.records.templates().list(tenant).await?)
    }

    /// All versions of a template, the newest first.
    pub async fn template_versions(&self, tenant: TenantId, id: Uuid) -> Result<Vec<Template>, ManageError> {
        let versions = self.records.templates().versions(tenant, id).await?;
        if versions.is_empty() { Err(ManageError::Missing("template")) } else { Ok(versions) }
    }

    fn check_template(&self, draft: &TemplateDraft) -> Result<(), ManageError> {
        let mut found = draft.check();
        found.extend(self.wording_flaw(draft.channel, &draft.wording));
        ManageError::unless_sound(found)
    }
}

/// The service is looked up here and not left to the database, so that its absence can be told from the template's.
async fn check_service(transaction: &mut Transaction, template: &Template) -> Result<(), ManageError> {
    let Some(service) = template.service else { return Ok(()) };
    match transaction.services().find(template.tenant, service).await? {
        Some(_) => Ok(()),
        None => Err(ManageError::invalid("service", "must be a service of the tenant")),
    }
}
