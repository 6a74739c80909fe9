//! `countersign healthcheck`: whether the server of this configuration lives, told by the exit code.

use std::process::ExitCode;
use std::time::Duration;

use super::{CliError, Context};

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks `/healthz` of the operators' listener, which a node of every role has.
pub(super) async fn run(context: &Context) -> Result<ExitCode, CliError> {
    let url = format!("http://{}/healthz", super::client::here(context.load()?.config.admin.listen));
    let client = super::client::plain(PATIENCE)?;
    match client.get(&url).send().await {
        Ok(reply) if reply.status().is_success() => Ok(ExitCode::SUCCESS),
        Ok(reply) => Err(CliError::Usage(format!("{url} answered {}", reply.status()))),
        Err(_) => Err(CliError::Usage(format!("{url} does not answer"))),
    }
}
