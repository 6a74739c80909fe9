//! `countersign service`: named verification profiles, with limits and prices.

use std::process::ExitCode;

use countersign_api::drafts::{patch_service, read_service};
use countersign_core::manage::{ManageError, Order, ServiceView};
use countersign_model::ServiceId;
use serde_json::Value;

use super::desk::{FieldArgs, OfTenant, Shown, operate};
use super::{CliError, Context, Output};

/// `countersign service <command>`
#[derive(Debug, clap::Subcommand)]
pub(super) enum ServiceCommand {
    /// Make a service
    Create(Create),
    /// List services
    List(OfTenant),
    /// Show a service
    Show(Named),
    /// Change a service; the next send goes by it
    Update(Update),
    /// Delete a service with its templates
    Delete(Named),
}

/// `countersign service create`
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    #[command(flatten)]
    of: OfTenant,
    /// What people call it; unique in the tenant
    #[arg(long)]
    name: String,
    /// The UUID that you had elsewhere; without it a new one
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    fields: FieldArgs,
}

/// Which service.
#[derive(Debug, clap::Args)]
pub(super) struct Named {
    #[command(flatten)]
    of: OfTenant,
    /// Its UUID
    service: ServiceId,
}

/// `countersign service update`
#[derive(Debug, clap::Args)]
pub(super) struct Update {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    fields: FieldArgs,
}

impl ServiceCommand {
    /// Runs it.
    pub(super) async fn run(&self, context: &Context, output: Output) -> Result<ExitCode, CliError> {
        let order = Order::from_terminal();
        operate(context, output, async |platform| match self {
            Self::Create(create) => {
                let tenant = create.of.find(platform).await?.id;
                let own = [("name", Some(Value::from(create.name.as_str()))), ("id", create.id.clone().map(Value::from))];
                let (id, draft) = read_service(&create.fields.object(&own)?).map_err(ManageError::Invalid)?;
                Shown::one(&ServiceView::of(&platform.create_service(&order, tenant, id, draft).await?.record))
            }
            Self::List(of) => {
                let services = platform.list_services(of.find(platform).await?.id).await?;
                let services: Vec<_> = services.iter().map(ServiceView::of).collect();
                Shown::list("services", &services, &["id", "name", "created_at", "updated_at"])
            }
            Self::Show(named) => {
                let tenant = named.of.find(platform).await?.id;
                Shown::one(&ServiceView::of(&platform.show_service(tenant, named.service).await?))
            }
            Self::Update(update) => {
                let (tenant, patch) = (update.named.of.find(platform).await?.id, update.fields.object(&[])?);
                let change = |draft| patch_service(&draft, &patch);
                Shown::one(&ServiceView::of(&platform.update_service(&order, tenant, update.named.service, change).await?.record))
            }
            Self::Delete(named) => {
                let tenant = named.of.find(platform).await?.id;
                Ok(Shown::deleted(platform.delete_service(&order, tenant, named.service).await?.record.id))
            }
        })
        .await
    }
}
