//! Makes connections: to which address, as whom, with whose trust.

use std::fs;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisResult,
    TlsCertificates,
};
use secrecy::{ExposeSecret, SecretString};

use super::settings::{InvalidSetting, RedisServers, RedisSettings};

/// As what we show up in `CLIENT LIST`.
const LIBRARY: (&str, &str) = ("countersign", env!("CARGO_PKG_VERSION"));

/// How many calls may wait in front of a connection. Beyond it they wait in turn.
const QUEUE: usize = 256;

/// What all connections to the servers have in common. The one to sentinels has another user.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    redis: RedisConnectionInfo,
    trust: Option<TlsCertificates>,
    pub(super) per_try: Duration,
    pub(super) deadline: Duration,
}

impl Connector {
    /// For the servers that hold our data.
    pub(super) fn to_servers(settings: &RedisSettings) -> Result<Self, InvalidSetting> {
        let named = match &settings.servers {
            RedisServers::Single { .. } => settings.addresses()?.first().map(|info| info.redis_settings().clone()),
            RedisServers::Sentinel { .. } | RedisServers::Cluster { .. } => None,
        };
        Self::new(settings, named.unwrap_or_default(), settings.user.as_deref(), settings.password.as_ref())
    }

    /// For the sentinels.
    pub(super) fn to_sentinels(
        settings: &RedisSettings,
        user: Option<&str>,
        password: Option<&SecretString>,
    ) -> Result<Self, InvalidSetting> {
        Self::new(settings, RedisConnectionInfo::default(), user, password)
    }

    fn new(
        settings: &RedisSettings,
        mut redis: RedisConnectionInfo,
        user: Option<&str>,
        password: Option<&SecretString>,
    ) -> Result<Self, InvalidSetting> {
        if let Some(user) = user {
            redis = redis.set_username(user);
        }
        if let Some(password) = password {
            redis = redis.set_password(password.expose_secret());
        }
        let trust = match &settings.ca_file {
            None => None,
            Some(path) => {
                let unreadable = |error: std::io::Error| InvalidSetting::new("redis.ca_file", format!("cannot be read: {error}"));
                Some(TlsCertificates { client_tls: None, root_cert: Some(fs::read(path).map_err(unreadable)?) })
            }
        };
        let redis = redis.set_lib_name(LIBRARY.0, LIBRARY.1);
        Ok(Self { redis, trust, per_try: settings.per_try, deadline: settings.deadline })
    }

    /// Whether the file of authorities holds any.
    pub(super) fn check(&self) -> Result<(), InvalidSetting> {
        let checked = self.info(&address("localhost", 0, true));
        checked.map(|_| ()).map_err(|error| InvalidSetting::new("redis.ca_file", error.to_string()))
    }

    /// Everything that is needed to connect to `address`. Fails when the file of authorities holds none.
    pub(super) fn info(&self, address: &ConnectionAddr) -> RedisResult<ConnectionInfo> {
        let tcp = TcpSettings::default().set_nodelay(true);
        let info = address.clone().into_connection_info()?.set_redis_settings(self.redis.clone()).set_tcp_settings(tcp);
        match (&self.trust, address) {
            (Some(trust), ConnectionAddr::TcpTls { .. }) => {
                Ok(Client::build_with_tls(info, trust.clone())?.get_connection_info().clone())
            }
            _ => Ok(info),
        }
    }

    /// A connection on which every answer must come within one try, and so long after as `extra`.
    pub(super) async fn connect(&self, info: &ConnectionInfo, extra: Duration) -> RedisResult<MultiplexedConnection> {
        Client::open(info.clone())?.get_multiplexed_async_connection_with_config(&self.config(self.per_try + extra)).await
    }

    /// How a connection behaves whose answers may take as long as `answer`.
    pub(super) fn config(&self, answer: Duration) -> AsyncConnectionConfig {
        AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.per_try))
            .set_response_timeout(Some(answer))
            .set_pipeline_buffer_size(QUEUE)
    }
}

/// `host:port`, or the path of a socket: for people, and to tell servers apart.
pub(super) fn shown(address: &ConnectionAddr) -> String {
    address.to_string()
}

/// An address that a server named, spoken to as the others are.
pub(super) fn address(host: &str, port: u16, tls: bool) -> ConnectionAddr {
    if tls {
        ConnectionAddr::TcpTls { host: host.to_owned(), port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host.to_owned(), port)
    }
}
