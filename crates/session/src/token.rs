//! The session token: a signed name of a session, safe to hand to a browser. It opens nothing by itself: a caller's API key is asked for as well.

use std::fmt;

use countersign_model::{Mode, Scope, ServiceId, SessionId, Timestamp};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::code::SubjectKey;
use crate::keys::{InvalidKeys, KeyMaterial, KeyRing, Kid, shared_secret};
use crate::session::Session;

/// The token's type: a JWT made for something else is not one of ours, even under one of our keys.
const TYPE: &str = "session+jwt";

/// Malformed, forged, of another issuer or type, or past its life. Deliberately says no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("session token not recognised")]
pub struct InvalidToken;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenClaims {
    /// The installation's public address.
    pub iss: String,
    /// The tenant. Held by the look-up, which is done in the caller's own scope.
    pub aud: String,
    /// The session.
    pub sub: String,
    /// The region that holds the session.
    pub rgn: String,
    /// Live or sandbox: decides whose limits a resend counts against before the session is found.
    pub env: Mode,
    /// The profile it was opened under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub svc: Option<String>,
    /// Whether its codes are the known ones of test recipients.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
    /// Where wrong guesses at its recipients are counted, in base64url: names under a key of our own, which tell nobody who they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bgt: Vec<String>,
    /// When the session was opened, in seconds.
    pub iat: i64,
    /// When the token dies, in seconds: later than the session's codes.
    pub exp: i64,
}

/// What a token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedSession {
    /// The session.
    pub session: SessionId,
    /// Its mode.
    pub mode: Mode,
    /// The profile it was opened under.
    pub service: Option<ServiceId>,
    /// Whether its codes are the known ones of test recipients.
    pub test: bool,
    /// Where wrong guesses at its recipients were counted when the token was signed.
    pub budgets: Vec<SubjectKey>,
}

/// Signs and reads session tokens.
pub struct SessionTokens {
    keys: KeyRing<(EncodingKey, DecodingKey)>,
    issuer: String,
    region: String,
    validation: Validation,
}

impl fmt::Debug for SessionTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionTokens(…)")
    }
}

impl SessionTokens {
    /// Reads the set `tokens`.
    pub fn open(material: &KeyMaterial, issuer: &str, region: &str) -> Result<Self, InvalidKeys> {
        let keys = KeyRing::open("tokens", &material.tokens, |key| {
            let secret = shared_secret("tokens", key)?;
            Ok((EncodingKey::from_secret(&*secret), DecodingKey::from_secret(&*secret)))
        })?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // The moment is an argument here, and the audience is the scope of the look-up.
        validation.validate_exp = false;
        validation.validate_aud = false;
        Ok(Self { keys, issuer: issuer.to_owned(), region: region.to_owned(), validation })
    }

    /// The token of a session. It is the same at each signing while the key is current and the session has the same recipients.
    pub fn sign(&self, session: &Session) -> Result<String, InvalidToken> {
        let named = NamedSession {
            session: session.id(),
            mode: session.mode(),
            service: session.service(),
            test: session.is_test(),
            budgets: session.budgets(),
        };
        self.sign_named(session.scope(), &named, session.created_at(), session.token_expires_at())
    }

    fn sign_named(
        &self,
        scope: Scope,
        named: &NamedSession,
        opened_at: Timestamp,
        dies_at: Timestamp,
    ) -> Result<String, InvalidToken> {
        let (kid, (key, _)) = self.keys.current();
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(kid.to_string());
        let claims = TokenClaims {
            iss: self.issuer.clone(),
            aud: scope.tenant.to_string(),
            sub: named.session.to_string(),
            rgn: self.region.clone(),
            env: named.mode,
            svc: named.service.map(|service| service.to_string()),
            test: named.test,
            bgt: named.budgets.iter().map(|budget| BASE64URL_NOPAD.encode(&budget.0)).collect(),
            iat: opened_at.seconds(),
            exp: dies_at.seconds(),
        };
        jsonwebtoken::encode(&header, &claims, key).map_err(|_| InvalidToken)
    }

    /// What a token names. The signature is checked before anything in it is believed; the algorithm is ours to choose.
    pub fn read(&self, token: &str, now: Timestamp) -> Result<NamedSession, InvalidToken> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| InvalidToken)?;
        let kid: Kid = header.kid.as_deref().unwrap_or_default().parse().map_err(|_| InvalidToken)?;
        let (_, key) = self.keys.get(kid).ok_or(InvalidToken)?;
        let claims = jsonwebtoken::decode::<TokenClaims>(token, key, &self.validation).map_err(|_| InvalidToken)?.claims;
        if header.typ.as_deref() != Some(TYPE) || now.seconds() >= claims.exp || claims.rgn != self.region {
            return Err(InvalidToken);
        }
        let budget = |text: &String| BASE64URL_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok().map(SubjectKey);
        Ok(NamedSession {
            session: claims.sub.parse().map_err(|_| InvalidToken)?,
            mode: claims.env,
            service: claims.svc.map(|service| service.parse()).transpose().map_err(|_| InvalidToken)?,
            test: claims.test,
            budgets: claims.bgt.iter().map(budget).collect::<Option<_>>().ok_or(InvalidToken)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use countersign_model::{KeyKind, Partition, SeededRng, TenantId};
    use data_encoding::BASE64URL_NOPAD;

    const ISSUER: &str = "https://otp.example.com";

    struct Desk {
        material: KeyMaterial,
        tokens: SessionTokens,
        session: NamedSession,
        now: Timestamp,
        token: String,
    }

    fn desk() -> Desk {
        let rng = SeededRng::new(7);
        let now = Timestamp::from_millis(1_768_473_900_000);
        let material = KeyMaterial::generate(&rng, now);
        let tokens = SessionTokens::open(&material, ISSUER, "local").unwrap();
        let scope = Scope { tenant: TenantId::mint(now, &rng, Partition::of(3)), keys: KeyKind::Live };
        let session = NamedSession {
            session: SessionId::mint(now, &rng, Partition::of(3)),
            mode: Mode::Live,
            service: Some("6f1c3b0e-58d0-4e0c-9d0e-2f3a5b7c9d11".parse().unwrap()),
            test: true,
            budgets: vec![SubjectKey([7; 16])],
        };
        let token = tokens.sign_named(scope, &session, now, now.plus(Duration::from_hours(24))).unwrap();
        Desk { material, tokens, session, now, token }
    }

    fn part(text: &str) -> String {
        BASE64URL_NOPAD.encode(text.as_bytes())
    }

    #[test]
    fn a_token_names_its_session_until_it_dies() {
        let desk = desk();
        assert_eq!(desk.tokens.read(&desk.token, desk.now), Ok(desk.session.clone()));
        assert_eq!(desk.tokens.read(&desk.token, desk.now.plus(Duration::from_secs(86_399))), Ok(desk.session.clone()));
        assert_eq!(desk.tokens.read(&desk.token, desk.now.plus(Duration::from_hours(24))), Err(InvalidToken));
    }

    #[test]
    fn every_changed_character_is_refused() {
        let desk = desk();
        for at in 0..desk.token.len() - 1 {
            let mut bytes = desk.token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(bytes).unwrap();
            assert_eq!(desk.tokens.read(&forged, desk.now), Err(InvalidToken), "at {at}");
        }
    }

    #[test]
    fn no_algorithm_and_another_algorithm_are_refused() {
        let desk = desk();
        let kid = desk.tokens.keys.current().0;
        let payload = desk.token.split('.').nth(1).unwrap();
        for algorithm in ["none", "None", "HS512", "RS256", "EdDSA"] {
            let header = part(&format!(r#"{{"alg":"{algorithm}","typ":"{TYPE}","kid":"{kid}"}}"#));
            for signature in ["", desk.token.split('.').nth(2).unwrap()] {
                assert_eq!(desk.tokens.read(&format!("{header}.{payload}.{signature}"), desk.now), Err(InvalidToken));
            }
        }
    }

    #[test]
    fn another_issuer_another_region_and_another_installation_are_refused() {
        let desk = desk();
        let elsewhere = SessionTokens::open(&desk.material, "https://evil.example", "local").unwrap();
        assert_eq!(elsewhere.read(&desk.token, desk.now), Err(InvalidToken));
        let far = SessionTokens::open(&desk.material, ISSUER, "eu-2").unwrap();
        assert_eq!(far.read(&desk.token, desk.now), Err(InvalidToken));
        let other = KeyMaterial::generate(&SeededRng::new(8), desk.now);
        let stranger = SessionTokens::open(&other, ISSUER, "local").unwrap();
        assert_eq!(stranger.read(&desk.token, desk.now), Err(InvalidToken));
    }

    #[test]
    fn a_rotated_key_still_verifies_and_the_current_one_signs() {
        let mut desk = desk();
        let fresh = KeyMaterial::generate(&SeededRng::new(9), desk.now).tokens.remove(0);
        desk.material.tokens[0].role = crate::keys::KeyRole::Previous;
        let new_kid = fresh.kid;
        desk.material.tokens.push(fresh);
        let rotated = SessionTokens::open(&desk.material, ISSUER, "local").unwrap();
        assert_eq!(rotated.read(&desk.token, desk.now), Ok(desk.session.clone()));
        let scope = Scope { tenant: TenantId::from_bits(3), keys: KeyKind::Live };
        let token = rotated.sign_named(scope, &desk.session, desk.now, desk.now.plus(Duration::from_secs(60))).unwrap();
        assert_eq!(jsonwebtoken::decode_header(&token).unwrap().kid, Some(new_kid.to_string()));
    }

    #[test]
    fn a_jwt_of_another_type_under_our_key_is_refused() {
        let desk = desk();
        let (kid, (key, _)) = desk.tokens.keys.current();
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(kid.to_string());
        let claims = TokenClaims {
            iss: ISSUER.to_owned(),
            aud: "ten".to_owned(),
            sub: desk.session.session.to_string(),
            env: Mode::Live,
            svc: None,
            test: false,
            bgt: Vec::new(),
            rgn: "local".to_owned(),
            iat: 0,
            exp: i64::MAX,
        };
        let token = jsonwebtoken::encode(&header, &claims, key).unwrap();
        assert_eq!(desk.tokens.read(&token, desk.now), Err(InvalidToken));
    }

    #[test]
    fn garbage_is_refused() {
        let desk = desk();
        for garbage in ["", ".", "..", "a.b.c", "ses_01J", &"x".repeat(70_000), "\u{0}"] {
            assert_eq!(desk.tokens.read(garbage, desk.now), Err(InvalidToken));
        }
    }
}
