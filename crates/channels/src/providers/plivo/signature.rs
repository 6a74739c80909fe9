//! What Plivo signs with an account's token, by HMAC-SHA-256. Of messages its page tells of version 2 alone, which covers the address and a nonce;
//! version 3 comes with them as well, and covers the query and the form too.

use data_encoding::BASE64;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use crate::receipts::Callback;
use crate::signed::is_hmac_sha256;

/// A version's nonce, and its signatures: with the token of the account that sends, and with that of the main account above it.
struct Headers {
    nonce: &'static str,
    signatures: [&'static str; 2],
}

const V2: Headers =
    Headers { nonce: "x-plivo-signature-v2-nonce", signatures: ["x-plivo-signature-v2", "x-plivo-signature-ma-v2"] };
const V3: Headers =
    Headers { nonce: "x-plivo-signature-v3-nonce", signatures: ["x-plivo-signature-v3", "x-plivo-signature-ma-v3"] };

/// Whether Plivo signed this, by either version: of a subaccount's messages version 3 may be signed with the main account's token alone. To insist
/// on it where it came would help nobody, since whoever alters a callback can leave it out.
pub(super) fn is_genuine(token: &SecretString, callback: &Callback) -> bool {
    let is_by = |headers: &Headers, text: &dyn Fn(&str) -> Option<String>| {
        let text = callback.header(headers.nonce).and_then(text);
        text.is_some_and(|text| is_signed(token, &text, callback, headers))
    };
    is_by(&V3, &|nonce| Some(format!("{}.{nonce}", signed(callback)?))) || is_by(&V2, &|nonce| with_nonce(callback, nonce))
}

/// While tokens are changed a header holds several signatures, of which one must be right.
fn is_signed(token: &SecretString, text: &str, callback: &Callback, headers: &Headers) -> bool {
    let signatures = headers.signatures.iter().filter_map(|name| callback.header(name)).flat_map(|header| header.split(','));
    let tags = signatures.filter_map(|signature| BASE64.decode(signature.trim().as_bytes()).ok());
    is_hmac_sha256(token.expose_secret().as_bytes(), &[text.as_bytes()], tags)
}

/// Version 2: the address without its query, and the nonce, which is of digits. Nothing stands between them, so nothing else is taken for one.
fn with_nonce(callback: &Callback, nonce: &str) -> Option<String> {
    let is_one = !nonce.is_empty() && nonce.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then(|| format!("{}{nonce}", address(callback)))
}

/// Version 3: the address without its query, then the query's fields, a dot and the form's fields, both sorted, as far as there are any.
fn signed(callback: &Callback) -> Option<String> {
    let url = Url::parse(&callback.url).ok()?;
    let query = join(callback.query(), "=", "&");
    let form = join(callback.form(), "", "");
    let address = address(callback);
    Some(match (url.query().is_some(), form.is_empty()) {
        (false, true) => address.to_owned(),
        (false, false) => format!("{address}?{form}"),
        (true, true) => format!("{address}?{query}"),
        (true, false) => format!("{address}?{query}.{form}"),
    })
}

fn address(callback: &Callback) -> &str {
    callback.url.split(['?', '#']).next().unwrap_or_default()
}

fn join(mut fields: Vec<(String, String)>, within: &str, between: &str) -> String {
    fields.sort_unstable();
    let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("{name}{within}{value}")).collect();
    fields.join(between)
}
