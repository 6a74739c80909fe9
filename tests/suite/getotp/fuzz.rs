//! Two thousand calls that cannot be meant: each is refused in this dialect's shape, none is a defect.

use std::sync::Arc;

use countersign_model::{Rng, SeededRng};
use countersign_tests::{Client, Reply, TestApp, scenario::form::fits};
use reqwest::Method;
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const REFUSED: usize = 2_000;
const AT_ONCE: usize = 24;

/// Chance with a memory: the same calls at every run.
struct Dice(SeededRng);

impl Dice {
    fn below(&self, sides: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % sides as u64).unwrap()
    }

    fn one<T: Clone>(&self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    fn value(&self) -> Value {
        let texts = [
            "",
            " ",
            "sms",
            "VOICE",
            "email",
            "viber",
            "whatsapp",
            "tts",
            "flash",
            "GetOTP",
            "60123456789",
            "+60123456789",
            "++1",
            "0",
            "-1",
            "4",
            "9",
            "12345678901234567890123456789",
            "1e3",
            "٤٨٢٩",
            "ann@example.com",
            "@",
            "a\u{0}b",
            "\u{202e}",
            "😀",
            "{code}",
            "{code}\u{0}",
            "{{code}}",
            "{{",
            "{% raw %}",
            "6d16aa9d-bf19-4141-8169-48b46d972fc6",
            "https://example.com/",
            "http://10.0.0.1/",
            "file:///etc/passwd",
            "DELIVERY",
            "EN",
        ];
        let numbers = ["0", "-1", "4", "6.5", "1e308", "-0", "18446744073709551615", "99999999999999999999999", "60123456789"];
        match self.below(8) {
            0 => Value::Null,
            1 => Value::Bool(self.below(2) == 0),
            2 => serde_json::from_str(self.one(&numbers)).unwrap(),
            3 => json!([self.below(9), "x", null]),
            4 => json!({"data": {"code": 1}}),
            5 => Value::from("x".repeat(self.below(700))),
            _ => Value::from(self.one(&texts)),
        }
    }

    fn data(&self) -> Value {
        let fields = [
            "channel",
            "sender",
            "phone",
            "email",
            "template",
            "code",
            "code_length",
            "payload",
            "voice_type",
            "language",
            "ttl_in_seconds",
            "name",
            "text",
            "url",
            "secret",
            "event",
            "number_formatting",
            "__proto__",
        ];
        let mut data: Map<String, Value> = Map::new();
        if self.below(2) == 0 {
            let sound = json!({"channel": "voice", "voice_type": "tts", "phone": "60123456789", "code_length": 6});
            data.clone_from(sound.as_object().unwrap());
        }
        for _ in 0..=self.below(6) {
            data.insert(self.one(&fields).to_owned(), self.value());
        }
        Value::Object(data)
    }

    fn body(&self) -> Vec<u8> {
        match self.below(10) {
            0 => Vec::new(),
            1 => b"{".to_vec(),
            2 => b"{\"data\":{\"channel\":\"sms\",}}".to_vec(),
            3 => vec![0xff, 0xfe, 0x00, b'{', b'}'],
            4 => format!("{{\"data\":{}{}}}", "[".repeat(500), "]".repeat(500)).into_bytes(),
            5 => json!({ "data": self.value() }).to_string().into_bytes(),
            6 => self.value().to_string().into_bytes(),
            _ => json!({ "data": self.data() }).to_string().into_bytes(),
        }
    }

    fn query(&self) -> String {
        let names = ["code", "phone", "email", "page_size", "page_token", "filter[status]", "filter[name]", "CODE", ""];
        let values = [
            "",
            "123456",
            "1",
            "%",
            "%00",
            "%ff%fe",
            "+60123456789",
            "%2B%2B1",
            "6".repeat(600).leak(),
            "abc",
            "0",
            "1001",
            "-1",
            "AAAA",
            "AAAAAAAAAAA",
            "__________8",
            "COMPLETED",
            "x%26y",
            "ann%40example.com",
            "٤٨",
        ];
        let parts = (0..self.below(5)).map(|_| format!("{}={}", self.one(&names), self.one(&values)));
        parts.collect::<Vec<_>>().join("&")
    }

    fn path(&self) -> String {
        let paths = [
            "/api/verify",
            "/api/verify/",
            "/v1/verifications",
            "/v1/verifications/",
            "/api/verify/x",
            "/v1/verifications/%00/y",
            "/v1/templates",
            "/v1/templates/x",
            "/v1/templates/6d16aa9d-bf19-4141-8169-48b46d972fc6",
            "/v1/senders",
            "/v1/senders/x",
            "/v1/webhooks",
            "/v1/webhooks/x",
            "/v1/webhooks/6d16aa9d-bf19-4141-8169-48b46d972fc6",
            "/v1/webhooks//",
            "/v1/x%2Fy",
            "/v1/é",
        ];
        let path = self.one(&paths);
        match self.below(2) {
            0 => path.to_owned(),
            _ => format!("{path}?{}", self.query()),
        }
    }
}

async fn call(caller: Client, method: Method, path: String, media: &'static str, body: Vec<u8>) -> (Method, String, Reply) {
    let reply = caller.call(method.clone(), &path, Some(media).filter(|media| !media.is_empty()), body).await;
    (method, path, reply)
}

#[track_caller]
fn is_in_its_shape(method: &Method, path: &str, reply: &Reply) {
    assert!(reply.status != 500, "{method} {path}: {reply:?}");
    if reply.status < 400 || method == Method::HEAD {
        return;
    }
    let body = reply.body();
    let fields: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["errors"], "{method} {path}: {reply:?}");
    let entries = body["errors"].as_array().unwrap();
    assert!(!entries.is_empty(), "{method} {path}: {reply:?}");
    let mut last = 0;
    for entry in entries {
        let mut fields: Vec<&str> = entry.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["code", "message", "method", "path", "status", "timestamp"], "{method} {path}: {reply:?}");
        assert_eq!(fits("table-time", &entry["timestamp"]), Some(true), "{reply:?}");
        assert_eq!((&entry["status"], &entry["method"]), (&json!(reply.status), &json!(method.as_str())), "{reply:?}");
        let told = entry["path"].as_str().unwrap();
        // A letter beyond ASCII is told as it went over the line.
        assert!(!told.contains('?') && (path.starts_with(told) || !path.is_ascii()), "{path}: {reply:?}");
        let number: u16 = entry["code"].as_str().unwrap().parse().unwrap();
        assert!(number >= last && !entry["message"].as_str().unwrap().is_empty(), "{method} {path}: {reply:?}");
        last = number;
    }
}

#[tokio::test]
async fn two_thousand_broken_calls_are_refused_in_its_own_shape() {
    let app = TestApp::builder().generous().spawn().await;
    let dice = Dice(SeededRng::new(4_711));
    let key = app.nobody().with("X-OTP-Key", app.secret("test"));
    let callers = [
        key.clone(),
        key.clone(),
        key.clone(),
        app.nobody().with("X-OTP-Key", "wrong"),
        app.nobody().with("Authorization", "Basic !"),
    ];
    let methods =
        [Method::POST, Method::POST, Method::POST, Method::GET, Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD];
    let media = ["application/json", "application/json", "application/json", "text/plain", ""];
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let (mut calls, mut refused) = (JoinSet::new(), 0);
    for _ in 0..REFUSED * 2 {
        let permit = Arc::clone(&room).acquire_owned().await.unwrap();
        let (caller, method, path) = (dice.one(&callers), dice.one(&methods), dice.path());
        let (media, body) = (dice.one(&media), dice.body());
        calls.spawn(async move {
            let done = call(caller, method, path, media, body).await;
            drop(permit);
            done
        });
        while let Some(done) = calls.try_join_next() {
            let (method, path, reply) = done.unwrap();
            is_in_its_shape(&method, &path, &reply);
            refused += usize::from(reply.status >= 400);
        }
        if refused >= REFUSED {
            return;
        }
    }
    panic!("only {refused} calls were refused");
}
