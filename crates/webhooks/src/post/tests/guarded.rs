//! What a tenant cannot make this server connect to.

use super::*;
use crate::networks::Network;

const INNER: Outcome = Outcome::Forbidden(Forbidden::Address(Network::Private));

fn named(port: u16) -> String {
    format!("http://hooks.example:{port}/")
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_leads_nowhere() {
    let inner = Receiver::spawn(said(200, "", "")).await;
    for location in [format!("http://127.0.0.1:{}/", inner.port), "http://169.254.169.254/latest/meta-data".to_owned()] {
        for status in [301, 302, 307, 308] {
            let outcome = outcome(said(status, &format!("Location: {location}\r\n"), "")).await;
            assert_eq!(outcome, Outcome::Refused { status, retry_after: None, response: String::new() }, "{location}");
        }
    }
    assert!(inner.received().is_empty());
}

#[tokio::test]
async fn a_name_that_means_something_else_a_moment_later_is_looked_up_once() {
    let receiver = Receiver::spawn(said(200, "", "")).await;
    let names = Names::new(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let poster = Poster::new(&settings(receiver.port), names.clone());
    let report = post_to(&poster, &named(receiver.port), NOW).await;
    assert_eq!((report.outcome, names.left()), (Outcome::Delivered { status: 200 }, 1));
    let report = post_to(&poster, &named(receiver.port), NOW).await;
    assert_eq!((report.outcome, names.left()), (INNER, 0));
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn a_connection_that_is_used_again_needs_no_look_up() {
    let receiver = Receiver::spawn(Act::Stay(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec())).await;
    let names = Names::new(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let poster = Poster::new(&settings(receiver.port), names.clone());
    for _ in 0..3 {
        let report = post_to(&poster, &named(receiver.port), NOW).await;
        assert_eq!((report.outcome, names.left()), (Outcome::Delivered { status: 200 }, 1));
    }
}

#[tokio::test]
async fn one_inner_address_among_others_is_enough_to_refuse() {
    let receiver = Receiver::spawn(said(200, "", "")).await;
    for answer in [["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"]] {
        let poster = Poster::new(&settings(receiver.port), Names::new(&[&answer]));
        assert_eq!(post_to(&poster, &named(receiver.port), NOW).await.outcome, INNER, "{answer:?}");
    }
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn a_name_of_this_machine_is_refused_unless_the_operator_allows_it() {
    let receiver = Receiver::spawn(said(200, "", "")).await;
    let settings = WebhookSettings { allowed_networks: Vec::new(), ..settings(receiver.port) };
    let poster = Poster::new(&settings, Names::new(&[&["127.0.0.1"]]));
    for url in [named(receiver.port), format!("http://127.0.0.1:{}/", receiver.port)] {
        let report = post_to(&poster, &url, NOW).await;
        assert_eq!(report.outcome, Outcome::Forbidden(Forbidden::Address(Network::Loopback)), "{url}");
    }
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn an_address_that_is_not_allowed_any_more_is_not_even_looked_up() {
    let names = Names::new(&[&["127.0.0.1"]]);
    let poster = Poster::new(&WebhookSettings::default(), names.clone());
    let report = post_to(&poster, "http://hooks.example/", NOW).await;
    assert_eq!(report.outcome, Outcome::Forbidden(Forbidden::Scheme { allow_http: false }));
    assert_eq!(names.left(), 1);
}

#[tokio::test]
async fn a_name_without_an_address_is_not_reached() {
    let poster = Poster::new(&settings(8080), Names::new(&[&[]]));
    for _ in 0..2 {
        let report = post_to(&poster, &named(8080), NOW).await;
        assert_eq!(report.outcome, Outcome::Unreachable(Unreachable::Name));
    }
}

/// It would connect in our place, and look the name up itself. The environment is the process's, so another process tries.
#[test]
fn a_proxy_of_the_environment_is_not_used() {
    let mut test = std::process::Command::new(std::env::current_exe().unwrap());
    test.args(["--exact", "post::tests::an_event_arrives_signed_as_json_at_its_path"]);
    let said = test.env("http_proxy", "http://127.0.0.1:1").env("all_proxy", "http://127.0.0.1:1").output().unwrap();
    let shown = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success() && shown.contains("1 passed"), "{shown}");
}
