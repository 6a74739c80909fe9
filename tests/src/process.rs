//! The real binary, started as an operator would.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::{Client, Setup, within_patience};

/// The binary of this build.
pub fn binary() -> PathBuf {
    // The suite lies in `deps`, one below the binaries; cargo builds them before it.
    let here = std::env::current_exe().unwrap();
    let folder = here.parent().and_then(Path::parent).unwrap();
    let binary = folder.join("countersign-under-test");
    assert!(binary.exists(), "cargo has not built {}", binary.display());
    binary
}

/// All that a process has written so far, line by line.
#[derive(Debug, Clone, Default)]
pub struct Output(Arc<Mutex<Vec<String>>>);

impl Output {
    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn follow(&self, stream: impl AsyncRead + Send + Unpin + 'static) -> JoinHandle<()> {
        let kept = Arc::clone(&self.0);
        tokio::spawn(async move {
            let mut lines = BufReader::new(stream).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                kept.lock().unwrap().push(line);
            }
        })
    }
}

/// A running `countersign serve`. Dies with its owner.
#[derive(Debug)]
pub struct Process {
    child: Child,
    followers: [JoinHandle<()>; 2],
    /// What it printed on standard output after its greeting.
    pub said: Output,
    /// What it logged.
    pub logged: Output,
    /// Its greeting: addresses, and at a first start the key.
    pub greeting: Value,
}

impl Process {
    /// Starts a server on `data_dir` and waits until it says where it listens.
    pub async fn start(data_dir: &Path, setup: &Setup, environment: &[(&str, &str)]) -> Self {
        std::fs::create_dir_all(data_dir).unwrap();
        setup.write(data_dir);
        Self::start_as("all", data_dir, environment).await
    }

    /// The same for a node that does only part of the work, with the configuration that is there.
    pub async fn start_as(role: &str, data_dir: &Path, environment: &[(&str, &str)]) -> Self {
        let mut child = command(data_dir)
            .args(["serve", "--format", "json", "--role", role])
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (said, logged) = (Output::default(), Output::default());
        let errors = logged.follow(child.stderr.take().unwrap());
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        within_patience("a greeting", lines.read_line(&mut greeting)).await.unwrap();
        let greeting =
            serde_json::from_str(&greeting).unwrap_or_else(|_| panic!("no greeting: {greeting:?} {:?}", logged.lines()));
        let followers = [said.follow(lines), errors];
        Self { child, followers, said, logged, greeting }
    }

    /// A caller without a key.
    pub fn client(&self) -> Client {
        Client::new(self.greeting["api"].as_str().unwrap())
    }

    /// A caller of the operators' listener.
    pub fn admin(&self) -> Client {
        Client::new(self.greeting["admin"].as_str().unwrap())
    }

    /// The key of the first start.
    #[track_caller]
    pub fn first_key(&self) -> String {
        self.greeting["first_start"]["secret"].as_str().expect("a first start").to_owned()
    }

    /// Kills it on the spot, as a power cut would.
    pub async fn kill(mut self) {
        within_patience("the end of a killed process", self.child.kill()).await.unwrap();
    }

    /// Asks it to stop, and waits until it has. Its exit code, and all it wrote.
    pub async fn stop(mut self) -> (Option<i32>, Vec<String>) {
        let id = self.child.id().unwrap().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
        assert!(asked.success());
        let ended = within_patience("the end of a process that was asked to stop", self.child.wait()).await.unwrap();
        for follower in &mut self.followers {
            follower.await.unwrap();
        }
        (ended.code(), [self.said.lines(), self.logged.lines()].concat())
    }
}

/// The binary with nothing of the caller's environment that could change what it does.
pub(crate) fn command(data_dir: &Path) -> Command {
    let mut command = Command::new(binary());
    command.env_clear().env("COUNTERSIGN_DATA_DIR", data_dir).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// Runs a command that must fail, and returns what it said.
pub async fn refused(data_dir: &Path, arguments: &[&str]) -> String {
    let done = within_patience("a command", command(data_dir).args(arguments).output()).await.unwrap();
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(!done.status.success(), "{arguments:?}: {said}");
    said
}

/// Runs a command beside a server and returns what it printed as JSON.
pub async fn run(data_dir: &Path, arguments: &[&str]) -> Value {
    let done = command(data_dir).args(arguments).args(["--format", "json"]).output();
    let done = within_patience("a command", done).await.unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}
