//! What becomes of contacts beside themselves: news for subscribers, and refusals while the records are away.

use countersign_model::{EndpointId, SeededRng, TenantId, WebhookEndpoint, WebhookEvent, WebhookFormat};
use countersign_records::{DeliveryFilter, Records, StoredSecrets};
use countersign_tests::planes::{SharedPlanes, is_shared};
use countersign_tests::{NOW, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::contacts::{CONTACTS, added, delete, patch};

pub(crate) async fn records(app: &TestApp) -> Records {
    if let Some(planes) = SharedPlanes::of(app.path()) {
        return planes.records().await;
    }
    Records::open(&app.path().join("records.db")).await.unwrap()
}

/// Where nothing is ever posted to: the address is not a public one.
fn endpoint(tenant: TenantId, seed: u64, events: &[WebhookEvent], disabled: Option<&str>) -> WebhookEndpoint {
    WebhookEndpoint {
        id: EndpointId::mint(NOW, &SeededRng::new(seed), tenant.partition()),
        tenant,
        url: "https://127.0.0.1/hook".to_owned(),
        format: WebhookFormat::Native,
        description: String::new(),
        events: events.to_vec(),
        keys: None,
        disabled: disabled.map(str::to_owned),
        created_at: NOW,
        updated_at: None,
    }
}

#[tokio::test]
async fn subscribers_hear_once_of_every_contact_that_is_added() {
    let app = TestApp::spawn().await;
    let tenant: TenantId = app.get("/v1/account").await.text("$.id").parse().unwrap();
    let records = records(&app).await;
    let wanting = endpoint(tenant, 1, &[WebhookEvent::ContactCreated], None);
    let deaf = [endpoint(tenant, 2, &[WebhookEvent::SessionVerified], None), endpoint(tenant, 3, &[], Some("operator"))];
    let secrets = StoredSecrets { current: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".to_owned().into(), previous: None };
    for endpoint in deaf.iter().chain([&wanting]) {
        records.webhook_endpoints().insert(endpoint, &secrets).await.unwrap();
    }

    let keyed = app.with("Idempotency-Key", "ann");
    let (ann, path) = added(&keyed, &json!({"email": "ann@example.com"})).await;
    added(&keyed, &json!({"email": "ann@example.com"})).await;
    app.post(CONTACTS, &json!({"email": "ann@example.com"})).await.error(409, "contact_exists");
    let rows = json!({"contacts": [{"email": "ann@example.com"}, {"phone": "+12025550143"}, {"email": "x"}]});
    let bulk = app.post(&format!("{CONTACTS}/bulk"), &rows).await;
    bulk.json("$.summary.created_count", 1);
    patch(&app, &path, &json!({"first_name": "Ann"})).await.assert(200);
    delete(&app, &path).await.assert(200);

    let mut told = records.webhook_deliveries().list(tenant, DeliveryFilter::default(), 100).await.unwrap();
    told.sort_by(|one, other| one.event_id.cmp(&other.event_id));
    let mut expected = [ann.at("$.data"), bulk.at("$.created[0]")];
    expected.sort_by_key(|contact| contact["id"].as_str().unwrap().to_owned());
    assert_eq!(told.len(), 2, "{told:?}");
    for (delivery, contact) in told.iter().zip(&expected) {
        assert_eq!((delivery.event, delivery.endpoint), (WebhookEvent::ContactCreated, wanting.id));
        let body: Value = serde_json::from_str(&delivery.body).unwrap();
        assert_eq!(body, json!({"type": "contact.created", "timestamp": contact["created_at"], "data": contact}));
        assert_eq!(delivery.event_id, contact["id"].as_str().unwrap().replacen("con_", "evt_", 1) + "_1");
    }
    records.close().await;
}

#[tokio::test]
async fn while_the_records_are_away_contacts_are_503_and_nothing_is_lost() {
    if is_shared() {
        // There the whole database goes away: the tests of the planes see to that.
        return;
    }
    let app = TestApp::spawn().await;
    let (_, path) = added(&app, &json!({"email": "ann@example.com"})).await;
    let broken = rusqlite::Connection::open(app.path().join("records.db")).unwrap();
    broken.execute_batch("ALTER TABLE contacts RENAME TO elsewhere").unwrap();
    for reply in [
        app.get(CONTACTS).await,
        app.get(&path).await,
        app.with("Idempotency-Key", "ben").post(CONTACTS, &json!({"email": "ben@example.com"})).await,
        patch(&app, &path, &json!({"first_name": "Ann"})).await,
        delete(&app, &path).await,
        app.call(Method::POST, &format!("{path}/unsubscribe"), None, "").await,
    ] {
        reply.error(503, "unavailable");
        assert!(reply.number_in("retry-after") > 0, "{reply:?}");
        assert!(!String::from_utf8_lossy(&reply.body).contains("table"), "{reply:?}");
    }
    broken.execute_batch("ALTER TABLE elsewhere RENAME TO contacts").unwrap();
    app.get(&path).await.assert(200).json("$.first_name", Value::Null);
    let made = app.with("Idempotency-Key", "ben").post(CONTACTS, &json!({"email": "ben@example.com"})).await;
    assert_eq!(made.assert(201).header("idempotency-replayed"), None, "{made:?}");
}
