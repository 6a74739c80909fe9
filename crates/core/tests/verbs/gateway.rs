//! An SMS gateway that takes everything, or nothing, and remembers what it was told.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

#[derive(Default)]
struct State {
    refuses: bool,
    told: Vec<Value>,
}

/// Listens on a free port of 127.0.0.1 until dropped.
pub(crate) struct Gateway {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Gateway {
    pub(crate) async fn spawn() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
        let state: Arc<Mutex<State>> = Arc::default();
        let seen = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&seen)));
            }
        });
        Self { url, state, task }
    }

    /// What it answers from now on.
    pub(crate) fn refuses(&self, refuses: bool) {
        self.state.lock().unwrap().refuses = refuses;
    }

    /// All it was told, oldest first: `to`, `text`, `from`.
    pub(crate) fn told(&self) -> Vec<Value> {
        self.state.lock().unwrap().told.clone()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut read = Vec::new();
    let body = loop {
        let mut chunk = [0; 4096];
        let Ok(length @ 1..) = stream.read(&mut chunk).await else { return };
        read.extend_from_slice(&chunk[..length]);
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            break body.to_owned();
        }
    };
    let status = {
        let mut state = state.lock().unwrap();
        state.told.push(serde_json::from_str(&body).unwrap());
        if state.refuses { 500 } else { 200 }
    };
    let answer = format!("HTTP/1.1 {status} Said\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
    let _gone = stream.write_all(answer.as_bytes()).await;
}
