use std::path::PathBuf;
use std::time::Duration;

use countersign_session::store::{BarrierMode, RedisServers, RedisSettings};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{Problem, secret};

/// `[redis]`: where sessions live when several nodes share them. Goes together with `[database]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    /// One server: `redis://`, `rediss://` or `unix://`.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "secret::hide_credentials")]
    pub url: Option<SecretString>,
    /// A primary that sentinels watch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentinel: Option<Sentinel>,
    /// Redis Cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Cluster>,
    /// As whom to speak to the servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The user's password.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "secret::hide")]
    pub password: Option<SecretString>,
    /// A file that holds the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// PEM file of the authorities that may vouch for a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Milliseconds that one try may take.
    pub try_ms: u64,
    /// Milliseconds that a call may take with everything.
    pub deadline_ms: u64,
    /// Calls under way at once, in each process.
    pub in_flight: usize,
    /// Whether final answers wait for a replica: `auto`, `on` or `off`.
    pub barrier: Barrier,
    /// Milliseconds that a replica may take to confirm.
    pub barrier_wait_ms: u64,
    /// Percent of a server's memory that may be used before sends are refused.
    pub memory_max_percent: u8,
}

/// `[redis.sentinel]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sentinel {
    /// The sentinels.
    pub urls: Vec<String>,
    /// What they call the primary.
    pub master: String,
    /// As whom to speak to the sentinels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// That user's password.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::hide")]
    pub password: Option<SecretString>,
    /// A file that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
}

/// `[redis.cluster]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// Some of its nodes.
    pub urls: Vec<String>,
}

/// `redis.barrier`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Barrier {
    /// Where there are replicas.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            url: None,
            sentinel: None,
            cluster: None,
            user: None,
            password: None,
            password_file: None,
            ca_file: None,
            try_ms: 500,
            deadline_ms: 2_000,
            in_flight: 10_000,
            barrier: Barrier::Auto,
            barrier_wait_ms: 200,
            memory_max_percent: 80,
        }
    }
}

impl Redis {
    /// Whether sessions live in Redis.
    #[must_use]
    pub const fn is_set(&self) -> bool {
        self.url.is_some() || self.sentinel.is_some() || self.cluster.is_some()
    }

    /// What the engine is opened with; none where sessions live in a file.
    pub(super) fn settings(&self, log_max_events: u64) -> Result<Option<RedisSettings>, Problem> {
        let password = secret::read("redis.password", self.password.as_ref(), self.password_file.as_ref())?;
        if let Some(file) = &self.ca_file {
            secret::readable("redis.ca_file", file)?;
        }
        let servers = match (&self.url, &self.sentinel, &self.cluster) {
            (None, None, None) => return Ok(None),
            (Some(url), None, None) => RedisServers::Single { url: url.clone() },
            (None, Some(sentinel), None) => RedisServers::Sentinel {
                urls: sentinel.urls.clone(),
                master: sentinel.master.clone(),
                user: sentinel.user.clone(),
                password: secret::read("redis.sentinel.password", sentinel.password.as_ref(), sentinel.password_file.as_ref())?,
            },
            (None, None, Some(cluster)) => RedisServers::Cluster { urls: cluster.urls.clone() },
            _ => return Err(Problem::new("redis.url", "must stand alone: one of redis.url, redis.sentinel and redis.cluster")),
        };
        let settings = RedisSettings {
            user: self.user.clone(),
            password,
            ca_file: self.ca_file.clone(),
            per_try: Duration::from_millis(self.try_ms),
            deadline: Duration::from_millis(self.deadline_ms),
            in_flight: self.in_flight,
            barrier: match self.barrier {
                Barrier::Auto => BarrierMode::Auto,
                Barrier::On => BarrierMode::On,
                Barrier::Off => BarrierMode::Off,
            },
            barrier_wait: Duration::from_millis(self.barrier_wait_ms),
            log_max_events,
            memory_max_percent: self.memory_max_percent,
            ..RedisSettings::new(servers)
        };
        settings.validate().map_err(|invalid| Problem::of_redis(&invalid))?;
        Ok(Some(settings))
    }

    pub(super) fn problems(&self, log_max_events: u64, found: &mut Vec<Problem>) {
        if let Err(problem) = self.settings(log_max_events) {
            found.push(problem);
        }
    }
}

/// The engine's names for settings, as they are written here.
pub(super) fn written(key: &'static str) -> &'static str {
    match key {
        "redis.per_try" => "redis.try_ms",
        "redis.deadline" => "redis.deadline_ms",
        "redis.barrier_wait" => "redis.barrier_wait_ms",
        "redis.log_max_events" => "events.max_entries",
        same => same,
    }
}
