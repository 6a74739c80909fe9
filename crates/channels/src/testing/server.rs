//! An HTTP server that keeps what it is asked and always answers the same.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What it does with every request.
#[derive(Clone)]
pub(crate) enum Act {
    /// These bytes, then the end of the line.
    Reply(String),
    /// Nothing.
    Cut,
}

/// A whole answer, as it goes over the wire.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Act {
    // Said, so that no client keeps the line for its next request: that one would fail or not by who is quicker.
    let mut text = format!("HTTP/1.1 {status} Whatever\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    Act::Reply(format!("{text}\r\n{body}"))
}

/// What a provider asked for.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The request line and the headers, names in small letters; or a dialogue's commands.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Request {
    /// `POST /path?query`.
    pub(crate) fn target(&self) -> &str {
        self.head.lines().next().unwrap().trim_end_matches(" HTTP/1.1")
    }

    /// The value of a header that is there once.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found: Vec<&str> = self.head.lines().filter_map(|line| line.strip_prefix(&format!("{name}: "))).collect();
        assert_eq!(found.len(), 1, "{name} in {}", self.head);
        found[0]
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The form's pairs, decoded, in order.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        assert_eq!(self.header("content-type"), "application/x-www-form-urlencoded");
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }
}

pub(crate) struct Server {
    pub(crate) port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) async fn start(act: Act) -> Self {
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

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
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
        let text = match std::str::from_utf8(&bytes) {
            Ok(text) => text,
            // Half a character: the rest of it is on its way.
            Err(error) if error.error_len().is_none() => continue,
            Err(_) => return None,
        };
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = format!("{head}\r\n");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        if body.len() == length {
            return Some(Request { body: body.to_owned(), head });
        }
    }
}

#[tokio::test]
async fn what_is_asked_is_kept_and_the_answer_is_always_the_same() {
    let page = "HTTP/1.1 200 Whatever\r\nconnection: close\r\ncontent-length: 2\r\nx-id: 7\r\n\r\n{}";
    for (act, expected) in [(answer(200, &[("x-id", "7")], "{}"), page), (Act::Cut, "")] {
        let server = Server::start(act).await;
        assert_eq!(server.url("/a"), format!("http://127.0.0.1:{}/a", server.port));
        for body in ["c=d+e%21", "{\"c\": 1}"] {
            let mut line = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
            let head = "POST /a?b=1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 8";
            line.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await.unwrap();
            let mut told = String::new();
            line.read_to_string(&mut told).await.unwrap();
            assert_eq!(told, expected);
        }
        let [form, json] = &server.requests()[..] else { panic!("two were asked: {:?}", server.requests()) };
        assert_eq!((form.target(), form.header("host")), ("POST /a?b=1", "x"));
        assert_eq!(form.form(), [("c".to_owned(), "d e!".to_owned())]);
        assert_eq!(json.json(), serde_json::json!({"c": 1}));
    }
}
