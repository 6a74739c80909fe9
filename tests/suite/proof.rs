//! The verification proof, checked as a third party would: with the published keys and nothing else.

use countersign_tests::{Client, MailSink, TestApp, email};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const LIVE: &str = "/.well-known/jwks.json";
const SANDBOX: &str = "/.well-known/jwks-sandbox.json";

/// The claims, if a key of that page signed them.
async fn checked(client: &Client, page: &str, proof: &str) -> Option<Value> {
    let reply = client.without("X-API-Key").get(page).await;
    let keys: JwkSet = serde_json::from_slice(&reply.assert(200).body).unwrap();
    let header = jsonwebtoken::decode_header(proof).unwrap();
    assert_eq!(header.alg, Algorithm::EdDSA);
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap())?).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    // The suite's clock stands still.
    validation.validate_exp = false;
    validation.validate_aud = false;
    Some(jsonwebtoken::decode::<Value>(proof, &key, &validation).unwrap().claims)
}

fn hash(channel: &str, address: &str) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(format!("{channel}:{address}")))
}

#[tokio::test]
async fn a_sandbox_proof_is_signed_by_the_sandbox_key_alone() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    let proof = app.verify(&sent, sent.code("email")).await.text("$.verification_proof");
    let claims = checked(&app, SANDBOX, &proof).await.unwrap();
    assert_eq!(claims["iss"], format!("{}/sandbox", app.issuer()));
    assert_eq!((&claims["env"], &claims["sub"]), (&json!("sandbox"), &json!(sent.session_id)));
    assert_eq!(checked(&app, LIVE, &proof).await, None);
}

#[tokio::test]
async fn a_live_proof_says_what_was_proved_and_to_whom() {
    let sink = MailSink::start().await;
    let app = TestApp::builder().live_email(&sink).spawn().await;
    let sent = app.live().send(email("Ann@BÜCHER.example").set("purpose", "payment")).await;
    app.advance(std::time::Duration::from_secs(5));
    let proof = app.live().verify(&sent, &sink.mail(1).await.code()).await.text("$.verification_proof");
    let claims = checked(&app, LIVE, &proof).await.unwrap();
    assert_eq!(checked(&app, SANDBOX, &proof).await, None);
    assert_eq!(claims["iss"], app.issuer());
    assert!(claims["aud"].as_str().unwrap().starts_with("ten_"), "{claims}");
    assert!(!claims["jti"].as_str().unwrap().is_empty(), "{claims}");
    let expected = json!({
        "iss": claims["iss"], "aud": claims["aud"], "jti": claims["jti"],
        "sub": sent.session_id, "env": "live", "verification_mode": "any", "channels": ["email"], "purpose": "payment",
        "recipients": {"email": hash("email", "ann@xn--bcher-kva.example")},
        "iat": app.now().seconds(), "exp": app.now().seconds() + 300,
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn a_proof_names_every_proved_channel_and_only_those() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com").and("sms", "+12025550143").all()).await;
    let reply = app.verify_each(&sent, &[("email", sent.code("email")), ("sms", sent.code("sms"))]).await;
    let claims = checked(&app, SANDBOX, &reply.text("$.verification_proof")).await.unwrap();
    let recipients = json!({"email": hash("email", "ann@example.com"), "sms": hash("sms", "+12025550143")});
    assert_eq!((&claims["recipients"], &claims["verification_mode"]), (&recipients, &json!("all")));

    let sent = app.send(email("bob@example.com").and("sms", "+12025550144")).await;
    let reply = app.verify_each(&sent, &[("sms", sent.code("sms"))]).await;
    let claims = checked(&app, SANDBOX, &reply.text("$.verification_proof")).await.unwrap();
    assert_eq!((&claims["recipients"], &claims["channels"]), (&json!({"sms": hash("sms", "+12025550144")}), &json!(["sms"])));
}

#[tokio::test]
async fn a_proof_that_was_tampered_with_is_worth_nothing() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    let proof = app.verify(&sent, sent.code("email")).await.text("$.verification_proof");
    let reply = app.nobody().get(SANDBOX).await;
    let keys: JwkSet = serde_json::from_slice(&reply.body).unwrap();
    let key = DecodingKey::from_jwk(&keys.keys[0]).unwrap();
    let parts: Vec<&str> = proof.split('.').collect();
    let mut claims: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(parts[1].as_bytes()).unwrap()).unwrap();
    claims["env"] = "live".into();
    let forged = [parts[0], &BASE64URL_NOPAD.encode(claims.to_string().as_bytes()), parts[2]].join(".");
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.validate_aud = false;
    assert!(jsonwebtoken::decode::<Value>(&forged, &key, &validation).is_err());
}
