//! What people get to read.

use countersign_tests::{Expected, MailSink, ProviderDouble, TestApp, email, sms};
use mail_parser::MimeHeaders;

#[tokio::test]
async fn a_mail_is_valid_mime_with_a_plain_and_a_rich_form() {
    let sink = MailSink::start().await;
    let app = TestApp::builder().live_email(&sink).spawn().await;
    let sent = app.live().send(email("ann@example.com")).await;
    let mail = sink.mail(1).await;
    let code = mail.code();
    let parsed = mail.parsed();
    assert_eq!(parsed.text_body_count(), 1);
    assert_eq!(parsed.html_body_count(), 1);
    assert!(parsed.content_type().unwrap().c_type.eq_ignore_ascii_case("multipart"));
    let (text, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
    assert!(text.contains(&code) && text.contains("Acme") && text.contains("10 minutes"), "{text}");
    assert!(html.contains(&code) && html.contains("prefers-color-scheme"), "{html}");
    assert_eq!(parsed.header_raw("Auto-Submitted").unwrap().trim(), "auto-generated");
    let id = parsed.message_id().unwrap().to_owned();
    assert!(id.contains('@') && !id.contains(&code), "{id}");
    let date = parsed.date().unwrap();
    assert_eq!(date.to_timestamp(), app.now().seconds(), "the mail is dated by the server's clock");
    assert_eq!(parsed.from().unwrap().first().unwrap().address(), Some("no-reply@acme.example"));
    assert_eq!(parsed.to().unwrap().first().unwrap().address(), Some("ann@example.com"));
    assert!(!parsed.subject().unwrap().is_empty());
    // Lines a mail server may count on (RFC 5322, 2.1.1), in ASCII.
    assert!(mail.data.split(|byte| *byte == b'\n').all(|line| line.len() <= 999));
    assert!(mail.data.is_ascii() && !mail.data.windows(2).any(|two| two[1] == b'\n' && two[0] != b'\r'));
    app.live().verify(&sent, &code).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn no_two_mails_share_an_id() {
    let sink = MailSink::start().await;
    let app = TestApp::builder().live_email(&sink).spawn().await;
    for name in ["ann", "bob", "eve"] {
        app.live().send(email(&format!("{name}@example.com"))).await;
    }
    let mails = sink.mails();
    let ids: std::collections::BTreeSet<String> =
        mails.iter().map(|mail| mail.parsed().message_id().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_text_message_ends_in_the_line_that_phones_read() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).spawn().await;
    app.live().send(sms("+12025550143").set("autofill.domain", "example.com")).await;
    let request = double.request(1).await;
    let text = request.field("text");
    assert_eq!(text.lines().last(), Some(format!("@example.com #{}", request.code()).as_str()), "{text}");

    app.live().send(sms("+12025550144").set("autofill.app_hash", "FA+9qCX9VSu")).await;
    let text = double.request(2).await.field("text");
    assert!(text.ends_with("FA+9qCX9VSu"), "{text}");
    assert!(text.len() <= 140, "{text}");
}

#[tokio::test]
async fn a_long_name_never_cuts_the_code_or_the_last_line() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app =
        TestApp::builder().sms(&double).set("session.app_name", "Ü".repeat(64)).set("channels.sms.max_segments", 1).spawn().await;
    let sent = app.live().send(sms("+12025550143").set("autofill.domain", "login.example.com")).await;
    let request = double.request(1).await;
    let text = request.field("text");
    assert!(text.lines().last().unwrap().starts_with("@login.example.com #"), "{text}");
    app.live().verify(&sent, &request.code()).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn the_apps_name_and_the_codes_life_are_told() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).spawn().await;
    app.live().send(sms("+12025550143").set("config.expiry_minutes", 3)).await;
    let text = double.request(1).await.field("text");
    assert!(text.contains("Acme") && text.contains("3 minutes"), "{text}");
}

#[tokio::test]
async fn an_unknown_language_is_spoken_to_in_english() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).spawn().await;
    for (number, locale) in ["en", "pt-BR", "zh-Hant-TW"].iter().enumerate() {
        app.live().send(sms(&format!("+1202555014{number}")).set("locale", *locale)).await;
        double.request(number + 1).await.code();
    }
}

#[tokio::test]
async fn whatsapp_and_voice_go_to_the_gateway_that_serves_them() {
    let double = ProviderDouble::start(Expected::json()).await;
    let gateway = |setup: countersign_tests::Setup| {
        let setup = setup.gateway("gateway", &double, &["whatsapp", "voice"]);
        setup.set("channels.whatsapp.providers", vec!["gateway"]).set("channels.voice.providers", vec!["gateway"])
    };
    let app = TestApp::builder().with(gateway).spawn().await;
    let ask = countersign_tests::Ask::of(serde_json::json!({
        "channels": ["whatsapp", "voice"], "recipients": {"whatsapp": "+12025550143", "voice": "+12025550144"},
    }));
    app.live().send(ask).await;
    double.request(2).await;
    let channels: std::collections::BTreeSet<String> = double.requests().iter().map(|request| request.field("channel")).collect();
    assert_eq!(channels, ["voice".to_owned(), "whatsapp".to_owned()].into());
}
