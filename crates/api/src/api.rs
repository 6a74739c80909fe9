//! What every request is served with.

use std::sync::Arc;

use actix_web::web::Bytes;
use countersign_core::Platform;

use crate::admin::admin_openapi_json;
use crate::limit_headers::CallPolicy;
use crate::openapi::openapi_json;
use crate::peer::TrustedProxies;

/// What an operator decides about the HTTP surface.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// The release, shown by the probes.
    pub version: &'static str,
}

/// The platform and all that can be worked out once for every request.
#[derive(Debug)]
pub struct Api {
    pub(crate) platform: Arc<Platform>,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) calls: CallPolicy,
    pub(crate) version: &'static str,
    pub(crate) openapi: Bytes,
    pub(crate) admin_openapi: Bytes,
}

impl Api {
    /// Stands in front of `platform`.
    #[must_use]
    pub fn new(platform: Arc<Platform>, config: ApiConfig) -> Arc<Self> {
        let ApiConfig { trusted_proxies, version } = config;
        let calls = CallPolicy::new(platform.calls_per_key());
        let openapi = Bytes::from(openapi_json());
        let admin_openapi = Bytes::from(admin_openapi_json());
        Arc::new(Self { platform, trusted_proxies, calls, version, openapi, admin_openapi })
    }
}
