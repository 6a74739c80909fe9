use countersign_model::LimitRule;

use super::*;

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

fn told(faults: Faults) -> Vec<String> {
    faults.into_vec().into_iter().map(|fault| fault.message).collect()
}

#[test]
fn every_fault_of_a_call_is_told_at_once() {
    let call = json!({
        "profile": {"code_length": "6", "resend_policy": "never", "color": 1},
        "limits": {"sends_per_user": {"max": 5}},
        "prices": {"verification": 0.1},
        "owner": "ann",
    });
    let faults = told(whole(object(&call), &SERVICE_FIELDS, service).unwrap_err());
    assert_eq!(
        faults,
        [
            "profile.color is not a field of this call",
            "profile.code_length must be a whole number",
            "profile.resend_policy must be rotate or keep_previous",
            "limits.sends_per_user must be an object with whole numbers in max and seconds",
            &format!("prices must be {PRICES}"),
            "name must be given: a text",
            "owner is not a field of this call",
        ]
    );
}

#[test]
fn a_service_is_read_whole() {
    let call = json!({
        "name": "shop", "profile": {"code_length": 8, "locale": "pt-BR"}, "limits": {"sends_per_ip": {"max": 3, "seconds": 60}},
        "prices": {"verification": "0.01", "channels": {"sms": {"default": "0.05", "countries": {"US": "0.01"}}}},
    });
    let draft = whole(object(&call), &SERVICE_FIELDS, service).unwrap();
    assert_eq!((draft.profile.code_length, draft.limits.sends_per_ip), (Some(8), Some(LimitRule { max: 3, seconds: 60 })));
    let prices = draft.prices.clone().unwrap();
    assert_eq!(prices.message(Channel::Sms, Some("US")).to_string(), "0.01");
    let again = whole(object(&shown_service(&draft)), &SERVICE_FIELDS, service).unwrap();
    assert_eq!(again, draft, "what is shown can be read again");
}

#[test]
fn a_patch_changes_what_it_names_and_null_takes_away() {
    let before = whole(
        object(&json!({"name": "shop", "profile": {"code_length": 8, "life_minutes": 5}, "prices": {"verification": "1"}})),
        &SERVICE_FIELDS,
        service,
    )
    .unwrap();
    let patch = json!({"profile": {"code_length": null, "max_attempts": 2}, "prices": null});
    let after = patched(shown_service(&before), object(&patch), &SERVICE_FIELDS, service).unwrap();
    assert_eq!((after.profile.code_length, after.profile.life_minutes, after.profile.max_attempts), (None, Some(5), Some(2)));
    assert_eq!((after.name.as_str(), after.prices), ("shop", None));
    let wrong = patched(shown_service(&before), object(&json!({"name": null})), &SERVICE_FIELDS, service).unwrap_err();
    assert_eq!(wrong, [Flaw::new("name", "must be given: a text")]);
}

#[test]
fn every_draft_is_shown_as_it_is_read() {
    let tenant_call = json!({
        "name": "acme", "email": "ops@acme.example", "plan": "gold",
        "settings": {"limits": {"active_per_user": 3}, "low_balance": "5.00", "default_service": "0190a000-0000-4000-8000-000000000001"},
    });
    let draft = whole(object(&tenant_call), &TENANT_FIELDS, tenant).unwrap();
    assert_eq!(whole(object(&shown_tenant(&draft)), &TENANT_FIELDS, tenant).unwrap(), draft);
    let words = json!({"channel": "email", "locale": "en", "name": "hello", "subject": "Hi", "body": "{{code}}"});
    let draft = whole(object(&words), &TEMPLATE_FIELDS, template).unwrap();
    assert_eq!(whole(object(&shown_template(&draft)), &TEMPLATE_FIELDS, template).unwrap(), draft);
    let draft = whole(object(&json!({"channel": "sms", "value": "ACME"})), &SENDER_FIELDS, sender).unwrap();
    assert_eq!(whole(object(&shown_sender(&draft)), &SENDER_FIELDS, sender).unwrap(), draft);
    let hook = json!({"url": "https://example.com/", "format": "kotp", "events": ["session.verified"], "enabled": false});
    let draft = whole(object(&hook), &ENDPOINT_FIELDS, endpoint).unwrap();
    assert_eq!(whole(object(&shown_endpoint(&draft)), &ENDPOINT_FIELDS, endpoint).unwrap(), draft);
}
