use std::path::PathBuf;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::letter::in_ascii;
use crate::config::{ConfigError, ConfigProblem};
use crate::secret;
use crate::tls::install_crypto;

/// `kind = "smtp"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The mail server's name, which its certificate must bear.
    pub host: String,
    /// Its port. By `tls`: 587, 465 or 25.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the line is protected.
    #[serde(default)]
    pub tls: Tls,
    /// Who we are to the server; with `password` or `password_file`.
    #[serde(default)]
    pub username: Option<String>,
    /// A secret.
    #[serde(default, serialize_with = "secret::hide")]
    pub password: Option<SecretString>,
    /// The file that holds the password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// Sender, as in a header: `Example <no-reply@example.com>`.
    pub from: String,
    /// The name given in EHLO. Without it: the machine's.
    #[serde(default)]
    pub hello: Option<String>,
    /// Most connections at a time; 1 to 100.
    #[serde(default = "default_pool_size")]
    pub pool_size: u16,
    /// PEM certificates of a private authority, trusted instead of the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

const fn default_pool_size() -> u16 {
    8
}

/// How the line to the server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Plain at first, then STARTTLS; a server without it gets nothing.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Implicit,
    /// Nothing: for a relay on the same machine or network.
    None,
}

/// The section, checked and ready for use.
pub(super) struct Settings {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Protection,
    pub(super) credentials: Option<Credentials>,
    pub(super) from: Mailbox,
    pub(super) hello: ClientId,
    pub(super) pool_size: u16,
}

/// [`Tls`] with what it needs.
pub(super) enum Protection {
    Starttls(TlsParameters),
    Implicit(TlsParameters),
    None,
}

impl Config {
    pub(super) fn settle(&self, at: &str) -> Result<Settings, ConfigError> {
        let wrong = |key: &str, problem| Err(ConfigError::new(format!("{at}.{key}"), problem));
        if self.host.is_empty() || self.host.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '@')) {
            return wrong("host", ConfigProblem::Form("a host name or address, without scheme and port"));
        }
        let Ok(Mailbox { name, email }) = self.from.parse() else {
            return wrong("from", ConfigProblem::Form("a mailbox such as `Example <no-reply@example.com>`"));
        };
        // A relay of one's own may know names that no other server does: those stay as they are.
        let email = in_ascii(email.as_ref()).unwrap_or(email);
        if self.from.contains(char::is_control) {
            return wrong("from", ConfigProblem::Form("one line"));
        }
        if !(1..=100).contains(&self.pool_size) {
            return wrong("pool_size", ConfigProblem::Range { least: 1, most: 100 });
        }
        let hello = match &self.hello {
            None => ClientId::default(),
            Some(name) if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()) => ClientId::Domain(name.clone()),
            Some(_) => return wrong("hello", ConfigProblem::Form("a host name")),
        };
        let default_port = match self.tls {
            Tls::Starttls => 587,
            Tls::Implicit => 465,
            Tls::None => 25,
        };
        Ok(Settings {
            host: self.host.clone(),
            port: self.port.unwrap_or(default_port),
            tls: self.protection(at)?,
            credentials: self.credentials(at)?,
            from: Mailbox::new(name, email),
            hello,
            pool_size: self.pool_size,
        })
    }

    fn credentials(&self, at: &str) -> Result<Option<Credentials>, ConfigError> {
        let password = secret::read(at, "password", self.password.as_ref(), self.password_file.as_deref())?;
        match (&self.username, password) {
            (None, None) => Ok(None),
            (Some(user), Some(password)) => Ok(Some(Credentials::new(user.clone(), password.expose_secret().to_owned()))),
            (Some(_), None) => Err(ConfigError::new(format!("{at}.username"), ConfigProblem::Needs("password"))),
            (None, Some(_)) => Err(ConfigError::new(format!("{at}.password"), ConfigProblem::Needs("username"))),
        }
    }

    fn protection(&self, at: &str) -> Result<Protection, ConfigError> {
        let key = || format!("{at}.ca_file");
        if self.tls == Tls::None {
            return match self.ca_file {
                None => Ok(Protection::None),
                Some(_) => Err(ConfigError::new(key(), ConfigProblem::Form("left out when tls = \"none\""))),
            };
        }
        install_crypto();
        let mut parameters = TlsParameters::builder(self.host.clone());
        if let Some(path) = &self.ca_file {
            let pem = std::fs::read(path).map_err(|source| {
                ConfigError::new(key(), ConfigProblem::Unreadable { path: path.clone(), kind: source.kind() })
            })?;
            let is_pem = pem.windows(27).any(|window| window == b"-----BEGIN CERTIFICATE-----");
            let certificate = Certificate::from_pem(&pem).ok().filter(|_| is_pem);
            let certificate = certificate.ok_or_else(|| ConfigError::new(key(), ConfigProblem::Certificate))?;
            parameters = parameters.certificate_store(CertificateStore::None).add_root_certificate(certificate);
        }
        let parameters = parameters.build().map_err(|_| ConfigError::new(at, ConfigProblem::Tls))?;
        Ok(if self.tls == Tls::Implicit { Protection::Implicit(parameters) } else { Protection::Starttls(parameters) })
    }
}
