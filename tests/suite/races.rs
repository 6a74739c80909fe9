//! Many callers at the same moment.

use countersign_tests::{Client, Reply, Sent, TestApp, email};

/// Submits the same code `count` times at once.
async fn at_once(client: &Client, sent: &Sent, code: &str, count: usize) -> Vec<Reply> {
    let calls: Vec<_> = (0..count)
        .map(|_| {
            let (client, sent, code) = (client.clone(), sent.clone(), code.to_owned());
            tokio::spawn(async move { client.verify(&sent, &code).await })
        })
        .collect();
    let mut replies = Vec::with_capacity(count);
    for call in calls {
        replies.push(call.await.unwrap());
    }
    replies
}

#[tokio::test]
async fn of_two_hundred_wrong_guesses_at_once_exactly_three_are_counted() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com").max_attempts(3)).await;
    let replies = at_once(&app, &sent, &sent.wrong(), 200).await;
    let mut left: Vec<i64> = Vec::new();
    for reply in &replies {
        if reply.status == 200 {
            reply.json("$.verified", false);
            left.push(reply.int("$.attempts_remaining"));
        } else {
            reply.error(429, "session_locked");
        }
    }
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2]);
    app.verify(&sent, sent.code("email")).await.error(429, "session_locked");
    let events = countersign_tests::happened(app.stop().await.path()).await.remove(&sent.session_id).unwrap();
    assert_eq!(events.iter().filter(|(_, kind)| kind.name() == "guess.refused").count(), 3, "{events:?}");
    assert_eq!(events.iter().filter(|(_, kind)| kind.name() == "session.locked").count(), 1, "{events:?}");
}

#[tokio::test]
async fn of_fifty_right_guesses_at_once_exactly_one_succeeds() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    let replies = at_once(&app, &sent, sent.code("email"), 50).await;
    let won = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(won, 1, "{replies:#?}");
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        reply.error(409, "already_verified").json("$.details.attempts_remaining", 3);
    }
}

#[tokio::test]
async fn a_right_guess_among_wrong_ones_is_never_right_after_the_last() {
    let app = TestApp::builder().generous().spawn().await;
    for round in 0..10 {
        let sent = app.send(email(&format!("ann{round}@example.com")).max_attempts(2)).await;
        let wrong = sent.wrong();
        let (wrongs, right) = tokio::join!(at_once(&app, &sent, &wrong, 6), app.verify(&sent, sent.code("email")));
        let heard = wrongs.iter().filter(|reply| reply.status == 200).count();
        assert!(heard <= 2, "{wrongs:#?}");
        if right.status == 200 {
            assert!(heard <= 1, "two wrong guesses were heard before the right one: {wrongs:#?}");
        } else {
            right.error(429, "session_locked");
            assert_eq!(heard, 2);
        }
    }
}

#[tokio::test]
async fn of_twenty_equal_sends_under_one_key_one_is_sent() {
    let sink = countersign_tests::MailSink::start().await;
    let app = TestApp::builder().live_email(&sink).spawn().await;
    let caller = app.live().with("Idempotency-Key", "order-17");
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let caller = caller.clone();
            tokio::spawn(async move { caller.try_send(&email("ann@example.com")).await })
        })
        .collect();
    let mut sessions = std::collections::BTreeSet::new();
    for call in calls {
        let reply = call.await.unwrap();
        if reply.status == 200 {
            sessions.insert(reply.text("$.session_id"));
        } else {
            reply.error(409, "idempotency_running");
        }
    }
    assert_eq!(sessions.len(), 1);
    assert_eq!(sink.mails().len(), 1);
}

/// Runs the same call `count` times at once.
async fn together<F: Future<Output = Reply> + Send + 'static>(count: usize, call: impl Fn() -> F) -> Vec<Reply> {
    let calls: Vec<_> = (0..count).map(|_| tokio::spawn(call())).collect();
    let mut replies = Vec::with_capacity(count);
    for call in calls {
        replies.push(call.await.unwrap());
    }
    replies
}

#[tokio::test]
async fn of_twenty_resends_at_once_one_is_sent() {
    let app = TestApp::builder().generous().spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.advance(std::time::Duration::from_secs(30));
    let replies = together(20, || {
        let (client, sent) = ((*app).clone(), sent.clone());
        async move { client.resend(&sent).await }
    })
    .await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1, "{replies:#?}");
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        reply.error(429, "rate_limited").json("$.details.limit", "resend_after");
    }
}

#[tokio::test]
async fn every_fallback_goes_out_once_however_many_ask_for_the_next() {
    let app = TestApp::builder().generous().spawn().await;
    let sent = app.send(email("ann@example.com").later("sms", "+12025550143", 60).later("voice", "+12025550143", 90)).await;
    let replies = together(10, || {
        let (client, sent) = ((*app).clone(), sent.clone());
        async move { client.next(&sent).await }
    })
    .await;
    // Those who saw the same turn open one channel together: each of the others is told that there was nothing to open.
    assert!(replies.iter().all(|reply| [200, 409].contains(&reply.status)), "{replies:#?}");
    let mut opened = replies.iter().filter(|reply| reply.status == 200).count();
    assert!((1..=2).contains(&opened), "{replies:#?}");
    while app.next(&sent).await.status == 200 {
        opened += 1;
    }
    assert_eq!(opened, 2);
    let events = countersign_tests::happened(app.stop().await.path()).await.remove(&sent.session_id).unwrap();
    assert_eq!(events.iter().filter(|(_, kind)| kind.name() == "session.fallback").count(), 2, "{events:?}");
    assert_eq!(events.iter().filter(|(_, kind)| kind.name() == "message.sent").count(), 3, "{events:?}");
}

#[tokio::test]
async fn a_cancel_and_a_verification_at_once_never_both_win() {
    let app = TestApp::builder().generous().spawn().await;
    for round in 0..20 {
        let sent = app.send(email(&format!("ann{round}@example.com"))).await;
        let (canceled, verified) = tokio::join!(app.cancel(&sent), app.verify(&sent, sent.code("email")));
        match (canceled.status, verified.status) {
            (200, 410) => drop(app.status(&sent).await.json("$.status", "canceled").clone()),
            (409, 200) => drop(app.status(&sent).await.json("$.status", "verified").clone()),
            _ => panic!("{canceled:?}\n{verified:?}"),
        }
    }
}

#[tokio::test]
async fn guesses_at_one_recipient_over_many_sessions_at_once_never_pass_its_budget() {
    let app = TestApp::builder().generous().spawn().await;
    let mut guesses = Vec::new();
    for _ in 0..3 {
        let sent = app.send(email("ann@example.com").max_attempts(10)).await;
        guesses.extend((0..10).map(|_| sent.clone()));
    }
    let calls: Vec<_> = guesses
        .into_iter()
        .map(|sent| {
            let client = (*app).clone();
            tokio::spawn(async move { client.guess_wrong(&sent).await })
        })
        .collect();
    let mut heard = 0;
    for call in calls {
        let reply = call.await.unwrap();
        if reply.status == 200 {
            heard += 1;
        } else {
            reply.error(429, "recipient_blocked");
        }
    }
    assert_eq!(heard, 20);
}
