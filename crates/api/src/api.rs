//! What every request is served with.

use std::sync::Arc;

use actix_web::web::Bytes;
use countersign_core::Platform;

use crate::admin::admin_openapi_json;
use crate::dialect::Wire;
use crate::dialects;
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
    /// Dialects beside those of this crate.
    pub more_dialects: Vec<&'static dyn Wire>,
}

/// The platform and all that can be worked out once for every request.
#[derive(Debug)]
pub struct Api {
    pub(crate) platform: Arc<Platform>,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) calls: CallPolicy,
    pub(crate) version: &'static str,
    /// Every dialect, in the order in which they are asked whose a path is.
    pub(crate) wires: Vec<&'static dyn Wire>,
    /// Where the descriptions of the dialects beside the native one are read, and what they say.
    pub(crate) descriptions: Vec<(String, Bytes)>,
    pub(crate) openapi: Bytes,
    pub(crate) admin_openapi: Bytes,
}

impl Api {
    /// Stands in front of `platform`.
    #[must_use]
    pub fn new(platform: Arc<Platform>, config: ApiConfig) -> Arc<Self> {
        let ApiConfig { trusted_proxies, version, more_dialects } = config;
        let wires: Vec<&'static dyn Wire> = more_dialects.into_iter().chain(dialects::ALL).collect();
        let described = |wire: &&dyn Wire| Some((format!("/openapi/{}.json", wire.name()), Bytes::from(wire.openapi()?)));
        let descriptions = wires.iter().filter_map(described).collect();
        let calls = CallPolicy::new(platform.calls_per_key());
        let openapi = Bytes::from(openapi_json());
        let admin_openapi = Bytes::from(admin_openapi_json());
        Arc::new(Self { platform, trusted_proxies, calls, version, wires, descriptions, openapi, admin_openapi })
    }
}
