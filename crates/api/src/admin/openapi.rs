//! The description of the admin API, from the code that serves it.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response};
use utoipa::{Modify, OpenApi};

use super::operations::{
    deliveries, installation, keys, log, provider_tests, recipients, senders, services, templates, tenants, tokens, wallet,
    webhooks,
};
use super::problem::ProblemReply;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Countersign admin API",
        description = "Tenants, keys, services, words, webhooks and money, changed without a restart.\n\nEvery call but those to this \
                       description shows an admin token (`countersign admin-token create`) as `Authorization: Bearer cs_admin_…`. A token has \
                       scopes: `read` looks, `write` changes, `wallet` moves money, `keys` makes and ends keys and tokens; none includes \
                       another. Each change stands in the audit log under the token's name.\n\nErrors are `application/problem+json` \
                       (RFC 9457); `errors` lists every field that is wrong. Unknown fields and parameters are errors. `PATCH` takes a merge \
                       patch (RFC 7396). `{tenant}` is a tenant's id, or its name where that needs no escaping.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        version = "1"
    ),
    paths(
        installation::info, installation::readiness, installation::providers,
        provider_tests::test_provider,
        log::list_audit, log::list_poison, log::retry_poison, log::delete_poison,
        tokens::list_tokens, tokens::create_token, tokens::revoke_token,
        tenants::list_tenants, tenants::create_tenant, tenants::show_tenant, tenants::update_tenant, tenants::show_session,
        recipients::unblock_recipient,
        keys::list_keys, keys::create_key, keys::revoke_key,
        services::list_services, services::create_service, services::show_service, services::update_service, services::delete_service,
        templates::list_templates, templates::create_template, templates::preview_template, templates::show_template,
        templates::update_template, templates::delete_template, templates::list_versions,
        senders::list_senders, senders::create_sender, senders::update_sender, senders::delete_sender,
        webhooks::list_endpoints, webhooks::create_endpoint, webhooks::show_endpoint, webhooks::update_endpoint,
        webhooks::delete_endpoint, webhooks::rotate_endpoint, webhooks::test_endpoint,
        deliveries::list_deliveries, deliveries::show_delivery, deliveries::replay_delivery,
        wallet::show_wallet, wallet::list_ledger, wallet::top_up, wallet::adjust, wallet::rebuild, wallet::list_differences,
        wallet::acknowledge_difference
    ),
    components(schemas(ProblemReply<'_>)),
    tags(
        (name = "tenants", description = "Owners of everything else."),
        (name = "keys", description = "API keys."),
        (name = "services", description = "Named verification profiles, with limits and prices."),
        (name = "templates", description = "Tenants' own words."),
        (name = "senders", description = "What messages come from."),
        (name = "webhooks", description = "Where events are posted to, and what came of it."),
        (name = "wallet", description = "Money."),
        (name = "tokens", description = "Tokens of this API."),
        (name = "installation", description = "The installation and its audit log.")
    ),
    modifiers(&Common)
)]
struct Description;

/// What every operation has in common and no operation says itself.
struct Common;

/// Replies that every operation can give: status, name, when.
const ERRORS: [(&str, &str, &str); 9] = [
    ("400", "BadRequest", "The body is malformed, or a field is wrong: `errors` lists every one."),
    ("401", "Unauthorized", "The token is not recognised."),
    ("403", "Forbidden", "The token lacks the scope."),
    ("408", "RequestTimeout", "The body did not arrive in time."),
    ("413", "PayloadTooLarge", "The body is larger than 64 KiB."),
    ("415", "UnsupportedMediaType", "The body is not declared as JSON."),
    ("422", "UnprocessableContent", "The idempotency key was used with another body."),
    ("429", "TooManyRequests", "Too many failed authentications from this address."),
    ("503", "ServiceUnavailable", "A plane is away, or others change the same records. Try again after `Retry-After`."),
];

/// Errors of calls that carry a body.
const OF_BODIES: [&str; 4] = ["408", "413", "415", "422"];

impl Modify for Common {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some("`cs_admin_…`, from `countersign admin-token create`.".to_owned());
        let components = openapi.components.get_or_insert_default();
        components.security_schemes.insert("admin_token".to_owned(), RefOr::T(SecurityScheme::Http(bearer)));
        for (_, name, description) in &ERRORS {
            let mut response = Response::new(*description);
            complete(&mut response);
            components.responses.insert((*name).to_owned(), RefOr::T(response));
        }
        for item in openapi.paths.paths.values_mut() {
            for operation in operations_of(item) {
                add_common(operation);
            }
        }
    }
}

fn operations_of(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, post, patch, delete, .. } = item;
    get.iter_mut().chain(post.iter_mut()).chain(patch.iter_mut()).chain(delete.iter_mut())
}

fn add_common(operation: &mut Operation) {
    let bare = operation.request_body.is_none();
    let responses = &mut operation.responses.responses;
    for response in responses.values_mut() {
        if let RefOr::T(response) = response {
            complete(response);
        }
    }
    for (status, name, _) in ERRORS.iter().filter(|(status, ..)| !(bare && OF_BODIES.contains(status))) {
        responses.entry((*status).to_owned()).or_insert_with(|| RefOr::Ref(Ref::from_response_name(*name)));
    }
}

/// Adds the body of an error to a reply that describes none.
fn complete(response: &mut Response) {
    if response.content.is_empty() {
        let content = Content::new(Some(Ref::from_schema_name("Problem")));
        response.content.insert("application/problem+json".to_owned(), RefOr::T(content));
    }
}

/// The description of the admin API (OpenAPI 3.1), as `/admin/v1/openapi.json` serves it.
#[must_use]
pub fn admin_openapi_json() -> String {
    let mut json = Description::openapi().to_pretty_json().unwrap_or_default();
    json.push('\n');
    json
}

#[cfg(test)]
mod tests;
