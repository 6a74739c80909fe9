//! The doubles themselves: one that understood everything would prove nothing.

use countersign_tests::{Client, Expected, MailSink, ProviderDouble};
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn the_gateway_refuses_and_remembers_what_it_does_not_expect() {
    let double = ProviderDouble::start(Expected::json()).await;
    let client = Client::new(double.base()).with("Authorization", Expected::AUTHORIZATION);
    let json = Some("application/json");
    let rows = [
        (client.clone(), Method::PUT, Expected::PATH, json, "{}"),
        (client.clone(), Method::POST, "/v1/messages", json, "{}"),
        (client.clone(), Method::POST, Expected::PATH, Some("text/plain"), "{}"),
        (client.clone(), Method::POST, Expected::PATH, json, "{\"to\": }"),
        (client.without("Authorization"), Method::POST, Expected::PATH, json, "{}"),
        (client.with("Authorization", "Bearer another"), Method::POST, Expected::PATH, json, "{}"),
    ];
    for (client, method, path, media, body) in rows {
        client.call(method, path, media, body).await.assert(400);
        assert_eq!(double.faults().len(), 1);
    }
    client.call(Method::POST, Expected::PATH, json, "{}").await.assert(200);
    assert!(double.faults().is_empty());
    assert_eq!(double.requests().len(), 1);
}

#[tokio::test]
async fn a_form_must_be_encoded_to_the_letter() {
    let double = ProviderDouble::start(Expected::form()).await;
    let client = Client::new(double.base()).with("Authorization", Expected::AUTHORIZATION);
    let form = Some("application/x-www-form-urlencoded");
    for wrong in ["", "to", "to=+1 202", "text=ü", "text=%zz", "text=%ff"] {
        client.call(Method::POST, Expected::PATH, form, wrong).await.assert(400);
        assert_eq!(double.faults().len(), 1, "{wrong}");
    }
    client.call(Method::POST, Expected::PATH, form, "to=%2B1202&text=a+b%C3%BC").await.assert(200);
    assert_eq!(double.request(1).await.field("text"), "a bü");
}

#[tokio::test]
async fn the_sink_speaks_smtp_and_unstuffs_dots() {
    let sink = MailSink::start().await;
    let mut line = TcpStream::connect(("127.0.0.1", sink.port())).await.unwrap();
    let dialogue = "EHLO me\r\nDATA\r\nMAIL FROM:<a@example.com>\r\nDATA\r\nRSET\r\nMAIL FROM:<b@example.com> BODY=8BITMIME\r\n\
                    RCPT TO:<c@example.com>\r\nRCPT TO:<d@example.com>\r\nDATA\r\nSubject: x\r\n\r\n..one\r\n...\r\n.\r\nQUIT\r\n";
    line.write_all(dialogue.as_bytes()).await.unwrap();
    let mut said = String::new();
    line.read_to_string(&mut said).await.unwrap();
    let codes: Vec<&str> = said.lines().filter(|line| line.as_bytes()[3] == b' ').map(|line| &line[..3]).collect();
    assert_eq!(codes, ["220", "250", "503", "250", "554", "250", "250", "250", "250", "354", "250", "221"], "{said}");
    let mail = sink.mail(1).await;
    assert_eq!((mail.from.as_str(), mail.to.len()), ("b@example.com", 2));
    assert_eq!(mail.data, b"Subject: x\r\n\r\n.one\r\n..\r\n");
    assert_eq!(sink.mails().len(), 1);
}
