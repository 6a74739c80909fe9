//! What subscribers of other dialects are told, and how it is signed.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_core::OtpView;
use countersign_model::{
    Attempt, Clock as _, Dialect, FailureReason, MessageId, Mode, Report, Undelivered, WebhookEvent, WebhookFormat,
};
use countersign_records::{DeliveryFilter, DeliveryState, EndpointChange, MessageRecord, StoredSecrets};
use countersign_session::Session;
use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::bench::{Bench, CODE, EMAIL, SECRET, SMS, START, accepted, on_both};
use crate::receiver::{Arrived, Receiver};
use crate::worker::{run, settings};

/// As a receiver does it.
fn mac(secret: &str, parts: &[&str]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    for part in parts {
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().to_vec()
}

impl Bench {
    /// What was spelt, in the order in which it happened.
    async fn told(&self) -> Vec<Value> {
        let mut all = self.records.webhook_deliveries().list(self.tenant, DeliveryFilter::default(), 100).await.unwrap();
        all.sort_by_key(|delivery| (delivery.created_at, delivery.event_id.clone()));
        all.iter().map(|delivery| serde_json::from_str(&delivery.body).unwrap()).collect()
    }

    async fn kotp(&self) {
        self.endpoint_in(WebhookFormat::Kotp, "https://example.com/", &[]).await;
    }

    /// A session of the GetOTP dialect whose caller wants this back.
    async fn getotp(&self, payload: Option<&str>) -> Session {
        let metadata = payload.map_or_else(|| json!({}), |payload| json!({"payload": payload}));
        let opened = self.open(&[SMS], |new| (new.dialect, new.metadata) = (Dialect::GetOtp, metadata.to_string()));
        opened.await
    }

    /// The OTP that the records show.
    async fn shown(&self, session: &Session) -> OtpView {
        let record = self.recorded(session.id()).await;
        let ids: Vec<_> = record.channels.iter().flat_map(|channel| channel.messages.clone()).collect();
        let messages = self.records.messages().load(&ids).await.unwrap();
        let messages: BTreeMap<MessageId, MessageRecord> = messages.into_iter().map(|message| (message.id, message)).collect();
        OtpView::of_record(&record, |id| messages.get(&id), self.clock.now()).unwrap()
    }

    /// Holds that the hot plane shows the same OTP, and gives it.
    async fn otp(&self, session: &Session) -> Value {
        self.project().await;
        let hot =
            countersign_session::store::SessionStore::find(&*self.store, self.scope(), session.id()).await.unwrap().unwrap();
        let hot = OtpView::of_session(&hot, self.clock.now()).unwrap();
        assert_eq!(hot, self.shown(session).await);
        hot.json()
    }
}

fn types(told: &[Value]) -> Vec<&str> {
    told.iter().map(|body| body["type"].as_str().unwrap()).collect()
}

fn statuses(told: &[Value]) -> Vec<&str> {
    told.iter().map(|body| body["data"]["status"].as_str().unwrap()).collect()
}

on_both! {
    async fn a_kotp_endpoint_hears_of_each_turn_of_an_otp(bench: Bench) {
        bench.kotp().await;
        let session = bench.open(&[SMS], |_| {}).await;
        bench.record(&session, &[(SMS, accepted())]).await;
        bench.clock.advance(Duration::from_millis(9_500));
        bench.guess(&session, SMS, "999999").await;
        bench.guess(&session, SMS, CODE).await;
        bench.project().await;
        let told = bench.told().await;
        assert_eq!(types(&told), ["otp.sent", "otp.verified"]);
        let id = format!("otp_{:032x}", session.id().bits());
        let expected = json!({
            "type": "otp.verified", "created_at": "2026-01-15T10:45:09Z", "id": told[1]["id"],
            "data": {
                "id": id, "status": "verified", "to": "+12025550000", "method": "sms", "created_at": "2026-01-15T10:45:00Z",
                "delivered_at": null, "attempts": 2, "verified": true, "carrier": null, "country": "US",
            },
        });
        assert_eq!(told[1], expected, "{:#}", told[1]);
        assert!(told[1]["id"].as_str().unwrap().starts_with("evt_"), "{:#}", told[1]);
        assert_eq!((&told[0]["data"]["status"], &told[0]["data"]["attempts"]), (&json!("sent"), &json!(0)));
    }

    async fn an_otp_that_is_locked_stays_as_far_as_its_message_is_until_its_code_dies(bench: Bench) {
        bench.kotp().await;
        let session = bench.open(&[EMAIL], |_| {}).await;
        assert_eq!(bench.otp(&session).await["status"], "pending");
        bench.record(&session, &[(EMAIL, accepted())]).await;
        assert_eq!(bench.otp(&session).await["status"], "sent");
        for _ in 0..3 {
            bench.guess(&session, EMAIL, "999999").await;
        }
        let locked = bench.otp(&session).await;
        assert_eq!((&locked["status"], &locked["attempts"], &locked["country"]), (&json!("sent"), &json!(3), &Value::Null));
        bench.clock.advance(Duration::from_mins(10));
        assert_eq!(bench.otp(&session).await["status"], "expired");
        let told = bench.told().await;
        assert_eq!((types(&told), statuses(&told)), (vec!["otp.sent", "otp.max_attempts"], vec!["sent", "sent"]));
    }

    async fn an_otp_that_fails_and_one_whose_code_dies_are_told(bench: Bench) {
        bench.kotp().await;
        let failed = bench.open(&[SMS], |_| {}).await;
        bench.record(&failed, &[(SMS, Attempt::Failed(FailureReason::Refused))]).await;
        assert_eq!(bench.otp(&failed).await["status"], "failed");
        bench.clock.advance(Duration::from_secs(1));
        let silent = bench.sent().await;
        bench.clock.advance(Duration::from_mins(10));
        assert_eq!(bench.otp(&silent).await["status"], "expired", "though nobody has told so");
        bench.lapse(&silent).await;
        assert_eq!(bench.otp(&silent).await["status"], "expired");
        assert_eq!(types(&bench.told().await), ["otp.failed", "otp.sent", "otp.expired"]);
    }

    async fn an_otp_that_arrived_says_when_and_through_whom(bench: Bench) {
        bench.kotp().await;
        let session = bench.open(&[SMS], |_| {}).await;
        bench.record(&session, &[(SMS, accepted())]).await;
        bench.clock.advance(Duration::from_secs(7));
        bench.receive(&session, SMS, Report::Undelivered(Undelivered::Unreachable), None).await;
        assert_eq!(bench.otp(&session).await["status"], "failed");
        bench.receive(&session, SMS, Report::Delivered, Some("Verizon")).await;
        let otp = bench.otp(&session).await;
        assert_eq!((&otp["status"], &otp["carrier"]), (&json!("delivered"), &json!("Verizon")));
        assert_eq!(otp["delivered_at"], "2026-01-15T10:45:05Z");
        let told = bench.told().await;
        assert_eq!(types(&told), ["otp.sent", "otp.failed", "otp.delivered"]);
        assert_eq!(told[2]["data"], otp, "the webhook says what the status says");
    }

    async fn of_several_channels_an_otp_shows_the_first_that_a_provider_took(bench: Bench) {
        bench.kotp().await;
        let session = bench.open(&[EMAIL, SMS], |new| new.mode = Mode::Sandbox).await;
        assert_eq!(bench.otp(&session).await["method"], "email");
        bench.record(&session, &[(EMAIL, Attempt::Failed(FailureReason::Unreachable)), (SMS, accepted())]).await;
        let shown = bench.otp(&session).await;
        assert_eq!((&shown["method"], &shown["status"], &shown["sandbox"]), (&json!("sms"), &json!("sent"), &json!(true)), "{shown:#}");
    }

    async fn a_getotp_endpoint_hears_what_became_of_what_was_opened_in_that_dialect(bench: Bench) {
        bench.endpoint_in(WebhookFormat::GetOtp, "https://example.com/", &[]).await;
        let native = bench.open(&[SMS], |_| {}).await;
        bench.record(&native, &[(SMS, Attempt::Failed(FailureReason::Refused))]).await;
        let payload = "{\"a\": \"\u{e9}\"}  \u{1F600}";
        let refused = bench.getotp(Some(payload)).await;
        bench.record(&refused, &[(SMS, Attempt::Failed(FailureReason::Refused))]).await;
        bench.clock.advance(Duration::from_secs(61));
        let failed = bench.getotp(None).await;
        bench.record(&failed, &[(SMS, Attempt::Failed(FailureReason::Unreachable))]).await;
        let verified = bench.getotp(None).await;
        bench.record(&verified, &[(SMS, accepted())]).await;
        bench.guess(&verified, SMS, CODE).await;
        let expired = bench.getotp(None).await;
        bench.record(&expired, &[(SMS, accepted())]).await;
        bench.clock.advance(Duration::from_mins(10));
        bench.lapse(&expired).await;
        bench.project().await;
        let told = bench.told().await;
        assert_eq!(statuses(&told), ["rejected", "failed", "expired"]);
        let uuid = |bits| countersign_model::Uuid::from_u128(bits).to_string();
        let expected = json!({"data": {
            "account_id": uuid(bench.tenant.bits()), "message_id": uuid(refused.id().bits()), "event": "delivery", "status": "rejected",
            "channel": "SMS", "to": "12025550001", "price": 0, "timestamp": "2026-01-15 10:45:00", "payload": payload,
        }});
        assert_eq!(told[0], expected, "{:#}", told[0]);
        assert_eq!((&told[1]["data"]["timestamp"], told[1]["data"].get("payload")), (&json!("2026-01-15 10:46:01"), None));
        assert_eq!(told[2]["data"]["message_id"], uuid(expired.id().bits()));
    }

    async fn each_format_is_signed_as_its_receivers_check_it(bench: Bench) {
        let receiver = Receiver::spawn().await;
        receiver.will_say([(500, "")]);
        let heard = [WebhookEvent::MessageFailed];
        for format in [WebhookFormat::Kotp, WebhookFormat::GetOtp] {
            bench.endpoint_in(format, &receiver.url(), &heard).await;
        }
        let session = bench.getotp(Some("x")).await;
        bench.record(&session, &[(SMS, Attempt::Failed(FailureReason::Refused))]).await;
        bench.project().await;
        let worker = bench.worker(&settings(&[receiver.port]));
        run(&worker).await;
        bench.clock.advance(Duration::from_secs(10));
        run(&worker).await;
        let (kotp, getotp): (Vec<_>, Vec<_>) = receiver.arrived().into_iter().partition(|it| it.body.contains("otp.failed"));
        assert_eq!(kotp.len() + getotp.len(), 3, "one was tried again");
        for it in &kotp {
            let at = it.header("x-kotp-timestamp");
            assert!(at == START.seconds().to_string() || at == (START.seconds() + 10).to_string(), "{it:?}");
            assert_eq!(it.header("x-kotp-signature"), HEXLOWER.encode(&mac(SECRET, &[&at, ".", &it.body])));
        }
        for it in &getotp {
            assert_eq!(it.header("x-otp-signature"), BASE64.encode(&mac(SECRET, &[&it.body])));
        }
        let ours = |it: &Arrived| !it.id.is_empty() || !it.signature.is_empty();
        assert!(!kotp.iter().chain(&getotp).any(ours), "headers of another format");
        let filter = DeliveryFilter { state: Some(DeliveryState::Delivered), ..DeliveryFilter::default() };
        assert_eq!(bench.records.webhook_deliveries().list(bench.tenant, filter, 9).await.unwrap().len(), 2);
    }

    async fn what_was_spelt_before_a_change_of_format_goes_out_as_it_was_spelt_or_not_at_all(bench: Bench) {
        let receiver = Receiver::spawn().await;
        let endpoint = bench.endpoint(&receiver.url(), &[WebhookEvent::SessionCreated]).await;
        bench.sent().await;
        bench.project().await;
        let change = EndpointChange { format: Some(WebhookFormat::GetOtp), ..EndpointChange::default() };
        bench.records.webhook_endpoints().update(bench.tenant, endpoint.id, &change).await.unwrap();
        let worker = bench.worker(&settings(&[receiver.port]));
        run(&worker).await;
        assert!(receiver.arrived()[0].signature.starts_with("v1,"), "{:?}", receiver.arrived());

        bench.records.webhook_endpoints().update(bench.tenant, endpoint.id, &EndpointChange { format: Some(WebhookFormat::Native), ..EndpointChange::default() }).await.unwrap();
        bench.sent().await;
        bench.project().await;
        let own = StoredSecrets { current: "my own".into(), previous: None };
        bench.records.webhook_endpoints().set_secrets(bench.tenant, endpoint.id, &own).await.unwrap();
        run(&worker).await;
        assert_eq!(receiver.arrived().len(), 1);
        let filter = DeliveryFilter { state: Some(DeliveryState::Failed), ..DeliveryFilter::default() };
        let failed = bench.records.webhook_deliveries().list(bench.tenant, filter, 9).await.unwrap().remove(0);
        let attempts = bench.records.webhook_deliveries().attempts(failed.id).await.unwrap();
        assert_eq!(attempts[0].error.as_deref(), Some("the endpoint's secret cannot sign this format"));
    }
}
