//! In which language, and in whose words, people are spoken to.

use std::time::Duration;

use countersign_tests::{Expected, MailSink, ProviderDouble, TestApp, email, run, sms};
use serde_json::json;

use crate::admin_access::{chief, fields, problem};
use crate::contacts::{added, patch};

const AMERICAN: &str = "+12025550143";
const GERMAN: &str = "+4915112345678";
const BELGIAN: &str = "+32470123456";
const TEMPLATES: &str = "/admin/v1/tenants/default/templates";

#[tokio::test]
async fn the_call_decides_then_the_country_then_the_service_then_english() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).generous().set("session.locale", "fr").spawn().await;
    let table = [
        (AMERICAN, Some("pt-BR"), "é o código Acme. Expira em 10 minutos. Não compartilhe."),
        (AMERICAN, Some("pt-AO"), "é o código Acme. Expira em 10 minutos. Não o partilhe."),
        (AMERICAN, Some("zh-TW"), "是您的 Acme 驗證碼，10 分鐘內有效。請勿告知他人。"),
        (AMERICAN, Some("no"), "er din kode for Acme."),
        (GERMAN, Some("es-MX"), "es su clave de Acme."),
        // Nobody reads it here: the next of the chain has words.
        (GERMAN, Some("xx"), "ist Ihr Code für Acme."),
        (GERMAN, None, "ist Ihr Code für Acme."),
        (AMERICAN, None, "is your Acme code."),
        // No one language is what most people read there.
        (BELGIAN, None, "est votre code Acme."),
    ];
    for (index, (number, asked, expected)) in table.into_iter().enumerate() {
        let ask = sms(number);
        app.live().send(if let Some(tag) = asked { ask.set("locale", tag) } else { ask }).await;
        let text = double.request(index + 1).await.field("text");
        assert!(text.contains(expected), "{number}, {asked:?}: {text}");
    }
}

#[tokio::test]
async fn a_mailbox_is_in_no_country() {
    let sink = MailSink::start().await;
    let app = TestApp::builder().live_email(&sink).generous().set("session.locale", "ar").spawn().await;
    app.live().send(email("ann@example.com")).await;
    app.live().send(email("ann@example.com").set("locale", "ja-JP")).await;
    let mails = [sink.mail(1).await, sink.mail(2).await];
    let html = |nth: usize| mails[nth].parsed().body_html(0).unwrap().into_owned();
    assert!(html(0).contains("<html lang=\"ar\" dir=\"rtl\" "), "{}", html(0));
    assert!(html(1).contains("<html lang=\"ja\" dir=\"ltr\" "), "{}", html(1));
    assert_eq!(mails[1].parsed().subject(), Some("Acmeの認証コード"));
}

#[tokio::test]
async fn a_resend_speaks_the_language_of_the_send() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).generous().spawn().await;
    let sent = app.live().send(sms(GERMAN).set("locale", "tr")).await;
    app.advance(Duration::from_secs(30));
    app.live().resend(&sent).await.assert(200);
    for nth in [1, 2] {
        let text = double.request(nth).await.field("text");
        assert!(text.contains("Acme kodunuz. Süresi 10 dakika."), "{text}");
    }
}

#[tokio::test]
async fn a_contact_is_spoken_to_in_its_own_language_and_a_resend_keeps_it() {
    let double = ProviderDouble::start(Expected::json()).await;
    // However busy the machine is.
    let app = TestApp::builder().sms(&double).generous().set("contacts.locale_wait_ms", 5000).spawn().await;
    // Another node hears of a change within a minute.
    let caller = app.live().at_node(0);
    let said = async |nth| double.request(nth).await.field("text");
    let is_spanish = |text: &str| assert!(text.contains("es su clave de Acme."), "{text}");
    let (_, ann) = added(&caller, &json!({"phone": GERMAN, "locale": "es-MX"})).await;
    let sent = caller.send(sms(GERMAN)).await;
    is_spanish(&said(1).await);
    caller.send(sms(GERMAN).set("locale", "fr")).await;
    let french = said(2).await;
    assert!(french.contains("est votre code Acme"), "{french}");
    patch(&caller, &ann, &json!({"locale": null})).await.assert(200).json("$.locale", json!(null));
    app.advance(Duration::from_secs(30));
    caller.resend(&sent).await.assert(200);
    is_spanish(&said(3).await);
    caller.send(sms(GERMAN)).await;
    let german = said(4).await;
    assert!(german.contains("ist Ihr Code für Acme."), "{german}");
}

#[tokio::test]
async fn where_nobody_waits_for_contacts_their_languages_are_not_used() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).generous().set("contacts.locale_wait_ms", 0).spawn().await;
    added(&app, &json!({"phone": GERMAN, "locale": "es"})).await;
    app.live().send(sms(GERMAN)).await;
    let text = double.request(1).await.field("text");
    assert!(text.contains("ist Ihr Code für Acme."), "{text}");
}

#[tokio::test]
async fn a_tenants_own_words_are_chosen_by_the_same_chain_and_a_language_comes_before_whose_words_they_are() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).generous().spawn().await;
    let chief = chief(&app).await;
    for (locale, body) in [("de", "Hallo {{code}}"), ("zh-Hant", "嗨 {{code}}"), ("nb", "Hei {{code}}"), ("fo", "Hey {{code}}")]
    {
        let words = json!({"channel": "sms", "locale": locale, "name": locale, "body": body});
        chief.post(TEMPLATES, &words).await.assert(201);
    }
    let table = [
        (GERMAN, None, "Hallo "),
        (AMERICAN, Some("de-AT"), "Hallo "),
        (AMERICAN, Some("zh-HK"), "嗨 "),
        (AMERICAN, Some("no-NO"), "Hei "),
        // A language without built-in words has them where the tenant wrote some.
        (AMERICAN, Some("fo"), "Hey "),
    ];
    let mut sent = 0;
    for (number, asked, expected) in table {
        let ask = sms(number);
        app.live().send(if let Some(tag) = asked { ask.set("locale", tag) } else { ask }).await;
        sent += 1;
        let text = double.request(sent).await.field("text");
        assert!(text.starts_with(expected), "{number}, {asked:?}: {text}");
    }
    app.live().send(sms(GERMAN).set("locale", "fr")).await;
    let text = double.request(sent + 1).await.field("text");
    assert!(text.contains("est votre code Acme"), "built-in French before the tenant's German: {text}");
}

#[tokio::test]
async fn the_warning_can_be_left_out() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).generous().set("session.never_share", false).spawn().await;
    let sent = app.live().send(sms(AMERICAN)).await;
    app.advance(Duration::from_secs(30));
    app.live().resend(&sent).await.assert(200);
    for nth in [1, 2] {
        let text = double.request(nth).await.field("text");
        assert!(text.ends_with(" is your Acme code. It expires in 10 minutes."), "{text}");
    }
}

#[tokio::test]
async fn a_preview_tells_the_language_the_size_and_the_price() {
    let app = TestApp::builder().generous().set("billing.enabled", true).spawn().await;
    // Another node hears of a new service a moment later.
    let chief = chief(&app).await.at_node(0);
    let preview = async |body| chief.post(&format!("{TEMPLATES}/preview"), &body).await;
    let prices = json!({"verification": "0", "channels": {"sms": {"default": "0.05", "countries": {"DE": "0.08"}}}});
    let service = chief.post("/admin/v1/tenants/default/services", &json!({"name": "shop", "prices": prices})).await;
    let service = service.assert(201).text("$.id");
    let german = preview(json!({"channel": "sms", "country": "DE", "service": service})).await;
    let text = "123456 ist Ihr Code für Acme. Er gilt 10 Minuten. Geben Sie ihn nie weiter.";
    german.assert(200).json("$.text", text).json("$.locale", "de").json("$.encoding", "gsm7").json("$.segments", 1);
    german.json("$.characters", text.chars().count()).json("$.cost", "0.08");
    let arabic = preview(json!({"channel": "sms", "locale": "ar-EG", "service": service})).await;
    arabic.assert(200).json("$.locale", "ar").json("$.encoding", "ucs2").json("$.segments", 1).json("$.cost", "0.05");
    let long = preview(json!({"channel": "sms", "locale": "ru", "body": format!("{{{{code}}}} {}", "ж".repeat(70))})).await;
    long.assert(200).json("$.encoding", "ucs2").json("$.segments", 2).json("$.characters", 77);
    let mail = preview(json!({"channel": "email", "locale": "he"})).await;
    assert!(mail.assert(200).text("$.html").contains("dir=\"rtl\""), "{mail:?}");
    mail.json("$.segments", serde_json::Value::Null);
    for (body, field) in [
        (json!({"channel": "sms", "locale": "not a tag"}), "locale"),
        (json!({"channel": "sms", "country": "Germany"}), "country"),
        (json!({"channel": "sms", "service": "8c4f9a52-2f0b-4f6e-9d0e-6a2b8f1f3c11"}), "service"),
        (json!({"channel": "email", "subject": "Hi"}), "body"),
        (json!({"channel": "sms", "body": "no place for it"}), "body"),
    ] {
        let refused = preview(body.clone()).await;
        problem(&refused, 400, "invalid_field");
        assert_eq!(fields(&refused), [field], "{body}");
    }
}

#[tokio::test]
async fn every_built_in_message_can_be_seen_at_the_terminal() {
    let app = TestApp::spawn().await;
    let shown = run(app.path(), &["template", "preview", "--channel", "sms", "--locale", "ar"]).await;
    assert_eq!(shown["text"], "123456 هو رمزك من Acme. ينتهي خلال 10 دقائق. لا تشاركه مع أحد.");
    assert_eq!((&shown["encoding"], &shown["segments"]), (&json!("ucs2"), &json!(1)));
}

#[tokio::test]
async fn words_that_try_to_read_more_than_they_may_are_not_taken() {
    let app = TestApp::spawn().await;
    let chief = chief(&app).await;
    let nested = format!("{}code{}", "{{".repeat(500), "}}".repeat(500));
    for body in [
        "{{ code.__class__ }}",
        "{{code}} {{ self }}",
        "{{code}} {{ app.config }}",
        "{{code}} {{ recipient }}",
        "{{code}} {{ 7*7 }}",
        "{{code}} {% include \"email.html\" %}",
        "{{code}} {% for x in range(999999999) %}x{% endfor %}",
        "{{code}} {{ \"a\" * 999999999 }}",
        "{{code}} {# {{app}} #}",
        "{{ {{code}} }}",
        "{{ code | attr('x') }}",
        nested.as_str(),
        &format!("{{{{code}}}}{}", "x".repeat(2001)),
        "{{code}}\u{0}",
    ] {
        let words = json!({"channel": "email", "locale": "en", "name": "bad", "body": body});
        problem(&chief.post(TEMPLATES, &words).await, 400, "invalid_field");
    }
}

#[tokio::test]
async fn a_test_message_goes_through_the_provider_that_is_named_and_says_what_it_is() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).generous().spawn().await;
    let chief = chief(&app).await;
    let operator = chief.with("Idempotency-Key", "one-test");
    let path = "/admin/v1/providers/gateway/test";
    let told = operator.post(path, &json!({"to": AMERICAN})).await;
    told.assert(200).json("$.provider", "gateway").json("$.channel", "sms").json("$.outcome", "accepted");
    assert!(!told.text("$.recipient").contains("5550143"), "masked: {told:?}");
    let request = double.request(1).await;
    let text = request.field("text");
    assert!(text.starts_with("Test message: ") && text.contains("000000 opens nothing"), "{text}");
    assert_eq!((request.field("to"), request.field("id")), (AMERICAN.to_owned(), told.text("$.message")));
    let again = operator.post(path, &json!({"to": AMERICAN})).await;
    again.assert(200).json("$.message", told.at("$.message")).json("$.outcome", serde_json::Value::Null);
    assert_eq!(double.requests().len(), 1, "a repeated call sends nothing");
    let log = chief.get("/admin/v1/audit").await;
    log.json("$.data[0].what", "provider.test").json("$.data[0].target_id", "gateway");
    assert!(!log.at("$.data[0]").to_string().contains("5550143"), "{log:?}");
    problem(&chief.post("/admin/v1/providers/nobody/test", &json!({"to": AMERICAN})).await, 404, "not_found");
    for (body, field) in [
        (json!({"to": "ann"}), "to"),
        (json!({}), "to"),
        (json!({"to": "ann@example.com"}), "channel"),
        (json!({"to": AMERICAN, "channel": "pigeon"}), "channel"),
    ] {
        let refused = chief.post(path, &body).await;
        problem(&refused, 400, "invalid_field");
        assert_eq!(fields(&refused), [field], "{body}");
    }
    let told = run(app.path(), &["provider", "test", "--provider", "gateway", "--to", AMERICAN]).await;
    assert_eq!(told["outcome"], "accepted", "{told}");
    assert_eq!(double.requests().len(), 2);
}
