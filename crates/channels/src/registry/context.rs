use std::sync::Arc;
use std::time::Duration;

use countersign_model::{Clock, ProviderName, Rng};
use tokio::sync::mpsc;

use crate::receipts::Pushed;
use crate::routes::House;
#[cfg(feature = "web")]
use crate::{
    config::{ConfigError, ConfigProblem},
    http::SharedClient,
};

/// What a provider may need from the house when it is built.
pub(crate) struct ProviderContext {
    /// The operator's name for it.
    pub(crate) name: ProviderName,
    /// Where its section stands, for errors: `providers.<name>`.
    pub(crate) key: String,
    /// Dates messages.
    pub(crate) clock: Arc<dyn Clock>,
    /// Time for all that comes before a message begins to leave. It is shorter than a try, so that what hangs there ends as
    /// certainly not sent and not as unclear.
    pub(crate) patience: Duration,
    #[cfg(feature = "web")]
    pub(crate) http: SharedClient,
    /// Chance, for nonces.
    pub(crate) rng: Arc<dyn Rng>,
    /// Where the provider shall post receipts to: `https://<public host>/receipts/<kind>/<name>`; none: no public address is configured, and
    /// none is asked for.
    pub(crate) receipts_url: Option<String>,
    /// For receipts that come over a connection which the provider holds open. A full queue makes it wait.
    pub(crate) pushed: mpsc::Sender<Pushed>,
}

impl ProviderContext {
    /// What the providers of a house have in common, under nobody's name: [`Self::of`] makes each one's from it.
    pub(crate) fn common(house: &House, patience: Duration, pushed: mpsc::Sender<Pushed>) -> Self {
        Self {
            name: ProviderName::new(""),
            key: "providers".to_owned(),
            clock: Arc::clone(&house.clock),
            patience,
            #[cfg(feature = "web")]
            http: SharedClient::new(patience),
            rng: Arc::clone(&house.rng),
            receipts_url: house.public_url.as_deref().map(|url| format!("{}/receipts", url.trim_end_matches('/'))),
            pushed,
        }
    }

    /// The one for a provider, from the common one. With a patience of its own it has an HTTP client of its own too.
    pub(crate) fn of(&self, name: &str, kind: &str, own_patience: Option<Duration>) -> Self {
        Self {
            name: ProviderName::new(name),
            key: format!("{}.{name}", self.key),
            clock: Arc::clone(&self.clock),
            patience: own_patience.unwrap_or(self.patience),
            #[cfg(feature = "web")]
            http: own_patience.map_or_else(|| self.http.clone(), SharedClient::new),
            rng: Arc::clone(&self.rng),
            receipts_url: self.receipts_url.as_ref().map(|url| format!("{url}/{kind}/{name}")),
            pushed: self.pushed.clone(),
        }
    }

    /// The client that all providers share.
    #[cfg(feature = "web")]
    pub(crate) fn client(&self) -> Result<reqwest::Client, ConfigError> {
        self.http.get().ok_or_else(|| ConfigError::new(self.key.clone(), ConfigProblem::Tls))
    }
}
