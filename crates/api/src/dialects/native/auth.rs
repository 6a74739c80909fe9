//! Who calls, whether they may, and whether they may now.

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;
use countersign_core::{AuthError, Caller, Refusal};
use countersign_model::{KeyScope, LimitName};
use tracing::info;

use super::error::{self, SHORTLY, UNAVAILABLE};
use super::failure::Failure;
use crate::serve::Call;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Lets a call in. It is counted with the step that it takes; one that takes none is counted by [`count`].
pub(super) async fn authenticate(call: &Call<'_>, writes: bool) -> Result<Caller, Failure> {
    let secret = call.request.headers().get(X_API_KEY).and_then(|value| value.to_str().ok()).map(str::trim);
    let peer = call.api.trusted_proxies.peer(call.request);
    let platform = &call.api.platform;
    let caller = platform.authenticate(secret, peer).await.map_err(|error| {
        info!(%peer, "API key not taken");
        refused(error)
    })?;
    if writes && caller.may == KeyScope::ReadOnly {
        return Err(Failure::new(StatusCode::FORBIDDEN, "forbidden", "This API key only reads"));
    }
    Ok(caller)
}

/// Counts a call that was refused before it took a step: who has no call left hears that, whatever else is wrong with the call.
pub(super) async fn count(call: &Call<'_>, caller: &Caller, failure: Failure) -> Failure {
    if caller.quota().is_some() {
        return failure;
    }
    match call.api.platform.admit(caller).await {
        Err(refusal @ (Refusal::KeyRevoked | Refusal::TooManyCalls { .. })) => error::of_refusal(refusal),
        Ok(_) | Err(_) => failure,
    }
}

fn refused(error: AuthError) -> Failure {
    match error {
        AuthError::Refused => error::invalid_key(),
        AuthError::Unavailable => Failure::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", UNAVAILABLE).after(SHORTLY),
        AuthError::TooMany { wait } => error::limited(LimitName::FailedAuthentication, wait),
    }
}
