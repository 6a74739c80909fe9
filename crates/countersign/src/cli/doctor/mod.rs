//! `countersign doctor`: looks at everything a start depends on and says what to do.

mod circuits;
mod configured;
mod files;
mod report;
mod shared;

use std::process::ExitCode;

use countersign_model::{Clock, SystemClock, Timestamp};

use super::{CliError, Context, Output};
use report::{Report, Status};

/// Before this, no release of this program existed: a clock that says so is wrong.
const FIRST_RELEASE: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// Looks at everything, prints a line each, and fails where a start would.
pub(super) async fn run(context: &Context, output: Output) -> Result<ExitCode, CliError> {
    let mut report = Report::default();
    let now = SystemClock.now();
    check_clock(now, &mut report);
    configured::check(context, &mut report).await;
    match context.load() {
        Ok(loaded) if loaded.config.is_shared() => shared::check(&loaded.config, &context.data_dir(), now, &mut report).await,
        Ok(_) | Err(_) => files::check(&context.data_dir(), now, &mut report).await,
    }
    let failed = report.worst() == Status::Fail;
    output.print(&report)?;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn check_clock(now: Timestamp, report: &mut Report) {
    if now < FIRST_RELEASE {
        report.fail(
            "clock",
            format!("says {now}, before this program was made"),
            "set the machine's clock and keep it right with NTP",
        );
    } else {
        report.ok("clock", now.to_string());
    }
}
