use super::*;

fn printed(loaded: &Loaded) -> Vec<&str> {
    loaded.settings.iter().map(|setting| setting.key.as_str()).collect()
}

#[test]
fn what_is_in_force_is_shown_where_nobody_set_it() {
    let loaded = read("[session]\nreceipt_wait_seconds = { sms = 20 }\n[session.numbers.sms]\nallow = [\"IN\"]", &[]).unwrap();
    let default = |value: &str| (value.to_owned(), Origin::Default);
    assert_eq!(setting(&loaded, "session.resend_after_seconds"), default("30"));
    assert_eq!(setting(&loaded, "session.resend_policy"), default("\"rotate\""));
    assert_eq!(setting(&loaded, "session.never_share"), default("true"));
    assert_eq!(setting(&loaded, "session.numbers.blocked_types"), default("[\"premium_rate\", \"shared_cost\"]"));
    assert_eq!(setting(&loaded, "session.numbers.sms.allow"), ("[\"IN\"]".to_owned(), Origin::File));
    assert_eq!(setting(&loaded, "session.receipt_wait_seconds.email"), default("300"));
    assert_eq!(setting(&loaded, "session.receipt_wait_seconds.sms"), ("20".to_owned(), Origin::File));
    let open = loaded.settings.iter().find(|setting| setting.key == "session.life_minutes").unwrap();
    assert_eq!((open.value.as_deref(), open.origin), (None, Origin::Call));
    assert!(loaded.config.session.resend_after_seconds.is_none(), "what is shown is not thereby set");
}

#[test]
fn what_was_set_is_not_said_to_be_left_to_calls() {
    let loaded = read("[session]\nlife_minutes = 9", &[("COUNTERSIGN_SESSION__LOCALE", "de")]).unwrap();
    assert_eq!(setting(&loaded, "session.life_minutes"), ("9".to_owned(), Origin::File));
    assert_eq!(setting(&loaded, "session.locale"), ("\"de\"".to_owned(), Origin::Environment));
    assert_eq!(printed(&loaded).iter().filter(|key| **key == "session.life_minutes").count(), 1);
}

#[test]
fn every_key_of_the_session_section_is_shown_but_the_name_that_nobody_gave() {
    let told = refusal("[session]\nzzzzzzzzzzzzzzzzzzzzzzzz = 1", &[]);
    let (_, known) = told.split_once("known here: ").unwrap();
    // Test recipients stand in services' own records alone.
    let shown = known.split(", ").filter(|key| !["app_name", "test_recipients"].contains(key));
    let loaded = read("", &[]).unwrap();
    for key in shown {
        let key = format!("session.{key}");
        assert!(printed(&loaded).iter().any(|printed| printed.starts_with(&key)), "no {key} in {:#?}", printed(&loaded));
    }
}

#[test]
fn settings_are_shown_in_the_order_of_their_keys() {
    let loaded = read("", &[]).unwrap();
    let mut sorted = printed(&loaded);
    sorted.sort_by(|one, other| one.split('.').cmp(other.split('.')));
    assert_eq!(printed(&loaded), sorted);
}
