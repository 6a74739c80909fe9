//! A private PostgreSQL.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use crate::process::{PATIENCE, Port, as_user, is_root, run, signal, until};
use crate::shared::{guard, note_pids, once_per_run, open_folder, owner};

/// PostgreSQL refuses to run as root; its packages bring this user.
const USER: &str = "postgres";

/// Other ports are tried where somebody was quicker.
const PORTS_TRIED: u32 = 5;

/// What differs from test to test.
#[derive(Debug, Clone, Copy, Default)]
pub struct PostgresOptions {
    /// Whether a commit waits for the disk. Only a test of what a crash loses needs it.
    pub fsync: bool,
    /// Whether it also listens on a socket in its folder: see [`PostgresServer::socket_folder`].
    pub unix_socket: bool,
}

/// A server of its own, which a test may stop, kill and start again. Ends with the value, at the latest with the test's process.
#[derive(Debug)]
pub struct PostgresServer {
    folder: TempDir,
    instance: Instance,
    child: Option<Child>,
}

impl PostgresServer {
    /// Starts one with the options of most tests. Takes about a second.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(PostgresOptions::default())
    }

    /// Starts one; it takes connections when this returns.
    #[must_use]
    pub fn start_with(options: PostgresOptions) -> Self {
        let folder = tempfile::Builder::new().prefix("countersign-postgres-").tempdir().expect("there is a temporary folder");
        open_folder(folder.path());
        guard(folder.path(), std::process::id(), "QUIT");
        let (instance, child) = Instance::create(folder.path(), options);
        Self { folder, instance, child: Some(child) }
    }

    /// The server that all tests of a run share; each makes a database of its own in it.
    #[must_use]
    pub fn shared() -> SharedPostgres {
        let port = once_per_run("postgres", |folder| {
            guard(folder, owner(), "QUIT");
            let (instance, child) = Instance::create(folder, PostgresOptions::default());
            // It goes on without this process; the watchdog ends it.
            drop(child);
            instance.port.number().to_string()
        });
        SharedPostgres { programs: Programs::find(), port: port.parse().expect("the run's folder holds a port") }
    }

    /// The TCP port on the loopback. The same after [`PostgresServer::restart`].
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.instance.port.number()
    }

    /// Where its socket is, if it has one.
    #[must_use]
    pub fn socket_folder(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// A new, empty database; it is dropped with the value.
    #[must_use]
    pub fn database(&self) -> PostgresDatabase {
        PostgresDatabase::create(&self.instance.programs, self.port())
    }

    /// Ends it in order: sessions are cut, everything is written.
    pub fn stop(&mut self) {
        self.end("INT");
    }

    /// Ends all its processes at once, as a crash would. When this returns nobody listens at its port.
    pub fn kill(&mut self) {
        let Some(child) = &self.child else { return };
        let postmaster = child.id();
        // It stands still while its children are listed, so that it starts none that would not be on the list.
        signal("STOP", &[postmaster]);
        let children = children(postmaster);
        signal("KILL", &[&[postmaster], &*children].concat());
        self.end("KILL");
        // They hold the listening socket that they were born with: connections are taken until the last of them is gone.
        until("PostgreSQL's processes end", || children.iter().all(|child| is_gone(*child)).then_some(()));
    }

    /// Starts it again with what it had, at the same port, after an end in order if it still runs.
    pub fn restart(&mut self) {
        self.stop();
        let started = Instant::now();
        loop {
            match self.instance.launch(self.folder.path()) {
                Ok(child) => {
                    self.child = Some(child);
                    return;
                }
                // After a kill its shared memory is in use until the last of its processes is gone.
                Err(complaint) => assert!(started.elapsed() < PATIENCE, "PostgreSQL does not start again: {complaint}"),
            }
        }
    }

    fn end(&mut self, how: &str) {
        let Some(mut child) = self.child.take() else { return };
        signal(how, &[child.id()]);
        until("PostgreSQL ends", || child.try_wait().expect("the server is a child of this process"));
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.end("QUIT");
    }
}

/// The way to the server of a run.
#[derive(Debug)]
pub struct SharedPostgres {
    programs: Programs,
    port: u16,
}

impl SharedPostgres {
    /// A new, empty database; it is dropped with the value.
    #[must_use]
    pub fn database(&self) -> PostgresDatabase {
        PostgresDatabase::create(&self.programs, self.port)
    }
}

/// A database of a test's own.
#[derive(Debug)]
pub struct PostgresDatabase {
    programs: Programs,
    name: String,
    port: u16,
}

impl PostgresDatabase {
    fn create(programs: &Programs, port: u16) -> Self {
        // A run is long enough for the numbers of processes to come round again: a folder's chance name does not.
        let folder = tempfile::Builder::new().prefix("test_").rand_bytes(12).tempdir().expect("there is a temporary folder");
        let name = folder.path().file_name().map(|name| name.to_string_lossy().to_lowercase()).expect("a folder has a name");
        run(programs.client("createdb", port).arg(&name));
        Self { programs: programs.clone(), name, port }
    }

    /// How clients reach it: `postgres://postgres@127.0.0.1:…/…`. Everybody is let in.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{}", self.port, self.name)
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        // The server may be gone already, and with it the database.
        let _gone = self.programs.client("dropdb", self.port).args(["--force", "--if-exists", &self.name]).output();
    }
}

/// A data folder and where its server listens.
#[derive(Debug)]
struct Instance {
    programs: Programs,
    options: PostgresOptions,
    port: Port,
}

impl Instance {
    fn create(folder: &Path, options: PostgresOptions) -> (Self, Child) {
        let programs = Programs::find();
        let owned = if is_root() { run(Command::new("id").args(["-u", USER])).parse().ok() } else { None };
        for name in ["data", "socket"] {
            let made = folder.join(name);
            fs::create_dir_all(&made).expect("the server's folder can be written to");
            chown(&made, owned, None).expect("root may give a folder away");
        }
        let mut initdb = programs.server("initdb");
        initdb.arg("--pgdata").arg(folder.join("data"));
        run(initdb.args(["--username", USER, "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]));

        let mut instance = Self { programs, options, port: Port::take() };
        let mut complaint = String::new();
        for _ in 0..PORTS_TRIED {
            match instance.launch(folder) {
                Ok(child) => return (instance, child),
                Err(refused) => complaint = refused,
            }
            instance.port = Port::take();
        }
        panic!("PostgreSQL does not start: {complaint}");
    }

    /// Starts the server and waits until it takes connections. What it complained of where it ended instead.
    fn launch(&self, folder: &Path) -> Result<Child, String> {
        let log = folder.join("log");
        let output = File::create(&log).expect("the server's folder can be written to");
        let (data, socket) = (folder.join("data"), folder.join("socket"));
        let sockets = if self.options.unix_socket { socket.to_str().expect("the temporary folder has a plain name") } else { "" };
        let fsync = if self.options.fsync { "on" } else { "off" };
        let mut child = self
            .programs
            .server("postgres")
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=127.0.0.1", "-c", &format!("port={}", self.port.number())])
            .args(["-c", &format!("unix_socket_directories={sockets}"), "-c", &format!("fsync={fsync}")])
            // What comes to a database by itself keeps it from being copied and dropped.
            .args(["-c", "max_connections=500", "-c", "shared_buffers=64MB", "-c", "autovacuum=off"])
            .current_dir("/")
            // A runner that ends a test's process group does not end what the run shares.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output)
            .spawn()
            .expect("postgres can be started");
        note_pids(folder, &[child.id()]);
        until("PostgreSQL takes connections", || {
            let ended = child.try_wait().expect("the server is a child of this process");
            if ended.is_some() {
                return Some(Err(fs::read_to_string(&log).unwrap_or_default()));
            }
            is_ready(&data, child.id()).then_some(Ok(()))
        })?;
        Ok(child)
    }
}

/// The server writes its state into the eighth line of this file, below its own process id.
fn is_ready(data: &Path, pid: u32) -> bool {
    let state = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let mut lines = state.lines();
    lines.next() == Some(&pid.to_string()) && lines.nth(6).is_some_and(|line| line.starts_with("ready"))
}

/// The processes that a process has started; none where the system does not tell.
fn children(pid: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let all = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    all.filter(|child| look_at(*child).is_some_and(|(_, parent)| parent == pid)).collect()
}

/// Whether a process holds nothing any more: it does not exist, or only its parent has not asked how it ended.
fn is_gone(pid: u32) -> bool {
    look_at(pid).is_none_or(|(state, _)| matches!(state, 'Z' | 'X'))
}

/// A process's state and its parent; none where there is none of this number.
fn look_at(pid: u32) -> Option<(char, u32)> {
    let told = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // They stand behind the program's name, which is in parentheses and may hold any letter.
    let mut behind = told.rsplit_once(") ")?.1.split(' ');
    Some((behind.next()?.chars().next()?, behind.next()?.parse().ok()?))
}

/// Where PostgreSQL's programs are.
#[derive(Debug, Clone)]
struct Programs {
    folder: PathBuf,
    as_root: bool,
}

impl Programs {
    fn find() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut packaged: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
            .collect();
        // The newest: their parents are called 9, 15, 17.
        packaged.sort_by_key(|bin| {
            let version = bin.parent().and_then(Path::file_name).and_then(|name| name.to_str()?.parse().ok());
            std::cmp::Reverse(version.unwrap_or(0_u32))
        });
        let has_all = |folder: &PathBuf| {
            ["initdb", "postgres", "createdb", "dropdb"]
                .iter()
                .all(|program| folder.join(program).metadata().is_ok_and(|it| it.mode() & 0o111 != 0))
        };
        let folder = std::env::split_paths(&path).chain(packaged).find(has_all);
        let folder = folder.unwrap_or_else(|| {
            panic!("this test needs PostgreSQL's server programs (initdb, postgres): install Debian's package postgresql, or put them on the PATH")
        });
        Self { folder, as_root: is_root() }
    }

    /// A program that must not run as root.
    fn server(&self, program: &str) -> Command {
        let program = self.folder.join(program);
        if self.as_root { as_user(USER, &program) } else { Command::new(program) }
    }

    /// A program that talks to a server.
    fn client(&self, program: &str, port: u16) -> Command {
        let mut command = Command::new(self.folder.join(program));
        command.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--username", USER, "--no-password"]);
        command
    }
}
