//! How Redis is reached and how long it may take.

use std::path::PathBuf;
use std::time::Duration;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};
use secrecy::{ExposeSecret, SecretString};

/// The section `redis` of the configuration, read and not yet tried.
#[derive(Debug, Clone)]
pub struct RedisSettings {
    /// Where the servers are.
    pub servers: RedisServers,
    /// As whom to speak to the servers; none: as the default user.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<SecretString>,
    /// PEM file of the authorities that may vouch for a server; none: those that the machine trusts.
    pub ca_file: Option<PathBuf>,
    /// How long one try of a call, or of connecting, may take.
    pub per_try: Duration,
    /// How long a call may take with everything: connecting, the one repeat. Beyond it the caller hears 503.
    pub deadline: Duration,
    /// How many calls may be under way at once. Beyond it callers hear 503 at once.
    pub in_flight: usize,
    /// Whether final answers wait for a replica.
    pub barrier: BarrierMode,
    /// How long a replica may take to confirm.
    pub barrier_wait: Duration,
    /// How many entries the log of a partition may hold before sends are refused.
    pub log_max_events: u64,
    /// How much of its memory a server may use before sends are refused.
    pub memory_max_percent: u8,
}

/// Where the servers are. `rediss` in a URL asks for TLS.
#[derive(Debug, Clone)]
pub enum RedisServers {
    /// One server: `redis://`, `rediss://` or `unix://`, with user, password and database number if need be.
    Single {
        /// Secret, because a password may stand in it.
        url: SecretString,
    },
    /// A primary that sentinels name, and its replicas. They are spoken to by TLS if the sentinels are.
    Sentinel {
        /// The sentinels, without user and password.
        urls: Vec<String>,
        /// What they call the primary.
        master: String,
        /// As whom to speak to the sentinels; none: as the default user.
        user: Option<String>,
        /// That user's password.
        password: Option<SecretString>,
    },
    /// Redis Cluster.
    Cluster {
        /// Some of its nodes, without user and password; the others are asked for.
        urls: Vec<String>,
    },
}

impl RedisServers {
    /// The setting that leads to them.
    pub(super) const fn key(&self) -> &'static str {
        match self {
            Self::Single { .. } => "redis.url",
            Self::Sentinel { .. } => "redis.sentinel.urls",
            Self::Cluster { .. } => "redis.cluster.urls",
        }
    }
}

/// Whether an answer that must survive a failover waits until a replica has what it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BarrierMode {
    /// Where a replica was seen, or the server asks for one (`min-replicas-to-write`), or sentinels watch it.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never: what was answered may be forgotten in a failover.
    Off,
}

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {why}")]
pub struct InvalidSetting {
    /// As it is written in the configuration.
    pub key: &'static str,
    /// What is wrong with it.
    pub why: String,
}

impl InvalidSetting {
    pub(super) fn new(key: &'static str, why: impl Into<String>) -> Self {
        Self { key, why: why.into() }
    }
}

impl RedisSettings {
    /// Servers, and what holds where nothing else is said.
    #[must_use]
    pub fn new(servers: RedisServers) -> Self {
        Self {
            servers,
            user: None,
            password: None,
            ca_file: None,
            per_try: Duration::from_millis(500),
            deadline: Duration::from_secs(2),
            in_flight: 10_000,
            barrier: BarrierMode::Auto,
            barrier_wait: Duration::from_millis(200),
            log_max_events: 1_000_000,
            memory_max_percent: 80,
        }
    }

    /// One server by its URL.
    #[must_use]
    pub fn single(url: impl Into<String>) -> Self {
        Self::new(RedisServers::Single { url: SecretString::from(url.into()) })
    }

    /// Says which setting cannot work. Nothing is connected to.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        self.addresses()?;
        if let RedisServers::Sentinel { master, user, password, .. } = &self.servers {
            if master.is_empty() {
                return Err(InvalidSetting::new("redis.sentinel.master", "is empty"));
            }
            if user.is_some() && password.is_none() {
                return Err(InvalidSetting::new("redis.sentinel.password", "is missing beside redis.sentinel.user"));
            }
        }
        if self.user.is_some() && self.password.is_none() {
            return Err(InvalidSetting::new("redis.password", "is missing beside redis.user"));
        }
        let bounds = [
            ("redis.per_try", self.per_try.is_zero(), "is zero"),
            ("redis.deadline", self.deadline < self.per_try, "is less than redis.per_try"),
            ("redis.in_flight", self.in_flight == 0, "is zero"),
            ("redis.barrier_wait", self.barrier_wait.as_millis() == 0, "is less than a millisecond; zero would wait for ever"),
            ("redis.barrier_wait", self.barrier_wait >= self.deadline, "is not less than redis.deadline"),
            ("redis.log_max_events", self.log_max_events == 0, "is zero"),
            ("redis.memory_max_percent", !(1..=100).contains(&self.memory_max_percent), "is not a number from 1 to 100"),
        ];
        match bounds.into_iter().find(|(_, is_wrong, _)| *is_wrong) {
            Some((key, _, why)) => Err(InvalidSetting::new(key, why)),
            None => Ok(()),
        }
    }

    /// What the URLs name: one server, or the sentinels, or nodes of the cluster.
    pub(super) fn addresses(&self) -> Result<Vec<ConnectionInfo>, InvalidSetting> {
        match &self.servers {
            RedisServers::Single { url } => {
                let info = parse("redis.url", url.expose_secret())?;
                let named = info.redis_settings();
                if (self.user.is_some() && named.username().is_some()) || (self.password.is_some() && named.password().is_some())
                {
                    return Err(InvalidSetting::new(
                        "redis.url",
                        "names a user or password that redis.user and redis.password name too",
                    ));
                }
                Ok(vec![info])
            }
            RedisServers::Sentinel { urls, .. } => parse_all("redis.sentinel.urls", urls),
            RedisServers::Cluster { urls } => parse_all("redis.cluster.urls", urls),
        }
    }
}

fn parse_all(key: &'static str, urls: &[String]) -> Result<Vec<ConnectionInfo>, InvalidSetting> {
    let infos = urls.iter().map(|url| parse(key, url)).collect::<Result<Vec<_>, _>>()?;
    let [first, others @ ..] = infos.as_slice() else { return Err(InvalidSetting::new(key, "is empty")) };
    if others.iter().any(|other| is_tls(other.addr()) != is_tls(first.addr())) {
        return Err(InvalidSetting::new(key, "mixes redis:// and rediss://"));
    }
    for info in &infos {
        let named = info.redis_settings();
        if named.username().is_some() || named.password().is_some() || named.db() != 0 {
            return Err(InvalidSetting::new(key, "may hold hosts and ports only: user and password have keys of their own"));
        }
        if matches!(info.addr(), ConnectionAddr::Unix(_)) {
            return Err(InvalidSetting::new(key, "holds a socket: only a single server can be reached by one"));
        }
    }
    Ok(infos)
}

fn parse(key: &'static str, url: &str) -> Result<ConnectionInfo, InvalidSetting> {
    // The parser's own words may repeat what it could not read, and a password with it.
    let unreadable = |_| InvalidSetting::new(key, "is no URL such as redis://host:6379, rediss://host:6379 or unix:///path");
    let info = url.into_connection_info().map_err(unreadable)?;
    if matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
        return Err(InvalidSetting::new(key, "asks for TLS that trusts everybody (#insecure)"));
    }
    Ok(info)
}

pub(super) const fn is_tls(address: &ConnectionAddr) -> bool {
    matches!(address, ConnectionAddr::TcpTls { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(settings: &RedisSettings) -> String {
        settings.validate().expect_err("it cannot work").to_string()
    }

    #[test]
    fn what_cannot_work_is_named_by_its_key() {
        type Spoil = fn(&mut RedisSettings);
        let good = RedisSettings::single("redis://127.0.0.1:6379/2");
        assert_eq!(good.validate(), Ok(()));
        let wrong: [(&str, Spoil); 6] = [
            ("redis.user", |it| it.user = Some("app".into())),
            ("redis.deadline", |it| it.deadline = Duration::from_millis(100)),
            ("redis.in_flight", |it| it.in_flight = 0),
            ("redis.barrier_wait", |it| it.barrier_wait = Duration::ZERO),
            ("redis.memory_max_percent", |it| it.memory_max_percent = 101),
            ("redis.cluster.urls: is empty", |it| it.servers = RedisServers::Cluster { urls: Vec::new() }),
        ];
        for (key, spoil) in wrong {
            let mut settings = good.clone();
            spoil(&mut settings);
            assert!(complaint(&settings).contains(key), "{key}: {}", complaint(&settings));
        }
    }

    #[test]
    fn a_password_in_a_url_is_never_shown() {
        for url in ["redis://:hunter2@localhost", "rediss://:hunter2@localhost/#insecure", "redis://:hunter2@[localhost"] {
            let settings = RedisSettings::single(url);
            let shown = format!("{settings:?} {:?}", settings.validate());
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn sentinels_and_nodes_are_named_without_users_and_passwords() {
        let urls = vec!["redis://app:secret@127.0.0.1:26379".to_owned()];
        let settings = RedisSettings::new(RedisServers::Cluster { urls });
        assert!(
            complaint(&settings).starts_with("redis.cluster.urls: may hold hosts and ports only"),
            "{}",
            complaint(&settings)
        );
    }
}
