//! Prices and balances in an operator's hand.

use std::time::Duration;

use countersign_tests::{Expected, ProviderDouble, TestApp, sms, within_patience};
use serde_json::{Value, json};

use crate::admin_access::{chief, fields, patch, problem};

const WALLET: &str = "/admin/v1/tenants/default/wallet";

#[tokio::test]
async fn a_changed_price_holds_at_the_next_send() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).generous().set("billing.enabled", true).spawn().await;
    let chief = chief(&app).await;
    let prices = |amount: &str| json!({"settings": {"prices": {"verification": "0", "channels": {"sms": {"default": amount}}}}});
    patch(&chief, "/admin/v1/tenants/default", &prices("0.25")).await.assert(200);
    app.live().try_send(&sms("+12025550143")).await.error(402, "insufficient_balance");
    let credit = chief.post(&format!("{WALLET}/credits"), &json!({"amount": "1.00", "note": "invoice 17"})).await;
    credit.assert(201).json("$.line.state", "applied").json("$.line.amount", "1.00");
    let available = async || chief.get(WALLET).await.assert(200).text("$.wallet.available");
    app.live().send(sms("+12025550143")).await;
    assert_eq!(available().await, "0.75");
    patch(&chief, "/admin/v1/tenants/default", &prices("0.5")).await.assert(200);
    app.live().send(sms("+12025550144")).await;
    assert_eq!(available().await, "0.25");
    app.live().try_send(&sms("+12025550145")).await.error(402, "insufficient_balance");
    let service = json!({"name": "cheap", "prices": {"verification": "0", "channels": {"sms": {"default": "0.05"}}}});
    let service = chief.post("/admin/v1/tenants/default/services", &service).await.assert(201).text("$.id");
    app.live().send(sms("+12025550145").set("service_id", service)).await;
    assert_eq!(available().await, "0.20");
}

#[tokio::test]
async fn credits_and_adjustments_are_booked_once_and_remembered() {
    let app = TestApp::builder().set("billing.enabled", true).spawn().await;
    let chief = chief(&app).await;
    let keyed = chief.with("Idempotency-Key", "invoice-17");
    let wish = json!({"amount": "10", "note": "invoice 17"});
    let first = keyed.post(&format!("{WALLET}/credits"), &wish).await;
    let again = keyed.post(&format!("{WALLET}/credits"), &wish).await;
    again.assert(201).json("$.line.id", first.assert(201).at("$.line.id"));
    assert_eq!(again.header("idempotency-replayed"), Some("true"), "{again:?}");
    chief.get(WALLET).await.json("$.wallet.balance", "10.00").json("$.ledger", "10.00").json("$.credits_pending", 0);
    let silent = chief.post(&format!("{WALLET}/adjustments"), &json!({"amount": "-1"})).await;
    assert_eq!(fields(&silent), ["note"], "{silent:?}");
    let wrong = chief.post(&format!("{WALLET}/credits"), &json!({"amount": "-1"})).await;
    assert_eq!(fields(&wrong), ["amount"], "{wrong:?}");
    assert_eq!(fields(&chief.post(&format!("{WALLET}/credits"), &json!({"amount": 1})).await), ["amount"], "amounts are texts");
    // Lines of one millisecond have no order.
    app.advance(Duration::from_secs(1));
    let down = chief.post(&format!("{WALLET}/adjustments"), &json!({"amount": "-4", "note": "paid twice"})).await;
    down.assert(201).json("$.line.state", "applied");
    app.advance(Duration::from_secs(1));
    let over = chief.post(&format!("{WALLET}/adjustments"), &json!({"amount": "-7", "note": "too much"})).await;
    over.assert(201).json("$.line.state", "refused");
    chief.get(WALLET).await.json("$.wallet.balance", "6.00").json("$.ledger", "6.00");
    let lines = chief.get(&format!("{WALLET}/lines?limit=2")).await;
    lines.assert(200).json("$.data[0].note", "too much").json("$.data[1].amount", "-4.00").json("$.has_more", true);
    let rest = chief.get(&format!("{WALLET}/lines?cursor={}", lines.text("$.next_cursor"))).await;
    rest.assert(200).json("$.data[0].kind", "credit").json("$.has_more", false);
    let log = chief.get("/admin/v1/audit?tenant=default").await;
    let booked: Vec<Value> = log.at("$.data").as_array().unwrap().iter().map(|entry| entry["what"].clone()).collect();
    assert_eq!(json!(booked), json!(["wallet.adjust", "wallet.adjust", "wallet.top_up"]), "{log:?}");
}

#[tokio::test]
async fn a_difference_is_closed_from_either_side() {
    let app = TestApp::builder().set("billing.enabled", true).spawn().await;
    let chief = chief(&app).await;
    chief.post(&format!("{WALLET}/credits"), &json!({"amount": "10"})).await.assert(201);
    let adjustments = format!("{WALLET}/adjustments");
    let wish = json!({"amount": "-1.5", "side": "ledger", "note": "counted by hand"});
    let keyed = chief.with("Idempotency-Key", "by-hand");
    for replayed in [None, Some("true")] {
        let line = keyed.post(&adjustments, &wish).await;
        line.assert(201).json("$.line.kind", "adjustment").json("$.line.state", "applied").json("$.line.amount", "-1.50");
        assert_eq!(line.header("idempotency-replayed"), replayed, "{line:?}");
    }
    chief.get(WALLET).await.json("$.wallet.balance", "10.00").json("$.ledger", "8.50").json("$.credits_pending", 0);
    chief.post(&adjustments, &json!({"amount": "1", "note": "both"})).await.assert(201).json("$.line.state", "applied");
    chief.get(WALLET).await.json("$.wallet.balance", "11.00").json("$.ledger", "9.50");
    chief.call(reqwest::Method::POST, &format!("{WALLET}/rebuild"), None, "").await.assert(200).json("$.after.balance", "9.50");
    let wrong = chief.post(&adjustments, &json!({"amount": "0", "side": "balance", "note": "x"})).await;
    assert_eq!(fields(&wrong), ["side"], "{wrong:?}");
    let wrong = chief.post(&adjustments, &json!({"amount": "0", "side": "ledger"})).await;
    assert_eq!(fields(&wrong), ["amount", "note"], "{wrong:?}");
    let log = chief.get("/admin/v1/audit?tenant=default").await;
    let booked: Vec<Value> = log.at("$.data").as_array().unwrap().iter().map(|entry| entry["what"].clone()).collect();
    assert_eq!(json!(booked), json!(["wallet.rebuild", "wallet.adjust", "wallet.correct", "wallet.top_up"]), "{log:?}");
}

#[tokio::test]
async fn a_rebuilt_balance_is_the_ledgers() {
    let app = TestApp::builder().set("billing.enabled", true).spawn().await;
    let chief = chief(&app).await;
    chief.post(&format!("{WALLET}/credits"), &json!({"amount": "3"})).await.assert(201);
    let rebuilt = chief.call(reqwest::Method::POST, &format!("{WALLET}/rebuild"), None, "").await;
    rebuilt.assert(200).json("$.before.balance", "3.00").json("$.after.balance", "3.00");
    let differences = chief.get("/admin/v1/wallet-differences").await;
    differences.assert(200).json("$.data", json!([]));
    problem(&chief.post("/admin/v1/wallet-differences/ten_x-1/acknowledge", &json!({})).await, 404, "not_found");
    problem(&chief.post("/admin/v1/poison/1-1-1/retry", &json!({})).await, 404, "not_found");
    chief.get("/admin/v1/poison").await.assert(200).json("$.data", json!([]));
}

#[tokio::test]
async fn what_a_session_cost_gets_into_the_ledger() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).set("billing.enabled", true).spawn().await;
    let chief = chief(&app).await;
    let prices = json!({"settings": {"prices": {"verification": "0.02", "channels": {"sms": {"default": "0.1"}}}}});
    patch(&chief, "/admin/v1/tenants/default", &prices).await.assert(200);
    chief.post(&format!("{WALLET}/credits"), &json!({"amount": "1"})).await.assert(201);
    let sent = app.live().send(sms("+12025550143")).await;
    let told = async {
        loop {
            let lines = chief.get(&format!("{WALLET}/lines")).await;
            if lines.at("$.data").as_array().unwrap().len() == 3 {
                return lines;
            }
        }
    };
    let lines = within_patience("the lines of a session", told).await;
    let sum: Vec<Value> = lines.at("$.data").as_array().unwrap().iter().map(|line| line["amount"].clone()).collect();
    assert!(sum.contains(&json!("-0.10")) && sum.contains(&json!("-0.02")), "{lines:?}");
    let seen = chief.get(&format!("/admin/v1/tenants/default/sessions/{}", sent.session_id)).await;
    seen.assert(200).json("$.mode", "live").json("$.channels[0].provider", "gateway");
}
