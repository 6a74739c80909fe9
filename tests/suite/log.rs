//! What the event log holds of a session's life.

use std::time::Duration;

use countersign_model::EventKind;
use countersign_tests::{TestApp, email, happened};

/// The names of a session's events, in order, once the server has stopped.
async fn names(app: TestApp, session: &str) -> Vec<&'static str> {
    let events = happened(app.stop().await.path()).await.remove(session).unwrap();
    let numbers: Vec<u32> = events.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=u32::try_from(events.len()).unwrap()).collect::<Vec<_>>(), "{events:?}");
    events.iter().map(|(_, kind)| kind.name()).collect()
}

#[tokio::test]
async fn every_step_is_in_the_log_once_in_order() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com").later("sms", "+12025550143", 60).max_attempts(1)).await;
    app.guess_wrong(&sent).await.assert(200);
    app.guess_wrong(&sent).await.assert(429);
    app.advance(Duration::from_secs(30));
    let again = countersign_tests::Sent::read(app.resend(&sent).await);
    app.next(&sent).await.assert(200);
    app.verify(&sent, again.code("email")).await.assert(200).json("$.verified", true);
    app.verify(&sent, again.code("email")).await.assert(409);
    let expected = [
        "session.created",
        "message.sent",
        "guess.refused",
        "session.locked",
        "session.resent",
        "message.sent",
        "session.fallback",
        "message.sent",
        "channel.verified",
        "session.verified",
    ];
    assert_eq!(names(app, &sent.session_id).await, expected);
}

#[tokio::test]
async fn a_contact_is_due_once_when_the_first_channel_proves_itself() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com").and("sms", "+12025550143").all().set("add_contact", true)).await;
    app.verify_each(&sent, &[("sms", sent.code("sms"))]).await.json("$.verified", true);
    app.verify_each(&sent, &[("email", sent.code("email"))]).await.json("$.session_verified", true);
    let events = happened(app.stop().await.path()).await.remove(&sent.session_id).unwrap();
    let due: Vec<&EventKind> = events.iter().map(|(_, kind)| kind).filter(|kind| kind.name() == "contact.due").collect();
    assert_eq!(due.len(), 1, "{events:?}");
    assert!(format!("{due:?}").contains("Sms"), "{due:?}");
}

#[tokio::test]
async fn a_cancel_is_in_the_log_once_however_often_it_is_asked_for() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.cancel(&sent).await.assert(200);
    app.cancel(&sent).await.assert(200);
    assert_eq!(names(app, &sent.session_id).await, ["session.created", "message.sent", "session.canceled"]);
}
