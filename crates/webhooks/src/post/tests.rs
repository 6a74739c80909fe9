mod guarded;
mod tls;

use std::time::Duration;

use countersign_model::{Clock as _, SeededRng, SystemClock, WebhookEvent, WebhookFormat};
use secrecy::ExposeSecret as _;
use serde_json::json;
use standardwebhooks::Webhook;

use super::*;
use crate::format::Notice;
use crate::retry_after::RetryAfter;
use crate::secret::WebhookSecret;
use crate::testing::{Act, Names, Received, Receiver, reply};

const NOW: Timestamp = Timestamp::from_millis(1_768_473_900_000);

/// What reaches a receiver on loopback, and nothing else.
fn settings(port: u16) -> WebhookSettings {
    WebhookSettings {
        allow_http: true,
        allowed_networks: vec!["127.0.0.0/8".parse().unwrap()],
        allowed_ports: vec![port],
        ..WebhookSettings::default()
    }
}

fn secret(seed: u64) -> WebhookSecret {
    WebhookSecret::mint(WebhookFormat::Native, &SeededRng::new(seed))
}

fn body() -> String {
    let data = json!({ "session_id": "ses_01", "status": "verified" });
    let notice = Notice { id: "evt_01_1".to_owned(), event: WebhookEvent::SessionVerified, at: NOW, data };
    notice.body(WebhookFormat::Native).unwrap()
}

async fn post_to(poster: &Poster, url: &str, now: Timestamp) -> Report {
    let (id, secrets) = ("evt_01_1".parse().unwrap(), EndpointSecrets::new(secret(1)));
    poster.post(&Post { url, id: &id, secrets: &secrets, format: WebhookFormat::Native, body: &body() }, now).await
}

/// One post to a receiver that acts so.
async fn outcome(act: Act) -> Outcome {
    let receiver = Receiver::spawn(act).await;
    let poster = Poster::new(&settings(receiver.port), Names::new(&[]));
    let report = post_to(&poster, &format!("http://127.0.0.1:{}/hook", receiver.port), NOW).await;
    assert_eq!((report.at, receiver.received().len()), (NOW, 1), "{report:?}");
    report.outcome
}

fn said(status: u16, headers: &str, body: &str) -> Act {
    Act::Say(reply(status, headers, body))
}

fn verify(secret: &WebhookSecret, request: &Received) {
    let verifier = Webhook::new(secret.expose().expose_secret()).unwrap();
    assert!(verifier.verify(request.body.as_bytes(), &request.headers).is_ok(), "{request:?}");
}

#[tokio::test]
async fn an_event_arrives_signed_as_json_at_its_path() {
    let receiver = Receiver::spawn(said(204, "", "")).await;
    let poster = Poster::new(&settings(receiver.port), Names::new(&[]));
    let url = format!("http://127.0.0.1:{}/hook?key=1", receiver.port);
    let report = post_to(&poster, &url, SystemClock.now()).await;
    assert_eq!(report.outcome, Outcome::Delivered { status: 204 });
    let [request] = receiver.received().try_into().unwrap();
    assert_eq!(request.line, "POST /hook?key=1 HTTP/1.1");
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(request.headers["webhook-id"], "evt_01_1");
    assert!(request.headers["user-agent"].to_str().unwrap().starts_with("countersign/"), "{request:?}");
    assert_eq!(request.body, body());
    verify(&secret(1), &request);
}

#[tokio::test]
async fn after_a_rotation_a_receiver_may_hold_either_secret() {
    let receiver = Receiver::spawn(said(200, "", "")).await;
    let poster = Poster::new(&settings(receiver.port), Names::new(&[]));
    let now = SystemClock.now();
    let secrets = EndpointSecrets::new(secret(1)).rotate(secret(2), now);
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    let post = Post { url: &url, id: &"evt_1".parse().unwrap(), secrets: &secrets, format: WebhookFormat::Native, body: &body() };
    poster.post(&post, now).await;
    let [request] = receiver.received().try_into().unwrap();
    verify(&secret(1), &request);
    verify(&secret(2), &request);
}

#[tokio::test]
async fn each_attempt_is_signed_for_its_own_time_and_keeps_id_and_body() {
    let receiver = Receiver::spawn(said(500, "", "")).await;
    let poster = Poster::new(&settings(receiver.port), Names::new(&[]));
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    for now in [NOW, NOW.plus(Duration::from_secs(5))] {
        post_to(&poster, &url, now).await;
    }
    let [first, second] = receiver.received().try_into().unwrap();
    assert_eq!((&first.headers["webhook-id"], &first.body), (&second.headers["webhook-id"], &second.body));
    assert_eq!([&first, &second].map(|attempt| &attempt.headers["webhook-timestamp"]), ["1768473900", "1768473905"]);
    assert_ne!(first.headers["webhook-signature"], second.headers["webhook-signature"]);
}

#[tokio::test]
async fn a_refusal_is_kept_with_what_was_said() {
    let outcome = outcome(said(400, "", "unknown event")).await;
    assert_eq!(outcome, Outcome::Refused { status: 400, retry_after: None, response: "unknown event".to_owned() });
}

#[tokio::test]
async fn an_endpoint_that_answers_410_is_gone() {
    assert_eq!(outcome(said(410, "", "moved out")).await, Outcome::Gone { response: "moved out".to_owned() });
}

#[tokio::test]
async fn a_receiver_may_ask_for_time_in_either_form() {
    let table = [
        (429, "120", Some(RetryAfter::Delay(Duration::from_secs(120)))),
        (503, "Thu, 15 Jan 2026 11:00:00 GMT", Some(RetryAfter::At(Timestamp::from_millis(1_768_474_800_000)))),
        (429, "later", None),
        (500, "120", None),
    ];
    for (status, value, expected) in table {
        let outcome = outcome(said(status, &format!("Retry-After: {value}\r\n"), "")).await;
        assert_eq!(outcome, Outcome::Refused { status, retry_after: expected, response: String::new() }, "{value}");
    }
}

#[tokio::test]
async fn of_a_huge_reply_little_is_read_and_less_is_kept() {
    let outcome = outcome(said(500, "", &"x".repeat(50_000_000))).await;
    assert_eq!(outcome, Outcome::Refused { status: 500, retry_after: None, response: "x".repeat(1024) });
}

#[tokio::test]
async fn a_reply_whose_body_breaks_off_counts_by_its_status() {
    let broken = Act::Say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec());
    assert_eq!(outcome(broken).await, Outcome::Delivered { status: 200 });
}

#[tokio::test]
async fn a_reply_whose_body_never_ends_counts_by_its_status_all_the_same() {
    for status in [200, 500] {
        let head = format!("HTTP/1.1 {status} Status\r\nContent-Length: 100\r\n\r\nhalf");
        let receiver = Receiver::spawn(Act::Stay(head.into_bytes())).await;
        let client = Poster::new(&settings(receiver.port), Names::new(&[])).builder().build().unwrap();
        let response = client.post(format!("http://127.0.0.1:{}/", receiver.port)).body("{}").send().await.unwrap();
        let outcome = reply::judge(response, Duration::from_millis(50)).await;
        assert_eq!((outcome.status(), outcome.is_delivered()), (Some(status), status == 200), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_receiver_that_does_not_speak_http_has_not_answered() {
    for words in ["", "220 mail.example ESMTP\r\n"] {
        assert_eq!(outcome(Act::Say(words.into())).await, Outcome::Unreachable(Unreachable::Answer), "{words:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_hangs_is_given_up_on() {
    let receiver = Receiver::spawn(Act::Hang).await;
    // On a paused clock the time for the connection would be over as well.
    let settings = WebhookSettings { connect_timeout: Duration::from_secs(3600), ..settings(receiver.port) };
    let poster = Poster::new(&settings, Names::new(&[]));
    let report = post_to(&poster, &format!("http://127.0.0.1:{}/", receiver.port), NOW).await;
    assert_eq!(report.outcome, Outcome::TimedOut);
    assert!(report.took >= Duration::from_secs(15), "{report:?}");
}

#[tokio::test]
async fn a_port_on_which_nobody_listens_is_told_apart() {
    // Bound and not listened on: nobody else is given it meanwhile.
    let kept = tokio::net::TcpSocket::new_v4().unwrap();
    kept.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let free = kept.local_addr().unwrap().port();
    let poster = Poster::new(&settings(free), Names::new(&[]));
    let report = post_to(&poster, &format!("http://127.0.0.1:{free}/"), NOW).await;
    assert_eq!(report.outcome, Outcome::Unreachable(Unreachable::Connection));
}

#[tokio::test]
async fn a_report_repeats_neither_the_address_nor_a_secret() {
    let poster = Poster::new(&settings(443), Names::new(&[]));
    let report = post_to(&poster, "http://unknown.example/hook?key=hidden", NOW).await;
    assert_eq!(report.outcome, Outcome::Unreachable(Unreachable::Name));
    let shown = format!("{report:?} {}", report.outcome);
    assert!(!shown.contains("hidden") && !shown.contains("unknown.example"), "{shown}");
}
