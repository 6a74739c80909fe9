//! Processes that a test starts: where to let them listen, as whom they run, how they are told to end.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to start or end. Far more than it needs: a busy machine is no failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A port of the loopback that nobody listens on now. Another process may take it before the caller does: who fails takes another.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback has a free port");
    listener.local_addr().expect("a listener has an address").port()
}

/// Asks again and again until there is an answer; panics with `what` when [`PATIENCE`] is over.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "{what}: not within {} s", PATIENCE.as_secs());
        pause();
    }
}

#[expect(clippy::disallowed_methods, reason = "another process's files and ports can only be looked at again and again")]
fn pause() {
    std::thread::sleep(Duration::from_millis(10));
}

/// Runs a command to its end and gives what it printed; panics with its complaint when it fails.
pub(crate) fn run(command: &mut Command) -> String {
    let told = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
    assert!(told.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&told.stderr));
    String::from_utf8_lossy(&told.stdout).trim().to_owned()
}

/// Sends a signal, by its name without `SIG`. A process that is gone already is no failure.
pub(crate) fn signal(name: &str, pids: &[u32]) {
    let pids = pids.iter().map(ToString::to_string);
    let _gone = Command::new("sh")
        .args(["-c", "kill -s \"$@\" 2>/dev/null", "sh", name])
        .args(pids)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// Whether this process may do everything; some servers refuse to.
pub(crate) fn is_root() -> bool {
    run(Command::new("id").arg("-u")) == "0"
}

/// The program as `user`, in the same process that is started: its id is the program's.
pub(crate) fn as_user(user: &str, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", user, "--init-groups"]).arg(program);
    command
}
