//! `countersign store`: what only a person may decide about a Redis.

use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;

use countersign_core::manage::Order;
use countersign_session::CodeKeys;
use serde::Serialize;

use super::{CliError, Context, Output};
use crate::installation::Installation;
use crate::planes::{self, Planes};

/// `countersign store <command>`
#[derive(Debug, clap::Subcommand)]
pub(super) enum StoreCommand {
    /// Mark an empty Redis as ours: sessions begin anew, limits and blocks are unused, balances are nothing until rebuilt
    Init(Init),
    /// Set every tenant's balance to what the ledger says
    Rebuild,
}

/// `countersign store init`
#[derive(Debug, clap::Args)]
pub(super) struct Init {
    /// Also where a part of it holds data already, or where it is another installation's, whose nodes then stop
    #[arg(long)]
    force: bool,
}

impl StoreCommand {
    /// Runs it.
    pub(super) async fn run(&self, context: &Context, output: Output) -> Result<ExitCode, CliError> {
        match self {
            Self::Init(init) => init.run(context, output).await,
            Self::Rebuild => rebuild(context, output).await,
        }
    }
}

impl Init {
    async fn run(&self, context: &Context, output: Output) -> Result<ExitCode, CliError> {
        let config = context.load()?.config;
        let keys = Arc::new(CodeKeys::open(&Installation::shared_keys(&config.key_file(&context.data_dir()))?)?);
        let Some(redis) = planes::redis(&config, &keys)? else {
            let message = "sessions live in a file here: countersign init --forget-sessions begins anew where hot.db is lost";
            return Err(CliError::Usage(message.to_owned()));
        };
        if !self.force {
            planes::claim(&redis).await?;
        }
        redis.init(self.force).await?;
        output.print(&Begun { initialised: true })?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn rebuild(context: &Context, output: Output) -> Result<ExitCode, CliError> {
    let planes = Planes::open(&context.load()?.config, &context.data_dir()).await?;
    let mut tenants = Vec::new();
    for tenant in planes.records.tenants().list().await? {
        let after = planes.platform.rebuild_wallet(&Order::from_terminal(), tenant.id).await?.after;
        tenants.push(Rebuilt { tenant: tenant.name, balance: after.balance.to_string(), held: after.held.to_string() });
    }
    planes.close().await;
    output.print(&AllRebuilt { tenants })?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Begun {
    initialised: bool,
}

impl fmt::Display for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redis is ours now. Where tenants pay, set their balances with: countersign store rebuild")
    }
}

#[derive(Serialize)]
struct AllRebuilt {
    tenants: Vec<Rebuilt>,
}

#[derive(Serialize)]
struct Rebuilt {
    tenant: String,
    balance: String,
    held: String,
}

impl fmt::Display for AllRebuilt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Rebuilt { tenant, balance, held }) in self.tenants.iter().enumerate() {
            let end = if at == 0 { "" } else { "\n" };
            write!(f, "{end}{tenant}: {balance}, of which {held} is held")?;
        }
        Ok(())
    }
}
