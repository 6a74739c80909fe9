use countersign_model::{Clock as _, ManualClock, MessageId, Partition, Receipt, ReceiptOf, Report, SeededRng, Undelivered};
use secrecy::SecretString;

use super::*;
use crate::receipts::{CallbackRefusal, Reading};
use crate::testing::NOW;

const PRESS: &str = "press_key = true";

async fn read(callback: &Callback) -> Result<Reading, CallbackRefusal> {
    provider(SECTION, "http://127.0.0.1:9").receipts().unwrap().read(callback, NOW).await
}

async fn reported(url: &str, body: &str) -> Option<Report> {
    match read(&signed(url, body)).await.unwrap() {
        Reading::Receipts(receipts) => receipts.first().map(|receipt| receipt.report),
        reply @ Reading::Reply { .. } => panic!("{reply:?}"),
    }
}

#[tokio::test]
async fn each_state_of_a_message_is_told() {
    let undelivered = |why| Some(Report::Undelivered(why));
    let cases = [
        ("accepted", Some(Report::Underway)),
        ("scheduled", Some(Report::Underway)),
        ("queued", Some(Report::Underway)),
        ("sending", Some(Report::Underway)),
        ("sent", Some(Report::Underway)),
        ("delivered", Some(Report::Delivered)),
        ("read", Some(Report::Delivered)),
        ("canceled", undelivered(Undelivered::Unknown)),
        ("failed", undelivered(Undelivered::Unknown)),
        ("failed&ErrorCode=30005", undelivered(Undelivered::NotThere)),
        ("undelivered&ErrorCode=30006", undelivered(Undelivered::NotThere)),
        ("undelivered&ErrorCode=63024", undelivered(Undelivered::NotThere)),
        ("undelivered&ErrorCode=30003", undelivered(Undelivered::Unreachable)),
        ("undelivered&ErrorCode=30004", undelivered(Undelivered::Rejected)),
        ("undelivered&ErrorCode=30007", undelivered(Undelivered::Rejected)),
        ("undelivered&ErrorCode=63014", undelivered(Undelivered::Rejected)),
        ("undelivered&ErrorCode=30036", undelivered(Undelivered::Expired)),
        ("undelivered&ErrorCode=30008", undelivered(Undelivered::Unknown)),
        ("undelivered&ErrorCode=63016", undelivered(Undelivered::Unknown)),
        ("undelivered&ErrorCode=none", undelivered(Undelivered::Unknown)),
    ];
    for (status, report) in cases {
        let (status, more) = status.split_once('&').unwrap_or((status, "More="));
        assert_eq!(reported(URL, &format!("{}&{more}", message_status(status))).await, report, "{status} {more}");
    }
}

#[tokio::test]
async fn each_state_of_a_call_is_told() {
    let unreachable = Report::Undelivered(Undelivered::Unreachable);
    let cases = [
        ("queued", Report::Underway),
        ("initiated", Report::Underway),
        ("ringing", Report::Underway),
        ("in-progress", Report::Underway),
        ("completed", Report::Delivered),
        ("completed&AnsweredBy=human", Report::Delivered),
        ("completed&AnsweredBy=unknown", Report::Delivered),
        ("completed&AnsweredBy=machine_start", unreachable),
        ("completed&AnsweredBy=fax", unreachable),
        ("busy", unreachable),
        ("no-answer", unreachable),
        ("failed", Report::Undelivered(Undelivered::Unknown)),
        ("canceled", Report::Undelivered(Undelivered::Unknown)),
    ];
    for (status, report) in cases {
        let (status, more) = status.split_once('&').unwrap_or((status, "More="));
        let body = format!("{}&{more}", call_status(status));
        assert_eq!(reported(URL, &body).await, Some(report), "{status} {more}");
    }
    assert_eq!(reported(&format!("{URL}?asks=key"), &call_status("completed")).await, Some(Report::Underway));
    assert_eq!(reported(&format!("{URL}?asks=key"), &call_status("busy")).await, Some(unreachable));
}

#[tokio::test]
async fn what_is_not_ours_is_named_by_twilios_id_or_passed_over() {
    let Ok(Reading::Receipts(receipts)) = read(&signed(&format!("{URL}?r=nonsense"), &message_status("sent"))).await else {
        panic!()
    };
    assert_eq!(receipts[0].of, ReceiptOf::ProviderId("SM00000000000000000000000000000017".to_owned()));
    for body in ["", "MessageStatus=delivered", "MessageSid=SM1", "CallSid=CA1", "a=%FF%00&&==&%"] {
        assert_eq!(reported(URL, body).await, None, "{body}");
    }
}

/// The vendor's own examples, from the tests of its library for Go.
#[tokio::test]
async fn the_vendors_own_signatures_are_taken() {
    let token = SecretString::from("12345");
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    let form = "Digits=1234&CallSid=CA1234567890ABCDE&To=%2B18005551212&Caller=%2B14158675309&From=%2B14158675309";
    let with = |url: &str, body: &str, signature: &str| Callback {
        is_get: false,
        url: url.to_owned(),
        path_secret: None,
        headers: vec![("x-twilio-signature".to_owned(), signature.as_bytes().to_vec())],
        body: body.as_bytes().to_vec(),
    };
    let json = r#"{"property": "value", "boolean": true}"#;
    let hash = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
    let genuine = [
        with(url, form, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        with(url, form, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        with(&url.replace(".com", ".com:1234"), form, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        with(&url.replace("https", "http"), form, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        with(&url.replace("https", "http").replace(".com", ".com:1234"), form, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        with(&format!("{url}&bodySHA256={hash}"), json, "a9nBmqA0ju/hNViExpshrM61xv4="),
        with(&format!("https://mycompany.com/myapp.php?bodySHA256={hash}"), json, "y77kIzt2vzLz71DgmJGsen2scGs="),
    ];
    for callback in &genuine {
        assert!(signature::is_genuine(&token, callback), "{}", callback.url);
    }
    assert!(!signature::is_genuine(&token, &with(&format!("{url}&bodySHA256={hash}"), "{}", "a9nBmqA0ju/hNViExpshrM61xv4=")));
    assert!(!signature::is_genuine(&token, &with(url, form, "RSOYDt4T1cUTdK1PDd93/VVr8B9=")));
    assert!(!signature::is_genuine(&SecretString::from("12346"), &genuine[0]));
}

/// The address that a key press is posted to.
async fn asking() -> (Vec<(String, String)>, String) {
    let form = posted(&format!("{SECTION}{PRESS}"), &call("en")).await;
    let document = field(&form, "Twiml").unwrap().to_owned();
    let address = document.split("action=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    (form, address)
}

#[tokio::test]
async fn a_call_can_ask_for_a_key_before_it_says_the_code() {
    let (form, address) = asking().await;
    let document = field(&form, "Twiml").unwrap();
    let expected = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Gather input=\"dtmf\" numDigits=\"1\" timeout=\"10\" finishOnKey=\"\" \
         method=\"POST\" action=\"{}\"><Say voice=\"Polly.Joanna\" language=\"en-US\">Acme &amp; Söhne calls: press a \
         &lt;key&gt;.</Say></Gather><Hangup/></Response>",
        address.replace('&', "&amp;"),
    );
    assert_eq!(document, expected);
    let reference = call("en").reference();
    assert!(address.starts_with(&format!("{URL}?r={reference}&say=")), "{address}");
    assert!(!form.iter().any(|(_, value)| value.contains("482913") || value.contains("4<break")), "{form:?}");
    assert_eq!(field(&form, "StatusCallback"), Some(format!("{URL}?r={reference}&asks=key").as_str()));

    let pressed = read(&signed(&address, &format!("{}&Digits=5", call_status("in-progress")))).await;
    let says = twiml::document(&twiml::script(Reader { voice: "Polly.Joanna", language: "en-US" }, &call("en").voice.unwrap()));
    let heard = Receipt { of: ReceiptOf::Reference(reference), report: Report::Delivered, at: None, carrier: None };
    assert_eq!(pressed, Ok(Reading::Reply { media_type: "text/xml", body: says, receipts: vec![heard] }));
}

#[tokio::test]
async fn without_a_key_or_after_the_codes_life_nothing_is_said() {
    let (_, address) = asking().await;
    let nothing = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Hangup/></Response>".to_owned();
    for body in [call_status("in-progress"), call_status("in-progress") + "&Digits="] {
        let told = Ok(Reading::Reply { media_type: "text/xml", body: nothing.clone(), receipts: Vec::new() });
        assert_eq!(read(&signed(&address, &body)).await, told);
    }
    let clock = ManualClock::new(NOW);
    clock.advance(Duration::from_millis(600_001));
    let late = signed(&address, &(call_status("in-progress") + "&Digits=5"));
    let provider = provider(SECTION, "http://127.0.0.1:9");
    let told = provider.receipts().unwrap().read(&late, clock.now()).await;
    assert!(matches!(told, Err(CallbackRefusal::Malformed(_))), "{told:?}");
    let unsigned = Callback { headers: Vec::new(), ..signed(&address, "Digits=5") };
    assert_eq!(read(&unsigned).await, Err(CallbackRefusal::Forged));
}

#[tokio::test]
async fn what_was_sealed_for_one_message_is_not_said_for_another() {
    let (_, address) = asking().await;
    let reference = call("en").reference().to_string();
    let other = call("en").errand.reference(MessageId::mint(NOW, &SeededRng::new(70), Partition::of(3))).to_string();
    let pressed = call_status("in-progress") + "&Digits=5";
    let (with_other, without) = (address.replace(&reference, &other), address.replace(&format!("r={reference}&"), ""));
    for altered in [with_other, without, format!("{address}&r={reference}")] {
        let told = read(&signed(&altered, &pressed)).await;
        assert!(matches!(told, Err(CallbackRefusal::Malformed(_))), "{altered}: {told:?}");
    }
}

#[tokio::test]
async fn a_plain_text_is_said_without_a_key() {
    let mut message = call("en");
    message.voice = None;
    message.code = None;
    message.expires_at = None;
    let form = posted(&format!("{SECTION}{PRESS}"), &message).await;
    assert!(!field(&form, "Twiml").unwrap().contains("Gather"));
    assert!(!field(&form, "StatusCallback").unwrap().contains("asks"));
}
