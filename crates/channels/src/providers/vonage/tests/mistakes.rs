use super::*;

fn told(section: &str, has_address: bool) -> String {
    let mut context = context("x", Duration::from_secs(5));
    context.receipts_url = has_address.then(|| URL.to_owned());
    match VonageSubject::build(section, context).0 {
        Ok(_) => panic!("taken: {section}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_mistake_is_told_by_its_key() {
    let base = "api_key = \"abcd1234\"\napi_secret = \"hush\"\n";
    let sms = "[sms]\nfrom = \"Acme\"\n";
    let voice =
        |more: &str| format!("[voice]\napplication_id = \"a-1\"\nprivate_key = '''{KEY}'''\nfrom = \"+12025550101\"\n{more}");
    let cases = [
        (format!("api_secret = \"hush\"\n{sms}"), "providers.x.api_key: is empty"),
        (format!("api_key = \"abcd1234\"\n{sms}"), "providers.x.api_key: needs `api_secret` beside it"),
        (format!("{base}api_secret_file = \"/nowhere\"\n{sms}"), "providers.x.api_secret: give the value or the file"),
        (format!("{base}signature_secret_file = \"/nowhere\"\n{sms}"), "providers.x.signature_secret_file: cannot read /nowhere"),
        (format!("{base}signature_secret = \"\"\n{sms}"), "providers.x.signature_secret: is empty"),
        (format!("{base}receipts_secret = \"short-hush\"\n{sms}"), "providers.x.receipts_secret: must be 32 to 128 letters"),
        (
            format!("{base}receipts_secret = \"hush/hush/hush/hush/hush/hush/hush/hush\"\n{sms}"),
            "providers.x.receipts_secret: must be 32 to 128 letters",
        ),
        (base.to_owned(), "providers.x: must be a section with at least one of the tables"),
        (format!("{base}endpoint = \"x\"\n{sms}"), "providers.x.endpoint: must be an http or https address"),
        (format!("{base}api_endpoint = \"x\"\n{sms}"), "providers.x.api_endpoint: must be an http or https address"),
        (format!("{base}[sms]\nfrom = \"\"\n"), "providers.x.sms.from: is empty"),
        (voice("").replace("a-1", "a/1"), "providers.x.voice.application_id: must be an application's id"),
        (voice("").replace("+12025550101", "Acme"), "providers.x.voice.from: must be a number"),
        (voice("ring_seconds = 121"), "providers.x.voice.ring_seconds: must be 5 to 120"),
        (voice("press_key = true"), "providers.x.voice.press_key: needs `signature_secret` beside it"),
        (voice("").replace("PRIVATE KEY", "CERTIFICATE"), "providers.x.voice.private_key: must be an RSA key"),
        ("[voice]\napplication_id = \"a-1\"\nfrom = \"+12025550101\"".to_owned(), "providers.x.voice.private_key: is empty"),
    ];
    for (section, expected) in cases {
        let told = told(&section, true);
        assert!(told.starts_with(expected), "{told}\nfor\n{section}");
        assert!(!told.contains("hush") && !told.contains("BEGIN"), "{told}");
    }
    let told = told(&format!("signature_secret = \"hush\"\n{}", voice("press_key = true")), false);
    assert_eq!(told, "providers.x.voice.press_key: needs `public_url` beside it");
}

#[test]
fn the_address_of_receipts_must_fit_into_a_text_message() {
    let by_secret = |length: usize| format!("receipts_secret = \"{}\"\n", "h".repeat(length));
    let signed = "signature_secret = \"hush\"\n".to_owned();
    let sms = "api_key = \"abcd1234\"\napi_secret = \"hush\"\n[sms]\nfrom = \"Acme\"\n";
    let voice = format!("[voice]\napplication_id = \"a-1\"\nprivate_key = '''{KEY}'''\nfrom = \"+12025550101\"\n");
    let built = |section: &str, url: &str| {
        let mut context = context("x", Duration::from_secs(5));
        context.receipts_url = Some(url.to_owned());
        VonageSubject::build(section, context).0.err().map(|error| error.to_string())
    };
    let most = 100 - URL.len() - 1;
    assert_eq!(built(&format!("{}{sms}", by_secret(most)), URL), None);
    let refused = built(&format!("{}{sms}", by_secret(most + 1)), URL).unwrap();
    assert!(refused.starts_with("providers.x.receipts_secret: must be so short") && !refused.contains("hhh"), "{refused}");
    assert_eq!(built(&format!("{}{voice}", by_secret(128)), URL), None, "a call takes any");

    let long = |length: usize| format!("https://{}/receipts/vonage/x", "h".repeat(length - "https:///receipts/vonage/x".len()));
    assert_eq!(built(&format!("{signed}{sms}"), &long(100)), None);
    let refused = built(&format!("{signed}{sms}"), &long(101)).unwrap();
    assert!(refused.starts_with("public_url: must be so short"), "{refused}");
    assert_eq!(built(sms, &long(101)), None, "no receipt is asked for");
}

#[test]
fn a_key_can_come_from_a_file_and_in_the_older_form() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), include_str!("../fixtures/application_pkcs1.key")).unwrap();
    let section = format!("[voice]\napplication_id = \"a-1\"\nprivate_key_file = {:?}\nfrom = \"+12025550101\"", file.path());
    let provider = VonageSubject::build(&section, context("x", Duration::from_secs(5))).0.unwrap();
    let served: Vec<Channel> = Channel::ALL.into_iter().filter(|channel| provider.serves(*channel)).collect();
    assert_eq!(served, [Channel::Voice]);
}
