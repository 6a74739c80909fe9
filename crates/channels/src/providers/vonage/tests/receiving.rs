use countersign_model::{MessageId, Partition, Receipt, ReceiptOf, Report, SeededRng, Timestamp, Undelivered};

use super::*;
use crate::receipts::{CallbackRefusal, Reading};

const PATH: &str = "a-path-that-nobody-can-guess-hush";

fn on_the_path() -> String {
    section().replace("    signature_secret = \"hush-signature\"\n", &format!("    receipts_secret = \"{PATH}\"\n"))
}

async fn read_by(section: &str, callback: &Callback, now: Timestamp) -> Result<Reading, CallbackRefusal> {
    provider(section, "http://127.0.0.1:9").receipts().unwrap().read(callback, now).await
}

async fn read(callback: &Callback) -> Result<Reading, CallbackRefusal> {
    read_by(&section(), callback, NOW).await
}

async fn reported(callback: &Callback) -> Option<Report> {
    match read(callback).await.unwrap() {
        Reading::Receipts(receipts) => receipts.first().map(|receipt| receipt.report),
        reply @ Reading::Reply { .. } => panic!("{reply:?}"),
    }
}

#[test]
fn each_state_of_a_text_message_is_told() {
    let undelivered = Report::Undelivered;
    let cases = [
        ("accepted", "0", Report::Underway),
        ("buffered", "0", Report::Underway),
        ("unknown", "1", Report::Underway),
        ("delivered", "0", Report::Delivered),
        ("expired", "0", undelivered(Undelivered::Expired)),
        ("failed", "1", undelivered(Undelivered::Unknown)),
        ("failed", "2", undelivered(Undelivered::Unreachable)),
        ("failed", "3", undelivered(Undelivered::NotThere)),
        ("failed", "4", undelivered(Undelivered::Rejected)),
        ("failed", "5", undelivered(Undelivered::Unknown)),
        ("failed", "6", undelivered(Undelivered::Rejected)),
        ("failed", "7", undelivered(Undelivered::Unreachable)),
        ("failed", "9", undelivered(Undelivered::Rejected)),
        ("failed", "12", undelivered(Undelivered::Unknown)),
        ("rejected", "1", undelivered(Undelivered::Rejected)),
        ("rejected", "3", undelivered(Undelivered::NotThere)),
    ];
    for (status, error, report) in cases {
        assert_eq!(code::of_message(status, Some(error)), report, "{status} {error}");
    }
    assert_eq!(code::of_message("failed", None), undelivered(Undelivered::Unknown));
}

#[tokio::test]
async fn each_state_of_a_call_is_told() {
    let unreachable = Report::Undelivered(Undelivered::Unreachable);
    let cases = [
        ("started", Report::Underway),
        ("ringing", Report::Underway),
        ("answered", Report::Underway),
        ("machine", Report::Underway),
        ("completed", Report::Delivered),
        ("busy", unreachable),
        ("timeout", unreachable),
        ("unanswered", unreachable),
        ("rejected", Report::Undelivered(Undelivered::Rejected)),
        ("failed", Report::Undelivered(Undelivered::Unknown)),
        ("cancelled", Report::Undelivered(Undelivered::Unknown)),
    ];
    for (status, report) in cases {
        assert_eq!(reported(&event(status, URL)).await, Some(report), "{status}");
    }
    assert_eq!(reported(&event("completed", &format!("{URL}?asks=key"))).await, Some(Report::Underway));
    assert_eq!(reported(&event("busy", &format!("{URL}?asks=key"))).await, Some(unreachable));
}

#[tokio::test]
async fn a_receipt_is_the_same_as_a_query_a_form_and_json() {
    let reference = rendered(outgoing(Channel::Sms)).reference();
    let form = receipt("delivered", &reference.to_string());
    let text = String::from_utf8(form.body.clone()).unwrap();
    let query = Callback { is_get: true, url: format!("{URL}?{text}"), body: Vec::new(), ..form.clone() };
    let fields: serde_json::Map<String, Value> =
        form.form().into_iter().map(|(name, value)| (name, Value::String(value))).collect();
    let json = Callback { body: Value::Object(fields).to_string().into_bytes(), ..form.clone() };
    for callback in [form, query, json] {
        let Ok(Reading::Receipts(receipts)) = read(&callback).await else { panic!("{}", callback.url) };
        assert_eq!(receipts.len(), 1);
        assert_eq!(receipts[0].of, ReceiptOf::Reference(reference));
        assert_eq!((receipts[0].report, receipts[0].carrier.as_deref()), (Report::Delivered, Some("31000")));
    }
}

/// It may not be signed, so whoever has seen a receipt could put it there.
#[tokio::test]
async fn a_field_that_holds_nothing_stands_in_no_other_ones_place() {
    let reference = rendered(outgoing(Channel::Sms)).reference();
    let genuine = receipt("delivered", &reference.to_string());
    let body = [b"status=&client-ref=%20&messageId=&", &genuine.body[..]].concat();
    let Ok(Reading::Receipts(receipts)) = read(&Callback { body, ..genuine }).await else { panic!() };
    assert_eq!((&receipts[0].of, receipts[0].report), (&ReceiptOf::Reference(reference), Report::Delivered));
}

#[tokio::test]
async fn an_event_of_a_call_says_when_it_was_and_through_whom() {
    let Ok(Reading::Receipts(receipts)) = read(&event("completed", URL)).await else { panic!() };
    assert_eq!(receipts[0].of, ReceiptOf::ProviderId("63f61863-4a51-4f6b-86e1-46edebcf9356".to_owned()));
    assert_eq!((receipts[0].at, receipts[0].carrier.as_deref()), (Some(NOW), Some("US-FIXED")));
}

/// A page of Vonage's has the hash taken over the JSON in its own order and without blanks.
#[tokio::test]
async fn a_body_may_be_hashed_without_the_blanks_that_stand_in_it() {
    let body = include_str!("../fixtures/event.json").replace("{status}", "completed");
    let compact = serde_json::from_str::<Value>(&body).unwrap().to_string();
    assert!(compact.len() < body.len() && compact.starts_with(r#"{"headers":{},"from":"#), "{compact}");
    let signed = |body: &str, hashed: &str| posted(URL, body, Some(token(SIGNATURE, NOW.seconds(), hashed)));
    assert_eq!(reported(&signed(&body, &compact)).await, Some(Report::Delivered));
    assert_eq!(reported(&signed(&compact, &compact)).await, Some(Report::Delivered));
    for (body, hashed) in [
        (body.replace("completed", "failed"), compact.clone()),
        (body.replace("0101", "01 01"), compact.clone()),
        (compact, body.clone()),
        (body, String::new()),
    ] {
        assert_eq!(read(&signed(&body, &hashed)).await, Err(CallbackRefusal::Forged), "{body}");
    }
}

#[tokio::test]
async fn a_signed_receipt_is_taken_for_five_minutes() {
    let callback = receipt("delivered", "");
    for (now, is_taken) in [(300, true), (301, false)] {
        let now = NOW.plus(Duration::from_secs(now));
        assert_eq!(read_by(&section(), &callback, now).await.is_ok(), is_taken, "{now}");
    }
}

#[tokio::test]
async fn a_secret_in_the_address_does_in_place_of_a_signature() {
    let unsigned = posted(URL, "messageId=1&status=delivered", None);
    let knows = |secret: &str| Callback { path_secret: Some(secret.to_owned()), ..unsigned.clone() };
    assert!(read_by(&on_the_path(), &knows(PATH), NOW).await.is_ok());
    for callback in [&unsigned, &knows(""), &knows("a-long-path-secret"), &receipt("delivered", "")] {
        assert_eq!(read_by(&on_the_path(), callback, NOW).await, Err(CallbackRefusal::Forged));
    }
    let request = asked(&on_the_path(), &rendered(outgoing(Channel::Sms))).await;
    assert_eq!(field(&request, "callback"), Some(format!("{URL}/{PATH}")));
    let message = call("en");
    let events = asked(&on_the_path(), &message).await.json()["event_url"][0].clone();
    assert_eq!(events, format!("{URL}/{PATH}?r={}", message.reference()));
}

#[tokio::test]
async fn with_both_a_signature_that_comes_must_be_right_and_the_secret_must_be_known() {
    let both = section().replace("    endpoint =", &format!("    receipts_secret = \"{PATH}\"\n    endpoint ="));
    let knows = |callback: Callback| Callback { path_secret: Some(PATH.to_owned()), ..callback };
    let unsigned = posted(URL, "messageId=1&status=delivered", None);
    assert!(read_by(&both, &knows(unsigned.clone()), NOW).await.is_ok());
    assert!(read_by(&both, &knows(receipt("delivered", "")), NOW).await.is_ok());
    assert!(read_by(&both, &knows(event("completed", URL)), NOW).await.is_ok());
    let mut altered = knows(receipt("delivered", ""));
    altered.body.extend_from_slice(b"&more=1");
    for forged in [altered, unsigned, receipt("delivered", "")] {
        assert_eq!(read_by(&both, &forged, NOW).await, Err(CallbackRefusal::Forged));
    }
}

#[tokio::test]
async fn what_tells_nothing_is_passed_over_whatever_it_looks_like() {
    for body in ["", "[]", "null", "{}", "{", r#"{"status":7}"#, r#"{"status":{"a":1},"uuid":[]}"#, r#"{"status":"completed"}"#] {
        assert_eq!(reported(&signed_json(URL, body)).await, None, "{body}");
    }
}

#[tokio::test]
async fn whatever_comes_to_the_right_address_unsigned_does_no_harm() {
    let reports = async |body: &[u8]| {
        let callback = Callback { path_secret: Some(PATH.to_owned()), body: body.to_vec(), ..posted(URL, "", None) };
        match read_by(&on_the_path(), &callback, NOW).await {
            Ok(Reading::Receipts(receipts)) => {
                receipts.into_iter().map(|receipt| (receipt.report, receipt.carrier)).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        }
    };
    for body in [
        b"\xff\xfe\x00=%ff&status\xff=delivered&messageId".to_vec(),
        b"{\"messageId\":\"\xff\",\"status\":\"delivered\"}".to_vec(),
        "[".repeat(100_000).into_bytes(),
        br#"{"messageId":["1"],"uuid":{"a":1},"status":"delivered"}"#.to_vec(),
        b"messageId[]=1&status[]=delivered".to_vec(),
        b"MESSAGEID=1&STATUS=delivered".to_vec(),
    ] {
        assert_eq!(reports(&body).await, [], "{}", String::from_utf8_lossy(&body[..body.len().min(80)]));
    }
    let huge = "9".repeat(1 << 20);
    let body = format!("messageId=1&status={huge}&network-code={huge}&timestamp={huge}&client-ref={huge}");
    assert_eq!(reports(body.as_bytes()).await, [(Report::Underway, None)]);
    assert_eq!(reports(b"messageId=1&status=sent&status=failed").await, [(Report::Underway, None)]);
}

#[tokio::test]
async fn a_call_can_ask_for_a_key_before_it_says_the_code() {
    let section = section().replace("    from = \"+12025550101\"", "    press_key = true\n    from = \"+12025550101\"");
    let message = call("en");
    let request = asked(&section, &message).await;
    let json = request.json();
    assert!(!request.body.contains("482913") && !request.body.contains("4, 8"), "{}", request.body);
    assert_eq!(json["event_url"][0], format!("{URL}?r={}&asks=key", message.reference()));
    let address = json["ncco"][1]["eventUrl"][0].as_str().unwrap().to_owned();
    let reference = message.reference();
    assert!(address.starts_with(&format!("{URL}?r={reference}&say=")), "{address}");
    let expected = json!([
        { "action": "talk", "text": "Acme & Söhne calls: press a  key .", "language": "en-US", "style": 0, "bargeIn": true },
        { "action": "input", "type": ["dtmf"], "dtmf": { "maxDigits": 1, "timeOut": 10 }, "eventUrl": [address], "eventMethod": "POST" },
    ]);
    assert_eq!(json["ncco"], expected);

    let input = |digits: &str| signed_json(&address, &include_str!("../fixtures/input.json").replace("{digits}", digits));
    let Ok(Reading::Reply { media_type, body, receipts }) = read_by(&section, &input("5"), NOW).await else { panic!() };
    let says = ncco::script(Reader { language: "en-US", style: 0 }, &message.voice.unwrap()).unwrap();
    assert_eq!((media_type, serde_json::from_str::<Value>(&body).unwrap()), ("application/json", Value::Array(says)));

    let heard = Receipt { of: ReceiptOf::Reference(reference), report: Report::Delivered, at: Some(NOW), carrier: None };
    assert_eq!(receipts, [heard]);

    let nothing = Ok(Reading::Reply { media_type: "application/json", body: "[]".to_owned(), receipts: Vec::new() });
    assert_eq!(read_by(&section, &input(""), NOW).await, nothing);
    assert_eq!(read_by(&section, &signed_json(&address, "{}"), NOW).await, nothing);
    let older = signed_json(&address, r#"{"dtmf":"5"}"#);
    assert!(matches!(read_by(&section, &older, NOW).await, Ok(Reading::Reply { body, .. }) if body.contains("4, 8, 2")));
    assert!(matches!(read_by(&section, &signed_json(&address, "no"), NOW).await, Err(CallbackRefusal::Malformed(_))));
    // The signature does not cover the address, so the seal has to.
    let other = message.errand.reference(MessageId::mint(NOW, &SeededRng::new(70), Partition::of(3)));
    let about = |other: &str| address.replace(&format!("r={reference}&"), other);
    for altered in [format!("{address}x"), about(&format!("r={other}&")), about("")] {
        let altered = signed_json(&altered, r#"{"dtmf":"5"}"#);
        assert!(matches!(read_by(&section, &altered, NOW).await, Err(CallbackRefusal::Malformed(_))), "{}", altered.url);
    }
    let unsigned = Callback { headers: Vec::new(), ..input("5") };
    assert_eq!(read_by(&section, &unsigned, NOW).await, Err(CallbackRefusal::Forged));
}

#[tokio::test]
async fn after_the_codes_life_nothing_is_said() {
    let section = section().replace("    from = \"+12025550101\"", "    press_key = true\n    from = \"+12025550101\"");
    let address = asked(&section, &call("en")).await.json()["ncco"][1]["eventUrl"][0].as_str().unwrap().to_owned();
    let body = r#"{"dtmf":"5"}"#;
    let late = NOW.plus(Duration::from_secs(601));
    let callback = posted(&address, body, Some(token(SIGNATURE, late.seconds(), body)));
    assert!(matches!(read_by(&section, &callback, late).await, Err(CallbackRefusal::Malformed(_))));
}
