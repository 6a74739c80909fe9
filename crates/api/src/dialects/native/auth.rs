//! Who calls.

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;
use countersign_core::{AuthError, Caller};
use countersign_model::LimitName;

use super::error::{self, SHORTLY, UNAVAILABLE};
use super::failure::Failure;
use crate::call::Call;

pub(super) const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Lets a caller in by the key in its header.
pub(super) async fn authenticate(call: &Call<'_>) -> Result<Caller, Failure> {
    let secret = call.header(X_API_KEY.as_str()).map(str::trim);
    call.authenticate(secret).await.map_err(refused)
}

fn refused(error: AuthError) -> Failure {
    match error {
        AuthError::Refused => error::invalid_key(),
        AuthError::Unavailable => Failure::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", UNAVAILABLE).after(SHORTLY),
        AuthError::TooMany { wait } => error::limited(LimitName::FailedAuthentication, wait),
    }
}
