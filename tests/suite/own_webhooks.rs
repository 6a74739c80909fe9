//! Endpoints that a tenant keeps with its own key.

use std::net::{IpAddr, Ipv4Addr};

use countersign_core::Caller;
use countersign_core::manage::{OwnEndpoint, OwnEndpointDraft, OwnEndpointError};
use countersign_model::EndpointId;
use countersign_tests::TestApp;
use reqwest::Method;
use serde_json::json;

use crate::admin_access::{chief, patch, problem};

const PATH: &str = "/admin/v1/tenants/default/webhooks";

async fn caller(app: &TestApp, key: &str) -> Caller {
    app.platform().authenticate(Some(app.secret(key)), IpAddr::V4(Ipv4Addr::LOCALHOST)).await.unwrap()
}

fn draft(url: &str, secret: &str, name: &str) -> OwnEndpointDraft {
    OwnEndpointDraft { url: url.to_owned(), secret: secret.to_owned().into(), name: name.to_owned() }
}

fn said(endpoint: &OwnEndpoint) -> (&str, &str, Option<&str>) {
    (&endpoint.url, &endpoint.name, endpoint.secret.as_ref().map(|secret| secret.as_str()))
}

#[tokio::test]
async fn an_endpoint_of_a_tenants_own_can_be_made_changed_and_deleted_with_its_key() {
    let app = TestApp::spawn().await;
    let (platform, caller) = (app.platform(), caller(&app, "live").await);
    let made = platform.create_own_endpoint(&caller, draft("https://Example.com", "my secret", "reports")).await.unwrap();
    assert_eq!(said(&made), ("https://example.com/", "reports", Some("my secret")));
    assert_eq!((made.tenant, made.created_at, made.updated_at), (caller.scope.tenant, app.now(), app.now()));
    app.advance(std::time::Duration::from_secs(5));
    let replaced = platform.replace_own_endpoint(&caller, made.id, draft("https://example.com/b", "other", "new")).await.unwrap();
    assert_eq!(said(&replaced), ("https://example.com/b", "new", Some("other")));
    assert_eq!((replaced.created_at, replaced.updated_at), (made.created_at, app.now()));
    let found = platform.own_endpoint(&caller, made.id).await.unwrap();
    assert_eq!((said(&found), found.updated_at), (said(&replaced), replaced.updated_at));
    let listed = platform.list_own_endpoints(&caller).await.unwrap();
    assert_eq!(listed.iter().map(said).collect::<Vec<_>>(), [said(&replaced)]);
    platform.delete_own_endpoint(&caller, made.id).await.unwrap();
    let gone = platform.own_endpoint(&caller, made.id).await;
    assert!(matches!(gone, Err(OwnEndpointError::NotFound)), "{gone:?}");
    let audit = chief(&app).await.get("/admin/v1/audit").await;
    let text = String::from_utf8_lossy(&audit.body).into_owned();
    assert!(!text.contains("my secret") && !text.contains("other"), "{text}");
    // The newest one is the operator's own token.
    for (place, what) in [(1, "webhook.delete"), (2, "webhook.update"), (3, "webhook.create")] {
        audit.json(&format!("$.data[{place}].what"), what).json(&format!("$.data[{place}].who"), caller.key.to_string());
    }
}

#[tokio::test]
async fn endpoints_of_another_format_are_nobodys_own() {
    let app = TestApp::spawn().await;
    let (platform, caller) = (app.platform(), caller(&app, "live").await);
    let native = chief(&app).await.post(PATH, &json!({"url": "https://example.com/hooks"})).await.assert(201).text("$.id");
    let native: EndpointId = native.parse().unwrap();
    assert!(platform.list_own_endpoints(&caller).await.unwrap().is_empty());
    for refused in [
        platform.own_endpoint(&caller, native).await.err(),
        platform.replace_own_endpoint(&caller, native, draft("https://example.com/", "s", "n")).await.err(),
        platform.delete_own_endpoint(&caller, native).await.err(),
        platform.own_endpoint(&caller, EndpointId::from_bits(7)).await.err(),
    ] {
        assert!(matches!(refused, Some(OwnEndpointError::NotFound)), "{refused:?}");
    }
}

#[tokio::test]
async fn all_that_cannot_be_is_told_and_the_bound_holds_here_too() {
    let app = TestApp::builder().set("webhooks.endpoints_per_tenant", 1).spawn().await;
    let (platform, caller) = (app.platform(), caller(&app, "live").await);
    let refused = platform.create_own_endpoint(&caller, draft("http://127.0.0.1/", &"x".repeat(257), " ")).await;
    let Err(OwnEndpointError::Invalid(flaws)) = refused else { panic!("{refused:?}") };
    assert_eq!(flaws.iter().map(|flaw| flaw.field.as_str()).collect::<Vec<_>>(), ["url", "secret", "name"]);
    platform.create_own_endpoint(&caller, draft("https://example.com/", "s", "n")).await.unwrap();
    let full = platform.create_own_endpoint(&caller, draft("https://example.com/", "s", "n")).await;
    assert!(matches!(full, Err(OwnEndpointError::Full)), "{full:?}");
}

#[tokio::test]
async fn a_secret_of_a_tenants_own_cannot_sign_our_format_until_it_is_rotated() {
    let app = TestApp::spawn().await;
    let made = app.platform().create_own_endpoint(&caller(&app, "live").await, draft("https://example.com/", "mine", "n")).await;
    let path = format!("{PATH}/{}", made.unwrap().id);
    let chief = chief(&app).await;
    problem(&patch(&chief, &path, &json!({"format": "native"})).await, 409, "conflict");
    patch(&chief, &path, &json!({"format": "kotp"})).await.assert(200);
    chief.call(Method::POST, &format!("{path}/rotate"), None, "").await.assert(201);
    patch(&chief, &path, &json!({"format": "native"})).await.assert(200).json("$.format", "native");
}
