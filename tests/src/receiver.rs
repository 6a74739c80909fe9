//! Somebody who subscribed to webhooks: checks each signature, keeps what came, and answers as told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use data_encoding::BASE64;
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::wire::{RawRequest, read_request};
use crate::{Setup, Vacant};

/// What a receiver does with a post.
#[derive(Debug, Clone)]
pub enum Reaction {
    /// Answers with a status and these headers, each `name: value`.
    Status(u16, Vec<String>),
    /// Never answers; the line stays open.
    Hang,
}

/// A post with a good signature.
#[derive(Debug, Clone)]
pub struct Post {
    /// Its `webhook-id`: the same at every try.
    pub id: String,
    /// Its body.
    pub body: Value,
}

impl Post {
    /// What happened.
    pub fn event(&self) -> &str {
        self.body["type"].as_str().unwrap_or_default()
    }

    /// To which session.
    pub fn session(&self) -> &str {
        self.body["data"]["session_id"].as_str().unwrap_or_default()
    }
}

#[derive(Debug)]
struct Shared {
    planned: Mutex<VecDeque<Reaction>>,
    usual: Mutex<Reaction>,
    posts: Mutex<Vec<Post>>,
    faults: Mutex<Vec<String>>,
}

/// A receiver on a free port of the loopback. A post without a good signature fails the test when the receiver goes.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
    /// Its port while it is down.
    kept: Option<Vacant>,
}

impl Receiver {
    /// What its posts are signed with.
    pub const SECRET: &str = "whsec_Y291bnRlcnNpZ24tdGVzdHMtc2lnbi13aXRoLXRoaXM=";

    /// Listens, and answers 204 until told otherwise.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            planned: Mutex::default(),
            usual: Mutex::new(Reaction::Status(204, Vec::new())),
            posts: Mutex::default(),
            faults: Mutex::default(),
        });
        let listening = Some(listen(listener, Arc::clone(&shared)));
        Self { address, shared, listening, kept: None }
    }

    /// Where events are to be posted.
    pub fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    /// The port it listens on.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Lets a server post to receivers on the loopback, this one among them.
    #[must_use]
    pub fn allowed_by(&self, setup: Setup) -> Setup {
        let setup = setup.set("webhooks.allow_http", true).set("webhooks.allowed_networks", vec!["127.0.0.1/32"]);
        setup.set("webhooks.allowed_ports", vec![self.port()]).set("webhooks.per_endpoint", 16)
    }

    /// What to do with the next post that nothing is planned for yet.
    pub fn plan(&self, reaction: Reaction) -> &Self {
        self.shared.planned.lock().unwrap().push_back(reaction);
        self
    }

    /// What to do with every post that nothing is planned for.
    pub fn always(&self, reaction: Reaction) {
        *self.shared.usual.lock().unwrap() = reaction;
    }

    /// What has come so far, every try.
    pub fn posts(&self) -> Vec<Post> {
        self.shared.posts.lock().unwrap().clone()
    }

    /// Stops listening and cuts every line; the port stays its own.
    pub async fn go_down(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
            let _aborted = listening.await;
            self.kept = Some(Vacant::at(self.address));
        }
    }

    /// Listens again, at the same address.
    #[track_caller]
    pub fn come_back(&mut self) {
        let listener = self.kept.take().expect("it is down").listen();
        self.listening = Some(listen(listener, Arc::clone(&self.shared)));
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(listening) = &self.listening {
            listening.abort();
        }
        let faults = self.shared.faults.lock().unwrap();
        assert!(faults.is_empty() || std::thread::panicking(), "posts that no receiver would take: {faults:?}");
    }
}

fn listen(listener: TcpListener, shared: Arc<Shared>) -> JoinHandle<()> {
    tokio::spawn(async move {
        // Ends its lines with itself.
        let mut lines = JoinSet::new();
        while let Ok((line, _)) = listener.accept().await {
            lines.spawn(Arc::clone(&shared).serve(line));
            while lines.try_join_next().is_some() {}
        }
    })
}

impl Shared {
    async fn serve(self: Arc<Self>, line: TcpStream) {
        let mut line = BufReader::new(line);
        while let Ok(Some(request)) = read_request(&mut line).await {
            let reply = match self.take(&request) {
                Reaction::Hang => std::future::pending().await,
                Reaction::Status(status, headers) => {
                    let headers: String = headers.iter().flat_map(|header| [header, "\r\n"]).collect();
                    let length = if status == 204 { "" } else { "Content-Length: 0\r\n" };
                    format!("HTTP/1.1 {status} Told\r\n{headers}{length}\r\n")
                }
            };
            if line.get_mut().write_all(reply.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn take(&self, request: &RawRequest) -> Reaction {
        match read(request) {
            Ok(post) => self.posts.lock().unwrap().push(post),
            Err(fault) => {
                self.faults.lock().unwrap().push(fault);
                return Reaction::Status(400, Vec::new());
            }
        }
        let planned = self.planned.lock().unwrap().pop_front();
        planned.unwrap_or_else(|| self.usual.lock().unwrap().clone())
    }
}

/// Checks a post as Standard Webhooks tells receivers to.
fn read(request: &RawRequest) -> Result<Post, String> {
    let header = |wanted: &str| {
        let found = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.as_str()).ok_or_else(|| format!("no {wanted}"))
    };
    let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
    let key = BASE64.decode(Receiver::SECRET.trim_start_matches("whsec_").as_bytes()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(&request.body);
    let signature = format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()));
    if !header("webhook-signature")?.split(' ').any(|one| one == signature) {
        return Err(format!("the signature of {id} is wrong"));
    }
    let body = serde_json::from_slice(&request.body).map_err(|error| format!("{id}: {error}"))?;
    Ok(Post { id: id.to_owned(), body })
}
