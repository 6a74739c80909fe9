//! `countersign key`: what lets callers in. Works beside a running server, which sees a new key within a second and refuses a revoked one at
//! its next call.

use std::fmt;
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use countersign_core::Platform;
use countersign_core::manage::{KeyOrder, KeyView, ManageError, Order};
use countersign_model::{KeyId, KeyKind, KeyScope, Origin};
use ipnet::IpNet;
use serde::Serialize;

use super::desk::OfTenant;
use super::{CliError, Context, Output};
use crate::config::parse_span;
use crate::planes::Planes;

/// `countersign key <command>`
#[derive(Debug, clap::Subcommand)]
pub(super) enum KeyCommand {
    /// Create a key and print its secret, once
    Create(Create),
    /// List keys; secrets are nowhere
    List(OfTenant),
    /// End a key for good
    Revoke(Revoke),
}

/// `countersign key create`
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    #[command(flatten)]
    of: OfTenant,
    /// test: sandbox only, nothing is ever sent. live: messages go out
    #[arg(long, value_enum)]
    mode: Mode,
    /// What people call it
    #[arg(long, default_value = "unnamed")]
    name: String,
    /// What it may do
    #[arg(long, value_enum, default_value = "full")]
    scope: Scope,
    /// For pages: it may issue and verify in the K-OTP dialect, from the origins given. Its secret is public
    #[arg(long, requires = "origin", conflicts_with = "scope")]
    browser: bool,
    /// A page that may show a browser key, by its origin: scheme, host and, where it is not the usual one, port; again for each
    #[arg(long, value_name = "ORIGIN", requires = "browser")]
    origin: Vec<Origin>,
    /// Addresses or networks it may be used from, such as 10.0.0.0/8; anywhere when not given
    #[arg(long, value_name = "CIDR", value_delimiter = ',', num_args = 1.., value_parser = parse_network)]
    allow_ip: Vec<IpNet>,
    /// When it dies by itself, such as 90d or 12h; never when not given
    #[arg(long, value_name = "SPAN", value_parser = parse_life)]
    expires_in: Option<Duration>,
}

/// `countersign key revoke`
#[derive(Debug, clap::Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    of: OfTenant,
    /// Its id, key_…
    id: KeyId,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    Live,
    Test,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scope {
    Full,
    ReadOnly,
}

fn parse_network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    text.parse::<IpNet>().or(address).map_err(|_| "write an address or a network, such as 10.0.0.0/8".to_owned())
}

pub(super) fn parse_life(text: &str) -> Result<Duration, String> {
    parse_span(text).ok_or_else(|| "write a number and a unit: 90d, 12h, 30m".to_owned())
}

impl KeyCommand {
    /// Runs it.
    pub(super) async fn run(&self, context: &Context, output: Output) -> Result<ExitCode, CliError> {
        let planes = Planes::open(&context.load()?.config, &context.data_dir()).await?;
        let ran = self.run_on(&planes.platform, output).await;
        planes.close().await;
        ran.map(|()| ExitCode::SUCCESS)
    }

    async fn run_on(&self, platform: &Platform, output: Output) -> Result<(), CliError> {
        let now = platform.now();
        match self {
            Self::Create(create) => output.print(&create.run(platform).await?)?,
            Self::List(of) => {
                let keys = platform.list_keys(of.find(platform).await?.id).await?;
                output.print(&Listed { keys: keys.iter().map(|key| KeyView::of(key, now)).collect() })?;
            }
            Self::Revoke(revoke) => {
                let tenant = revoke.of.find(platform).await?;
                let written = match platform.revoke_key(&Order::from_terminal(), tenant.id, revoke.id).await {
                    Err(ManageError::Missing(_)) => {
                        let message = format!("tenant {} has no key {}: see countersign key list", tenant.name, revoke.id);
                        return Err(CliError::Usage(message));
                    }
                    revoked => revoked?.written,
                };
                output.print(&Ended { id: revoke.id.to_string(), revoked: true, written })?;
            }
        }
        Ok(())
    }
}

impl Create {
    async fn run(&self, platform: &Platform) -> Result<Created, CliError> {
        let tenant = self.of.find(platform).await?;
        let wish = KeyOrder {
            tenant: tenant.id,
            kind: match self.mode {
                Mode::Live => KeyKind::Live,
                Mode::Test => KeyKind::Test,
            },
            name: self.name.clone(),
            scope: match self.scope {
                _ if self.browser => KeyScope::Browser,
                Scope::Full => KeyScope::Full,
                Scope::ReadOnly => KeyScope::ReadOnly,
            },
            allowed_ips: self.allow_ip.clone(),
            origins: self.origin.clone(),
            expires_at: self.expires_in.map(|life| platform.now().plus(life)),
        };
        let made = platform.create_key(&Order::from_terminal(), wish).await?;
        let (id, access_key) = (made.record.id.to_string(), made.record.access_key.0.clone());
        Ok(Created { id, access_key, secret: made.secret.as_deref().cloned().unwrap_or_default() })
    }
}

/// A new key. The only place where a secret is printed, besides the first start.
#[derive(Serialize)]
struct Created {
    id: String,
    access_key: String,
    secret: String,
}

impl fmt::Display for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "id          {}", self.id)?;
        writeln!(f, "access key  {}", self.access_key)?;
        writeln!(f, "secret      {}", self.secret)?;
        write!(f, "The secret is shown this once: only its hash is kept.")
    }
}

#[derive(Serialize)]
struct Listed {
    keys: Vec<KeyView>,
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:30}  {:4}  {:9}  {:7}  {:24}  name", "id", "mode", "scope", "state", "created")?;
        for row in &self.keys {
            let scope = match row.scope {
                KeyScope::Full => "full",
                KeyScope::ReadOnly => "read-only",
                KeyScope::Browser => "browser",
            };
            write!(f, "\n{}  {:4}  {scope:9}  {:7}  {}  {}", row.id, row.mode, row.state, row.created_at, row.name)?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Ended {
    id: String,
    revoked: bool,
    /// Whether the records know. They write it down when they are back.
    written: bool,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is revoked: every server refuses it from now on", self.id)?;
        if self.written { Ok(()) } else { f.write_str("\nThe records are away: the servers write it down when they are back") }
    }
}
