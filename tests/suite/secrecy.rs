//! No code, key, token or whole recipient where it could be read later: logs of every level, files, metrics.

use std::path::Path;

use countersign_tests::{Client, Expected, MailSink, Process, ProviderDouble, Sent, Setup, email, run, sms};
use serde_json::{Value, json};

/// What must not be found, with a word for what it is.
#[derive(Default)]
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn add(&mut self, what: &'static str, secret: impl Into<String>) {
        let secret = secret.into();
        assert!(secret.len() >= 8, "{what} {secret} would be found by accident");
        self.0.push((what, secret));
    }

    fn session(&mut self, sent: &Sent) {
        self.add("a session token", &sent.token);
        // A token is worth as much without its header.
        self.add("a session token's signature", sent.token.rsplit('.').next().unwrap());
        for channel in ["email", "sms"] {
            if sent.reply.at("$.sandbox_otps")[channel].is_string() {
                self.add("a sandbox code", sent.code(channel));
            }
        }
    }

    /// Fails for the first that stands in `bytes`.
    fn absent_from(&self, place: &str, bytes: &[u8]) {
        for (what, secret) in &self.0 {
            let found = bytes.windows(secret.len()).position(|window| window == secret.as_bytes());
            if let Some(at) = found {
                let around = &bytes[at.saturating_sub(120)..(at + 120).min(bytes.len())];
                panic!("{what} stands in {place}: …{}…", String::from_utf8_lossy(around));
            }
        }
    }
}

/// Everything that callers do, with every kind of failure in between. Codes of eight digits, so that no number is one by accident.
async fn a_busy_day(test: &Client, live: &Client, sink: &MailSink, double: &ProviderDouble, secrets: &mut Secrets) {
    let sent = test.send(email("sandbox.person@example.com").and("sms", "+12025550147").length(8).all()).await;
    secrets.session(&sent);
    let wrong = "13572468";
    secrets.add("a wrong guess", wrong);
    test.verify_each(&sent, &[("email", wrong)]).await.assert(200);
    test.verify_each(&sent, &[("email", sent.code("email"))]).await.assert(200);
    let proved = test.verify_each(&sent, &[("sms", sent.code("sms"))]).await;
    secrets.add("a proof", proved.text("$.verification_proof"));
    test.verify_each(&sent, &[("sms", sent.code("sms"))]).await.assert(409);
    live.verify_each(&sent, &[("sms", sent.code("sms"))]).await.assert(401);
    test.status(&sent).await.assert(200);

    let own = test.with("Idempotency-Key", "idempotency-key-4711").send(email("own@example.com").set("code", "86427531")).await;
    secrets.session(&own);
    secrets.add("an idempotency key", "idempotency-key-4711");
    test.with("Idempotency-Key", "idempotency-key-4711").send(email("own@example.com").set("code", "86427531")).await;
    test.cancel(&own).await.assert(200);

    let mailed = live.send(email("living.person@example.com").length(8)).await;
    secrets.session(&mailed);
    let code = sink.mail_to("living.person@example.com").await.code();
    secrets.add("a mailed code", &code);
    let proved = live.verify(&mailed, &code).await;
    secrets.add("a proof", proved.json("$.verified", true).text("$.verification_proof"));

    let texted = live.send(sms("+12025550163").length(8)).await;
    secrets.session(&texted);
    secrets.add("a texted code", double.request(1).await.code());
    live.post("/api/v1/otp/resend", &json!({"session_token": texted.token})).await.assert(429);

    sink.plan(countersign_tests::Act::RefuseRecipient("550 5.1.1 <refused.person@example.com> no such user"));
    live.try_send(&email("refused.person@example.com").length(8)).await.error(502, "all_channels_failed");
    double.plan(countersign_tests::Answer::With(500, r#"{"error":"cannot reach +12025550184"}"#.to_owned()));
    live.try_send(&sms("+12025550184").length(8)).await.error(502, "all_channels_failed");
    double.plan(countersign_tests::Answer::Cut);
    secrets.session(&live.send(sms("+12025550198").length(8)).await);
    for request in double.requests() {
        secrets.add("a texted code", request.code());
    }

    // What callers get wrong must not be repeated either.
    let (stray, forged) = ("sk_live_stray-key-that-opens-nothing", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzZXNfeCJ9.stray");
    secrets.add("a key that opens nothing", stray);
    secrets.add("a forged token", forged);
    test.with_key(stray).try_send(&email("ann@example.com")).await.assert(401);
    test.post("/api/v1/otp/verify", &json!({"session_token": forged, "code": wrong})).await.assert(401);
    let malformed = r#"{"session_token": "stray-token-in-broken-json", "code": "97531864", "#;
    secrets.add("a token in broken JSON", "stray-token-in-broken-json");
    secrets.add("a code in broken JSON", "97531864");
    let json = Some("application/json");
    test.call(reqwest::Method::POST, "/api/v1/otp/verify", json, malformed).await.error(400, "malformed_body");
    test.get(&format!("/api/v1/otp/sessions?cursor={forged}")).await.assert(400);
    test.get(&format!("/api/v1/otp/status/{forged}")).await.assert(404);
    test.get(&format!("/api/v1/otp/sessions/{forged}")).await.assert(401);
    test.try_send(&email("not.an.address@").set("code", "75318642x")).await.assert(400);
    secrets.add("a refused code", "75318642x");
}

/// Every secret of the key file.
fn from_key_file(data_dir: &Path, secrets: &mut Secrets) {
    fn walk(value: &Value, secrets: &mut Secrets) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value.as_str() {
                        Some(secret) if name == "secret" => secrets.add("a secret of the key file", secret),
                        _ => walk(value, secrets),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| walk(value, secrets)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let before = secrets.0.len();
    walk(&serde_json::from_slice(&std::fs::read(data_dir.join("keys.json")).unwrap()).unwrap(), secrets);
    assert!(secrets.0.len() > before, "the key file holds secrets");
}

#[tokio::test]
async fn after_a_busy_day_no_secret_stands_in_a_log_a_file_or_a_metric() {
    let (sink, double) = (MailSink::start().await, ProviderDouble::start(Expected::json()).await);
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup::default()
        .live_email(&sink)
        .sms(&double)
        .generous()
        .set("providers.mail.username", "otp@acme.example")
        .set("providers.mail.password", "smtp-password-8821")
        .set("log.level", "trace,lettre=trace,hyper=trace,reqwest=trace,sqlx=trace,actix_http=trace");
    let process = Process::start(dir.path(), &setup, &[]).await;
    let mut secrets = Secrets::default();
    let first = process.first_key();
    let made = run(dir.path(), &["key", "create", "--mode", "live", "--name", "busy"]).await;
    let live = made["secret"].as_str().unwrap();
    secrets.add("the first key", &first);
    secrets.add("a live key", live);
    secrets.add("a gateway's credentials", "gateway-secret-5f1c");
    secrets.add("a mail server's password", "smtp-password-8821");
    // As AUTH PLAIN would write it.
    secrets.add("a mail server's password", "AG90cEBhY21lLmV4YW1wbGUAc210cC1wYXNzd29yZC04ODIx");
    let client = process.client();
    let (test, live) = (client.with_key(&first), client.with_key(live));
    live.until_let_in().await;
    a_busy_day(&test, &live, &sink, &double, &mut secrets).await;
    let metrics = process.admin().get("/metrics").await;
    from_key_file(dir.path(), &mut secrets);

    secrets.absent_from("the files of a running server", &files(dir.path()));
    let (code, lines) = process.stop().await;
    assert_eq!(code, Some(0), "{lines:#?}");
    assert!(lines.len() > 30, "a day at this level says more: {lines:#?}");
    secrets.absent_from("the files of a stopped server", &files(dir.path()));

    // Recipients are kept whole where messages are owed to them, and nowhere else.
    for person in
        ["sandbox.person", "living.person", "refused.person", "own@example.com", "12025550147", "12025550163", "12025550184"]
    {
        secrets.add("a whole recipient", person);
    }
    secrets.absent_from("the log", lines.join("\n").as_bytes());
    secrets.absent_from("the metrics", &metrics.assert(200).body);
}

/// All that lies in the data directory, but for the key file, which is there to hold secrets, and the configuration, which the operator wrote.
fn files(data_dir: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(data_dir).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name != "keys.json" && name != "countersign.toml" {
            all.extend(std::fs::read(entry.path()).unwrap());
        }
        names.push(name);
    }
    assert!(names.iter().any(|name| name == "hot.db") && names.iter().any(|name| name == "records.db"), "{names:?}");
    all
}
