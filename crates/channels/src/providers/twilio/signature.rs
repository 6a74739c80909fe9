//! `X-Twilio-Signature`: an HMAC-SHA-1, under the account's token, over the address that was called and the form that came.

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use reqwest::Url;
use ring::{digest, hmac};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use crate::receipts::Callback;

/// Whether Twilio signed this, with and without the port in the address: Twilio itself is not of one mind about it.
pub(super) fn is_genuine(token: &SecretString, callback: &Callback) -> bool {
    let Some(signature) = callback.header("x-twilio-signature").and_then(|it| BASE64.decode(it.as_bytes()).ok()) else {
        return false;
    };
    let Some(signed) = signed_body(callback) else { return false };
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.expose_secret().as_bytes());
    spellings(&callback.url).iter().any(|url| hmac::verify(&key, format!("{url}{signed}").as_bytes(), &signature).is_ok())
}

/// What stands behind the address in the signed text: the form's fields, sorted. A body that is no form is vouched for by its hash in the
/// address, which is signed. None: the body is not the one that was hashed.
fn signed_body(callback: &Callback) -> Option<String> {
    if let Some(hash) = callback.parameter("bodySHA256") {
        let hash = HEXLOWER_PERMISSIVE.decode(hash.as_bytes()).ok()?;
        let is_whole: bool = digest::digest(&digest::SHA256, &callback.body).as_ref().ct_eq(&hash).into();
        return is_whole.then(String::new);
    }
    if callback.is_get {
        return Some(String::new());
    }
    let mut fields = callback.form();
    fields.sort_unstable();
    Some(fields.into_iter().map(|(name, value)| name + &value).collect())
}

/// The address with its port and without.
fn spellings(called: &str) -> Vec<String> {
    let mut spellings = vec![called.to_owned()];
    let Ok(url) = Url::parse(called) else { return spellings };
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return spellings };
    let Some(rest) = called.find("://").and_then(|at| called[at + 3..].find(['/', '?']).map(|end| &called[at + 3 + end..]))
    else {
        return spellings;
    };
    spellings.push(format!("{}://{host}{rest}", url.scheme()));
    spellings.push(format!("{}://{host}:{port}{rest}", url.scheme()));
    spellings
}
