//! `countersign recipient`: people that nobody can verify any more.

use std::process::ExitCode;

use clap::ValueEnum;
use countersign_core::manage::{BlockDraft, ManageError, Order};

use super::desk::{OfTenant, Shown, operate};
use super::{CliError, Context, Output};

/// `countersign recipient <command>`
#[derive(Debug, clap::Subcommand)]
pub(super) enum RecipientCommand {
    /// Take back the wrong guesses at a recipient, and the block that they led to
    Unblock(Unblock),
}

/// `countersign recipient unblock`
#[derive(Debug, clap::Args)]
pub(super) struct Unblock {
    #[command(flatten)]
    of: OfTenant,
    /// An e-mail address, or a number such as +12025550143
    recipient: String,
    /// Live and sandbox guesses are counted apart
    #[arg(long, value_enum, default_value = "live")]
    mode: Mode,
    /// What the sessions proved control for: each purpose has its own count
    #[arg(long, default_value = BlockDraft::PURPOSE)]
    purpose: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    Live,
    Sandbox,
}

impl RecipientCommand {
    /// Runs it.
    pub(super) async fn run(&self, context: &Context, output: Output) -> Result<ExitCode, CliError> {
        let Self::Unblock(unblock) = self;
        let mode = match unblock.mode {
            Mode::Live => countersign_model::Mode::Live,
            Mode::Sandbox => countersign_model::Mode::Sandbox,
        };
        let draft = BlockDraft::read(&unblock.recipient, mode, Some(&unblock.purpose)).map_err(ManageError::Invalid)?;
        operate(context, output, async |platform| {
            let tenant = unblock.of.find(platform).await?.id;
            Shown::one(&platform.unblock(&Order::from_terminal(), tenant, &draft).await?)
        })
        .await
    }
}
