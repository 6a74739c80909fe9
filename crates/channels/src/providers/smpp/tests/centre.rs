//! A message centre for tests, which speaks SMPP by hand: bytes, and nothing of the provider's own code.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::testing::server::Request;
use crate::testing::suite::Double;

pub(super) const BIND_RECEIVER: u32 = 1;
pub(super) const BIND_TRANSMITTER: u32 = 2;
pub(super) const SUBMIT: u32 = 4;
pub(super) const UNBIND: u32 = 6;
pub(super) const BIND_TRANSCEIVER: u32 = 9;
pub(super) const ENQUIRE: u32 = 0x15;
pub(super) const RESPONSE: u32 = 0x8000_0000;

/// A PDU as it came, on which connection and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) connection: usize,
    pub(super) at: Instant,
    pub(super) id: u32,
    pub(super) status: u32,
    pub(super) sequence: u32,
    pub(super) body: Vec<u8>,
}

/// What the centre does with a PDU.
pub(super) enum Act {
    Say(Vec<u8>),
    Nothing,
    Cut,
}

/// What to do with a PDU, by how many of its kind came before it.
pub(super) type Script = fn(&Frame, usize) -> Act;

/// A PDU's bytes.
pub(super) fn pdu(id: u32, status: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).unwrap();
    let head = [length, id, status, sequence].map(u32::to_be_bytes).concat();
    [&head[..], body].concat()
}

/// An answer to `frame`.
pub(super) fn reply(frame: &Frame, status: u32, body: &[u8]) -> Act {
    Act::Say(pdu(RESPONSE | frame.id, status, frame.sequence, body))
}

/// Says yes to everything; messages are called `id-1`, `id-2` and so on.
pub(super) fn polite(frame: &Frame, before: usize) -> Act {
    match frame.id {
        BIND_RECEIVER | BIND_TRANSMITTER | BIND_TRANSCEIVER => reply(frame, 0, b"centre\0"),
        SUBMIT => reply(frame, 0, format!("id-{}\0", before + 1).as_bytes()),
        ENQUIRE | UNBIND => reply(frame, 0, b""),
        _ => Act::Nothing,
    }
}

pub(super) struct Centre {
    pub(super) port: u16,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    frames: Mutex<Vec<Frame>>,
    connections: Mutex<Vec<mpsc::UnboundedSender<Vec<u8>>>>,
    news: Notify,
}

impl Centre {
    pub(super) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let centre = Self { port: listener.local_addr().unwrap().port(), seen: Arc::default() };
        let seen = Arc::clone(&centre.seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (push, pushed) = mpsc::unbounded_channel();
                let connection = {
                    let mut connections = seen.connections.lock().unwrap();
                    connections.push(push);
                    connections.len() - 1
                };
                tokio::spawn(talk(stream, connection, script, Arc::clone(&seen), pushed));
            }
        });
        centre
    }

    /// Says something of its own accord on the newest connection.
    pub(super) fn push(&self, bytes: Vec<u8>) {
        self.seen.connections.lock().unwrap().last().unwrap().send(bytes).unwrap();
    }

    pub(super) fn connections(&self) -> usize {
        self.seen.connections.lock().unwrap().len()
    }

    /// What came of one kind so far.
    pub(super) fn of(&self, id: u32) -> Vec<Frame> {
        self.seen.frames.lock().unwrap().iter().filter(|frame| frame.id == id).cloned().collect()
    }

    /// Waits until `count` of one kind came, and gives the last of them.
    pub(super) async fn until(&self, id: u32, count: usize) -> Frame {
        loop {
            let news = self.seen.news.notified();
            if let Some(frame) = self.of(id).into_iter().nth(count - 1) {
                return frame;
            }
            let patience = tokio::time::timeout(Duration::from_secs(600), news);
            assert!(patience.await.is_ok(), "no {count}. PDU {id:#x}: {:?}", self.seen.frames.lock().unwrap());
        }
    }
}

async fn talk(
    mut stream: TcpStream,
    connection: usize,
    script: Script,
    seen: Arc<Seen>,
    mut pushed: mpsc::UnboundedReceiver<Vec<u8>>,
) {
    let mut buffer = Vec::new();
    loop {
        tokio::select! {
            bytes = pushed.recv() => {
                let Some(bytes) = bytes else { return };
                if bytes.is_empty() || stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            read = stream.read_buf(&mut buffer) => if read.is_ok_and(|read| read == 0) { return },
        }
        while buffer.len() >= 16 {
            let word = |at: usize| u32::from_be_bytes(buffer[at..at + 4].try_into().unwrap());
            let length = usize::try_from(word(0)).unwrap();
            if buffer.len() < length {
                break;
            }
            let (id, status, sequence) = (word(4), word(8), word(12));
            let frame = Frame { connection, at: Instant::now(), id, status, sequence, body: buffer[16..length].to_vec() };
            buffer.drain(..length);
            let before = {
                let mut frames = seen.frames.lock().unwrap();
                let before = frames.iter().filter(|earlier| earlier.id == id).count();
                frames.push(frame.clone());
                before
            };
            seen.news.notify_waiters();
            match script(&frame, before) {
                Act::Say(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Act::Nothing => {}
                Act::Cut => return,
            }
        }
    }
}

impl Double for Centre {
    fn url(&self) -> String {
        format!("smpp://127.0.0.1:{}", self.port)
    }

    /// The messages, each with its body in hexadecimal.
    fn requests(&self) -> Vec<Request> {
        let request = |frame: Frame| Request { head: "submit_sm".to_owned(), body: data_encoding::HEXLOWER.encode(&frame.body) };
        self.of(SUBMIT).into_iter().map(request).collect()
    }
}
