use std::fmt::Debug;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderMap};
use countersign_core::{Caller, Quota};

use super::Edge;
use crate::body::Body;
use crate::call::{Call, Method, allow_value};

/// One dialect. Translation only: an operation parses, calls one verb of `core`, prints.
///
/// The futures stay on the thread that serves the connection.
#[expect(async_fn_in_trait, reason = "calls are served on the thread that accepted them: no future has to be Send")]
pub trait Voice: Debug + Send + Sync + 'static {
    /// What can be asked.
    type Operation: Copy + 'static;
    /// What an operation answers, before it is printed.
    type Reply;
    /// Why it does not, before it is printed.
    type Failure;

    /// The word for it in addresses and labels.
    fn name(&self) -> &'static str;
    /// Whether a path is this dialect's own, whatever lives there: then every method and every error on it is answered by this dialect.
    fn owns(&self, path: &str, headers: &HeaderMap) -> bool;
    /// Whether this dialect speaks on a path that none owns.
    fn adopts(&self, _path: &str, _headers: &HeaderMap) -> bool {
        false
    }
    /// What lives at a path of this dialect.
    fn find<'p>(&self, path: &'p str) -> Option<Route<'p, Self::Operation>>;
    /// What an operation reads beside its path and headers.
    fn reads(&self, operation: Self::Operation) -> Reads;
    /// Whether an operation changes anything: what a key that only reads may not do.
    fn writes(&self, operation: Self::Operation) -> bool;
    /// Whether an operation that is called by `GET` also answers `HEAD`.
    fn heads(&self, _operation: Self::Operation) -> bool {
        true
    }
    /// Lets a caller in. Called when the body has been read, since some callers show their key in there. See [`Call::authenticate`].
    async fn authenticate(&self, call: &Call<'_>, operation: Self::Operation, body: &Body) -> Result<Caller, Self::Failure>;
    /// Fields, and what the verb says. `name` is the part of the path that names something.
    async fn run(
        &self,
        call: &Call<'_>,
        operation: Self::Operation,
        name: &str,
        body: &Body,
        caller: &Caller,
    ) -> Result<Self::Reply, Self::Failure>;
    /// This dialect's words for what stops a call before its operation.
    fn stopped(&self, call: &Call<'_>, edge: Edge) -> Self::Failure;
    /// Prints. `quota` is where the caller stands; none when it was not let in, or not counted.
    fn print(&self, call: &Call<'_>, outcome: Result<Self::Reply, Self::Failure>, quota: Option<&Quota>) -> HttpResponse;
    /// Answers `OPTIONS`.
    fn options(&self, _call: &Call<'_>, allow: &str) -> HttpResponse {
        let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
        response.headers_mut().insert(ALLOW, allow_value(allow));
        response
    }
    /// The description of this wire, in OpenAPI, for `/openapi/{name}.json`; none: it stands elsewhere.
    fn openapi(&self) -> Option<String> {
        None
    }
}

/// What lives at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route<'p, O: 'static> {
    /// For logs and metrics: the path without what callers put into it.
    pub template: &'static str,
    /// What they put into it; empty where that is nothing.
    pub name: &'p str,
    /// By which methods it is called, and what for.
    pub operations: &'static [(Method, O)],
}

/// What an operation reads beside its path and headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Nothing, or a query.
    NoBody,
    /// A JSON object.
    Body,
    /// A JSON object, or nothing at all.
    MaybeBody,
}
