//! The kinds of provider there are: one line each.

use std::sync::Arc;
use std::time::Duration;

use countersign_model::{Clock, ProviderName};
use reqwest::Client;
use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, ConfigProblem};
use crate::http::SharedClient;
use crate::provider::Provider;
use crate::providers::{console, http, smtp};

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
    pub(crate) http: SharedClient,
}

impl ProviderContext {
    /// The client that all providers share.
    pub(crate) fn client(&self) -> Result<Client, ConfigError> {
        self.http.get().ok_or_else(|| ConfigError::new(self.key.clone(), ConfigProblem::Tls))
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident => $module:ident),+ $(,)?) => {
        /// A provider's section, told apart by its `kind`.
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "lowercase")]
        pub enum ProviderConfig {
            $($(#[$doc])* $kind(Box<$module::Config>),)+
        }

        impl ProviderConfig {
            /// The word after `kind =`.
            pub(crate) const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => stringify!($module),)+
                }
            }
        }

        /// Makes the provider of a section, or says which key is wrong.
        pub(crate) fn build(config: &ProviderConfig, context: ProviderContext) -> Result<Arc<dyn Provider>, ConfigError> {
            match config {
                $(ProviderConfig::$kind(config) => $module::build(config, context),)+
            }
        }
    };
}

kinds! {
    /// Prints messages, for development.
    Console => console,
    /// Posts to a gateway's API.
    Http => http,
    /// Hands mail to a server.
    Smtp => smtp,
}
