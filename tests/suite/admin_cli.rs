//! The same at the terminal, beside a running server.

use countersign_tests::{TestApp, email, run, within_patience};
use serde_json::{Value, json};

use crate::admin_access::chief;

const SERVICE: &str = "7d1f0c2e-51c3-4c0a-9a51-0a6f6f3a5b11";

#[tokio::test]
async fn what_is_made_at_the_terminal_is_what_the_admin_api_shows() {
    let app = TestApp::spawn().await;
    let chief = chief(&app).await;
    let tenant = run(app.path(), &["tenant", "create", "--name", "acme", "--set", "settings.limits.active_per_user=3"]).await;
    let shown = chief.get("/admin/v1/tenants/acme").await;
    assert_eq!(shown.assert(200).body(), tenant);
    let of = ["--tenant", "acme"];
    let create = ["service", "create", "--name", "shop", "--id", SERVICE, "--set", "profile.code_length=8"];
    run(app.path(), &[&create[..], &of].concat()).await;
    let update = ["service", "update", SERVICE, "--set", "profile.code_length=null", "--set", "profile.app_name=Acme"];
    let updated = run(app.path(), &[&update[..], &of].concat()).await;
    assert_eq!(updated["profile"], json!({"app_name": "Acme"}));
    assert_eq!(chief.get(&format!("/admin/v1/tenants/acme/services/{SERVICE}")).await.body(), updated);
    let listed = run(app.path(), &["service", "list", "--tenant", "acme"]).await;
    assert_eq!(listed["services"][0]["id"], SERVICE);
    let body = "Your code: {{code}}";
    let template = ["template", "create", "--channel", "sms", "--name", "sms", "--body", body];
    let template = run(app.path(), &[&template[..], &of].concat()).await;
    assert_eq!((&template["version"], &template["locale"]), (&json!(1), &json!("en")));
    let preview = run(app.path(), &["template", "preview", "--channel", "sms", "--body", body]).await;
    assert_eq!(preview["text"], "Your code: 123456");
    run(app.path(), &[&["sender", "create", "--channel", "sms", "--value", "ACME"], &of[..]].concat()).await;
    let hook = run(app.path(), &[&["webhook", "create", "--url", "https://example.com/"], &of[..]].concat()).await;
    assert!(hook["secret"].as_str().unwrap().starts_with("whsec_"), "{hook}");
    run(app.path(), &[&["wallet", "top-up", "12.50", "--note", "hello"], &of[..]].concat()).await;
    run(app.path(), &[&["wallet", "adjust", "-2.50", "--note", "sorry"], &of[..]].concat()).await;
    let wallet = run(app.path(), &[&["wallet", "show"], &of[..]].concat()).await;
    assert_eq!((&wallet["wallet"]["balance"], &wallet["ledger"]), (&json!("10.00"), &json!("10.00")));
    let rebuilt = run(app.path(), &[&["wallet", "rebuild"], &of[..]].concat()).await;
    assert_eq!(rebuilt["after"]["balance"], "10.00");
    let log = chief.get("/admin/v1/audit?tenant=acme").await;
    let whos: Vec<Value> = log.at("$.data").as_array().unwrap().iter().map(|entry| entry["who"].clone()).collect();
    assert!(whos.len() == 8 && whos.iter().all(|who| who == "terminal"), "{log:?}");
}

#[tokio::test]
async fn a_service_made_at_the_terminal_is_known_to_the_server_a_moment_later() {
    let app = TestApp::builder().generous().spawn().await;
    run(app.path(), &["service", "create", "--name", "shop", "--id", SERVICE, "--set", "profile.code_length=9"]).await;
    let known = async {
        loop {
            let reply = app.try_send(&email("ann@example.com").set("service_id", SERVICE)).await;
            if reply.status == 200 {
                return reply;
            }
        }
    };
    let sent = within_patience("a service to be known", known).await;
    assert_eq!(sent.text("$.sandbox_otps.email").len(), 9, "{sent:?}");
}

#[tokio::test]
async fn a_key_revoked_at_the_terminal_is_refused_at_its_next_call() {
    let app = TestApp::builder().generous().spawn().await;
    let live = app.live();
    live.get("/api/v1/otp/sessions").await.assert(200);
    let listed = run(app.path(), &["key", "list"]).await;
    let id =
        listed["keys"].as_array().unwrap().iter().find(|key| key["mode"] == "live").unwrap()["id"].as_str().unwrap().to_owned();
    run(app.path(), &["key", "revoke", &id]).await;
    live.get("/api/v1/otp/sessions").await.error(401, "invalid_api_key");
    live.try_send(&email("ann@example.com")).await.error(401, "invalid_api_key");
}
