//! The admin API, `/admin/v1`, on the operators' listener: what an operator changes without a restart, each change in the audit log.
//!
//! Every call shows an admin token, also on a loopback address; only the description and its page are the same everywhere and open.

mod ask;
pub(crate) mod drafts;
mod once;
mod openapi;
mod operations;
mod problem;
mod reply;
mod request;
mod routes;
mod schema;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, AUTHORIZATION, HeaderValue};
use actix_web::http::{Method, header::HeaderMap};
use actix_web::web::Payload;
use countersign_core::manage::{Admin, AdminScope};
use tracing::info;

pub use openapi::admin_openapi_json;

use self::ask::Ask;
use self::problem::Problem;
use self::reply::Reply;
use self::routes::{Operation, Route};
use crate::body::{self, Body};
use crate::call::Call;
use crate::docs_page::{self, Book};

/// The reference page of the admin API.
const BOOK: Book = Book {
    title: "Countersign admin API",
    openapi: "/admin/v1/openapi.json",
    header: "Authorization",
    credential: "Bearer cs_admin_…",
};

/// For logs and metrics: the path without what callers put into it.
pub(crate) fn template(path: &str) -> &'static str {
    Route::find(path).map_or("unknown", |(route, _)| route.template)
}

/// Answers a call on a path of the admin API.
///
/// Path, method, credentials, permissions, size, media type, form of the body, fields, and what the verb says: in that order.
pub(crate) async fn answer(call: &Call<'_>, payload: Payload) -> HttpResponse {
    match answered(call, payload).await {
        Ok(response) => response,
        Err(problem) => problem.respond(call),
    }
}

/// What a call is told whose handler died.
pub(crate) fn broken(call: &Call<'_>) -> HttpResponse {
    Problem::internal("a handler died").respond(call)
}

/// What a call is told that comes to one of the pages beside the API by a method that it does not know.
pub(crate) fn method_not_allowed(call: &Call<'_>, allow: &str) -> HttpResponse {
    Problem::method_not_allowed(allow.to_owned()).respond(call)
}

async fn answered(call: &Call<'_>, payload: Payload) -> Result<HttpResponse, Problem> {
    let method = call.request.method();
    let (route, names) = Route::find(call.request.path()).ok_or_else(Problem::no_such_path)?;
    if method == Method::OPTIONS {
        let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
        let allow = HeaderValue::try_from(route.allow()).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"));
        response.headers_mut().insert(ALLOW, allow);
        return Ok(response);
    }
    let operation = route.operation(method).ok_or_else(|| Problem::method_not_allowed(route.allow()))?;
    let Some(needed) = operation.scope() else { return Ok(open(call, operation)) };
    let admin = authenticate(call, needed).await?;
    let body = match *method {
        Method::POST | Method::PATCH => body::read_if_any(call.request, payload).await?,
        _ => Body::default(),
    };
    once::check(&body.bytes)?;
    let ask = Ask { call, admin: &admin, names: &names, body: &body };
    operations::run(operation, &ask).await.map(Reply::respond)
}

/// What everybody may read.
fn open(call: &Call<'_>, operation: Operation) -> HttpResponse {
    if operation == Operation::Docs { docs_page::page(call, &BOOK) } else { docs_page::json(call.api.admin_openapi.clone()) }
}

async fn authenticate(call: &Call<'_>, needed: AdminScope) -> Result<Admin, Problem> {
    let peer = call.api.trusted_proxies.peer(call.request);
    let admin = call.api.platform.authenticate_admin(bearer(call.request.headers()), peer).await.inspect_err(|_| {
        info!(%peer, "admin token not taken");
    })?;
    if admin.scopes.contains(&needed) { Ok(admin) } else { Err(Problem::out_of_scope(needed)) }
}

/// The token of `Authorization: Bearer …`; the scheme in either case.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &'static str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static(line));
        bearer(&headers).map(str::to_owned)
    }

    #[test]
    fn a_token_is_read_from_its_header_only() {
        assert_eq!(read("Bearer cs_admin_x").as_deref(), Some("cs_admin_x"));
        assert_eq!(read("bearer  cs_admin_x ").as_deref(), Some("cs_admin_x"));
        for wrong in ["cs_admin_x", "Basic Y3M6", "Bearer"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
    }

    #[test]
    fn a_label_never_holds_what_a_caller_wrote() {
        assert_eq!(template("/admin/v1/tenants/secret/keys/key_1"), "/admin/v1/tenants/{tenant}/keys/{key}");
        assert_eq!(template("/admin/v1/secret"), "unknown");
        assert_eq!(template("/who/knows"), "unknown");
    }
}
