use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A line between a client and a server that a test can break. On the loopback, ends with the value.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    server: u16,
    lines: Mutex<Vec<TcpStream>>,
    accepted: AtomicUsize,
    closed: AtomicBool,
    refuses: AtomicBool,
    holds: AtomicBool,
    delay: Mutex<Duration>,
    /// Words of the requests whose answers are lost, and how many are yet to be.
    swallow: Mutex<(Vec<u8>, usize)>,
}

/// What becomes of bytes that came in.
enum Fate {
    Passed,
    Lost,
    Cut,
}

impl Proxy {
    /// Listens on a free port and passes everything on to `server`, a port of the loopback.
    #[must_use]
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback has a free port");
        let port = listener.local_addr().expect("a listener has an address").port();
        let state = Arc::new(State {
            server,
            lines: Mutex::default(),
            accepted: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            refuses: AtomicBool::new(false),
            holds: AtomicBool::new(false),
            delay: Mutex::default(),
            swallow: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || shared.accept(&listener));
        Self { port, state }
    }

    /// Where clients connect to.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// How many lines were asked for so far, refused ones with them.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }

    /// Cuts all lines that are open. New ones are taken.
    pub fn cut(&self) {
        self.state.cut();
    }

    /// Whether new lines are closed at once.
    pub fn refuse(&self, refuses: bool) {
        self.state.refuses.store(refuses, Ordering::SeqCst);
    }

    /// Whether what comes in, from either side, is lost while the lines stay open.
    pub fn hold(&self, holds: bool) {
        self.state.holds.store(holds, Ordering::SeqCst);
    }

    /// How long every answer is kept back.
    pub fn delay(&self, delay: Duration) {
        *lock(&self.state.delay) = delay;
    }

    /// Lets the next `times` requests that have `words` in them reach the server, loses each answer and cuts the line: it was done, and nobody
    /// heard.
    pub fn swallow_answers_to(&self, words: &str, times: usize) {
        *lock(&self.state.swallow) = (words.as_bytes().to_vec(), times);
    }

    /// How many answers are still to be lost.
    #[must_use]
    pub fn to_swallow(&self) -> usize {
        lock(&self.state.swallow).1
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.closed.store(true, Ordering::SeqCst);
        // Wakes the thread that listens.
        let _woken = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        self.state.cut();
    }
}

impl State {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.closed.load(Ordering::SeqCst) {
                return;
            }
            self.accepted.fetch_add(1, Ordering::SeqCst);
            let Ok(client) = client else { continue };
            if self.refuses.load(Ordering::SeqCst) {
                continue;
            }
            let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server)) else { continue };
            self.join(&client, &server);
        }
    }

    /// Two threads a line, one for each direction.
    fn join(self: &Arc<Self>, client: &TcpStream, server: &TcpStream) {
        let loses = Arc::new(AtomicBool::new(false));
        let ends = [client, server].map(|end| {
            let _without = end.set_nodelay(true);
            lock(&self.lines).push(end.try_clone().expect("a socket can be cloned"));
            end.try_clone().expect("a socket can be cloned")
        });
        let [to_client, to_server] = ends;
        let (from_client, from_server) = (client.try_clone(), server.try_clone());
        let (from_client, from_server) = (from_client.expect("it can be cloned"), from_server.expect("it can be cloned"));
        let (requests, answers) = (Arc::clone(self), Arc::clone(self));
        let asked = Arc::clone(&loses);
        thread::spawn(move || {
            requests.pass(from_client, to_server, |state, bytes| {
                let mut swallow = lock(&state.swallow);
                if swallow.1 > 0 && contains(bytes, &swallow.0) {
                    swallow.1 -= 1;
                    asked.store(true, Ordering::SeqCst);
                }
                state.fate()
            });
        });
        thread::spawn(move || {
            answers.pass(from_server, to_client, |state, _| {
                let delay = *lock(&state.delay);
                if !delay.is_zero() {
                    keep_back(delay);
                }
                if loses.load(Ordering::SeqCst) { Fate::Cut } else { state.fate() }
            });
        });
    }

    fn fate(&self) -> Fate {
        if self.holds.load(Ordering::SeqCst) { Fate::Lost } else { Fate::Passed }
    }

    /// Passes bytes on until one of the ends is closed or the line is cut; then both are closed.
    fn pass(&self, mut from: TcpStream, mut to: TcpStream, decide: impl Fn(&Self, &[u8]) -> Fate) {
        let mut buffer = vec![0_u8; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            match decide(self, &buffer[..read]) {
                Fate::Passed if to.write_all(&buffer[..read]).is_ok() => {}
                Fate::Lost => {}
                Fate::Passed | Fate::Cut => break,
            }
        }
        let _closed = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }

    fn cut(&self) {
        for end in lock(&self.lines).drain(..) {
            let _closed = end.shutdown(Shutdown::Both);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn contains(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len()).any(|window| window == words)
}

#[expect(clippy::disallowed_methods, reason = "a slow line is slow by the clock of the machine")]
fn keep_back(delay: Duration) {
    thread::sleep(delay);
}
