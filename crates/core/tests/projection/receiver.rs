//! The other side of a webhook: says what a test says, one answer after the other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A post that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    head: String,
    pub(crate) id: String,
    pub(crate) timestamp: String,
    pub(crate) signature: String,
    pub(crate) body: String,
}

impl Arrived {
    /// A header, or nothing.
    pub(crate) fn header(&self, name: &str) -> String {
        header(&self.head, name)
    }
}

#[derive(Default)]
struct State {
    /// Status and further headers; when none is left, 204.
    answers: VecDeque<(u16, &'static str)>,
    arrived: Vec<Arrived>,
    /// Whether to keep the connection and say nothing.
    hangs: bool,
}

/// Listens on a free port of 127.0.0.1 until dropped.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Receiver {
    pub(crate) async fn spawn() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state: Arc<Mutex<State>> = Arc::default();
        let seen = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&seen)));
            }
        });
        Self { port, state, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hooks", self.port)
    }

    /// What it answers next.
    pub(crate) fn will_say(&self, answers: impl IntoIterator<Item = (u16, &'static str)>) {
        self.state.lock().unwrap().answers.extend(answers);
    }

    pub(crate) fn hang(&self, hangs: bool) {
        self.state.lock().unwrap().hangs = hangs;
    }

    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.state.lock().unwrap().arrived.clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut read = Vec::new();
    let (head, body) = loop {
        let mut chunk = [0; 4096];
        let Ok(length @ 1..) = stream.read(&mut chunk).await else { return };
        read.extend_from_slice(&chunk[..length]);
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        if body.len() >= header(head, "content-length").parse().unwrap_or(0) {
            break (head.to_owned(), body.to_owned());
        }
    };
    let answer = {
        let mut state = state.lock().unwrap();
        state.arrived.push(Arrived {
            id: header(&head, "webhook-id"),
            timestamp: header(&head, "webhook-timestamp"),
            signature: header(&head, "webhook-signature"),
            head: head.clone(),
            body,
        });
        if state.hangs { None } else { Some(state.answers.pop_front().unwrap_or((204, ""))) }
    };
    match answer {
        Some((status, headers)) => {
            let text = format!("HTTP/1.1 {status} Status\r\n{headers}Content-Length: 2\r\nConnection: close\r\n\r\nno");
            let _gone = stream.write_all(text.as_bytes()).await;
        }
        None => std::future::pending().await,
    }
}

fn header(head: &str, name: &str) -> String {
    let found = head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    });
    found.unwrap_or_default()
}
