//! One request, from its head to the line in the log.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use actix_web::http::Method as HttpMethod;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use countersign_core::HttpLabels;
use tracing::{Instrument, debug, info, info_span, warn};

use crate::api::Api;
use crate::dialects::native::{self, Path, error};
use crate::request_id::{RequestId, X_REQUEST_ID};
use crate::server::Surface;
use crate::{admin, dialects, docs_page, health};

/// Everything that the public listener serves.
pub(crate) fn public(service: &mut ServiceConfig) {
    service.default_service(web::to(|request, payload, api| serve(Surface::Public, request, payload, api)));
}

/// Everything that the operators' listener serves.
pub(crate) fn admin(service: &mut ServiceConfig) {
    service.default_service(web::to(|request, payload, api| serve(Surface::Admin, request, payload, api)));
}

/// A request on its way.
pub(crate) struct Call<'a> {
    pub(crate) api: &'a Api,
    pub(crate) request: &'a HttpRequest,
    pub(crate) id: &'a RequestId,
}

/// A method that a path may know, beside `OPTIONS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// And `HEAD`, whose reply loses its body on the way out.
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// None: no path knows it.
    fn of(method: &HttpMethod) -> Option<Self> {
        match method.as_str() {
            "GET" | "HEAD" => Some(Self::Get),
            "POST" => Some(Self::Post),
            "PUT" => Some(Self::Put),
            "PATCH" => Some(Self::Patch),
            "DELETE" => Some(Self::Delete),
            _ => None,
        }
    }

    const fn allow(self) -> &'static str {
        match self {
            Self::Get => "GET, HEAD, ",
            Self::Post => "POST, ",
            Self::Put => "PUT, ",
            Self::Patch => "PATCH, ",
            Self::Delete => "DELETE, ",
        }
    }
}

/// A path that belongs to no dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    Healthz,
    Readyz,
    Docs,
    OpenApi,
    Jwks,
    SandboxJwks,
    Metrics,
}

impl Page {
    const ALL: [Self; 7] = [Self::Healthz, Self::Readyz, Self::Docs, Self::OpenApi, Self::Jwks, Self::SandboxJwks, Self::Metrics];

    const fn path(self) -> &'static str {
        match self {
            Self::Healthz => "/healthz",
            Self::Readyz => "/readyz",
            Self::Docs => "/docs",
            Self::OpenApi => "/openapi.json",
            Self::Jwks => "/.well-known/jwks.json",
            Self::SandboxJwks => "/.well-known/jwks-sandbox.json",
            Self::Metrics => "/metrics",
        }
    }

    const fn is_on(self, surface: Surface) -> bool {
        match self {
            Self::Healthz | Self::Readyz => true,
            Self::Docs | Self::OpenApi | Self::Jwks | Self::SandboxJwks => matches!(surface, Surface::Public),
            Self::Metrics => matches!(surface, Surface::Admin),
        }
    }
}

/// What lives at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target<'a> {
    Page(Page),
    /// A path of a dialect, and what it names.
    Path(Path, &'a str),
    /// A path of the admin API, by its template.
    Admin(&'static str),
    Nothing,
}

impl<'a> Target<'a> {
    fn find(surface: Surface, path: &'a str) -> Self {
        if surface == Surface::Public
            && let Some((path, name)) = dialects::find(path)
        {
            return Self::Path(path, name);
        }
        if surface == Surface::Admin && admin::owns(path) {
            return Self::Admin(admin::template(path));
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let page = Page::ALL.into_iter().find(|page| page.is_on(surface) && page.path() == path);
        page.map_or(Self::Nothing, Self::Page)
    }

    /// For logs and metrics: never the path as called.
    const fn template(self) -> &'static str {
        match self {
            Self::Page(page) => page.path(),
            Self::Path(path, _) => path.template(),
            Self::Admin(template) => template,
            Self::Nothing => "unknown",
        }
    }

    /// The methods that it knows, as `Allow` lists them.
    fn allow(self) -> String {
        let methods = match self {
            Self::Page(_) => Method::Get.allow().to_owned(),
            Self::Path(path, _) => path.operations().iter().map(|(method, _)| method.allow()).collect(),
            Self::Admin(_) | Self::Nothing => String::new(),
        };
        methods + "OPTIONS"
    }
}

async fn serve(surface: Surface, request: HttpRequest, payload: Payload, api: web::Data<Api>) -> HttpResponse {
    let started = Instant::now();
    let id = RequestId::of(&request, api.platform.rng());
    let target = Target::find(surface, request.path());
    let (method, route) = (method_name(request.method()), target.template());
    let span = info_span!("request", request_id = id.as_str(), method, route);
    let call = Call { api: &api, request: &request, id: &id };
    let mut response = async {
        let caught = caught(answer(&call, target, payload)).await;
        let response = caught.unwrap_or_else(|Panicked| native::refuse(&call, &error::internal("a handler panicked")));
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

async fn answer(call: &Call<'_>, target: Target<'_>, payload: Payload) -> HttpResponse {
    match target {
        Target::Nothing => return native::refuse(call, &error::not_found()),
        Target::Admin(_) => return admin::answer(call, payload).await,
        Target::Page(_) | Target::Path(..) => {}
    }
    if call.request.method() == HttpMethod::OPTIONS {
        let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
        response.headers_mut().insert(ALLOW, allow_value(&target.allow()));
        return response;
    }
    let method = Method::of(call.request.method());
    let page = match target {
        Target::Path(path, name) => {
            return match path.operations().iter().find(|(known, _)| Some(*known) == method) {
                Some((_, operation)) => native::answer(call, *operation, name, payload).await,
                None => native::refuse(call, &error::method_not_allowed(target.allow())),
            };
        }
        Target::Page(page) if method == Some(Method::Get) => page,
        Target::Page(_) | Target::Admin(_) | Target::Nothing => {
            return native::refuse(call, &error::method_not_allowed(target.allow()));
        }
    };
    match page {
        Page::Healthz => health::healthz(call),
        Page::Readyz => health::readyz(call).await,
        Page::Metrics => health::metrics(call),
        Page::Jwks => docs_page::jwks(call, countersign_model::Mode::Live),
        Page::SandboxJwks => docs_page::jwks(call, countersign_model::Mode::Sandbox),
        Page::OpenApi => docs_page::openapi(call),
        Page::Docs => docs_page::docs(call),
    }
}

/// Methods as a header.
pub(crate) fn allow_value(methods: &str) -> HeaderValue {
    HeaderValue::from_str(methods).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"))
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
    fn operators_pages_are_on_their_own_listener_only() {
        assert_eq!(Target::find(Surface::Public, "/metrics"), Target::Nothing);
        assert_eq!(Target::find(Surface::Admin, "/metrics"), Target::Page(Page::Metrics));
        assert_eq!(Target::find(Surface::Admin, "/api/v1/otp/send"), Target::Nothing);
        assert_eq!(Target::find(Surface::Admin, "/docs"), Target::Nothing);
        assert_eq!(Target::find(Surface::Admin, "/readyz/"), Target::Page(Page::Readyz));
    }

    #[test]
    fn a_template_never_holds_what_a_caller_wrote() {
        let path = "/api/v1/otp/sessions/ses_secret";
        assert_eq!(Target::find(Surface::Public, path).template(), "/api/v1/otp/sessions/{session}");
        assert_eq!(Target::find(Surface::Public, "/who/knows").template(), "unknown");
        let path = "/v1/contacts/external/secret";
        assert_eq!(Target::find(Surface::Public, path).template(), "/api/v1/contacts/external/{external_id}");
        assert_eq!(method_name(&HttpMethod::from_bytes(b"BREW").unwrap()), "OTHER");
    }

    #[test]
    fn a_path_lists_the_methods_it_knows() {
        for (path, allow) in [
            ("/healthz", "GET, HEAD, OPTIONS"),
            ("/api/v1/otp/send", "POST, OPTIONS"),
            ("/v1/contacts", "GET, HEAD, POST, OPTIONS"),
            ("/v1/contacts/con_1", "GET, HEAD, PATCH, PUT, DELETE, OPTIONS"),
        ] {
            assert_eq!(Target::find(Surface::Public, path).allow(), allow, "{path}");
        }
    }

    #[actix_web::test]
    async fn a_panic_ends_one_call_only() {
        assert!(caught(async { panic!("on purpose") }).await.is_err());
        assert!(matches!(caught(async { 7 }).await, Ok(7)));
    }
}
