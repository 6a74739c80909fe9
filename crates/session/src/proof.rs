//! The verification proof: a short-lived JWT that tells a third party, without asking us, what a session proved.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use countersign_model::{Mode, Recipient};
use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{Signer, SigningKey};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::keys::{InvalidKeys, KeyMaterial, KeyRing, StoredKey, secret_bytes};
use crate::session::Session;

/// How long a proof may be shown.
const PROOF_LIFE: Duration = Duration::from_mins(5);
/// The proof's type.
const TYPE: &str = "verification-proof+jwt";

/// What a proof says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProofClaims {
    /// The installation's public address; `/sandbox` behind it for sandbox sessions, `/test` for those of test recipients.
    pub iss: String,
    /// The tenant.
    pub aud: String,
    /// The session.
    pub sub: String,
    /// `live`, `sandbox` or `test`.
    pub env: &'static str,
    /// `any` or `all`.
    pub verification_mode: &'static str,
    /// The channels that were proved.
    pub channels: Vec<&'static str>,
    /// For each of them base64url(SHA-256(channel ":" normalised address)): checkable by whoever knows the address.
    pub recipients: BTreeMap<&'static str, String>,
    /// When the session was completed, in seconds.
    pub iat: i64,
    /// When the proof dies, in seconds.
    pub exp: i64,
    /// The proof's own id: one a session, so a proof shown twice can be told.
    pub jti: String,
    /// What the session was for.
    pub purpose: String,
}

/// The public half of a key set, as `/.well-known/jwks*.json` shows it (RFC 7517, RFC 8037).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<Jwk>,
}

/// One public Ed25519 key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// `OKP`.
    pub kty: &'static str,
    /// `Ed25519`.
    pub crv: &'static str,
    /// base64url of the 32 bytes.
    pub x: String,
    /// Its name in a proof's header.
    pub kid: String,
    /// `sig`.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// `EdDSA`.
    pub alg: &'static str,
}

/// Signs proofs: live ones and all others under keys that never meet.
pub struct Proofs {
    live: KeyRing<ProofKey>,
    sandbox: KeyRing<ProofKey>,
    issuer: String,
}

/// The key itself, not the form that `jsonwebtoken` takes: that would be read and its public half worked out anew for every proof.
struct ProofKey {
    signing: SigningKey,
    /// The first part of every proof, with its dot.
    header: String,
}

impl fmt::Debug for Proofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proofs(…)")
    }
}

/// The proof could not be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the proof could not be signed")]
pub struct ProofError;

impl Proofs {
    /// Reads the sets `proofs` and `sandbox_proofs`.
    pub fn open(material: &KeyMaterial, issuer: &str) -> Result<Self, InvalidKeys> {
        Ok(Self {
            live: KeyRing::open("proofs", &material.proofs, |key| proof_key("proofs", key))?,
            sandbox: KeyRing::open("sandbox_proofs", &material.sandbox_proofs, |key| proof_key("sandbox_proofs", key))?,
            issuer: issuer.to_owned(),
        })
    }

    /// The proof of a complete session; none for one that is not. The same session gives the same proof while the key is current.
    pub fn sign(&self, session: &Session) -> Result<Option<String>, ProofError> {
        let Some(claims) = self.claims(session) else { return Ok(None) };
        let (_, key) = self.ring(Environment::of(session).keys()).current();
        let claims = serde_json::to_vec(&claims).map_err(|_| ProofError)?;
        let mut proof = key.header.clone();
        BASE64URL_NOPAD.encode_append(&claims, &mut proof);
        let signature = key.signing.sign(proof.as_bytes());
        proof.push('.');
        BASE64URL_NOPAD.encode_append(&signature.to_bytes(), &mut proof);
        Ok(Some(proof))
    }

    /// The public keys by which proofs of `mode` are checked.
    #[must_use]
    pub fn jwks(&self, mode: Mode) -> Jwks {
        let public = |(kid, key): (crate::Kid, &ProofKey)| Jwk {
            kty: "OKP",
            crv: "Ed25519",
            x: BASE64URL_NOPAD.encode(key.signing.verifying_key().as_bytes()),
            kid: kid.to_string(),
            usage: "sig",
            alg: "EdDSA",
        };
        Jwks { keys: self.ring(mode).iter().map(public).collect() }
    }

    const fn ring(&self, mode: Mode) -> &KeyRing<ProofKey> {
        match mode {
            Mode::Live => &self.live,
            Mode::Sandbox => &self.sandbox,
        }
    }

    fn claims(&self, session: &Session) -> Option<ProofClaims> {
        let verified_at = session.verified_at()?;
        let environment = Environment::of(session);
        let proved: Vec<_> = session.challenges().iter().filter(|challenge| challenge.verified_at.is_some()).collect();
        let hashes = proved
            .iter()
            .map(|challenge| (challenge.channel.as_str(), recipient_hash(challenge.channel.as_str(), &challenge.recipient)));
        Some(ProofClaims {
            iss: match environment {
                Environment::Live => self.issuer.clone(),
                Environment::Sandbox | Environment::Test => format!("{}/{}", self.issuer, environment.as_str()),
            },
            aud: session.scope().tenant.to_string(),
            sub: session.id().to_string(),
            env: environment.as_str(),
            verification_mode: session.policy().verification_mode.as_str(),
            channels: proved.iter().map(|challenge| challenge.channel.as_str()).collect(),
            recipients: hashes.collect(),
            iat: verified_at.seconds(),
            exp: verified_at.plus(PROOF_LIFE).seconds(),
            jti: session.id().to_string().replacen("ses_", "prf_", 1),
            purpose: session.purpose().to_owned(),
        })
    }
}

/// What a proof is worth. A known code proves nothing about a recipient: such a proof has an issuer of its own and is signed as in the
/// sandbox, so that whoever trusts live proofs alone takes none of them.
#[derive(Clone, Copy)]
enum Environment {
    Live,
    Sandbox,
    Test,
}

impl Environment {
    fn of(session: &Session) -> Self {
        match session.mode() {
            Mode::Sandbox => Self::Sandbox,
            Mode::Live if session.is_test() => Self::Test,
            Mode::Live => Self::Live,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Sandbox => "sandbox",
            Self::Test => "test",
        }
    }

    /// Whose keys sign.
    const fn keys(self) -> Mode {
        match self {
            Self::Live => Mode::Live,
            Self::Sandbox | Self::Test => Mode::Sandbox,
        }
    }
}

fn recipient_hash(channel: &str, recipient: &Recipient) -> String {
    let hash = Sha256::new().chain_update(channel).chain_update(":").chain_update(recipient.normalised()).finalize();
    BASE64URL_NOPAD.encode(&hash)
}

fn proof_key(set: &'static str, stored: &StoredKey) -> Result<ProofKey, InvalidKeys> {
    let der = secret_bytes(set, stored)?;
    let signing = SigningKey::from_pkcs8_der(&der).map_err(|_| InvalidKeys::Secret(set))?;
    let header = format!(r#"{{"typ":"{TYPE}","alg":"EdDSA","kid":"{}"}}"#, stored.kid);
    Ok(ProofKey { signing, header: format!("{}.", BASE64URL_NOPAD.encode(header.as_bytes())) })
}
