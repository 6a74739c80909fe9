use countersign_model::{ManualClock, SeededRng, Timestamp};
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
    let house = House { clock, rng: Arc::new(SeededRng::new(1)), public_url: None };
    Routes::build(&file.providers, &file.channels, file.delivery, &house).map_err(|error| error.to_string())
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
    let names =
        |mode, channel| -> Vec<_> { routes.lane(mode, channel).everybody().map(|outlet| outlet.name().to_string()).collect() };
    assert_eq!(names(Mode::Live, Channel::Email), ["mail"]);
    assert_eq!(names(Mode::Live, Channel::Sms), ["sms", "dev"]);
    assert_eq!(names(Mode::Live, Channel::Voice), [""; 0]);
    assert_eq!(names(Mode::Sandbox, Channel::Voice), ["sandbox"]);
    assert_eq!(routes.outlets.len(), 3);
    assert_eq!((routes.max_segments, routes.delivery.try_timeout().as_secs(), routes.delivery.deadline().as_secs()), (3, 5, 20));
}

#[tokio::test]
async fn nothing_configured_leaves_the_sandbox() {
    let routes = build("").unwrap_or_else(|error| panic!("{error}"));
    for channel in Channel::ALL {
        assert_eq!(routes.lane(Mode::Live, channel).everybody().count(), 0);
        assert_eq!(routes.lane(Mode::Sandbox, channel).everybody().count(), 1);
    }
}

#[tokio::test]
async fn a_mistake_is_told_by_its_key() {
    let smtp = |more: &str| {
        format!(
            "[providers.mail]\nkind = \"smtp\"\nhost = \"smtp.example.com\"\nfrom = \"a@example.com\"\ntls = \"none\"\n{more}"
        )
    };
    let routed = |route: &str| format!("[providers.dev]\nkind = \"console\"\n[[channels.sms.routes]]\n{route}");
    let cases = [
        ("[channels.email]\nproviders = [\"x\"]".to_owned(), "channels.email.providers[0]: unknown provider \"x\""),
        (
            "[providers.dev]\nkind = \"console\"\n[channels.sms]\nproviders = [\"dev\", \"dev\"]".to_owned(),
            "channels.sms.providers[1]: provider \"dev\" is named twice",
        ),
        (smtp("[channels.sms]\nproviders = [\"mail\"]"), "channels.sms.providers[0]: provider \"mail\" does not serve sms"),
        ("[providers.sandbox]\nkind = \"console\"".to_owned(), "providers.sandbox: this name is taken by the built-in provider"),
        ("[providers.\"My Mail\"]\nkind = \"console\"".to_owned(), "providers.My Mail: a provider's name is 1 to 32 of"),
        ("[channels.sms]\nmax_segments = 0".to_owned(), "channels.sms.max_segments: must be 1 to 10"),
        ("[delivery]\ntry_timeout_seconds = 0".to_owned(), "delivery.try_timeout_seconds: must be 1 to 120"),
        ("[delivery]\ndeadline_seconds = 7".to_owned(), "delivery.deadline_seconds: must be 8 to 300"),
        ("[delivery.breaker]\nwindow = 4".to_owned(), "delivery.breaker.window: must be 5 to 1000"),
        ("[delivery.limits]\nx = 5".to_owned(), "delivery.limits.x: unknown provider \"x\""),
        (smtp("[delivery.limits]\nmail = 0"), "delivery.limits.mail: must be 1 to 10000"),
        (smtp("[delivery.try_timeouts]\nmail = 21"), "delivery.try_timeouts.mail: must be 1 to 20"),
        (
            smtp("[channels.email]\nproviders = [{ name = \"mail\", weight = 0 }]"),
            "channels.email.providers[0].weight: must be 1 to 1000",
        ),
        (routed("providers = [\"dev\"]"), "channels.sms.routes[0]: needs one of `countries`, `tenants` and `services`"),
        (routed("countries = [\"IN\"]"), "channels.sms.routes[0].providers: is empty"),
        (
            routed("countries = [\"India\"]\nproviders = [\"dev\"]"),
            "channels.sms.routes[0].countries[0]: must be a two-letter code",
        ),
        (routed("tenants = [\"acme\"]\nproviders = [\"dev\"]"), "channels.sms.routes[0].tenants[0]: must be the id of a tenant"),
        (
            routed("services = [\"bank\"]\nproviders = [\"dev\"]"),
            "channels.sms.routes[0].services[0]: must be the id of a service",
        ),
        (
            routed("countries = [\"IN\"]\nproviders = [\"dev\", \"x\"]"),
            "channels.sms.routes[0].providers[1]: unknown provider \"x\"",
        ),
        (
            smtp("[[channels.email.routes]]\ncountries = [\"IN\"]\nproviders = [\"mail\"]"),
            "channels.email.routes[0].countries: must be left out",
        ),
        (
            smtp("password = \"p\"\npassword_file = \"/nowhere\"\nusername = \"u\""),
            "providers.mail.password: give the value or the file, not both",
        ),
        (
            smtp("password_file = \"/nowhere/p\"\nusername = \"u\""),
            "providers.mail.password_file: cannot read /nowhere/p: there is no such file",
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
        "[channels.sms]\non_unclear = \"maybe\"",
        "[channels.sms]\nproviders = [{ name = \"x\" }]",
        "[[channels.sms.routes]]\ncountry = [\"IN\"]",
        "[delivery.breaker]\nfailure = 1",
    ] {
        assert!(build(toml).is_err(), "taken: {toml}");
    }
}

#[test]
fn a_secret_is_never_shown() {
    let file: File = Figment::from(Toml::string(WHOLE)).extract().unwrap();
    let shown = format!("{:?} {}", file.providers, serde_json::to_string(&file.providers).unwrap());
    assert!(shown.contains("smtp.example.com") && shown.contains("\"kind\":\"smtp\"") && shown.contains("(hidden)"), "{shown}");
    assert!(!shown.contains("secret\"") && !shown.contains("Bearer"), "{shown}");
}

const ROUTED: &str = r#"
    [providers.one]
    kind = "console"
    [providers.two]
    kind = "console"
    [providers.three]
    kind = "console"

    [channels.sms]
    providers = ["one", { name = "two", weight = 3 }]
    on_unclear = "stop"
    [[channels.sms.routes]]
    countries = ["in", "BD"]
    services = ["8c4f9a52-2f0b-4f6e-9d0e-6a2b8f1f3c11"]
    providers = ["three"]

    [channels.voice]
    providers = ["one", "two"]

    [delivery.limits]
    one = 50
    [delivery.try_timeouts]
    one = 3
"#;

#[tokio::test]
async fn lists_with_weights_and_conditions_are_shown_as_they_were_written() {
    let routes = build(ROUTED).unwrap_or_else(|error| panic!("{error}"));
    let shown = routes.lane(Mode::Live, Channel::Sms).view();
    let entries =
        |at: usize| -> Vec<_> { shown[at].providers.iter().map(|listed| (listed.name.as_str(), listed.weight)).collect() };
    assert_eq!((shown.len(), entries(0), entries(1)), (2, vec![("three", None)], vec![("one", Some(1)), ("two", Some(3))]));
    assert_eq!(shown[0].countries.iter().map(ToString::to_string).collect::<Vec<_>>(), ["IN", "BD"]);
    assert_eq!((shown[0].services.len(), shown[1].services.len(), shown[0].tenants.len()), (1, 0, 0));
    assert_eq!((routes.on_unclear(Channel::Sms), routes.on_unclear(Channel::Voice)), (OnUnclear::Stop, OnUnclear::Next));
    let used: Vec<_> = routes.ways_out().into_iter().map(|way| (way.name.to_string(), way.channels.len())).collect();
    let expected = [("one", 2), ("three", 1), ("two", 2), ("sandbox", 4)].map(|(name, channels)| (name.to_owned(), channels));
    assert_eq!(used, expected);
}

#[tokio::test]
async fn nobody_is_instant_where_that_depends_on_the_message_or_on_a_turn() {
    let instant = |toml: &str, channel| {
        let routes = build(toml).unwrap_or_else(|error| panic!("{error}"));
        routes.lane(Mode::Live, channel).first().is_some_and(|outlet| outlet.is_instant())
    };
    assert!(!instant(ROUTED, Channel::Sms) && !instant(ROUTED, Channel::Voice));
    assert!(instant(&ROUTED.replace("one = 50", "two = 50"), Channel::Voice));
}

#[tokio::test]
async fn a_provider_has_its_own_time_for_a_try_or_that_of_all() {
    let routes = build(ROUTED).unwrap_or_else(|error| panic!("{error}"));
    let times: Vec<_> = routes.outlets.iter().map(|outlet| outlet.try_timeout.as_secs()).collect();
    assert_eq!(times, [3, 8, 8]);
}
