//! A caller of the API, by nothing but HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::ask::{Ask, Sent};
use crate::{PATIENCE, Reply, within_patience};

/// A caller with its key, if it has one, and the headers it always sends.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    bases: Arc<Bases>,
    headers: Vec<(String, String)>,
}

/// The nodes of one installation.
#[derive(Debug)]
struct Bases {
    urls: Vec<String>,
    turn: AtomicUsize,
}

impl Client {
    /// A caller without a key.
    pub fn new(base: impl Into<String>) -> Self {
        Self::of_nodes(vec![base.into()])
    }

    /// A caller without a key whose every call goes to another node than the one before.
    pub fn of_nodes(urls: Vec<String>) -> Self {
        // One installed before serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(PATIENCE).build().unwrap();
        Self { http, bases: Arc::new(Bases { urls, turn: AtomicUsize::new(0) }), headers: Vec::new() }
    }

    /// The server's address: of several nodes, that of the one whose turn it is.
    pub fn base(&self) -> &str {
        let turn = self.bases.turn.fetch_add(1, Ordering::Relaxed);
        &self.bases.urls[turn % self.bases.urls.len()]
    }

    /// The same caller, whose every call goes to one node: for what each process keeps for itself.
    #[must_use]
    pub fn at_node(&self, node: usize) -> Self {
        let urls = vec![self.bases.urls[node].clone()];
        Self { bases: Arc::new(Bases { urls, turn: AtomicUsize::new(0) }), ..self.clone() }
    }

    /// The same caller with another key.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        self.without("X-API-Key").with("X-API-Key", key)
    }

    /// The same caller, sending one more header.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.push((name.to_owned(), value.to_owned()));
        other
    }

    /// The same caller without a header.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        let mut other = self.clone();
        other.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        other
    }

    /// Any call.
    pub async fn call(&self, method: Method, path: &str, media_type: Option<&str>, body: impl Into<reqwest::Body>) -> Reply {
        let base = self.base();
        let mut request = self.http.request(method, format!("{base}{path}")).body(body);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(media_type) = media_type {
            request = request.header("Content-Type", media_type);
        }
        let response = request.send().await.unwrap_or_else(|error| panic!("no reply from {base}{path}: {error:?}"));
        Reply::try_read(response).await.expect("a reply ends")
    }

    /// Waits until this caller's key opens: a running server hears of keys made at the terminal a moment later. Whoever asks too often before that
    /// is told to slow down, and let in all the same once the key is known.
    pub async fn until_let_in(&self) {
        let opened = async { while [401, 429].contains(&self.get("/api/v1/otp/sessions").await.status) {} };
        within_patience("a key to open", opened).await;
    }

    /// Posts JSON to a server that may be gone: none when no whole reply came back.
    pub async fn try_call(&self, path: &str, body: &Value) -> Option<Reply> {
        let mut request =
            self.http.post(format!("{}{path}", self.base())).header("Content-Type", "application/json").body(body.to_string());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        Reply::try_read(request.send().await.ok()?).await
    }

    /// Posts JSON and breaks the line once `until` has come, without having waited for the reply.
    pub async fn hang_up(&self, path: &str, body: &Value, until: impl Future<Output = ()>) {
        let mut line = TcpStream::connect(self.base().trim_start_matches("http://")).await.unwrap();
        let body = body.to_string();
        let length = body.len();
        let headers: String = self.headers.iter().flat_map(|(name, value)| [name, ": ", value, "\r\n"]).collect();
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n");
        line.write_all(format!("{head}{headers}\r\n{body}").as_bytes()).await.unwrap();
        until.await;
        // A reset, so that the server hears of it at once.
        line.set_zero_linger().unwrap();
    }

    /// Looks at a path.
    pub async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path, None, "").await
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.call(Method::POST, path, Some("application/json"), body.to_string()).await
    }

    /// Asks for codes, whatever comes of it.
    pub async fn try_send(&self, ask: &Ask) -> Reply {
        self.post("/api/v1/otp/send", ask.body()).await
    }

    /// Asks for codes and gets them.
    pub async fn send(&self, ask: Ask) -> Sent {
        Sent::read(self.try_send(&ask).await)
    }

    /// Submits one code without naming a channel.
    pub async fn verify(&self, sent: &Sent, code: &str) -> Reply {
        self.post("/api/v1/otp/verify", &json!({"session_token": sent.token, "code": code})).await
    }

    /// Submits codes by channel.
    pub async fn verify_each(&self, sent: &Sent, codes: &[(&str, &str)]) -> Reply {
        let otps: serde_json::Map<String, Value> =
            codes.iter().map(|(channel, code)| ((*channel).to_owned(), (*code).into())).collect();
        self.post("/api/v1/otp/verify", &json!({"session_token": sent.token, "otps": otps})).await
    }

    /// Submits a code that is not right.
    pub async fn guess_wrong(&self, sent: &Sent) -> Reply {
        self.verify(sent, &sent.wrong()).await
    }

    /// Asks for new codes.
    pub async fn resend(&self, sent: &Sent) -> Reply {
        self.post("/api/v1/otp/resend", &json!({"session_token": sent.token})).await
    }

    /// Asks for the next fallback.
    pub async fn next(&self, sent: &Sent) -> Reply {
        self.post("/api/v1/otp/next", &json!({"session_token": sent.token})).await
    }

    /// Looks at a session.
    pub async fn status(&self, sent: &Sent) -> Reply {
        self.post("/api/v1/otp/status", &json!({"session_token": sent.token})).await
    }

    /// Ends a session.
    pub async fn cancel(&self, sent: &Sent) -> Reply {
        self.post("/api/v1/otp/cancel", &json!({"session_token": sent.token})).await
    }
}
