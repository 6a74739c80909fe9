//! What probes and monitoring read.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use tracing::warn;
use utoipa::ToSchema;

use crate::call::Call;
use crate::limit_headers::retry_after;

/// What a probe is told.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok` or `unavailable`.
    status: &'static str,
    version: &'static str,
    /// What stands in the way of serving; empty when nothing does.
    reasons: Vec<&'static str>,
}

/// Whether the process lives
#[utoipa::path(get, path = "/healthz", tag = "operations", operation_id = "healthz",
    responses((status = 200, description = "It does.", body = Health)))]
pub(crate) fn healthz(call: &Call<'_>) -> HttpResponse {
    health(call, Vec::new())
}

/// Whether calls can be served now
#[utoipa::path(get, path = "/readyz", tag = "operations", operation_id = "readyz",
    responses((status = 200, description = "They can.", body = Health), (status = 503, description = "They cannot.", body = Health)))]
pub(crate) async fn readyz(call: &Call<'_>) -> HttpResponse {
    match call.api.platform.ready().await {
        Ok(()) => health(call, Vec::new()),
        Err(failure) => {
            warn!(%failure, "not ready");
            health(call, vec!["session_store"])
        }
    }
}

fn health(call: &Call<'_>, reasons: Vec<&'static str>) -> HttpResponse {
    let (code, status) =
        if reasons.is_empty() { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "unavailable") };
    let health = Health { status, version: call.api.version, reasons };
    let mut response = HttpResponse::build(code).json(health);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if code == StatusCode::SERVICE_UNAVAILABLE {
        retry_after(response.headers_mut(), Duration::from_secs(1));
    }
    response
}

/// The counts, for Prometheus. On the operators' listener only.
pub(crate) fn metrics(call: &Call<'_>) -> HttpResponse {
    let media = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    HttpResponse::Ok().insert_header((CONTENT_TYPE, media)).body(call.api.platform.metrics().render())
}
