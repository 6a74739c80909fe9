//! One request on its way through the server.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use actix_web::http::{Method as HttpMethod, StatusCode};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use countersign_core::{AuthError, Caller, Platform, Quota};
use tracing::info;

use crate::api::Api;
use crate::request_id::RequestId;

/// A request, and what it is served with.
#[derive(Debug)]
pub struct Call<'a> {
    pub(crate) api: &'a Api,
    pub(crate) request: &'a HttpRequest,
    pub(crate) id: &'a RequestId,
}

impl Call<'_> {
    /// The verbs.
    #[must_use]
    pub fn platform(&self) -> &Arc<Platform> {
        &self.api.platform
    }

    /// The request as it came, without its body.
    #[must_use]
    pub fn request(&self) -> &HttpRequest {
        self.request
    }

    /// The text of a header; none where it is missing or no text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name)?.to_str().ok()
    }

    /// What the reply's `X-Request-Id` says.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    /// Whose call it is, by address.
    #[must_use]
    pub fn peer(&self) -> IpAddr {
        self.api.trusted_proxies.peer(self.request)
    }

    /// Lets a caller in by its secret. It is counted with the step that it takes.
    pub async fn authenticate(&self, secret: Option<&str>) -> Result<Caller, AuthError> {
        let peer = self.peer();
        let caller = self.platform().authenticate(secret, peer).await;
        caller.inspect_err(|_| info!(%peer, "API key not taken"))
    }

    /// The same by both halves of a key.
    pub async fn authenticate_pair(&self, access_key: Option<&str>, secret: Option<&str>) -> Result<Caller, AuthError> {
        let peer = self.peer();
        let caller = self.platform().authenticate_pair(access_key, secret, peer).await;
        caller.inspect_err(|_| info!(%peer, "API key not taken"))
    }

    /// The same for callers who may also be pages. See [`Platform::authenticate_any`].
    pub(crate) async fn authenticate_any(&self, secret: Option<&str>) -> Result<Caller, AuthError> {
        let peer = self.peer();
        let caller = self.platform().authenticate_any(secret, peer).await;
        caller.inspect_err(|_| info!(%peer, "API key not taken"))
    }

    /// A reply that nobody may keep, which tells in its headers where the caller stands.
    pub fn reply(&self, status: StatusCode, media: &'static str, body: Vec<u8>, quota: Option<&Quota>) -> HttpResponse {
        let mut response = HttpResponse::with_body(status, BoxBody::new(Bytes::from(body)));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self.stamp(headers, quota);
        response
    }

    fn stamp(&self, headers: &mut HeaderMap, quota: Option<&Quota>) {
        self.api.calls.stamp(headers, quota, self.platform().now());
    }
}

/// A method that a path may know, beside `OPTIONS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// And `HEAD`, whose reply loses its body on the way out.
    Get,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
    /// `PATCH`.
    Patch,
    /// `DELETE`.
    Delete,
}

impl Method {
    /// None: no path knows it.
    pub(crate) fn of(method: &HttpMethod) -> Option<Self> {
        match method.as_str() {
            "GET" | "HEAD" => Some(Self::Get),
            "POST" => Some(Self::Post),
            "PUT" => Some(Self::Put),
            "PATCH" => Some(Self::Patch),
            "DELETE" => Some(Self::Delete),
            _ => None,
        }
    }
}

/// Methods as a header.
pub(crate) fn allow_value(methods: &str) -> HeaderValue {
    HeaderValue::from_str(methods).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"))
}
