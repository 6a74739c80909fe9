//! How a callback shows that it comes from the gateway.

use countersign_model::Timestamp;
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use crate::receipts::Callback;
use crate::recent::is_recent;

/// One of the ways that gateways have.
pub(super) enum Proof {
    /// What stands behind the connection's name in the address.
    Path(SecretString),
    /// `user:password`.
    Basic(SecretString),
    /// A keyed digest in a header.
    Hmac(Hmac),
    /// Standard Webhooks: a digest over an id, a time and the body.
    Webhook(hmac::Key),
}

/// A keyed digest as a gateway writes it.
pub(super) struct Hmac {
    pub(super) header: String,
    pub(super) prefix: String,
    pub(super) key: hmac::Key,
    pub(super) is_base64: bool,
    /// The address stands before the body in what is signed.
    pub(super) covers_url: bool,
}

impl Proof {
    pub(super) fn holds(&self, callback: &Callback, now: Timestamp) -> bool {
        match self {
            Self::Path(secret) => is_same(secret, callback.path_secret.as_deref()),
            Self::Basic(secret) => is_same(secret, callback.basic().as_deref()),
            Self::Hmac(hmac) => hmac.holds(callback).is_some(),
            Self::Webhook(key) => is_webhook(key, callback, now).is_some(),
        }
    }
}

fn is_same(secret: &SecretString, told: Option<&str>) -> bool {
    secret.expose_secret().as_bytes().ct_eq(told.unwrap_or_default().as_bytes()).into()
}

impl Hmac {
    fn holds(&self, callback: &Callback) -> Option<()> {
        let written = callback.header(&self.header)?.strip_prefix(self.prefix.as_str())?;
        let tag = if self.is_base64 {
            BASE64.decode(written.as_bytes()).ok()?
        } else {
            HEXLOWER_PERMISSIVE.decode(written.as_bytes()).ok()?
        };
        let url = if self.covers_url { callback.url.as_bytes() } else { b"" };
        hmac::verify(&self.key, &[url, &callback.body].concat(), &tag).ok()
    }
}

/// Several signatures may stand there, while a secret is changed. Whoever posts chooses how many, so the body is hashed once.
fn is_webhook(key: &hmac::Key, callback: &Callback, now: Timestamp) -> Option<()> {
    let header = |name: &str| callback.header(&format!("webhook-{name}")).or_else(|| callback.header(&format!("svix-{name}")));
    let (id, time) = (header("id")?, header("timestamp")?);
    if id.contains('.') || !is_recent(time, now) {
        return None;
    }
    let text = [format!("{id}.{time}.").as_bytes(), &callback.body].concat();
    let right = hmac::sign(key, &text);
    let mut tags = header("signature")?.split(' ').filter_map(|it| BASE64.decode(it.strip_prefix("v1,")?.as_bytes()).ok());
    tags.any(|tag| right.as_ref().ct_eq(&tag).into()).then_some(())
}
