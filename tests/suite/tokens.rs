//! Session tokens that open nothing: one status and one body for all of them.

use std::time::Duration;

use countersign_tests::{Client, KeyWish, Reply, Sent, TestApp, email};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// The answer of every call that takes a token, which must be one and the same.
async fn answer(client: &Client, token: &str) -> Reply {
    let verify = client.post("/api/v1/otp/verify", &json!({"session_token": token, "code": "123456"})).await;
    verify.error(401, "session_not_recognised").json("$.message", "Session token not recognised");
    for path in ["resend", "next", "status", "cancel"] {
        let reply = client.post(&format!("/api/v1/otp/{path}"), &json!({"session_token": token})).await;
        assert_eq!(reply.sameness(), verify.sameness(), "{path}");
    }
    verify
}

fn part(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap()
}

/// The token's claims under an HMAC key that is not the server's.
fn forged(token: &str, kid: &str, secret: &[u8]) -> String {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(kid.to_owned());
    header.typ = jsonwebtoken::decode_header(token).unwrap().typ;
    jsonwebtoken::encode(&header, &claims(token), &EncodingKey::from_secret(secret)).unwrap()
}

#[tokio::test]
async fn every_token_that_opens_nothing_gets_one_body() {
    let app = TestApp::builder().key("foreign", KeyWish::test().of_another_tenant()).generous().spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    let foreign = app.as_key("foreign").send(email("ann@example.com")).await;
    let live = app.live().send(email("ann@example.com").set("sandbox_mode", true)).await;
    let malformed = answer(&app, "nonsense").await;

    let parts: Vec<&str> = sent.token.split('.').collect();
    let kid = jsonwebtoken::decode_header(&sent.token).unwrap().kid.unwrap();
    let mut elsewhere = claims(&sent.token);
    elsewhere["sub"] = foreign.session_id.as_str().into();
    let swapped = [parts[0], &part(&elsewhere), parts[2]].join(".");
    let tokens = [
        ("another tenant's", foreign.token.clone()),
        ("the other kind of key's", live.token.clone()),
        ("unsigned", format!("{}.{}.", parts[0], parts[1])),
        ("cut", sent.token[..sent.token.len() - 2].to_owned()),
        ("with another's claims", swapped),
        ("under an empty secret", forged(&sent.token, &kid, b"")),
        ("under an unknown kid", forged(&sent.token, "00000000", b"secret")),
        ("long", "x".repeat(9_000)),
    ];
    for (what, token) in tokens {
        assert_eq!(answer(&app, &token).await.sameness(), malformed.sameness(), "{what}");
    }
    let untouched = app.status(&sent).await;
    untouched.assert(200).json("$.attempts_remaining", 3).json("$.status", "pending");
    app.as_key("foreign").status(&foreign).await.assert(200).json("$.attempts_remaining", 3);
}

#[tokio::test]
async fn a_sessions_id_is_no_token() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    for path in ["verify", "resend", "next", "cancel"] {
        let body = json!({"session_token": sent.session_id, "code": sent.code("email")});
        app.post(&format!("/api/v1/otp/{path}"), &body).await.error(401, "session_not_recognised");
    }
}

#[tokio::test]
async fn no_token_at_all_is_told_as_such_or_as_unknown() {
    let app = TestApp::spawn().await;
    for body in [
        json!({"code": "123456"}),
        json!({"session_token": null, "code": "123456"}),
        json!({"session_token": 7, "code": "123456"}),
    ] {
        let reply = app.post("/api/v1/otp/verify", &body).await;
        assert!([400, 401].contains(&reply.status), "{reply:?}");
        reply.error(reply.status, &reply.text("$.code"));
    }
}

#[tokio::test]
async fn a_token_that_names_no_algorithm_is_refused() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    let header = jsonwebtoken::decode_header(&sent.token).unwrap();
    let payload = sent.token.split('.').nth(1).unwrap();
    let signature = sent.token.split('.').nth(2).unwrap();
    for algorithm in ["none", "None", "NONE", "nOnE", "", "HS384", "HS512", "RS256", "EdDSA"] {
        let header = part(&json!({"alg": algorithm, "typ": header.typ, "kid": header.kid}));
        for signature in ["", signature] {
            answer(&app, &format!("{header}.{payload}.{signature}")).await;
        }
    }
    app.verify(&sent, sent.code("email")).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn a_published_key_is_no_secret_to_sign_tokens_with() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    let token_kid = jsonwebtoken::decode_header(&sent.token).unwrap().kid.unwrap();
    for page in ["/.well-known/jwks.json", "/.well-known/jwks-sandbox.json"] {
        let jwks = app.nobody().get(page).await;
        let key = jwks.assert(200).at("$.keys[0]");
        let (kid, public) = (key["kid"].as_str().unwrap(), key["x"].as_str().unwrap());
        let bytes = BASE64URL_NOPAD.decode(public.as_bytes()).unwrap();
        for kid in [kid, &token_kid] {
            for secret in [bytes.as_slice(), public.as_bytes(), key.to_string().as_bytes(), &jwks.body] {
                answer(&app, &forged(&sent.token, kid, secret)).await;
            }
        }
    }
}

#[tokio::test]
async fn a_proof_is_no_session_token() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    let proof = app.verify(&sent, sent.code("email")).await.text("$.verification_proof");
    answer(&app, &proof).await;
}

#[tokio::test]
async fn a_token_past_its_own_life_gets_the_same_body() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    let unknown = answer(&app, "nonsense").await;
    app.advance(Duration::from_hours(24));
    assert_eq!(answer(&app, &sent.token).await.sameness(), unknown.sameness());
}

/// No call of `stranger` finds the session, and its owner's does.
async fn only_its_own_kind(owner: &Client, stranger: &Client, sent: &Sent) {
    let unknown = answer(stranger, "nonsense").await;
    assert_eq!(answer(stranger, &sent.token).await.sameness(), unknown.sameness());
    let by_id = stranger.get(&format!("/api/v1/otp/sessions/{}", sent.session_id)).await;
    assert_eq!(by_id.sameness(), unknown.sameness());
    let reply = stranger.verify(sent, sent.code("email")).await;
    assert_eq!(reply.sameness(), unknown.sameness());
    owner.verify(sent, sent.code("email")).await.assert(200).json("$.verified", true).json("$.sandbox", true);
}

#[tokio::test]
async fn a_test_keys_session_does_not_exist_for_a_live_key() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    only_its_own_kind(&app, &app.live(), &sent).await;
}

#[tokio::test]
async fn a_live_keys_sandbox_session_does_not_exist_for_a_test_key() {
    let app = TestApp::spawn().await;
    let sent = app.live().send(email("ann@example.com").set("sandbox_mode", true)).await;
    only_its_own_kind(&app.live(), &app, &sent).await;
}
