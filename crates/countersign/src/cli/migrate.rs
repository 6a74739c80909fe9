//! `countersign migrate`: the tables of a PostgreSQL in this release's form.

use std::fmt;
use std::process::ExitCode;

use serde::Serialize;

use super::{CliError, Context, Output};
use crate::planes;

/// Does every migration that is missing, all in one transaction. Run again, it changes nothing.
pub(super) async fn run(context: &Context, output: Output) -> Result<ExitCode, CliError> {
    let config = context.load()?.config;
    if !config.is_shared() {
        let message = "nothing to do: the embedded database migrates itself at each start. Set redis.url and database.url to use \
                       Redis and PostgreSQL";
        return Err(CliError::Usage(message.to_owned()));
    }
    let records = planes::open_records(&config, &context.data_dir()).await?;
    records.reach().await?;
    let done = records.migrate().await?;
    records.close().await;
    output.print(&Done { migrations: done })?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Done {
    /// The numbers of those that were missing.
    migrations: Vec<i64>,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.migrations.is_empty() {
            return f.write_str("The tables were in this release's form already.");
        }
        let numbers: Vec<String> = self.migrations.iter().map(ToString::to_string).collect();
        write!(f, "Migrations done: {}", numbers.join(", "))
    }
}
