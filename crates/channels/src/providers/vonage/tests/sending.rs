use super::*;
use crate::provider::Content;

#[tokio::test]
async fn what_does_not_fit_the_alphabet_of_text_messages_goes_as_unicode() {
    let mut message = rendered(outgoing(Channel::Sms));
    for (text, kind) in [("482913 + 1 & more = €", "text"), ("Код: 482913", "unicode"), ("482913 is your Acme’s code", "unicode")]
    {
        message.content = Content::Phone { text: text.to_owned() };
        let request = asked(&section(), &message).await;
        assert_eq!((field(&request, "text").as_deref(), field(&request, "type").as_deref()), (Some(text), Some(kind)));
    }
}

#[tokio::test]
async fn a_caller_may_choose_the_sender_where_people_see_it() {
    let mut message = rendered(outgoing(Channel::Sms));
    message.sender = Some("Shop".to_owned());
    assert_eq!(field(&asked(&section(), &message).await, "from").as_deref(), Some("Shop"));
    message.sender = Some("+12025550199".to_owned());
    assert_eq!(field(&asked(&section(), &message).await, "from").as_deref(), Some("12025550199"));

    let mut message = call("en");
    message.sender = Some("Shop".to_owned());
    assert_eq!(asked(&section(), &message).await.json()["from"]["number"], "12025550101");
    message.sender = Some("+12025550199".to_owned());
    assert_eq!(asked(&section(), &message).await.json()["from"]["number"], "12025550199");
}

#[tokio::test]
async fn a_message_is_tried_for_what_is_left_of_its_codes_life_as_far_as_vonage_takes_it() {
    let mut message = rendered(outgoing(Channel::Sms));
    for (left, told) in
        [(0, "20000"), (19_999, "20000"), (237_900, "237000"), (604_800_000, "604800000"), (604_801_000, "604800000")]
    {
        message.expires_at = Some(NOW.plus(Duration::from_millis(left)));
        assert_eq!(field(&asked(&section(), &message).await, "ttl").as_deref(), Some(told), "{left}");
    }
    message.expires_at = None;
    assert_eq!(field(&asked(&section(), &message).await, "ttl"), None);
}

#[tokio::test]
async fn without_the_keys_secret_a_text_is_signed() {
    let section = section().replace("    api_secret = \"hush-secret\"\n", "");
    let request = asked(&section, &rendered(outgoing(Channel::Sms))).await;
    let fields = request.form();
    assert_eq!(field(&request, "api_secret"), None);
    assert_eq!(field(&request, "timestamp").as_deref(), Some("1768473900"));
    assert!(signature::is_genuine(Method::Sha256, &SecretString::from(SIGNATURE), &fields), "{fields:?}");
}

#[tokio::test]
async fn a_call_says_its_script_one_action_a_part() {
    let request = asked(&section(), &call("en")).await;
    let talk = |text: &str| json!({ "action": "talk", "text": text, "language": "en-US", "style": 0 });
    let expected = json!([talk("Hello. Your \"Acme\" code is:"), talk("4, 8, 2, 9, 1, 3"), talk("Goodbye.")]);
    assert_eq!(request.json()["ncco"], expected);
}

#[tokio::test]
async fn a_call_is_read_in_its_own_language_or_not_made() {
    let language = async |section: &str, locale: &'static str| {
        let action = asked(section, &call(locale)).await.json()["ncco"][0].clone();
        (action["language"].as_str().unwrap().to_owned(), action["style"].as_u64().unwrap())
    };
    let cases = [
        ("en-GB", "en-GB"),
        ("de-CH", "de-DE"),
        ("pt", "pt-PT"),
        ("pt-BR", "pt-BR"),
        ("zh-Hans", "cmn-CN"),
        ("zh-Hant", "cmn-TW"),
        ("ar-EG", "ar"),
    ];
    for (locale, expected) in cases {
        assert_eq!(language(&section(), locale).await, (expected.to_owned(), 0), "{locale}");
    }
    let own = format!("{}[voice.voices.ka]\nlanguage = \"ka-GE\"\nstyle = 2\n", section());
    assert_eq!(language(&own, "ka").await, ("ka-GE".to_owned(), 2));
    let unspoken = provider(&section(), "http://127.0.0.1:9").send(&call("ka")).await;
    assert_eq!(unspoken, TryOutcome::Misconfigured(Diagnostic::Note("no voice for this language")));
}

#[test]
fn every_tag_has_a_language_of_its_own_kind_and_is_there_once() {
    for (position, (tag, language)) in voices::LANGUAGES.iter().enumerate() {
        assert!(voices::LANGUAGES[..position].iter().all(|(other, _)| other != tag), "{tag}");
        let primary = tag.split('-').next().unwrap();
        assert!(
            language.starts_with(primary) || (primary == "zh" && (language.starts_with("cmn-") || *language == "yue-CN")),
            "{tag}"
        );
    }
}

#[tokio::test]
async fn words_that_are_too_long_are_not_sent_and_no_text_is_taken_for_markup() {
    let mut message = call("en");
    message.voice = Some(VoiceScript { press: String::new(), parts: vec![VoicePart::Words("<speak>".to_owned())] });
    assert_eq!(asked(&section(), &message).await.json()["ncco"][0]["text"], " speak ");
    message.voice = Some(VoiceScript { press: String::new(), parts: vec![VoicePart::Words("x".repeat(1_501))] });
    let outcome = provider(&section(), "http://127.0.0.1:9").send(&message).await;
    assert_eq!(outcome, TryOutcome::Misconfigured(Diagnostic::Note("the words are too long for a call")));
}

#[tokio::test]
async fn without_anything_to_check_receipts_with_none_are_asked_for() {
    let bare = section().replace("    signature_secret = \"hush-signature\"\n", "");
    for (section, url) in [(bare, Some(URL.to_owned())), (section(), None)] {
        for channel in [Channel::Sms, Channel::Voice] {
            let server = Server::start(accepted(channel)).await;
            let mut context = context("x", Duration::from_secs(5));
            context.receipts_url.clone_from(&url);
            let provider = VonageSubject::build(&section.replace("{url}", &server.url("")), context).0.unwrap();
            assert!(provider.receipts().is_none() && provider.tells() == Tells::Nothing);
            provider.send(&rendered(outgoing(channel))).await;
            let body = server.requests()[0].body.clone();
            assert!(!body.contains("callback") && !body.contains("event_url") && !body.contains("status-report-req"), "{body}");
        }
    }
}

#[tokio::test]
async fn each_status_of_a_reply_means_what_follows_from_it() {
    let cases = [
        ("1", "throttled"),
        ("2", "unknown"),
        ("3", "unknown"),
        ("8", "misconfigured"),
        ("11", "misconfigured"),
        ("12", "unknown"),
        ("22", "unknown"),
        ("23", "misconfigured"),
        ("29", "misconfigured"),
        ("32", "misconfigured"),
        ("39", "misconfigured"),
        ("99", "unknown"),
        ("", "unknown"),
    ];
    for (status, label) in cases {
        let server = Server::start(refused(status)).await;
        let outcome = provider(&section(), &server.url("")).send(&rendered(outgoing(Channel::Sms))).await;
        assert_eq!((outcome.label(), outcome.diagnostic()), (label, Some(Diagnostic::Http(200))), "{status}");
    }
}

#[tokio::test]
async fn a_reply_that_says_yes_to_some_parts_or_nothing_readable_is_unclear() {
    let part = |status: &str| format!(r#"{{"status":"{status}","message-id":"A-{status}"}}"#);
    let both =
        [format!(r#"{{"messages":[{},{}]}}"#, part("0"), part("5")), format!(r#"{{"messages":[{},{}]}}"#, part("5"), part("0"))];
    for body in both.iter().map(String::as_str).chain(["", "not json", r#"{"messages":[]}"#, r#"{"messages":[{}]}"#]) {
        let server = Server::start(answer(200, &[], body)).await;
        let outcome = provider(&section(), &server.url("")).send(&rendered(outgoing(Channel::Sms))).await;
        assert_eq!(outcome, TryOutcome::Unclear(Diagnostic::Http(200)), "{body}");
    }
    let server = Server::start(answer(200, &[], &format!(r#"{{"messages":[{},{}]}}"#, part("0"), part("0")))).await;
    let outcome = provider(&section(), &server.url("")).send(&rendered(outgoing(Channel::Sms))).await;
    assert_eq!(outcome, TryOutcome::Accepted { provider_id: Some("A-0".to_owned()) });
}

#[tokio::test]
async fn what_a_call_came_to_is_told_by_the_status_alone() {
    for (status, label) in [
        (201, "accepted"),
        (400, "unknown"),
        (401, "misconfigured"),
        (403, "misconfigured"),
        (429, "throttled"),
        (500, "unknown"),
    ] {
        let server = Server::start(answer(status, &[], "{}")).await;
        let outcome = provider(&section(), &server.url("")).send(&call("en")).await;
        assert_eq!(outcome.label(), label, "{status}");
    }
}

#[tokio::test]
async fn a_check_shows_the_credentials_that_sends_show() {
    let sms_only = section().split("    [voice]").next().unwrap().to_owned();
    let signing = sms_only.replace("    api_secret = \"hush-secret\"\n", "");
    let cases = [
        (section(), "GET /v1/calls?page_size=1", "Bearer "),
        (sms_only, "GET /accounts/abcd1234/secrets", "Basic YWJjZDEyMzQ6aHVzaC1zZWNyZXQ="),
        (signing, "HEAD /", ""),
    ];
    for (section, target, authorization) in cases {
        let server = Server::start(answer(200, &[], "{}")).await;
        assert_eq!(provider(&section, &server.url("")).check().await, Ok(()));
        let request = server.requests().remove(0);
        assert_eq!(request.target(), target);
        assert!(authorization.is_empty() || request.header("authorization").starts_with(authorization), "{}", request.head);
        let server = Server::start(answer(401, &[], "{}")).await;
        let told = provider(&section, &server.url("")).check().await;
        assert_eq!(matches!(told, Err(CheckError::Credentials { .. })), !authorization.is_empty(), "{told:?}");
    }
}
