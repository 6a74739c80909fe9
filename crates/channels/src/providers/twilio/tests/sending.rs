use super::*;
use crate::provider::Content;
use crate::testing::NOW;

#[tokio::test]
async fn a_text_goes_out_as_it_is_whatever_its_script() {
    let mut message = rendered(outgoing(Channel::Sms));
    message.content = Content::Phone { text: "Код: 482913 + 1 & more = ünïcode €\n\n@example.com #482913".to_owned() };
    let form = posted(SECTION, &message).await;
    assert_eq!(field(&form, "Body"), Some(message.text()));
}

#[tokio::test]
async fn the_sender_is_the_services_or_the_callers_own() {
    let service = SECTION.replace("from = \"+12025550100\"", "messaging_service_sid = \"MG00000000000000000000000000000001\"");
    let mut message = rendered(outgoing(Channel::Sms));
    let form = posted(&service, &message).await;
    assert_eq!((field(&form, "MessagingServiceSid"), field(&form, "From")), (Some("MG00000000000000000000000000000001"), None));
    message.sender = Some("Acme".to_owned());
    let form = posted(&service, &message).await;
    assert_eq!((field(&form, "MessagingServiceSid"), field(&form, "From")), (None, Some("Acme")));
}

#[tokio::test]
async fn a_name_is_no_sender_of_a_call_or_a_whatsapp_message_but_a_number_is() {
    for (channel, own, chosen) in
        [(Channel::Whatsapp, "whatsapp:+12025550102", "whatsapp:+12025550199"), (Channel::Voice, "+12025550101", "+12025550199")]
    {
        let mut message = rendered(outgoing(channel));
        message.sender = Some("Acme".to_owned());
        assert_eq!(field(&posted(SECTION, &message).await, "From"), Some(own));
        message.sender = Some("+12025550199".to_owned());
        assert_eq!(field(&posted(SECTION, &message).await, "From"), Some(chosen));
    }
}

#[tokio::test]
async fn a_template_is_chosen_by_language_and_a_plain_text_needs_none() {
    let sid = async |locale: &'static str, section: &str| {
        let mut message = rendered(outgoing(Channel::Whatsapp));
        message.locale = locale.into();
        field(&posted(section, &message).await, "ContentSid").map(str::to_owned)
    };
    assert_eq!(sid("de-AT", SECTION).await.as_deref(), Some("HX00000000000000000000000000000002"));
    assert_eq!(sid("fr", SECTION).await.as_deref(), Some("HX00000000000000000000000000000001"));
    let one = SECTION.replace("content_sid = \"HX00000000000000000000000000000001\"\n", "");
    assert_eq!(sid("fr", &one).await, None);

    let mut plain = rendered(outgoing(Channel::Whatsapp));
    plain.code = None;
    plain.expires_at = None;
    let form = posted(SECTION, &plain).await;
    assert_eq!((field(&form, "ContentSid"), field(&form, "Body")), (None, Some(plain.text())));
    assert_eq!(field(&form, "ValidityPeriod"), None);
}

#[tokio::test]
async fn a_message_is_kept_for_what_is_left_of_its_codes_life_as_far_as_twilio_takes_it() {
    let mut message = rendered(outgoing(Channel::Sms));
    for (left, told) in [(0, "1"), (900, "1"), (1_999, "1"), (237_000, "237"), (36_000_000, "36000"), (36_001_000, "36000")] {
        message.expires_at = Some(NOW.plus(Duration::from_millis(left)));
        assert_eq!(field(&posted(SECTION, &message).await, "ValidityPeriod"), Some(told), "{left}");
    }
}

#[tokio::test]
async fn a_call_says_its_digits_slowly_and_its_words_as_they_are() {
    let form = posted(SECTION, &call("en")).await;
    let expected = concat!(
        r#"<?xml version="1.0" encoding="UTF-8"?><Response>"#,
        r#"<Say voice="Polly.Joanna" language="en-US">Hello. Your &quot;Acme&quot; code is:</Say><Pause length="1"/>"#,
        r#"<Say voice="Polly.Joanna" language="en-US">4<break time="500ms"/>8<break time="500ms"/>2<break time="500ms"/>9"#,
        r#"<break time="500ms"/>1<break time="500ms"/>3</Say><Pause length="1"/>"#,
        r#"<Say voice="Polly.Joanna" language="en-US">Goodbye.</Say></Response>"#,
    );
    assert_eq!(field(&form, "Twiml"), Some(expected));
    assert_eq!(field(&form, "MachineDetection"), None);
}

#[tokio::test]
async fn a_call_is_read_by_a_voice_of_its_language_or_not_made() {
    let server = Server::start(accepted(Channel::Voice)).await;
    let spoken_by = async |section: &str, locale: &'static str| {
        let form = posted(section, &call(locale)).await;
        let document = field(&form, "Twiml").unwrap().to_owned();
        document.split("<Say ").nth(1).unwrap().split('>').next().unwrap().to_owned()
    };
    let cases = [
        ("en-NZ", r#"voice="Polly.Joanna" language="en-US""#),
        ("de-AT", r#"voice="Polly.Marlene" language="de-DE""#),
        ("pt-PT", r#"voice="Polly.Ines" language="pt-PT""#),
        ("zh-Hans-CN", r#"voice="Polly.Zhiyu" language="cmn-CN""#),
        ("zh-Hant-TW", r#"voice="Google.cmn-TW-Standard-A" language="cmn-TW""#),
        ("ar-EG", r#"voice="Polly.Zeina" language="arb""#),
    ];
    for (locale, reader) in cases {
        assert_eq!(spoken_by(SECTION, locale).await, reader, "{locale}");
    }
    let own = format!("{SECTION}voices = {{ ka = {{ voice = \"Own.Voice-A\", language = \"ka-GE\" }} }}");
    assert_eq!(spoken_by(&own, "ka").await, r#"voice="Own.Voice-A" language="ka-GE""#);
    let unspoken = provider(SECTION, &server.url("")).send(&call("ka")).await;
    assert_eq!(unspoken, TryOutcome::Misconfigured(Diagnostic::Note("no voice for this language")));
    assert!(server.requests().is_empty());
}

#[test]
fn every_built_in_voice_is_one_of_twilios_names_and_no_tag_is_there_twice() {
    for (position, (tag, language, voice)) in voices::VOICES.iter().enumerate() {
        assert!(voice.starts_with("Polly.") || voice.starts_with(&format!("Google.{language}-")), "{voice}");
        assert!(voices::VOICES[..position].iter().all(|(other, ..)| other != tag), "{tag}");
        let primary = tag.split('-').next().unwrap();
        let same = language.starts_with(primary)
            || matches!((primary, *language), ("zh", "cmn-CN" | "cmn-TW" | "yue-HK") | ("no", "nb-NO"));
        assert!(same, "{tag} is read as {language}");
    }
}

#[tokio::test]
async fn machines_are_told_from_people_where_that_is_asked_for() {
    let form = posted(&format!("{SECTION}machine_detection = true\nring_seconds = 20"), &call("en")).await;
    assert_eq!((field(&form, "MachineDetection"), field(&form, "Timeout")), (Some("Enable"), Some("20")));
}

#[tokio::test]
async fn words_that_are_too_long_for_a_call_are_not_sent() {
    let mut message = call("en");
    message.voice = Some(VoiceScript { press: String::new(), parts: vec![VoicePart::Words("word ".repeat(1_000))] });
    let outcome = provider(SECTION, "http://127.0.0.1:9").send(&message).await;
    assert_eq!(outcome, TryOutcome::Misconfigured(Diagnostic::Note("the words are too long for a call")));
}

#[tokio::test]
async fn the_built_in_words_of_every_language_fit_a_call_that_asks_for_a_key() {
    let section = format!("{SECTION}press_key = true");
    let spoken = crate::words::built_in_languages().filter(|tag| tongue::nearest(voices::built_in(), tag).is_some());
    let mut asked = 0;
    for tag in spoken {
        let mut message = outgoing(Channel::Voice);
        message.locale = tag.to_owned();
        message.app_name = "An App With A Rather Long Name GmbH & Co".to_owned();
        let form = posted(&section, &rendered(message)).await;
        let address = field(&form, "Twiml").unwrap().split("action=\"").nth(1).unwrap().split('"').next().unwrap();
        // What sits between here and there is often built for no more.
        assert!(address.len() < 2_000, "{tag}: {}", address.len());
        asked += 1;
    }
    assert!(asked > 40, "{asked}");
}

#[tokio::test]
async fn a_key_sends_in_place_of_the_token() {
    let section = SECTION.replace("endpoint =", "api_key_sid = \"SK01\"\napi_key_secret = \"hush-key\"\nendpoint =");
    let server = Server::start(accepted(Channel::Sms)).await;
    provider(&section, &server.url("")).send(&rendered(outgoing(Channel::Sms))).await;
    let credentials = BASE64.encode(b"SK01:hush-key");
    assert_eq!(server.requests()[0].header("authorization"), format!("Basic {credentials}"));
}

#[tokio::test]
async fn without_a_token_or_a_public_address_no_receipts_are_asked_for() {
    let keyed = SECTION.replace("auth_token = \"hush-token\"", "api_key_sid = \"SK01\"\napi_key_secret = \"hush-key\"");
    for (section, url) in [(keyed.as_str(), Some(URL.to_owned())), (SECTION, None)] {
        let server = Server::start(accepted(Channel::Sms)).await;
        let mut context = context("x", Duration::from_secs(5));
        context.receipts_url = url;
        let provider = TwilioSubject::build(&section.replace("{url}", &server.url("")), context).0.unwrap();
        assert!(provider.receipts().is_none() && provider.tells() == Tells::Nothing);
        provider.send(&rendered(outgoing(Channel::Sms))).await;
        assert_eq!(field(&server.requests()[0].form(), "StatusCallback"), None);
    }
}

#[tokio::test]
async fn a_yes_that_cannot_be_read_is_a_yes_without_an_id() {
    for body in ["", "not json", r#"{"sid":7}"#, r#"{"sid":"two words"}"#] {
        let server = Server::start(answer(201, &[], body)).await;
        let outcome = provider(SECTION, &server.url("")).send(&rendered(outgoing(Channel::Sms))).await;
        assert_eq!(outcome, TryOutcome::Accepted { provider_id: None }, "{body}");
    }
}

#[tokio::test]
async fn each_fault_means_what_follows_from_it() {
    let cases = [
        (400, 21217, "refused"),
        (400, 21265, "refused"),
        (400, 21635, "refused"),
        (400, 63003, "refused"),
        (429, 14107, "throttled"),
        (429, 10004, "throttled"),
        (429, 63018, "throttled"),
        (404, 20404, "misconfigured"),
        (400, 21212, "misconfigured"),
        (400, 21215, "misconfigured"),
        (400, 21606, "misconfigured"),
        (400, 21608, "misconfigured"),
        (400, 21656, "misconfigured"),
        (400, 21703, "misconfigured"),
        (400, 63007, "misconfigured"),
        (400, 21612, "unknown"),
        (400, 30008, "unknown"),
        (403, 99_999, "misconfigured"),
    ];
    for (status, code, label) in cases {
        let server = Server::start(fault(status, code)).await;
        let outcome = provider(SECTION, &server.url("")).send(&rendered(outgoing(Channel::Sms))).await;
        assert_eq!((outcome.label(), outcome.diagnostic()), (label, Some(Diagnostic::Http(status))), "{code}");
    }
}

#[tokio::test]
async fn a_check_signs_in_and_lists_at_most_one_number() {
    let server = Server::start(answer(200, &[], "{}")).await;
    assert_eq!(provider(SECTION, &server.url("")).check().await, Ok(()));
    let request = &server.requests()[0];
    assert_eq!(request.target(), format!("GET /2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json?PageSize=1"));
    assert!(request.header("authorization").starts_with("Basic "));
    for (status, is_credentials) in [(401, true), (404, true), (503, false)] {
        let server = Server::start(answer(status, &[], "{}")).await;
        let told = provider(SECTION, &server.url("")).check().await;
        assert_eq!(matches!(told, Err(CheckError::Credentials { .. })), is_credentials, "{told:?}");
        assert!(told.is_err());
    }
}
