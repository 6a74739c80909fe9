//! The HTTP surface. Translation only: a dialect parses, calls one verb of `core`, prints. No rule is decided here.
//!
//! A binary needs four things of it:
//!
//! ```text
//! let api = Api::new(platform, ApiConfig { trusted_proxies, version, more_dialects: vec![] });   // Arc<Api>
//! let public = bind(tcp_listener, Surface::Public, &api, &ServerConfig::default())?;           // actix_web::dev::Server
//! let admin = bind(other_listener, Surface::Admin, &api, &ServerConfig { workers: Some(1), ..ServerConfig::default() })?;
//! public.handle().stop(true).await;                                                            // graceful
//! ```
//!
//! [`bind`] starts nothing by itself: the returned [`Server`](actix_web::dev::Server) is a future to be awaited or spawned on a tokio runtime.
//! It installs no signal handlers; whoever owns the process stops it through its handle. [`openapi_json`] is the description of the
//! wire that `/openapi.json` serves, for a command line to print.

mod admin;
mod api;
mod body;
mod call;
mod described;
pub mod dialect;
mod dialects;
mod docs_page;
mod fields;
mod health;
mod limit_headers;
mod openapi;
mod peer;
mod receipts;
mod request_id;
mod serve;
mod server;

/// The JSON form of what operators may say, as the admin API reads it.
pub mod drafts {
    pub use crate::admin::drafts::{
        patch_endpoint, patch_sender, patch_service, patch_template, patch_tenant, read_endpoint, read_sender, read_service,
        read_template, read_tenant,
    };
}

pub use admin::admin_openapi_json;
pub use api::{Api, ApiConfig};
pub use openapi::openapi_json;
pub use peer::TrustedProxies;
pub use server::{ServerConfig, Surface, bind};
