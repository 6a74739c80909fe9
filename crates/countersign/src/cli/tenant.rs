//! `countersign tenant`: owners of keys, services and sessions.

use std::process::ExitCode;

use countersign_api::drafts::{patch_tenant, read_tenant};
use countersign_core::manage::{ManageError, Order, TenantView};
use serde_json::Value;

use super::desk::{FieldArgs, Shown, find_tenant, operate};
use super::{CliError, Context, Output};

/// `countersign tenant <command>`
#[derive(Debug, clap::Subcommand)]
pub(super) enum TenantCommand {
    /// Make a tenant
    Create(Create),
    /// List tenants
    List,
    /// Show a tenant
    Show(Named),
    /// Change a tenant
    Update(Update),
}

/// `countersign tenant create`
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// What people call it; unique
    #[arg(long)]
    name: String,
    /// Who answers for it
    #[arg(long)]
    email: Option<String>,
    #[command(flatten)]
    fields: FieldArgs,
}

/// Which tenant.
#[derive(Debug, clap::Args)]
pub(super) struct Named {
    /// Its name or id
    tenant: String,
}

/// `countersign tenant update`
#[derive(Debug, clap::Args)]
pub(super) struct Update {
    #[command(flatten)]
    of: Named,
    #[command(flatten)]
    fields: FieldArgs,
}

impl TenantCommand {
    /// Runs it.
    pub(super) async fn run(&self, context: &Context, output: Output) -> Result<ExitCode, CliError> {
        let order = Order::from_terminal();
        operate(context, output, async |platform| match self {
            Self::Create(create) => {
                let own = [("name", Some(Value::from(create.name.as_str()))), ("email", create.email.clone().map(Value::from))];
                let draft = read_tenant(&create.fields.object(&own)?).map_err(ManageError::Invalid)?;
                Shown::one(&TenantView::of(&platform.create_tenant(&order, draft).await?.record))
            }
            Self::List => {
                let tenants: Vec<_> = platform.list_tenants().await?.iter().map(TenantView::of).collect();
                Shown::list("tenants", &tenants, &["id", "name", "plan", "email", "created_at"])
            }
            Self::Show(named) => Shown::one(&TenantView::of(&find_tenant(platform, &named.tenant).await?)),
            Self::Update(update) => {
                let id = find_tenant(platform, &update.of.tenant).await?.id;
                let patch = update.fields.object(&[])?;
                let done = platform.update_tenant(&order, id, |draft| patch_tenant(&draft, &patch)).await?;
                Shown::one(&TenantView::of(&done.record))
            }
        })
        .await
    }
}
