//! Tenants, keys, services and templates, all in memory, so that letting a caller in asks no database.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use countersign_model::{
    ApiKey, Channel, KeyId, SecretHash, Sender, ServiceId, ServiceRecord, Template, Tenant, TenantId, wider_tags,
};
use countersign_records::{AdminToken, Snapshot};

/// The records that requests need. Replaced whole when their database has changed.
pub struct Directory {
    known: RwLock<Arc<Known>>,
}

/// What is known at one moment.
#[derive(Debug, Default)]
struct Known {
    version: i64,
    keys: HashMap<SecretHash, ApiKey>,
    hashes: HashMap<KeyId, SecretHash>,
    tenants: HashMap<TenantId, Arc<TenantConfig>>,
    admins: HashMap<SecretHash, AdminToken>,
}

/// A tenant and all that it has.
#[derive(Debug)]
pub struct TenantConfig {
    /// The tenant.
    pub tenant: Tenant,
    services: HashMap<ServiceId, ServiceRecord>,
    templates: Vec<Template>,
    /// Its registered senders.
    pub senders: Vec<Sender>,
}

impl TenantConfig {
    /// The service that a call names.
    #[must_use]
    pub fn service(&self, id: ServiceId) -> Option<&ServiceRecord> {
        self.services.get(&id)
    }

    /// The tenant's own words for a message: those of the service before those of the tenant, and in each the closest language before a
    /// wider one (`pt-BR`, then `pt`). None: the built-in ones are used.
    #[must_use]
    pub fn template(&self, service: Option<ServiceId>, channel: Channel, locale: &str) -> Option<&Template> {
        self.closest(service, locale, |template| template.channel == channel && !template.by_choice)
    }

    /// The tenant's template of this name for a channel, by the same preferences.
    #[must_use]
    pub fn template_named(&self, name: &str, service: Option<ServiceId>, channel: Channel, locale: &str) -> Option<&Template> {
        self.closest(service, locale, |template| template.channel == channel && template.name == name)
    }

    /// The same in whatever language there is.
    #[must_use]
    pub fn template_of_any_language(&self, name: &str, service: Option<ServiceId>, channel: Channel) -> Option<&Template> {
        let fits = |template: &Template| template.channel == channel && template.name == name;
        let of_any_language =
            |template: &&Template| fits(template) && (template.service.is_none() || template.service == service);
        self.templates.iter().find(of_any_language)
    }

    /// The newest version of each of the tenant's templates, by id.
    #[must_use]
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    fn closest(&self, service: Option<ServiceId>, locale: &str, fits: impl Fn(&Template) -> bool) -> Option<&Template> {
        let tags = wider_tags(locale);
        let owners = [service, None].into_iter().skip(usize::from(service.is_none()));
        owners.flat_map(|owner| tags.iter().map(move |tag| (owner, tag))).find_map(|(owner, tag)| {
            let found =
                |template: &&Template| template.service == owner && template.locale.eq_ignore_ascii_case(tag) && fits(template);
            self.templates.iter().find(found)
        })
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Directory(…)")
    }
}

impl Directory {
    /// Filled from `records`.
    #[must_use]
    pub fn new(records: Snapshot) -> Self {
        Self { known: RwLock::new(Arc::new(Known::of(records))) }
    }

    /// Takes over new records at once: a call that is being let in sees the old ones or the new ones, never a mixture. Tells the tenants whose
    /// revision is another one than before.
    pub fn replace(&self, records: Snapshot) -> Vec<(TenantId, u64)> {
        let known = Arc::new(Known::of(records));
        let mut place = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *place, Arc::clone(&known));
        drop(place);
        let revision = |known: &Known, id: &TenantId| known.tenants.get(id).map(|config| config.tenant.revision);
        let changed = known.tenants.keys().filter(|id| revision(&known, id) != revision(&before, id));
        changed.filter_map(|id| Some((*id, revision(&known, id)?))).collect()
    }

    /// The version of the records it was filled from.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.known().version
    }

    /// Every tenant.
    #[must_use]
    pub fn tenants(&self) -> Vec<Arc<TenantConfig>> {
        self.known().tenants.values().cloned().collect()
    }

    /// One tenant.
    #[must_use]
    pub fn tenant(&self, id: TenantId) -> Option<Arc<TenantConfig>> {
        self.known().tenants.get(&id).cloned()
    }

    /// The tenant that people call so.
    #[must_use]
    pub fn tenant_by_name(&self, name: &str) -> Option<Arc<TenantConfig>> {
        self.known().tenants.values().find(|config| config.tenant.name == name).cloned()
    }

    /// The admin token behind a token's hash, revoked and expired ones too.
    pub(crate) fn admin(&self, hash: &SecretHash) -> Option<AdminToken> {
        self.known().admins.get(hash).cloned()
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The key behind a secret's hash, and its tenant.
    pub(crate) fn key(&self, hash: &SecretHash) -> Option<(ApiKey, Arc<TenantConfig>)> {
        let known = self.known();
        let key = known.keys.get(hash)?;
        Some((key.clone(), known.tenants.get(&key.tenant).cloned()?))
    }

    /// A key by its id, and its tenant.
    pub(crate) fn key_by_id(&self, id: KeyId) -> Option<(ApiKey, Arc<TenantConfig>)> {
        let hash = self.known().hashes.get(&id).copied()?;
        self.key(&hash)
    }
}

impl Known {
    fn of(records: Snapshot) -> Self {
        let Snapshot { version, tenants, keys, services, templates, senders, admin_tokens } = records;
        let mut configs: HashMap<TenantId, TenantConfig> = tenants
            .into_iter()
            .map(|tenant| {
                let id = tenant.id;
                (id, TenantConfig { tenant, services: HashMap::new(), templates: Vec::new(), senders: Vec::new() })
            })
            .collect();
        for service in services {
            if let Some(config) = configs.get_mut(&service.tenant) {
                config.services.insert(service.id, service);
            }
        }
        for template in templates {
            if let Some(config) = configs.get_mut(&template.tenant) {
                config.templates.push(template);
            }
        }
        for sender in senders {
            if let Some(config) = configs.get_mut(&sender.tenant) {
                config.senders.push(sender);
            }
        }
        Self {
            version,
            admins: admin_tokens.into_iter().map(|token| (token.hash, token)).collect(),
            hashes: keys.iter().map(|key| (key.id, key.secret_hash)).collect(),
            keys: keys.into_iter().map(|key| (key.secret_hash, key)).collect(),
            tenants: configs.into_iter().map(|(id, config)| (id, Arc::new(config))).collect(),
        }
    }
}
