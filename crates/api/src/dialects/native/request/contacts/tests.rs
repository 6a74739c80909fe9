use serde_json::json;

use super::super::testing::{only_fault, parse_with};
use super::*;

fn read(value: &Value) -> ContactChange {
    parse_with(value, &[], |input| written(input, "contacts/create")).unwrap().change
}

fn refused(value: &Value) -> (String, &'static str, String) {
    only_fault(parse_with(value, &[], |input| written(input, "contacts/create")))
}

#[test]
fn every_field_is_read() {
    let change = read(&json!({
        "external_id": "crm-7", "email": "Ann@BÜCHER.example", "phone": "+12025550143", "first_name": "Ann", "last_name": "O'Hara",
        "locale": "es-419", "tags": ["vip", "ü", "vip"], "custom_fields": {"a": 1.50}, "metadata": {}, "preferences": {"SMS": false}, "is_active": false,
    }));
    let expected = ContactChange {
        external_id: FieldChange::Set("crm-7".to_owned()),
        email: FieldChange::Set(EmailAddress::parse("Ann@xn--bcher-kva.example").unwrap()),
        phone: FieldChange::Set(PhoneNumber::parse("+12025550143").unwrap()),
        first_name: FieldChange::Set("Ann".to_owned()),
        last_name: FieldChange::Set("O'Hara".to_owned()),
        locale: FieldChange::Set("es-419".to_owned()),
        tags: FieldChange::Set(vec!["vip".to_owned(), "ü".to_owned()]),
        custom_fields: FieldChange::Set("{\"a\":1.50}".to_owned()),
        metadata: FieldChange::Set("{}".to_owned()),
        preferences: FieldChange::Set(BTreeMap::from([(Channel::Sms, false)])),
        is_active: FieldChange::Set(false),
    };
    assert_eq!(change.custom_fields, FieldChange::Set(json!({"a": 1.50}).to_string()));
    assert_eq!(ContactChange { custom_fields: expected.custom_fields.clone(), ..change }, expected);
}

#[test]
fn what_is_not_there_is_kept_and_null_takes_away() {
    assert_eq!(read(&json!({})), ContactChange::default());
    let change = read(&json!({"email": null, "tags": null, "first_name": "", "locale": "", "is_active": null}));
    assert_eq!((change.email, change.tags), (FieldChange::Clear, FieldChange::Clear));
    assert_eq!((change.first_name, change.is_active), (FieldChange::Clear, FieldChange::Clear));
    assert_eq!(change.locale, FieldChange::Clear);
    assert_eq!(read(&json!({"locale": null})).locale, FieldChange::Clear);
    assert_eq!(change.phone, FieldChange::Keep);
}

#[test]
fn each_field_has_its_bounds() {
    for (field, most) in [("external_id", 128), ("first_name", 128), ("last_name", 128)] {
        assert!(matches!(read(&json!({field: "ж".repeat(most)})), ContactChange { .. }));
        assert_eq!(refused(&json!({field: "ж".repeat(most + 1)})).0, field);
        assert_eq!(refused(&json!({field: "a\u{0}b"})).0, field);
        assert_eq!(refused(&json!({field: 7})).0, field);
    }
    assert_eq!(read(&json!({"tags": vec!["a"; 50]})).tags, FieldChange::Set(vec!["a".to_owned()]));
    for tags in [json!(vec!["a"; 51]), json!(["a".repeat(65)]), json!([""]), json!([7]), json!("a"), json!(["a\u{0}"])] {
        assert_eq!(refused(&json!({"tags": tags})).0, "tags");
    }
    let object = |bytes: usize| json!({"a": "x".repeat(bytes - 8)});
    assert_eq!(object(4096).to_string().len(), 4096);
    for field in ["custom_fields", "metadata"] {
        assert!(matches!(read(&json!({field: object(4096)})), ContactChange { .. }));
        for wrong in [object(4097), json!([]), json!("{}")] {
            assert_eq!(refused(&json!({field: wrong})).0, field);
        }
    }
    assert_eq!(refused(&json!({"is_active": "yes"})).0, "is_active");
    for wrong in [json!("en_US"), json!("e"), json!("Spanish!"), json!("es-toolongsubtag"), json!(7), json!(["es"])] {
        assert_eq!(refused(&json!({"locale": wrong})).2, "locale must be a BCP 47 language tag such as en or pt-BR");
    }
}

#[test]
fn an_address_is_one_or_is_refused_in_the_words_of_a_send() {
    for wrong in [json!("ann"), json!(7), json!("a\u{0}@example.com"), json!("")] {
        assert_eq!(refused(&json!({"email": wrong})).2, "Invalid recipient email address");
    }
    let (field, code, _) = refused(&json!({"phone": "12025550143"}));
    assert_eq!((field.as_str(), code), ("phone", "invalid_recipient"));
}

#[test]
fn every_fault_is_told() {
    let body = json!({"email": "ann", "phone": "1", "first_name": 7, "locale": 7, "tags": 7, "metadata": 7, "preferences": {"email": 7}});
    let faults = parse_with(&body, &[("Idempotency-Key", "")], |input| written(input, "contacts/create")).unwrap_err();
    let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["email", "phone", "first_name", "locale", "tags", "metadata", "preferences.email", "Idempotency-Key"]);
}

#[test]
fn preferences_are_taken_by_channel_or_by_category() {
    let read = |value| read(&json!({"preferences": value})).preferences;
    assert_eq!(
        read(json!({
            "email": {"transactional": true, "promotional": false}, "sms": {"transactional": false, "marketing": false}, "whatsapp": {},
            "push": {"system": true},
        })),
        FieldChange::Set(BTreeMap::from([(Channel::Email, true), (Channel::Sms, false), (Channel::Whatsapp, true)]))
    );
    assert_eq!(refused(&json!({"preferences": {"email": {"system": 1}}})).0, "preferences.email");
}

#[test]
fn strict_handling_names_unknown_fields() {
    let body = json!({"email": "ann@example.com", "id": "con_1"});
    let faults = parse_with(&body, &[("Prefer", "handling=strict")], |input| written(input, "contacts/create")).unwrap_err();
    assert_eq!((faults.len(), faults[0].field.as_str()), (1, "id"));
}

#[test]
fn of_many_each_row_stands_for_itself() {
    let body = json!({"contacts": [{"email": "ann@example.com"}, {"email": "ben", "phone": 7}, 7]});
    let Bulk { rows, .. } = parse_with(&body, &[], bulk).unwrap();
    assert!(rows[0].is_ok());
    let told: Vec<&str> = rows[1..].iter().map(|row| row.as_ref().unwrap_err().field.as_str()).collect();
    assert_eq!(told, ["contacts[1].email", "contacts[2]"]);
    for wrong in [json!({}), json!({"contacts": []}), json!({"contacts": {}}), json!({"contacts": vec![json!({}); 1001]})] {
        assert_eq!(only_fault(parse_with(&wrong, &[], bulk)).0, "contacts");
    }
}

#[test]
fn a_name_in_a_path_is_decoded_once() {
    let named = |part: &str| match by_external_id(part) {
        Some(ContactName::ExternalId(name)) => Some(name),
        other => {
            assert_eq!(other, None);
            None
        }
    };
    assert_eq!(named("crm%2F7%20%25C3").as_deref(), Some("crm/7 %C3"));
    assert_eq!(named("J%C3%BCrgen+1").as_deref(), Some("Jürgen+1"));
    for wrong in ["%", "%2", "%zz", "%FF", "%00", "a%0Ab", &"a".repeat(129)] {
        assert_eq!(named(wrong), None, "{wrong}");
    }
    assert!(by_id("con_01ARZ3NDEKTSV4RRFFQ69G5FAV").is_some());
    assert!(by_id("ses_01ARZ3NDEKTSV4RRFFQ69G5FAV").is_none());
}
