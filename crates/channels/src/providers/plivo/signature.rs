//! `X-Plivo-Signature-V3`: an HMAC-SHA-256, under an account's token, over the address, its query and the form, both sorted, and a nonce.

use data_encoding::BASE64;
use reqwest::Url;
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};

use crate::receipts::Callback;

/// One signed with the token of the account that sends, one with that of the main account above it.
const HEADERS: [&str; 2] = ["x-plivo-signature-v3", "x-plivo-signature-ma-v3"];

/// Whether Plivo signed this. While tokens are changed a header holds several signatures, of which one must be right.
pub(super) fn is_genuine(token: &SecretString, callback: &Callback) -> bool {
    let (Some(nonce), Some(text)) = (callback.header("x-plivo-signature-v3-nonce"), signed(callback)) else { return false };
    let key = hmac::Key::new(hmac::HMAC_SHA256, token.expose_secret().as_bytes());
    let text = format!("{text}.{nonce}");
    let signatures = HEADERS.iter().filter_map(|name| callback.header(name)).flat_map(|header| header.split(','));
    let mut decoded = signatures.filter_map(|signature| BASE64.decode(signature.trim().as_bytes()).ok());
    decoded.any(|signature| hmac::verify(&key, text.as_bytes(), &signature).is_ok())
}

/// The address without its query, then the query's fields, a dot and the form's fields, as far as there are any.
fn signed(callback: &Callback) -> Option<String> {
    let url = Url::parse(&callback.url).ok()?;
    let form = if callback.is_get { Vec::new() } else { callback.form() };
    let query = join(callback.query(), "=", "&");
    let form = join(form, "", "");
    let address = callback.url.split(['?', '#']).next()?;
    Some(match (url.query().is_some(), form.is_empty()) {
        (false, true) => address.to_owned(),
        (false, false) => format!("{address}?{form}"),
        (true, true) => format!("{address}?{query}"),
        (true, false) => format!("{address}?{query}.{form}"),
    })
}

fn join(mut fields: Vec<(String, String)>, within: &str, between: &str) -> String {
    fields.sort_unstable();
    let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("{name}{within}{value}")).collect();
    fields.join(between)
}
