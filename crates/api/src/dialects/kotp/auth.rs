//! Who calls: `Authorization: Bearer <API key>`.

use actix_web::http::header::AUTHORIZATION;
use countersign_core::Caller;
use countersign_model::KeyScope;

use super::error;
use super::failure::Failure;
use super::page;
use super::paths::Operation;
use crate::call::Call;

/// Lets a caller in. What it may do is looked at here, where the form of the reply is known already.
pub(super) async fn authenticate(call: &Call<'_>, operation: Operation) -> Result<Caller, Failure> {
    let secret = call.header(AUTHORIZATION.as_str()).and_then(bearer);
    let caller = call.authenticate_any(secret).await.map_err(error::of_auth)?;
    match caller.may {
        KeyScope::ReadOnly if operation.writes() => return Err(error::read_only()),
        KeyScope::Full | KeyScope::ReadOnly => {}
        KeyScope::Browser => page::admit(call.request, operation, &caller)?,
    }
    Ok(caller)
}

/// What stands behind the word, which may be written in either case.
fn bearer(line: &str) -> Option<&str> {
    let (scheme, secret) = line.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn only_a_bearer_token_is_a_key() {
        assert_eq!(bearer("Bearer sk_test_1"), Some("sk_test_1"));
        assert_eq!(bearer(" bearer   sk_test_1 "), Some("sk_test_1"));
        for wrong in ["sk_test_1", "Basic c2s6", "Bearer", "Bearersk_test_1", ""] {
            assert_eq!(bearer(wrong), None, "{wrong}");
        }
    }
}
