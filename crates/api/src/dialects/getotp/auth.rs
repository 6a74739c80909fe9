//! Who calls: `X-OTP-Key`, or HTTP Basic with the key as its user.

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName};
use countersign_core::{AuthError, Caller};
use data_encoding::{BASE64, BASE64_NOPAD};

use super::error::{Failure, SHORTLY};
use super::words;
use crate::call::Call;

const X_OTP_KEY: HeaderName = HeaderName::from_static("x-otp-key");
/// Longest text that is looked at as a credential. Ours are far shorter.
const LONGEST: usize = 1024;

/// Whether a call shows this vendor's credentials, right or wrong.
pub(super) fn are_shown(headers: &HeaderMap) -> bool {
    headers.contains_key(&X_OTP_KEY) || basic(headers).is_some()
}

/// Lets a caller in. The vendor's own header wins over Basic.
pub(super) async fn authenticate(call: &Call<'_>) -> Result<Caller, Failure> {
    let headers = call.request().headers();
    let secret = match headers.get(&X_OTP_KEY) {
        Some(value) => value.to_str().ok().map(|text| text.trim().to_owned()),
        None => basic(headers).and_then(user),
    };
    call.authenticate(secret.as_deref()).await.map_err(refused)
}

/// What stands behind `Basic`.
fn basic(headers: &HeaderMap) -> Option<&str> {
    let (scheme, credentials) = headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then_some(credentials.trim())
}

/// The user of Basic credentials. The password is not looked at, nor need it be there.
fn user(credentials: &str) -> Option<String> {
    if credentials.len() > LONGEST {
        return None;
    }
    let bytes = BASE64.decode(credentials.as_bytes()).or_else(|_| BASE64_NOPAD.decode(credentials.as_bytes())).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    Some(text.split_once(':').map_or(text.as_str(), |(user, _)| user).to_owned())
}

fn refused(error: AuthError) -> Failure {
    match error {
        AuthError::Refused => words::NOT_AUTHORIZED.into(),
        AuthError::Unavailable => Failure::from(words::UNAVAILABLE).after(SHORTLY),
        AuthError::TooMany { wait } => Failure::from(words::TOO_MANY).after(wait),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn shown(name: &str, value: &str) -> bool {
        are_shown(TestRequest::get().insert_header((name, value)).to_http_request().headers())
    }

    #[test]
    fn credentials_are_known_by_their_form_not_by_their_worth() {
        assert!(shown("X-OTP-Key", "nonsense") && shown("Authorization", "basic nonsense"));
        assert!(!shown("Authorization", "Bearer nonsense") && !shown("X-API-Key", "nonsense"));
    }

    #[test]
    fn the_user_of_basic_is_the_key_whatever_the_password() {
        let key = "sk_test_abc";
        for credentials in ["sk_test_abc:", "sk_test_abc:token", "sk_test_abc:a:b", "sk_test_abc"] {
            assert_eq!(user(&BASE64.encode(credentials.as_bytes())).as_deref(), Some(key), "{credentials}");
            assert_eq!(user(&BASE64_NOPAD.encode(credentials.as_bytes())).as_deref(), Some(key), "{credentials}");
        }
        for broken in ["***", "", "/w==", &"QUJD".repeat(400)] {
            assert_ne!(user(broken).as_deref(), Some(key), "{broken}");
        }
    }
}
