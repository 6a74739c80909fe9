use serde_json::{Value, json};

use super::*;
use crate::aws::testing::{CERTIFICATE_URL, SIGNER, Shelf, TOPIC, forgeries, notification, posted, signed};
use crate::testing::NOW;

const URL: &str = "https://otp.example.com/receipts/ses/mail";
const CONFIRM: &str = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-central-1:123456789012:otp-events&Token=2336";

fn topic(shelf: &Arc<Shelf>) -> Topic {
    Topic::read("providers.mail", TOPIC, Arc::clone(shelf) as Arc<dyn Fetch>).unwrap()
}

async fn open(envelope: &Value) -> Result<Option<String>, CallbackRefusal> {
    topic(&Shelf::stocked()).open(&posted(envelope, URL), NOW).await
}

fn subscription(kind: &str) -> Value {
    let mut envelope = notification("You have chosen to subscribe.");
    envelope["Type"] = kind.into();
    envelope["SubscribeURL"] = CONFIRM.into();
    envelope["Token"] = "2336".into();
    envelope
}

#[tokio::test]
async fn what_openssl_signed_is_genuine_in_both_versions() {
    for text in [include_bytes!("../../../testdata/sns/version1.json"), include_bytes!("../../../testdata/sns/version2.json")] {
        let mut callback = posted(&json!({}), URL);
        callback.body = text.to_vec();
        let opened = topic(&Shelf::stocked()).open(&callback, NOW).await;
        assert_eq!(opened, Ok(Some("{\"hello\":\"wörld\\n\"}".to_owned())));
        for forged in forgeries(&callback) {
            // The version that it has already is no forgery.
            if forged.body != posted(&serde_json::from_slice(text).unwrap(), URL).body {
                let opened = topic(&Shelf::stocked()).open(&forged, NOW).await;
                assert_eq!(opened, Err(CallbackRefusal::Forged), "{}", String::from_utf8_lossy(&forged.body));
            }
        }
    }
}

#[tokio::test]
async fn a_certificate_is_fetched_once_and_kept_with_few_others() {
    let name = |number: usize| format!("https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-{number}.pem");
    let names: Vec<String> = (0..=MAX_CERTIFICATES).map(name).collect();
    let things = names.iter().map(|url| (url.clone(), SIGNER.to_vec())).collect();
    let shelf = Arc::new(Shelf { things, ..Shelf::default() });
    let topic = topic(&shelf);
    let heard = async |url: &str| {
        let mut envelope = notification("{}");
        envelope["SigningCertURL"] = url.into();
        topic.open(&posted(&signed(envelope), URL), NOW).await.unwrap()
    };
    for _ in 0..3 {
        heard(&names[0]).await;
    }
    assert_eq!(shelf.asked(), names[..1]);
    for name in &names {
        heard(name).await;
    }
    assert_eq!(shelf.asked(), names);
    assert_eq!(topic.kept().len(), 1, "what is full begins again");
}

#[tokio::test]
async fn a_certificate_counts_only_in_its_time_and_with_its_own_key() {
    let (expired, stranger) =
        (include_bytes!("../../../testdata/sns/expired.pem"), include_bytes!("../../../testdata/sns/stranger.pem"));
    for other in [expired.as_slice(), stranger.as_slice()] {
        let topic = topic(&Shelf::with([(CERTIFICATE_URL, other)]));
        let opened = topic.open(&posted(&signed(notification("{}")), URL), NOW).await;
        assert_eq!(opened, Err(CallbackRefusal::Forged));
    }
    let mut early = notification("{}");
    early["Timestamp"] = "2024-06-01T00:00:00.000Z".into();
    let then: Timestamp = "2024-06-01T00:00:00.000Z".parse().unwrap();
    let in_its_time = topic(&Shelf::with([(CERTIFICATE_URL, expired)]));
    assert_eq!(in_its_time.open(&posted(&signed(early), URL), then).await, Ok(Some("{}".to_owned())));
}

#[tokio::test]
async fn what_cannot_be_fetched_is_not_checked() {
    for shelf in [Shelf::with([]), Shelf::with([(CERTIFICATE_URL, b"")]), Shelf::with([(CERTIFICATE_URL, b"<html>")])] {
        let opened = topic(&shelf).open(&posted(&signed(notification("{}")), URL), NOW).await;
        assert_eq!(opened, Err(CallbackRefusal::Unchecked));
        assert_eq!(shelf.asked(), [CERTIFICATE_URL]);
    }
}

#[tokio::test]
async fn certificates_come_from_the_topics_own_host_only() {
    for elsewhere in [
        "http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem",
        "https://sns.eu-central-1.amazonaws.com.cn/SimpleNotificationService-1.pem",
        "https://sns.eu-central-1.amazonaws.com:8443/SimpleNotificationService-1.pem",
        "https://sns.eu-central-1.amazonaws.com@evil.example/SimpleNotificationService-1.pem",
        "https://me@sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://evil.example/sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-central-1.amazonaws.com/other/SimpleNotificationService-1.pem",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem/more",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-a/../1.pem",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem?x=1",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.der",
        "https://otp-events.s3.amazonaws.com/SimpleNotificationService-1.pem",
        "SimpleNotificationService-1.pem",
        "",
    ] {
        let shelf = Shelf::stocked();
        let mut envelope = notification("{}");
        envelope["SigningCertURL"] = elsewhere.into();
        let opened = topic(&shelf).open(&posted(&signed(envelope), URL), NOW).await;
        assert_eq!(opened, Err(CallbackRefusal::Forged), "{elsewhere}");
        assert_eq!(shelf.asked(), [""; 0], "{elsewhere}");
    }
}

#[tokio::test]
async fn another_topic_is_not_listened_to_and_costs_no_connection() {
    let shelf = Shelf::stocked();
    let mut envelope = notification("{}");
    envelope["TopicArn"] = "arn:aws:sns:eu-central-1:999999999999:otp-events".into();
    let opened = topic(&shelf).open(&posted(&signed(envelope), URL), NOW).await;
    assert_eq!((opened, shelf.asked()), (Err(CallbackRefusal::Forged), vec![]));
}

#[tokio::test]
async fn a_notification_is_heard_for_about_an_hour() {
    let cases = [
        ("2026-01-15T09:40:01.000Z", true),
        ("2026-01-15T09:39:59.000Z", false),
        ("2026-01-15T10:49:59.000Z", true),
        ("2026-01-15T10:50:01.000Z", false),
        ("2026-01-15 10:45", false),
        ("", false),
    ];
    for (moment, is_heard) in cases {
        let mut envelope = notification("{}");
        envelope["Timestamp"] = moment.into();
        let expected = if is_heard { Ok(Some("{}".to_owned())) } else { Err(CallbackRefusal::Forged) };
        assert_eq!(open(&signed(envelope)).await, expected, "{moment}");
    }
}

#[tokio::test]
async fn a_subscription_is_confirmed_once_its_signature_is_right() {
    let shelf = Shelf::with([(CERTIFICATE_URL, SIGNER), (CONFIRM, b"<ConfirmSubscriptionResponse/>")]);
    let confirmation = signed(subscription("SubscriptionConfirmation"));
    assert_eq!(topic(&shelf).open(&posted(&confirmation, URL), NOW).await, Ok(None));
    assert_eq!(shelf.asked(), [CERTIFICATE_URL, CONFIRM]);

    let mut forged = confirmation.clone();
    forged["Token"] = "another".into();
    let shelf = Shelf::stocked();
    assert_eq!(topic(&shelf).open(&posted(&forged, URL), NOW).await, Err(CallbackRefusal::Forged));
    assert_eq!(shelf.asked(), [CERTIFICATE_URL]);

    assert_eq!(open(&confirmation).await, Err(CallbackRefusal::Unchecked), "what cannot be confirmed now is posted again");
}

#[tokio::test]
async fn a_subscription_is_confirmed_at_the_topics_own_host_only() {
    for elsewhere in ["http://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription", "https://evil.example/", ""] {
        let shelf = Shelf::stocked();
        let mut envelope = subscription("SubscriptionConfirmation");
        envelope["SubscribeURL"] = elsewhere.into();
        let opened = topic(&shelf).open(&posted(&signed(envelope), URL), NOW).await;
        assert_eq!(opened, Err(CallbackRefusal::Forged), "{elsewhere}");
        assert_eq!(shelf.asked(), [CERTIFICATE_URL], "{elsewhere}");
    }
}

#[tokio::test]
async fn the_end_of_a_subscription_is_not_taken_back() {
    let shelf = Shelf::with([(CERTIFICATE_URL, SIGNER), (CONFIRM, b"")]);
    let opened = topic(&shelf).open(&posted(&signed(subscription("UnsubscribeConfirmation")), URL), NOW).await;
    assert_eq!((opened, shelf.asked()), (Ok(None), vec![CERTIFICATE_URL.to_owned()]));
}

#[test]
fn a_topic_says_which_host_signs_for_it() {
    let cases = [
        (TOPIC, Some("sns.eu-central-1.amazonaws.com")),
        ("arn:aws-cn:sns:cn-north-1:123456789012:a_B-1", Some("sns.cn-north-1.amazonaws.com.cn")),
        ("arn:aws-us-gov:sns:us-gov-west-1:123456789012:a", Some("sns.us-gov-west-1.amazonaws.com")),
        ("arn:aws:sqs:eu-central-1:123456789012:a", None),
        ("arn:aws:sns:eu-central-1:1234:a", None),
        ("arn:aws:sns:evil.example/:123456789012:a", None),
        ("arn:aws:sns::123456789012:a", None),
        ("arn:aws:sns:eu-central-1:123456789012:a:c9135db0", None),
        ("arn:aws:sns:eu-central-1:123456789012:", None),
        ("arn:other:sns:eu-central-1:123456789012:a", None),
        ("", None),
    ];
    for (arn, expected) in cases {
        assert_eq!(host(arn).as_deref(), expected, "{arn}");
    }
}

/// Never answers.
struct Stuck;

#[async_trait::async_trait]
impl Fetch for Stuck {
    async fn fetch(&self, _: &Url) -> Option<Vec<u8>> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn whoever_posts_nonsense_makes_few_connections_at_a_time() {
    let topic = Topic::read("providers.mail", TOPIC, Arc::new(Stuck)).unwrap();
    let callback = posted(&signed(notification("{}")), URL);
    let mut waiting = Vec::new();
    for _ in 0..MAX_FETCHES {
        let mut opened = Box::pin(topic.open(&callback, NOW));
        assert!(tokio::time::timeout(Duration::ZERO, opened.as_mut()).await.is_err(), "it waits for the certificate");
        waiting.push(opened);
    }
    assert_eq!(topic.open(&callback, NOW).await, Err(CallbackRefusal::Unchecked));
    waiting.pop();
    let again = tokio::time::timeout(Duration::ZERO, topic.open(&callback, NOW)).await;
    assert!(again.is_err(), "who gave up made room: {again:?}");
}
