use std::path::{Path, PathBuf};

/// What differs from test to test. By default nothing is written to disk and everybody is let in.
#[derive(Debug, Clone, Default)]
pub struct RedisOptions {
    lines: Vec<String>,
    password: Option<String>,
    tls: bool,
}

impl RedisOptions {
    /// Adds a line of `redis.conf`, word for word.
    #[must_use]
    pub fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// Keeps an append-only file; `fsync` is `always`, `everysec` or `no`.
    #[must_use]
    pub fn append_only(self, fsync: &str) -> Self {
        self.line("appendonly yes").line(format!("appendfsync {fsync}"))
    }

    /// Asks everybody who does not name a user for this password.
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        let password = password.into();
        self.lines.push(format!("requirepass {password}"));
        self.password = Some(password);
        self
    }

    /// Adds a user: `acl_user("app", "on >secret ~* +@all")`.
    #[must_use]
    pub fn acl_user(self, name: &str, rules: &str) -> Self {
        self.line(format!("user {name} {rules}"))
    }

    /// Listens for TLS only, with a certificate for `localhost` and `127.0.0.1` that [`authority`](Self::authority) has signed.
    #[must_use]
    pub const fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// The authority whose certificates the servers show, a PEM file.
    #[must_use]
    pub fn authority() -> PathBuf {
        certificates().join("authority.pem")
    }

    /// An authority that has signed none of them.
    #[must_use]
    pub fn stranger() -> PathBuf {
        certificates().join("stranger.pem")
    }

    pub(super) const fn speaks_tls(&self) -> bool {
        self.tls
    }

    pub(super) fn admin_password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The whole of `redis.conf`.
    pub(super) fn file(&self, folder: &Path, port: u16) -> String {
        let folder = folder.to_str().expect("the temporary folder has a plain name");
        let mut lines = vec![
            "bind 127.0.0.1".to_owned(),
            format!("dir {folder}"),
            format!("logfile {folder}/log"),
            // The way in for the test itself, whatever the TCP port asks for.
            format!("unixsocket {folder}/socket"),
            "save \"\"".to_owned(),
            "daemonize no".to_owned(),
            // A replica that comes is served at once.
            "repl-diskless-sync-delay 0".to_owned(),
        ];
        if self.tls {
            let certificates = certificates();
            let certificates = certificates.display();
            lines.push("port 0".to_owned());
            lines.push(format!("tls-port {port}"));
            lines.push(format!("tls-cert-file {certificates}/server.pem"));
            lines.push(format!("tls-key-file {certificates}/server.key"));
            lines.push(format!("tls-ca-cert-file {certificates}/authority.pem"));
            lines.push("tls-auth-clients no".to_owned());
        } else {
            lines.push(format!("port {port}"));
        }
        lines.extend(self.lines.iter().cloned());
        lines.push(String::new());
        lines.join("\n")
    }
}

fn certificates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../channels/testdata/tls")
}
