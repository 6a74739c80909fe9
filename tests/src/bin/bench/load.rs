//! The load: a cheap HTTP/1.1 client that keeps its connections and parses no more than it must.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::CONNECTIONS;

/// A whole phase may take this long.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where calls go, and whose they are.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    address: SocketAddr,
    key: String,
}

/// What a phase came to.
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    pub(crate) per_second: f64,
    pub(crate) replies: Vec<String>,
    pub(crate) server_time: Duration,
    pub(crate) generator_time: Duration,
    /// Sorted.
    latencies: Vec<Duration>,
}

impl Phase {
    pub(crate) const HEADER: &'static str = "phase         calls/s    p50 ms    p99 ms    server us/call    generator us/call";

    fn latency(&self, percent: usize) -> f64 {
        let at = (self.latencies.len() * percent / 100).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(at).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    }

    fn each(&self, whole: Duration) -> f64 {
        let calls = u32::try_from(self.latencies.len().max(1)).unwrap_or(u32::MAX);
        (whole / calls).as_secs_f64() * 1e6
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p50, p99) = (self.latency(50), self.latency(99));
        let (server, generator) = (self.each(self.server_time), self.each(self.generator_time));
        write!(f, "{:11} {:9.0} {p50:9.2} {p99:9.2} {server:17.0} {generator:20.0}", self.name, self.per_second)
    }
}

impl Load {
    pub(crate) fn new(address: SocketAddr, key: &str) -> Self {
        Self { address, key: key.to_owned() }
    }

    /// Posts the bodies of `0..calls`, each once. Replies come back in that order; one that is not 200 ends the run.
    pub(crate) async fn run(
        &self,
        path: &'static str,
        calls: usize,
        body: impl Fn(usize) -> String + Clone + 'static,
    ) -> io::Result<Phase> {
        let next = Rc::new(Cell::new(0));
        let started = Instant::now();
        let callers: Vec<_> = (0..CONNECTIONS)
            .map(|_| tokio::task::spawn_local(caller(self.clone(), path, Rc::clone(&next), calls, body.clone())))
            .collect();
        let mut answered = Vec::with_capacity(calls);
        for caller in callers {
            let ended = tokio::time::timeout(PATIENCE, caller).await.map_err(|_| io::ErrorKind::TimedOut)?;
            answered.extend(ended.map_err(io::Error::other)??);
        }
        let elapsed = started.elapsed();
        answered.sort_unstable_by_key(|(number, ..)| *number);
        let mut latencies: Vec<Duration> = answered.iter().map(|(_, latency, _)| *latency).collect();
        latencies.sort_unstable();
        let counted = u32::try_from(calls).map_or(f64::INFINITY, f64::from);
        Ok(Phase {
            name: "",
            per_second: counted / elapsed.as_secs_f64(),
            replies: answered.into_iter().map(|(_, _, reply)| reply).collect(),
            server_time: Duration::ZERO,
            generator_time: Duration::ZERO,
            latencies,
        })
    }
}

/// One connection: takes the next number until there is none.
async fn caller(
    load: Load,
    path: &'static str,
    next: Rc<Cell<usize>>,
    calls: usize,
    body: impl Fn(usize) -> String,
) -> io::Result<Vec<(usize, Duration, String)>> {
    let mut line = TcpStream::connect(load.address).await?;
    line.set_nodelay(true)?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nX-API-Key: {}\r\nContent-Type: application/json\r\nContent-Length: ",
        load.key
    );
    let mut answered = Vec::new();
    let mut buffer = Vec::with_capacity(4_096);
    while next.get() < calls {
        let number = next.replace(next.get() + 1);
        let body = body(number);
        let request = format!("{head}{}\r\n\r\n{body}", body.len());
        let asked = Instant::now();
        line.write_all(request.as_bytes()).await?;
        let reply = read(&mut line, &mut buffer).await?;
        answered.push((number, asked.elapsed(), reply));
    }
    Ok(answered)
}

/// One reply with a declared length.
async fn read(line: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<String> {
    buffer.clear();
    loop {
        if line.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let length = content_length(&buffer[..end]).ok_or(io::ErrorKind::InvalidData)?;
        let whole = end + 4 + length;
        while buffer.len() < whole {
            if line.read_buf(buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let text = String::from_utf8_lossy(&buffer[end + 4..whole]).into_owned();
        return if buffer.starts_with(b"HTTP/1.1 200") { Ok(text) } else { Err(io::Error::other(text)) };
    }
}

fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let line = head
        .split(|byte| *byte == b'\n')
        .find(|line| line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME))?;
    std::str::from_utf8(&line[NAME.len()..]).ok()?.trim().parse().ok()
}
