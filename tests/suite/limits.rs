//! How much callers may do: never more than the maximum in any window, and a refused call counts against nothing.

use std::time::Duration;

use countersign_tests::{Ask, Client, TestApp, email};
use serde_json::json;

/// Asks `count` times at once and tells how many were let through; the others were refused by the limit of that name.
async fn let_through(client: &Client, count: usize, ask: impl Fn(usize) -> Ask, limit: &str) -> usize {
    let calls: Vec<_> = (0..count)
        .map(|number| {
            let (client, ask) = (client.clone(), ask(number));
            tokio::spawn(async move { client.try_send(&ask).await })
        })
        .collect();
    let mut through = 0;
    for call in calls {
        let reply = call.await.unwrap();
        if reply.status == 200 {
            through += 1;
        } else {
            reply.error(429, "rate_limited").says("rate limit exceeded").json("$.details.limit", limit);
            assert!(reply.number_in("retry-after") > 0, "{reply:?}");
        }
    }
    through
}

#[tokio::test]
async fn five_sends_in_five_minutes_a_user_exactly_even_at_once() {
    let app = TestApp::spawn().await;
    let ask = |number: usize| email(&format!("ann{number}@example.com")).set("user_id", "ann");
    assert_eq!(let_through(&app, 40, ask, "sends_per_user").await, 5);
    app.advance(Duration::from_millis(299_999));
    assert_eq!(let_through(&app, 3, ask, "sends_per_user").await, 0);
    app.advance(Duration::from_millis(1));
    assert_eq!(let_through(&app, 40, ask, "sends_per_user").await, 5);
}

#[tokio::test]
async fn without_a_user_id_each_address_is_a_user() {
    let app = TestApp::spawn().await;
    assert_eq!(let_through(&app, 8, |_| email("ann@example.com"), "sends_per_user").await, 5);
    assert_eq!(let_through(&app, 1, |_| email("ANN@EXAMPLE.COM"), "sends_per_user").await, 0);
    assert_eq!(let_through(&app, 8, |_| email("bob@example.com"), "sends_per_user").await, 5);
    assert_eq!(let_through(&app, 1, |_| email("eve@example.com").and("sms", "+12025550143"), "sends_per_user").await, 1);
    let both = |_| email("ann@example.com").and("sms", "+12025550144");
    assert_eq!(let_through(&app, 1, both, "sends_per_user").await, 0);
}

#[tokio::test]
async fn one_number_on_two_channels_counts_once_a_call() {
    let app = TestApp::spawn().await;
    let ask = |_| Ask::of(json!({"channels": ["sms", "voice"], "recipients": {"sms": "+12025550143", "voice": "+12025550143"}}));
    assert_eq!(let_through(&app, 8, ask, "sends_per_user").await, 5);
}

#[tokio::test]
async fn a_refused_send_counts_against_nothing() {
    let app = TestApp::builder().set("limits.sends_per_user", "1/5m").set("limits.sends_per_ip", "2/1h").spawn().await;
    let ask = |user: &str| email("ann@example.com").set("user_id", user).set("client_ip", "203.0.113.7");
    app.send(ask("one")).await;
    for _ in 0..3 {
        app.try_send(&ask("one")).await.error(429, "rate_limited").json("$.details.limit", "sends_per_user");
    }
    app.send(ask("two")).await;
    for _ in 0..3 {
        app.try_send(&ask("three")).await.error(429, "rate_limited").json("$.details.limit", "sends_per_ip");
    }
    app.send(ask("three").without("client_ip")).await;
}

#[tokio::test]
async fn a_hundred_active_sessions_a_user() {
    let app = TestApp::builder().generous().spawn().await;
    let ask = |_| email("ann@example.com");
    assert_eq!(let_through(&app, 110, ask, "active_per_user").await, 100);
    app.advance(Duration::from_mins(10));
    app.send(ask(0)).await;
}

#[tokio::test]
async fn a_verified_session_no_longer_counts_as_active() {
    let app = TestApp::builder().set("limits.active_per_user", 1).spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.try_send(&email("ann@example.com")).await.error(429, "rate_limited").json("$.details.limit", "active_per_user");
    app.verify(&sent, sent.code("email")).await.assert(200);
    app.send(email("ann@example.com")).await;
}

#[tokio::test]
async fn twenty_sends_an_hour_for_an_end_users_address() {
    let app = TestApp::builder().generous().spawn().await;
    let from = |address: &'static str| move |number: usize| email(&format!("ann{number}@example.com")).set("client_ip", address);
    assert_eq!(let_through(&app, 30, from("203.0.113.7"), "sends_per_ip").await, 20);
    assert_eq!(let_through(&app, 1, from("::ffff:203.0.113.7"), "sends_per_ip").await, 0);
    assert_eq!(let_through(&app, 1, from("203.0.113.8"), "sends_per_ip").await, 1);
    app.advance(Duration::from_hours(1));
    assert_eq!(let_through(&app, 1, from("203.0.113.7"), "sends_per_ip").await, 1);
}

#[tokio::test]
async fn an_ipv6_host_is_counted_by_its_network() {
    let app = TestApp::builder().generous().set("limits.sends_per_ip", "2/1h").spawn().await;
    let from = |address: &str| email("ann@example.com").set("client_ip", address);
    app.send(from("2001:db8:1:2::1")).await;
    app.send(from("2001:db8:1:2:ffff::9")).await;
    app.try_send(&from("2001:db8:1:2:abcd::3")).await.error(429, "rate_limited").json("$.details.limit", "sends_per_ip");
    app.send(from("2001:db8:1:3::1")).await;
}

#[tokio::test]
async fn without_client_ip_no_address_is_counted() {
    let app = TestApp::builder().set("limits.sends_per_ip", "1/1h").spawn().await;
    for number in 0..3 {
        app.send(email(&format!("ann{number}@example.com"))).await;
    }
}

#[tokio::test]
async fn live_and_sandbox_are_counted_apart() {
    let sink = countersign_tests::MailSink::start().await;
    let app = TestApp::builder().live_email(&sink).set("limits.sends_per_user", "1/5m").spawn().await;
    app.live().send(email("ann@example.com").set("sandbox_mode", true)).await;
    app.live().try_send(&email("ann@example.com").set("sandbox_mode", true)).await.error(429, "rate_limited");
    app.live().send(email("ann@example.com")).await;
}

#[tokio::test]
async fn a_thousand_calls_a_minute_a_key() {
    let app = TestApp::spawn().await;
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let client = (*app).clone();
            tokio::spawn(async move {
                let mut refused = Vec::new();
                for _ in 0..65 {
                    let reply = client.get("/api/v1/otp/sessions?limit=1").await;
                    if reply.status != 200 {
                        refused.push(reply);
                    }
                }
                refused
            })
        })
        .collect();
    let mut refused = Vec::new();
    for call in calls {
        refused.extend(call.await.unwrap());
    }
    assert_eq!(refused.len(), 16 * 65 - 1000);
    for reply in refused {
        reply.error(429, "rate_limited").json("$.details.limit", "calls_per_key");
        assert!((1..=61).contains(&reply.number_in("retry-after")), "{reply:?}");
        assert_eq!(reply.number_in("x-ratelimit-remaining"), 0, "{reply:?}");
    }
    app.live().get("/api/v1/otp/sessions").await.assert(200);
    app.advance(Duration::from_secs(61));
    app.get("/api/v1/otp/sessions").await.assert(200);
}

#[tokio::test]
async fn failed_authentications_of_one_address_are_counted_and_a_right_key_is_never_held_up() {
    let app = TestApp::builder().set("limits.failed_authentication", "3/1m").spawn().await;
    let stranger = app.with_key("sk_test_unknown");
    for _ in 0..3 {
        stranger.get("/api/v1/otp/sessions").await.error(401, "invalid_api_key");
    }
    let refused = stranger.get("/api/v1/otp/sessions").await;
    refused.error(429, "rate_limited").json("$.details.limit", "failed_authentication");
    assert!(refused.number_in("retry-after") > 0, "{refused:?}");
    app.get("/api/v1/otp/sessions").await.assert(200);
    app.advance(Duration::from_mins(1));
    stranger.get("/api/v1/otp/sessions").await.error(401, "invalid_api_key");
}
