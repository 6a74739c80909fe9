//! Who speaks on which path, and what logs and metrics call it.

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::{ALL, speaker};

/// What a caller shows of itself.
#[derive(Debug, Clone, Copy)]
enum Shows {
    Nothing,
    XApiKey,
    XOtpKey,
    Basic,
    Bearer,
}

impl Shows {
    const ALL: [Self; 5] = [Self::Nothing, Self::XApiKey, Self::XOtpKey, Self::Basic, Self::Bearer];

    fn headers(self) -> HeaderMap {
        let (name, value) = match self {
            Self::Nothing => return HeaderMap::new(),
            Self::XApiKey => (HeaderName::from_static("x-api-key"), "sk_test_x"),
            Self::XOtpKey => (HeaderName::from_static("x-otp-key"), "sk_test_x"),
            Self::Basic => (AUTHORIZATION, "Basic YWtfMTpza18x"),
            Self::Bearer => (AUTHORIZATION, "Bearer sk_test_x"),
        };
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }
}

#[track_caller]
fn speaks(path: &str, shows: Shows, name: &str) {
    assert_eq!(speaker(&ALL, path, &shows.headers()).name(), name, "{path} {shows:?}");
}

#[test]
fn the_owner_of_a_path_speaks_whatever_the_caller_shows() {
    let owned = [
        ("/api/verify", "getotp"),
        ("/api/verify/3fa85f64-5717-4562-b3fc-2c963f66afa6", "getotp"),
        ("/v1/verifications", "getotp"),
        ("/v1/verifications/check", "getotp"),
        ("/v1/senders", "getotp"),
        ("/v1/webhooks", "getotp"),
        ("/v1/webhooks/3fa85f64-5717-4562-b3fc-2c963f66afa6", "getotp"),
        ("/v1/send", "kotp"),
        ("/v1/verify", "kotp"),
        ("/v1/otp/send", "native"),
        ("/v1/otp/nothing/of/the/kind", "native"),
        ("/v1/account", "native"),
        ("/v1/contacts", "native"),
        ("/v1/contacts/con_1", "native"),
        ("/api/v1/otp/send", "native"),
        ("/api/v1/account", "native"),
        ("/api/v1/nothing", "native"),
        ("/api/v2/sms/send", "native"),
        ("/api", "native"),
        ("/", "native"),
        ("/nowhere", "native"),
    ];
    for (path, name) in owned {
        for shows in Shows::ALL {
            speaks(path, shows, name);
        }
    }
}

#[test]
fn antryks_paths_are_its_own_unless_the_caller_shows_a_native_key() {
    for path in ["/api/v1/sms", "/api/v1/sms/", "/api/v1/sms/send-otp", "/api/v1/sms/send", "/api/v1/sms/nothing/of/the/kind"] {
        for shows in [Shows::Nothing, Shows::XOtpKey, Shows::Basic, Shows::Bearer] {
            speaks(path, shows, "antryk");
        }
        speaks(path, Shows::XApiKey, "native");
    }
    speaks("/api/v1/smsx", Shows::Nothing, "native");
}

#[test]
fn templates_and_what_nobody_knows_under_v1_go_by_what_the_caller_shows() {
    let shared =
        ["/v1/templates", "/v1/templates/3fa85f64-5717-4562-b3fc-2c963f66afa6", "/v1/nothing", "/v1/otpx", "/v1/accounts"];
    for path in shared {
        speaks(path, Shows::XOtpKey, "getotp");
        speaks(path, Shows::Basic, "getotp");
        speaks(path, Shows::XApiKey, "native");
        speaks(path, Shows::Bearer, "kotp");
        speaks(path, Shows::Nothing, "kotp");
    }
}

#[test]
fn a_label_never_holds_what_a_caller_wrote() {
    let paths = [
        ("/api/v1/otp/sessions/ses_secret", "/api/v1/otp/sessions/{session}"),
        ("/v1/contacts/external/secret", "/api/v1/contacts/external/{external_id}"),
        ("/v1/otp/secret", "unknown"),
        ("/api/v1/sms/send-otp/", "/api/v1/sms/send-otp"),
        ("/api/v1/sms/secret", "unknown"),
        ("/who/secret", "unknown"),
    ];
    for (path, label) in paths {
        assert_eq!(speaker(&ALL, path, &HeaderMap::new()).template(path), label, "{path}");
    }
    let named = [
        "/v1/verifications/",
        "/v1/senders/",
        "/v1/webhooks/",
        "/v1/templates/",
        "/v1/otps/",
        "/v1/status/",
        "/v1/issue/",
        "/api/verify/",
    ];
    for path in named.map(|path| format!("{path}3fa85f64-5717-4562-b3fc-2c963f66afa6")) {
        for shows in Shows::ALL {
            let label = speaker(&ALL, &path, &shows.headers()).template(&path);
            assert!(!label.contains("3fa85f64"), "{path} {shows:?}: {label}");
        }
    }
}

#[test]
fn every_dialect_has_a_name_of_its_own_and_all_but_ours_a_description() {
    let names: Vec<&str> = ALL.iter().map(|wire| wire.name()).collect();
    assert!(names.iter().enumerate().all(|(at, name)| !names[..at].contains(name)), "{names:?}");
    for wire in ALL.iter().filter(|wire| wire.name() != "native") {
        let described: serde_json::Value = serde_json::from_str(&wire.openapi().unwrap_or_default()).unwrap();
        assert!(described["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")), "{}", wire.name());
    }
}
