//! Live sends through a message centre that nobody here wrote.

mod centre;

use countersign_model::WebhookEvent;
use countersign_tests::{Ask, Sent, TestApp, poll, sms};
use serde_json::{Value, json};

use self::centre::{Centre, Message};
use crate::receipts::listen;
use crate::texts::{SERVICE, post, until_told};

const NUMBER: &str = "+12025550143";

/// A server whose text messages go to the centre.
async fn serving(centre: &mut Centre, parts: &str) -> TestApp {
    // Too long a name for one message.
    let name = json!("Ж".repeat(60));
    let builder = TestApp::builder().with(|setup| centre.set_up(setup, parts)).generous();
    let app = builder.service(SERVICE, &[("app_name", name)]).spawn().await;
    assert_eq!(centre.line().await, json!({"bound": "countersign"}), "a bind is there before the first message");
    app
}

fn code(text: &str) -> String {
    let digits: Vec<_> = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| digits.len() == 6).collect();
    assert_eq!(digits.len(), 1, "{text}");
    digits[0].to_owned()
}

async fn until(app: &TestApp, sent: &Sent, status: &str) {
    poll("the receipt's effect", async || {
        let shown = app.live().status(sent).await.text("$.channels.sms.status");
        if shown == status { Ok(()) } else { Err(shown) }
    })
    .await;
}

#[tokio::test]
async fn texts_in_every_writing_arrive_whole_at_a_foreign_centre_and_its_receipts_make_them_delivered() {
    let mut centre = Centre::start().await;
    let app = serving(&mut centre, "udh").await;
    let to = || sms(NUMBER);
    let cases: [(Ask, &str, u64, u64, usize); 3] = [
        (to(), "Acme", 0, 0, 1),
        (to().set("locale", "ru"), "код", 8, 0, 1),
        (to().set("service_id", SERVICE), "ЖЖЖЖ", 8, 0x40, 2),
    ];
    for (ask, word, data_coding, esm_class, count) in cases {
        let sent = app.live().send(ask).await;
        sent.reply.json("$.channels_sent.sms.success", true);
        let message = centre.message().await;
        let text = message.text();
        assert_eq!((message.parts.len(), message.data_coding, message.esm_class), (count, data_coding, esm_class), "{text}");
        assert!(text.contains(word), "{text}");
        for id in message.ids {
            app.live().status(&sent).await.json("$.channels.sms.status", "sent");
            centre.tell(id, "DELIVRD").await;
        }
        until(&app, &sent, "delivered").await;
        app.live().verify(&sent, &code(&text)).await.assert(200).json("$.verified", true);
    }
    app.stop().await;
}

#[tokio::test]
async fn a_long_text_of_the_default_alphabet_is_whole_however_its_parts_are_joined() {
    // So much stands before the characters which take two places that the first of them just fits into the first part, would be split, or comes
    // after it; and what the first part holds.
    let texts = [(151, 152), (152, 152), (153, 153)]
        .map(|(before, held)| (format!("{}é@€[]{{}}~|^\\ß{}", "a".repeat(before - 2), "z".repeat(60)), held));
    let joined = [("udh", 0x40, 2), ("sar", 0, 2), ("payload", 0, 1)];
    for (parts, esm_class, count) in joined {
        let mut centre = Centre::start().await;
        let app = serving(&mut centre, parts).await;
        listen(&app).await;
        for (text, held) in &texts {
            let id = post(&app, "live", NUMBER, text).await.assert(200).text("$.messageId");
            let message = centre.message().await;
            assert_eq!((message.parts.len(), message.data_coding, message.esm_class), (count, 0, esm_class), "{parts}");
            assert_eq!(message.text(), *text, "{parts}");
            if count == 2 {
                assert_eq!(message.parts[0].chars().count(), *held, "{parts}: {:?}", message.parts);
            }
            for id in message.ids {
                centre.tell(id, "DELIVRD").await;
            }
            until_told(&app, &id, WebhookEvent::MessageDelivered).await;
        }
        app.stop().await;
    }
}

#[tokio::test]
async fn a_message_in_parts_is_delivered_when_all_of_them_are_and_failed_when_one_is_not() {
    let mut centre = Centre::start().await;
    let app = serving(&mut centre, "udh").await;
    let sent = async |centre: &mut Centre| {
        let sent = app.live().send(sms(NUMBER).set("service_id", SERVICE)).await;
        let message: Message = centre.message().await;
        let [first, last] = message.ids[..] else { panic!("{:?}", message.ids) };
        (sent, first, last)
    };
    // Also the last one first, and one of them twice.
    for swapped in [false, true] {
        let (sent, first, last) = sent(&mut centre).await;
        let (one, other) = if swapped { (last, first) } else { (first, last) };
        for stat in ["ACCEPTD", "DELIVRD", "DELIVRD", "ENROUTE"] {
            centre.tell(one, stat).await;
            app.live().status(&sent).await.json("$.channels.sms.status", "sent").json("$.channels.sms.delivered_at", Value::Null);
        }
        centre.tell(other, "DELIVRD").await;
        until(&app, &sent, "delivered").await;
    }
    for (before, bad) in [(None, "UNDELIV"), (Some("DELIVRD"), "EXPIRED")] {
        let (sent, first, last) = sent(&mut centre).await;
        if let Some(stat) = before {
            centre.tell(first, stat).await;
        }
        centre.tell(last, bad).await;
        until(&app, &sent, "failed").await;
        centre.tell(first, "DELIVRD").await;
        app.live().status(&sent).await.json("$.channels.sms.status", "failed");
        // The centre tried on.
        centre.tell(last, "DELIVRD").await;
        until(&app, &sent, "delivered").await;
    }
    app.stop().await;
}
