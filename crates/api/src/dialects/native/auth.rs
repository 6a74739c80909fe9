//! Who calls, whether they may, and whether they may now.

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;
use countersign_core::{AuthError, Caller, Quota};
use countersign_model::{KeyScope, LimitName};
use tracing::info;

use super::error;
use super::failure::Failure;
use crate::serve::Call;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Lets a call in and counts it. `quota` tells where the key stands as soon as it is known, also when the call is refused for it.
pub(super) fn admit(call: &Call<'_>, writes: bool, quota: &mut Option<Quota>) -> Result<Caller, Failure> {
    let secret = call.request.headers().get(X_API_KEY).and_then(|value| value.to_str().ok()).map(str::trim);
    let peer = call.api.trusted_proxies.peer(call.request);
    let platform = &call.api.platform;
    let caller = platform.authenticate(secret, peer).map_err(|error| {
        info!(%peer, "API key not taken");
        refused(error)
    })?;
    if writes && caller.may == KeyScope::ReadOnly {
        return Err(Failure::new(StatusCode::FORBIDDEN, "forbidden", "This API key only reads"));
    }
    match platform.count_call(&caller) {
        Ok(counted) => *quota = Some(counted),
        Err(spent) => {
            *quota = Some(spent);
            return Err(error::limited(LimitName::CallsPerKey, spent.resets_in));
        }
    }
    Ok(caller)
}

fn refused(error: AuthError) -> Failure {
    match error {
        AuthError::Refused => Failure::new(StatusCode::UNAUTHORIZED, "invalid_api_key", "Invalid API key"),
        AuthError::TooMany { wait } => error::limited(LimitName::FailedAuthentication, wait),
    }
}
