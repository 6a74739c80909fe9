//! The servers that are measured, and what the kernel says about them.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;

use crate::floor;

/// A server in a process of its own. Killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// The key of a first start.
    pub(crate) key: Option<String>,
}

/// Builds the product as it is delivered, and tells where it lies. Named beside it, this package lets cargo use what it has built for the bench.
pub(crate) fn build() -> io::Result<PathBuf> {
    const ARGUMENTS: [&str; 8] = [
        "build",
        "--locked",
        "--release",
        "--package=countersign",
        "--package=countersign-tests",
        "--bin=countersign",
        "--quiet",
        "--manifest-path",
    ];
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let built = Command::new(cargo).args(ARGUMENTS).arg(manifest).status()?;
    let binary = std::env::current_exe()?.with_file_name("countersign");
    if built.success() && binary.exists() { Ok(binary) } else { Err(io::Error::other("the product could not be built")) }
}

/// The product with limits out of the way, on an empty folder.
pub(crate) fn product(binary: &Path, data_dir: &Path) -> Command {
    let mut command = Command::new(binary);
    command
        .args(["serve", "--format", "json"])
        .env_clear()
        .env("COUNTERSIGN_DATA_DIR", data_dir)
        .env("COUNTERSIGN_HTTP__LISTEN", "127.0.0.1:0")
        .env("COUNTERSIGN_ADMIN__LISTEN", "127.0.0.1:0")
        .env("COUNTERSIGN_LIMITS__CALLS_PER_KEY", "1000000000/1m");
    command
}

/// This binary, being the floor.
pub(crate) fn floor() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap_or_default());
    command.arg(floor::ARGUMENT);
    command
}

impl Server {
    /// Starts it and waits until it says where it listens.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        BufReader::new(out).read_line(&mut line)?;
        let told: Value = serde_json::from_str(&line)?;
        let address = told["api"].as_str().and_then(|api| api.strip_prefix("http://")).and_then(|address| address.parse().ok());
        let address = address.ok_or_else(|| io::Error::other(format!("no address in {line}")))?;
        let key = told["first_start"]["secret"].as_str().map(ToOwned::to_owned);
        Ok(Self { child, address, key })
    }

    /// Processor time used so far, of user and system.
    pub(crate) fn processor_time(&self) -> io::Result<Duration> {
        processor_time(&self.child.id().to_string())
    }

    /// The most memory it ever had in use.
    pub(crate) fn peak_megabytes(&self) -> io::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak.map(|kilobytes| mega(kilobytes * 1024)).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time of this process, the load generator.
pub(crate) fn own_processor_time() -> io::Result<Duration> {
    processor_time("self")
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit after the point")]
pub(crate) fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// The kernel's ticks a second.
static TICKS: LazyLock<u64> = LazyLock::new(|| {
    let told = Command::new("getconf").arg("CLK_TCK").output().ok().and_then(|told| String::from_utf8(told.stdout).ok());
    told.and_then(|told| told.trim().parse().ok()).unwrap_or(100)
});

fn processor_time(process: &str) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // Behind the name, which may hold anything: state, ten more fields, then the two.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_ascii_whitespace()).ok_or(io::ErrorKind::InvalidData)?;
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 1_000 / *TICKS))
}
