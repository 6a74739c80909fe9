//! The operations on contacts: parse, one verb, print.

use std::sync::Arc;

use actix_web::HttpRequest;
use countersign_core::{Caller, ContactChange, ContactError, ContactName, ContactPage, Platform};
use serde_json::Value;

use crate::dialects::native::failure::Failure;
use crate::dialects::native::request::contacts::{self as request, Written};
use crate::dialects::native::request::{Input, contact_list};
use crate::dialects::native::response::contacts::{
    BulkReply, ContactListReply, ContactRemovedReply, ContactReply, Row, bulk as bulk_body, list as list_body, one, removed,
};
use crate::dialects::native::schema::{BulkContactsRequest, ContactListParameters, ContactRequest, UnsubscribeRequest};
use crate::dialects::native::{Reply, error};

type Answer = Result<Reply, Failure>;

/// List contacts
///
/// Newest first. By `page`, or, as quick at the end of a long list as at its start, by `cursor` or `starting_after`.
#[utoipa::path(
    get, path = "/api/v1/contacts", tag = "contacts", operation_id = "listContacts", security(("api_key" = [])),
    params(ContactListParameters),
    responses((status = 200, description = "A page.", body = ContactListReply))
)]
pub(crate) async fn list(platform: &Arc<Platform>, caller: &Caller, request: &HttpRequest) -> Answer {
    let asked = contact_list::parse(request)?;
    let page = match &asked.email {
        None => platform.list_contacts(caller, asked.start(), asked.limit).await.map_err(error::of_refusal)?,
        Some(email) => match platform.find_contact(caller, &ContactName::Email(email.clone())).await {
            Ok(contact) if asked.from == contact_list::From::Page(1) => {
                ContactPage { contacts: vec![contact], has_more: false, total: 1 }
            }
            Ok(_) => ContactPage { contacts: Vec::new(), has_more: false, total: 1 },
            Err(ContactError::NotFound) => ContactPage { contacts: Vec::new(), has_more: false, total: 0 },
            Err(failure) => return Err(error::of_contact(failure)),
        },
    };
    Reply::new(list_body(&page, &asked), false)
}

/// Add a contact
///
/// With an e-mail address or a phone number. No two contacts have one address or one `external_id`.
#[utoipa::path(
    post, path = "/api/v1/contacts", tag = "contacts", operation_id = "createContact", security(("api_key" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours."),
           ("Prefer" = Option<String>, Header, description = "`handling=strict` refuses unknown fields.")),
    request_body = ContactRequest,
    responses((status = 201, description = "The contact.", body = ContactReply),
              (status = 409, description = "A contact has this already: `details.field` names what."),
              (status = 422, description = "The idempotency key was used with another body."))
)]
pub(crate) async fn create(platform: &Arc<Platform>, caller: &Caller, input: &Input<'_>) -> Answer {
    let Written { change, key } = request::written(input, "contacts/create")?;
    let created = platform.create_contact(caller, &change, key.as_ref()).await.map_err(error::of_contact)?;
    Ok(Reply::new(one(&created.value), created.replayed)?.created())
}

/// Add many contacts
///
/// At most 1000, within 64 KiB. Each row stands for itself: what is there already is skipped, what cannot be a contact is told.
#[utoipa::path(
    post, path = "/api/v1/contacts/bulk", tag = "contacts", operation_id = "bulkContacts", security(("api_key" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours."),
           ("Prefer" = Option<String>, Header, description = "`handling=strict` refuses unknown fields.")),
    request_body = BulkContactsRequest,
    responses((status = 200, description = "What became of each.", body = BulkReply),
              (status = 422, description = "The idempotency key was used with another body."))
)]
pub(crate) async fn bulk(platform: &Arc<Platform>, caller: &Caller, input: &Input<'_>) -> Answer {
    let request::Bulk { rows, key } = request::bulk(input)?;
    let sound: Vec<ContactChange> = rows.iter().filter_map(|row| row.as_ref().ok()).cloned().collect();
    let added = platform.add_contacts(caller, &sound, key.as_ref()).await.map_err(error::of_contact)?;
    let given = input.body.object.get("contacts").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut outcomes = added.value.iter();
    let told: Option<Vec<Row<'_>>> = rows
        .iter()
        .zip(given)
        .map(|(row, given)| {
            let outcome = row.as_ref().map_or_else(|fault| Some(Err(fault)), |_| outcomes.next().map(Ok))?;
            Some(Row { given: given.as_object(), outcome })
        })
        .collect();
    let told = told.ok_or_else(|| error::internal("a row of many was not answered"))?;
    Reply::new(bulk_body(&told), added.replayed)
}

/// Look at a contact
#[utoipa::path(
    get, path = "/api/v1/contacts/{contact}", tag = "contacts", operation_id = "showContact", security(("api_key" = [])),
    params(("contact" = String, Path, description = "A contact's id (`con_…`).")),
    responses((status = 200, description = "The contact.", body = ContactReply),
              (status = 404, description = "There is no such contact."))
)]
pub(crate) async fn show(platform: &Arc<Platform>, caller: &Caller, name: &str) -> Answer {
    show_named(platform, caller, request::by_id(name)).await
}

/// Change a contact
///
/// What is not named stays; `null` takes away. What was proved of an address is not true of the next one.
#[utoipa::path(
    patch, path = "/api/v1/contacts/{contact}", tag = "contacts", operation_id = "changeContact", security(("api_key" = [])),
    params(("contact" = String, Path, description = "A contact's id (`con_…`)."),
           ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours."),
           ("Prefer" = Option<String>, Header, description = "`handling=strict` refuses unknown fields.")),
    request_body = ContactRequest,
    responses((status = 200, description = "The contact as it is now.", body = ContactReply),
              (status = 404, description = "There is no such contact."),
              (status = 409, description = "Another contact has this already: `details.field` names what."),
              (status = 422, description = "The idempotency key was used with another body."))
)]
pub(crate) async fn patch(platform: &Arc<Platform>, caller: &Caller, name: &str, input: &Input<'_>) -> Answer {
    change_named(platform, caller, request::by_id(name), input).await
}

/// Change a contact, by the other method
///
/// The same as `PATCH`: clients of the vendor's send a part of a contact by either.
#[utoipa::path(
    put, path = "/api/v1/contacts/{contact}", tag = "contacts", operation_id = "putContact", security(("api_key" = [])),
    params(("contact" = String, Path, description = "A contact's id (`con_…`)."),
           ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours."),
           ("Prefer" = Option<String>, Header, description = "`handling=strict` refuses unknown fields.")),
    request_body = ContactRequest,
    responses((status = 200, description = "The contact as it is now.", body = ContactReply),
              (status = 404, description = "There is no such contact."),
              (status = 409, description = "Another contact has this already: `details.field` names what."),
              (status = 422, description = "The idempotency key was used with another body."))
)]
pub(crate) async fn put(platform: &Arc<Platform>, caller: &Caller, name: &str, input: &Input<'_>) -> Answer {
    change_named(platform, caller, request::by_id(name), input).await
}

/// Remove a contact for good
#[utoipa::path(
    delete, path = "/api/v1/contacts/{contact}", tag = "contacts", operation_id = "removeContact", security(("api_key" = [])),
    params(("contact" = String, Path, description = "A contact's id (`con_…`)."),
           ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours.")),
    responses((status = 200, description = "It is gone.", body = ContactRemovedReply),
              (status = 404, description = "There is no such contact."))
)]
pub(crate) async fn remove(platform: &Arc<Platform>, caller: &Caller, name: &str, input: &Input<'_>) -> Answer {
    remove_named(platform, caller, request::by_id(name), input).await
}

/// Look at a contact by your own id
#[utoipa::path(
    get, path = "/api/v1/contacts/external/{external_id}", tag = "contacts", operation_id = "showContactByExternalId",
    security(("api_key" = [])),
    params(("external_id" = String, Path, description = "Your own id, with its special characters escaped.")),
    responses((status = 200, description = "The contact.", body = ContactReply),
              (status = 404, description = "There is no such contact."))
)]
pub(crate) async fn show_external(platform: &Arc<Platform>, caller: &Caller, name: &str) -> Answer {
    show_named(platform, caller, request::by_external_id(name)).await
}

/// Change a contact by your own id
///
/// What is not named stays; `null` takes away.
#[utoipa::path(
    patch, path = "/api/v1/contacts/external/{external_id}", tag = "contacts", operation_id = "changeContactByExternalId",
    security(("api_key" = [])),
    params(("external_id" = String, Path, description = "Your own id, with its special characters escaped."),
           ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours."),
           ("Prefer" = Option<String>, Header, description = "`handling=strict` refuses unknown fields.")),
    request_body = ContactRequest,
    responses((status = 200, description = "The contact as it is now.", body = ContactReply),
              (status = 404, description = "There is no such contact."),
              (status = 409, description = "Another contact has this already: `details.field` names what."),
              (status = 422, description = "The idempotency key was used with another body."))
)]
pub(crate) async fn patch_external(platform: &Arc<Platform>, caller: &Caller, name: &str, input: &Input<'_>) -> Answer {
    change_named(platform, caller, request::by_external_id(name), input).await
}

/// Change a contact by your own id, by the other method
///
/// The same as `PATCH`.
#[utoipa::path(
    put, path = "/api/v1/contacts/external/{external_id}", tag = "contacts", operation_id = "putContactByExternalId",
    security(("api_key" = [])),
    params(("external_id" = String, Path, description = "Your own id, with its special characters escaped."),
           ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours."),
           ("Prefer" = Option<String>, Header, description = "`handling=strict` refuses unknown fields.")),
    request_body = ContactRequest,
    responses((status = 200, description = "The contact as it is now.", body = ContactReply),
              (status = 404, description = "There is no such contact."),
              (status = 409, description = "Another contact has this already: `details.field` names what."),
              (status = 422, description = "The idempotency key was used with another body."))
)]
pub(crate) async fn put_external(platform: &Arc<Platform>, caller: &Caller, name: &str, input: &Input<'_>) -> Answer {
    change_named(platform, caller, request::by_external_id(name), input).await
}

/// Remove a contact for good by your own id
#[utoipa::path(
    delete, path = "/api/v1/contacts/external/{external_id}", tag = "contacts", operation_id = "removeContactByExternalId",
    security(("api_key" = [])),
    params(("external_id" = String, Path, description = "Your own id, with its special characters escaped."),
           ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours.")),
    responses((status = 200, description = "It is gone.", body = ContactRemovedReply),
              (status = 404, description = "There is no such contact."))
)]
pub(crate) async fn remove_external(platform: &Arc<Platform>, caller: &Caller, name: &str, input: &Input<'_>) -> Answer {
    remove_named(platform, caller, request::by_external_id(name), input).await
}

/// Note that a contact is to be written to no more
///
/// Declines every channel in `preferences`. Needs no body. Codes that are asked for are still sent: whoever asks for one wants it.
#[utoipa::path(
    post, path = "/api/v1/contacts/{contact}/unsubscribe", tag = "contacts", operation_id = "unsubscribeContact",
    security(("api_key" = [])),
    params(("contact" = String, Path, description = "A contact's id (`con_…`)."),
           ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours.")),
    request_body = Option<UnsubscribeRequest>,
    responses((status = 200, description = "The contact as it is now.", body = ContactReply),
              (status = 404, description = "There is no such contact."))
)]
pub(crate) async fn unsubscribe(platform: &Arc<Platform>, caller: &Caller, name: &str, input: &Input<'_>) -> Answer {
    let key = request::bare(input, "contacts/unsubscribe")?;
    let name = request::by_id(name).ok_or_else(not_found)?;
    let changed = platform.unsubscribe_contact(caller, &name, key.as_ref()).await.map_err(error::of_contact)?;
    Reply::new(one(&changed.value), changed.replayed)
}

async fn show_named(platform: &Arc<Platform>, caller: &Caller, name: Option<ContactName>) -> Answer {
    let name = name.ok_or_else(not_found)?;
    let contact = platform.find_contact(caller, &name).await.map_err(error::of_contact)?;
    Reply::new(one(&contact), false)
}

async fn change_named(platform: &Arc<Platform>, caller: &Caller, name: Option<ContactName>, input: &Input<'_>) -> Answer {
    let Written { change, key } = request::written(input, "contacts/change")?;
    let name = name.ok_or_else(not_found)?;
    let changed = platform.change_contact(caller, &name, &change, key.as_ref()).await.map_err(error::of_contact)?;
    Reply::new(one(&changed.value), changed.replayed)
}

async fn remove_named(platform: &Arc<Platform>, caller: &Caller, name: Option<ContactName>, input: &Input<'_>) -> Answer {
    let key = request::bare(input, "contacts/remove")?;
    let name = name.ok_or_else(not_found)?;
    let gone = platform.remove_contact(caller, &name, key.as_ref()).await.map_err(error::of_contact)?;
    Reply::new(removed(gone.value), gone.replayed)
}

/// A name that no contact can have.
fn not_found() -> Failure {
    error::of_contact(ContactError::NotFound)
}
