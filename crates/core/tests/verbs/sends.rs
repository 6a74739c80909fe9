//! What a send comes to in dialects other than the native one.

use std::time::Duration;

use countersign_core::{NewTemplate, Refusal, SendError, SenderChoice, SessionStatus, TemplateChoice};
use countersign_model::{Attempt, Channel, Dialect, FailureReason, LimitName, Rehearsal, ServiceProfile, Uuid};

use crate::house::{House, SMS, code};

#[tokio::test]
async fn a_dialect_decides_what_nobody_else_does() {
    let house = House::new().await;
    for (dialect, minutes, attempts) in
        [(Dialect::Native, 10, 3), (Dialect::Kotp, 5, 5), (Dialect::GetOtp, 5, 5), (Dialect::Antryk, 5, 5)]
    {
        let session = house.sent(dialect, 1, |_| {}).await.unwrap().session;
        let policy = session.policy();
        assert_eq!(
            (policy.life, policy.max_attempts, policy.code_length),
            (Duration::from_mins(minutes), attempts, 6),
            "{dialect:?}"
        );
    }
    let own = ServiceProfile { life_minutes: Some(2), max_attempts: Some(2), code_length: Some(8), ..ServiceProfile::default() };
    let house = House::with(own).await;
    let sent = house.sent(Dialect::Antryk, 1, |_| {}).await.unwrap();
    assert_eq!(
        (sent.session.policy().life, sent.session.policy().max_attempts, code(&sent).len()),
        (Duration::from_mins(2), 2, 8)
    );
}

#[tokio::test]
async fn ten_sends_a_minute_reach_a_recipient() {
    let house = House::new().await;
    for dialect in [Dialect::Kotp, Dialect::GetOtp] {
        let to = if dialect == Dialect::Kotp { 1 } else { 2 };
        for _ in 0..10 {
            house.sent(dialect, to, |_| {}).await.unwrap();
        }
        let refused = house.sent(dialect, to, |_| {}).await.unwrap_err();
        let is_limited = matches!(refused, SendError::Refused(Refusal::Limited { limit: LimitName::SendsPerRecipient, .. }));
        assert!(is_limited, "{refused:?}");
    }
    house.sent(Dialect::Kotp, 3, |_| {}).await.unwrap();
    house.clock.advance(Duration::from_mins(1));
    house.sent(Dialect::Kotp, 1, |_| {}).await.unwrap();
}

#[tokio::test]
async fn a_send_can_choose_its_template() {
    let house = House::new().await;
    let body = "Hush: {{code}}".to_owned();
    let new = |channel, name: &str| NewTemplate { channel, name: name.to_owned(), body: body.clone() };
    let sms = house.platform.add_template(&house.live, new(SMS, "quiet")).await.unwrap();
    let voice = house.platform.add_template(&house.live, new(Channel::Voice, "loud")).await.unwrap();
    let text = async |choice: Option<TemplateChoice>| {
        house.clock.advance(Duration::from_mins(1));
        let sent = house.sent_by(&house.live, Dialect::GetOtp, 1, |send| send.template = choice).await;
        sent.map(|_| house.gateway.told().last().unwrap()["text"].as_str().unwrap().to_owned())
    };
    let name = |name: &str| Some(TemplateChoice::Name(name.to_owned()));
    for choice in [Some(TemplateChoice::Id(sms.id)), name("quiet")] {
        let said = text(choice).await.unwrap();
        assert!(said.starts_with("Hush: "), "{said}");
    }
    for choice in [None, name("default")] {
        let said = text(choice).await.unwrap();
        assert!(!said.starts_with("Hush: "), "used though nobody chose it: {said}");
    }
    for unknown in [name("none"), Some(TemplateChoice::Id(Uuid::from_u128(7)))] {
        assert!(matches!(text(unknown).await.unwrap_err(), SendError::UnknownTemplate));
    }
    for other in [name("loud"), Some(TemplateChoice::Id(voice.id))] {
        assert!(matches!(text(other).await.unwrap_err(), SendError::TemplateForOtherChannel { channel: SMS }));
    }
    house.platform.add_template(&house.live, new(SMS, "default")).await.unwrap();
    assert!(text(name("default")).await.unwrap().starts_with("Hush: "));
}

#[tokio::test]
async fn a_send_can_choose_its_sender() {
    let house = House::new().await;
    let order = countersign_core::manage::Order::from_terminal();
    let draft = countersign_core::manage::SenderDraft { channel: SMS, value: "ACME".to_owned() };
    let own = house.platform.create_sender(&order, house.live.scope.tenant, None, draft).await.unwrap().record;
    let from = async |choice: Option<SenderChoice>| {
        let sent = house.sent_by(&house.live, Dialect::GetOtp, 1, |send| send.sender = choice).await;
        sent.map(|_| house.gateway.told().last().unwrap()["from"].as_str().unwrap().to_owned())
    };
    assert_eq!(from(None).await.unwrap(), "");
    assert_eq!(from(Some(SenderChoice::Name("Shop 7".to_owned()))).await.unwrap(), "Shop 7");
    assert_eq!(from(Some(SenderChoice::Id(own.id))).await.unwrap(), "ACME");
    for wrong in [SenderChoice::Id(Uuid::from_u128(7)), SenderChoice::Name("a\r\nb".to_owned())] {
        assert!(matches!(from(Some(wrong)).await.unwrap_err(), SendError::UnknownSender));
    }
}

#[tokio::test]
async fn a_code_that_the_store_chose_is_the_one_that_is_sent() {
    let house = House::new().await;
    let template = NewTemplate { channel: SMS, name: "quiet".to_owned(), body: "Hush: {{code}}".to_owned() };
    let template = house.platform.add_template(&house.live, template).await.unwrap();
    // One free code in ten thousand after so many: some sessions cannot have their first one.
    for to in 0..400 {
        let sent = house.sent_by(&house.live, Dialect::GetOtp, to, |send| {
            send.code_length = Some(4);
            send.template = Some(TemplateChoice::Id(template.id));
        });
        let sent = sent.await.unwrap();
        if sent.session.generation() == 0 {
            continue;
        }
        let text = house.gateway.told().last().unwrap()["text"].as_str().unwrap().to_owned();
        let code = text.strip_prefix("Hush: ").unwrap();
        let check = countersign_core::Check { code: crate::house::guess(code), recipient: Some(crate::house::phone(to)) };
        assert_eq!(house.platform.check(&house.live, check).await.unwrap().len(), 1, "{text}");
        return;
    }
    panic!("no code was ever taken");
}

#[tokio::test]
async fn a_send_can_take_the_place_of_earlier_ones() {
    let house = House::new().await;
    let replacing = |send: &mut countersign_core::Send| send.replaces = true;
    let first = house.sent(Dialect::Kotp, 1, replacing).await.unwrap();
    let other_purpose = house.sent(Dialect::Kotp, 1, |send| {
        send.replaces = true;
        send.purpose = "login".to_owned();
    });
    let other_purpose = other_purpose.await.unwrap();
    let second = house.sent(Dialect::Kotp, 1, replacing).await.unwrap();
    let now = house.platform.now();
    assert_eq!(house.status(&first).await.status(now), SessionStatus::Canceled);
    assert_eq!(house.status(&second).await.status(now), SessionStatus::Pending);
    assert_eq!(house.status(&other_purpose).await.status(now), SessionStatus::Pending);
}

#[tokio::test]
async fn the_sandbox_rehearses_what_can_happen() {
    let house = House::new().await;
    let rehearsed = async |rehearsal| {
        let sent = house.sent(Dialect::Kotp, 1, |send| send.rehearsal = Some(rehearsal)).await.unwrap();
        let session = house.status(&sent).await;
        assert_eq!(session.status(house.platform.now()), SessionStatus::Pending, "it can still be verified");
        session.challenges()[0].message.attempt.clone()
    };
    assert_eq!(rehearsed(Rehearsal::DeliveryFails).await, Attempt::Failed(FailureReason::Refused));
    assert!(matches!(rehearsed(Rehearsal::Ambiguous).await, Attempt::Unclear { .. }));
    let live =
        house.sent_by(&house.live, Dialect::Kotp, 1, |send| send.rehearsal = Some(Rehearsal::DeliveryFails)).await.unwrap();
    assert!(matches!(live.session.challenges()[0].message.attempt, Attempt::Accepted { .. }), "people get what they asked for");
}
