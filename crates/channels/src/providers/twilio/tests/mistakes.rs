use super::*;

fn told(section: &str, has_address: bool) -> String {
    let mut context = context("x", Duration::from_secs(5));
    context.receipts_url = has_address.then(|| URL.to_owned());
    match TwilioSubject::build(section, context).0 {
        Ok(_) => panic!("taken: {section}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_mistake_is_told_by_its_key() {
    let base = "account_sid = \"AC01\"\nauth_token = \"hush\"\n";
    let sms = "[sms]\nfrom = \"Acme\"\n";
    let voice = "[voice]\nfrom = \"+12025550101\"\n";
    let cases = [
        (format!("account_sid = \"XX01\"\nauth_token = \"hush\"\n{sms}"), "providers.x.account_sid: must be an account's sid"),
        (format!("account_sid = \"AC0/1\"\nauth_token = \"hush\"\n{sms}"), "providers.x.account_sid: must be an account's sid"),
        (format!("account_sid = \"AC01\"\n{sms}"), "providers.x.auth_token: is empty or missing"),
        (format!("{base}api_key_sid = \"SK01\"\n{sms}"), "providers.x.api_key_sid: needs `api_key_secret` beside it"),
        (format!("{base}api_key_secret = \"hush\"\n{sms}"), "providers.x.api_key_secret: needs `api_key_sid` beside it"),
        (
            format!("{base}api_key_sid = \"AC01\"\napi_key_secret = \"hush\"\n{sms}"),
            "providers.x.api_key_sid: must be an API key's sid",
        ),
        // Whoever signs with nothing would be believed.
        (
            format!("account_sid = \"AC01\"\nauth_token = \"\"\napi_key_sid = \"SK01\"\napi_key_secret = \"hush\"\n{sms}"),
            "providers.x.auth_token: is empty",
        ),
        (format!("{base}auth_token_file = \"/nowhere\"\n{sms}"), "providers.x.auth_token: give the value or the file"),
        (base.to_owned(), "providers.x: must be a section with at least one of the tables"),
        (format!("{base}endpoint = \"ftp://x.example\"\n{sms}"), "providers.x.endpoint: must be an http or https address"),
        (format!("{base}[sms]\n"), "providers.x.sms: give exactly one of `from` and `messaging_service_sid`"),
        (format!("{base}[sms]\nfrom = \" \"\n"), "providers.x.sms.from: is empty"),
        (format!("{base}{sms}messaging_service_sid = \"MG01\""), "providers.x.sms: give exactly one of"),
        (
            format!("{base}[sms]\nmessaging_service_sid = \"AC01\""),
            "providers.x.sms.messaging_service_sid: must be a messaging service's sid",
        ),
        (format!("{base}[whatsapp]\nfrom = \"Acme\""), "providers.x.whatsapp.from: must be a number"),
        (
            format!("{base}[whatsapp]\nfrom = \"+12025550102\"\ncontent_sid = \"01\""),
            "providers.x.whatsapp.content_sid: must be a content",
        ),
        (
            format!("{base}[whatsapp]\nfrom = \"+12025550102\"\n[whatsapp.content_sids]\nde = \"01\""),
            "providers.x.whatsapp.content_sids.de: must be a content",
        ),
        (format!("{base}[voice]\nfrom = \"Acme\""), "providers.x.voice.from: must be a number"),
        (format!("{base}{voice}ring_seconds = 4"), "providers.x.voice.ring_seconds: must be 5 to 120"),
        (
            format!("{base}{voice}[voice.voices.el]\nvoice = \"a\\\"b\"\nlanguage = \"el\""),
            "providers.x.voice.voices.el.voice: must be a name of letters",
        ),
        (
            format!("{base}{voice}[voice.voices.el]\nvoice = \"a\"\nlanguage = \"\""),
            "providers.x.voice.voices.el.language: must be a name of letters",
        ),
        (
            format!("account_sid = \"AC01\"\napi_key_sid = \"SK01\"\napi_key_secret = \"hush\"\n{voice}press_key = true"),
            "providers.x.voice.press_key: needs `auth_token` beside it",
        ),
    ];
    for (section, expected) in cases {
        let told = told(&section, true);
        assert!(told.starts_with(expected), "{told}\nfor\n{section}");
        assert!(!told.contains("hush"), "{told}");
    }
    let told = told(&format!("{base}{voice}press_key = true"), false);
    assert_eq!(told, "providers.x.voice.press_key: needs `public_url` beside it");
}

#[test]
fn a_token_can_come_from_a_file_and_what_has_no_table_is_not_served() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hush\n").unwrap();
    let section = format!("account_sid = \"AC01\"\nauth_token_file = {:?}\n[sms]\nfrom = \"Acme\"", file.path());
    let provider = TwilioSubject::build(&section, context("x", Duration::from_secs(5))).0.unwrap();
    let served: Vec<Channel> = Channel::ALL.into_iter().filter(|channel| provider.serves(*channel)).collect();
    assert_eq!(served, [Channel::Sms]);
}
