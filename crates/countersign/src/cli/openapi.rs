//! `countersign openapi`: the API's own description.

use std::process::ExitCode;

use super::{CliError, Output};

/// Prints the document that a server also serves at `/openapi.json`.
pub(super) fn run(output: Output) -> Result<ExitCode, CliError> {
    output.raw(countersign_api::openapi_json().as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
