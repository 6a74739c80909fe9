//! Who may use the admin API, and in which form it refuses.

use countersign_tests::{Client, Reply, TestApp, run};
use reqwest::Method;
use serde_json::{Value, json};

/// An operator whose token has these scopes.
pub(crate) async fn operator(app: &TestApp, scopes: &str) -> Client {
    let name = format!("op-{}", scopes.replace(',', "-"));
    let made = run(app.path(), &["admin-token", "create", "--name", &name, "--scope", scopes]).await;
    app.admin().with("Authorization", &format!("Bearer {}", made["secret"].as_str().unwrap()))
}

/// An operator who may do everything.
pub(crate) async fn chief(app: &TestApp) -> Client {
    operator(app, "read,write,wallet,keys").await
}

pub(crate) async fn patch(client: &Client, path: &str, body: &Value) -> Reply {
    client.call(Method::PATCH, path, Some("application/merge-patch+json"), body.to_string()).await
}

pub(crate) async fn delete(client: &Client, path: &str) -> Reply {
    client.call(Method::DELETE, path, None, "").await
}

/// Expects an error in the form of RFC 9457, whole.
#[track_caller]
pub(crate) fn problem(reply: &Reply, status: u16, code: &str) {
    reply.assert(status).json("$.type", format!("urn:countersign:problem:{code}")).json("$.status", status);
    assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{reply:?}");
    let request = reply.header("x-request-id").unwrap().to_owned();
    reply.json("$.requestId", request.as_str()).json("$.instance", format!("urn:countersign:request:{request}"));
    assert!(!reply.text("$.title").is_empty() && !reply.text("$.detail").is_empty(), "{reply:?}");
    assert!(reply.at("$.errors").is_array(), "{reply:?}");
}

/// The fields that a refusal tells of.
pub(crate) fn fields(reply: &Reply) -> Vec<String> {
    let errors = reply.at("$.errors");
    errors.as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn nobody_gets_in_without_a_token_that_is_good() {
    let app = TestApp::spawn().await;
    let nobody = app.admin();
    let missing = nobody.get("/admin/v1/tenants").await;
    problem(&missing, 401, "invalid_token");
    assert!(missing.header("www-authenticate").unwrap().starts_with("Bearer"), "{missing:?}");
    let expired = ["admin-token", "create", "--name", "short", "--scope", "read", "--expires", "2126-12-31T00:00:00Z"];
    // The commands go by the machine's time, whatever that is, the server by the test's.
    let short = run(app.path(), &expired).await["secret"].as_str().unwrap().to_owned();
    let bearer = |token: &str| nobody.with("Authorization", &format!("Bearer {token}"));
    bearer(&short).get("/admin/v1/tenants").await.assert(200);
    app.advance(std::time::Duration::from_secs(101 * 366 * 86_400));
    let known = run(app.path(), &["admin-token", "create", "--name", "ended", "--scope", "read"]).await["secret"].clone();
    run(app.path(), &["admin-token", "revoke", "ended"]).await;
    let api_key = app.secret("live").to_owned();
    for token in [short.as_str(), known.as_str().unwrap(), api_key.as_str(), "", "cs_admin_x"] {
        let refused = bearer(token).get("/admin/v1/tenants").await;
        assert_eq!((refused.status, refused.at("$.detail")), (401, missing.at("$.detail")), "{refused:?}");
    }
    nobody.with_key(&api_key).get("/admin/v1/tenants").await.assert(401);
}

#[tokio::test]
async fn a_token_does_what_its_scopes_say_and_no_more() {
    let app = TestApp::spawn().await;
    let (reader, writer) = (operator(&app, "read").await, operator(&app, "write").await);
    reader.get("/admin/v1/tenants/default").await.assert(200).json("$.name", "default");
    let tenant = json!({"name": "acme"});
    problem(&reader.post("/admin/v1/tenants", &tenant).await, 403, "forbidden");
    problem(&writer.get("/admin/v1/tenants/default").await, 403, "forbidden");
    writer.post("/admin/v1/tenants", &tenant).await.assert(201);
    for client in [&reader, &writer] {
        problem(&client.post("/admin/v1/tenants/default/keys", &json!({"mode": "test", "name": "k"})).await, 403, "forbidden");
        problem(&client.post("/admin/v1/tenants/default/wallet/credits", &json!({"amount": "1"})).await, 403, "forbidden");
    }
}

#[tokio::test]
async fn nobody_gives_away_more_than_he_has() {
    let app = TestApp::spawn().await;
    let keeper = operator(&app, "read,keys").await;
    let wish = |scopes: Value| json!({"name": "next", "scopes": scopes});
    let refused = keeper.post("/admin/v1/tokens", &wish(json!(["read", "wallet"]))).await;
    problem(&refused, 400, "invalid_field");
    assert_eq!(fields(&refused), ["scopes"]);
    let made = keeper.post("/admin/v1/tokens", &wish(json!(["read"]))).await;
    let token = made.assert(201).json("$.state", "active").text("$.secret");
    let next = app.admin().with("Authorization", &format!("Bearer {token}"));
    next.get("/admin/v1/info").await.assert(200).json("$.tenants", 1);
    problem(&keeper.post("/admin/v1/tokens", &wish(json!(["read"]))).await, 409, "exists");
    delete(&keeper, "/admin/v1/tokens/next").await.assert(200).json("$.state", "revoked").without("$.secret");
    next.get("/admin/v1/info").await.assert(401);
    problem(&keeper.post("/admin/v1/tokens", &wish(json!(["read"]))).await, 409, "exists");
}

#[tokio::test]
async fn failed_authentications_are_counted_by_address_and_never_hold_up_a_good_token() {
    let app = TestApp::builder().set("limits.failed_authentication", "3/1m").spawn().await;
    let chief = chief(&app).await;
    let nodes = 2;
    let statuses = async {
        let mut statuses = Vec::new();
        for _ in 0..4 * nodes {
            statuses.push(app.admin().get("/admin/v1/info").await.status);
        }
        statuses
    };
    let statuses = statuses.await;
    assert!(statuses.contains(&401) && statuses.last() == Some(&429), "{statuses:?}");
    let late = app.admin().get("/admin/v1/info").await;
    problem(&late, 429, "rate_limited");
    assert!(late.number_in("retry-after") >= 1, "{late:?}");
    chief.get("/admin/v1/info").await.assert(200);
    chief.get("/admin/v1/info").await.assert(200);
}

#[tokio::test]
async fn every_refusal_is_a_problem_document() {
    let app = TestApp::spawn().await;
    let chief = chief(&app).await;
    problem(&chief.get("/admin/v1/nothing").await, 404, "not_found");
    problem(&chief.get("/admin/v1/tenants/nobody").await, 404, "not_found");
    problem(&chief.get("/admin/v1/tenants/default/keys/x/y").await, 404, "not_found");
    let wrong = chief.call(Method::PUT, "/admin/v1/tenants", None, "").await;
    problem(&wrong, 405, "method_not_allowed");
    assert_eq!(wrong.header("allow"), Some("GET, HEAD, POST, OPTIONS"), "{wrong:?}");
    problem(&chief.call(Method::POST, "/admin/v1/tenants", Some("text/plain"), "{}").await, 415, "unsupported_media_type");
    problem(&chief.call(Method::POST, "/admin/v1/tenants", Some("application/json"), "{").await, 400, "malformed_body");
    problem(&chief.post("/admin/v1/tenants", &json!({"name": "default"})).await, 409, "exists");
    let faulty =
        json!({"name": "", "email": 7, "settings": {"limits": {"sends_per_ip": {"max": 0, "seconds": 1}}}, "color": "red"});
    let faulty = chief.post("/admin/v1/tenants", &faulty).await;
    problem(&faulty, 400, "invalid_field");
    assert_eq!(fields(&faulty), ["email", "color"], "form first");
    let faulty = chief.post("/admin/v1/tenants", &json!({"name": "a\nb", "settings": {"low_balance": "-1"}})).await;
    assert_eq!(fields(&faulty), ["name", "settings.low_balance"], "{faulty:?}");
    let odd = chief.get("/admin/v1/tenants?limit=0&page=2").await;
    problem(&odd, 400, "invalid_field");
    assert_eq!(fields(&odd), ["page"]);
    let twice = chief.get("/admin/v1/tenants?limit=1&limit=2").await;
    problem(&twice, 400, "invalid_field");
    assert_eq!(fields(&twice), ["limit"]);
    let twice = r#"{"name":"acme","settings":{"low_balance":"1","low_balance":"2"}}"#;
    let twice = chief.call(Method::POST, "/admin/v1/tenants", Some("application/json"), twice).await;
    problem(&twice, 400, "malformed_body");
    for outside in ["/nothing", "/api/v1/otp/send"] {
        problem(&chief.get(outside).await, 404, "not_found");
    }
    app.nobody().get("/admin/v1/tenants").await.error(404, "not_found");
}

#[tokio::test]
async fn the_description_and_its_page_are_open_and_hold_nothing_of_the_installation() {
    let app = TestApp::spawn().await;
    let document = app.admin().get("/admin/v1/openapi.json").await;
    document.assert(200).json("$.info.title", "Countersign admin API");
    assert!(document.body()["paths"]["/admin/v1/tenants/{tenant}/services"]["post"].is_object(), "{document:?}");
    let page = app.admin().get("/admin/v1/docs").await;
    assert!(page.assert(200).header("content-security-policy").unwrap().contains("default-src 'none'"), "{page:?}");
    assert!(String::from_utf8_lossy(&page.body).contains("/admin/v1/openapi.json"));
}
