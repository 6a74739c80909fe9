//! `countersign serve`: the server itself.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tracing::warn;

use super::{CliError, Context, Output};
use crate::app::{App, Overrides, Role};
use crate::telemetry;

/// Open files that are asked for; the system may allow fewer.
const MOST_FILES: u64 = 65_536;

/// `countersign serve`
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// api: answers callers. worker: timers, the event log, webhooks. all: both
    #[arg(long, value_enum, default_value = "all")]
    role: RoleName,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum RoleName {
    Api,
    Worker,
    All,
}

impl Serve {
    /// Serves until SIGTERM, SIGINT or SIGHUP.
    pub(super) fn run(&self, context: &Context, output: Output) -> Result<ExitCode, CliError> {
        let role = match self.role {
            RoleName::Api => Role::Api,
            RoleName::Worker => Role::Worker,
            RoleName::All => Role::All,
        };
        run(role, context, output)
    }
}

fn run(role: Role, context: &Context, output: Output) -> Result<ExitCode, CliError> {
    let loaded = context.load()?;
    telemetry::start(&loaded.config.log);
    // Shells allow few open files by default: idle connections alone could use them up.
    if let Err(error) = rlimit::increase_nofile_limit(MOST_FILES) {
        warn!(%error, "the limit of open files stays as it is");
    }
    let data_dir = context.data_dir();
    actix_web::rt::System::new().block_on(async move {
        // Before anything is opened: also a start that is told to stop ends in order.
        let stop = told_to_stop()?;
        let mut app = App::build_as(role, data_dir, loaded.config, Overrides::default()).await?;
        output.print(&app.greeting())?;
        app.run_until(stop).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Ends when the process is asked to end.
fn told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // A terminal that is closed.
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}
