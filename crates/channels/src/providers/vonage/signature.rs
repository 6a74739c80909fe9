//! The `sig` of text messages and their receipts: a hash or an HMAC, under the account's signature secret, over the sorted fields.

use std::fmt::Write as _;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE, HEXUPPER};
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

/// The signature over `fields`, in hexadecimal: with the letters that most of Vonage's libraries write.
pub(super) fn sign(method: Method, secret: &SecretString, fields: &[(String, String)]) -> String {
    let tag = tag(method, secret.expose_secret().as_bytes(), &signed(fields, |_| true));
    match method {
        Method::Md5Hash => HEXLOWER.encode(&tag),
        Method::Md5 | Method::Sha1 | Method::Sha256 | Method::Sha512 => HEXUPPER.encode(&tag),
    }
}

/// Whether `fields` hold one signature, and the right one. In constant time. Vonage's libraries are not of one mind about fields that hold nothing,
/// so these may be signed or not; nobody may read one.
pub(super) fn is_genuine(method: Method, secret: &SecretString, fields: &[(String, String)]) -> bool {
    let mut signatures = fields.iter().filter(|(name, _)| name == SIG);
    let (Some((_, signature)), None) = (signatures.next(), signatures.next()) else { return false };
    let Ok(signature) = HEXLOWER_PERMISSIVE.decode(signature.as_bytes()) else { return false };
    let is_over = |text: &str| bool::from(tag(method, secret.expose_secret().as_bytes(), text).ct_eq(&signature));
    is_over(&signed(fields, |_| true)) || is_over(&signed(fields, holds_something))
}

/// Whether a value is more than blanks.
pub(super) fn holds_something(value: &str) -> bool {
    !value.trim().is_empty()
}

/// The text that is signed, of the fields whose values are `wanted`. What would part fields or names from values is blunted.
fn signed(fields: &[(String, String)], wanted: impl Fn(&str) -> bool) -> String {
    let mut fields: Vec<&(String, String)> = fields.iter().filter(|(name, value)| name != SIG && wanted(value)).collect();
    fields.sort_unstable();
    let blunted = |text: &str| text.replace(['&', '='], "_");
    let mut text = String::new();
    for (name, value) in fields {
        let _ = write!(text, "&{}={}", blunted(name), blunted(value));
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
            assert_eq!(sign(method, &secret, &fields), signature, "{method:?}");
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

    /// The vendor's own example, from the tests of its library for Java, which signs no field that holds nothing; those for other languages sign all.
    #[test]
    fn a_field_that_holds_nothing_is_signed_or_not() {
        let secret = SecretString::from("abcde");
        let with =
            |nothing: &str, signature: &str| pairs(&[("a", "alphabet"), ("b", nothing), ("timestamp", "2100"), (SIG, signature)]);
        let without_it = "a3368bf718ba104dcb392d8877e8eb2b";
        for nothing in ["", " "] {
            assert!(is_genuine(Method::Md5Hash, &secret, &with(nothing, without_it)), "{nothing:?}");
            let with_it = sign(Method::Md5Hash, &secret, &with(nothing, ""));
            assert_ne!(with_it, without_it);
            assert!(is_genuine(Method::Md5Hash, &secret, &with(nothing, &with_it)), "{nothing:?}");
        }
        assert!(!is_genuine(Method::Md5Hash, &secret, &with("bananas", without_it)));
    }

    #[test]
    fn a_field_cannot_be_hidden_in_the_name_of_another() {
        let secret = SecretString::from("s");
        let mut fields = pairs(&[("a", "1"), ("status", "failed")]);
        fields.push((SIG.to_owned(), sign(Method::Sha256, &secret, &fields)));
        assert!(is_genuine(Method::Sha256, &secret, &fields));
        let mut hidden = pairs(&[("a=1&status", "failed")]);
        hidden.push(fields[2].clone());
        assert!(!is_genuine(Method::Sha256, &secret, &hidden));
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
