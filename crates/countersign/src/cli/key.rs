//! `countersign key`: what lets callers in. Works beside a running server, which sees a change within a second.

use std::fmt;
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use countersign_model::{ApiKey, Clock, KeyId, KeyKind, KeyScope, OsRng, SystemClock, Tenant, Timestamp};
use countersign_records::Records;
use ipnet::IpNet;
use serde::Serialize;

use super::{CliError, Context, Output};
use crate::api_key::{KeyOrder, NewKey};
use crate::config::parse_span;
use crate::installation::{DEFAULT_TENANT, Installation};

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

/// Whose keys.
#[derive(Debug, clap::Args)]
pub(super) struct OfTenant {
    /// The tenant, by name
    #[arg(long, default_value = DEFAULT_TENANT)]
    tenant: String,
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
    #[arg(long, default_value = "unnamed", value_parser = parse_name)]
    name: String,
    /// What it may do
    #[arg(long, value_enum, default_value = "full")]
    scope: Scope,
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

/// Lists print names as they are, so none may move the cursor.
fn parse_name(text: &str) -> Result<String, String> {
    let length = text.chars().count();
    if (1..=64).contains(&length) && !text.trim().is_empty() && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("give 1 to 64 characters, none of them a control character".to_owned())
    }
}

fn parse_life(text: &str) -> Result<Duration, String> {
    parse_span(text).ok_or_else(|| "write a number and a unit: 90d, 12h, 30m".to_owned())
}

impl KeyCommand {
    /// Runs it.
    pub(super) async fn run(&self, context: &Context, output: Output) -> Result<ExitCode, CliError> {
        let records = Installation::records(&context.data_dir()).await?;
        let now = SystemClock.now();
        match self {
            Self::Create(create) => output.print(&create.run(&records, now).await?)?,
            Self::List(of) => {
                let keys = records.api_keys().list(of.find(&records).await?.id).await?;
                output.print(&Listed { keys: keys.iter().map(|key| Row::of(key, now)).collect() })?;
            }
            Self::Revoke(revoke) => {
                let tenant = revoke.of.find(&records).await?;
                if records.api_keys().revoke(tenant.id, revoke.id, now).await?.is_none() {
                    return Err(CliError::Usage(format!(
                        "tenant {} has no key {}: see countersign key list",
                        tenant.name, revoke.id
                    )));
                }
                output.print(&Revoked { id: revoke.id.to_string(), revoked: true })?;
            }
        }
        records.close().await;
        Ok(ExitCode::SUCCESS)
    }
}

impl OfTenant {
    async fn find(&self, records: &Records) -> Result<Tenant, CliError> {
        let found = records.tenants().find_by_name(&self.tenant).await?;
        found.ok_or_else(|| CliError::Usage(format!("there is no tenant {}", self.tenant)))
    }
}

impl Create {
    async fn run(&self, records: &Records, now: Timestamp) -> Result<Created, CliError> {
        let tenant = self.of.find(records).await?;
        let order = KeyOrder {
            tenant: tenant.id,
            kind: match self.mode {
                Mode::Live => KeyKind::Live,
                Mode::Test => KeyKind::Test,
            },
            name: self.name.clone(),
            scope: match self.scope {
                Scope::Full => KeyScope::Full,
                Scope::ReadOnly => KeyScope::ReadOnly,
            },
            allowed_ips: self.allow_ip.clone(),
            expires_at: self.expires_in.map(|life| now.plus(life)),
        };
        let made = NewKey::mint(order, now, &OsRng);
        records.api_keys().insert(&made.key).await?;
        Ok(Created { id: made.key.id.to_string(), access_key: made.key.access_key.0.clone(), secret: made.secret().to_owned() })
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
    keys: Vec<Row>,
}

/// A key as a list shows it.
#[derive(Serialize)]
struct Row {
    id: String,
    access_key: String,
    name: String,
    mode: &'static str,
    scope: KeyScope,
    state: &'static str,
    allowed_ips: Vec<IpNet>,
    created_at: String,
    expires_at: Option<String>,
    revoked_at: Option<String>,
}

impl Row {
    fn of(key: &ApiKey, now: Timestamp) -> Self {
        let state = match (key.revoked_at, key.is_usable(now)) {
            (Some(_), _) => "revoked",
            (None, true) => "active",
            (None, false) => "expired",
        };
        Self {
            id: key.id.to_string(),
            access_key: key.access_key.0.clone(),
            name: key.name.clone(),
            mode: key.kind.as_str(),
            scope: key.scope,
            state,
            allowed_ips: key.allowed_ips.clone(),
            created_at: key.created_at.to_string(),
            expires_at: key.expires_at.map(|at| at.to_string()),
            revoked_at: key.revoked_at.map(|at| at.to_string()),
        }
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:30}  {:4}  {:9}  {:7}  {:24}  name", "id", "mode", "scope", "state", "created")?;
        for row in &self.keys {
            let scope = match row.scope {
                KeyScope::Full => "full",
                KeyScope::ReadOnly => "read-only",
            };
            write!(f, "\n{}  {:4}  {scope:9}  {:7}  {}  {}", row.id, row.mode, row.state, row.created_at, row.name)?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Revoked {
    id: String,
    revoked: bool,
}

impl fmt::Display for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is revoked; running servers refuse it within a second", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_move_the_cursor_of_whoever_lists_it() {
        assert!(parse_name("billing, EU").is_ok());
        for wrong in ["", "  ", "a\nb", "\u{1b}[2J", &"x".repeat(65)] {
            assert!(parse_name(wrong).is_err(), "{wrong:?}");
        }
    }
}
