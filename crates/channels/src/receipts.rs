//! What providers post back: delivery receipts, and whatever else they want an answer to at the same address.

use async_trait::async_trait;
use countersign_model::{ProviderName, Receipt, Timestamp};
use reqwest::Url;
use tokio::sync::oneshot;

/// A call to `/receipts/{kind}/{name}`, as it came. Nothing in it is to be believed before a provider's own check.
#[derive(Clone, PartialEq, Eq)]
pub struct Callback {
    /// `GET`, or else `POST`.
    pub is_get: bool,
    /// The address that the provider was told, on the configured public host, with the query as it came: what some providers sign. Never what a
    /// proxy says the host is.
    pub url: String,
    /// What stands behind the connection's name in the path, for providers that sign nothing.
    pub path_secret: Option<String>,
    /// Names in small letters, in the order in which they came.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body's bytes, not touched.
    pub body: Vec<u8>,
}

impl Callback {
    /// The one value of a header; none where it is missing, there twice, or not visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let (_, value) = values.next()?;
        let text = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| (b' '..=b'~').contains(&byte)))?;
        if values.next().is_some() { None } else { Some(text) }
    }

    /// The query's pairs, decoded, in order.
    #[must_use]
    pub fn query(&self) -> Vec<(String, String)> {
        let url = Url::parse(&self.url);
        url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
    }

    /// The one value of a query parameter; none where it is missing or there twice.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        let mut values = self.query().into_iter().filter(|(known, _)| known == name);
        let (_, value) = values.next()?;
        if values.next().is_some() { None } else { Some(value) }
    }

    /// The body as a form's pairs, decoded, in order. A `GET` has none, whatever stands behind it: vendors do not sign that.
    #[must_use]
    pub fn form(&self) -> Vec<(String, String)> {
        if self.is_get { Vec::new() } else { form_urlencoded::parse(&self.body).into_owned().collect() }
    }

    /// What `Authorization: Basic` carries, decoded: `user:password`.
    #[must_use]
    pub fn basic(&self) -> Option<String> {
        let (scheme, encoded) = self.header("authorization")?.split_once(' ')?;
        let decoded = scheme.eq_ignore_ascii_case("basic").then(|| data_encoding::BASE64.decode(encoded.trim().as_bytes()))?;
        String::from_utf8(decoded.ok()?).ok()
    }
}

/// What a callback came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// What it tells of messages; empty where it tells nothing that we keep. Answered with an empty 200.
    Receipts(Vec<Receipt>),
    /// It wants this answer, with status 200.
    Reply {
        /// The media type of the body.
        media_type: &'static str,
        /// May hold a code, where a call asks what to say: never for a log.
        body: String,
        /// What the same post tells of messages beside that.
        receipts: Vec<Receipt>,
    },
}

/// Why a callback is not listened to. Holds nothing of what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackRefusal {
    /// No signature, secret or password, or not the right one, or one that is too old.
    #[error("not signed by the provider")]
    Forged,
    /// Genuine, or of a kind that nobody signs, and not to be read.
    #[error("not a receipt of this provider: {0}")]
    Malformed(&'static str),
    /// What is needed to check it could not be fetched: it may be posted again.
    #[error("the provider's certificate could not be fetched")]
    Unchecked,
}

/// Reads what a provider posts back. Pure but for certificates that some schemes make it fetch.
#[async_trait]
pub trait Receipts: Send + Sync {
    /// Checks who sent it, over the bytes as they came, and only then reads it. States that are not known say [`countersign_model::Report::Underway`].
    async fn read(&self, callback: &Callback, now: Timestamp) -> Result<Reading, CallbackRefusal>;
}

/// A receipt that came over a connection which the provider itself holds open.
#[derive(Debug)]
pub struct Pushed {
    /// Through whom.
    pub through: ProviderName,
    /// What it says.
    pub receipt: Receipt,
    /// To be told whether it is kept; dropped or `false`: the other side shall offer it again.
    pub kept: oneshot::Sender<bool>,
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callback").field("is_get", &self.is_get).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callback() -> Callback {
        Callback {
            is_get: false,
            url: "https://otp.example.com/receipts/x/y?a=1%20b&a2=&b=1&b=2".to_owned(),
            path_secret: None,
            headers: vec![
                ("authorization".to_owned(), b"Basic dXNlcjpwYXNz".to_vec()),
                ("x-one".to_owned(), b"1".to_vec()),
                ("x-two".to_owned(), b"1".to_vec()),
                ("x-two".to_owned(), b"2".to_vec()),
                ("x-odd".to_owned(), vec![0xC3, 0xA4]),
            ],
            body: b"To=%2B1+2&Empty=".to_vec(),
        }
    }

    #[test]
    fn what_is_there_twice_is_not_there() {
        let callback = callback();
        assert_eq!(callback.header("x-one"), Some("1"));
        assert_eq!(callback.header("x-two"), None);
        assert_eq!(callback.header("x-odd"), None);
        assert_eq!(callback.parameter("a"), Some("1 b".to_owned()));
        assert_eq!(callback.parameter("a2"), Some(String::new()));
        assert_eq!(callback.parameter("b"), None);
    }

    #[test]
    fn what_stands_behind_a_get_is_no_form() {
        assert_eq!(Callback { is_get: true, ..callback() }.form(), []);
    }

    #[test]
    fn forms_and_passwords_are_decoded() {
        let pairs = [("To", "+1 2"), ("Empty", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(callback().form(), pairs);
        assert_eq!(callback().basic().as_deref(), Some("user:pass"));
    }
}
