//! Replies about contacts.

use countersign_core::{BulkOutcome, ContactPage, contact_json};
use countersign_model::{Contact, ContactId};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::dialects::native::request::contact_list::{ContactList, From, cursor};
use crate::dialects::native::words;
use crate::fields::Fault;

/// A contact. In replies about one contact its fields stand beside `success` and once more under `data`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct ContactObject {
    #[schema(examples("con_01J9ZQ3V8MTRX4N6D5B7C9E0FG"))]
    id: String,
    /// Your own name for it; no two contacts have the same.
    external_id: Option<String>,
    /// No two contacts have the same, in either case of its letters.
    #[schema(examples("ann@example.com"))]
    email: Option<String>,
    /// No two contacts have the same.
    #[schema(examples("+12025550143"))]
    phone: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    /// In which language it is written to, where you said so.
    #[schema(examples("pt-BR"))]
    locale: Option<String>,
    tags: Vec<String>,
    #[schema(value_type = Object)]
    custom_fields: Value,
    #[schema(value_type = Object)]
    metadata: Value,
    /// May it be written to, by channel; a channel that is not named may.
    preferences: std::collections::BTreeMap<String, bool>,
    is_active: bool,
    /// Channels on which a right code proved the address.
    verified_channels: Vec<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// One contact.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct ContactReply {
    success: bool,
    #[schema(inline)]
    #[serde(flatten)]
    contact: ContactObject,
    data: ContactObject,
}

/// A contact that is gone.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct ContactRemovedReply {
    success: bool,
    id: String,
    deleted: bool,
    data: ContactRemoved,
}

/// Which one it was.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct ContactRemoved {
    id: String,
    deleted: bool,
}

/// A page of contacts, newest first.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct ContactListReply {
    success: bool,
    data: Vec<ContactObject>,
    /// Whether there are older ones.
    has_more: bool,
    /// For the next page; opaque.
    next_cursor: Option<String>,
    pagination: Pagination,
}

/// Where the page stands among all contacts.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[schema(rename_all = "camelCase")]
pub(crate) struct Pagination {
    /// None where the page was asked for by contact or cursor.
    page: Option<u32>,
    limit: u32,
    total: u64,
    total_pages: u64,
}

/// What became of many contacts. Rows are counted from 0.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct BulkReply {
    success: bool,
    /// Those that were added.
    created: Vec<ContactObject>,
    /// Those that were there already, and were left as they are.
    skipped: Vec<SkippedRow>,
    /// Those that cannot be contacts.
    errors: Vec<FaultyRow>,
    /// How many were given.
    total_processed: u32,
    summary: BulkSummary,
}

/// A row that was there already.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct SkippedRow {
    row: u32,
    email: Option<String>,
    external_id: Option<String>,
    /// `external_id`, `email` or `phone`: what a contact has already.
    field: String,
    reason: String,
}

/// A row that cannot be a contact.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
pub(crate) struct FaultyRow {
    row: u32,
    /// Where it can be read.
    email: Option<String>,
    /// The first field that is wrong: `contacts[3].phone`.
    field: String,
    code: String,
    error: String,
}

/// How many rows came to what.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described, never built")]
#[expect(clippy::struct_field_names, reason = "the names of the wire")]
pub(crate) struct BulkSummary {
    created_count: u32,
    skipped_count: u32,
    error_count: u32,
}

/// An object's members beside `success`, and once more under `data`.
fn twice(object: Value) -> Result<Vec<u8>, serde_json::Error> {
    let mut reply = Map::new();
    reply.insert("success".to_owned(), json!(true));
    if let Value::Object(members) = &object {
        reply.extend(members.clone());
    }
    reply.insert("data".to_owned(), object);
    serde_json::to_vec(&reply)
}

/// Prints one contact.
pub(crate) fn one(contact: &Contact) -> Result<Vec<u8>, serde_json::Error> {
    twice(contact_json(contact))
}

/// Prints that a contact is gone.
pub(crate) fn removed(id: ContactId) -> Result<Vec<u8>, serde_json::Error> {
    twice(json!({"id": id.to_string(), "deleted": true}))
}

/// Prints a page.
pub(crate) fn list(page: &ContactPage, asked: &ContactList) -> Result<Vec<u8>, serde_json::Error> {
    let next = page.contacts.last().filter(|_| page.has_more).map(|last| cursor(last.id));
    let number = match asked.from {
        From::Page(number) => Some(number),
        From::After(_) => None,
    };
    let pagination = json!({
        "page": number, "limit": asked.limit, "total": page.total, "totalPages": page.total.div_ceil(asked.limit.into()),
    });
    serde_json::to_vec(&json!({
        "success": true, "data": page.contacts.iter().map(contact_json).collect::<Vec<_>>(), "has_more": page.has_more,
        "next_cursor": next, "pagination": pagination,
    }))
}

/// A row of a call with many, and what became of it.
pub(crate) struct Row<'a> {
    /// As it was given.
    pub(crate) given: Option<&'a Map<String, Value>>,
    /// What the verb made of it, or why it never got there.
    pub(crate) outcome: Result<&'a BulkOutcome, &'a Fault>,
}

/// Prints what became of many.
pub(crate) fn bulk(rows: &[Row<'_>]) -> Result<Vec<u8>, serde_json::Error> {
    let (mut created, mut skipped, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for (at, row) in rows.iter().enumerate() {
        let given = |name: &str| row.given.and_then(|object| object.get(name)).filter(|value| value.is_string());
        let faulty = |email: Option<&Value>, field: &str, code: &str, error: &str| json!({"row": at, "email": email, "field": field, "code": code, "error": error});
        match row.outcome {
            Ok(BulkOutcome::Created(contact)) => created.push(contact_json(contact)),
            Ok(BulkOutcome::Exists(field)) => {
                let field = field.as_str();
                let reason = format!("A contact with this {field} exists already");
                let (email, external_id) = (given("email"), given("external_id"));
                skipped.push(json!({"row": at, "email": email, "external_id": external_id, "field": field, "reason": reason}));
            }
            Ok(BulkOutcome::NoAddress) => {
                errors.push(faulty(None, &format!("contacts[{at}].email"), "missing_address", words::NO_ADDRESS));
            }
            // What is wrong is not repeated: it may be anything.
            Err(fault) => {
                let email = given("email").filter(|_| fault.field.rsplit('.').next() != Some("email"));
                errors.push(faulty(email, &fault.field, fault.code, &fault.message));
            }
        }
    }
    let summary = json!({"created_count": created.len(), "skipped_count": skipped.len(), "error_count": errors.len()});
    serde_json::to_vec(&json!({
        "success": true, "created": created, "skipped": skipped, "errors": errors, "total_processed": rows.len(), "summary": summary,
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use countersign_core::UniqueField;
    use countersign_model::{Channel, ContactFields, TenantId, Timestamp};

    use super::super::testing::read;
    use super::*;

    fn contact() -> Contact {
        Contact {
            id: ContactId::from_bits(16),
            tenant: TenantId::from_bits(0),
            fields: ContactFields {
                external_id: Some("crm-7".to_owned()),
                email: Some("ann@example.com".to_owned()),
                phone: None,
                first_name: Some("Ann".to_owned()),
                last_name: None,
                locale: Some("pt-BR".to_owned()),
                tags: vec!["vip".to_owned()],
                custom_fields: "{\"b\":1,\"a\":[]}".to_owned(),
                metadata: "{}".to_owned(),
                preferences: BTreeMap::from([(Channel::Sms, false)]),
                is_active: true,
            },
            verified_channels: vec![Channel::Email],
            created_at: Timestamp::from_millis(1_768_473_300_000),
            updated_at: Timestamp::from_millis(1_768_473_300_250),
        }
    }

    fn shown() -> Value {
        json!({
            "id": "con_0000000000000000000000000G", "external_id": "crm-7", "email": "ann@example.com", "phone": null,
            "first_name": "Ann", "last_name": null, "locale": "pt-BR", "tags": ["vip"], "custom_fields": {"b": 1, "a": []}, "metadata": {},
            "preferences": {"sms": false}, "is_active": true, "verified_channels": ["email"],
            "created_at": "2026-01-15T10:35:00.000Z", "updated_at": "2026-01-15T10:35:00.250Z",
        })
    }

    #[test]
    fn one_contact_stands_at_the_top_and_under_data() {
        let mut reply = read(one(&contact()));
        assert_eq!(reply["data"], shown(), "{reply:#}");
        let members = reply.as_object_mut().unwrap();
        members.shift_remove("data");
        assert_eq!(members.shift_remove("success"), Some(json!(true)));
        assert_eq!(reply, shown());
    }

    #[test]
    fn a_page_tells_what_lies_behind_it_and_how_many_there_are() {
        let asked = |from| ContactList { from, limit: 1, email: None };
        let page = ContactPage { contacts: vec![contact()], has_more: true, total: 3 };
        let reply = read(list(&page, &asked(From::Page(2))));
        assert_eq!((&reply["data"], &reply["has_more"]), (&json!([shown()]), &json!(true)), "{reply:#}");
        assert_eq!(reply["pagination"], json!({"page": 2, "limit": 1, "total": 3, "totalPages": 3}));
        assert_eq!(reply["next_cursor"], cursor(contact().id));
        let last = ContactPage { has_more: false, ..page };
        let reply = read(list(&last, &asked(From::After(contact().id))));
        assert_eq!((&reply["next_cursor"], &reply["pagination"]["page"]), (&Value::Null, &Value::Null), "{reply:#}");
    }

    #[test]
    fn of_many_each_row_is_told_where_it_belongs() {
        let given = json!([{"email": "ann@example.com"}, {"email": "ben@example.com", "external_id": "b"}, {}, {"email": "ben", "phone": 7}, 7]);
        let fault = Fault { field: "contacts[3].email".to_owned(), code: "invalid_recipient", message: "wrong".to_owned() };
        let (created, exists) = (BulkOutcome::Created(Box::new(contact())), BulkOutcome::Exists(UniqueField::Email));
        let outcomes = [Ok(&created), Ok(&exists), Ok(&BulkOutcome::NoAddress), Err(&fault), Err(&fault)];
        let rows: Vec<Row<'_>> = given.as_array().unwrap().iter().zip(outcomes).map(row).collect();
        let reply = read(bulk(&rows));
        assert_eq!(reply["created"], json!([shown()]), "{reply:#}");
        let reason = "A contact with this email exists already";
        let skipped = json!([{"row": 1, "email": "ben@example.com", "external_id": "b", "field": "email", "reason": reason}]);
        assert_eq!(reply["skipped"], skipped, "{reply:#}");
        let errors = reply["errors"].as_array().unwrap();
        assert_eq!(errors[0]["code"], "missing_address", "{reply:#}");
        assert_eq!(
            (&errors[1]["row"], &errors[1]["email"]),
            (&json!(3), &Value::Null),
            "what is wrong is not repeated: {reply:#}"
        );
        assert_eq!(reply["summary"], json!({"created_count": 1, "skipped_count": 1, "error_count": 3}));
    }

    fn row<'a>((given, outcome): (&'a Value, Result<&'a BulkOutcome, &'a Fault>)) -> Row<'a> {
        Row { given: given.as_object(), outcome }
    }
}
