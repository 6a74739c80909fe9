//! Who may do what with contacts, and what a repeated call comes to.

use std::collections::BTreeSet;
use std::time::Duration;

use countersign_tests::{KeyWish, Reply, TestApp};
use reqwest::Method;
use serde_json::json;

use crate::contacts::{CONTACTS, added, delete, patch, with_body};

#[tokio::test]
async fn contacts_of_another_tenant_are_not_there() {
    let app = TestApp::builder().key("foreign", KeyWish::test().of_another_tenant()).spawn().await;
    let foreign = app.as_key("foreign");
    let said = json!({"external_id": "crm-7", "email": "ann@example.com", "phone": "+12025550143"});
    let (reply, path) = added(&app, &said).await;
    let unknown = foreign.get(&format!("{CONTACTS}/con_01KEZZZZZZZZZZZZZZZZZZZZZZ")).await;
    let external = format!("{CONTACTS}/external/crm-7");
    for refused in [
        foreign.get(&path).await,
        foreign.get(&external).await,
        patch(&foreign, &path, &json!({"first_name": "Eve"})).await,
        with_body(&foreign, Method::PUT, &external, &json!({"first_name": "Eve"})).await,
        delete(&foreign, &path).await,
        delete(&foreign, &external).await,
        foreign.call(Method::POST, &format!("{path}/unsubscribe"), None, "").await,
    ] {
        assert_eq!(refused.sameness(), unknown.sameness(), "{refused:?}");
    }
    foreign.get(CONTACTS).await.json("$.pagination.total", 0).json("$.data", json!([]));
    foreign.get(&format!("{CONTACTS}?starting_after={}", reply.text("$.id"))).await.json("$.data", json!([]));
    foreign.get(&format!("{CONTACTS}?email=ann@example.com")).await.json("$.data", json!([]));
    added(&foreign, &said).await;
    assert_eq!(app.get(&path).await.body(), reply.body());
}

#[tokio::test]
async fn a_key_that_only_reads_looks_at_contacts_and_changes_none() {
    let app = TestApp::builder().key("read-only", KeyWish::test().read_only()).spawn().await;
    let (_, path) = added(&app, &json!({"external_id": "crm-7", "email": "ann@example.com"})).await;
    let reader = app.as_key("read-only");
    for look in [CONTACTS, &path, &format!("{CONTACTS}/external/crm-7")] {
        reader.get(look).await.assert(200);
    }
    let ben = json!({"email": "ben@example.com"});
    for refused in [
        reader.post(CONTACTS, &ben).await,
        reader.post(&format!("{CONTACTS}/bulk"), &json!({"contacts": [ben]})).await,
        patch(&reader, &path, &ben).await,
        with_body(&reader, Method::PUT, &path, &ben).await,
        delete(&reader, &path).await,
        delete(&reader, &format!("{CONTACTS}/external/crm-7")).await,
        reader.call(Method::POST, &format!("{path}/unsubscribe"), None, "").await,
    ] {
        refused.error(403, "forbidden");
    }
    app.get(&path).await.assert(200).json("$.email", "ann@example.com");
}

#[track_caller]
fn is_replay(first: &Reply, second: &Reply) {
    second.assert(first.status);
    assert_eq!((first.header("idempotency-replayed"), second.header("idempotency-replayed")), (None, Some("true")), "{second:?}");
    assert_eq!(first.body(), second.body());
}

#[tokio::test]
async fn a_change_that_is_repeated_under_its_key_is_answered_the_same_and_made_once() {
    let app = TestApp::spawn().await;
    let keyed = app.with("Idempotency-Key", "contact-1");
    let ann = json!({"external_id": "crm-7", "email": "ann@example.com"});
    let first = keyed.post(CONTACTS, &ann).await;
    let path = format!("{CONTACTS}/{}", first.assert(201).text("$.id"));
    patch(&app, &path, &json!({"first_name": "Ann"})).await.assert(200);
    is_replay(&first, &keyed.post("/v1/contacts", &ann).await);
    keyed.post(CONTACTS, &json!({"email": "ben@example.com"})).await.error(422, "idempotency_mismatch");

    let named = json!({"first_name": "Bea"});
    let changed = patch(&keyed, &path, &named).await;
    patch(&app, &path, &json!({"first_name": "Cleo"})).await.assert(200);
    is_replay(&changed, &patch(&keyed, &path, &named).await);
    app.get(&path).await.json("$.first_name", "Cleo");

    let bulk = format!("{CONTACTS}/bulk");
    let rows = json!({"contacts": [{"email": "dora@example.com"}, {"email": "ann@example.com"}, {"email": "x"}]});
    let many = keyed.post(&bulk, &rows).await;
    many.assert(200).json("$.summary.created_count", 1);
    is_replay(&many, &keyed.post(&bulk, &rows).await);

    let gone = delete(&keyed, &path).await;
    gone.assert(200);
    is_replay(&gone, &delete(&keyed, &path).await);
    delete(&app, &path).await.error(404, "contact_not_found");
}

#[tokio::test]
async fn an_idempotency_key_belongs_to_one_contact_one_kind_of_key_and_one_day() {
    let app = TestApp::spawn().await;
    let (_, ann) = added(&app, &json!({"email": "ann@example.com"})).await;
    let (_, ben) = added(&app, &json!({"email": "ben@example.com"})).await;
    let named = json!({"first_name": "Same"});
    let first = patch(&app.with("Idempotency-Key", "k-1"), &ann, &named).await;
    for other in [
        patch(&app.with("Idempotency-Key", "k-1"), &ben, &named).await,
        patch(&app.live().with("Idempotency-Key", "k-1"), &ann, &named).await,
    ] {
        assert_eq!(other.assert(200).header("idempotency-replayed"), None, "{other:?}");
    }
    is_replay(&first, &patch(&app.with("Idempotency-Key", "k-1"), &ann, &named).await);
    app.advance(Duration::from_hours(24));
    let later = patch(&app.with("Idempotency-Key", "k-1"), &ann, &named).await;
    assert_eq!(later.assert(200).header("idempotency-replayed"), None, "{later:?}");
}

#[tokio::test]
async fn a_refusal_leaves_its_idempotency_key_free() {
    let app = TestApp::spawn().await;
    let (_, path) = added(&app, &json!({"email": "ann@example.com"})).await;
    let keyed = app.with("Idempotency-Key", "again");
    let ann = json!({"email": "ann@example.com"});
    keyed.post(CONTACTS, &ann).await.error(409, "contact_exists");
    delete(&app, &path).await.assert(200);
    let made = keyed.post(CONTACTS, &ann).await;
    assert_eq!(made.assert(201).header("idempotency-replayed"), None, "{made:?}");
}

#[tokio::test]
async fn racing_calls_with_one_key_are_one_call() {
    let app = TestApp::spawn().await;
    let caller = app.with("Idempotency-Key", "race");
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let caller = caller.clone();
            tokio::spawn(async move { caller.post(CONTACTS, &json!({"email": "ann@example.com"})).await })
        })
        .collect();
    let mut seen = BTreeSet::new();
    for call in calls {
        let reply = call.await.unwrap();
        seen.insert(reply.assert(201).text("$.id"));
    }
    assert_eq!(seen.len(), 1);
    app.get(CONTACTS).await.json("$.pagination.total", 1);
}
