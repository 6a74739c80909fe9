//! One request, from its head to the line in the log.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use actix_web::http::Method as HttpMethod;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderMap, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use countersign_core::HttpLabels;
use tracing::{Instrument, debug, error, info, info_span, warn};

use crate::api::Api;
use crate::call::{Call, allow_value};
use crate::dialect::{Edge, Wire};
use crate::dialects::{self, native};
use crate::request_id::{RequestId, X_REQUEST_ID};
use crate::server::Surface;
use crate::{admin, docs_page, health, receipts};

/// Everything that the public listener serves.
pub(crate) fn public(service: &mut ServiceConfig) {
    service.default_service(web::to(|request, payload, api| serve(Surface::Public, request, payload, api)));
}

/// Everything that the operators' listener serves.
pub(crate) fn admin(service: &mut ServiceConfig) {
    service.default_service(web::to(|request, payload, api| serve(Surface::Admin, request, payload, api)));
}

/// A path that belongs to no dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    Healthz,
    Readyz,
    Docs,
    OpenApi,
    /// The description of another dialect, by its place in the list of them.
    DialectOpenApi(usize),
    Jwks,
    SandboxJwks,
    Metrics,
}

impl Page {
    const ALL: [Self; 7] = [Self::Healthz, Self::Readyz, Self::Docs, Self::OpenApi, Self::Jwks, Self::SandboxJwks, Self::Metrics];

    const fn template(self) -> &'static str {
        match self {
            Self::Healthz => "/healthz",
            Self::Readyz => "/readyz",
            Self::Docs => "/docs",
            Self::OpenApi => "/openapi.json",
            Self::DialectOpenApi(_) => "/openapi/{dialect}.json",
            Self::Jwks => "/.well-known/jwks.json",
            Self::SandboxJwks => "/.well-known/jwks-sandbox.json",
            Self::Metrics => "/metrics",
        }
    }

    const fn is_on(self, surface: Surface) -> bool {
        match self {
            Self::Healthz | Self::Readyz => true,
            Self::Docs | Self::OpenApi | Self::DialectOpenApi(_) | Self::Jwks | Self::SandboxJwks => {
                matches!(surface, Surface::Public)
            }
            Self::Metrics => matches!(surface, Surface::Admin),
        }
    }
}

/// Who answers on a path.
#[derive(Debug, Clone, Copy)]
enum Target<'a> {
    Page(Page),
    /// A provider's post.
    Receipts(receipts::Connection<'a>),
    Wire(&'a dyn Wire),
    /// The admin API, and whatever else is called on the operators' listener.
    Admin,
}

impl<'a> Target<'a> {
    fn find(surface: Surface, api: &'a Api, path: &'a str, headers: &HeaderMap) -> Self {
        let bare = path.strip_suffix('/').unwrap_or(path);
        let page = Page::ALL.into_iter().find(|page| page.template() == bare);
        let described = || api.descriptions.iter().position(|(of, _)| of.as_str() == bare).map(Page::DialectOpenApi);
        match page.or_else(described).filter(|page| page.is_on(surface)) {
            Some(page) => Self::Page(page),
            None if surface == Surface::Admin => Self::Admin,
            None => match receipts::Connection::find(path) {
                Some(connection) => Self::Receipts(connection),
                None => Self::Wire(dialects::speaker(&api.wires, path, headers)),
            },
        }
    }

    /// For logs and metrics: never the path as called.
    fn template(self, path: &str) -> &'static str {
        match self {
            Self::Page(page) => page.template(),
            Self::Receipts(_) => receipts::TEMPLATE,
            Self::Wire(wire) => wire.template(path),
            Self::Admin => admin::template(path),
        }
    }
}

async fn serve(surface: Surface, request: HttpRequest, payload: Payload, api: web::Data<Api>) -> HttpResponse {
    let started = Instant::now();
    let id = RequestId::of(&request, api.platform.rng());
    let path = request.path();
    let target = Target::find(surface, &api, path, request.headers());
    let (method, route) = (method_name(request.method()), target.template(path));
    let span = info_span!("request", request_id = id.as_str(), method, route);
    let call = Call { api: &api, request: &request, id: &id };
    let mut response = async {
        let response = caught(answer(&call, surface, target, payload)).await.unwrap_or_else(|Panicked| broken(&call, target));
        log(response.status(), started.elapsed());
        response
    }
    .instrument(span)
    .await;
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID, id.value());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let labels = HttpLabels { method, route, status: response.status().as_u16() };
    api.platform.metrics().served(&labels, started.elapsed());
    response
}

async fn answer(call: &Call<'_>, surface: Surface, target: Target<'_>, payload: Payload) -> HttpResponse {
    match target {
        Target::Wire(wire) => wire.answer(call, payload).await,
        Target::Receipts(connection) => receipts::answer(call, connection, payload).await,
        Target::Admin => admin::answer(call, payload).await,
        Target::Page(page) => show(call, surface, page).await,
    }
}

/// What a call is told whose handler died.
fn broken(call: &Call<'_>, target: Target<'_>) -> HttpResponse {
    error!("a handler panicked");
    match target {
        Target::Wire(wire) => wire.broken(call),
        Target::Receipts(_) => native::turn_away(call, Edge::Internal),
        Target::Page(_) | Target::Admin => admin::broken(call),
    }
}

async fn show(call: &Call<'_>, surface: Surface, page: Page) -> HttpResponse {
    const ALLOW_GET: &str = "GET, HEAD, OPTIONS";
    match *call.request.method() {
        HttpMethod::GET | HttpMethod::HEAD => {}
        HttpMethod::OPTIONS => {
            let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
            response.headers_mut().insert(ALLOW, allow_value(ALLOW_GET));
            return response;
        }
        _ if surface == Surface::Admin => return admin::method_not_allowed(call, ALLOW_GET),
        _ => return native::method_not_allowed(call, ALLOW_GET),
    }
    match page {
        Page::Healthz => health::healthz(call),
        Page::Readyz => health::readyz(call).await,
        Page::Metrics => health::metrics(call),
        Page::Jwks => docs_page::jwks(call, countersign_model::Mode::Live),
        Page::SandboxJwks => docs_page::jwks(call, countersign_model::Mode::Sandbox),
        Page::OpenApi => docs_page::openapi(call),
        Page::DialectOpenApi(place) => docs_page::json(call.api.descriptions[place].1.clone()),
        Page::Docs => docs_page::docs(call),
    }
}

/// One of a few names: a label must not grow with what callers make up.
fn method_name(method: &HttpMethod) -> &'static str {
    let known = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"];
    known.into_iter().find(|name| *name == method.as_str()).unwrap_or("OTHER")
}

/// One line a request. Who was turned away stands out; what the service could not do stands out more.
fn log(status: StatusCode, elapsed: Duration) {
    let (status, elapsed_us) = (status.as_u16(), u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX));
    match status {
        500.. => warn!(status, elapsed_us, "served"),
        401 | 403 | 429 => info!(status, elapsed_us, "served"),
        _ => debug!(status, elapsed_us, "served"),
    }
}

struct Panicked;

/// Runs a future to its end or to its first panic, so that a defect in one call is an answer to that call and nothing more.
async fn caught<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(_) => Poll::Ready(Err(Panicked)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_nobody_knows_is_not_a_label() {
        assert_eq!(method_name(&HttpMethod::from_bytes(b"BREW").unwrap()), "OTHER");
    }

    #[actix_web::test]
    async fn a_panic_ends_one_call_only() {
        assert!(caught(async { panic!("on purpose") }).await.is_err());
        assert!(matches!(caught(async { 7 }).await, Ok(7)));
    }
}
