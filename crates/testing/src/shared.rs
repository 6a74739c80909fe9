//! One server for all tests of a run, and the end of servers whose tests are gone.
//!
//! The test runner starts a process for each test. A server that takes a second to start is started by the first test that asks, under a
//! file lock, in a folder that carries the id of the run; the others find its address there. It outlives the test that started it, so a
//! watchdog, a process of its own, ends it when the runner is gone.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, parent_id};
use std::path::Path;
use std::process::{Command, Stdio};

/// What the runner gives each of its runs.
const RUN_ID: &str = "NEXTEST_RUN_ID";

/// Where a server's process ids are kept, in its folder, one a line: the watchdog reads them when it has to end them.
const PIDS: &str = "pids";

/// Gives what the first call of this run under this name gave: `launch` runs once, with a folder of its own.
///
/// `launch` starts a server that goes on when this process ends, and names it to [`guard`] with [`owner`]. What it returns is kept as
/// text: an address, a port. Outside a runner a run is one process.
pub(crate) fn once_per_run(name: &str, launch: impl FnOnce(&Path) -> String) -> String {
    let run = std::env::var(RUN_ID).unwrap_or_else(|_| format!("process-{}", std::process::id()));
    let folder = std::env::temp_dir().join(format!("countersign-{run}-{name}"));
    make_folder(&folder);
    let lock = File::create(folder.join("lock")).expect("a lock file can be made in the temporary folder");
    lock.lock().expect("a file can be locked");
    let answer = folder.join("answer");
    if let Ok(known) = fs::read_to_string(&answer) {
        return known;
    }
    let made = launch(&folder);
    // Whole or not at all: who reads it holds the lock.
    fs::write(&answer, &made).expect("the folder of the run can be written to");
    made
}

/// Whose end is the end of what a run shares: the runner, or this process where there is none.
pub(crate) fn owner() -> u32 {
    if std::env::var_os(RUN_ID).is_some() { parent_id() } else { std::process::id() }
}

/// A folder that other users may pass through, for servers that run as one.
pub(crate) fn make_folder(folder: &Path) {
    fs::create_dir_all(folder).expect("a folder can be made in the temporary folder");
    open_folder(folder);
}

/// Lets other users pass through.
pub(crate) fn open_folder(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("whoever makes a folder may open it");
}

/// Which processes the watchdog of this folder ends. Called again when they are others.
pub(crate) fn note_pids(folder: &Path, pids: &[u32]) {
    let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
    fs::write(folder.join(PIDS), pids.join("\n")).expect("the server's folder can be written to");
}

/// Starts the watchdog of a folder: when `owner` is gone it sends `signal` to the processes of [`note_pids`], kills what is left of them
/// after ten seconds, and removes the folder. It goes when the folder does.
pub(crate) fn guard(folder: &Path, owner: u32, signal: &str) {
    const SCRIPT: &str = r#"(
        while [ -d "$1" ] && kill -0 "$2" 2>/dev/null; do sleep 0.5; done
        [ -d "$1" ] || exit 0
        pids=$(cat "$1/pids" 2>/dev/null)
        [ -z "$pids" ] || kill -s "$3" $pids 2>/dev/null
        left=100
        for pid in $pids; do
            while [ $left -gt 0 ] && kill -0 "$pid" 2>/dev/null; do left=$((left - 1)); sleep 0.1; done
            kill -s KILL "$pid" 2>/dev/null
        done
        rm -rf "$1"
    ) &"#;
    // In a process group of its own: Ctrl-C at the terminal ends the runner, then the watchdog does its work.
    let started = Command::new("sh")
        .args(["-c", SCRIPT, "watchdog"])
        .arg(folder)
        .arg(owner.to_string())
        .arg(signal)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir("/")
        .process_group(0)
        .status()
        .expect("sh can be started");
    assert!(started.success(), "sh cannot start a watchdog");
}
