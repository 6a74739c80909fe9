//! Signature Version 4, as far as requests without a query need it.
//!
//! The crate `aws-sigv4` would bring a dozen others for these hundred lines, which are held to Amazon's own test vectors.

use std::collections::BTreeMap;

use countersign_model::Timestamp;
use data_encoding::{HEXLOWER, HEXUPPER};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use ring::{digest, hmac};
use secrecy::{ExposeSecret as _, SecretString};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Signs requests to one service in one region with fixed credentials.
pub(crate) struct Signer {
    access_key_id: String,
    /// The secret key, as the first link of the chain that a day's key comes from.
    secret: hmac::Key,
    session_token: Option<SecretString>,
    region: String,
    service: &'static str,
}

/// A request, as far as it is signed. Its address has no query.
pub(crate) struct Unsigned<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a Url,
    /// Names in small letters; without host and date.
    pub(crate) headers: &'a [(&'static str, &'a str)],
    pub(crate) body: &'a str,
}

impl Signer {
    pub(crate) fn new(
        access_key_id: String,
        secret: &SecretString,
        session_token: Option<SecretString>,
        region: String,
        service: &'static str,
    ) -> Self {
        let secret = SecretString::from(format!("AWS4{}", secret.expose_secret()));
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        Self { access_key_id, secret, session_token, region, service }
    }

    /// All headers that the request has to be sent with, but for `host`, which the client sets by the address. None: one of them cannot be a
    /// header.
    pub(crate) fn sign(&self, request: &Unsigned<'_>, now: Timestamp) -> Option<HeaderMap> {
        let moment = now.whole_seconds().replace(['-', ':'], "");
        let (day, _) = moment.split_once('T')?;
        let mut headers = BTreeMap::from([("x-amz-date", moment.as_str())]);
        headers.extend(request.headers.iter().copied());
        if let Some(token) = &self.session_token {
            headers.insert("x-amz-security-token", token.expose_secret());
        }
        let mut signed = headers.clone();
        let host = host(request.url);
        signed.insert("host", &host);

        let names = signed.keys().copied().collect::<Vec<_>>().join(";");
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let canonical = canonical(request, &signed, &names);
        let to_sign = format!("{ALGORITHM}\n{moment}\n{scope}\n{}", hash(canonical.as_bytes()));
        let signature = HEXLOWER.encode(hmac::sign(&self.key(day), to_sign.as_bytes()).as_ref());
        let id = &self.access_key_id;
        let authorization = format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");

        let mut map = HeaderMap::from_iter([(AUTHORIZATION, hidden(&authorization)?)]);
        for (name, value) in headers {
            map.insert(HeaderName::from_bytes(name.as_bytes()).ok()?, hidden(value)?);
        }
        Some(map)
    }

    /// The key of a day.
    fn key(&self, day: &str) -> hmac::Key {
        let mut key = self.secret.clone();
        for link in [day, &self.region, self.service, "aws4_request"] {
            key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, link.as_bytes()).as_ref());
        }
        key
    }
}

fn canonical(request: &Unsigned<'_>, signed: &BTreeMap<&str, &str>, names: &str) -> String {
    let mut text = format!("{}\n{}\n\n", request.method, path(request.url));
    for (name, value) in signed {
        text.extend([name, ":", value.trim(), "\n"]);
    }
    format!("{text}\n{names}\n{}", hash(request.body.as_bytes()))
}

/// The path, encoded once more than it stands in the address, as every service but S3 wants it.
fn path(url: &Url) -> String {
    let mut encoded = String::new();
    for byte in url.path().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(["%", &HEXUPPER.encode(&[byte])]);
        }
    }
    encoded
}

/// As the client writes it: a port stands there only where it is not the scheme's own.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn hash(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hidden(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request of Amazon's own suite of vectors.
    fn authorization(method: Method, url: &str, headers: &[(&'static str, &str)], token: Option<&str>, body: &str) -> HeaderMap {
        let secret = SecretString::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let token = token.map(SecretString::from);
        let signer = Signer::new("AKIDEXAMPLE".to_owned(), &secret, token, "us-east-1".to_owned(), "service");
        let now: Timestamp = "2015-08-30T12:36:00.789Z".parse().unwrap();
        let url = Url::parse(url).unwrap();
        signer.sign(&Unsigned { method, url: &url, headers, body }, now).unwrap()
    }

    #[test]
    fn signatures_are_those_of_amazons_own_vectors() {
        let form_hash = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e";
        let form = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("content-length", "13"),
            ("x-amz-content-sha256", form_hash),
        ];
        let token = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
        let root = "https://example.amazonaws.com/";
        let cases = [
            (
                authorization(Method::GET, root, &[], None, ""),
                "host;x-amz-date",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                authorization(Method::POST, root, &[], None, ""),
                "host;x-amz-date",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                authorization(Method::POST, root, &[], Some(token), ""),
                "host;x-amz-date;x-amz-security-token",
                "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
            ),
            (
                authorization(Method::POST, root, &form, None, "Param1=value1"),
                "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
                "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
            ),
        ];
        for (headers, names, signature) in cases {
            assert_eq!(headers["x-amz-date"], "20150830T123600Z");
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={names}, Signature={signature}"
            );
            assert_eq!(headers["authorization"], expected);
        }
    }

    #[test]
    fn a_host_has_its_port_where_it_is_not_the_usual_one_and_a_path_is_encoded_twice() {
        for (url, name) in [("https://a.example:443/", "a.example"), ("http://127.0.0.1:81/", "127.0.0.1:81")] {
            assert_eq!(host(&Url::parse(url).unwrap()), name);
        }
        assert_eq!(path(&Url::parse("https://a.example/v2/a b~c").unwrap()), "/v2/a%2520b~c");
    }

    #[test]
    fn no_log_shows_a_header_of_a_signature() {
        let headers = authorization(Method::GET, "https://example.amazonaws.com/", &[], Some("hush"), "");
        let shown = format!("{headers:?}");
        assert!(!shown.contains("hush") && !shown.contains("AKIDEXAMPLE"), "{shown}");
    }
}
