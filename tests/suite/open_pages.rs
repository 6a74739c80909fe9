//! What is there without a key, and what is there for operators only.

use countersign_tests::{TestApp, email};
use serde_json::{Value, json};

#[tokio::test]
async fn probes_answer_without_a_key() {
    let app = TestApp::spawn().await;
    app.nobody().get("/healthz").await.assert(200);
    app.nobody().get("/readyz").await.assert(200);
}

#[tokio::test]
async fn a_server_whose_store_is_away_is_alive_and_not_ready() {
    let app = TestApp::spawn().await;
    app.break_store();
    app.until_status("/readyz", 503).await;
    app.nobody().get("/healthz").await.assert(200);
}

#[tokio::test]
async fn the_description_of_the_wire_names_every_operation() {
    let app = TestApp::spawn().await;
    let document = app.nobody().get("/openapi.json").await;
    let version = document.assert(200).text("$.openapi");
    assert!(version.starts_with("3.1"), "{version}");
    let paths = document.body()["paths"].clone();
    for (path, method) in [
        ("/api/v1/otp/send", "post"),
        ("/api/v1/otp/verify", "post"),
        ("/api/v1/otp/resend", "post"),
        ("/api/v1/otp/next", "post"),
        ("/api/v1/otp/status", "post"),
        ("/api/v1/otp/cancel", "post"),
        ("/api/v1/otp/sessions", "get"),
        ("/api/v1/otp/sessions/{session}", "get"),
    ] {
        assert!(paths[path][method].is_object(), "{method} {path} is not described");
    }
}

#[tokio::test]
async fn the_docs_are_a_page_that_fetches_nothing_from_elsewhere() {
    let app = TestApp::spawn().await;
    let page = app.nobody().get("/docs").await;
    page.assert(200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"), "{page:?}");
    let text = String::from_utf8_lossy(&page.body).into_owned();
    for elsewhere in ["src=\"http", "src=\"//", "href=\"//", "@import", "cdn."] {
        assert!(!text.contains(elsewhere), "{elsewhere} stands in the page");
    }
}

#[tokio::test]
async fn published_keys_are_public_halves_only() {
    let app = TestApp::spawn().await;
    for page in ["/.well-known/jwks.json", "/.well-known/jwks-sandbox.json"] {
        let keys = app.nobody().get(page).await;
        keys.assert(200);
        for key in keys.at("$.keys").as_array().unwrap() {
            assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA")));
            assert_eq!(key["d"], Value::Null, "a private half is published");
        }
    }
    let live = app.nobody().get("/.well-known/jwks.json").await.body();
    assert_ne!(live, app.nobody().get("/.well-known/jwks-sandbox.json").await.body());
}

#[tokio::test]
async fn metrics_are_for_operators_only() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.guess_wrong(&sent).await.assert(200);
    let page = app.admin().get("/metrics").await;
    let text = String::from_utf8_lossy(&page.assert(200).body).into_owned();
    assert!(text.lines().any(|line| line.starts_with("countersign_") && !line.ends_with(" 0")), "{text}");
    app.nobody().get("/metrics").await.error(404, "not_found");
    app.admin().get("/api/v1/otp/sessions").await.assert(404);
}

#[tokio::test]
async fn metrics_name_routes_and_never_what_callers_wrote() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com").set("purpose", "very-special-purpose")).await;
    app.get(&format!("/api/v1/otp/sessions/{}", sent.session_id)).await.assert(200);
    app.get("/api/v1/otp/made-up-path").await.assert(404);
    app.call(reqwest::Method::from_bytes(b"MADEUP").unwrap(), "/api/v1/otp/send", None, "").await.assert(405);
    let page = app.admin().get("/metrics").await;
    let text = String::from_utf8_lossy(&page.assert(200).body).into_owned();
    for written in [sent.session_id.as_str(), "made-up-path", "MADEUP", "very-special-purpose", "ann@", "127.0.0.1"] {
        assert!(!text.contains(written), "{written} is a label:\n{text}");
    }
}
