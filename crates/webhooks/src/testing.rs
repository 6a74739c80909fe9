//! The other side of a post: receivers on loopback that do what a test says, and names that mean what a test says.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::resolve::Resolver;

/// What a receiver does with a post it has read.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Says this and closes the connection.
    Say(Vec<u8>),
    /// Says this and waits for the next post on the same connection.
    Stay(Vec<u8>),
    /// Says nothing and keeps the connection.
    Hang,
}

/// A reply after which the connection closes, with a status, further headers and a body.
pub(crate) fn reply(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Status\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// The request line.
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// Listens on a free port of 127.0.0.1 until dropped.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Does the same with every post.
    pub(crate) async fn spawn(act: Act) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::default();
        let seen = Arc::clone(&received);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, act.clone(), Arc::clone(&seen)));
            }
        });
        Self { port, received, task }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, act: Act, seen: Arc<Mutex<Vec<Received>>>) {
    let mut stream = BufReader::new(stream);
    while let Some(post) = read(&mut stream).await {
        seen.lock().unwrap().push(post);
        match &act {
            // Whoever posts may have heard enough and gone.
            Act::Say(bytes) => {
                let _ = stream.write_all(bytes).await;
                return;
            }
            Act::Stay(bytes) => stream.write_all(bytes).await.unwrap(),
            Act::Hang => std::future::pending().await,
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    let mut headers = HeaderMap::new();
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).await.ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.append(name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap());
    }
    let mut body = vec![0; headers["content-length"].to_str().unwrap().parse().unwrap()];
    stream.read_exact(&mut body).await.ok()?;
    Some(Received { line: line.trim_end().to_owned(), headers, body: String::from_utf8(body).unwrap() })
}

/// Answers one look-up after the other, then none.
pub(crate) struct Names {
    answers: Mutex<Vec<Vec<IpAddr>>>,
}

impl Names {
    pub(crate) fn new(answers: &[&[&str]]) -> Arc<Self> {
        let answers =
            answers.iter().rev().map(|answer| answer.iter().map(|address| address.parse().unwrap()).collect()).collect();
        Arc::new(Self { answers: Mutex::new(answers) })
    }

    /// Look-ups that nobody has made yet.
    pub(crate) fn left(&self) -> usize {
        self.answers.lock().unwrap().len()
    }
}

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.answers.lock().unwrap().pop().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
