//! The certificates that notifications are signed with.

use std::time::Duration;

use countersign_model::Timestamp;
use ring::signature::{RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_cert::der::Decode as _;

/// How a notification is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// With SHA-1: what a topic does until it is told otherwise.
    One,
    /// With SHA-256.
    Two,
}

/// An RSA key and the time for which it stands. That it is Amazon's says only the address that it was fetched from.
pub(super) struct Certificate {
    key: Vec<u8>,
    from: Timestamp,
    until: Timestamp,
}

impl Certificate {
    pub(super) fn parse(pem: &[u8]) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem).ok()?;
        let certificate = x509_cert::Certificate::from_der(&der).ok()?.tbs_certificate;
        let moment = |since_epoch: Duration| Timestamp::from_millis(0).plus(since_epoch);
        Some(Self {
            key: certificate.subject_public_key_info.subject_public_key.as_bytes()?.to_vec(),
            from: moment(certificate.validity.not_before.to_unix_duration()),
            until: moment(certificate.validity.not_after.to_unix_duration()),
        })
    }

    /// Whether it stands `now` and made this signature.
    pub(super) fn vouches(&self, version: Version, text: &[u8], signature: &[u8], now: Timestamp) -> bool {
        let algorithm = match version {
            Version::One => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            Version::Two => &RSA_PKCS1_2048_8192_SHA256,
        };
        (self.from..=self.until).contains(&now) && UnparsedPublicKey::new(algorithm, &self.key).verify(text, signature).is_ok()
    }
}
