//! Whatever is sent, the reply is one of this dialect's own and never a defect.

use countersign_model::{Rng, SeededRng};
use countersign_tests::{Client, Reply, TestApp};
use reqwest::Method;
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use super::caller;

/// Calls, and how many of them at a time.
const CALLS: usize = 2_000;
const AT_A_TIME: usize = 16;

/// Chance with a memory of how it began.
struct Chance(SeededRng);

impl Chance {
    fn below(&self, most: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_be_bytes(bytes) % most as u64).unwrap()
    }

    fn of<'a, T>(&self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    fn value(&self) -> Value {
        let values = [
            json!(null),
            json!(true),
            json!(0),
            json!(-1),
            json!(1e300),
            json!(""),
            json!("sms"),
            json!("+12025550143"),
            json!("ann@example.com"),
            json!("verification"),
            json!("otp_0195a0c2b7f40c9a6d1e8f3b5a7c9d00"),
            json!("482913"),
            json!("\u{0}\u{202e}ü"),
            json!("x".repeat(5000)),
            json!([]),
            json!([{}]),
            json!({}),
            json!({"code": 1}),
            json!({"a": {"b": [1, "c"]}}),
            json!(u64::MAX),
            json!("010-0000-0001"),
            json!("login"),
            json!({"origin": "https://a.example"}),
        ];
        self.of(&values).clone()
    }

    fn body(&self) -> Vec<u8> {
        let names = [
            "to",
            "method",
            "type",
            "template",
            "ttl",
            "length",
            "metadata",
            "id",
            "code",
            "issueId",
            "phoneNumber",
            "purpose",
            "channel",
            "templateId",
            "templateVariables",
            "from",
            "messageType",
            "expiresInSec",
            "maxAttempts",
            "idempotencyKey",
            "webOtp",
            "smsFallback",
            "cost",
        ];
        let object: Map<String, Value> = (0..self.below(9)).map(|_| ((*self.of(&names)).to_owned(), self.value())).collect();
        let mut body = Value::from(object).to_string().into_bytes();
        match self.below(8) {
            0 => body.truncate(self.below(body.len() + 1)),
            1 => body.insert(self.below(body.len() + 1), u8::try_from(self.below(256)).unwrap()),
            2 => body = Vec::new(),
            _ => {}
        }
        body
    }

    fn path(&self) -> String {
        let paths = [
            "/v1/send",
            "/v1/verify",
            "/v1/status/",
            "/v1/otps",
            "/v1/issue",
            "/v1/status",
            "/v1/issues",
            "/v1/issues/",
            "/v1/balance",
            "/v1/credit-ledger",
            "/v1/templates",
            "/v1/templates/",
            "/v1/nowhere",
            "/v1/send/more",
        ];
        let tails = ["", "", "", "otp_0195a0c2b7f40c9a6d1e8f3b5a7c9d00", "%00", "%ff%fe", "a/b", "otp_default_kr", "?"];
        let queries = [
            "",
            "",
            "limit=5",
            "limit=x",
            "offset=-1",
            "status=sent",
            "from=2026",
            "to=%ff",
            "issueId=otp_1",
            "cursor=%00",
            "cursor=1-zz",
            "createdFrom=2026-01-15T10:45:00Z",
            "verificationStatus=replaced",
            "entryType=debit",
            "a=%zz&&&=",
            "from=9999-12-31&to=0001-01-01",
        ];
        let query = self.of(&queries);
        format!("{}{}{}{query}", self.of(&paths), self.of(&tails), if query.is_empty() { "" } else { "?" })
    }
}

/// Whether a reply is one of this dialect's: JSON, and if it is an error, in one of its two shapes.
#[track_caller]
fn is_sound(reply: &Reply, call: &str) {
    assert!(reply.status < 500, "{call}: {reply:?}");
    if reply.body.is_empty() {
        return;
    }
    let body = reply.body();
    if reply.status >= 400 {
        let reference =
            body["error"]["code"].is_string() && body["error"]["message"].is_string() && body["error"]["details"].is_object();
        let sdk = body["code"].is_string()
            && body["message"].is_string()
            && body["defined"].is_boolean()
            && body["status"] == reply.status;
        assert!(reference != sdk, "{call}: {reply:?}");
    }
    assert!(reply.header("x-ratelimit-limit").is_some() && reply.header("x-request-id").is_some(), "{call}: {reply:?}");
}

#[tokio::test]
async fn two_thousand_broken_calls_are_answered_in_this_dialects_shape() {
    let app = TestApp::builder().generous().spawn().await;
    let chance = Chance(SeededRng::new(4_711));
    let callers = [caller(&app, "test"), caller(&app, "live"), app.nobody(), app.nobody().with("Authorization", "Bearer \u{e4}")];
    let methods = [
        Method::POST,
        Method::POST,
        Method::POST,
        Method::GET,
        Method::GET,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
        Method::HEAD,
    ];
    let media = [Some("application/json"), Some("application/json"), Some("application/json"), Some("text/plain"), None];
    let mut running = JoinSet::new();
    for _ in 0..CALLS {
        let (caller, method, path) = (chance.of(&callers[..]).clone(), chance.of(&methods).clone(), chance.path());
        let (media, body) = (*chance.of(&media), chance.body());
        // No provider takes live messages here: what a live key asks for in good order is another test's matter.
        running.spawn(async move { ask(&caller, method, &path, media, body).await });
        if running.len() >= AT_A_TIME {
            running.join_next().await.unwrap().unwrap();
        }
    }
    running.join_all().await;
}

async fn ask(caller: &Client, method: Method, path: &str, media: Option<&str>, body: Vec<u8>) {
    let call = format!("{method} {path} {}", String::from_utf8_lossy(&body));
    let reply = caller.call(method, path, media, body).await;
    if reply.status == 502 {
        return;
    }
    is_sound(&reply, &call);
}
