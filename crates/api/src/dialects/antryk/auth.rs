//! Who calls: a key by both its halves, in headers or, as older clients do, in the body.

use countersign_core::{AuthError, Caller};

use super::failure::{Failure, Word};
use crate::body::Body;
use crate::call::Call;

const X_ACCESS_KEY: &str = "x-access-key";
const X_SECRET_KEY: &str = "x-secret-key";

/// Lets a caller in. Where one of the headers is there, the body is not asked: half a pair there is not made whole by the body.
pub(super) async fn authenticate(call: &Call<'_>, body: &Body) -> Result<Caller, Failure> {
    let headers = call.request().headers();
    let (access_key, secret) = if headers.contains_key(X_ACCESS_KEY) || headers.contains_key(X_SECRET_KEY) {
        (call.header(X_ACCESS_KEY).map(str::trim), call.header(X_SECRET_KEY).map(str::trim))
    } else {
        let text = |name| body.object.get(name).and_then(serde_json::Value::as_str);
        (text("accessKey"), text("secretKey"))
    };
    call.authenticate_pair(access_key, secret).await.map_err(refused)
}

fn refused(error: AuthError) -> Failure {
    match error {
        AuthError::Refused => Word::InvalidCredentials.into(),
        AuthError::Unavailable => Failure::away(),
        AuthError::TooMany { wait } => Failure::from(Word::RateLimited).after(wait),
    }
}
