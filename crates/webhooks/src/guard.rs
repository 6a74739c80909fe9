//! Keeps tenants from using this server to reach what they cannot reach themselves.

use std::net::IpAddr;
use std::sync::Arc;

use reqwest::Url;

use crate::networks::{self, Network};
use crate::settings::WebhookSettings;

const LONGEST_URL: usize = 2048;

/// Decides where webhooks may go.
///
/// An address is looked at twice: as text, when an endpoint is made and at each attempt, and as what its host resolves to, at each connection. The
/// second decides, and the connection goes to the very addresses that were looked at: a name cannot mean something else a moment later.
#[derive(Debug, Clone)]
pub struct Guard(Arc<WebhookSettings>);

/// Why an address is not posted to. Does not repeat it, and does not say what a name resolves to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// No URL with a host.
    #[error("the address is not a valid URL")]
    Malformed,
    /// Too long to be one.
    #[error("the address is longer than {LONGEST_URL} bytes")]
    TooLong,
    /// Another scheme than allowed.
    #[error("the address must start with {}", if *.allow_http { "`https://` or `http://`" } else { "`https://`" })]
    Scheme {
        /// Whether `http` would do.
        allow_http: bool,
    },
    /// A user name or password.
    #[error("the address must not hold a user name or password")]
    UserInfo,
    /// A part that is never sent.
    #[error("the address must not hold a fragment (`#…`)")]
    Fragment,
    /// A port that is not allowed.
    #[error("port {0} is not allowed")]
    Port(u16),
    /// The host, or an address it resolves to, is not public.
    #[error("the host's address is not public ({0})")]
    Address(Network),
}

impl Guard {
    /// Holds to what the operator allows.
    #[must_use]
    pub fn new(settings: &WebhookSettings) -> Self {
        Self(Arc::new(settings.clone()))
    }

    /// The form in which `url` is kept as an endpoint's address, if it may be, as far as can be said without a look-up. It is the form that
    /// was judged: whoever reads it sees the host that is posted to, however it was written.
    pub fn normal(&self, url: &str) -> Result<String, Forbidden> {
        let normal = self.target(url)?;
        if normal.as_str().len() > LONGEST_URL { Err(Forbidden::TooLong) } else { Ok(normal.into()) }
    }

    /// Where to post. A host that is itself an address has been judged; a name is judged when it is resolved.
    pub(crate) fn target(&self, url: &str) -> Result<Url, Forbidden> {
        if url.len() > LONGEST_URL {
            return Err(Forbidden::TooLong);
        }
        let url: Url = url.parse().map_err(|_| Forbidden::Malformed)?;
        let allow_http = self.0.allow_http;
        if !(url.scheme() == "https" || url.scheme() == "http" && allow_http) {
            return Err(Forbidden::Scheme { allow_http });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Forbidden::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(Forbidden::Fragment);
        }
        let port = url.port_or_known_default().ok_or(Forbidden::Malformed)?;
        if !self.is_port_allowed(port) {
            return Err(Forbidden::Port(port));
        }
        // The parser has brought every spelling of an address (`0x7f.1`, `2130706433`) to the usual one.
        let host = url.host_str().ok_or(Forbidden::Malformed)?;
        if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse() {
            self.check_address(address)?;
        }
        Ok(url)
    }

    pub(crate) fn check_address(&self, address: IpAddr) -> Result<(), Forbidden> {
        networks::judge(address, &self.0.allowed_networks).map_err(Forbidden::Address)
    }

    fn is_port_allowed(&self, port: u16) -> bool {
        port == 443 || port == 80 && self.0.allow_http || self.0.allowed_ports.contains(&port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strict() -> Guard {
        Guard::new(&WebhookSettings::default())
    }

    #[test]
    fn an_ordinary_address_is_taken() {
        for url in
            ["https://example.com/hooks?key=1", "https://example.com:443", "https://93.184.216.34/", "HTTPS://EXAMPLE.com/a"]
        {
            assert_eq!(strict().normal(url).map(drop), Ok(()), "{url}");
        }
    }

    #[test]
    fn an_address_is_kept_in_one_form() {
        let table = [
            ("HTTPS://EXAMPLE.com:443/a b?c=d e", "https://example.com/a%20b?c=d%20e"),
            ("https://example.com", "https://example.com/"),
            ("https://ex\tample.com/\n", "https://example.com/"),
            ("https:example.com", "https://example.com/"),
            ("https://bücher.example/../x", "https://xn--bcher-kva.example/x"),
        ];
        for (written, kept) in table {
            assert_eq!(strict().normal(written).as_deref(), Ok(kept), "{written}");
        }
        let long = format!("https://example.com/{}", "é".repeat(900));
        assert_eq!(strict().normal(&long), Err(Forbidden::TooLong), "it grows");
    }

    #[test]
    fn an_address_that_is_not_taken_is_told_what_is_wrong() {
        let https_only = Forbidden::Scheme { allow_http: false };
        let table = [
            ("", Forbidden::Malformed),
            ("example.com/hooks", Forbidden::Malformed),
            ("https://", Forbidden::Malformed),
            ("https://exa mple.com/", Forbidden::Malformed),
            ("http://example.com/", https_only),
            ("ftp://example.com/", https_only),
            ("file:///etc/passwd", https_only),
            ("https://ann@example.com/", Forbidden::UserInfo),
            ("https://:secret@example.com/", Forbidden::UserInfo),
            ("https://example.com/#top", Forbidden::Fragment),
            ("https://example.com:22/", Forbidden::Port(22)),
            ("https://example.com:80/", Forbidden::Port(80)),
            ("https://example.com:8443/", Forbidden::Port(8443)),
        ];
        for (url, why) in table {
            assert_eq!(strict().normal(url), Err(why), "{url}");
        }
        assert_eq!(strict().normal(&format!("https://example.com/{}", "a".repeat(2048))), Err(Forbidden::TooLong));
    }

    #[test]
    fn no_spelling_of_an_inner_address_is_taken() {
        let table = [
            ("https://127.0.0.1/", Network::Loopback),
            ("https://127.1/", Network::Loopback),
            ("https://127.0.0.1./", Network::Loopback),
            ("https://2130706433/", Network::Loopback),
            ("https://0x7f.0.0.1/", Network::Loopback),
            ("https://0177.0.0.1/", Network::Loopback),
            ("https://１２７.0.0.1/", Network::Loopback),
            ("https://%31%32%37.0.0.1/", Network::Loopback),
            ("https://0/", Network::Reserved),
            ("https://169.254.169.254/latest/meta-data", Network::Metadata),
            ("https://[::1]/", Network::Loopback),
            ("https://[::ffff:127.0.0.1]/", Network::Mapped),
            ("https://[64:ff9b::10.0.0.1]/", Network::Nat64),
            ("https://[fd00:ec2::254]/", Network::Metadata),
        ];
        for (url, network) in table {
            assert_eq!(strict().normal(url), Err(Forbidden::Address(network)), "{url}");
        }
    }

    #[test]
    fn the_operator_may_allow_more() {
        let guard = Guard::new(&WebhookSettings {
            allow_http: true,
            allowed_networks: vec!["127.0.0.0/8".parse().unwrap()],
            allowed_ports: vec![8443],
            ..WebhookSettings::default()
        });
        for url in ["http://127.0.0.1/", "https://example.com:8443/", "http://example.com:443/"] {
            assert_eq!(guard.normal(url).map(drop), Ok(()), "{url}");
        }
        assert_eq!(guard.normal("http://10.0.0.1/"), Err(Forbidden::Address(Network::Private)));
        assert_eq!(guard.normal("ftp://example.com/"), Err(Forbidden::Scheme { allow_http: true }));
    }

    #[test]
    fn a_refusal_reads_as_a_sentence() {
        assert_eq!(Forbidden::Scheme { allow_http: false }.to_string(), "the address must start with `https://`");
        assert_eq!(Forbidden::Address(Network::Private).to_string(), "the host's address is not public (private)");
    }
}
