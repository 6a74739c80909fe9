//! `countersign init`: sets up a data directory without starting anything.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

use countersign_model::{Clock, OsRng, SystemClock};
use serde::Serialize;

use super::{CliError, Context, Output};
use crate::config::{Config, Source};
use crate::installation::Installation;
use crate::setup;

/// What a new installation's configuration file says: every key, its default, and what it is for.
pub(crate) const TEMPLATE: &str = include_str!("countersign.toml");

/// Sets up a data directory.
#[derive(Debug, clap::Args)]
pub(super) struct InitCommand {
    /// Begin with no sessions, limits and blocks where hot.db is lost and no backup of it is left
    #[arg(long)]
    forget_sessions: bool,
    /// Make the key file and nothing else
    #[arg(long, conflicts_with = "forget_sessions")]
    keys_only: bool,
}

impl InitCommand {
    /// Makes what is missing and tells what was made. Run again, it changes nothing.
    pub(super) async fn run(self, context: &Context, output: Output) -> Result<ExitCode, CliError> {
        let config = context.load()?.config;
        if self.keys_only {
            let file = config.key_file(&context.data_dir());
            let made = Installation::make_keys(&file, SystemClock.now(), &OsRng)?;
            output.print(&KeysMade { key_file: file.display().to_string(), made })?;
            return Ok(ExitCode::SUCCESS);
        }
        if config.is_shared() {
            return shared(context, &config, output).await;
        }
        if self.forget_sessions {
            Installation::forget_sessions(&context.data_dir())?;
        }
        run(context, &config, output).await
    }
}

/// What several nodes share: keys, the marks of an empty Redis, a tenant. The tables are made by `countersign migrate`.
async fn shared(context: &Context, config: &Config, output: Output) -> Result<ExitCode, CliError> {
    let data_dir = context.data_dir();
    let made = setup::shared(config, &data_dir, SystemClock.now(), &OsRng).await?;
    output.print(&SharedDone {
        key_file: config.key_file(&data_dir).display().to_string(),
        made_keys: made.made_keys,
        sandbox_key: made.first_key.as_ref().map(|key| key.secret().to_owned()),
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn run(context: &Context, config: &Config, output: Output) -> Result<ExitCode, CliError> {
    let data_dir = context.data_dir();
    let key_file = config.key_file(&data_dir);
    let installation = Installation::embedded(data_dir, &key_file, SystemClock.now(), &OsRng).await?;
    let file = context.config.clone().unwrap_or_else(|| Source::default_file(installation.data_dir.path()));
    let wrote_file = write_template(&file)?;
    let done = Done {
        data_dir: installation.data_dir.path().display().to_string(),
        config_file: file.display().to_string(),
        wrote_config_file: wrote_file,
        sandbox_key: installation.first_key.as_ref().map(|key| key.secret().to_owned()),
    };
    installation.records.close().await;
    output.print(&done)?;
    Ok(ExitCode::SUCCESS)
}

/// Whether there was no such file.
fn write_template(file: &Path) -> io::Result<bool> {
    match File::options().write(true).create_new(true).mode(0o600).open(file) {
        Ok(mut new) => new.write_all(TEMPLATE.as_bytes()).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

#[derive(Serialize)]
struct KeysMade {
    key_file: String,
    made: bool,
}

impl fmt::Display for KeysMade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key file  {} ({})", self.key_file, if self.made { "written" } else { "left as it is" })
    }
}

#[derive(Serialize)]
struct SharedDone {
    key_file: String,
    made_keys: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox_key: Option<String>,
}

impl fmt::Display for SharedDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "key file     {} ({})", self.key_file, if self.made_keys { "written" } else { "left as it is" })?;
        match &self.sandbox_key {
            Some(secret) => write!(f, "sandbox key  {secret}\nThe key is shown this once: only its hash is kept."),
            None => f.write_str("Everything was set up before."),
        }
    }
}

#[derive(Serialize)]
struct Done {
    data_dir: String,
    config_file: String,
    wrote_config_file: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox_key: Option<String>,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = if self.wrote_config_file { "written" } else { "left as it is" };
        writeln!(f, "data directory  {}", self.data_dir)?;
        writeln!(f, "configuration   {} ({file})", self.config_file)?;
        match &self.sandbox_key {
            Some(secret) => write!(f, "sandbox key     {secret}\nThe key is shown this once: only its hash is kept."),
            None => f.write_str("Everything was set up before."),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_example_that_is_deployed_is_the_file_that_init_writes() {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/countersign.example.toml");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&example, TEMPLATE).unwrap();
        }
        let deployed = std::fs::read_to_string(&example).unwrap();
        assert!(deployed == TEMPLATE, "run it once with UPDATE_GOLDEN=1 and read the difference");
    }
}
