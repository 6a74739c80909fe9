//! A gateway that looks at everything it is sent, and answers as it is told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::wire::{RawRequest, read_request};
use crate::within_patience;

/// What every request must be, to the letter.
#[derive(Debug, Clone)]
pub struct Expected {
    path: String,
    media_type: &'static str,
    headers: Vec<(&'static str, String)>,
}

impl Expected {
    /// Where messages are posted.
    pub const PATH: &'static str = "/v1/messages?account=acme";
    /// Who posts them.
    pub const AUTHORIZATION: &'static str = "Bearer gateway-secret-5f1c";

    /// A JSON document, with credentials.
    pub fn json() -> Self {
        let headers = vec![("authorization", Self::AUTHORIZATION.to_owned())];
        Self { path: Self::PATH.to_owned(), media_type: "application/json", headers }
    }

    /// A form, with credentials.
    pub fn form() -> Self {
        Self { media_type: "application/x-www-form-urlencoded", ..Self::json() }
    }

    /// The same at another vendor's path, with other credentials.
    #[must_use]
    pub fn at(mut self, path: &str, authorization: &str) -> Self {
        path.clone_into(&mut self.path);
        self.headers = vec![("authorization", authorization.to_owned())];
        self
    }

    /// What is wrong with a request, if anything.
    fn fault(&self, request: &RawRequest) -> Option<String> {
        let header = |wanted: &str| {
            let mut held =
                request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str());
            (held.next(), held.next())
        };
        if (request.method.as_str(), &request.path) != ("POST", &self.path) {
            return Some(format!("{} {}", request.method, request.path));
        }
        if header("content-type") != (Some(self.media_type), None) {
            return Some(format!("content-type {:?}", header("content-type")));
        }
        for (name, value) in &self.headers {
            if header(name) != (Some(value), None) {
                return Some(format!("{name} {:?}", header(name)));
            }
        }
        let encoded = match self.media_type {
            "application/json" => serde_json::from_slice::<Value>(&request.body).is_ok_and(|body| body.is_object()),
            _ => form(&request.body).is_some(),
        };
        (!encoded).then(|| format!("body {:?}", String::from_utf8_lossy(&request.body)))
    }
}

/// A request that was as expected.
#[derive(Debug, Clone)]
pub struct Request {
    /// Names as sent.
    pub headers: Vec<(String, String)>,
    /// Byte by byte.
    pub body: Vec<u8>,
}

impl Request {
    /// A field of a JSON or form body.
    #[track_caller]
    pub fn field(&self, name: &str) -> String {
        let found = match serde_json::from_slice::<Value>(&self.body) {
            Ok(json) => json[name].as_str().map(ToOwned::to_owned),
            Err(_) => {
                form(&self.body).and_then(|fields| fields.into_iter().find(|(field, _)| field == name).map(|(_, value)| value))
            }
        };
        found.unwrap_or_else(|| panic!("no field {name}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The whole of a JSON body.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The code in the message's text.
    #[track_caller]
    pub fn code(&self) -> String {
        crate::mail_sink::first_code(&self.field("text"))
    }
}

/// `application/x-www-form-urlencoded`, read strictly; none when it is not that.
fn form(body: &[u8]) -> Option<Vec<(String, String)>> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"*-._+%&=".contains(byte);
    if body.is_empty() || !body.iter().all(plain) {
        return None;
    }
    let fields = std::str::from_utf8(body).ok()?.split('&');
    fields.map(|field| field.split_once('=').and_then(|(name, value)| Some((unescape(name)?, unescape(value)?)))).collect()
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// What to do with a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Reply with a status and a JSON body.
    With(u16, String),
    /// Never reply; the line stays open.
    Hang,
    /// Close the line without a reply.
    Cut,
}

/// Replies wait behind it, until it opens.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    /// Lets every reply through, also later ones.
    pub fn open(&self) {
        self.0.add_permits(Semaphore::MAX_PERMITS >> 1);
    }
}

#[derive(Debug)]
struct Shared {
    expected: Expected,
    answers: Mutex<VecDeque<Answer>>,
    gate: Mutex<Option<Gate>>,
    faults: Mutex<Vec<String>>,
    requests: watch::Sender<Vec<Request>>,
}

/// A gateway on a free port. A request that is not as expected is answered 400 and fails the test when the double goes.
#[derive(Debug)]
pub struct ProviderDouble {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

impl ProviderDouble {
    /// Listens, and accepts every message until told otherwise.
    pub async fn start(expected: Expected) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            expected,
            answers: Mutex::default(),
            gate: Mutex::default(),
            faults: Mutex::default(),
            requests: watch::Sender::new(Vec::new()),
        });
        let serving = Arc::clone(&shared);
        let listening = tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&serving).serve(line));
            }
        });
        Self { address, shared, listening }
    }

    /// The gateway's address, without a path.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What to do with the next request that nothing is planned for yet.
    pub fn plan(&self, answer: Answer) -> &Self {
        self.shared.answers.lock().unwrap().push_back(answer);
        self
    }

    /// From now on replies wait.
    pub fn hold(&self) -> Gate {
        let gate = Gate(Arc::new(Semaphore::new(0)));
        *self.shared.gate.lock().unwrap() = Some(gate.clone());
        gate
    }

    /// What has come so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.borrow().clone()
    }

    /// What was wrong with what came, which from now on is forgiven.
    pub fn faults(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.faults.lock().unwrap())
    }

    /// Waits for the `count`th request.
    pub async fn request(&self, count: usize) -> Request {
        let mut requests = self.shared.requests.subscribe();
        let come = requests.wait_for(|requests| requests.len() >= count);
        within_patience("a request at the gateway", come).await.unwrap()[count - 1].clone()
    }
}

impl Drop for ProviderDouble {
    fn drop(&mut self) {
        self.listening.abort();
        let faults = self.shared.faults.lock().unwrap();
        assert!(faults.is_empty() || std::thread::panicking(), "the gateway was sent what it does not understand: {faults:?}");
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, line: TcpStream) {
        let mut line = BufReader::new(line);
        while let Ok(Some(request)) = read_request(&mut line).await {
            let (status, body) = match self.take(request).await {
                Answer::With(status, body) => (status, body),
                Answer::Cut => return,
                Answer::Hang => std::future::pending().await,
            };
            let length = body.len();
            let reply =
                format!("HTTP/1.1 {status} Told\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}");
            if line.get_mut().write_all(reply.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    async fn take(&self, request: RawRequest) -> Answer {
        if let Some(fault) = self.expected.fault(&request) {
            self.faults.lock().unwrap().push(fault);
            return Answer::With(400, "{}".to_owned());
        }
        let planned = self.answers.lock().unwrap().pop_front();
        let gate = self.gate.lock().unwrap().clone();
        self.requests.send_modify(|requests| requests.push(Request { headers: request.headers, body: request.body }));
        let number = self.requests.borrow().len();
        if let Some(Gate(permits)) = gate {
            permits.acquire().await.unwrap().forget();
        }
        planned.unwrap_or_else(|| Answer::With(200, format!(r#"{{"id":"gw-{number}"}}"#)))
    }
}
