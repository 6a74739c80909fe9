use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusmpp::types::COctetString;
use rusmpp::values::InterfaceVersion;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::address::{self, Address};
use super::text::Manner;
use crate::config::{ConfigError, ConfigProblem};
use crate::secret;
use crate::tls::install_crypto;

/// `kind = "smpp"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The message centre's name or address; with TLS its certificate must bear it.
    pub host: String,
    /// Its port. By `tls`: 3550 or 2775.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the line is protected.
    #[serde(default)]
    pub tls: Tls,
    /// PEM certificates of a private authority, trusted instead of the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Who we are to the centre; up to 15 characters.
    pub system_id: String,
    /// A secret; up to 8 characters.
    #[serde(default, serialize_with = "secret::hide")]
    pub password: Option<SecretString>,
    /// The file that holds the password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// What some centres want to know; up to 12 characters.
    #[serde(default)]
    pub system_type: String,
    /// One connection for both ways, or one for each.
    #[serde(default)]
    pub bind: Bind,
    /// The protocol's version that is told at the bind.
    #[serde(default)]
    pub version: Version,
    /// Sender: a number, a short code or a name.
    pub from: String,
    /// Type of number of `from`. Without it: by its looks.
    #[serde(default)]
    pub from_ton: Option<u8>,
    /// Numbering plan of `from`. Without it: by its looks.
    #[serde(default)]
    pub from_npi: Option<u8>,
    /// Type of number of recipients.
    #[serde(default = "one")]
    pub to_ton: u8,
    /// Numbering plan of recipients.
    #[serde(default = "one")]
    pub to_npi: u8,
    /// Messages that may wait for their answer at a time; 1 to 1000.
    #[serde(default = "default_window")]
    pub window: u16,
    /// Silence after which the line is tried; 5 to 3600.
    #[serde(default = "default_enquire_link")]
    pub enquire_link_seconds: u64,
    /// What the centre takes `data_coding` to be.
    #[serde(default)]
    pub alphabet: Alphabet,
    /// Told with every text that the alphabet can write. All others go as UCS-2.
    #[serde(default)]
    pub data_coding: u8,
    /// How a text that needs several messages is joined on the phone.
    #[serde(default)]
    pub parts: Parts,
    /// Whether the centre is told to give up when the code has died.
    #[serde(default = "yes")]
    pub validity: bool,
    /// How the ids of receipts are written.
    #[serde(default)]
    pub receipt_id: ReceiptId,
}

const fn one() -> u8 {
    1
}

const fn default_window() -> u16 {
    10
}

const fn default_enquire_link() -> u64 {
    30
}

const fn yes() -> bool {
    true
}

/// How the line to the centre is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// TLS from the first byte.
    #[default]
    Implicit,
    /// Nothing: for a centre behind a tunnel or on the same network.
    None,
}

/// What is bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bind {
    /// One connection, on which receipts come back.
    #[default]
    #[serde(rename = "transceiver")]
    Transceiver,
    /// One connection out, one back.
    #[serde(rename = "transmitter+receiver")]
    Pair,
}

/// The protocol's version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Version {
    /// What nearly all centres speak.
    #[default]
    #[serde(rename = "3.4")]
    V34,
    /// Its successor.
    #[serde(rename = "5.0")]
    V50,
}

/// How a text is written that needs no UCS-2.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alphabet {
    /// GSM 03.38, an octet a septet.
    #[default]
    Gsm7,
    /// ISO 8859-1.
    Latin1,
    /// Seven bits.
    Ascii,
}

/// How the parts of a text are joined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Parts {
    /// A header before each part's text.
    #[default]
    Udh,
    /// Three optional parameters beside it.
    Sar,
    /// The whole text in one optional parameter: the centre cuts it.
    Payload,
}

/// How the id of a receipt and that of the answer to its message are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptId {
    /// Letter by letter.
    #[default]
    Same,
    /// The answer writes a number in hexadecimal, the receipt in decimal.
    HexToDecimal,
    /// The other way round.
    DecimalToHex,
}

/// The section, checked and ready for use.
pub(super) struct Settings {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) protection: Option<Protection>,
    pub(super) system_id: COctetString<1, 16>,
    pub(super) password: COctetString<1, 9>,
    pub(super) system_type: COctetString<1, 13>,
    pub(super) bind: Bind,
    pub(super) version: InterfaceVersion,
    pub(super) from: Address,
    pub(super) to_ton: u8,
    pub(super) to_npi: u8,
    pub(super) window: usize,
    pub(super) enquire_link: Duration,
    pub(super) manner: Manner,
    pub(super) validity: bool,
    pub(super) receipt_id: ReceiptId,
}

/// What TLS needs.
pub(super) struct Protection {
    pub(super) name: ServerName<'static>,
    pub(super) client: Arc<ClientConfig>,
}

impl Settings {
    /// `host:port`, for people.
    pub(super) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl Config {
    pub(super) fn settle(&self, at: &str) -> Result<Settings, ConfigError> {
        let wrong = |key: &str, problem| ConfigError::new(format!("{at}.{key}"), problem);
        if self.host.is_empty() || self.host.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '@')) {
            return Err(wrong("host", ConfigProblem::Form("a host name or address, without scheme and port")));
        }
        if !(1..=1000).contains(&self.window) {
            return Err(wrong("window", ConfigProblem::Range { least: 1, most: 1000 }));
        }
        if !(5..=3600).contains(&self.enquire_link_seconds) {
            return Err(wrong("enquire_link_seconds", ConfigProblem::Range { least: 5, most: 3600 }));
        }
        let password = secret::read(at, "password", self.password.as_ref(), self.password_file.as_deref())?;
        let password = password.ok_or_else(|| wrong("system_id", ConfigProblem::Needs("password")))?;
        let visible = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let bounded = |text: &str, key, form| if visible(text) { Ok(()) } else { Err(wrong(key, ConfigProblem::Form(form))) };
        bounded(&self.system_id, "system_id", SYSTEM_ID)?;
        bounded(password.expose_secret(), "password", PASSWORD)?;
        bounded(&self.system_type, "system_type", SYSTEM_TYPE)?;
        let default_port = if self.tls == Tls::Implicit { 3550 } else { 2775 };
        Ok(Settings {
            host: self.host.clone(),
            port: self.port.unwrap_or(default_port),
            protection: self.protection(at)?,
            system_id: self.system_id.parse().map_err(|_| wrong("system_id", ConfigProblem::Form(SYSTEM_ID)))?,
            password: password.expose_secret().parse().map_err(|_| wrong("password", ConfigProblem::Form(PASSWORD)))?,
            system_type: self.system_type.parse().map_err(|_| wrong("system_type", ConfigProblem::Form(SYSTEM_TYPE)))?,
            bind: self.bind,
            version: match self.version {
                Version::V34 => InterfaceVersion::Smpp3_4,
                Version::V50 => InterfaceVersion::Smpp5_0,
            },
            from: self.source().ok_or_else(|| wrong("from", ConfigProblem::Form("1 to 20 visible ASCII characters")))?,
            to_ton: self.to_ton,
            to_npi: self.to_npi,
            window: usize::from(self.window),
            enquire_link: Duration::from_secs(self.enquire_link_seconds),
            manner: Manner { alphabet: self.alphabet, data_coding: self.data_coding, parts: self.parts },
            validity: self.validity,
            receipt_id: self.receipt_id,
        })
    }

    fn source(&self) -> Option<Address> {
        let guessed = address::guess(&self.from)?;
        let (ton, npi) = (self.from_ton.unwrap_or(guessed.ton.into()), self.from_npi.unwrap_or(guessed.npi.into()));
        address::of(guessed.text.as_str(), ton, npi)
    }

    fn protection(&self, at: &str) -> Result<Option<Protection>, ConfigError> {
        let key = || format!("{at}.ca_file");
        if self.tls == Tls::None {
            return match self.ca_file {
                None => Ok(None),
                Some(_) => Err(ConfigError::new(key(), ConfigProblem::Form("left out when tls = \"none\""))),
            };
        }
        install_crypto();
        let name = ServerName::try_from(self.host.clone());
        let name = name.map_err(|_| ConfigError::new(format!("{at}.host"), ConfigProblem::Form("a host name or address")))?;
        let builder = ClientConfig::builder();
        let client = match &self.ca_file {
            Some(path) => builder.with_root_certificates(authorities(key(), path)?),
            None => builder.with_platform_verifier().map_err(|_| ConfigError::new(at, ConfigProblem::Tls))?,
        };
        Ok(Some(Protection { name, client: Arc::new(client.with_no_client_auth()) }))
    }
}

const SYSTEM_ID: &str = "up to 15 visible ASCII characters";
const PASSWORD: &str = "up to 8 visible ASCII characters, which is all that SMPP has room for";
const SYSTEM_TYPE: &str = "up to 12 visible ASCII characters";

/// Every certificate of the file.
fn authorities(key: String, path: &Path) -> Result<RootCertStore, ConfigError> {
    let pem = std::fs::read(path);
    let pem = pem.map_err(|source| {
        ConfigError::new(key.clone(), ConfigProblem::Unreadable { path: path.to_owned(), kind: source.kind() })
    })?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let taken = certificate.ok().and_then(|certificate| roots.add(certificate).ok());
        taken.ok_or_else(|| ConfigError::new(key.clone(), ConfigProblem::Certificate))?;
    }
    if roots.is_empty() { Err(ConfigError::new(key, ConfigProblem::Certificate)) } else { Ok(roots) }
}
