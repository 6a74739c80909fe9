//! Where live messages may go, by country and kind of number.

use std::time::Duration;

use countersign_tests::{Ask, Expected, ProviderDouble, TestApp, poll, sms};
use serde_json::{Value, json};

use crate::admin_access::{chief, fields, patch, problem};
use crate::dialects_together::{DIALECTS, Polyglot, SERVICE};

const BERLIN: &str = "+4915112345678";
const BOSTON: &str = "+16172530000";
const TORONTO: &str = "+14165550123";
const LONDON: &str = "+447400123456";
const JERSEY: &str = "+447797712345";
/// A German number that shares its cost with whoever calls it, and an American one that costs them more.
const SHARED_COST: &str = "+4918012345";
const PREMIUM: &str = "+19002345678";

/// A server that sends text messages to `double` by these rules.
async fn app(double: &ProviderDouble, rules: &[(&str, Value)]) -> TestApp {
    let builder = TestApp::builder().sms(double).generous();
    rules
        .iter()
        .fold(builder, |builder, (key, value)| builder.set(&format!("session.numbers.{key}"), value.clone()))
        .spawn()
        .await
}

/// What is counted of numbers that were asked for.
async fn counted(app: &TestApp, labels: &str) -> u64 {
    let page = app.admin().get("/metrics").await;
    let text = String::from_utf8_lossy(&page.assert(200).body).into_owned();
    let of = |line: &str| line.strip_prefix(&format!("countersign_destinations_total{{{labels}}} "))?.parse().ok();
    text.lines().find_map(of).unwrap_or(0)
}

#[tokio::test]
async fn a_blocked_country_gets_nothing_in_any_dialect() {
    let double = ProviderDouble::start(Expected::json()).await;
    let builder = TestApp::builder().sms(&double).generous().service(SERVICE, &[("life_minutes", json!(10))]);
    let app =
        builder.set("session.numbers.sms.block", json!(["DE"])).set("session.numbers.voice.block", json!(["DE"])).spawn().await;
    let caller = Polyglot::with(&app, "live");
    for dialect in DIALECTS {
        let reply = caller.try_open(dialect, BERLIN).await;
        match dialect {
            "native" => {
                reply.error(403, "destination_blocked").json("$.details.field", "recipients.sms");
            }
            "kotp" => {
                reply.assert(400).json("$.error.code", "INVALID_PHONE");
            }
            "getotp" => {
                reply.assert(400).json("$.errors[0].code", "1523");
            }
            _ => {
                reply.assert(400).json("$.errors[0].error", "invalid_recipient");
            }
        }
        assert!(!String::from_utf8_lossy(&reply.body).contains("sandbox"), "{reply:?}");
    }
    assert_eq!(double.requests().len(), 0);
    caller.try_open("native", BOSTON).await.assert(200);
    assert_eq!(double.requests().len(), 1);
}

#[tokio::test]
async fn a_plain_message_is_blocked_like_a_code() {
    let double = ProviderDouble::start(Expected::json()).await;
    let builder = TestApp::builder().sms(&double).generous().service(SERVICE, &[]);
    let app = builder.set("session.numbers.sms.block", json!(["DE"])).spawn().await;
    let (_, secret, access) = app.all_keys().find(|(name, ..)| *name == "live").unwrap();
    let caller = app.nobody().with("x-access-key", access).with("x-secret-key", secret);
    let post = async |to: &str| {
        caller.post("/api/v1/sms/send", &json!({"to": to, "serviceId": SERVICE, "body": "Your parcel is here"})).await
    };
    post(BERLIN).await.assert(400).json("$.errors[0].error", "invalid_recipient");
    assert_eq!(double.requests().len(), 0);
    post(BOSTON).await.assert(200);
}

#[tokio::test]
async fn a_blocked_send_counts_against_nothing() {
    let double = ProviderDouble::start(Expected::json()).await;
    let builder = TestApp::builder().sms(&double).set("limits.sends_per_user", "1/5m");
    let app = builder.set("session.numbers.sms.block", json!(["DE"])).spawn().await;
    let ask = |to: &str| sms(to).set("user_id", "ann");
    for _ in 0..3 {
        app.live().try_send(&ask(BERLIN)).await.error(403, "destination_blocked");
    }
    app.live().send(ask(BOSTON)).await;
    app.live().try_send(&ask(BOSTON)).await.error(429, "rate_limited");
}

#[tokio::test]
async fn only_allowed_countries_get_messages_where_some_are_named() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = app(&double, &[("sms.allow", json!(["US", "GB"]))]).await;
    for to in [BOSTON, LONDON] {
        app.live().send(sms(to)).await;
    }
    // The first two share a code with a country that is allowed; the last is a satellite phone, which is in none.
    for to in [TORONTO, JERSEY, BERLIN, "+881612345678"] {
        app.live().try_send(&sms(to)).await.error(403, "destination_blocked");
    }
    assert_eq!(double.requests().len(), 2);
}

#[tokio::test]
async fn numbers_that_earn_their_owners_money_get_nothing_unless_the_operator_says_so() {
    let double = ProviderDouble::start(Expected::json()).await;
    let guarded = app(&double, &[]).await;
    for to in [SHARED_COST, PREMIUM] {
        guarded.live().try_send(&sms(to)).await.error(403, "destination_blocked");
    }
    assert_eq!(double.requests().len(), 0);
    let open = app(&double, &[("blocked_types", json!(["fixed_line"]))]).await;
    open.live().send(sms(PREMIUM)).await;
    open.live().try_send(&sms("+442071838750")).await.error(403, "destination_blocked");
}

#[tokio::test]
async fn a_monitored_country_gets_its_messages_and_is_counted() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = app(&double, &[("sms.monitor", json!(["GB"])), ("sms.block", json!(["DE"]))]).await;
    app.live().send(sms(LONDON)).await;
    app.live().send(sms(BOSTON)).await;
    app.live().try_send(&sms(BERLIN)).await.error(403, "destination_blocked");
    assert_eq!(double.requests().len(), 2);
    let label = |country: &str, kind: &str, verdict: &str| {
        format!(r#"channel="sms",country="{country}",kind="{kind}",verdict="{verdict}""#)
    };
    assert_eq!(counted(&app, &label("GB", "mobile", "monitored")).await, 1);
    assert_eq!(counted(&app, &label("US", "fixed_or_mobile", "allowed")).await, 1);
    assert_eq!(counted(&app, &label("DE", "mobile", "blocked")).await, 1);
}

#[tokio::test]
async fn a_fallback_that_may_not_be_asked_is_refused_with_the_send() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = app(&double, &[("voice.block", json!(["US"]))]).await;
    let reply = app.live().try_send(&sms(BOSTON).later("voice", BOSTON, 30)).await;
    reply.error(403, "destination_blocked").json("$.details.field", "recipients.voice");
    assert_eq!(double.requests().len(), 0);
}

#[tokio::test]
async fn a_fallback_whose_turn_comes_is_held_by_the_rules_of_that_moment() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = app(&double, &[]).await;
    let chief = chief(&app).await;
    let services = "/admin/v1/tenants/default/services";
    chief.post(services, &json!({"id": SERVICE, "name": "shop"})).await.assert(201);
    let sent = app.live().send(sms(BERLIN).set("service_id", SERVICE).later("voice", BERLIN, 30)).await;
    let rules = json!({"profile": {"numbers": {"voice": {"block": ["DE"]}}}});
    patch(&chief, &format!("{services}/{SERVICE}"), &rules).await.assert(200);
    // A call is answered by the newest rules, so the node that answers has them from then on. Calls take turns over the nodes.
    let live = app.live();
    for _ in 0..2 {
        live.try_send(&sms(BERLIN).and("voice", BERLIN).set("service_id", SERVICE)).await.error(403, "destination_blocked");
    }
    let shown = poll("the turn of the call", async || {
        app.sweep().await;
        let status = app.live().status(&sent).await;
        if status.at("$.channels.voice.attempt") == "refused" { Ok(status) } else { Err(format!("{status:?}")) }
    });
    app.advance(Duration::from_secs(30));
    shown.await.json("$.channels.voice.status", "failed").json("$.status", "pending");
    app.live().verify(&sent, &double.request(1).await.code()).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn the_sandbox_asks_everybody() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = app(&double, &[("sms.block", json!(["DE"]))]).await;
    app.send(sms(BERLIN)).await;
    app.live().send(sms(PREMIUM).set("sandbox_mode", true)).await;
    assert_eq!(double.requests().len(), 0);
}

#[tokio::test]
async fn a_services_own_rules_hold_at_its_next_send_and_its_next_resend() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = app(&double, &[("sms.block", json!(["FR"]))]).await;
    let chief = chief(&app).await;
    let services = "/admin/v1/tenants/default/services";
    chief.post(services, &json!({"id": SERVICE, "name": "shop"})).await.assert(201);
    let ask = |to: &str| -> Ask { sms(to).set("service_id", SERVICE) };
    let sent = app.live().send(ask(BERLIN)).await;
    let path = format!("{services}/{SERVICE}");
    let rules = json!({"profile": {"numbers": {"sms": {"block": ["de"], "monitor": ["US"]}}}});
    let changed = patch(&chief, &path, &rules).await;
    changed.assert(200).json("$.profile.numbers", json!({"sms": {"block": ["DE"], "monitor": ["US"]}}));
    app.live().try_send(&ask(BERLIN)).await.error(403, "destination_blocked");
    // Its lists for a channel take the place of the installation's.
    app.live().send(ask("+33612345678")).await;
    app.advance(Duration::from_secs(31));
    let again = app.live().resend(&sent).await;
    again.error(502, "all_channels_failed").json("$.details.channels_sent.sms.error", "refused");
    assert_eq!(double.requests().len(), 2);
    app.live().verify(&sent, &double.request(1).await.code()).await.assert(200).json("$.verified", true);

    patch(&chief, &path, &json!({"profile": {"numbers": {"blocked_types": ["fixed_or_mobile"]}}})).await.assert(200);
    app.live().try_send(&ask(BOSTON)).await.error(403, "destination_blocked");
    app.live().send(sms(BOSTON)).await;

    let wrong = json!({"profile": {"numbers": {"sms": {"allow": ["DE"], "block": ["DE"]}}}});
    let refused = patch(&chief, &path, &wrong).await;
    problem(&refused, 400, "invalid_field");
    assert_eq!(fields(&refused), ["profile.numbers.sms"]);
    for wrong in [json!({"fax": {}}), json!({"sms": {"allow": ["Germany"]}}), json!({"blocked_types": ["satellite"]})] {
        assert_eq!(fields(&patch(&chief, &path, &json!({"profile": {"numbers": wrong}})).await), ["profile.numbers"]);
    }
}
