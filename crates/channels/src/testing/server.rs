//! A gateway that keeps what it is asked and always answers the same.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone)]
pub(super) enum Act {
    /// These bytes, then the end of the line.
    Reply(String),
    /// Nothing.
    Cut,
}

#[derive(Clone)]
pub(super) struct Request {
    /// With header names in small letters.
    pub(super) head: String,
    pub(super) body: String,
}

pub(super) struct Server {
    pub(super) port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(super) async fn start(act: Act) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let server = Self { port: listener.local_addr().unwrap().port(), requests: Arc::default() };
        let requests = Arc::clone(&server.requests);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (act, requests) = (act.clone(), Arc::clone(&requests));
                tokio::spawn(async move {
                    let Some(request) = read(&mut stream).await else {
                        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
                        let _ = stream.read_to_end(&mut Vec::new()).await;
                        return;
                    };
                    requests.lock().unwrap().push(request);
                    if let Act::Reply(reply) = act {
                        let _ = stream.write_all(reply.as_bytes()).await;
                        let _ = stream.shutdown().await;
                    }
                });
            }
        });
        server
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// None: what came is no HTTP.
async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = std::str::from_utf8(&bytes).ok()?;
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = format!("{head}\r\n");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        if body.len() == length {
            return Some(Request { body: body.to_owned(), head });
        }
    }
}
