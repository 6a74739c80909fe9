//! What an operator changes holds at the next call, without a restart, and is remembered.

use countersign_tests::{Client, Expected, ProviderDouble, TestApp, email, sms};
use serde_json::{Value, json};

use crate::admin_access::{chief, delete, fields, patch, problem};

const SERVICE: &str = "7d1f0c2e-51c3-4c0a-9a51-0a6f6f3a5b11";

/// A caller of the API with a new key of that tenant.
async fn caller(app: &TestApp, chief: &Client, tenant: &str) -> Client {
    let made = chief.post(&format!("/admin/v1/tenants/{tenant}/keys"), &json!({"mode": "test", "name": "web"})).await;
    app.with_key(&made.assert(201).text("$.secret"))
}

#[tokio::test]
async fn a_new_tenant_with_a_new_service_sends_at_once() {
    let app = TestApp::spawn().await;
    let chief = chief(&app).await;
    let tenant = chief.post("/admin/v1/tenants", &json!({"name": "acme", "email": "ops@acme.example"})).await;
    let id = tenant.assert(201).json("$.plan", "standard").text("$.id");
    assert!(id.starts_with("ten_"), "{tenant:?}");
    let service =
        json!({"id": SERVICE, "name": "shop", "profile": {"app_name": "Acme Shop", "code_length": 9, "max_attempts": 2}});
    chief.post("/admin/v1/tenants/acme/services", &service).await.assert(201).json("$.id", SERVICE);
    let caller = caller(&app, &chief, &id).await;
    let sent = caller.send(email("ann@example.com").set("service_id", SERVICE)).await;
    assert_eq!(sent.code("email").len(), 9, "{:?}", sent.reply);
    let wrong = caller.guess_wrong(&sent).await;
    wrong.assert(200).json("$.attempts_remaining", 1);
    let foreign = app.try_send(&email("ann@example.com").set("service_id", SERVICE)).await;
    foreign.assert(400);
    let seen = chief.get(&format!("/admin/v1/tenants/acme/sessions/{}", sent.session_id)).await;
    seen.assert(200).json("$.status", "pending").json("$.attempts_remaining", 1).json("$.service", SERVICE);
    assert!(!String::from_utf8_lossy(&seen.body).contains("ann@"), "recipients are masked: {seen:?}");
    problem(&chief.get(&format!("/admin/v1/tenants/default/sessions/{}", sent.session_id)).await, 404, "not_found");
}

#[tokio::test]
async fn a_changed_service_changes_the_next_send_and_no_open_session() {
    let app = TestApp::builder().generous().spawn().await;
    let chief = chief(&app).await;
    let services = "/admin/v1/tenants/default/services";
    chief.post(services, &json!({"id": SERVICE, "name": "shop", "profile": {"code_length": 5}})).await.assert(201);
    let before = app.send(email("ann@example.com").set("service_id", SERVICE)).await;
    let path = format!("{services}/{SERVICE}");
    let changed = patch(&chief, &path, &json!({"profile": {"code_length": 7}, "limits": {"active_per_user": 2}})).await;
    changed.assert(200).json("$.profile.code_length", 7).json("$.name", "shop");
    let after = app.send(email("bob@example.com").set("service_id", SERVICE)).await;
    assert_eq!((before.code("email").len(), after.code("email").len()), (5, 7));
    app.verify(&before, before.code("email")).await.assert(200).json("$.verified", true);
    app.send(email("bob@example.com").set("service_id", SERVICE)).await;
    app.try_send(&email("bob@example.com").set("service_id", SERVICE)).await.error(429, "rate_limited");
    let refused =
        patch(&chief, &path, &json!({"profile": {"code_length": 3}, "limits": {"calls_per_key": {"max": 1, "seconds": 1}}}))
            .await;
    problem(&refused, 400, "invalid_field");
    assert_eq!(fields(&refused), ["profile.code_length", "limits.calls_per_key"]);
    delete(&chief, &path).await.assert(200).json("$.deleted", true);
    app.try_send(&email("eve@example.com").set("service_id", SERVICE)).await.assert(400);
    problem(&chief.get(&path).await, 404, "not_found");
}

#[tokio::test]
async fn a_tenants_default_service_is_that_of_calls_that_name_none() {
    let app = TestApp::spawn().await;
    let chief = chief(&app).await;
    let services = "/admin/v1/tenants/default/services";
    chief.post(services, &json!({"id": SERVICE, "name": "shop", "profile": {"code_length": 10}})).await.assert(201);
    let settings = json!({"settings": {"default_service": SERVICE, "limits": {"calls_per_key": {"max": 77, "seconds": 60}}}});
    patch(&chief, "/admin/v1/tenants/default", &settings).await.assert(200).json("$.settings.default_service", SERVICE);
    let sent = app.send(email("ann@example.com")).await;
    assert_eq!(sent.code("email").len(), 10);
    assert_eq!(sent.reply.number_in("x-ratelimit-limit"), 77);
    problem(&delete(&chief, &format!("{services}/{SERVICE}")).await, 409, "conflict");
    let stranger = json!({"settings": {"default_service": "00000000-0000-4000-8000-000000000000"}});
    assert_eq!(fields(&patch(&chief, "/admin/v1/tenants/default", &stranger).await), ["settings.default_service"]);
    patch(&chief, "/admin/v1/tenants/default", &json!({"settings": {"default_service": null}})).await.assert(200);
    delete(&chief, &format!("{services}/{SERVICE}")).await.assert(200);
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_its_next_call() {
    let app = TestApp::builder().generous().spawn().await;
    let chief = chief(&app).await;
    let made = chief.post("/admin/v1/tenants/default/keys", &json!({"mode": "test", "name": "web"})).await;
    let id = made.assert(201).text("$.id");
    let caller = app.with_key(&made.text("$.secret"));
    let sent = caller.send(email("ann@example.com")).await;
    let ended = delete(&chief, &format!("/admin/v1/tenants/default/keys/{id}")).await;
    ended.assert(200).json("$.state", "revoked").without("$.secret");
    for _ in 0..2 {
        caller.verify(&sent, sent.code("email")).await.error(401, "invalid_api_key");
        caller.try_send(&email("ann@example.com")).await.error(401, "invalid_api_key");
    }
    delete(&chief, &format!("/admin/v1/tenants/default/keys/{id}")).await.assert(200);
    app.verify(&sent, sent.code("email")).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn a_template_words_the_next_message_and_each_change_is_a_version() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).generous().spawn().await;
    let chief = chief(&app).await;
    let path = "/admin/v1/tenants/default/templates";
    let words = json!({"channel": "sms", "locale": "en", "name": "sms", "body": "Knock, knock: {{code}} ({{app}})"});
    let template = chief.post(path, &words).await;
    let id = template.assert(201).json("$.version", 1).text("$.id");
    app.live().send(sms("+12025550143")).await;
    let first = double.request(1).await.field("text");
    assert!(first.starts_with("Knock, knock: ") && first.ends_with("(Acme)"), "{first}");
    let template = format!("{path}/{id}");
    patch(&chief, &template, &json!({"body": "Again {{code}}"})).await.assert(200).json("$.version", 2).json("$.name", "sms");
    app.live().send(sms("+12025550143")).await;
    assert!(double.request(2).await.field("text").starts_with("Again "));
    let versions = chief.get(&format!("{template}/versions")).await;
    versions.assert(200).json("$.data[0].version", 2).json("$.data[1].body", words["body"].clone());
    let refused = patch(&chief, &template, &json!({"body": "no place for it", "subject": "Hi"})).await;
    problem(&refused, 400, "invalid_field");
    let preview = chief.post(&format!("{path}/preview"), &json!({"channel": "sms", "body": "{{code}} of {{app}}"})).await;
    preview.assert(200).json("$.text", "123456 of Acme");
    delete(&chief, &template).await.assert(200);
    app.live().send(sms("+12025550143")).await;
    let last = double.request(3).await.field("text");
    assert!(last.contains("Acme") && !last.starts_with("Again"), "the built-in words are back: {last}");
}

#[tokio::test]
async fn a_repeated_call_with_its_key_makes_nothing_twice_and_shows_no_secret_twice() {
    let app = TestApp::spawn().await;
    let chief = chief(&app).await.with("Idempotency-Key", "first-wish");
    let wish = json!({"mode": "live", "name": "web"});
    let first = chief.post("/admin/v1/tenants/default/keys", &wish).await;
    first.assert(201);
    let again = chief.post("/admin/v1/tenants/default/keys", &wish).await;
    again.assert(201).json("$.id", first.at("$.id")).json("$.secret", Value::Null);
    assert_eq!(again.header("idempotency-replayed"), Some("true"), "{again:?}");
    let other = chief.post("/admin/v1/tenants/default/keys", &json!({"mode": "live", "name": "other"})).await;
    problem(&other, 422, "idempotency_mismatch");
    let tenant = chief.post("/admin/v1/tenants", &json!({"name": "acme"})).await;
    tenant.assert(201);
    chief.post("/admin/v1/tenants", &json!({"name": "acme"})).await.assert(201).json("$.id", tenant.at("$.id"));
    let service = json!({"name": "shop"});
    let made = chief.post("/admin/v1/tenants/acme/services", &service).await;
    made.assert(201);
    chief.post("/admin/v1/tenants/acme/services", &service).await.assert(201).json("$.id", made.at("$.id"));
}

#[tokio::test]
async fn changes_are_remembered_with_who_and_what_and_without_secrets() {
    let app = TestApp::spawn().await;
    let chief = chief(&app).await;
    chief.post("/admin/v1/tenants", &json!({"name": "acme"})).await.assert(201);
    chief.post("/admin/v1/tenants/acme/services", &json!({"id": SERVICE, "name": "shop"})).await.assert(201);
    let path = format!("/admin/v1/tenants/acme/services/{SERVICE}");
    patch(&chief, &path, &json!({"profile": {"max_attempts": 2}})).await.assert(200);
    patch(&chief, &path, &json!({"profile": {"max_attempts": 99}})).await.assert(400);
    let key = chief.post("/admin/v1/tenants/acme/keys", &json!({"mode": "live", "name": "web"})).await;
    delete(&chief, &path).await.assert(200);
    let log = chief.get("/admin/v1/audit?tenant=acme").await;
    log.assert(200);
    let whats: Vec<Value> = log.at("$.data").as_array().unwrap().iter().map(|entry| entry["what"].clone()).collect();
    assert_eq!(json!(whats), json!(["service.delete", "key.create", "service.update", "service.create"]));
    log.json("$.data[0].after", Value::Null)
        .json("$.data[0].before.profile.max_attempts", 2)
        .json("$.data[0].target_id", SERVICE);
    log.json("$.data[2].before.profile", json!({})).json("$.data[2].who", "op-read-write-wallet-keys");
    let text = String::from_utf8_lossy(&log.body).into_owned();
    assert!(!text.contains(&key.text("$.secret")) && !text.contains("hash"), "{text}");
    let all = chief.get("/admin/v1/audit?limit=2").await;
    let cursor = all.json("$.has_more", true).text("$.next_cursor");
    let next = chief.get(&format!("/admin/v1/audit?limit=2&cursor={cursor}")).await;
    assert_eq!(all.int("$.data[1].number") - 1, next.int("$.data[0].number"), "{next:?}");
    assert_eq!(next.at("$.data[1].what"), "service.create");
}

#[tokio::test]
async fn senders_are_registered_under_the_ids_that_customers_bring_along() {
    let app = TestApp::spawn().await;
    let chief = chief(&app).await;
    let path = "/admin/v1/tenants/default/senders";
    chief.post(path, &json!({"id": SERVICE, "channel": "sms", "value": "ACME"})).await.assert(201).json("$.id", SERVICE);
    problem(&chief.post(path, &json!({"channel": "sms", "value": "ACME"})).await, 409, "exists");
    let refused = chief.post(path, &json!({"channel": "email", "value": "ACME"})).await;
    assert_eq!(fields(&refused), ["value"], "{refused:?}");
    patch(&chief, &format!("{path}/{SERVICE}"), &json!({"value": "+12025550143"})).await.assert(200).json("$.channel", "sms");
    chief.get(path).await.assert(200).json("$.data[0].value", "+12025550143").json("$.has_more", false);
    delete(&chief, &format!("{path}/{SERVICE}")).await.assert(200);
    problem(&delete(&chief, &format!("{path}/{SERVICE}")).await, 404, "not_found");
}

#[tokio::test]
async fn lists_are_paged_by_a_cursor() {
    let app = TestApp::spawn().await;
    let chief = chief(&app).await;
    for name in ["a", "b", "c"] {
        chief.post("/admin/v1/tenants", &json!({"name": name})).await.assert(201);
    }
    let first = chief.get("/admin/v1/tenants?limit=3").await;
    first.assert(200).json("$.data[2].name", "c").json("$.has_more", true);
    let second = chief.get(&format!("/admin/v1/tenants?limit=3&cursor={}", first.text("$.next_cursor"))).await;
    second.assert(200).json("$.data[0].name", "default").json("$.has_more", false).json("$.next_cursor", Value::Null);
    problem(&chief.get("/admin/v1/tenants?cursor=nothing").await, 400, "invalid_field");
}
