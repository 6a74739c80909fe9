//! The form in which records are shown: to operators, by API and at the terminal, and in the audit log. No view holds a secret.

use countersign_model::{
    ApiKey, IpNet, KeyScope, LimitRules, Money, Origin, PriceList, Sender, ServiceProfile, ServiceRecord, Template, Tenant,
    TenantSettings, Timestamp,
};
use countersign_records::{AdminToken, AuditEntry};
use serde::Serialize;
use serde_json::Value;

/// A tenant.
#[derive(Debug, Clone, Serialize)]
pub struct TenantView {
    /// `ten_…`
    pub id: String,
    /// Unique.
    pub name: String,
    /// Who answers for it.
    pub email: Option<String>,
    /// What its own customers' account page calls its plan.
    pub plan: String,
    /// What differs from the installation's.
    pub settings: SettingsView,
    /// Counts changes of the tenant and of what it has.
    pub revision: u64,
    /// When it was made.
    pub created_at: String,
}

/// What a tenant has of its own.
#[derive(Debug, Clone, Serialize)]
pub struct SettingsView {
    /// Limits.
    pub limits: LimitRules,
    /// Prices; none: the installation's.
    pub prices: Option<PriceList>,
    /// Below this it hears of a low balance.
    pub low_balance: Option<Money>,
    /// The service of calls that name none.
    pub default_service: Option<String>,
}

/// An API key.
#[derive(Debug, Clone, Serialize)]
pub struct KeyView {
    /// `key_…`
    pub id: String,
    /// The public half.
    pub access_key: String,
    /// For people.
    pub name: String,
    /// `live` or `test`.
    pub mode: &'static str,
    /// `full`, `read_only` or `browser`.
    pub scope: KeyScope,
    /// `active`, `expired` or `revoked`, when it was looked at.
    pub state: &'static str,
    /// Empty: from anywhere.
    pub allowed_ips: Vec<IpNet>,
    /// The pages that may show it, if it is for browsers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<Origin>,
    /// When it was made.
    pub created_at: String,
    /// When it dies by itself.
    pub expires_at: Option<String>,
    /// When somebody ended it.
    pub revoked_at: Option<String>,
}

/// A service.
#[derive(Debug, Clone, Serialize)]
pub struct ServiceView {
    /// A UUID.
    pub id: String,
    /// Unique in the tenant.
    pub name: String,
    /// Its rules, without the codes of test recipients.
    pub profile: ServiceProfile,
    /// Its limits.
    pub limits: LimitRules,
    /// Its prices; none: the tenant's.
    pub prices: Option<PriceList>,
    /// When it was made.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
}

/// A version of a template.
#[derive(Debug, Clone, Serialize)]
pub struct TemplateView {
    /// A UUID.
    pub id: String,
    /// Counts from 1.
    pub version: u32,
    /// The service whose messages it words; none: all of the tenant's.
    pub service: Option<String>,
    /// Where it is used.
    pub channel: &'static str,
    /// BCP 47 tag.
    pub locale: String,
    /// For people.
    pub name: String,
    /// E-mail only.
    pub subject: Option<String>,
    /// The words.
    pub body: String,
    /// Whether it is used only where a call chooses it.
    pub by_choice: bool,
    /// When this version was made.
    pub created_at: String,
}

/// A sender.
#[derive(Debug, Clone, Serialize)]
pub struct SenderView {
    /// A UUID.
    pub id: String,
    /// Where it is used.
    pub channel: &'static str,
    /// What recipients see.
    pub value: String,
    /// When it was made.
    pub created_at: String,
}

/// A token of the admin API.
#[derive(Debug, Clone, Serialize)]
pub struct TokenView {
    /// Unique for ever.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// `active`, `expired` or `revoked`, when it was looked at.
    pub state: &'static str,
    /// When it was made.
    pub created_at: String,
    /// When it dies by itself.
    pub expires_at: Option<String>,
    /// When somebody ended it.
    pub revoked_at: Option<String>,
}

/// A remembered change.
#[derive(Debug, Clone, Serialize)]
pub struct AuditView {
    /// Its place, counted from 1.
    pub number: i64,
    /// When.
    pub at: String,
    /// Who.
    pub who: String,
    /// What was done: `service.update`.
    pub what: String,
    /// Whose record it was; none: the installation's.
    pub tenant: Option<String>,
    /// Which kind of record.
    pub target_kind: String,
    /// Which one.
    pub target_id: String,
    /// How it was; none: it was not there.
    pub before: Option<Value>,
    /// How it is; none: it is gone.
    pub after: Option<Value>,
}

fn state(revoked_at: Option<Timestamp>, usable: bool) -> &'static str {
    match (revoked_at, usable) {
        (Some(_), _) => "revoked",
        (None, true) => "active",
        (None, false) => "expired",
    }
}

pub(super) fn text(moment: Option<Timestamp>) -> Option<String> {
    moment.map(|moment| moment.to_string())
}

impl TenantView {
    /// Shows `tenant`.
    #[must_use]
    pub fn of(tenant: &Tenant) -> Self {
        Self {
            id: tenant.id.to_string(),
            name: tenant.name.clone(),
            email: tenant.email.clone(),
            plan: tenant.plan.clone(),
            settings: SettingsView::of(&tenant.settings),
            revision: tenant.revision,
            created_at: tenant.created_at.to_string(),
        }
    }
}

impl SettingsView {
    /// Shows `settings`.
    #[must_use]
    pub fn of(settings: &TenantSettings) -> Self {
        Self {
            limits: settings.limits.clone(),
            prices: settings.prices.clone(),
            low_balance: settings.low_balance,
            default_service: settings.default_service.map(|service| service.to_string()),
        }
    }
}

impl KeyView {
    /// Shows `key` as it is at `now`.
    #[must_use]
    pub fn of(key: &ApiKey, now: Timestamp) -> Self {
        Self {
            id: key.id.to_string(),
            access_key: key.access_key.0.clone(),
            name: key.name.clone(),
            mode: key.kind.as_str(),
            scope: key.scope,
            state: state(key.revoked_at, key.is_usable(now)),
            allowed_ips: key.allowed_ips.clone(),
            origins: key.origins.clone(),
            created_at: key.created_at.to_string(),
            expires_at: text(key.expires_at),
            revoked_at: text(key.revoked_at),
        }
    }
}

impl ServiceView {
    /// Shows `service`.
    #[must_use]
    pub fn of(service: &ServiceRecord) -> Self {
        Self {
            id: service.id.to_string(),
            name: service.name.clone(),
            profile: service.profile.without_codes(),
            limits: service.limits.clone(),
            prices: service.prices.clone(),
            created_at: service.created_at.to_string(),
            updated_at: service.updated_at.to_string(),
        }
    }
}

impl TemplateView {
    /// Shows `template`.
    #[must_use]
    pub fn of(template: &Template) -> Self {
        Self {
            id: template.id.to_string(),
            version: template.version,
            service: template.service.map(|service| service.to_string()),
            channel: template.channel.as_str(),
            locale: template.locale.clone(),
            name: template.name.clone(),
            subject: template.subject.clone(),
            body: template.body.clone(),
            by_choice: template.by_choice,
            created_at: template.created_at.to_string(),
        }
    }
}

impl SenderView {
    /// Shows `sender`.
    #[must_use]
    pub fn of(sender: &Sender) -> Self {
        Self {
            id: sender.id.to_string(),
            channel: sender.channel.as_str(),
            value: sender.value.clone(),
            created_at: sender.created_at.to_string(),
        }
    }
}

impl TokenView {
    /// Shows `token` as it is at `now`.
    #[must_use]
    pub fn of(token: &AdminToken, now: Timestamp) -> Self {
        Self {
            name: token.name.clone(),
            scopes: token.scopes.clone(),
            state: state(token.revoked_at, token.is_usable(now)),
            created_at: token.created_at.to_string(),
            expires_at: text(token.expires_at),
            revoked_at: text(token.revoked_at),
        }
    }
}

impl AuditView {
    /// Shows `entry`.
    #[must_use]
    pub fn of(entry: &AuditEntry) -> Self {
        let AuditEntry { number, entry } = entry;
        Self {
            number: *number,
            at: entry.at.to_string(),
            who: entry.who.clone(),
            what: entry.what.clone(),
            tenant: entry.tenant.map(|tenant| tenant.to_string()),
            target_kind: entry.target_kind.clone(),
            target_id: entry.target_id.clone(),
            before: entry.before.clone(),
            after: entry.after.clone(),
        }
    }
}
