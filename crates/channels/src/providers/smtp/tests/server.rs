//! A mail server that follows a script.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What the server does when a line has come.
pub(super) enum Act {
    Say(&'static str),
    SayAndCut(&'static str),
    Hang,
    Cut,
}

/// What it does for a line of a connection (counted from 0). The greeting asks with `HELLO`, the end of a mail's content with `.`.
pub(super) type Script = fn(usize, &str) -> Act;

/// What a server without whims does.
pub(super) fn polite(_: usize, line: &str) -> Act {
    Act::Say(match line {
        "HELLO" => "220 mail.test ESMTP",
        "DATA" => "354 go ahead",
        "QUIT" => "221 bye",
        _ if line.starts_with("EHLO") => "250-mail.test\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME",
        _ if line.starts_with("AUTH") => "235 2.7.0 welcome",
        _ => "250 2.0.0 ok",
    })
}

/// What the server has seen.
#[derive(Default)]
pub(super) struct Seen {
    /// Every line but those of contents, with the number of its connection.
    pub(super) lines: Vec<(usize, String)>,
    /// Contents, with their dots unstuffed.
    pub(super) mails: Vec<String>,
    pub(super) connections: usize,
    open: usize,
    pub(super) most_open: usize,
}

pub(super) struct Server {
    pub(super) port: u16,
    pub(super) seen: Arc<Mutex<Seen>>,
    /// Told when the script says to hang.
    pub(super) hangs: Arc<Notify>,
}

impl Server {
    pub(super) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, seen: Arc::default(), hangs: Arc::default() };
        let (seen, hangs) = (Arc::clone(&server.seen), Arc::clone(&server.hangs));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, hangs) = (Arc::clone(&seen), Arc::clone(&hangs));
                tokio::spawn(async move {
                    let number = {
                        let mut seen = seen.lock().unwrap();
                        seen.connections += 1;
                        seen.open += 1;
                        seen.most_open = seen.most_open.max(seen.open);
                        seen.connections - 1
                    };
                    talk(BufReader::new(stream), number, script, &seen, &hangs).await;
                    seen.lock().unwrap().open -= 1;
                });
            }
        });
        server
    }

    pub(super) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub(super) fn mails(&self) -> usize {
        self.seen.lock().unwrap().mails.len()
    }

    pub(super) fn said(&self, start: &str) -> usize {
        self.seen.lock().unwrap().lines.iter().filter(|(_, line)| line.starts_with(start)).count()
    }
}

async fn talk(mut stream: BufReader<TcpStream>, number: usize, script: Script, seen: &Mutex<Seen>, hangs: &Notify) {
    let mut line = "HELLO".to_owned();
    loop {
        let is_data = match script(number, &line) {
            Act::Cut => return,
            Act::SayAndCut(reply) => {
                let _ = stream.get_mut().write_all(format!("{reply}\r\n").as_bytes()).await;
                return;
            }
            Act::Hang => {
                hangs.notify_one();
                // Until the other side gives up.
                let _ = stream.read_to_end(&mut Vec::new()).await;
                return;
            }
            Act::Say(reply) => {
                if stream.get_mut().write_all(format!("{reply}\r\n").as_bytes()).await.is_err() {
                    return;
                }
                reply.starts_with("354")
            }
        };
        let next = if is_data { content(&mut stream, seen).await } else { one_line(&mut stream).await };
        let Some(next) = next else { return };
        if !is_data {
            seen.lock().unwrap().lines.push((number, next.clone()));
        }
        line = next;
    }
}

async fn one_line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end_matches("\r\n").to_owned())
}

async fn content(stream: &mut BufReader<TcpStream>, seen: &Mutex<Seen>) -> Option<String> {
    let mut mail = String::new();
    loop {
        let line = one_line(stream).await?;
        if line == "." {
            seen.lock().unwrap().mails.push(mail);
            return Some(line);
        }
        mail.push_str(line.strip_prefix('.').unwrap_or(&line));
        mail.push_str("\r\n");
    }
}
