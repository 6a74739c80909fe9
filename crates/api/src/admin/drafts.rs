//! The JSON form of what operators may say, for whoever reads it: the admin API from bodies, the command line from its arguments.

use countersign_core::manage::{EndpointDraft, SenderDraft, ServiceDraft, TemplateDraft, TenantDraft};
use countersign_model::{Flaw, ServiceId, Uuid};
use serde_json::{Map, Value};

use super::request::{
    ENDPOINT_FIELDS, SENDER_FIELDS, SERVICE_FIELDS, TEMPLATE_FIELDS, TENANT_FIELDS, endpoint, flaws, own_id, patched, sender,
    service, shown_endpoint, shown_sender, shown_service, shown_template, shown_tenant, template, tenant, whole,
};

type Object = Map<String, Value>;
/// All that is wrong, else what was meant.
type Read<T> = Result<T, Vec<Flaw>>;

fn with_id<'a>(known: &[&'a str]) -> Vec<&'a str> {
    known.iter().copied().chain(["id"]).collect()
}

/// A tenant.
pub fn read_tenant(object: &Object) -> Read<TenantDraft> {
    whole(object, &TENANT_FIELDS, tenant).map_err(flaws)
}

/// A tenant with a merge patch (RFC 7396) laid over it.
pub fn patch_tenant(draft: &TenantDraft, patch: &Object) -> Read<TenantDraft> {
    patched(shown_tenant(draft), patch, &TENANT_FIELDS, tenant)
}

/// A service, and the id it brings along.
pub fn read_service(object: &Object) -> Read<(Option<ServiceId>, ServiceDraft)> {
    whole(object, &with_id(&SERVICE_FIELDS), |fields, faults| {
        let id = own_id(fields, faults);
        Some((id, service(fields, faults)?))
    })
    .map_err(flaws)
}

/// A service with a merge patch laid over it. A test recipient that is named again without its code keeps it.
pub fn patch_service(draft: &ServiceDraft, patch: &Object) -> Read<ServiceDraft> {
    let after = patched(shown_service(draft), patch, &SERVICE_FIELDS, service)?;
    Ok(ServiceDraft { profile: after.profile.keeping_codes(&draft.profile), ..after })
}

/// A template, and the id it brings along.
pub fn read_template(object: &Object) -> Read<(Option<Uuid>, TemplateDraft)> {
    whole(object, &with_id(&TEMPLATE_FIELDS), |fields, faults| {
        let id = own_id(fields, faults);
        Some((id, template(fields, faults)?))
    })
    .map_err(flaws)
}

/// A template with a merge patch laid over it.
pub fn patch_template(draft: &TemplateDraft, patch: &Object) -> Read<TemplateDraft> {
    patched(shown_template(draft), patch, &TEMPLATE_FIELDS, template)
}

/// A sender, and the id it brings along.
pub fn read_sender(object: &Object) -> Read<(Option<Uuid>, SenderDraft)> {
    whole(object, &with_id(&SENDER_FIELDS), |fields, faults| {
        let id = own_id(fields, faults);
        Some((id, sender(fields, faults)?))
    })
    .map_err(flaws)
}

/// A sender with a merge patch laid over it.
pub fn patch_sender(draft: &SenderDraft, patch: &Object) -> Read<SenderDraft> {
    patched(shown_sender(draft), patch, &SENDER_FIELDS, sender)
}

/// A webhook endpoint.
pub fn read_endpoint(object: &Object) -> Read<EndpointDraft> {
    whole(object, &ENDPOINT_FIELDS, endpoint).map_err(flaws)
}

/// A webhook endpoint with a merge patch laid over it.
pub fn patch_endpoint(draft: &EndpointDraft, patch: &Object) -> Read<EndpointDraft> {
    patched(shown_endpoint(draft), patch, &ENDPOINT_FIELDS, endpoint)
}
