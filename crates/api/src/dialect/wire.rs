use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use actix_web::HttpResponse;
use actix_web::http::Method as HttpMethod;
use actix_web::http::header::HeaderMap;
use actix_web::web::Payload;
use countersign_core::Refusal;
use countersign_model::KeyScope;

use super::{Edge, Reads, Route, Voice};
use crate::body::{self, Body};
use crate::call::{Call, Method};

/// A reply on its way.
pub type Answer<'a> = Pin<Box<dyn Future<Output = HttpResponse> + 'a>>;

/// A [`Voice`] whose types are its own affair: what the server keeps a list of. Implemented for every voice, and by nothing else.
pub trait Wire: Debug + Send + Sync {
    /// See [`Voice::name`].
    fn name(&self) -> &'static str;
    /// See [`Voice::owns`].
    fn owns(&self, path: &str, headers: &HeaderMap) -> bool;
    /// See [`Voice::adopts`].
    fn adopts(&self, path: &str, headers: &HeaderMap) -> bool;
    /// What logs and metrics call a path.
    fn template(&self, path: &str) -> &'static str;
    /// See [`Voice::openapi`].
    fn openapi(&self) -> Option<String>;
    /// Answers a call.
    ///
    /// Path, method, size, media type, form of the body, credentials, permissions, rate, fields, and what the verb says: in that order. The rate
    /// is counted within the verb's step, so that a call costs one round to the store; a call that falls for its fields is counted
    /// afterwards.
    fn answer<'a>(&'a self, call: &'a Call<'a>, payload: Payload) -> Answer<'a>;
    /// Answers a call whose handler died.
    fn broken(&self, call: &Call<'_>) -> HttpResponse;
}

impl<V: Voice> Wire for V {
    fn name(&self) -> &'static str {
        Voice::name(self)
    }

    fn owns(&self, path: &str, headers: &HeaderMap) -> bool {
        Voice::owns(self, path, headers)
    }

    fn adopts(&self, path: &str, headers: &HeaderMap) -> bool {
        Voice::adopts(self, path, headers)
    }

    fn template(&self, path: &str) -> &'static str {
        self.find(path).map_or("unknown", |route| route.template)
    }

    fn openapi(&self) -> Option<String> {
        Voice::openapi(self)
    }

    fn answer<'a>(&'a self, call: &'a Call<'a>, payload: Payload) -> Answer<'a> {
        Box::pin(answer(self, call, payload))
    }

    fn broken(&self, call: &Call<'_>) -> HttpResponse {
        stop(self, call, Edge::Internal)
    }
}

async fn answer<V: Voice>(voice: &V, call: &Call<'_>, payload: Payload) -> HttpResponse {
    let Some(route) = voice.find(call.request.path()) else { return stop(voice, call, Edge::NotFound) };
    if call.request.method() == HttpMethod::OPTIONS {
        return voice.options(call, &allow(voice, &route));
    }
    let Some(operation) = asked(voice, &route, call.request.method()) else {
        return stop(voice, call, Edge::MethodNotAllowed { allow: allow(voice, &route) });
    };
    let body = match voice.reads(operation) {
        Reads::Body => body::read(call.request, payload).await,
        Reads::MaybeBody => body::read_if_any(call.request, payload).await,
        Reads::NoBody => Ok(Body::default()),
    };
    let body = match body {
        Ok(body) => body,
        Err(error) => return stop(voice, call, Edge::Body(error)),
    };
    let caller = match voice.authenticate(call, operation, &body).await {
        Ok(caller) => caller,
        Err(failure) => return voice.print(call, Err(failure), None),
    };
    if voice.writes(operation) && caller.may == KeyScope::ReadOnly {
        return stop(voice, call, Edge::ReadOnly);
    }
    let mut outcome = voice.run(call, operation, route.name, &body, &caller).await;
    if outcome.is_err() && caller.quota().is_none() {
        // It fell before it took a step. Who has no call left hears that, whatever else is wrong with the call.
        if let Err(refusal @ (Refusal::KeyRevoked | Refusal::TooManyCalls { .. })) = call.api.platform.admit(&caller).await {
            outcome = Err(voice.stopped(call, Edge::Refused(refusal)));
        }
    }
    voice.print(call, outcome, caller.quota())
}

fn stop<V: Voice>(voice: &V, call: &Call<'_>, edge: Edge) -> HttpResponse {
    voice.print(call, Err(voice.stopped(call, edge)), None)
}

fn asked<V: Voice>(voice: &V, route: &Route<'_, V::Operation>, method: &HttpMethod) -> Option<V::Operation> {
    let asked = Method::of(method)?;
    let (_, operation) = route.operations.iter().find(|(known, _)| *known == asked)?;
    (*method != HttpMethod::HEAD || voice.heads(*operation)).then_some(*operation)
}

/// The methods that a path knows, as `Allow` lists them.
fn allow<V: Voice>(voice: &V, route: &Route<'_, V::Operation>) -> String {
    let word = |(method, operation): &(Method, V::Operation)| match method {
        Method::Get if voice.heads(*operation) => "GET, HEAD, ",
        Method::Get => "GET, ",
        Method::Post => "POST, ",
        Method::Put => "PUT, ",
        Method::Patch => "PATCH, ",
        Method::Delete => "DELETE, ",
    };
    route.operations.iter().map(word).collect::<String>() + "OPTIONS"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::native::Native;

    #[test]
    fn a_path_lists_the_methods_it_knows() {
        for (path, methods) in [
            ("/api/v1/otp/send", "POST, OPTIONS"),
            ("/api/v1/otp/sessions", "GET, HEAD, OPTIONS"),
            ("/v1/contacts", "GET, HEAD, POST, OPTIONS"),
            ("/v1/contacts/con_1", "GET, HEAD, PATCH, PUT, DELETE, OPTIONS"),
        ] {
            assert_eq!(allow(&Native, &Native.find(path).unwrap()), methods, "{path}");
        }
    }

    #[test]
    fn a_method_leads_to_its_operation_and_looking_at_heads_is_looking() {
        let route = Native.find("/v1/contacts").unwrap();
        let leads = |method: &HttpMethod| asked(&Native, &route, method).is_some();
        assert!(leads(&HttpMethod::GET) && leads(&HttpMethod::HEAD) && leads(&HttpMethod::POST));
        assert!(!leads(&HttpMethod::PUT) && !leads(&HttpMethod::OPTIONS) && !leads(&HttpMethod::TRACE));
        assert!(asked(&Native, &Native.find("/v1/otp/send").unwrap(), &HttpMethod::HEAD).is_none());
    }
}
