//! The `sig` of text messages and their receipts: a hash or an HMAC, under the account's signature secret, over the sorted fields.

use std::fmt::Write as _;

use data_encoding::{HEXLOWER_PERMISSIVE, HEXUPPER};
use hmac::{Hmac, Mac as _};
use md5::{Digest as _, Md5};
use ring::hmac as ring_hmac;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

/// The field that holds the signature and is not signed itself.
pub(super) const SIG: &str = "sig";

/// The names are those of Vonage's libraries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// MD5 over the fields and the secret: what accounts begin with.
    #[default]
    Md5Hash,
    /// HMAC-MD5.
    Md5,
    /// HMAC-SHA-1.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

/// The signature over `fields`, in hexadecimal.
pub(super) fn sign(method: Method, secret: &SecretString, fields: &[(String, String)]) -> String {
    HEXUPPER.encode(&tag(method, secret.expose_secret().as_bytes(), &signed(fields)))
}

/// Whether `fields` hold one signature, and the right one. In constant time.
pub(super) fn is_genuine(method: Method, secret: &SecretString, fields: &[(String, String)]) -> bool {
    let mut signatures = fields.iter().filter(|(name, _)| name == SIG);
    let (Some((_, signature)), None) = (signatures.next(), signatures.next()) else { return false };
    let Ok(signature) = HEXLOWER_PERMISSIVE.decode(signature.as_bytes()) else { return false };
    tag(method, secret.expose_secret().as_bytes(), &signed(fields)).ct_eq(&signature).into()
}

/// The text that is signed. What would part fields or names from values is blunted.
fn signed(fields: &[(String, String)]) -> String {
    let mut fields: Vec<&(String, String)> = fields.iter().filter(|(name, _)| name != SIG).collect();
    fields.sort_unstable();
    let mut text = String::new();
    for (name, value) in fields {
        let _ = write!(text, "&{name}={}", value.replace(['&', '='], "_"));
    }
    text
}

fn tag(method: Method, secret: &[u8], text: &str) -> Vec<u8> {
    let mac = |algorithm| ring_hmac::sign(&ring_hmac::Key::new(algorithm, secret), text.as_bytes()).as_ref().to_vec();
    match method {
        Method::Md5Hash => Md5::new().chain_update(text).chain_update(secret).finalize().to_vec(),
        Method::Md5 => Hmac::<Md5>::new_from_slice(secret)
            .map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
            .unwrap_or_default(),
        Method::Sha1 => mac(ring_hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        Method::Sha256 => mac(ring_hmac::HMAC_SHA256),
        Method::Sha512 => mac(ring_hmac::HMAC_SHA512),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// The vendor's own examples, from the tests of its library for Ruby.
    #[test]
    fn the_vendors_own_signatures_are_taken() {
        let fields = [
            ("to", "13239877404"),
            ("message-timestamp", "2013-11-21 15:27:30"),
            ("messageId", "020000001B0FE827"),
            ("msisdn", "14843472194"),
            ("text", "Test again"),
            ("timestamp", "1385047698"),
            ("type", "text"),
        ];
        let secret = SecretString::from("my_secret_key_for_testing");
        let signatures = [
            (Method::Md5Hash, "d2e7b1dc968737c5998ad624e02f90b7"),
            (Method::Md5, "DDEBD46008C2D4E93CCE578A332A52D5"),
            (Method::Sha1, "27D0D05C2876C7CB1720DBCDBA4D492E1E55C09A"),
            (Method::Sha256, "DDB8397C2B90AAC7F3882D306475C9A5058C92322EEF43C92B298B6E0FC0D330"),
            (
                Method::Sha512,
                "E0D3C650F8C9D1A5C174D10DDDBFB003E561F59B265616208B0487C5D819481CD3C311D59CF6165ECD1139622D5BA3A256C0D763AC4A9AD9144B5A426B94FE82",
            ),
        ];
        for (method, signature) in signatures {
            let mut fields = pairs(&fields);
            assert_eq!(sign(method, &secret, &fields), signature.to_uppercase(), "{method:?}");
            fields.push((SIG.to_owned(), signature.to_owned()));
            assert!(is_genuine(method, &secret, &fields), "{method:?}");
            assert!(!is_genuine(method, &SecretString::from("other"), &fields), "{method:?}");
            fields[0].1.push('1');
            assert!(!is_genuine(method, &secret, &fields), "{method:?}");
        }
    }

    #[test]
    fn what_parts_fields_is_an_underscore_in_a_value() {
        let secret = SecretString::from("my_secret_key_for_testing");
        let sign = |value: &str| sign(Method::Sha256, &secret, &pairs(&[("k", value)]));
        assert_eq!(sign("&"), sign("_"));
        assert_eq!(sign("a=b"), sign("a_b"));
        assert_ne!(sign("a"), sign("b"));
    }

    #[test]
    fn no_signature_or_two_are_not_one() {
        let secret = SecretString::from("s");
        let right = sign(Method::Sha1, &secret, &pairs(&[("k", "v")]));
        for signatures in [vec![], vec![""], vec!["xyz"], vec![&right[1..]], vec![&right, &right]] {
            let mut fields = pairs(&[("k", "v")]);
            fields.extend(signatures.iter().map(|it| (SIG.to_owned(), (*it).to_owned())));
            assert!(!is_genuine(Method::Sha1, &secret, &fields), "{signatures:?}");
        }
    }
}
