use std::path::PathBuf;
use std::time::Duration;

use countersign_records::{Place, PoolOptions};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{Problem, secret};

/// `[database]`: where records live when several nodes share them. Goes together with `[redis]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// A PostgreSQL: `postgres://user@host/name`; `sslmode` and its kin as everywhere.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "secret::hide_credentials")]
    pub url: Option<SecretString>,
    /// The user's password.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "secret::hide")]
    pub password: Option<SecretString>,
    /// A file that holds the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Connections of each process.
    pub connections: u32,
    /// Seconds that a call waits for a connection.
    pub acquire_seconds: u64,
    /// Seconds that the database may work on one statement.
    pub statement_seconds: u64,
}

impl Default for Database {
    fn default() -> Self {
        Self { url: None, password: None, password_file: None, connections: 10, acquire_seconds: 3, statement_seconds: 15 }
    }
}

impl Database {
    /// Where the records are; none where they live in a file.
    pub(super) fn place(&self) -> Result<Option<Place>, Problem> {
        let password = secret::read("database.password", self.password.as_ref(), self.password_file.as_ref())?;
        let Some(url) = &self.url else { return Ok(None) };
        let invalid = || Problem::new("database.url", "must be an address such as postgres://user@host/name");
        let mut url = Url::parse(url.expose_secret()).map_err(|_| invalid())?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(invalid());
        }
        if let Some(password) = password {
            url.set_password(Some(password.expose_secret())).map_err(|()| invalid())?;
        }
        Ok(Some(Place::Url(SecretString::from(String::from(url)))))
    }

    /// How the connections behave.
    pub(super) const fn pool(&self) -> PoolOptions {
        PoolOptions {
            connections: self.connections,
            acquire_timeout: Duration::from_secs(self.acquire_seconds),
            statement_timeout: Duration::from_secs(self.statement_seconds),
        }
    }

    pub(super) fn problems(&self, found: &mut Vec<Problem>) {
        if let Err(problem) = self.place() {
            found.push(problem);
        }
        for (key, wrong) in [
            ("database.connections", !(2..=500).contains(&self.connections)),
            ("database.acquire_seconds", !(1..=60).contains(&self.acquire_seconds)),
            ("database.statement_seconds", !(1..=600).contains(&self.statement_seconds)),
        ] {
            if wrong {
                let range = match key {
                    "database.connections" => "2 to 500",
                    "database.acquire_seconds" => "1 to 60",
                    _ => "1 to 600",
                };
                found.push(Problem::new(key, format!("must be {range}")));
            }
        }
    }
}
