//! A reply that shows itself when it is not what was expected.

use std::fmt;

use reqwest::StatusCode;
use serde_json::Value;

/// Status, headers and body, kept whole.
#[derive(Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, values as sent, in order.
    pub headers: Vec<(String, String)>,
    /// The body, byte by byte.
    pub body: Vec<u8>,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        for (name, value) in &self.headers {
            write!(f, "\n  {name}: {value}")?;
        }
        write!(f, "\n  {}", String::from_utf8_lossy(&self.body))
    }
}

impl Reply {
    /// Reads a reply to its end; none when it breaks off.
    pub async fn try_read(response: reqwest::Response) -> Option<Self> {
        let status = response.status().as_u16();
        let value = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = response.headers().iter().map(|(name, held)| (name.as_str().to_owned(), value(held))).collect();
        let body = response.bytes().await.ok()?.to_vec();
        Some(Self { status, headers, body })
    }

    /// The body as JSON.
    #[track_caller]
    pub fn body(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// Expects a status.
    #[track_caller]
    pub fn assert(&self, status: u16) -> &Self {
        assert!(self.status == status, "expected {status}, got {self:?}");
        self
    }

    /// What stands at a path such as `$.channels_sent.sms.error` or `$.data[0]`; null where nothing does.
    #[track_caller]
    pub fn at(&self, path: &str) -> Value {
        self.body().pointer(&pointer(path)).cloned().unwrap_or(Value::Null)
    }

    /// Expects a value at a path.
    #[track_caller]
    pub fn json(&self, path: &str, expected: impl Into<Value>) -> &Self {
        let (found, expected) = (self.at(path), expected.into());
        assert!(found == expected, "expected {expected} at {path}, found {found}: {self:?}");
        self
    }

    /// The text at a path.
    #[track_caller]
    pub fn text(&self, path: &str) -> String {
        self.at(path).as_str().unwrap_or_else(|| panic!("no text at {path}: {self:?}")).to_owned()
    }

    /// The whole number at a path.
    #[track_caller]
    pub fn int(&self, path: &str) -> i64 {
        self.at(path).as_i64().unwrap_or_else(|| panic!("no whole number at {path}: {self:?}"))
    }

    /// Expects that nothing stands at a path, not even null.
    #[track_caller]
    pub fn without(&self, path: &str) -> &Self {
        assert!(self.body().pointer(&pointer(path)).is_none(), "something stands at {path}: {self:?}");
        self
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// A header that must be there and be a whole number.
    #[track_caller]
    pub fn number_in(&self, header: &str) -> i64 {
        let text = self.header(header).unwrap_or_else(|| panic!("no header {header}: {self:?}"));
        text.parse().unwrap_or_else(|_| panic!("no number in {header}: {self:?}"))
    }

    /// Expects an error in the API's shape, whole.
    #[track_caller]
    pub fn error(&self, status: u16, code: &str) -> &Self {
        let phrase = StatusCode::from_u16(status).unwrap().canonical_reason().unwrap();
        self.assert(status).json("$.statusCode", status).json("$.error", phrase).json("$.code", code);
        assert!(!self.text("$.message").is_empty(), "an error says something: {self:?}");
        assert_eq!(Some(self.text("$.requestId").as_str()), self.header("x-request-id"), "{self:?}");
        self
    }

    /// Expects a word in the message, whatever its case.
    #[track_caller]
    pub fn says(&self, words: &str) -> &Self {
        let message = self.text("$.message").to_lowercase();
        assert!(message.contains(&words.to_lowercase()), "the message does not say {words:?}: {self:?}");
        self
    }

    /// What tells one refusal from another: status and body, less what differs between any two replies.
    #[track_caller]
    pub fn sameness(&self) -> (u16, Value) {
        let mut body = self.body();
        if let Some(fields) = body.as_object_mut() {
            fields.remove("requestId");
        }
        (self.status, body)
    }
}

/// `$.a.b[0]` as a JSON pointer.
pub(crate) fn pointer(path: &str) -> String {
    let path = path.strip_prefix('$').unwrap_or(path);
    let dotted = path.replace('[', ".").replace(']', "");
    dotted.split('.').filter(|part| !part.is_empty()).fold(String::new(), |pointer, part| pointer + "/" + part)
}
