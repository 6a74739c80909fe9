use countersign_model::{ManualClock, Timestamp};
use figment::Figment;
use figment::providers::{Format as _, Toml};
use serde::Deserialize;

use super::*;

/// The sections of this crate, as they stand in an operator's file.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct File {
    providers: ProvidersConfig,
    channels: ChannelsConfig,
    delivery: DeliveryConfig,
}

fn build(toml: &str) -> Result<Routes, String> {
    let file: File = Figment::from(Toml::string(toml)).extract().map_err(|error| error.to_string())?;
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
    Routes::build(&file.providers, &file.channels, file.delivery, &clock).map_err(|error| error.to_string())
}

const WHOLE: &str = r#"
    [providers.mail]
    kind = "smtp"
    host = "smtp.example.com"
    tls = "starttls"
    username = "me"
    password = "secret"
    from = "Example <no-reply@example.com>"

    [providers.sms]
    kind = "http"
    channels = ["sms", "voice"]
    url = "https://gateway.example/messages"
    json = '{"to": {{ to|tojson }}, "text": {{ text|tojson }}}'
    accept = { status = [200, 202], id = "/id" }
    [providers.sms.headers]
    Authorization = "Bearer secret"

    [providers.dev]
    kind = "console"

    [channels.email]
    providers = ["mail"]
    [channels.sms]
    providers = ["sms", "dev"]
    max_segments = 3

    [delivery]
    try_timeout_seconds = 5
    on_unclear = "stop"
"#;

// lettre and reqwest set up inside a runtime.
#[tokio::test]
async fn a_whole_configuration_becomes_routes() {
    let routes = build(WHOLE).unwrap_or_else(|error| panic!("{error}"));
    let names = |mode, channel| -> Vec<_> {
        routes.providers(mode, channel).iter().map(|provider| provider.name().to_string()).collect()
    };
    assert_eq!(names(Mode::Live, Channel::Email), ["mail"]);
    assert_eq!(names(Mode::Live, Channel::Sms), ["sms", "dev"]);
    assert_eq!(names(Mode::Live, Channel::Voice), [""; 0]);
    assert_eq!(names(Mode::Sandbox, Channel::Voice), ["sandbox"]);
    assert_eq!(routes.providers.len(), 3);
    assert_eq!((routes.max_segments, routes.delivery.try_timeout().as_secs(), routes.delivery.deadline().as_secs()), (3, 5, 20));
}

#[test]
fn nothing_configured_leaves_the_sandbox() {
    let routes = build("").unwrap_or_else(|error| panic!("{error}"));
    for channel in Channel::ALL {
        assert!(routes.providers(Mode::Live, channel).is_empty());
        assert_eq!(routes.providers(Mode::Sandbox, channel).len(), 1);
    }
}

#[test]
fn a_mistake_is_told_by_its_key() {
    let smtp = |more: &str| {
        format!(
            "[providers.mail]\nkind = \"smtp\"\nhost = \"smtp.example.com\"\nfrom = \"a@example.com\"\ntls = \"none\"\n{more}"
        )
    };
    let cases = [
        ("[channels.email]\nproviders = [\"x\"]".to_owned(), "channels.email.providers: unknown provider \"x\""),
        (
            "[providers.dev]\nkind = \"console\"\n[channels.sms]\nproviders = [\"dev\", \"dev\"]".to_owned(),
            "channels.sms.providers: provider \"dev\" is named twice",
        ),
        (smtp("[channels.sms]\nproviders = [\"mail\"]"), "channels.sms.providers: provider \"mail\" does not serve sms"),
        ("[providers.sandbox]\nkind = \"console\"".to_owned(), "providers.sandbox: this name is taken by the built-in provider"),
        ("[providers.\"My Mail\"]\nkind = \"console\"".to_owned(), "providers.My Mail: a provider's name is 1 to 32 of"),
        ("[channels.sms]\nmax_segments = 0".to_owned(), "channels.sms.max_segments: must be 1 to 10"),
        ("[delivery]\ntry_timeout_seconds = 0".to_owned(), "delivery.try_timeout_seconds: must be 1 to 120"),
        ("[delivery]\ndeadline_seconds = 7".to_owned(), "delivery.deadline_seconds: must be 8 to 300"),
        (
            smtp("password = \"p\"\npassword_file = \"/nowhere\"\nusername = \"u\""),
            "providers.mail.password: give the value or the file, not both",
        ),
        (
            smtp("password_file = \"/nowhere/p\"\nusername = \"u\""),
            "providers.mail.password_file: cannot read /nowhere/p: entity not found",
        ),
        (smtp("username = \"u\""), "providers.mail.username: needs `password` beside it"),
        (smtp("password = \"p\""), "providers.mail.password: needs `username` beside it"),
        (smtp("pool_size = 0"), "providers.mail.pool_size: must be 1 to 100"),
        (smtp("hello = \"two words\""), "providers.mail.hello: must be a host name"),
        (smtp("ca_file = \"/nowhere\""), "providers.mail.ca_file: must be left out when tls = \"none\""),
        (smtp("").replace("smtp.example.com", "smtp://example.com"), "providers.mail.host: must be a host name"),
        (smtp("").replace("a@example.com", "example.com"), "providers.mail.from: must be a mailbox"),
        (smtp("").replace("tls = \"none\"", "ca_file = \"/nowhere/ca\""), "providers.mail.ca_file: cannot read /nowhere/ca"),
        (smtp("").replace("tls = \"none\"", "ca_file = \"Cargo.toml\""), "providers.mail.ca_file: holds no PEM certificate"),
    ];
    for (toml, expected) in cases {
        match build(&toml) {
            Ok(_) => panic!("taken: {toml}"),
            Err(told) => assert!(told.starts_with(expected), "{told}\nfor\n{toml}"),
        }
    }
}

#[test]
fn a_key_or_kind_that_there_is_not_is_refused() {
    for toml in [
        "[providers.mail]\nkind = \"smtp\"\nhost = \"h\"\nfrom = \"a@example.com\"\nhots = \"h\"",
        "[providers.dev]\nkind = \"console\"\ncolour = true",
        "[providers.x]\nkind = \"pigeon\"",
        "[channels.pigeon]\nproviders = []",
        "[channels.email]\nmax_segments = 2",
        "[delivery]\non_unclear = \"maybe\"",
    ] {
        assert!(build(toml).is_err(), "taken: {toml}");
    }
}

#[test]
fn a_password_is_read_from_its_file_and_never_shown() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "from the file\r\n").unwrap();
    let read = crate::secret::read("providers.mail", "password", None, Some(file.path())).unwrap().unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&read), "from the file");

    let file: File = Figment::from(Toml::string(WHOLE)).extract().unwrap();
    let shown = format!("{:?} {}", file.providers, serde_json::to_string(&file.providers).unwrap());
    assert!(shown.contains("smtp.example.com") && shown.contains("\"kind\":\"smtp\"") && shown.contains("(hidden)"), "{shown}");
    assert!(!shown.contains("secret\"") && !shown.contains("Bearer"), "{shown}");
}
