use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;

mod mistakes;
mod print;

/// Loads a file's text under environment variables.
fn read(toml: &str, variables: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("countersign.toml"), toml).unwrap();
    read_in(folder.path(), variables)
}

fn read_in(folder: &Path, variables: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let environment = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    load(&Source { file: None, data_dir: folder.to_owned(), environment })
}

/// What is said about a configuration that cannot be used.
fn refusal(toml: &str, variables: &[(&str, &str)]) -> String {
    match read(toml, variables) {
        Ok(loaded) => panic!("taken: {:?}", loaded.config),
        Err(error) => error.to_string(),
    }
}

fn setting(loaded: &Loaded, key: &str) -> (String, Origin) {
    let found = loaded.settings.iter().find(|setting| setting.key == key);
    let found = found.unwrap_or_else(|| panic!("{key} is not among {:#?}", loaded.settings));
    (found.value.clone().unwrap_or_default(), found.origin)
}

#[test]
fn without_file_and_variables_the_defaults_hold() {
    let folder = TempDir::new().unwrap();
    let loaded = read_in(folder.path(), &[]).unwrap();
    assert_eq!(loaded.file, None);
    assert_eq!(loaded.config.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(loaded.config.admin.listen.to_string(), "127.0.0.1:8081");
    assert_eq!(loaded.config.limits.calls_per_key.to_string(), "1000/1m");
    assert_eq!(loaded.config.public_url(), "http://127.0.0.1:8080");
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let file = "[http]\nlisten = \"127.0.0.1:1000\"\nworkers = 3\n[session]\ncode_length = 5";
    let loaded = read(file, &[("COUNTERSIGN_HTTP__LISTEN", "0.0.0.0:2000"), ("COUNTERSIGN_SESSION__APP_NAME", "2048")]).unwrap();
    assert_eq!(loaded.config.http.listen.to_string(), "0.0.0.0:2000");
    assert_eq!(loaded.config.http.workers, Some(3));
    assert_eq!(loaded.config.session.app_name.as_deref(), Some("2048"), "digits are text where text is wanted");
    assert_eq!(setting(&loaded, "http.listen"), ("\"0.0.0.0:2000\"".to_owned(), Origin::Environment));
    assert_eq!(setting(&loaded, "session.code_length"), ("5".to_owned(), Origin::File));
    assert_eq!(setting(&loaded, "admin.listen").1, Origin::Default);
}

#[test]
fn a_key_that_does_not_exist_is_named_with_the_one_that_was_meant() {
    let said = refusal("[http]\nlisen = \"127.0.0.1:1\"", &[]);
    assert!(said.contains("http.lisen: does not exist; did you mean listen?"), "{said}");
    let said = refusal("[htpp]\nlisten = \"127.0.0.1:1\"", &[]);
    assert!(said.contains("htpp: does not exist; did you mean http?"), "{said}");
    let said = refusal("", &[("COUNTERSIGN_LIMITS__CALLS", "1/1m")]);
    assert!(said.contains("limits.calls: does not exist"), "{said}");
    let said = refusal("[[services]]\nid = \"8c4f9a52-2f0b-4f6e-9d0e-6a2b8f1f3c11\"\ncolour = 1", &[]);
    assert!(said.contains("services[0].colour: does not exist"), "{said}");
    let said = refusal("[providers.mail]\nkind = \"smtp\"\nhost = \"h\"\nfrom = \"a@example.com\"\nuser = \"x\"", &[]);
    assert!(said.contains("providers.mail.user: does not exist; known here: "), "{said}");
}

#[test]
fn a_value_of_the_wrong_kind_names_its_key() {
    let cases = [
        ("[http]\nworkers = \"many\"", "http.workers"),
        ("[http]\nlisten = \"localhost\"", "http.listen"),
        ("[http]\ntrusted_proxies = [\"10.0.0.0/99\"]", "http.trusted_proxies"),
        ("[limits]\ncalls_per_key = \"often\"", "limits.calls_per_key"),
        ("[log]\nformat = \"xml\"", "log.format: must be one of: auto, pretty, json"),
        ("[http]\nworkers = \"two\"", "http.workers: must be a whole number"),
        ("[webhooks]\nallow_http = \"yes\"", "webhooks.allow_http: must be true or false"),
        ("[billing]\nprices = 3", "billing.prices: must be a section"),
        ("[session]\nresend_policy = \"keep\"", "session.resend_policy: must be one of: rotate, keep_previous"),
    ];
    for (toml, wanted) in cases {
        let said = refusal(toml, &[]);
        assert!(said.contains(wanted), "{said}");
    }
}

#[test]
fn every_value_out_of_range_is_named_at_once_with_what_to_do() {
    let said = refusal(
        "public_url = \"otp.example.com\"\nregion = \"Süd\"\n[http]\nworkers = 0\n[session]\ncode_length = 3\nlife_minutes = 61\n\
         [limits]\nblock_after = 101\nsends_per_ip = \"1/2d\"\n[retention]\nsessions_days = 3\n[contacts]\nlocale_wait_ms = 5001\n[[services]]\nid = \"mine\"",
        &[],
    );
    let wanted = [
        "public_url: must be",
        "region: must be",
        "http.workers: must be",
        "session.code_length: must be 4 to 10",
        "session.life_minutes: must be",
        "limits.block_after: must be",
        "limits.sends_per_ip: must not",
        "retention.sessions_days: must be 0 (for ever), or 7",
        "contacts.locale_wait_ms: must be 0 (never asked) to 5000",
        "services[0].id: must be a UUID",
    ];
    for part in wanted {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
}

#[test]
fn a_service_takes_from_the_session_section_what_it_leaves_open() {
    let file = "[session]\napp_name = \"Shop\"\nlife_minutes = 9\n[[services]]\nid = \"8c4f9a52-2f0b-4f6e-9d0e-6a2b8f1f3c11\"\nlife_minutes = 5";
    let settings = read(file, &[]).unwrap().config.settings("http://x".to_owned());
    let service = &settings.services[0];
    assert_eq!((service.app_name.as_str(), service.life), ("Shop", Some(std::time::Duration::from_secs(300))));
    assert_eq!(settings.default_service.life, Some(std::time::Duration::from_secs(540)));
}

#[test]
fn secrets_are_never_shown() {
    let file = "[providers.mail]\nkind = \"smtp\"\nhost = \"mail.example.com\"\nfrom = \"a@example.com\"\nusername = \"otp\"\n\
                [providers.gw]\nkind = \"http\"\nchannels = [\"sms\"]\nurl = \"https://gw.example.com/send?key=hunter3\"\n\
                headers = { Authorization = \"Bearer hunter4\" }\njson = '{\"to\": {{ to|tojson }}, \"text\": {{ text|tojson }}}'";
    let loaded = read(file, &[("COUNTERSIGN_PROVIDERS__MAIL__PASSWORD", "1234567")]).unwrap();
    let shown = format!("{:?} {:?}", loaded.settings, loaded.config);
    for secret in ["1234567", "hunter3", "hunter4"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert_eq!(setting(&loaded, "providers.mail.password").1, Origin::Environment);
    assert_eq!(setting(&loaded, "providers.gw.headers.Authorization").1, Origin::File);
}

#[test]
fn a_refusal_never_shows_the_value_it_refuses() {
    let syntax = refusal("[providers.mail]\npassword = \"hunter2\nhost = 1", &[]);
    assert!(syntax.contains("line 2") && !syntax.contains("hunter2"), "{syntax}");
    let kind =
        refusal("[providers.mail]\nkind = \"smtp\"\nhost = \"h\"\nfrom = \"a@example.com\"\npassword = [\"hunter2\"]", &[]);
    assert!(kind.contains("providers.mail.password: ") && !kind.contains("hunter2"), "{kind}");
}

#[test]
fn variables_of_the_command_line_and_of_kubernetes_set_nothing() {
    let variables = [
        ("COUNTERSIGN_DATA_DIR", "/data"),
        ("COUNTERSIGN_API_KEY", "sk_test_x"),
        ("COUNTERSIGN_SERVICE_HOST", "10.0.0.1"),
        ("COUNTERSIGN_SERVICE_PORT_HTTP", "80"),
        ("COUNTERSIGN_PORT", "tcp://10.0.0.1:80"),
        ("COUNTERSIGN_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("COUNTERSIGN_LOG", "warn"),
        ("PATH", "/bin"),
    ];
    assert_eq!(read("", &variables).unwrap().config.log.level, "warn");
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let folder = TempDir::new().unwrap();
    let file = Some(folder.path().join("other.toml"));
    let source = Source { file, data_dir: folder.path().to_owned(), environment: Vec::new() };
    let said = load(&source).unwrap_err().to_string();
    assert!(said.contains("other.toml cannot be read"), "{said}");
}

#[test]
fn what_init_writes_can_be_used_and_so_can_its_examples() {
    let template = crate::cli::init::TEMPLATE;
    let nobody = [Origin::Default, Origin::Call];
    assert!(read(template, &[]).unwrap().settings.iter().all(|setting| nobody.contains(&setting.origin)));

    let is_key = |line: &str| line.starts_with('[') || line.split(' ').nth(1) == Some("=");
    let uncommented: Vec<&str> = template
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| is_key(rest)).unwrap_or(line))
        .filter(|line| !line.starts_with("password_file") && !line.starts_with("trusted_hops"))
        .collect();
    let loaded = read(&uncommented.join("\n"), &[("COUNTERSIGN_PROVIDERS__MAIL__PASSWORD", "x")]).unwrap();
    assert_eq!(loaded.config.session.life_minutes, Some(10));
    assert_eq!(loaded.config.channels.email.providers, [countersign_channels::ProviderRef::from("mail")]);
    loaded
        .config
        .routes(
            &(std::sync::Arc::new(countersign_model::SystemClock) as _),
            &(std::sync::Arc::new(countersign_model::OsRng) as _),
        )
        .unwrap();
}
