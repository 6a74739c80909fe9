//! The one HTTP client of the house's providers, and the bounds every call keeps.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, Url};

use crate::provider::{CheckError, Diagnostic, TryOutcome};
use crate::tls::{install_crypto, is_tls};

/// Most bytes of a reply that are read. What a provider says beyond is nothing we look for.
pub(crate) const MAX_REPLY: usize = 64 * 1024;

/// Idle lines are dropped before gateways commonly drop them: a send over a line that is just being closed ends as unclear.
const IDLE: Duration = Duration::from_secs(15);

/// A client that all providers share, made when the first one asks: reading the system's certificates takes a while.
#[derive(Clone)]
pub(crate) struct SharedClient {
    connect_timeout: Duration,
    client: Arc<OnceLock<Option<Client>>>,
}

impl SharedClient {
    /// What cannot be connected within `connect_timeout` is certainly not sent.
    pub(crate) fn new(connect_timeout: Duration) -> Self {
        Self { connect_timeout, client: Arc::default() }
    }

    /// None: TLS cannot be set up on this machine.
    pub(crate) fn get(&self) -> Option<Client> {
        self.client.get_or_init(|| build(self.connect_timeout)).clone()
    }
}

/// No redirects: one would carry a code to where no operator sent it.
fn build(connect_timeout: Duration) -> Option<Client> {
    install_crypto();
    Client::builder()
        .redirect(Policy::none())
        .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(IDLE)
        .build()
        .ok()
}

/// A provider's reply to one request.
pub(crate) struct Reply {
    pub(crate) status: u16,
    #[cfg(any(feature = "aws", feature = "sendgrid"))]
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Body,
}

impl Reply {
    async fn of(response: Response) -> Self {
        Self {
            status: response.status().as_u16(),
            #[cfg(any(feature = "aws", feature = "sendgrid"))]
            headers: response.headers().clone(),
            body: read(response).await,
        }
    }
}

/// Makes one request, once. What fails is told as the try that it was: unclear as soon as bytes may have left.
pub(crate) async fn exchange(request: RequestBuilder) -> Result<Reply, TryOutcome> {
    match request.send().await {
        Ok(response) => Ok(Reply::of(response).await),
        Err(error) if error.is_connect() => Err(TryOutcome::Unreachable(Diagnostic::Note("no connection"))),
        Err(error) if error.is_builder() => Err(TryOutcome::Misconfigured(Diagnostic::Note("the request could not be built"))),
        Err(_) => Err(TryOutcome::Unclear(Diagnostic::Note("the line broke before a reply"))),
    }
}

/// Asks for something that changes nothing, for a check.
pub(crate) async fn ask(request: RequestBuilder, url: &Url) -> Result<Reply, CheckError> {
    let address = address(url);
    match request.send().await {
        Ok(response) => Ok(Reply::of(response).await),
        Err(error) if is_tls(&error) => Err(CheckError::Tls { address }),
        Err(_) => Err(CheckError::Unreachable { address }),
    }
}

/// Reaches a host without credentials and without a message: any answer shows that name, port and TLS are right.
#[cfg(any(feature = "http", feature = "mailgun", feature = "vonage"))]
pub(crate) async fn reach(client: &Client, url: &Url) -> Result<(), CheckError> {
    let mut root = url.clone();
    root.set_path("/");
    root.set_query(None);
    ask(client.head(root), url).await.map(drop)
}

/// `host:port`, as checks name it.
pub(crate) fn address(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

/// The reply's body, or what came of it: at most [`MAX_REPLY`] bytes.
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    /// The body ended by itself and within the bound.
    pub(crate) is_whole: bool,
}

/// Reads a reply without trusting its length.
pub(crate) async fn read(mut response: Response) -> Body {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= MAX_REPLY => bytes.extend_from_slice(&chunk),
            Ok(None) => return Body { bytes, is_whole: true },
            Ok(Some(_)) | Err(_) => return Body { bytes, is_whole: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_that_is_not_protected_in_time_has_carried_nothing() {
        let mute = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let client = SharedClient::new(Duration::from_millis(50)).get().unwrap();
        let request = client.post(format!("https://{}/", mute.local_addr().unwrap())).body("482913");
        let failed = exchange(request).await.err().map(|outcome| outcome.label());
        assert_eq!(failed, Some("unreachable"));
    }
}
