//! Two thousand calls that cannot be meant: each is refused in this dialect's shape, none is a defect.

use countersign_model::{Rng, SeededRng};
use countersign_tests::{Client, Reply};
use reqwest::Method;
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use super::{SEND, SEND_OTP, SERVICE, VERIFY_OTP, caller, serving};

const CALLS: usize = 2_000;
const AT_ONCE: usize = 20;

/// Chance with a memory: the same calls at every run.
struct Dice(SeededRng);

impl Dice {
    fn below(&self, sides: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % sides as u64).unwrap()
    }

    fn one<'a, T>(&self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn value(&self) -> Value {
        let texts = [
            "",
            " ",
            "+",
            "+1202",
            "12025550143",
            "+12025550143 ",
            "+1XXXXXXXXXX",
            "ann@example.com",
            "YOUR_SERVICE_ID",
            "7d1f0c523a4b4c5d8e6f0123456789ab",
            "99999999-9999-4999-8999-999999999999",
            "{7d1f0c52-3a4b-4c5d-8e6f-0123456789ab}",
            "123",
            "12345678901",
            "12a4",
            "٤٨٢٩",
            "-1234",
            "1e9",
            "a\u{0}b",
            "\u{202e}",
            "😀",
            "' OR 1=1 --",
            "{{code}}",
        ];
        let numbers = ["0", "-1", "482913", "6.5", "1e308", "18446744073709551615", "99999999999999999999999"];
        match self.below(8) {
            0 => Value::Null,
            1 => Value::Bool(self.below(2) == 0),
            2 => serde_json::from_str(self.one::<&str>(&numbers)).unwrap(),
            3 => json!([self.below(9), "x", null]),
            4 => json!({"$serde_json::private::RawValue": "[1]", "to": "+12025550143"}),
            5 => Value::from("9".repeat(self.below(3_000))),
            _ => Value::from(*self.one(&texts)),
        }
    }

    /// Sound but for one field at least.
    fn object(&self) -> Value {
        let mut object: Map<String, Value> = Map::new();
        object.insert("to".to_owned(), "+12025550143".into());
        object.insert("serviceId".to_owned(), SERVICE.into());
        object.insert(["to", "serviceId"][self.below(2)].to_owned(), self.value());
        for _ in 0..self.below(4) {
            let name = *self.one(&["to", "serviceId", "otp", "body", "accessKey", "secretKey", "__proto__", "", "TO"]);
            object.insert(name.to_owned(), self.value());
        }
        // A number that happens to be one would be sent to.
        if object["to"].as_str().is_some_and(|to| to == "+12025550143") && object["serviceId"] == SERVICE {
            object.insert("to".to_owned(), Value::Null);
        }
        Value::Object(object)
    }

    fn body(&self) -> Vec<u8> {
        match self.below(9) {
            0 => Vec::new(),
            1 => b"{".to_vec(),
            2 => format!("{{\"to\":\"+12025550143\",\"serviceId\":\"{SERVICE}\",}}").into_bytes(),
            3 => vec![0xff, 0xfe, 0x00, b'{', b'}'],
            4 => format!("{{\"to\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000)).into_bytes(),
            5 => Value::from(vec![self.object()]).to_string().into_bytes(),
            _ => self.object().to_string().into_bytes(),
        }
    }

    fn path(&self) -> String {
        let paths =
            [SEND_OTP, VERIFY_OTP, SEND, SEND_OTP, VERIFY_OTP, SEND, "/api/v1/sms", "/api/v1/sms/%00", "/api/v1/sms/send-otp//"];
        let path = self.one(&paths);
        if self.below(4) == 0 { format!("{path}?to=%ff&serviceId={SERVICE}") } else { (*path).to_owned() }
    }

    fn call(&self, callers: &[Client]) -> (String, tokio::task::JoinHandle<Reply>) {
        let methods =
            [Method::POST, Method::POST, Method::POST, Method::POST, Method::GET, Method::PUT, Method::PATCH, Method::DELETE];
        let media = [Some("application/json"), Some("application/json"), Some("application/json"), Some("text/plain"), None];
        let (caller, method, path) = (self.one(callers).clone(), self.one(&methods).clone(), self.path());
        let (media, body) = (*self.one(&media), self.body());
        let told = format!("{method} {path} {media:?} {}", String::from_utf8_lossy(&body));
        (told, tokio::spawn(async move { caller.call(method, &path, media, body).await }))
    }
}

#[track_caller]
fn is_in_its_shape(told: &str, reply: &Reply) {
    assert!((400..500).contains(&reply.status), "{told}: {reply:?}");
    let body = reply.body();
    let fields: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["success", "errors"], "{told}: {reply:?}");
    assert_eq!((&body["success"], &body["errors"][0]["code"]), (&json!(false), &json!(reply.status)), "{told}: {reply:?}");
    let error = body["errors"][0]["error"].as_str().unwrap_or_else(|| panic!("{told}: {reply:?}"));
    assert!(!error.is_empty() && error.bytes().all(|c| c.is_ascii_lowercase() || c == b'_'), "{told}: {reply:?}");
    assert!(body["errors"][0]["message"].is_string() && body["errors"].as_array().unwrap().len() == 1, "{told}: {reply:?}");
}

#[tokio::test]
async fn two_thousand_broken_calls_are_refused_in_its_own_shape() {
    let app = serving().generous().spawn().await;
    let dice = Dice(SeededRng::new(4_711));
    let own = caller(&app, "test");
    let half = app.nobody().with("x-secret-key", app.secret("test"));
    let wrong = app.nobody().with("x-access-key", "ak_é").with("x-secret-key", "é");
    let callers = [own.clone(), own.clone(), own.clone(), half, wrong, app.nobody()];
    for _ in 0..CALLS / AT_ONCE {
        let mut calls = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (told, call) = dice.call(&callers);
            calls.spawn(async move { (told, call.await.unwrap()) });
        }
        for (told, reply) in calls.join_all().await {
            is_in_its_shape(&told, &reply);
        }
    }
}
