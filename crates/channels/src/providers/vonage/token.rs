//! The tokens of Vonage's newer APIs: one that we show, signed with an application's key, and those that its callbacks show.

use countersign_model::{Rng, Timestamp};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use ring::rand::SystemRandom;
use ring::signature::RSA_PKCS1_SHA256;
use ring::{digest, rsa};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use crate::receipts::Callback;
use crate::recent::is_recent;

/// How long a token of ours is good for, in seconds: one request, and clocks that do not agree.
const LIFE: i64 = 300;

/// A token of an application; none: its key cannot sign.
pub(super) fn mint(application: &str, key: &rsa::KeyPair, now: Timestamp, rng: &dyn Rng) -> Option<String> {
    let mut name = [0_u8; 16];
    rng.fill(&mut name);
    let issued = now.seconds();
    let claims = serde_json::json!({
        "application_id": application, "iat": issued, "exp": issued + LIFE, "jti": HEXLOWER.encode(&name),
    });
    let head = BASE64URL_NOPAD.encode(br#"{"alg":"RS256","typ":"JWT"}"#);
    let signed = format!("{head}.{}", BASE64URL_NOPAD.encode(claims.to_string().as_bytes()));
    let mut signature = vec![0; key.public().modulus_len()];
    // This padding draws nothing: a token is decided by its claims and the key.
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
    Some(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)))
}

#[derive(Deserialize)]
struct Claims {
    iat: i64,
    #[serde(default)]
    payload_hash: String,
}

/// Whether a callback shows a token of these minutes, signed by Vonage, about this body.
pub(super) fn is_genuine(secret: &SecretString, callback: &Callback, now: Timestamp) -> bool {
    let Some(("Bearer", token)) = callback.header("authorization").and_then(|it| it.split_once(' ')) else { return false };
    let mut validation = Validation::new(Algorithm::HS256);
    // Its age is judged by our own clock, below.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let key = DecodingKey::from_secret(secret.expose_secret().as_bytes());
    let Ok(token) = jsonwebtoken::decode::<Claims>(token, &key, &validation) else { return false };
    let told = token.claims.payload_hash.to_ascii_lowercase();
    let is_of = |body: &[u8]| {
        let hash = HEXLOWER.encode(digest::digest(&digest::SHA256, body).as_ref());
        bool::from(hash.as_bytes().ct_eq(told.as_bytes()))
    };
    let is_about_this = is_of(&callback.body) || without_blanks(&callback.body).is_some_and(|body| is_of(body.as_bytes()));
    is_recent(&token.claims.iat.to_string(), now) && is_about_this
}

/// The same JSON with nothing between its parts, which is what a page of Vonage's says to hash. None: it is no JSON.
fn without_blanks(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Value>(body).ok().map(|body| body.to_string())
}
