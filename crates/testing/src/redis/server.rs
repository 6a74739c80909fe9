use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::options::RedisOptions;
use crate::process::{Port, run, signal, until};
use crate::shared::{guard, note_pids, open_folder};

/// Other ports are tried where somebody was quicker.
const PORTS_TRIED: u32 = 5;

/// A server of its own, which a test may stop, freeze, kill and start again. Ends with the value, at the latest with the test's process.
#[derive(Debug)]
pub struct RedisServer {
    folder: TempDir,
    options: RedisOptions,
    kind: Kind,
    port: Port,
    child: Option<Child>,
}

/// What the one program is started as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Server,
    Sentinel,
}

impl RedisServer {
    /// Starts one that keeps nothing and lets everybody in.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(RedisOptions::default())
    }

    /// Starts one; it answers when this returns.
    #[must_use]
    pub fn start_with(options: RedisOptions) -> Self {
        Self::start_as(Kind::Server, options)
    }

    pub(super) fn start_as(kind: Kind, options: RedisOptions) -> Self {
        let folder = tempfile::Builder::new().prefix("countersign-redis-").tempdir().expect("there is a temporary folder");
        open_folder(folder.path());
        guard(folder.path(), std::process::id(), "KILL");
        let mut server = Self { folder, options, kind, port: Port::take(), child: None };
        let mut complaint = String::new();
        for _ in 0..PORTS_TRIED {
            let config = server.options.file(server.folder.path(), server.port());
            fs::write(server.config(), config).expect("the server's folder can be written to");
            match server.launch() {
                Ok(()) => return server,
                Err(refused) => complaint = refused,
            }
            server.port = Port::take();
        }
        panic!("Redis does not start: {complaint}");
    }

    /// The one port on the loopback where it listens, by TLS if so asked for. The same after [`restart`](Self::restart).
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port.number()
    }

    /// How clients reach it, without user or password.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.options.speaks_tls() { "rediss" } else { "redis" };
        format!("{scheme}://127.0.0.1:{}", self.port())
    }

    /// Its socket, where a client on the same machine needs neither port nor TLS.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Where its append-only file and its log are.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Runs one command with the rights of the default user and gives the answer as `redis-cli` prints it: errors too.
    #[must_use]
    pub fn cli(&self, command: &[&str]) -> String {
        run(cli(self.folder.path(), self.options.admin_password()).args(command))
    }

    /// How often a command ran since the server started, or since `CONFIG RESETSTAT`.
    #[must_use]
    pub fn calls(&self, command: &str) -> u64 {
        let stats = self.cli(&["INFO", "commandstats"]);
        let wanted = format!("cmdstat_{command}:calls=");
        let found = stats.lines().find_map(|line| line.strip_prefix(&wanted)?.split(',').next()?.parse().ok());
        found.unwrap_or(0)
    }

    /// Ends it in order.
    pub fn stop(&mut self) {
        self.end("TERM");
    }

    /// Ends it at once, as a crash would. What it had handed to the system's page cache is kept: this is no loss of power.
    pub fn kill(&mut self) {
        self.end("KILL");
    }

    /// Starts it again in its folder, at the same port, after an end in order if it still runs.
    pub fn restart(&mut self) {
        self.stop();
        self.launch().unwrap_or_else(|complaint| panic!("Redis does not start again: {complaint}"));
    }

    /// Lets it stand still: lines stay open, nobody answers.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Ends [`freeze`](Self::freeze).
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Asks by `cli` until `accept` likes the answer.
    pub fn wait_for(&self, command: &[&str], accept: impl Fn(&str) -> bool) {
        until(&format!("{command:?} is answered as expected"), || accept(&self.cli(command)).then_some(()));
    }

    fn signal(&self, name: &str) {
        if let Some(child) = &self.child {
            signal(name, &[child.id()]);
        }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("redis.conf")
    }

    fn launch(&mut self) -> Result<(), String> {
        let mut command = Command::new("redis-server");
        command.arg(self.config());
        if self.kind == Kind::Sentinel {
            command.arg("--sentinel");
        }
        let child = command
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("this test needs redis-server (Debian's package redis): {error}"));
        note_pids(self.folder.path(), &[child.id()]);
        let child = self.child.insert(child);
        let folder = self.folder.path();
        let refused = until("Redis answers", || {
            if child.try_wait().expect("the server is a child of this process").is_some() {
                return Some(Some(fs::read_to_string(folder.join("log")).unwrap_or_default()));
            }
            answers(folder, self.options.admin_password()).then_some(None)
        });
        if let Some(complaint) = refused {
            self.child = None;
            return Err(complaint);
        }
        Ok(())
    }

    fn end(&mut self, how: &str) {
        let Some(mut child) = self.child.take() else { return };
        // One that stands still hears nothing but this.
        signal("CONT", &[child.id()]);
        signal(how, &[child.id()]);
        until("Redis ends", || child.try_wait().expect("the server is a child of this process"));
        // A socket that is left behind would be taken for one that somebody listens on.
        let _none = fs::remove_file(self.socket());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.end("KILL");
    }
}

/// `redis-cli` over the server's socket, with the rights of the default user.
fn cli(folder: &Path, password: Option<&str>) -> Command {
    let mut cli = Command::new("redis-cli");
    cli.arg("-s").arg(folder.join("socket"));
    if let Some(password) = password {
        cli.arg("--no-auth-warning").args(["-a", password]);
    }
    cli
}

/// Whether it is up and has read what it had on disk.
fn answers(folder: &Path, password: Option<&str>) -> bool {
    let told = cli(folder, password).arg("PING").stdin(Stdio::null()).output().expect("redis-cli can be started");
    told.stdout.starts_with(b"PONG")
}

/// Some commands answer `OK` or why not; `redis-cli` ends well either way.
pub(super) fn expect_ok(answer: &str) {
    assert!(answer.starts_with("OK"), "Redis does not answer OK: {answer}");
}
