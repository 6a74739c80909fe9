mod receipts;

use std::time::Duration;

use countersign_model::{MessageId, Outgoing, OutgoingText};
use figment::Figment;
use figment::providers::{Format as _, Toml};

use super::*;
use crate::config::ConfigProblem;
use crate::render::Renderer;
use crate::testing::server::{Act, Server};
use crate::testing::{self, LogTrap, Unused, outgoing, rendered, sms};

const PATIENCE: Duration = Duration::from_secs(60);

/// A section whose `url` is `{url}`.
fn config(toml: &str, url: &str) -> Config {
    Figment::from(Toml::string(&toml.replace("{url}", url))).extract().unwrap()
}

fn provider(toml: &str, url: &str) -> Arc<dyn Provider> {
    build(&config(toml, url), testing::context("sms", PATIENCE)).unwrap()
}

const JSON: &str = r#"
    channels = ["sms", "whatsapp", "voice"]
    url = "{url}"
    json = '''{"to": {{ to|tojson }}, "digits": "{{ to_digits }}", "text": {{ text|tojson }}, "code": "{{ code }}", "app": {{ app|tojson }},
             "id": "{{ message_id }}", "channel": "{{ channel }}", "locale": "{{ locale }}", "minutes": {{ minutes }}, "spoken": "{{ spoken }}"}'''
    [headers]
    Authorization = "Bearer top secret"
"#;

/// What `reply` means to a section with these rules.
async fn outcome(rules: &str, reply: &str) -> TryOutcome {
    let server = Server::start(Act::Reply(reply.to_owned())).await;
    let toml = format!("channels = [\"sms\"]\nurl = \"{{url}}\"\njson = '{{{{ text|tojson }}}}'\n{rules}");
    provider(&toml, &server.url("/send")).send(&sms()).await
}

fn reply(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} Whatever\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_json_body_is_posted_with_every_value_a_template_may_name() {
    let server = Server::start(Act::Reply(reply(202, "{}"))).await;
    let mut message = outgoing(Channel::Sms);
    message.app_name = "Acme \"Ä\" & Söhne\\".to_owned();
    let message = rendered(message);
    let outcome = provider(JSON, &server.url("/v1/send?account=7")).send(&message).await;
    assert_eq!(outcome, TryOutcome::Accepted { provider_id: None });

    let request = server.requests().remove(0);
    assert!(request.head.starts_with("POST /v1/send?account=7 HTTP/1.1\r\n"), "{}", request.head);
    for header in ["content-type: application/json\r\n", "authorization: Bearer top secret\r\n", "user-agent: countersign/"] {
        assert!(request.head.contains(header), "{header} in {}", request.head);
    }
    let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    let expected = serde_json::json!({
        "to": "+12025550143", "digits": "12025550143", "code": "482913", "app": "Acme \"Ä\" & Söhne\\", "channel": "sms", "locale": "en",
        "text": "482913 is your Acme \"Ä\" & Söhne\\ code. It expires in 10 minutes. Never share it.",
        "id": message.id.to_string(), "minutes": 10, "spoken": "4, 8, 2, 9, 1, 3",
    });
    assert_eq!(body, expected);
    assert!(body["id"].as_str().unwrap().parse::<MessageId>().is_ok());
}

/// A text that holds no code.
fn plain() -> Rendered {
    let Outgoing { id, errand, mode, channel, recipient, app_name, locale, .. } = outgoing(Channel::Sms);
    let text = "Your parcel is here".to_owned();
    Renderer::plain(OutgoingText {
        id,
        errand,
        mode,
        channel,
        recipient,
        sender: Some("Shop".to_owned()),
        app_name,
        locale,
        text,
        rehearsal: None,
    })
}

#[tokio::test]
async fn a_text_without_a_code_is_posted_where_it_has_a_place() {
    let server = Server::start(Act::Reply(reply(200, "{}"))).await;
    let section = |json: &str| format!("channels = [\"sms\"]\nurl = \"{{url}}\"\njson = '{json}'");
    let sent = async |json: &str| provider(&section(json), &server.url("/send")).send(&plain()).await;
    let taken = sent(r#"{"text": {{ text|tojson }}, "from": {{ sender|tojson }}}"#).await;
    assert_eq!(taken, TryOutcome::Accepted { provider_id: None });
    let body: serde_json::Value = serde_json::from_str(&server.requests().remove(0).body).unwrap();
    assert_eq!(body, serde_json::json!({"text": "Your parcel is here", "from": "Shop"}));
    for without in
        [r#"{"otp": "{{ code }}", "text": {{ text|tojson }}}"#, r#"{"id": "{{ message_id }}"}"#, r#"{"say": "{{ spoken }}"}"#]
    {
        let refused = sent(without).await;
        assert!(matches!(refused, TryOutcome::Misconfigured(_)), "{without}: {refused:?}");
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_form_is_posted_with_its_values_encoded() {
    let server = Server::start(Act::Reply(reply(201, ""))).await;
    let toml = r#"
        channels = ["sms"]
        url = "{url}"
        method = "PUT"
        [form]
        To = "{{ to }}"
        Body = "{{ code }} & more=ä"
        [headers]
        Content-Type = "application/x-www-form-urlencoded; charset=utf-8"
    "#;
    assert_eq!(provider(toml, &server.url("/send")).send(&sms()).await.label(), "accepted");
    let request = server.requests().remove(0);
    assert!(request.head.starts_with("PUT /send HTTP/1.1\r\n"), "{}", request.head);
    assert!(request.head.contains("content-type: application/x-www-form-urlencoded; charset=utf-8\r\n"), "{}", request.head);
    assert_eq!(request.body, "Body=482913+%26+more%3D%C3%A4&To=%2B12025550143");
}

#[tokio::test]
async fn without_rules_the_status_alone_decides() {
    let cases = [
        (200, "accepted"),
        (201, "accepted"),
        (202, "accepted"),
        (204, "accepted"),
        (302, "unknown"),
        (400, "unknown"),
        (401, "misconfigured"),
        (403, "misconfigured"),
        (404, "unknown"),
        (422, "unknown"),
        (429, "throttled"),
        (500, "unknown"),
        (503, "unknown"),
    ];
    for (status, label) in cases {
        let outcome = outcome("", &reply(status, "")).await;
        assert_eq!(outcome.label(), label, "{status}");
        if label != "accepted" {
            assert_eq!(outcome.diagnostic(), Some(Diagnostic::Http(status)));
        }
    }
}

#[tokio::test]
async fn a_reply_is_accepted_when_all_that_is_asked_of_it_holds() {
    let rules =
        "[accept]\nstatus = [200]\npointer = \"/messages/0/status\"\nequals = [\"0\", \"ok\"]\nid = \"/messages/0/message-id\"";
    let cases = [
        (200, r#"{"messages":[{"status":"0","message-id":"a-17"}]}"#, Some(Some("a-17"))),
        (200, r#"{"messages":[{"status":0,"message-id":17}]}"#, Some(Some("17"))),
        (200, r#"{"messages":[{"status":"ok"}]}"#, Some(None)),
        (200, r#"{"messages":[{"status":"ok","message-id":"two words"}]}"#, Some(None)),
        (200, r#"{"messages":[{"status":"1","message-id":"a-17"}]}"#, None),
        (202, r#"{"messages":[{"status":"0","message-id":"a-17"}]}"#, None),
        (200, r#"{"messages":[]}"#, None),
        (200, "not json", None),
    ];
    for (status, body, id) in cases {
        let expected = match id {
            Some(id) => TryOutcome::Accepted { provider_id: id.map(str::to_owned) },
            None => TryOutcome::Unknown(Diagnostic::Http(status)),
        };
        assert_eq!(outcome(rules, &reply(status, body)).await, expected, "{status} {body}");
    }
}

#[tokio::test]
async fn a_reply_is_a_final_refusal_only_when_all_that_is_said_of_it_holds() {
    let rules = "[refuse]\nstatus = [200, 400]\npointer = \"/error/code\"\nequals = [\"21211\"]";
    let cases = [
        (400, r#"{"error":{"code":21211}}"#, "refused"),
        (200, r#"{"error":{"code":"21211"}}"#, "refused"),
        (422, r#"{"error":{"code":21211}}"#, "unknown"),
        (400, r#"{"error":{"code":20003}}"#, "unknown"),
        (400, "", "unknown"),
        (200, "", "accepted"),
    ];
    for (status, body, label) in cases {
        assert_eq!(outcome(rules, &reply(status, body)).await.label(), label, "{status} {body}");
    }
    assert_eq!(outcome("[refuse]\nstatus = [403]", &reply(403, "")).await.label(), "refused");
    assert_eq!(outcome("[refuse]\nstatus = [403]", &reply(401, "")).await.label(), "misconfigured");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(Act::Reply(reply(200, ""))).await;
    let redirect = format!("HTTP/1.1 307 Elsewhere\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", elsewhere.url("/"));
    assert_eq!(outcome("", &redirect).await, TryOutcome::Unknown(Diagnostic::Http(307)));
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_yes_that_breaks_off_is_unclear_only_when_the_rest_was_to_decide() {
    let endless = format!("HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n{}", "x".repeat(150_000));
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"status\":".to_owned();
    let asks = "[accept]\npointer = \"/status\"\nequals = [\"ok\"]";
    for broken in [endless, cut] {
        assert_eq!(outcome("", &broken).await.label(), "accepted");
        assert_eq!(outcome(asks, &broken).await.label(), "unclear");
    }
}

#[tokio::test]
async fn a_line_that_breaks_before_a_reply_is_unclear() {
    let server = Server::start(Act::Cut).await;
    assert_eq!(provider(JSON, &server.url("/")).send(&sms()).await.label(), "unclear");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn nobody_listening_is_unreachable_and_the_check_says_so() {
    let unused = Unused::hold();
    let provider = provider(JSON, &format!("http://127.0.0.1:{}/send", unused.port()));
    assert_eq!(provider.send(&sms()).await.label(), "unreachable");
    let address = format!("127.0.0.1:{}", unused.port());
    assert_eq!(provider.check().await, Err(CheckError::Unreachable { address }));
}

#[tokio::test]
async fn a_check_reaches_the_host_without_credentials_and_without_a_message() {
    let server = Server::start(Act::Reply(reply(404, ""))).await;
    assert_eq!(provider(JSON, &server.url("/v1/send?key=1")).check().await, Ok(()));
    let request = server.requests().remove(0);
    assert!(request.head.starts_with("HEAD / HTTP/1.1\r\n"), "{}", request.head);
    assert!(!request.head.contains("secret") && request.body.is_empty(), "{}", request.head);
}

#[tokio::test]
async fn a_host_without_tls_gets_nothing_over_https_and_the_check_says_so() {
    let server = Server::start(Act::Reply(reply(200, ""))).await;
    let url = server.url("/").replace("http:", "https:");
    let provider = provider(JSON, &url);
    assert_eq!(provider.send(&sms()).await.label(), "unreachable");
    let address = format!("127.0.0.1:{}", server.port);
    assert_eq!(provider.check().await, Err(CheckError::Tls { address }));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn no_log_line_at_any_level_holds_the_code_the_recipient_or_a_header() {
    let trap = LogTrap::set();
    let server = Server::start(Act::Reply(reply(400, "482913 to +12025550143"))).await;
    assert_eq!(provider(JSON, &server.url("/")).send(&sms()).await.label(), "unknown");
    let log = trap.log();
    for secret in ["482913", "2025550143", "top secret"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

fn mistake(section: &str) -> String {
    let config: Config = Figment::from(Toml::string(section)).extract().unwrap();
    match config.settle("providers.sms", None) {
        Ok(_) => panic!("taken: {section}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_mistake_is_told_by_its_key() {
    let base = "channels = [\"sms\"]\nurl = \"https://gateway.example/send\"\n";
    let json = "json = '{{ text|tojson }}'\n";
    let cases = [
        ("channels = []\nurl = \"https://x.example\"\njson = '1'".to_owned(), "providers.sms.channels: is empty"),
        (
            "channels = [\"email\"]\nurl = \"https://x.example\"\njson = '1'".to_owned(),
            "providers.sms.channels: must be sms, whatsapp or voice",
        ),
        (
            "channels = [\"sms\"]\nurl = \"gateway.example\"\njson = '1'".to_owned(),
            "providers.sms.url: must be an http or https address",
        ),
        (
            "channels = [\"sms\"]\nurl = \"ftp://gateway.example\"\njson = '1'".to_owned(),
            "providers.sms.url: must be an http or https address",
        ),
        (
            "channels = [\"sms\"]\nurl = \"https://me:pw@gateway.example\"\njson = '1'".to_owned(),
            "providers.sms.url: must be without credentials",
        ),
        (base.to_owned(), "providers.sms: give exactly one of `json` and `form`"),
        (format!("{base}{json}[form]\na = \"1\""), "providers.sms: give exactly one of `json` and `form`"),
        (format!("{base}json = '{{{{ text'"), "providers.sms.json: template: "),
        (
            format!("{base}json = '{{{{ txt|tojson }}}}'"),
            "providers.sms.json: there is no `txt`; a template may name code, text, to, to_digits, sender, app, ",
        ),
        (format!("{base}json = '\"{{{{ text }}}}\"'"), "providers.sms.json: does not give valid JSON"),
        (format!("{base}[form]\nTo = \"{{{{ nobody }}}}\""), "providers.sms.form.To: there is no `nobody`"),
        (format!("{base}[form]\n"), "providers.sms.form: is empty"),
        (format!("{base}{json}[accept]\npointer = \"/a\""), "providers.sms.accept.pointer: needs `equals` beside it"),
        (format!("{base}{json}[refuse]\nequals = [\"1\"]"), "providers.sms.refuse.equals: needs `pointer` beside it"),
        (format!("{base}{json}[accept]\nid = \"messages\""), "providers.sms.accept.id: must be a JSON pointer"),
        (format!("{base}{json}[headers]\n\"Bad Name\" = \"1\""), "providers.sms.headers.Bad Name: must be a header name"),
        (format!("{base}{json}[headers]\nX = \"1\\n2\""), "providers.sms.headers.X: must be a header name"),
        (
            format!("{base}{json}[headers]\nX = \"1\"\n[header_files]\nx = \"/nowhere\""),
            "providers.sms.headers.X: give the value or the file",
        ),
        (
            format!("{base}{json}[header_files]\nX = \"/nowhere/x\""),
            "providers.sms.header_files.X: cannot read /nowhere/x: there is no such file",
        ),
    ];
    for (section, expected) in cases {
        let told = mistake(&section);
        assert!(told.starts_with(expected), "{told}\nfor\n{section}");
    }
}

#[test]
fn a_header_can_come_from_a_file_without_its_line_end() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "Bearer filed\n").unwrap();
    let toml = format!(
        "channels = [\"sms\"]\nurl = \"https://x.example\"\njson = '1'\n[header_files]\nAuthorization = {:?}",
        file.path()
    );
    let settings = config(&toml, "").settle("providers.sms", None).unwrap();
    assert_eq!(settings.headers["authorization"], "Bearer filed");
    assert!(!format!("{:?}", settings.headers).contains("filed"));
}

#[test]
fn neither_debug_nor_serialised_form_of_a_section_shows_a_secret() {
    let form = "channels = [\"sms\"]\nurl = \"{url}\"\n[form]\napi_secret = \"hush\"\nto = \"{{ to }}\"";
    for (section, name) in [(JSON, "Authorization"), (form, "api_secret")] {
        let config = config(section, "https://gateway.example/bot-hush/send?key=hush");
        let shown = format!("{config:?} {}", serde_json::to_string(&config).unwrap());
        assert!(shown.contains("https://gateway.example") && shown.contains(name), "{shown}");
        assert!(!shown.contains("top secret") && !shown.contains("hush"), "{shown}");
    }
}

#[test]
fn a_template_problem_names_the_place_and_no_secret() {
    let error = config("channels = [\"sms\"]\nurl = \"https://x.example\"\njson = '{{ 1 +'", "")
        .settle("providers.sms", None)
        .err()
        .unwrap();
    assert!(matches!(error.problem, ConfigProblem::Template(_)), "{error}");
}
