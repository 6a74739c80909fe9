//! Webhook endpoints in an operator's hand.

use countersign_tests::{TestApp, Vacant};
use reqwest::Method;
use serde_json::{Value, json};

use crate::admin_access::{chief, delete, fields, patch, problem};

const PATH: &str = "/admin/v1/tenants/default/webhooks";

#[tokio::test]
async fn an_endpoints_secret_is_shown_when_it_is_made_and_when_it_is_rotated_and_never_else() {
    let app = TestApp::spawn().await;
    let chief = chief(&app).await;
    let made = chief.post(PATH, &json!({"url": "https://example.com/hooks", "events": ["session.verified"]})).await;
    let (id, first) = (made.assert(201).json("$.enabled", true).text("$.id"), made.text("$.secret"));
    assert!(first.starts_with("whsec_"), "{made:?}");
    let shown = chief.get(&format!("{PATH}/{id}")).await;
    shown.assert(200).without("$.secret").json("$.events", json!(["session.verified"]));
    let rotated = chief.call(Method::POST, &format!("{PATH}/{id}/rotate"), None, "").await;
    let second = rotated.assert(201).text("$.secret");
    assert!(second.starts_with("whsec_") && second != first, "{rotated:?}");
    for page in [chief.get(PATH).await, chief.get("/admin/v1/audit").await] {
        let text = String::from_utf8_lossy(&page.body).into_owned();
        assert!(!text.contains("whsec_"), "{text}");
    }
}

#[tokio::test]
async fn an_address_inside_the_house_is_refused() {
    let app = TestApp::spawn().await;
    let chief = chief(&app).await;
    for url in
        ["http://example.com/", "https://127.0.0.1/", "https://169.254.169.254/latest", "https://example.com:22/", "example.com"]
    {
        let refused = chief.post(PATH, &json!({"url": url})).await;
        problem(&refused, 400, "invalid_field");
        assert_eq!(fields(&refused), ["url"], "{url}: {refused:?}");
    }
    let odd = chief.post(PATH, &json!({"url": "https://example.com/", "events": ["webhook.test"]})).await;
    assert_eq!(fields(&odd), ["events"], "{odd:?}");
}

#[tokio::test]
async fn an_endpoint_can_be_switched_off_and_on_and_deleted() {
    let app = TestApp::spawn().await;
    let chief = chief(&app).await;
    let id = chief.post(PATH, &json!({"url": "https://example.com/hooks"})).await.assert(201).text("$.id");
    let path = format!("{PATH}/{id}");
    patch(&chief, &path, &json!({"enabled": false})).await.assert(200).json("$.disabled", "operator");
    problem(&chief.call(Method::POST, &format!("{path}/test"), None, "").await, 409, "conflict");
    let on = patch(&chief, &path, &json!({"enabled": true, "description": "shop"})).await;
    on.assert(200).json("$.disabled", Value::Null).json("$.description", "shop").json("$.url", "https://example.com/hooks");
    delete(&chief, &path).await.assert(200);
    problem(&chief.get(&path).await, 404, "not_found");
}

#[tokio::test]
async fn a_tenant_has_so_many_endpoints_and_no_more() {
    let app = TestApp::builder().set("webhooks.endpoints_per_tenant", 2).spawn().await;
    let chief = chief(&app).await;
    let hook = json!({"url": "https://example.com/hooks"});
    let first = chief.post(PATH, &hook).await.assert(201).text("$.id");
    chief.post(PATH, &hook).await.assert(201);
    let full = chief.post(PATH, &hook).await;
    problem(&full, 409, "conflict");
    assert!(full.text("$.detail").contains("webhooks.endpoints_per_tenant"), "{full:?}");
    delete(&chief, &format!("{PATH}/{first}")).await.assert(200);
    chief.post(PATH, &hook).await.assert(201);
}

#[tokio::test]
async fn an_endpoints_address_is_kept_in_the_form_that_was_judged() {
    let app = TestApp::spawn().await;
    let chief = chief(&app).await;
    let made = chief.post(PATH, &json!({"url": "HTTPS://B\u{fc}cher.Example:443/a/../b c"})).await;
    made.assert(201).json("$.url", "https://xn--bcher-kva.example/b%20c");
}

#[tokio::test]
async fn an_endpoint_has_the_format_that_was_asked_for_and_hears_what_that_has_words_for() {
    let app = TestApp::spawn().await;
    let chief = chief(&app).await;
    let native = chief.post(PATH, &json!({"url": "https://example.com/"})).await;
    let id = native.assert(201).json("$.format", "native").text("$.id");
    let hook = |format: &str, event: &str| json!({"url": "https://example.com/", "format": format, "events": [event]});
    chief.post(PATH, &hook("kotp", "session.locked")).await.assert(201).json("$.format", "kotp");
    chief.post(PATH, &hook("getotp", "message.delivered")).await.assert(201).json("$.format", "getotp");
    for (format, event, field) in
        [("kotp", "session.created", "events"), ("getotp", "session.verified", "events"), ("odd", "session.verified", "format")]
    {
        let refused = chief.post(PATH, &hook(format, event)).await;
        problem(&refused, 400, "invalid_field");
        assert_eq!(fields(&refused), [field], "{refused:?}");
    }
    let path = format!("{PATH}/{id}");
    patch(&chief, &path, &json!({"events": ["contact.created"]})).await.assert(200);
    assert_eq!(fields(&patch(&chief, &path, &json!({"format": "kotp"})).await), ["events"]);
    patch(&chief, &path, &json!({"format": "kotp", "events": []})).await.assert(200).json("$.format", "kotp");
    for (format, expected) in [("kotp", "otp.test"), ("getotp", "\"event\":\"test\""), ("native", "webhook.test")] {
        patch(&chief, &path, &json!({"format": format})).await.assert(200);
        let test = chief.call(Method::POST, &format!("{path}/test"), None, "").await.assert(201).text("$.delivery");
        let shown = chief.get(&format!("/admin/v1/tenants/default/deliveries/{test}")).await;
        shown.assert(200).json("$.delivery.event", "webhook.test");
        assert!(shown.text("$.body").contains(expected), "{format}: {shown:?}");
    }
}

#[tokio::test]
async fn a_test_goes_out_and_the_log_of_deliveries_shows_what_came_of_it() {
    // Nobody listens there: the try fails, and is shown all the same.
    let vacant = Vacant::any();
    let port = vacant.port();
    let app = TestApp::builder()
        .set("webhooks.allow_http", true)
        .set("webhooks.allowed_networks", vec!["127.0.0.0/8"])
        .set("webhooks.allowed_ports", vec![port])
        .spawn()
        .await;
    let chief = chief(&app).await;
    let url = format!("http://127.0.0.1:{port}/hooks");
    let id = chief.post(PATH, &json!({"url": url})).await.assert(201).text("$.id");
    let test = chief.call(Method::POST, &format!("{PATH}/{id}/test"), None, "").await;
    let delivery = test.assert(201).text("$.delivery");
    let path = format!("/admin/v1/tenants/default/deliveries/{delivery}");
    let tried = async {
        loop {
            let shown = chief.get(&path).await;
            if shown.int("$.delivery.attempts") > 0 {
                return shown;
            }
        }
    };
    let shown = countersign_tests::within_patience("a try", tried).await;
    shown.assert(200).json("$.delivery.event", "webhook.test").json("$.tries[0].number", 1);
    shown.json("$.tries[0].status", Value::Null).json("$.delivery.state", "pending");
    assert!(!shown.text("$.tries[0].error").is_empty(), "{shown:?}");
    problem(&chief.call(Method::POST, &format!("{path}/replay"), None, "").await, 409, "conflict");
    let list = chief.get(&format!("/admin/v1/tenants/default/deliveries?webhook={id}")).await;
    list.assert(200).json("$.data[0].id", delivery.as_str());
    problem(&chief.get("/admin/v1/tenants/default/deliveries?state=odd").await, 400, "invalid_field");
}
