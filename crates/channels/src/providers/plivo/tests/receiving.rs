use countersign_model::{ReceiptOf, Report, Undelivered};
use secrecy::SecretString;

use super::*;
use crate::receipts::{CallbackRefusal, Reading};

#[tokio::test]
async fn each_state_is_told() {
    let undelivered = Report::Undelivered;
    let cases = [
        ("queued", "000", Report::Underway),
        ("sent", "000", Report::Underway),
        ("delivered", "000", Report::Delivered),
        ("read", "000", Report::Delivered),
        ("failed", "10", undelivered(Undelivered::Unknown)),
        ("undelivered", "20", undelivered(Undelivered::Unknown)),
        ("undelivered", "30", undelivered(Undelivered::Rejected)),
        ("failed", "50", undelivered(Undelivered::NotThere)),
        ("undelivered", "70", undelivered(Undelivered::Unreachable)),
        ("undelivered", "80", undelivered(Undelivered::Unreachable)),
        ("undelivered", "90", undelivered(Undelivered::Unknown)),
        ("rejected", "100", undelivered(Undelivered::Rejected)),
        ("rejected", "200", undelivered(Undelivered::Rejected)),
        ("failed", "420", undelivered(Undelivered::Expired)),
        ("undelivered", "1000", undelivered(Undelivered::Unknown)),
        ("failed", "", undelivered(Undelivered::Unknown)),
    ];
    let provider = provider(SECTION, "http://127.0.0.1:9");
    for (state, code, report) in cases {
        let callback = signed(URL, &format!("{}&ErrorCode={code}", status(state)));
        let Ok(Reading::Receipts(receipts)) = provider.receipts().unwrap().read(&callback, NOW).await else { panic!("{state}") };
        assert_eq!(receipts[0].report, report, "{state} {code}");
        assert_eq!(receipts[0].of, ReceiptOf::ProviderId("db3ce55a-7f1d-11e1-8ea7-1231380bc196".to_owned()));
    }
    for body in ["Status=delivered", "MessageUUID=1", "a=%FF%00&&==&%"] {
        let read = provider.receipts().unwrap().read(&signed(&format!("{URL}?r=nonsense"), body), NOW).await;
        assert_eq!(read, Ok(Reading::Receipts(Vec::new())), "{body}");
    }
}

#[tokio::test]
async fn a_state_names_the_network_by_its_code() {
    for (country, network, expected) in [
        ("310", "004", Some("310004")),
        ("204", "09", Some("20409")),
        ("", "", None),
        ("310", "", None),
        ("310", "0040", None),
        ("31", "004", None),
        ("310", "00x", None),
        ("310", "%D9%A3", None),
    ] {
        let body = status("delivered").replace("MCC=310&MNC=004", &format!("MCC={country}&MNC={network}"));
        let read = provider(SECTION, "http://127.0.0.1:9").receipts().unwrap().read(&signed(URL, &body), NOW).await;
        let Ok(Reading::Receipts(receipts)) = read else { panic!("{read:?}") };
        assert_eq!(receipts[0].carrier.as_deref(), expected, "{country} {network}");
    }
}

/// The vendor's own examples, from the tests of its library for Go.
#[test]
fn the_vendors_own_signatures_are_taken() {
    let token = SecretString::from("Y2Q2ZDgxZmY5YWRiOTI5YmQ1Njg0MTAxZWIyOTc4");
    let address = "https://plivobin.non-prod.plivops.com/api/v1/validate_signature03.xml";
    let fields = [
        ("Direction", "outbound"),
        ("From", "19792014278"),
        ("ALegUUID", "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"),
        ("CallStatus", "in-progress"),
        ("BillRate", "0.002"),
        ("ParentAuthID", "MANWVLYTK4ZWU1YTY4QA"),
        ("To", "sip:PlivoSignature382029104058171078704104@phone-qa.voice.plivodev.com"),
        ("ALegRequestUUID", "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"),
        ("CallUUID", "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"),
        ("RequestUUID", "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"),
        ("SIP-H-To", "<sip:PlivoSignature382029104058171078704104@52.9.11.55;transport=udp>;tag=1"),
        ("SessionStart", "2020-04-08 11:34:33.238707"),
        ("Event", "StartApp"),
    ];
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let callback = |url: &str, is_get: bool, header: &str, signature: &str| {
        let (url, body) = match (is_get, url.contains('?')) {
            (true, true) => (format!("{url}&{form}"), ""),
            (true, false) => (format!("{url}?{form}"), ""),
            (false, _) => (url.to_owned(), form.as_str()),
        };
        let headers = [("x-plivo-signature-v3-nonce", "31627761595286130198"), (header, signature)];
        Callback { is_get, ..with_headers(&url, body, &headers) }
    };
    let (own, main) = ("x-plivo-signature-v3", "x-plivo-signature-ma-v3");
    let queried = format!("{address}/?a=b&c=d");
    let genuine = [
        callback(&queried, false, own, "k7Pusd4OxCIjR5IfA9iedDNu/h/gbdYqdzG/MiYtd1c="),
        callback(&queried, true, own, "UBq8jAtd32wR8EK9VgxbBn4n5rpI/l1H9iN4WfSEHFQ="),
        callback(address, false, main, "iAjE5QqI37mbkYe4w3jTMudqEzbDufdqi7sYwTu64e0="),
        callback(address, true, main, "bm8=, i/MQsaQSAd6fiKhOh2qeeeLHZ9faldADSb3/7+Akfbc="),
    ];
    for (number, genuine) in genuine.iter().enumerate() {
        assert!(signature::is_genuine(&token, genuine), "{number}");
        assert!(!signature::is_genuine(&SecretString::from("another"), genuine), "{number}");
    }
}

/// The vendor's own example, from the tests of its library for Go.
#[test]
fn the_vendors_own_signature_of_messages_is_taken() {
    let signed = |url: &str, header: &str, nonce: &str| {
        let signature = "ehV3IKhLysWBxC1sy8INm0qGoQYdYsHwuoKjsX7FsXc=";
        with_headers(url, "MessageUUID=1", &[("x-plivo-signature-v2-nonce", nonce), (header, signature)])
    };
    let token = SecretString::from("my_auth_token");
    let (own, main) = ("x-plivo-signature-v2", "x-plivo-signature-ma-v2");
    for genuine in [
        signed("https://answer.url", own, "12345"),
        signed("https://answer.url", main, "12345"),
        // It covers neither the query nor the form.
        signed("https://answer.url?r=1", own, "12345"),
        signed("https://answer.url#more", own, "12345"),
    ] {
        assert!(signature::is_genuine(&token, &genuine), "{}", genuine.url);
        assert!(!signature::is_genuine(&SecretString::from("my_auth_tokens"), &genuine), "{}", genuine.url);
    }
    for forged in [
        signed("https://answer.url/", own, "12345"),
        signed("https://answer.url", own, "12346"),
        signed("https://answer.url", "x-plivo-signature-v3", "12345"),
        // What only moves the border between the two.
        signed("https://answer.ur", own, "l12345"),
    ] {
        assert!(!signature::is_genuine(&token, &forged), "{}", forged.url);
    }
}

/// Both of Plivo's schemes come with a message's states: a subaccount knows only the token of the older one.
#[tokio::test]
async fn a_state_is_taken_by_either_scheme_and_by_none_of_them_refused() {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"hush-token");
    let nonce = "05429567804466091622";
    let older = BASE64.encode(hmac::sign(&key, format!("{URL}{nonce}").as_bytes()).as_ref());
    let reference = rendered(outgoing(Channel::Sms)).reference();
    let read = async |older: &str| {
        let headers = [
            ("x-plivo-signature-v3-nonce", "1"),
            ("x-plivo-signature-ma-v3", "bm8="),
            ("x-plivo-signature-v2-nonce", nonce),
            ("x-plivo-signature-v2", older),
        ];
        let callback = with_headers(&format!("{URL}?r={reference}"), &status("delivered"), &headers);
        provider(SECTION, "http://127.0.0.1:9").receipts().unwrap().read(&callback, NOW).await
    };
    let Ok(Reading::Receipts(receipts)) = read(&older).await else { panic!("refused") };
    assert_eq!((&receipts[0].of, receipts[0].report), (&ReceiptOf::Reference(reference), Report::Delivered));
    assert_eq!(read("bm8=").await, Err(CallbackRefusal::Forged));
}

/// Version 2 does not cover the form, so anything may stand in it.
#[tokio::test]
async fn whatever_stands_in_a_form_that_is_not_covered_does_no_harm() {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"hush-token");
    let signature = BASE64.encode(hmac::sign(&key, format!("{URL}1").as_bytes()).as_ref());
    let several = format!("bm8=, {signature}");
    let reports = async |query: &str, body: &[u8]| {
        let headers = [("x-plivo-signature-v2-nonce", "1"), ("x-plivo-signature-v2", several.as_str())];
        let callback = Callback { body: body.to_vec(), ..with_headers(&format!("{URL}{query}"), "", &headers) };
        match provider(SECTION, "http://127.0.0.1:9").receipts().unwrap().read(&callback, NOW).await {
            Ok(Reading::Receipts(receipts)) => receipts.into_iter().map(|receipt| receipt.report).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }
    };
    let huge = "9".repeat(1 << 20);
    for (query, body, expected) in [
        ("", &b"\xff\xfe\x00=%ff&Status\xff=delivered&MessageUUID=1"[..], &[][..]),
        ("?r=%ff%00&&==", b"MessageUUID[]=1&Status[]=delivered", &[]),
        ("?r=1&r=2", br#"{"MessageUUID":"1","Status":"delivered"}"#, &[]),
        ("", format!("MessageUUID=1&Status={huge}&ErrorCode={huge}").as_bytes(), &[Report::Underway]),
        ("", b"MessageUUID=1&Status=sent&Status=failed", &[Report::Underway]),
        ("", b"MessageUUID=1&Status=FAILED", &[Report::Underway]),
    ] {
        assert_eq!(reports(query, body).await, expected, "{}", String::from_utf8_lossy(&body[..body.len().min(80)]));
    }
}
