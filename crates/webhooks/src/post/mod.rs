//! One attempt at one endpoint.

#[cfg(test)]
mod tests;

use std::error::Error;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use countersign_model::{Timestamp, WebhookFormat};
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use tokio::time::Instant;

use crate::format;
use crate::guard::{Forbidden, Guard};
use crate::outcome::{Outcome, Report, Unreachable};
use crate::reply;
use crate::resolve::{GuardedResolver, LookupFailed, Resolver};
use crate::secret::EndpointSecrets;
use crate::settings::WebhookSettings;
use crate::sign::WebhookId;

/// Idle connections are dropped before receivers commonly drop them.
const IDLE: Duration = Duration::from_secs(15);

/// How long is read on once the status is known: what an endpoint has to say fits into that, and a body that never ends holds nobody up.
const READ_ON: Duration = Duration::from_secs(1);

/// What is posted where.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// The endpoint's address. Checked again: what was allowed when it was made may not be any more.
    pub url: &'a str,
    /// The event's name, the same at each attempt.
    pub id: &'a WebhookId,
    /// What signs it.
    pub secrets: &'a EndpointSecrets,
    /// How it is spelt.
    pub format: WebhookFormat,
    /// Made by [`Notice::body`](crate::Notice::body) in the same format.
    pub body: &'a str,
}

/// Posts to tenants' endpoints. Tries once, follows no redirect, uses no proxy and connects only to what the [`Guard`] let pass.
pub struct Poster {
    guard: Guard,
    resolver: Arc<dyn Resolver>,
    settings: WebhookSettings,
    /// Made at the first post: reading the system's certificates takes a while. None inside: TLS cannot be set up.
    client: OnceLock<Option<Client>>,
}

impl Poster {
    /// Nothing is opened or read yet.
    #[must_use]
    pub fn new(settings: &WebhookSettings, resolver: Arc<dyn Resolver>) -> Self {
        Self { guard: Guard::new(settings), resolver, settings: settings.clone(), client: OnceLock::new() }
    }

    /// Posts once. The signature is made for `now`, so receivers take it for as long as they take a message of that time.
    ///
    /// When dropped half-way the post may have arrived all the same.
    pub async fn post(&self, post: &Post<'_>, now: Timestamp) -> Report {
        let started = Instant::now();
        let outcome = self.attempt(post, now).await;
        Report { at: now, took: started.elapsed(), outcome }
    }

    async fn attempt(&self, post: &Post<'_>, now: Timestamp) -> Outcome {
        let url = match self.guard.target(post.url) {
            Ok(url) => url,
            Err(why) => return Outcome::Forbidden(why),
        };
        let Some(client) = self.client.get_or_init(|| self.builder().build().ok()) else {
            return Outcome::Unreachable(Unreachable::Setup);
        };
        let mut request = client.post(url).header(CONTENT_TYPE, "application/json");
        for (name, value) in format::headers(post.format, post.id, now, post.body, post.secrets) {
            request = request.header(name, value);
        }
        match request.body(post.body.to_owned()).send().await {
            Ok(response) => reply::judge(response, READ_ON).await,
            Err(failure) => explain(&failure),
        }
    }

    /// A proxy of the environment would connect in our place and look names up itself, so none is used.
    fn builder(&self) -> ClientBuilder {
        // Stands unless somebody has named one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::builder()
            .dns_resolver(GuardedResolver { guard: self.guard.clone(), resolver: Arc::clone(&self.resolver) })
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.settings.connect_timeout)
            .timeout(self.settings.timeout)
            .pool_idle_timeout(IDLE)
    }
}

/// Why there is no reply. The client's own words are not kept: they repeat the address, which may hold a tenant's key.
fn explain(failure: &reqwest::Error) -> Outcome {
    if let Some(why) = cause::<Forbidden>(failure) {
        return Outcome::Forbidden(*why);
    }
    if failure.is_timeout() {
        return Outcome::TimedOut;
    }
    Outcome::Unreachable(if cause::<LookupFailed>(failure).is_some() {
        Unreachable::Name
    } else if cause::<rustls::Error>(failure).is_some() {
        Unreachable::Tls
    } else if failure.is_connect() {
        Unreachable::Connection
    } else {
        Unreachable::Answer
    })
}

/// The first error of this type that a failure goes back to.
fn cause<'a, E: Error + 'static>(failure: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(failure);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // An I/O error hides from `source` the error it was made of.
        let hidden = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match hidden {
            Some(hidden) => Some(hidden),
            None => error.source(),
        };
    }
    None
}
