/// The reply to one verb, all others polite.
macro_rules! replies {
    ($verb:literal, $reply:literal) => {
        |_, line: &str| if line.starts_with($verb) { Act::Say($reply) } else { polite(0, line) }
    };
}

mod server;
mod subject;
mod tls;

use std::time::Duration;

use mail_parser::MessageParser;
use secrecy::SecretString;

use self::server::{Act, Script, Server, polite};
use super::config::{Config, Tls};
use super::*;
use crate::testing::{self, LogTrap, Unused, email, outgoing, rendered};

const PATIENCE: Duration = Duration::from_secs(60);

fn config(port: u16) -> Config {
    Config {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        tls: Tls::None,
        username: None,
        password: None,
        password_file: None,
        from: "Acme Ltd <no-reply@acme.example>".to_owned(),
        hello: Some("client.test".to_owned()),
        pool_size: 8,
        ca_file: None,
    }
}

fn provider(config: &Config) -> Arc<dyn Provider> {
    build(config, testing::context("mail", PATIENCE)).unwrap()
}

fn with_login(port: u16) -> Config {
    let password = Some(SecretString::from("open sesame"));
    Config { username: Some("postman".to_owned()), password, ..config(port) }
}

async fn outcome_under(script: Script) -> TryOutcome {
    let server = Server::start(script).await;
    provider(&config(server.port)).send(&email()).await
}

#[tokio::test]
async fn a_mail_arrives_as_sound_mime_with_both_parts_and_the_headers_of_an_automatic_mail() {
    let server = Server::start(polite).await;
    let message = email();
    let id = format!("{}@acme.example", message.id);
    let outcome = provider(&config(server.port)).send(&message).await;
    assert_eq!(outcome, TryOutcome::Accepted { provider_id: Some(id.clone()) });

    let raw = server.seen.lock().unwrap().mails[0].clone();
    let mail = MessageParser::default().parse(&raw).unwrap();
    let header = |name| mail.header_raw(name).map(str::trim);
    assert_eq!(mail.from().unwrap().first().unwrap().address(), Some("no-reply@acme.example"));
    assert_eq!(mail.from().unwrap().first().unwrap().name(), Some("Acme Ltd"));
    assert_eq!(mail.to().unwrap().first().unwrap().address(), Some("ann@example.com"));
    assert_eq!(mail.subject(), Some("Your Acme verification code"));
    assert_eq!(mail.message_id(), Some(id.as_str()));
    assert_eq!(mail.date().unwrap().to_timestamp(), testing::NOW.seconds());
    assert_eq!(header("Auto-Submitted"), Some("auto-generated"), "{raw}");
    assert_eq!(header("X-Auto-Response-Suppress"), Some("RN, NRN, OOF, AutoReply"), "{raw}");
    assert_eq!(mail.parts.len(), 3, "{raw}");
    assert_eq!(mail.body_text(0).unwrap(), message.text().replace('\n', "\r\n"));
    let Content::Email { html, .. } = &message.content else { panic!("a mail was asked for") };
    assert_eq!(mail.body_html(0).unwrap(), html.replace('\n', "\r\n"));
    assert!(raw.is_ascii() && raw.lines().all(|line| line.len() <= 998), "{raw}");
}

#[tokio::test]
async fn a_name_full_of_line_ends_adds_no_header_and_no_command() {
    let server = Server::start(polite).await;
    let mut message = outgoing(Channel::Email);
    message.app_name = "Acme\r\nBcc: eve@example.com\r\n\r\n.\r\nRCPT TO:<eve@example.com>\r\nÄ".to_owned();
    let outcome = provider(&config(server.port)).send(&rendered(message)).await;
    assert_eq!(outcome.label(), "accepted");
    let raw = server.seen.lock().unwrap().mails[0].clone();
    let mail = MessageParser::default().parse(&raw).unwrap();
    assert!(mail.bcc().is_none(), "{raw}");
    assert_eq!(mail.subject(), Some("Your Acme Bcc: eve@example.com . RCPT TO:<eve@example.com> Ä verification code"));
    assert_eq!(server.said("RCPT"), 1);
}

#[tokio::test]
async fn a_line_of_a_lone_dot_ends_no_mail() {
    let server = Server::start(polite).await;
    let mut message = outgoing(Channel::Email);
    let body = "{{code}}\n.\n..\n.RCPT TO:<eve@example.com>\nend".to_owned();
    message.wording = Some(countersign_model::Wording { subject: None, body });
    let message = rendered(message);
    assert_eq!(provider(&config(server.port)).send(&message).await.label(), "accepted");
    let raw = server.seen.lock().unwrap().mails[0].clone();
    let mail = MessageParser::default().parse(&raw).unwrap();
    assert_eq!(mail.body_text(0).unwrap(), message.text().replace('\n', "\r\n"));
    assert_eq!((server.mails(), server.said("RCPT")), (1, 1));
}

#[tokio::test]
async fn a_line_longer_than_servers_take_is_broken_and_put_together_again() {
    let server = Server::start(polite).await;
    let mut message = outgoing(Channel::Email);
    message.app_name = "N".repeat(300);
    let body = format!("{{{{code}}}} {}", "x".repeat(1_500));
    message.wording = Some(countersign_model::Wording { subject: None, body });
    let message = rendered(message);
    assert_eq!(provider(&config(server.port)).send(&message).await.label(), "accepted");
    let raw = server.seen.lock().unwrap().mails[0].clone();
    assert!(raw.lines().all(|line| line.len() <= 998), "{raw}");
    let mail = MessageParser::default().parse(&raw).unwrap();
    assert_eq!(mail.body_text(0).unwrap(), message.text().replace('\n', "\r\n"));
    assert_eq!(mail.subject().unwrap(), format!("Your {} verification code", "N".repeat(300)));
}

#[tokio::test]
async fn the_next_mail_takes_the_same_line() {
    let server = Server::start(polite).await;
    let provider = provider(&config(server.port));
    for _ in 0..3 {
        assert_eq!(provider.send(&email()).await.label(), "accepted");
    }
    assert_eq!((server.connections(), server.said("MAIL"), server.said("EHLO client.test")), (1, 3, 1));
}

#[tokio::test]
async fn a_kept_line_that_has_died_is_replaced_without_losing_the_mail() {
    let scripts: [Script; 2] = [
        |connection, line| if connection == 0 && line == "." { Act::Say("250 ok\r\n421 4.4.2 idle") } else { polite(0, line) },
        |connection, line| if connection == 0 && line == "." { Act::SayAndCut("250 ok") } else { polite(0, line) },
    ];
    for script in scripts {
        let server = Server::start(script).await;
        let provider = provider(&config(server.port));
        for _ in 0..2 {
            assert_eq!(provider.send(&email()).await.label(), "accepted");
        }
        assert_eq!((server.connections(), server.mails()), (2, 2));
    }
}

#[tokio::test]
async fn a_line_that_has_idled_for_long_is_not_trusted_with_a_mail() {
    let server = Server::start(polite).await;
    let provider = provider(&config(server.port));
    assert_eq!(provider.send(&email()).await.label(), "accepted");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    tokio::time::resume();
    assert_eq!(provider.send(&email()).await.label(), "accepted");
    assert_eq!((server.connections(), server.mails()), (2, 2));
}

#[tokio::test]
async fn a_mail_dropped_half_way_leaves_no_answer_behind_for_the_next() {
    let server = Server::start(|connection, line| if connection == 0 && line == "." { Act::Hang } else { polite(0, line) }).await;
    let provider = provider(&config(server.port));
    tokio::select! {
        outcome = async { provider.send(&email()).await } => panic!("no answer was to come, got {outcome:?}"),
        () = server.hangs.notified() => {}
    }
    assert_eq!(provider.send(&email()).await.label(), "accepted");
    let seen = server.seen.lock().unwrap();
    assert_eq!((seen.connections, seen.mails.len()), (2, 2));
}

#[tokio::test]
async fn no_more_lines_are_open_than_the_operator_allows() {
    let server = Server::start(polite).await;
    let provider = provider(&Config { pool_size: 2, ..config(server.port) });
    let mut sends = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let provider = Arc::clone(&provider);
        sends.spawn(async move { provider.send(&email()).await.label() });
    }
    assert!(sends.join_all().await.iter().all(|label| *label == "accepted"));
    let seen = server.seen.lock().unwrap();
    assert_eq!(seen.mails.len(), 20);
    assert!(seen.most_open <= 2, "{}", seen.most_open);
}

#[tokio::test]
async fn each_negative_reply_means_what_is_certain_about_it() {
    let cases: [(Script, &str, &str); 21] = [
        (replies!("RCPT", "550 5.1.1 no such user"), "refused", "SMTP 550 5.1.1"),
        (replies!("RCPT", "550-5.1.2 no such\r\n550 5.1.2 domain"), "refused", "SMTP 550 5.1.2"),
        (replies!("RCPT", "556 5.1.10 null MX"), "refused", "SMTP 556 5.1.10"),
        (replies!("RCPT", "550 5.2.1 disabled"), "refused", "SMTP 550 5.2.1"),
        (replies!(".", "550 5.1.1 no such user"), "refused", "SMTP 550 5.1.1"),
        (replies!("MAIL", "550 5.1.1 not you"), "unknown", "SMTP 550 5.1.1"),
        (replies!("MAIL", "553 5.1.8 no such sender domain"), "unknown", "SMTP 553 5.1.8"),
        (replies!("RCPT", "550 no such user"), "unknown", "SMTP 550"),
        (replies!("RCPT", "552 5.2.2 mailbox full"), "unknown", "SMTP 552 5.2.2"),
        (replies!("RCPT", "550 5.7.1 relaying denied"), "unknown", "SMTP 550 5.7.1"),
        (replies!(".", "554 5.7.1 looks like spam"), "unknown", "SMTP 554 5.7.1"),
        (replies!("HELLO", "554 no service here"), "unknown", "SMTP 554"),
        (replies!("HELLO", "421 4.3.2 closing"), "throttled", "SMTP 421 4.3.2"),
        (replies!("RCPT", "450 4.2.1 too many"), "throttled", "SMTP 450 4.2.1"),
        (replies!("RCPT", "451 4.7.1 greylisted"), "throttled", "SMTP 451 4.7.1"),
        (replies!(".", "452 4.3.1 disk full"), "throttled", "SMTP 452 4.3.1"),
        (replies!("DATA", "455 4.3.3 odd"), "unknown", "SMTP 455 4.3.3"),
        (replies!("MAIL", "530 5.7.0 authentication required"), "misconfigured", "SMTP 530 5.7.0"),
        (replies!("AUTH", "535 5.7.8 wrong"), "misconfigured", "SMTP 535 5.7.8"),
        (replies!("AUTH", "454 4.7.0 later"), "unknown", "SMTP 454 4.7.0"),
        (replies!("MAIL", "550 5.7.8 who are you"), "misconfigured", "SMTP 550 5.7.8"),
    ];
    for (script, label, diagnostic) in cases {
        let server = Server::start(script).await;
        let outcome = provider(&with_login(server.port)).send(&email()).await;
        let shown = outcome.diagnostic().map(|diagnostic| diagnostic.to_string());
        assert_eq!((outcome.label(), shown.as_deref()), (label, Some(diagnostic)));
    }
}

#[tokio::test]
async fn a_line_that_breaks_before_the_content_is_certain_and_after_it_unclear() {
    let early: [Script; 6] = [
        |_, _| Act::Cut,
        |_, line| if line.starts_with("EHLO") { Act::Cut } else { polite(0, line) },
        |_, line| if line.starts_with("MAIL") { Act::Cut } else { polite(0, line) },
        |_, line| if line.starts_with("RCPT") { Act::Cut } else { polite(0, line) },
        |_, line| if line == "DATA" { Act::Cut } else { polite(0, line) },
        |_, line| if line.starts_with("RCPT") { Act::Say("how do you do") } else { polite(0, line) },
    ];
    for script in early {
        assert_eq!(outcome_under(script).await.label(), "unreachable");
    }
    let late: [Script; 2] = [
        |_, line| if line == "." { Act::Cut } else { polite(0, line) },
        |_, line| if line == "." { Act::Say("thank you") } else { polite(0, line) },
    ];
    for script in late {
        assert_eq!(outcome_under(script).await.label(), "unclear");
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_before_the_content_has_certainly_not_got_the_mail() {
    let silences: [Script; 3] = [
        |_, _| Act::Hang,
        |_, line| if line.starts_with("MAIL") { Act::Hang } else { polite(0, line) },
        |_, line| if line == "DATA" { Act::Hang } else { polite(0, line) },
    ];
    for script in silences {
        let server = Server::start(script).await;
        let context = testing::context("mail", Duration::from_millis(50));
        let outcome = build(&config(server.port), context).unwrap().send(&email()).await;
        assert_eq!(outcome.label(), "unreachable");
    }
}

#[tokio::test]
async fn nobody_listening_is_unreachable_and_the_check_says_so() {
    let unused = Unused::hold();
    let provider = provider(&config(unused.port()));
    assert_eq!(provider.send(&email()).await.label(), "unreachable");
    let address = format!("127.0.0.1:{}", unused.port());
    assert_eq!(provider.check().await, Err(CheckError::Unreachable { address }));
}

#[tokio::test]
async fn credentials_are_given_once_a_line_and_a_check_tells_wrong_ones() {
    let server = Server::start(polite).await;
    let provider_ = provider(&with_login(server.port));
    for _ in 0..2 {
        assert_eq!(provider_.send(&email()).await.label(), "accepted");
    }
    assert_eq!(server.said("AUTH PLAIN AHBvc3RtYW4Ab3BlbiBzZXNhbWU="), 1);
    assert_eq!(provider_.check().await, Ok(()));
    assert_eq!(server.said("MAIL"), 2);

    let server = Server::start(replies!("AUTH", "535 5.7.8 wrong")).await;
    let address = format!("127.0.0.1:{}", server.port);
    assert_eq!(provider(&with_login(server.port)).check().await, Err(CheckError::Credentials { address }));
}

#[tokio::test]
async fn a_server_without_a_login_we_know_gets_no_password() {
    let server = Server::start(replies!("EHLO", "250-mail.test\r\n250 AUTH GSSAPI")).await;
    let provider = provider(&with_login(server.port));
    assert_eq!(provider.send(&email()).await.label(), "misconfigured");
    let address = format!("127.0.0.1:{}", server.port);
    assert_eq!(provider.check().await, Err(CheckError::Unsupported { address, what: "AUTH PLAIN or LOGIN" }));
    assert_eq!((server.said("AUTH"), server.said("MAIL")), (0, 0));
}

#[tokio::test]
async fn an_address_beyond_ascii_goes_only_to_a_server_that_takes_it() {
    let mut message = outgoing(Channel::Email);
    message.recipient = countersign_model::Recipient::parse(Channel::Email, "müller@example.com").unwrap();
    let message = rendered(message);

    let server = Server::start(polite).await;
    assert_eq!(provider(&config(server.port)).send(&message).await.label(), "unknown");
    assert_eq!(server.said("MAIL"), 0);

    let server = Server::start(replies!("EHLO", "250-mail.test\r\n250-8BITMIME\r\n250 SMTPUTF8")).await;
    assert_eq!(provider(&config(server.port)).send(&message).await.label(), "accepted");
    assert_eq!(server.said("MAIL FROM:<no-reply@acme.example> SMTPUTF8"), 1);
}

#[tokio::test]
async fn a_domain_beyond_ascii_goes_out_in_its_ascii_form_and_asks_nothing_of_the_server() {
    let server = Server::start(polite).await;
    let provider = provider(&Config { from: "Bücher <no-reply@bücher.example>".to_owned(), ..config(server.port) });
    for (sender, from) in [(None, "no-reply"), (Some("laden@bücher.example".to_owned()), "laden")] {
        let message = Rendered { sender, ..email() };
        assert_eq!(provider.send(&message).await.label(), "accepted", "{from}");
        assert_eq!(server.said(&format!("MAIL FROM:<{from}@xn--bcher-kva.example>")), 1, "{from}");
    }
    let raw = server.seen.lock().unwrap().mails[0].clone();
    let id = format!("{}@xn--bcher-kva.example", email().id);
    assert!(raw.is_ascii() && raw.contains(&format!("\r\nMessage-ID: <{id}>\r\n")), "{raw}");
}

#[tokio::test]
async fn no_log_line_at_any_level_holds_the_code_the_recipient_or_the_password() {
    let trap = LogTrap::set();
    let server = Server::start(replies!("RCPT", "550 5.1.1 <ann@example.com> has no use for 482913")).await;
    assert_eq!(provider(&with_login(server.port)).send(&email()).await.label(), "refused");
    let server = Server::start(polite).await;
    assert_eq!(provider(&with_login(server.port)).send(&email()).await.label(), "accepted");
    let log = trap.log();
    for secret in ["482913", "ann@example.com", "open sesame", "AHBvc3RtYW4Ab3BlbiBzZXNhbWU="] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
