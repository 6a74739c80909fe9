//! Processes that a test starts: where to let them listen, as whom they run, how they are told to end.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

/// How long a server may take to start or end. Far more than it needs: a busy machine is no failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// A port of the loopback. While the value lives nobody who asks the system for any free port is given this one, also while the server that it
/// is for is away.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    /// Bound and never listened on: a server may listen at the same port beside it, as both allow the address to be used again.
    _kept: Option<Socket>,
}

impl Port {
    /// One that nobody uses. Who is told its number may still take it: whose server fails takes another.
    pub(crate) fn take() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket can be made");
        socket.set_reuse_address(true).expect("a socket's address may be used again");
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).expect("the loopback has a free port");
        let address = socket.local_addr().ok().and_then(|address| address.as_socket());
        let number = address.expect("a bound socket has an address").port();
        // Elsewhere the server would be refused.
        Self { number, _kept: cfg!(target_os = "linux").then_some(socket) }
    }

    pub(crate) const fn number(&self) -> u16 {
        self.number
    }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    #[cfg_attr(not(target_os = "linux"), ignore = "only Linux lets a server listen at a port that is kept for it")]
    fn no_port_is_given_twice_while_it_is_kept() {
        let ports: Vec<Port> = (0..400).map(|_| Port::take()).collect();
        let numbers: BTreeSet<u16> = ports.iter().map(Port::number).collect();
        assert_eq!(numbers.len(), ports.len());
    }
}
