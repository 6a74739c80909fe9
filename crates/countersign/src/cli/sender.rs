//! `countersign sender`: names and numbers that messages come from.

use std::process::ExitCode;

use countersign_core::manage::{Order, SenderDraft, SenderView};
use countersign_model::{Channel, Uuid};

use super::desk::{OfTenant, Shown, operate};
use super::{CliError, Context, Output};

/// `countersign sender <command>`
#[derive(Debug, clap::Subcommand)]
pub(super) enum SenderCommand {
    /// Register a sender
    Create(Create),
    /// List senders
    List(OfTenant),
    /// Delete a sender
    Delete(Named),
}

/// `countersign sender create`
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    #[command(flatten)]
    of: OfTenant,
    /// email, sms, whatsapp or voice
    #[arg(long)]
    channel: Channel,
    /// An e-mail address; or a number such as +12025550143, or a name of 1 to 15 characters
    #[arg(long, allow_hyphen_values = true)]
    value: String,
    /// The UUID that you had elsewhere; without it a new one
    #[arg(long)]
    id: Option<Uuid>,
}

/// Which sender.
#[derive(Debug, clap::Args)]
pub(super) struct Named {
    #[command(flatten)]
    of: OfTenant,
    /// Its UUID
    sender: Uuid,
}

impl SenderCommand {
    /// Runs it.
    pub(super) async fn run(&self, context: &Context, output: Output) -> Result<ExitCode, CliError> {
        let order = Order::from_terminal();
        operate(context, output, async |platform| match self {
            Self::Create(create) => {
                let tenant = create.of.find(platform).await?.id;
                let draft = SenderDraft { channel: create.channel, value: create.value.clone() };
                Shown::one(&SenderView::of(&platform.create_sender(&order, tenant, create.id, draft).await?.record))
            }
            Self::List(of) => {
                let senders = platform.list_senders(of.find(platform).await?.id).await?;
                let senders: Vec<_> = senders.iter().map(SenderView::of).collect();
                Shown::list("senders", &senders, &["id", "channel", "value", "created_at"])
            }
            Self::Delete(named) => {
                let tenant = named.of.find(platform).await?.id;
                Ok(Shown::deleted(platform.delete_sender(&order, tenant, named.sender).await?.record.id))
            }
        })
        .await
    }
}
