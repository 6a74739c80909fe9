//! What becomes a webhook, for whom, and what it says.

use std::time::Duration;

use countersign_model::{Attempt, FailureReason, Mode, WebhookEvent};
use countersign_records::{Delivery, DeliveryFilter, EndpointChange};
use countersign_session::CodeSource;
use serde_json::{Value, json};

use crate::bench::{Bench, CODE, EMAIL, SMS, accepted, on_both};

async fn deliveries(bench: &Bench) -> Vec<(Delivery, Value)> {
    let mut all = bench.records.webhook_deliveries().list(bench.tenant, DeliveryFilter::default(), 100).await.unwrap();
    all.sort_by_key(|delivery| number(&delivery.event_id));
    all.into_iter()
        .map(|delivery| (serde_json::from_str(&delivery.body).unwrap(), delivery))
        .map(|(body, it)| (it, body))
        .collect()
}

fn number(event: &str) -> u32 {
    event.rsplit_once('_').unwrap().1.parse().unwrap()
}

on_both! {
    async fn a_session_is_told_as_it_was_at_each_of_its_events(bench: Bench) {
        bench.endpoint("https://example.com/", &[]).await;
        let session = bench.open(&[EMAIL, SMS], |_| {}).await;
        bench.record(&session, &[(EMAIL, accepted()), (SMS, Attempt::Failed(FailureReason::Refused))]).await;
        bench.clock.advance(Duration::from_secs(9));
        bench.guess(&session, EMAIL, CODE).await;
        bench.project().await;
        let told = deliveries(&bench).await;
        let types: Vec<_> = told.iter().map(|(it, _)| it.event.as_str()).collect();
        assert_eq!(types, ["session.created", "message.sent", "message.failed", "session.verified"]);
        let ids: Vec<_> = told.iter().map(|(it, _)| it.event_id.clone()).collect();
        let ulid = session.id().to_string().replacen("ses_", "evt_", 1);
        assert_eq!(ids, [1, 2, 3, 5].map(|number| format!("{ulid}_{number}")));

        let (mail, sms) = (session.challenges()[0].message.id.to_string(), session.challenges()[1].message.id.to_string());
        let created = &told[0].1["data"];
        assert_eq!((&created["status"], &created["channels"]["email"]["status"]), (&json!("pending"), &json!("pending")), "{created:#}");
        let sent = &told[1].1["data"];
        assert_eq!(
            (&sent["message_id"], &sent["channel"], &sent["message_status"], &sent["status"]),
            (&json!(mail), &json!("email"), &json!("sent"), &json!("pending")),
            "{sent:#}"
        );
        let verified = &told[3].1;
        let expected = json!({
            "type": "session.verified", "timestamp": "2026-01-15T10:45:09.000Z",
            "data": {
                "session_id": session.id().to_string(), "status": "verified", "verification_mode": "any",
                "channels": {
                    "email": {
                        "recipient": "u•••@example.com", "status": "sent", "attempt": "accepted", "message_id": mail, "provider": "house",
                        "verified": true, "sent_at": "2026-01-15T10:45:00.000Z", "delivered_at": null,
                    },
                    "sms": {
                        "recipient": "+1202•••0000", "status": "failed", "attempt": "refused", "message_id": sms, "provider": null,
                        "verified": false, "sent_at": null, "delivered_at": null,
                    },
                },
                "attempts_remaining": 3, "created_at": "2026-01-15T10:45:00.000Z", "expires_at": "2026-01-15T10:55:00.000Z",
                "verified_at": "2026-01-15T10:45:09.000Z", "metadata": {"order": 17}, "cost": {"amount": 0, "currency": "USD"},
            },
        });
        assert_eq!(*verified, expected, "{verified:#}");
    }

    async fn only_endpoints_that_want_an_event_hear_of_it(bench: Bench) {
        let verified = bench.endpoint("https://example.com/1", &[WebhookEvent::SessionVerified]).await;
        let all = bench.endpoint("https://example.com/2", &[]).await;
        let disabled = bench.endpoint("https://example.com/3", &[]).await;
        let change = EndpointChange { disabled: Some(Some("operator".to_owned())), ..EndpointChange::default() };
        bench.records.webhook_endpoints().update(bench.tenant, disabled.id, &change).await.unwrap();
        let session = bench.sent().await;
        bench.guess(&session, EMAIL, CODE).await;
        bench.project().await;
        let heard = async |endpoint| {
            let filter = DeliveryFilter { endpoint: Some(endpoint), ..DeliveryFilter::default() };
            let found = bench.records.webhook_deliveries().list(bench.tenant, filter, 9).await.unwrap();
            let mut events: Vec<_> = found.iter().map(|delivery| delivery.event).collect();
            events.sort_unstable();
            events
        };
        assert_eq!(heard(verified.id).await, [WebhookEvent::SessionVerified]);
        assert_eq!(heard(all.id).await, [WebhookEvent::SessionCreated, WebhookEvent::SessionVerified, WebhookEvent::MessageSent]);
        assert_eq!(heard(disabled.id).await, []);
    }

    async fn a_contact_that_a_session_makes_is_told_of(bench: Bench) {
        bench.endpoint("https://example.com/", &[WebhookEvent::ContactCreated]).await;
        let session = bench.open(&[EMAIL], |new| new.add_contact = true).await;
        bench.record(&session, &[(EMAIL, accepted())]).await;
        bench.guess(&session, EMAIL, CODE).await;
        bench.project().await;
        let told = deliveries(&bench).await;
        let contact = bench.records.contacts().find_by_email(bench.tenant, "user0@example.com").await.unwrap().unwrap();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].1["data"]["id"], json!(contact.id.to_string()));
        assert_eq!(told[0].1["data"]["verified_channels"], json!(["email"]));
        assert_eq!(told[0].0.event_id, contact.id.to_string().replacen("con_", "evt_", 1) + "_1");
    }

    async fn of_a_notice_its_message_is_told_and_nothing_of_a_session(bench: Bench) {
        bench.endpoint("https://example.com/", &[]).await;
        let notice = bench.open(&[SMS], |new| new.codes = CodeSource::Notice).await;
        bench.record(&notice, &[(SMS, accepted())]).await;
        bench.clock.advance(Duration::from_hours(1));
        bench.lapse(&notice).await;
        bench.project().await;
        let told = deliveries(&bench).await;
        let types: Vec<_> = told.iter().map(|(it, _)| it.event.as_str()).collect();
        assert_eq!(types, ["message.sent"]);
        let data = told[0].1["data"].as_object().unwrap();
        assert_eq!(data["message_id"], json!(notice.challenges()[0].message.id.to_string()));
        let mut fields: Vec<_> = data.keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["channel", "channels", "cost", "created_at", "message_id", "message_status", "metadata"], "{data:#?}");
    }

    async fn a_sandbox_session_says_that_it_is_one(bench: Bench) {
        bench.endpoint("https://example.com/", &[WebhookEvent::SessionCreated]).await;
        let session = bench.open(&[EMAIL], |new| new.mode = Mode::Sandbox).await;
        bench.project().await;
        let data = &deliveries(&bench).await[0].1["data"];
        assert_eq!(data["sandbox"], json!(true), "{data:#}");
        let message = session.challenges()[0].message.id.to_string().replacen("msg_", "msg_sandbox_", 1);
        assert_eq!(data["channels"]["email"]["message_id"], json!(message));
    }
}
