//! `countersign openapi`: what the APIs say of themselves.

use std::process::ExitCode;

use super::{CliError, Output};

/// `countersign openapi`
#[derive(Debug, clap::Args)]
pub(super) struct OpenApi {
    /// The admin API's, in place of the one for callers
    #[arg(long)]
    admin: bool,
}

impl OpenApi {
    /// Prints the document that a server also serves, at `/openapi.json` or at `/admin/v1/openapi.json`.
    pub(super) fn run(&self, output: Output) -> Result<ExitCode, CliError> {
        let document = if self.admin { countersign_api::admin_openapi_json() } else { countersign_api::openapi_json() };
        output.raw(document.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}
