//! From what an operator writes to what the verbs work with.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use countersign_channels::{House, Routes};
use countersign_core::{LimitSettings, Settings};
use countersign_model::{Clock, Rng, Service, ServiceId};
use countersign_records::{Place, PoolOptions};
use countersign_session::BudgetRule;
use countersign_session::store::RedisSettings;
use countersign_webhooks::WebhookSettings;
use reqwest::Url;

use crate::data_dir::DataDir;

use super::{Config, ConfigError, Limits, Problem, profile};

/// What a lease lasts beyond the router's deadline, for the store call that follows.
const AFTER_DEADLINE: Duration = Duration::from_secs(10);

impl Config {
    /// The address under which callers know this installation, as far as it is known before a listener is bound.
    #[must_use]
    pub fn public_url(&self) -> String {
        self.public_url_at(self.http.listen)
    }

    /// The same, once the listener has its address.
    #[must_use]
    pub fn public_url_at(&self, bound: std::net::SocketAddr) -> String {
        self.public_url.as_deref().map_or_else(|| format!("http://{bound}"), |url| url.trim_end_matches('/').to_owned())
    }

    /// What the verbs work with.
    #[must_use]
    pub fn settings(&self, public_url: String) -> Settings {
        let default_service = self.session.service(None, &Service::default());
        let services = self.services.iter().filter_map(|service| {
            let id: ServiceId = service.id.parse().ok()?;
            Some(service.profile.service(Some(id), &default_service))
        });
        let services = services.collect();
        Settings {
            public_url,
            default_service,
            services,
            limits: self.limits.settings(self.budget()),
            lease: Duration::from_secs(self.delivery.deadline_seconds) + AFTER_DEADLINE,
            billing: self.billing.settings(),
            history_kept: self.retention.sessions(),
            contact_locale_wait: self.contacts.locale_wait(),
            history_wait: Settings::HISTORY_WAIT,
        }
    }

    /// What a recipient's wrong guesses may add up to.
    #[must_use]
    pub fn budget(&self) -> BudgetRule {
        BudgetRule { wrong: self.limits.wrong_guesses.limit(), block_after: self.limits.block_after }
    }

    /// Where the secrets are.
    #[must_use]
    pub fn key_file(&self, data_dir: &DataDir) -> PathBuf {
        self.keys.file.clone().unwrap_or_else(|| data_dir.key_file())
    }

    /// Whether several nodes share the planes.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        self.redis.is_set()
    }

    /// How Redis is reached; none where sessions live in a file.
    pub fn redis_settings(&self) -> Result<Option<RedisSettings>, ConfigError> {
        self.redis.settings(self.events.max_entries).map_err(|problem| ConfigError::Invalid(vec![problem]))
    }

    /// Where the records are and how their connections behave; none where they live in a file.
    pub fn database_place(&self) -> Result<Option<(Place, PoolOptions)>, ConfigError> {
        let place = self.database.place().map_err(|problem| ConfigError::Invalid(vec![problem]))?;
        Ok(place.map(|place| (place, self.database.pool())))
    }

    /// How events are posted.
    #[must_use]
    pub fn webhook_settings(&self) -> WebhookSettings {
        self.webhooks.settings()
    }

    /// The ways out, built and checked. Reads the files that `*_file` keys name; reaches nobody.
    pub fn routes(&self, clock: &Arc<dyn Clock>, rng: &Arc<dyn Rng>) -> Result<Routes, ConfigError> {
        let house = House { clock: Arc::clone(clock), rng: Arc::clone(rng), public_url: self.public_url.clone() };
        Routes::build(&self.providers, &self.channels, self.delivery.clone(), &house)
            .map_err(|error| ConfigError::Invalid(vec![error.into()]))
    }

    /// No way out, for what sends nothing: reads no file that a `*_file` key names. Ranges are checked all the same.
    pub fn closed_routes(&self) -> Result<Routes, ConfigError> {
        Routes::closed(&self.providers, &self.channels, self.delivery.clone())
            .map_err(|error| ConfigError::Invalid(vec![error.into()]))
    }

    /// Everything that is out of range or does not fit together.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        if let Some(url) = &self.public_url
            && !is_base_address(url)
        {
            found.push(Problem::new(
                "public_url",
                "must be an http or https address without query, such as https://otp.example.com",
            ));
        }
        let label = self.region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !label || !(1..=16).contains(&self.region.len()) {
            found.push(Problem::new("region", "must be 1 to 16 of a-z, 0-9 and -"));
        }
        if self.http.listen == self.admin.listen && self.http.listen.port() != 0 {
            found.push(Problem::new("admin.listen", "must differ from http.listen: operators and callers do not share a port"));
        }
        self.http.problems(&mut found);
        self.log.problems(&mut found);
        self.limits.problems(&mut found);
        self.events.problems(&mut found);
        self.redis.problems(self.events.max_entries, &mut found);
        self.database.problems(&mut found);
        self.billing.problems(&mut found);
        self.retention.problems(&mut found);
        self.contacts.problems(&mut found);
        self.webhooks.problems(&mut found);
        if self.redis.is_set() && self.public_url.is_none() {
            found.push(Problem::new(
                "public_url",
                "must be set where several nodes share sessions: it is in every token, and all must agree",
            ));
        }
        if self.redis.is_set() != self.database.url.is_some() {
            let key = if self.redis.is_set() { "database.url" } else { "redis.url" };
            found.push(Problem::new(
                key,
                "must be set too: sessions in Redis go with records in PostgreSQL, and neither goes alone",
            ));
        }
        profile::problems(&self.session, "session", &mut found);
        for (position, service) in self.services.iter().enumerate() {
            let section = format!("services[{position}]");
            let id = service.id.parse::<ServiceId>();
            if id.is_err() {
                found.push(Problem::new(format!("{section}.id"), "must be a UUID; uuidgen makes one"));
            } else if self.services[..position].iter().any(|other| other.id.parse() == id) {
                found.push(Problem::new(format!("{section}.id"), "names a service that stands above already"));
            }
            profile::problems(&service.profile.over(&self.session), &section, &mut found);
        }
        found
    }
}

fn is_base_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none() && url.fragment().is_none()
    })
}

impl Limits {
    fn settings(&self, budget: BudgetRule) -> LimitSettings {
        LimitSettings {
            calls_per_key: self.calls_per_key.limit(),
            failed_authentication: self.failed_authentication.limit(),
            sends_per_user: self.sends_per_user.limit(),
            active_per_user: self.active_per_user,
            sends_per_ip: self.sends_per_ip.limit(),
            sends_per_recipient: self.sends_per_recipient.limit(),
            code_misses: self.code_misses.limit(),
            budget,
        }
    }
}
