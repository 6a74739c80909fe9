use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a page was fetched from, as a browser's `Origin` header says it: `https://app.example.com`, with a port where it is not the usual one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

/// The text is not the origin of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not the origin of a page, such as https://app.example.com: scheme, host and a port where it is not the usual one, nothing behind"
)]
pub struct InvalidOrigin;

impl Origin {
    /// The longest that is kept.
    const LONGEST: usize = 300;

    /// As a browser writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    /// Only the form in which a browser writes it: another one would never be equal to what browsers send.
    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let usual = [("https://", "443"), ("http://", "80")];
        let (rest, usual_port) =
            usual.into_iter().find_map(|(scheme, port)| Some((text.strip_prefix(scheme)?, port))).ok_or(InvalidOrigin)?;
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !rest.ends_with(']') => (host, Some(port)),
            Some(_) | None => (rest, None),
        };
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
        let address = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b':');
        let named = |host: &str| host.bytes().all(letter) && !host.starts_with(['.', '-']) && !host.ends_with(['.', '-']);
        let sound_host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(numbered) => numbered.len() > 1 && numbered.bytes().all(address),
            None => !host.is_empty() && named(host),
        };
        let sound_port = port.is_none_or(|port| {
            port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == port) && port != usual_port
        });
        if sound_host && sound_port && text.len() <= Self::LONGEST { Ok(Self(text.to_owned())) } else { Err(InvalidOrigin) }
    }
}

impl TryFrom<String> for Origin {
    type Error = InvalidOrigin;

    fn try_from(text: String) -> Result<Self, InvalidOrigin> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_taken_as_a_browser_writes_it_and_in_no_other_form() {
        for origin in [
            "https://app.example.com",
            "http://localhost:5173",
            "https://app.example.com:8443",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
        ] {
            assert_eq!(origin.parse::<Origin>().unwrap().as_str(), origin);
        }
        for wrong in [
            "",
            "null",
            "*",
            "app.example.com",
            "https://",
            "https://app.example.com/",
            "https://app.example.com/login",
            "https://App.example.com",
            "https://app.example.com:443",
            "http://app.example.com:80",
            "https://app.example.com:",
            "https://app.example.com:0443",
            "https://app.example.com:70000",
            "https://*.example.com",
            "https://user@app.example.com",
            "ftp://app.example.com",
            "https://app.example.com?",
        ] {
            assert_eq!(wrong.parse::<Origin>(), Err(InvalidOrigin), "{wrong}");
        }
    }
}
