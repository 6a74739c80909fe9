//! What is told of configurations that cannot be used: the key, what would be right, and the kind of thing that stands there.

use super::*;

/// What a start would say, to the last letter. Nothing of a value may be in it.
fn assert_told(toml: &str, variables: &[(&str, &str)], expected: &str) {
    let told = match read(toml, variables).and_then(|loaded| {
        let (clock, rng) = (std::sync::Arc::new(countersign_model::SystemClock), std::sync::Arc::new(countersign_model::OsRng));
        loaded.config.routes(&(clock as _), &(rng as _))
    }) {
        Ok(_) => panic!("taken:\n{toml}\n{variables:?}"),
        Err(error) => error.to_string(),
    };
    assert_eq!(told, format!("the configuration cannot be used:\n  {expected}"), "of\n{toml}\n{variables:?}");
    assert!(!told.contains("hush"), "{told}");
}

fn assert_all_told(cases: &[(&str, &str)]) {
    for (toml, expected) in cases {
        assert_told(toml, &[], expected);
    }
}

const TWILIO: &str = "[providers.text]\nkind = \"twilio\"\naccount_sid = \"AC00000000000000000000000000000000\"\n";
const GATEWAY: &str = "[providers.gw]\nkind = \"http\"\nchannels = [\"sms\"]\nurl = \"https://gw.example.com\"\njson = \"1\"\n";
const RECEIPTS: &str = "[providers.gw.receipts]\nreference = \"/r\"\nstatus = \"/s\"\ndelivered = [\"ok\"]\n";
const MAIL: &str = "[providers.mail]\nkind = \"smtp\"\nhost = \"h\"\nfrom = \"a@example.com\"\n";
const CONSOLE: &str = "[providers.dev]\nkind = \"console\"\n";

#[test]
fn a_mistake_in_a_providers_section_names_its_key() {
    let cases = [
        (TWILIO, "auth_token = 5", "providers.text.auth_token: must be a text in quotes, not a whole number"),
        (TWILIO, "auth_token = [\"hush\"]", "providers.text.auth_token: must be a text in quotes, not a list"),
        (TWILIO, "api_key_sidd = \"hush\"", "providers.text.api_key_sidd: does not exist; did you mean api_key_sid?"),
        (TWILIO, "sms = { from = 5 }", "providers.text.sms.from: must be a text in quotes, not a whole number"),
        (GATEWAY, "method = \"hush\"", "providers.gw.method: must be one of: POST, PUT"),
        (GATEWAY, "headers = { A = 5 }", "providers.gw.headers.A: must be a text in quotes, not a whole number"),
        (GATEWAY, "headers = { \"A b\" = 5 }", "providers.gw.headers.\"A b\": must be a text in quotes, not a whole number"),
        (GATEWAY, "accept = { status = [200, 70000] }", "providers.gw.accept.status[1]: must be a whole number from 0 to 65535"),
        (
            GATEWAY,
            "[providers.gw.request]\na = 1",
            "providers.gw.request: does not exist; known here: channels, url, method, headers, \
          header_files, json, form, accept, refuse, receipts",
        ),
        (GATEWAY, "[providers.gw.receipts]\nfields = \"xml\"", "providers.gw.receipts.fields: must be one of: json, form, query"),
        (GATEWAY, "[providers.gw.receipts]\ndelivered = []", "providers.gw.receipts.status: is missing"),
        (MAIL, "port = \"hush\"", "providers.mail.port: must be a whole number from 0 to 65535, not a text"),
        (MAIL, "port = -1", "providers.mail.port: must be a whole number from 0 to 65535"),
        (MAIL, "tls = \"ssl\"", "providers.mail.tls: must be one of: starttls, implicit, none"),
        (MAIL, "tls = true", "providers.mail.tls: must be a text in quotes, not a truth value"),
    ];
    for (section, more, expected) in cases {
        assert_told(&format!("{section}{more}"), &[], expected);
    }
    let deep = format!("{GATEWAY}{RECEIPTS}[providers.gw.receipts.hmac]\nheader = \"x\"\nkeyy = \"hush\"");
    assert_told(&deep, &[], "providers.gw.receipts.hmac.keyy: does not exist; did you mean key?");
    assert_told("[providers.text]\nkind = \"twilio\"", &[], "providers.text.account_sid: is missing");
}

#[test]
fn mistakes_of_several_providers_are_told_at_once() {
    let file = format!("{MAIL}port = true\n{CONSOLE}port = 1\n[webhooks]\nat_once = \"all\"");
    let told = refusal(&file, &[]);
    let keys: Vec<&str> = told.lines().skip(1).filter_map(|line| line.trim().split(": ").next()).collect();
    assert_eq!(keys, ["webhooks.at_once", "providers.dev.port", "providers.mail.port"], "{told}");
}

#[test]
fn a_provider_of_no_kind_or_of_an_unknown_one_is_told_at_its_kind() {
    let told = refusal("[providers.x]\nkind = \"carrier-pigeon\"", &[]);
    assert!(told.contains("providers.x.kind: must be one of: ") && told.contains(", smtp, "), "{told}");
    assert_all_told(&[
        ("[providers.x]\nhost = \"h\"", "providers.x.kind: is missing"),
        ("[providers.x]\nkind = 5", "providers.x.kind: must be a text in quotes, not a whole number"),
        ("[providers]\nx = \"smtp\"", "providers.x: must be a section, not a text"),
        ("[[providers]]\nkind = \"smtp\"", "providers: must be a section, not a list"),
        ("[providers.x]\nkind = \"console\"\ncolour = 1", "providers.x.colour: does not exist; there are no other keys here"),
        ("[[providers.x]]\nkind = \"console\"", "providers.x: must be a section, not a list"),
        ("providers = 3", "providers: must be a section, not a whole number"),
        (
            "[providers.'Big Mail']\nkind = \"console\"",
            "providers.Big Mail: a provider's name is 1 to 32 of a-z, 0-9, `-` and `_`",
        ),
        ("[providers.sandbox]\nkind = \"console\"", "providers.sandbox: this name is taken by the built-in provider"),
    ]);
}

#[test]
fn a_mistake_in_a_variable_names_its_key_too() {
    let of_mail = |key: &str, value: &str, expected: &str| {
        assert_told(MAIL, &[(&format!("COUNTERSIGN_PROVIDERS__MAIL__{key}"), value)], expected);
    };
    of_mail("PORT", "hush", "providers.mail.port: must be a whole number from 0 to 65535, not a text");
    of_mail("PROT", "1", "providers.mail.prot: does not exist; did you mean port?");
    of_mail("TLS", "1", "providers.mail.tls: must be one of: starttls, implicit, none");
    let cases = [
        ("COUNTERSIGN_PROVIDERS__MAIL__PASSWORD", "hush", "providers.mail.kind: is missing"),
        ("COUNTERSIGN_LOG__FORMAT", "1", "log.format: must be one of: auto, pretty, json"),
        ("COUNTERSIGN_HTTP", "hush", "http: must be a section, not a text"),
        ("COUNTERSIGN_HTTP__WORKERS", "", "http.workers: must be a whole number, 0 or more, not a text"),
        ("COUNTERSIGN_HTTP__TRUSTED_PROXIES", "10.0.0.0/8", "http.trusted_proxies: must be a list in brackets, not a text"),
        (
            "COUNTERSIGN_HTTP_LISTEN",
            "127.0.0.1:1",
            "http_listen: does not exist; did you mean http.listen? In the name of a variable \
          two underscores stand between a section and its key",
        ),
    ];
    for (variable, value, expected) in cases {
        assert_told("", &[(variable, value)], expected);
    }
}

#[test]
fn digits_in_a_variable_are_text_wherever_a_provider_wants_text() {
    let file = "[providers.carrier]\nkind = \"smpp\"\nhost = \"h\"\ntls = \"none\"\nfrom = \"1\"";
    let variables = [("SYSTEM_ID", "12"), ("PASSWORD", "1e5"), ("VERSION", "3.4"), ("SYSTEM_TYPE", "true")];
    let variables = variables.map(|(key, value)| (format!("COUNTERSIGN_PROVIDERS__CARRIER__{key}"), value));
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let loaded = read(file, &variables).unwrap();
    assert_eq!(setting(&loaded, "providers.carrier.system_id").0, "\"12\"");
    assert_eq!(setting(&loaded, "providers.carrier.system_type").0, "\"true\"");
    assert_eq!(setting(&loaded, "providers.carrier.version").0, "\"3.4\"");
}

#[test]
fn a_mistake_in_a_channels_section_names_its_key() {
    let cases = [
        ("providers = \"dev\"", "channels.sms.providers: must be a list in brackets, not a text"),
        ("provider = [\"dev\"]", "channels.sms.provider: does not exist; did you mean providers?"),
        ("providers = [\"dev\", \"x\"]", "channels.sms.providers[1]: unknown provider \"x\""),
        ("providers = [\"dev\", \"dev\"]", "channels.sms.providers[1]: provider \"dev\" is named twice"),
        ("providers = [7]", "channels.sms.providers[0]: must be a provider's name, or { name, weight }, not a whole number"),
        ("providers = [{ name = \"dev\" }]", "channels.sms.providers[0].weight: is missing"),
        (
            "providers = [{ name = \"dev\", weigth = 3 }]",
            "channels.sms.providers[0].weigth: does not exist; did you mean weight?",
        ),
        (
            "providers = [{ name = \"dev\", weight = \"3\" }]",
            "channels.sms.providers[0].weight: must be a whole number from 0 to \
          4294967295, not a text",
        ),
        ("providers = [{ name = \"dev\", weight = 0 }]", "channels.sms.providers[0].weight: must be 1 to 1000"),
        ("on_unclear = \"retry\"", "channels.sms.on_unclear: must be one of: next, stop"),
        ("max_segments = 11", "channels.sms.max_segments: must be 1 to 10"),
        ("routes = [\"dev\"]", "channels.sms.routes[0]: must be a section, not a text"),
        ("[channels.sms.routes]\ncountries = [\"IN\"]", "channels.sms.routes: must be a list in brackets, not a section"),
    ];
    for (more, expected) in cases {
        assert_told(&format!("{CONSOLE}[channels.sms]\n{more}"), &[], expected);
    }
    let routes = [
        ("country = [\"IN\"]", "country: does not exist; known here: countries, tenants, services, providers"),
        ("countries = \"IN\"", "countries: must be a list in brackets, not a text"),
        ("countries = [\"IN\"]", "providers: is empty"),
        (
            "countries = [\"IN\", \"India\"]\nproviders = [\"dev\"]",
            "countries[1]: must be a two-letter code of a country, such as \"IN\"",
        ),
        (
            "tenants = [\"acme\"]\nproviders = [\"dev\"]",
            "tenants[0]: must be the id of a tenant, as `countersign tenant list` shows it",
        ),
        ("services = [\"shop\"]\nproviders = [\"dev\"]", "services[0]: must be the id of a service: a UUID"),
        (
            "countries = [\"IN\"]\nproviders = [{ name = \"dev\", w = 1 }]",
            "providers[0].w: does not exist; known here: name, weight",
        ),
    ];
    for (route, expected) in routes {
        let file = format!("{CONSOLE}[[channels.sms.routes]]\n{route}");
        assert_told(&file, &[], &format!("channels.sms.routes[0].{expected}"));
    }
    assert_all_told(&[
        ("[channels.fax]", "channels.fax: does not exist; known here: email, sms, whatsapp, voice"),
        ("[delivery.limits]\nnobody = 3", "delivery.limits.nobody: unknown provider \"nobody\""),
        ("[delivery.breaker]\npercnt = 10", "delivery.breaker.percnt: does not exist; did you mean percent?"),
        ("[delivery]\non_unclear = true", "delivery.on_unclear: must be a text in quotes, not a truth value"),
    ]);
}

#[test]
fn a_mistake_in_a_profile_names_its_key() {
    let in_profile = [
        ("code_lenght = 5", "code_lenght: does not exist; did you mean code_length?"),
        ("code_length = \"six\"", "code_length: must be a whole number from 0 to 255, not a text"),
        ("code_length = 700", "code_length: must be a whole number from 0 to 255"),
        ("code_length = 3", "code_length: must be 4 to 10 digits"),
        ("resend_policy = \"keep\"", "resend_policy: must be one of: rotate, keep_previous"),
        ("receipt_wait_seconds = { sms = 2 }", "receipt_wait_seconds.sms: must be 5 to 900 seconds"),
        ("receipt_wait_seconds = { fax = 20 }", "receipt_wait_seconds.fax: must be one of: email, sms, whatsapp, voice"),
        (
            "receipt_wait_seconds = { sms = \"20\" }",
            "receipt_wait_seconds.sms: must be a whole number from 0 to 65535, not a text",
        ),
        ("numbers.fax.allow = [\"IN\"]", "numbers.fax: does not exist; known here: sms, whatsapp, voice, blocked_types"),
        ("numbers.sms.allow = \"IN\"", "numbers.sms.allow: must be a list in brackets, not a text"),
        ("numbers.sms.block = [\"IN\", 1]", "numbers.sms.block[1]: must be a text in quotes, not a whole number"),
        ("test_recipients = [{ recipent = \"hush\" }]", "test_recipients[0].recipent: does not exist; did you mean recipient?"),
    ];
    for (line, expected) in in_profile {
        assert_told(&format!("[session]\n{line}"), &[], &format!("session.{expected}"));
        let service = format!("[[services]]\nid = \"8c4f9a52-2f0b-4f6e-9d0e-6a2b8f1f3c11\"\n{line}");
        assert_told(&service, &[], &format!("services[0].{expected}"));
    }
    assert_all_told(&[
        (
            "[session.numbers.sms]\nallow = [\"XX\"]",
            "session.numbers.sms.allow[0]: cannot be used: not a country's two letters of ISO \
          3166-1 (the United Kingdom is GB)",
        ),
        ("[[services]]\nlife_minutes = 5", "services[0].id: is missing"),
        ("[[services]]\nid = 5", "services[0].id: must be a text in quotes, not a whole number"),
        ("[services]\nid = \"x\"", "services: must be a list in brackets, not a section"),
        ("services = [5]", "services[0]: must be a section, not a whole number"),
    ]);
}

#[test]
fn a_mistake_in_any_other_section_names_its_key() {
    assert_all_told(&[
        ("regoin = \"x\"", "regoin: does not exist; did you mean region?"),
        ("region = 5", "region: must be a text in quotes, not a whole number"),
        ("http = \"127.0.0.1:80\"", "http: must be a section, not a text"),
        ("http = [\"127.0.0.1:80\"]", "http: must be a section, not a list"),
        ("[[session]]\ncode_length = 5", "session: must be a section, not a list"),
        ("[[channels]]\nproviders = []", "channels: must be a section, not a list"),
        ("[[channels.sms]]\nproviders = []", "channels.sms: must be a section, not a list"),
        ("[[delivery.breaker]]\nprobes = 2", "delivery.breaker: must be a section, not a list"),
        ("[http]\nlisten = 8080", "http.listen: must be an address with its port, such as 127.0.0.1:8080"),
        ("[admin]\nlisten = \"localhost\"", "admin.listen: must be an address with its port, such as 127.0.0.1:8080"),
        (
            "[http]\ntrusted_proxies = [\"10.0.0.0/8\", \"x\"]",
            "http.trusted_proxies[1]: must be an address with a prefix, such as 10.0.0.0/8",
        ),
        (
            "[webhooks]\nallowed_networks = [5]",
            "webhooks.allowed_networks[0]: must be an address with a prefix, such as 10.0.0.0/8",
        ),
        ("[webhooks]\nallowed_ports = [443, 70000]", "webhooks.allowed_ports[1]: must be a whole number from 0 to 65535"),
        ("[limits]\nsends_per_user = 5", "limits.sends_per_user: must be a text in quotes, not a whole number"),
        (
            "[limits]\nsends_per_user = \"5\"",
            "limits.sends_per_user: cannot be used: a limit is a number above 0, a slash and a time, such as \
          1000/1m (units: s, m, h, d)",
        ),
        (
            "[limits]\nactive_per_user = 1.5",
            "limits.active_per_user: must be a whole number from 0 to 4294967295, not a number with a fraction",
        ),
        ("[log]\nformat = 1", "log.format: must be a text in quotes, not a whole number"),
        ("[keys]\nfile = 1", "keys.file: must be a text in quotes, not a whole number"),
        ("[redis]\nurl = 6379", "redis.url: must be a text in quotes, not a whole number"),
        ("[redis]\nbarrier = true", "redis.barrier: must be a text in quotes, not a truth value"),
        ("[redis]\nmemory_max_percent = 300", "redis.memory_max_percent: must be a whole number from 0 to 255"),
        ("[redis.sentinel]\nurls = [\"redis://h\"]", "redis.sentinel.master: is missing"),
        ("[redis.cluster]\nurls = \"redis://hush\"", "redis.cluster.urls: must be a list in brackets, not a text"),
        (
            "[database]\nurl_file = \"x\"",
            "database.url_file: does not exist; known here: url, password, password_file, connections, \
          acquire_seconds, statement_seconds",
        ),
        ("[database]\nconnections = 1", "database.connections: must be 2 to 500"),
        ("[events]\nmax_entries = \"many\"", "events.max_entries: must be a whole number, 0 or more, not a text"),
        ("[retention]\nsessions_days = -3", "retention.sessions_days: must be a whole number from 0 to 4294967295"),
        (
            "[billing.prices]\nverification = 0.5",
            "billing.prices.verification: must be a text in quotes, not a number with a fraction",
        ),
        ("[billing.prices.channels.fax]", "billing.prices.channels.fax: must be one of: email, sms, whatsapp, voice"),
        (
            "[billing.prices.channels.sms]\ndefault = \"1\"\ncountries = { IN = \"hush\" }",
            "billing.prices.channels.sms.countries.IN: \
          cannot be used: not an amount: digits with at most six decimals",
        ),
    ]);
}

#[test]
fn a_file_that_cannot_be_read_is_told_by_the_key_that_names_it() {
    let shared = "public_url = \"https://otp.example.com\"\n[database]\nurl = \"postgres://u@h/n\"\n";
    let redis = "[redis]\nurl = \"redis://h\"\n";
    let sentinel = "[redis.sentinel]\nurls = [\"redis://h\"]\nmaster = \"m\"\n";
    let cases = [
        (format!("{MAIL}username = \"u\"\npassword_file = \"/nowhere/x\""), "providers.mail.password_file"),
        (format!("{MAIL}ca_file = \"/nowhere/x\""), "providers.mail.ca_file"),
        (
            format!("{TWILIO}auth_token_file = \"/nowhere/x\"\nsms = {{ from = \"+12025550143\" }}"),
            "providers.text.auth_token_file",
        ),
        (format!("{GATEWAY}header_files = {{ A = \"/nowhere/x\" }}"), "providers.gw.header_files.A"),
        (format!("{shared}password_file = \"/nowhere/x\"\n{redis}"), "database.password_file"),
        (format!("{shared}{redis}password_file = \"/nowhere/x\""), "redis.password_file"),
        (format!("{shared}{redis}ca_file = \"/nowhere/x\""), "redis.ca_file"),
        (format!("{shared}{sentinel}password_file = \"/nowhere/x\""), "redis.sentinel.password_file"),
        ("[redis]\npassword_file = \"/nowhere/x\"".to_owned(), "redis.password_file"),
    ];
    for (file, key) in cases {
        assert_told(&file, &[], &format!("{key}: cannot read /nowhere/x: there is no such file"));
    }
    let folder = format!("{MAIL}username = \"u\"\npassword_file = \"/\"");
    assert_told(&folder, &[], "providers.mail.password_file: cannot read /: it is a folder");
    let both = format!("{shared}{sentinel}password = \"hush\"\npassword_file = \"/nowhere/x\"");
    assert_told(&both, &[], "redis.sentinel.password: must not stand beside redis.sentinel.password_file");
}
