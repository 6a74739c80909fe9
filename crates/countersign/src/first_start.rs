//! What a start tells the person at the terminal.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::Serialize;

/// Printed once the listeners are up: where, and at the first start the sandbox key with two lines to paste.
#[derive(Debug, Serialize)]
pub struct Greeting {
    /// The API's address; none: this node does not answer callers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// The operators' address.
    pub admin: String,
    /// Only at the first start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_start: Option<FirstStart>,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is shown once and never again.
#[derive(Serialize)]
pub struct FirstStart {
    /// The folder that was set up.
    pub data_dir: String,
    /// The tenant that was made.
    pub tenant: &'static str,
    /// The secret of its sandbox key.
    pub secret: String,
}

impl fmt::Debug for FirstStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FirstStart").field("data_dir", &self.data_dir).finish_non_exhaustive()
    }
}

impl Greeting {
    /// For listeners bound to these addresses.
    #[must_use]
    pub fn new(api: Option<SocketAddr>, admin: SocketAddr, first_start: Option<FirstStart>) -> Self {
        Self { api: api.map(reachable), admin: reachable(admin), first_start }
    }
}

/// An address that a person at this machine can use: a listener on all interfaces is reached by the loopback.
fn reachable(bound: SocketAddr) -> String {
    let ip = match bound.ip() {
        IpAddr::V4(all) if all.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(all) if all.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        one => one,
    };
    format!("http://{}", SocketAddr::new(ip, bound.port()))
}

impl fmt::Display for Greeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.api {
            Some(api) => write!(f, "Countersign {VERSION} is listening on {api} (admin {})", self.admin)?,
            None => write!(f, "Countersign {VERSION} is working; it answers operators on {}", self.admin)?,
        }
        let Some(FirstStart { data_dir, tenant, secret }) = &self.first_start else { return Ok(()) };
        write!(
            f,
            "

First start: {data_dir} now holds keys, databases, a tenant `{tenant}` and its sandbox key. This is shown once:

  {secret}
"
        )?;
        let Some(api) = &self.api else { return Ok(()) };
        write!(
            f,
            "
Try it. The first line sends a code (to nobody: it is a sandbox key), the second verifies it:

{}

{}
",
            send_line(api, secret),
            verify_line(api, secret),
        )
    }
}

/// Sends a code and keeps the reply in the shell variable `R`.
fn send_line(api: &str, secret: &str) -> String {
    let body = r#"{"channels":["email"],"recipients":{"email":"ann@example.com"}}"#;
    format!(
        r#"R=$(curl -sS {api}/api/v1/otp/send -H 'X-API-Key: {secret}' -H 'Content-Type: application/json' -d '{body}'); echo "$R""#
    )
}

/// Takes token and code out of `R` and verifies them.
fn verify_line(api: &str, secret: &str) -> String {
    let take = r#"s/.*"session_token":"\([^"]*\)".*"sandbox_otps":{"email":"\([0-9]*\)".*/{"session_token":"\1","code":"\2"}/"#;
    format!(
        r#"echo "$R" | sed '{take}' | curl -sS {api}/api/v1/otp/verify -H 'X-API-Key: {secret}' -H 'Content-Type: application/json' -d @-"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting(listen: &str, first_start: Option<FirstStart>) -> Greeting {
        Greeting::new(Some(listen.parse().unwrap()), "127.0.0.1:8081".parse().unwrap(), first_start)
    }

    fn first() -> FirstStart {
        FirstStart { data_dir: "./data".to_owned(), tenant: "default", secret: "sk_test_abc".to_owned() }
    }

    #[test]
    fn a_later_start_says_one_line_and_nothing_secret() {
        let words = greeting("127.0.0.1:8080", None).to_string();
        assert_eq!(words.lines().count(), 1, "{words}");
        assert!(!words.contains("sk_"), "{words}");
    }

    #[test]
    fn a_listener_on_all_interfaces_is_shown_by_an_address_that_can_be_pasted() {
        assert_eq!(greeting("0.0.0.0:8080", None).api.unwrap(), "http://127.0.0.1:8080");
        assert_eq!(greeting("[::]:8080", None).api.unwrap(), "http://[::1]:8080");
    }

    #[test]
    fn a_node_that_answers_no_callers_names_no_address_for_them() {
        let greeting = Greeting::new(None, "127.0.0.1:8081".parse().unwrap(), None);
        let words = greeting.to_string();
        assert!(words.contains("http://127.0.0.1:8081") && !words.contains("listening"), "{words}");
        assert_eq!(serde_json::to_string(&greeting).unwrap(), r#"{"admin":"http://127.0.0.1:8081"}"#);
    }

    #[test]
    fn the_first_start_shows_the_secret_but_debug_output_does_not() {
        let words = greeting("127.0.0.1:8080", Some(first())).to_string();
        assert!(words.contains("\n  sk_test_abc\n"), "{words}");
        assert!(!format!("{:?}", greeting("127.0.0.1:8080", Some(first()))).contains("sk_test_abc"));
    }

    #[test]
    fn the_second_line_finds_token_and_code_in_a_reply() {
        let reply = r#"{"success":true,"session_token":"a.b-c.d_e","x":{"sandbox":true},"sandbox_otps":{"email":"012345"},"data":{"otps":{"email":"012345"}}}"#;
        let line = verify_line("http://127.0.0.1:8080", "sk_test_abc");
        let take = line.split(" | curl").next().unwrap();
        let done = std::process::Command::new("sh").args(["-c", take]).env("R", reply).output().unwrap();
        assert_eq!(String::from_utf8(done.stdout).unwrap().trim(), r#"{"session_token":"a.b-c.d_e","code":"012345"}"#);
    }
}
