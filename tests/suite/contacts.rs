//! The people a tenant keeps.

use std::collections::BTreeSet;
use std::time::Duration;

use countersign_tests::{Client, Reply, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

pub(crate) const CONTACTS: &str = "/api/v1/contacts";

pub(crate) async fn with_body(client: &Client, method: Method, path: &str, body: &Value) -> Reply {
    client.call(method, path, Some("application/json"), body.to_string()).await
}

pub(crate) async fn patch(client: &Client, path: &str, body: &Value) -> Reply {
    with_body(client, Method::PATCH, path, body).await
}

pub(crate) async fn delete(client: &Client, path: &str) -> Reply {
    client.call(Method::DELETE, path, None, "").await
}

/// Adds a contact and tells where it is.
pub(crate) async fn added(client: &Client, body: &Value) -> (Reply, String) {
    let reply = client.post(CONTACTS, body).await;
    reply.assert(201);
    let path = format!("{CONTACTS}/{}", reply.text("$.id"));
    (reply, path)
}

#[tokio::test]
async fn a_contact_is_added_with_all_that_is_said_of_it() {
    let app = TestApp::spawn().await;
    let said = json!({
        "external_id": "crm-7", "email": "Ann@Example.com", "phone": "+12025550143", "first_name": "Ann", "last_name": "O'Hara",
        "locale": "pt-BR", "tags": ["vip", "beta"], "custom_fields": {"size": 7, "deep": {"a": [1]}}, "metadata": {"source": "import"},
        "preferences": {"sms": false}, "is_active": false,
    });
    let (reply, path) = added(&app, &said).await;
    reply.json("$.success", true);
    assert!(reply.text("$.id").starts_with("con_"), "{reply:?}");
    for (field, value) in said.as_object().unwrap() {
        let value = if field == "email" { json!("Ann@example.com") } else { value.clone() };
        reply.json(&format!("$.{field}"), value.clone()).json(&format!("$.data.{field}"), value);
    }
    reply.json("$.verified_channels", json!([])).json("$.created_at", "2026-01-15T10:45:00.000Z");
    reply.json("$.updated_at", "2026-01-15T10:45:00.000Z");
    let found = app.get(&path).await;
    assert_eq!(found.assert(200).body(), reply.body());
}

#[tokio::test]
async fn a_contact_needs_nothing_but_an_address() {
    let app = TestApp::spawn().await;
    let (reply, _) = added(&app, &json!({"phone": "+12025550143"})).await;
    for (field, value) in [
        ("external_id", Value::Null),
        ("email", Value::Null),
        ("first_name", Value::Null),
        ("locale", Value::Null),
        ("tags", json!([])),
        ("custom_fields", json!({})),
        ("metadata", json!({})),
        ("preferences", json!({})),
        ("is_active", json!(true)),
    ] {
        reply.json(&format!("$.{field}"), value);
    }
    let refused = app.post(CONTACTS, &json!({"first_name": "Ann"})).await;
    refused.error(400, "missing_address").json("$.details.field", "email");
}

#[tokio::test]
async fn every_field_that_is_wrong_is_told() {
    let app = TestApp::spawn().await;
    let body = json!({
        "email": "ann", "phone": "123", "first_name": "a\u{0}b", "last_name": "x".repeat(129), "external_id": 7, "locale": "en_US",
        "tags": ["x".repeat(65)],
        "custom_fields": [], "metadata": {"a": "x".repeat(4096)}, "preferences": {"sms": "no"}, "is_active": "yes",
    });
    let refused = app.post(CONTACTS, &body).await;
    refused.error(400, "invalid_field");
    let told: BTreeSet<String> = refused
        .at("$.details.errors")
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["field"].as_str().unwrap().to_owned())
        .collect();
    let expected = [
        "custom_fields",
        "email",
        "external_id",
        "first_name",
        "is_active",
        "last_name",
        "locale",
        "metadata",
        "phone",
        "preferences.sms",
        "tags",
    ];
    assert_eq!(told, expected.map(str::to_owned).into(), "{refused:?}");
    app.get(CONTACTS).await.json("$.pagination.total", 0);
}

#[tokio::test]
async fn an_address_or_an_external_id_is_there_once() {
    let app = TestApp::spawn().await;
    added(&app, &json!({"external_id": "crm-7", "email": "ann@example.com", "phone": "+12025550143"})).await;
    let (_, other) = added(&app, &json!({"email": "ben@example.com"})).await;
    for (taken, field) in [
        (json!({"email": "ANN@example.com"}), "email"),
        (json!({"email": "carl@example.com", "phone": "+12025550143"}), "phone"),
        (json!({"email": "ann@example.com", "external_id": "crm-7"}), "external_id"),
    ] {
        for refused in [app.post(CONTACTS, &taken).await, patch(&app, &other, &taken).await] {
            refused.error(409, "contact_exists").json("$.details.field", field).says(field);
        }
    }
    app.get(&other).await.json("$.email", "ben@example.com");
    app.get(CONTACTS).await.json("$.pagination.total", 2);
}

#[tokio::test]
async fn of_many_who_add_the_same_contact_at_once_one_does() {
    let app = TestApp::spawn().await;
    let calls = (0..12).map(|number| {
        let caller = app.as_key(if number % 2 == 0 { "test" } else { "live" });
        tokio::spawn(
            async move { caller.post(CONTACTS, &json!({"email": "ann@example.com", "tags": [number.to_string()]})).await },
        )
    });
    let mut statuses = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        statuses.push(call.await.unwrap().status);
    }
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (201, &[409; 11][..]));
    app.get(CONTACTS).await.json("$.pagination.total", 1);
}

#[tokio::test]
async fn a_change_leaves_what_it_does_not_name() {
    let app = TestApp::spawn().await;
    let (_, path) = added(
        &app,
        &json!({"external_id": "crm-7", "email": "ann@example.com", "first_name": "Ann", "tags": ["a"], "metadata": {"a": 1, "b": 2}}),
    )
    .await;
    app.advance(Duration::from_secs(60));
    let changed =
        patch(&app, &path, &json!({"first_name": null, "last_name": "Lee", "metadata": {"c": 3}, "phone": "+12025550143"})).await;
    changed.assert(200).json("$.first_name", Value::Null).json("$.last_name", "Lee").json("$.metadata", json!({"c": 3}));
    changed.json("$.external_id", "crm-7").json("$.email", "ann@example.com").json("$.tags", json!(["a"]));
    changed.json("$.created_at", "2026-01-15T10:45:00.000Z").json("$.updated_at", "2026-01-15T10:46:00.000Z");
    let put = with_body(&app, Method::PUT, &path, &json!({"tags": ["b"]})).await;
    put.assert(200).json("$.tags", json!(["b"])).json("$.data.email", "ann@example.com");
    assert_eq!(app.get(&path).await.body(), put.body());
}

#[tokio::test]
async fn a_contact_is_never_left_without_an_address() {
    let app = TestApp::spawn().await;
    let (_, path) = added(&app, &json!({"email": "ann@example.com"})).await;
    patch(&app, &path, &json!({"email": null})).await.error(400, "missing_address");
    app.get(&path).await.json("$.email", "ann@example.com");
    patch(&app, &path, &json!({"email": null, "phone": "+12025550143"})).await.assert(200).json("$.email", Value::Null);
}

#[tokio::test]
async fn a_contact_is_found_by_the_tenants_own_id() {
    let app = TestApp::spawn().await;
    let (reply, path) = added(&app, &json!({"external_id": "crm/7 ü", "email": "ann@example.com"})).await;
    let external = format!("{CONTACTS}/external/crm%2F7%20%C3%BC");
    assert_eq!(app.get(&external).await.assert(200).body(), reply.body());
    patch(&app, &external, &json!({"first_name": "Ann"})).await.assert(200).json("$.first_name", "Ann");
    with_body(&app, Method::PUT, &external, &json!({"last_name": "Lee"})).await.assert(200).json("$.external_id", "crm/7 ü");
    delete(&app, &external).await.assert(200).json("$.deleted", true).json("$.data.id", reply.text("$.id"));
    app.get(&path).await.error(404, "contact_not_found");
    app.get(&external).await.error(404, "contact_not_found");
}

#[tokio::test]
async fn a_contact_that_is_removed_is_gone_and_its_address_is_free() {
    let app = TestApp::spawn().await;
    let (_, path) = added(&app, &json!({"email": "ann@example.com"})).await;
    delete(&app, &path).await.assert(200).json("$.success", true).json("$.deleted", true);
    for gone in [app.get(&path).await, delete(&app, &path).await, patch(&app, &path, &json!({"first_name": "Ann"})).await] {
        gone.error(404, "contact_not_found");
    }
    app.get(CONTACTS).await.json("$.pagination.total", 0).json("$.data", json!([]));
    added(&app, &json!({"email": "ann@example.com"})).await;
}

#[tokio::test]
async fn who_unsubscribes_is_to_be_written_to_on_no_channel() {
    let app = TestApp::spawn().await;
    let (_, path) = added(&app, &json!({"email": "ann@example.com", "preferences": {"sms": true}})).await;
    let none = json!({"email": false, "sms": false, "whatsapp": false, "voice": false});
    let path = format!("{path}/unsubscribe");
    app.call(Method::POST, &path, None, "").await.assert(200).json("$.preferences", none.clone()).json("$.is_active", true);
    app.post(&path, &json!({})).await.assert(200).json("$.preferences", none);
    app.call(Method::POST, &path, Some("text/plain"), "x").await.error(415, "unsupported_media_type");
    app.call(Method::POST, &format!("{CONTACTS}/con_nobody/unsubscribe"), None, "").await.error(404, "contact_not_found");
}

#[tokio::test]
async fn both_mounts_and_every_method_are_one_surface() {
    let app = TestApp::spawn().await;
    let (_, path) = added(&app, &json!({"external_id": "crm-7", "email": "ann@example.com"})).await;
    let second = path.replacen("/api", "", 1);
    assert_eq!(app.get(&second).await.assert(200).body(), app.get(&path).await.body());
    app.get("/v1/contacts/external/crm-7/").await.assert(200);
    app.get("/v1/contacts").await.assert(200).json("$.pagination.total", 1);
    let head = app.call(Method::HEAD, &path, None, "").await;
    assert!(head.assert(200).body.is_empty(), "{head:?}");
    for (method, path, allow) in [
        (Method::OPTIONS, path.as_str(), "GET, HEAD, PATCH, PUT, DELETE, OPTIONS"),
        (Method::OPTIONS, CONTACTS, "GET, HEAD, POST, OPTIONS"),
        (Method::POST, path.as_str(), "GET, HEAD, PATCH, PUT, DELETE, OPTIONS"),
        (Method::DELETE, CONTACTS, "GET, HEAD, POST, OPTIONS"),
        (Method::GET, "/v1/contacts/bulk", "POST, OPTIONS"),
    ] {
        let reply = app.call(method.clone(), path, None, "").await;
        assert_eq!(reply.status, if method == Method::OPTIONS { 204 } else { 405 }, "{reply:?}");
        assert_eq!(reply.header("allow"), Some(allow), "{reply:?}");
    }
    app.nobody().get(CONTACTS).await.error(401, "invalid_api_key");
    patch(&app, &path, &json!([])).await.error(400, "malformed_body");
    app.call(Method::PUT, &path, Some("text/plain"), "{}").await.error(415, "unsupported_media_type");
    for nowhere in ["/api/v1/contacts/external/a/b", "/api/v1/contacts//unsubscribe"] {
        app.get(nowhere).await.error(404, "not_found");
    }
    for nobody in ["/api/v1/contacts/external/%00", "/api/v1/contacts/external/%FF", "/api/v1/contacts/con_1"] {
        app.get(nobody).await.error(404, "contact_not_found");
    }
}

#[tokio::test]
async fn calls_about_contacts_count_against_the_limit_of_calls() {
    let app = TestApp::builder().set("limits.calls_per_key", "3/1m").spawn().await;
    app.post(CONTACTS, &json!({"email": "ann@example.com"})).await.assert(201);
    app.post(CONTACTS, &json!({"email": "ann"})).await.error(400, "invalid_recipient");
    assert_eq!(app.get(CONTACTS).await.assert(200).number_in("x-ratelimit-remaining"), 0);
    app.post(CONTACTS, &json!({"email": "ben@example.com"})).await.error(429, "rate_limited");
}
