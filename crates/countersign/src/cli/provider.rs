//! `countersign provider`: whoever takes messages for people.

use std::process::ExitCode;

use countersign_core::manage::{ManageError, Order, ProviderTestDraft};
use countersign_model::{Channel, ProviderName};

use super::desk::{Shown, operate_on};
use super::{CliError, Context, Output};
use crate::planes::Planes;

/// `countersign provider <command>`
#[derive(Debug, clap::Subcommand)]
pub(super) enum ProviderCommand {
    /// Send one message that says of itself that it is a test, through exactly this provider
    Test(Test),
}

/// `countersign provider test`
#[derive(Debug, clap::Args)]
pub(super) struct Test {
    /// Its name in the configuration
    #[arg(long, value_name = "NAME")]
    provider: String,
    /// An e-mail address, or a number such as +12025550143, of somebody who knows of it
    #[arg(long, value_name = "ADDRESS")]
    to: String,
    /// email, sms, whatsapp or voice; without it a mail to an address and a text message to a number
    #[arg(long)]
    channel: Option<Channel>,
}

impl ProviderCommand {
    /// Runs it.
    pub(super) async fn run(&self, context: &Context, output: Output) -> Result<ExitCode, CliError> {
        let Self::Test(test) = self;
        let draft = ProviderTestDraft::read(test.channel, &test.to).map_err(ManageError::Invalid)?;
        let mut went_out = false;
        let planes = Planes::open_to_send(&context.load()?.config, &context.data_dir()).await?;
        let code = operate_on(planes, output, async |platform| {
            let (order, provider) = (Order::from_terminal(), ProviderName::new(&test.provider));
            let told = platform.test_provider(&order, &provider, &draft).await?;
            went_out = told.is_accepted();
            Shown::one(&told)
        });
        let code = code.await?;
        Ok(if went_out { code } else { ExitCode::FAILURE })
    }
}
