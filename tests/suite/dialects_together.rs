//! Four ways to speak, one truth: what was done in one dialect is what all of them tell.

use std::time::Duration;

use countersign_model::{SessionId, Uuid};
use countersign_tests::{Client, KeyWish, Reply, TestApp, wrong_code};
use serde_json::{Value, json};

use crate::admin_access::chief;

pub(crate) const SERVICE: &str = "7d1f0c52-3a4b-4c5d-8e6f-0123456789ab";
const ANN: &str = "+12025550143";

/// One caller, by one key, in every dialect.
pub(crate) struct Polyglot {
    native: Client,
    kotp: Client,
    getotp: Client,
    antryk: Client,
}

/// A code that was sent.
struct Opened {
    dialect: &'static str,
    session: SessionId,
    code: String,
}

pub(crate) const DIALECTS: [&str; 4] = ["native", "kotp", "getotp", "antryk"];

impl Polyglot {
    pub(crate) fn with(app: &TestApp, key: &str) -> Self {
        let (_, secret, access) = app.all_keys().find(|(name, ..)| *name == key).expect("a key of that name");
        let nobody = app.nobody();
        Self {
            native: nobody.with_key(secret),
            kotp: nobody.with("Authorization", &format!("Bearer {secret}")),
            getotp: nobody.with("X-OTP-Key", secret),
            antryk: nobody.with("x-access-key", access).with("x-secret-key", secret),
        }
    }

    /// Asks for a code.
    pub(crate) async fn try_open(&self, dialect: &str, to: &str) -> Reply {
        match dialect {
            "native" => self.native.post("/api/v1/otp/send", &json!({"channels": ["sms"], "recipients": {"sms": to}})).await,
            "kotp" => self.kotp.post("/v1/send", &json!({"to": to, "method": "sms", "type": "verification"})).await,
            "getotp" => {
                let data = json!({"channel": "voice", "voice_type": "tts", "phone": to, "code_length": 6});
                self.getotp.post("/v1/verifications", &json!({ "data": data })).await
            }
            _ => self.antryk.post("/api/v1/sms/send-otp", &json!({"to": to, "serviceId": SERVICE})).await,
        }
    }

    /// Asks for a code and gets it.
    async fn open(&self, dialect: &'static str, to: &str) -> Opened {
        let reply = self.try_open(dialect, to).await;
        let code = match dialect {
            "native" => "$.sandbox_otps.sms",
            "kotp" | "getotp" => "$.sandbox_otp",
            _ => "$.data.otp",
        };
        let code = reply.assert(200).text(code);
        // The native list shows them all; the newest is this one.
        let newest = self.native.get("/api/v1/otp/sessions?limit=1").await.assert(200).text("$.data[0].session_id");
        Opened { dialect, session: newest.parse().unwrap(), code }
    }

    /// Submits a code in the dialect in which it was sent.
    async fn answer(&self, opened: &Opened, to: &str, code: &str) -> Reply {
        match opened.dialect {
            "native" => unreachable!("its sessions are named by tokens"),
            "kotp" => self.kotp.post("/v1/verify", &json!({"id": kotp_id(opened.session), "code": code})).await,
            "getotp" => {
                let to = to.trim_start_matches('+');
                self.getotp.get(&format!("/v1/verifications?code={code}&phone={to}")).await
            }
            _ => self.antryk.post("/api/v1/sms/verify-otp", &json!({"to": to, "serviceId": SERVICE, "otp": code})).await,
        }
    }

    /// Whether every dialect in which one can look tells the same.
    async fn agree(&self, chief: &Client, opened: &Opened, verified: bool, wrong: i64) {
        let (session, word) = (opened.session, if verified { "verified" } else { "pending" });
        let native = self.native.get(&format!("/api/v1/otp/sessions/{session}")).await;
        native.assert(200).json("$.status", word).json("$.sandbox", true);
        let most = if opened.dialect == "native" { 3 } else { 5 };
        assert_eq!(native.int("$.attempts_remaining"), most - wrong, "{}: {native:?}", opened.dialect);
        let kotp = self.kotp.get(&format!("/v1/status/{}", kotp_id(session))).await;
        kotp.assert(200).json("$.verified", verified).json("$.to", ANN);
        let rows = self.kotp.get("/v1/otps").await.assert(200).at("$.data");
        let row = rows.as_array().unwrap().iter().find(|row| row["id"] == kotp_id(session));
        let row = row.unwrap_or_else(|| panic!("{} is not listed: {rows}", opened.dialect));
        assert_eq!(row["status"] == "verified", verified, "{}: {row}", opened.dialect);
        let seen = chief.get(&format!("/admin/v1/tenants/default/sessions/{session}")).await;
        seen.assert(200).json("$.status", word).json("$.id", session.to_string());
    }
}

fn kotp_id(session: SessionId) -> String {
    format!("otp_{:032x}", session.bits())
}

fn speaking() -> countersign_tests::Builder {
    TestApp::builder().service(SERVICE, &[])
}

#[tokio::test]
async fn a_code_of_any_dialect_is_told_the_same_by_all() {
    let app = speaking().spawn().await;
    let (caller, chief) = (Polyglot::with(&app, "test"), chief(&app).await);
    for dialect in DIALECTS {
        let opened = caller.open(dialect, ANN).await;
        caller.agree(&chief, &opened, false, 0).await;
        app.advance(Duration::from_secs(1));
        if dialect == "native" {
            let body = json!({"id": kotp_id(opened.session), "code": opened.code});
            caller.kotp.post("/v1/verify", &body).await.assert(200).json("$.valid", true);
            caller.agree(&chief, &opened, true, 0).await;
            continue;
        }
        let wrong = caller.answer(&opened, ANN, &wrong_code(&[&opened.code])).await;
        assert!(wrong.status < 500, "{wrong:?}");
        caller.agree(&chief, &opened, false, 1).await;
        caller.answer(&opened, ANN, &opened.code).await.assert(200);
        caller.agree(&chief, &opened, true, 1).await;
    }
    let all = caller.kotp.get("/v1/otps").await;
    all.assert(200).json("$.pagination.total", 4);
}

#[tokio::test]
async fn an_expired_code_is_over_in_every_dialect() {
    let app = speaking().spawn().await;
    let caller = Polyglot::with(&app, "test");
    let mut opened = Vec::new();
    for dialect in DIALECTS {
        opened.push(caller.open(dialect, ANN).await);
        app.advance(Duration::from_millis(1));
    }
    app.advance(Duration::from_mins(10));
    for one in opened {
        caller.native.get(&format!("/api/v1/otp/sessions/{}", one.session)).await.assert(200).json("$.status", "expired");
        caller.kotp.get(&format!("/v1/status/{}", kotp_id(one.session))).await.assert(200).json("$.status", "expired");
    }
    let antryk = json!({"to": ANN, "serviceId": SERVICE, "otp": "000000"});
    caller.antryk.post("/api/v1/sms/verify-otp", &antryk).await.assert(410);
}

#[tokio::test]
async fn other_tenants_and_other_kinds_of_key_see_nothing_in_any_dialect() {
    let app = speaking().key("foreign", KeyWish::test().of_another_tenant()).spawn().await;
    let (own, chief) = (Polyglot::with(&app, "test"), chief(&app).await);
    let strangers = [Polyglot::with(&app, "foreign"), Polyglot::with(&app, "live")];
    for dialect in DIALECTS {
        let opened = own.open(dialect, ANN).await;
        app.advance(Duration::from_millis(1));
        for stranger in &strangers {
            let path = format!("/api/v1/otp/sessions/{}", opened.session);
            stranger.native.get(&path).await.error(401, "session_not_recognised");
            stranger.native.get("/api/v1/otp/sessions").await.assert(200).json("$.data", json!([]));
            let id = kotp_id(opened.session);
            let unseen = stranger.kotp.get(&format!("/v1/status/{id}")).await;
            unseen.assert(404).json("$.error.code", "OTP_NOT_FOUND");
            let unheard = stranger.kotp.post("/v1/verify", &json!({"id": id, "code": opened.code})).await;
            unheard.assert(404).json("$.error.code", "OTP_NOT_FOUND");
            stranger.kotp.get("/v1/otps").await.assert(200).json("$.data", json!([])).json("$.pagination.total", 0);
            for query in [format!("code={}", opened.code), format!("code={}&phone=12025550143", opened.code)] {
                stranger.getotp.get(&format!("/v1/verifications?{query}")).await.assert(200).json("$.data", json!([]));
            }
            let body = json!({"to": ANN, "serviceId": SERVICE, "otp": opened.code});
            stranger.antryk.post("/api/v1/sms/verify-otp", &body).await.assert(404);
        }
        own.agree(&chief, &opened, false, 0).await;
        let elsewhere = chief.get(&format!("/admin/v1/tenants/other/sessions/{}", opened.session)).await;
        elsewhere.assert(404);
    }
    // Neither do their calls count against each other.
    strangers[0].open("antryk", ANN).await;
}

#[tokio::test]
async fn wrong_codes_at_one_person_are_one_count_over_all_dialects() {
    let app = speaking().set("limits.wrong_guesses", "4/24h").spawn().await;
    let caller = Polyglot::with(&app, "test");
    let mut opened = Vec::new();
    for dialect in ["kotp", "getotp", "antryk"] {
        opened.push(caller.open(dialect, ANN).await);
        app.advance(Duration::from_millis(1));
    }
    let wrong = wrong_code(&opened.iter().map(|one| one.code.as_str()).collect::<Vec<_>>());
    for one in [&opened[0], &opened[1], &opened[2], &opened[2]] {
        caller.answer(one, ANN, &wrong).await;
    }
    for one in &opened {
        let refused = caller.answer(one, ANN, &one.code).await;
        assert!(refused.assert(429).number_in("retry-after") >= 1, "{}: {refused:?}", one.dialect);
    }
    let someone_else = caller.open("antryk", "+12025550144").await;
    caller.answer(&someone_else, "+12025550144", &someone_else.code).await.assert(200).json("$.data.valid", true);
}

#[tokio::test]
async fn the_calls_of_a_key_are_one_count_and_each_dialect_has_its_word_for_its_end() {
    let app = speaking().set("limits.calls_per_key", "4/1m").spawn().await;
    let caller = Polyglot::with(&app, "test");
    for dialect in DIALECTS {
        let reply = caller.try_open(dialect, ANN).await;
        assert_eq!(reply.assert(200).number_in("x-ratelimit-limit"), 4, "{reply:?}");
    }
    let word = |reply: &Reply, path: &str| -> Value {
        assert_eq!(reply.assert(429).number_in("retry-after"), 60, "{reply:?}");
        reply.at(path)
    };
    assert_eq!(word(&caller.try_open("native", ANN).await, "$.code"), "rate_limited");
    assert_eq!(word(&caller.try_open("kotp", ANN).await, "$.error.code"), "RATE_LIMITED");
    assert_eq!(word(&caller.try_open("getotp", ANN).await, "$.errors[0].code"), "1429");
    assert_eq!(word(&caller.try_open("antryk", ANN).await, "$.errors[0].error"), "rate_limited");
}

#[tokio::test]
async fn a_session_is_one_number_in_three_spellings() {
    let app = speaking().spawn().await;
    let caller = Polyglot::with(&app, "test");
    let opened = caller.try_open("getotp", ANN).await.assert(200).text("$.message_id");
    let session = SessionId::from_bits(Uuid::try_parse(&opened).unwrap().as_u128());
    caller.native.get(&format!("/api/v1/otp/sessions/{session}")).await.assert(200).json("$.session_id", session.to_string());
    caller.kotp.get(&format!("/v1/status/{}", kotp_id(session))).await.assert(200).json("$.id", kotp_id(session));
    let chief = chief(&app).await;
    for spelling in [opened, session.to_string(), kotp_id(session)] {
        let seen = chief.get(&format!("/admin/v1/tenants/default/sessions/{spelling}")).await;
        seen.assert(200).json("$.id", session.to_string());
    }
}
