//! One session of a service and a recipient at a time.

use std::time::Duration;

use countersign_core::{Handle, Refusal, SendError, SessionStatus};
use countersign_model::Dialect;

use crate::house::{House, code, other_than, phone};

const LIFE: Duration = Duration::from_mins(5);

fn slot(house: &House, to: u32) -> Handle {
    Handle::Slot { service: house.service, recipient: phone(to) }
}

#[tokio::test]
async fn while_a_session_holds_its_slot_no_other_is_opened_there() {
    let house = House::new().await;
    house.sent(Dialect::Antryk, 1, |_| {}).await.unwrap();
    house.clock.advance(Duration::from_secs(60));
    let refused = house.sent(Dialect::Antryk, 1, |_| {}).await.unwrap_err();
    assert!(matches!(refused, SendError::Refused(Refusal::SlotTaken { wait }) if wait == Duration::from_mins(4)), "{refused:?}");
    house.sent(Dialect::Antryk, 2, |_| {}).await.unwrap();
    house.sent(Dialect::GetOtp, 1, |_| {}).await.unwrap();
    house.clock.advance(LIFE);
    house.sent(Dialect::Antryk, 1, |_| {}).await.unwrap();
}

#[tokio::test]
async fn a_right_code_of_a_slot_frees_it() {
    let house = House::new().await;
    let sent = house.sent(Dialect::Antryk, 1, |_| {}).await.unwrap();
    let verified = house.verify(slot(&house, 1), &code(&sent)).await.unwrap();
    assert!(verified.judgement.session_verified);
    let again = house.verify(slot(&house, 1), &code(&sent)).await.unwrap_err();
    assert!(matches!(again, Refusal::AlreadyVerified(_)), "{again:?}");
    house.sent(Dialect::Antryk, 1, |_| {}).await.unwrap();
}

#[tokio::test]
async fn a_locked_slot_tells_until_when() {
    let house = House::new().await;
    let sent = house.sent(Dialect::Antryk, 1, |_| {}).await.unwrap();
    for left in (0..5).rev() {
        let judged = house.verify(slot(&house, 1), &other_than(&code(&sent))).await.unwrap();
        assert_eq!(judged.judgement.attempts_remaining, left);
    }
    match house.verify(slot(&house, 1), &code(&sent)).await.unwrap_err() {
        Refusal::Locked(about) => assert_eq!(about.expires_at.since(house.platform.now()), LIFE),
        other => panic!("{other:?}"),
    }
    let refused = house.sent(Dialect::Antryk, 1, |_| {}).await.unwrap_err();
    assert!(matches!(refused, SendError::Refused(Refusal::SlotTaken { .. })), "{refused:?}");
}

#[tokio::test]
async fn an_expired_slot_is_told_from_one_that_never_was() {
    let house = House::new().await;
    let sent = house.sent(Dialect::Antryk, 1, |_| {}).await.unwrap();
    house.clock.advance(LIFE);
    assert!(matches!(house.verify(slot(&house, 1), &code(&sent)).await.unwrap_err(), Refusal::Expired(_)));
    assert!(matches!(house.verify(slot(&house, 2), &code(&sent)).await.unwrap_err(), Refusal::Unknown));
    let found = house.platform.status(&house.test, &slot(&house, 1)).await.unwrap();
    assert_eq!((found.id(), found.status(house.platform.now())), (sent.session.id(), SessionStatus::Expired));
    let foreign = house.platform.status(&house.live, &slot(&house, 1)).await.unwrap_err();
    assert!(matches!(foreign, Refusal::Unknown), "{foreign:?}");
}

#[test]
fn a_slot_does_not_show_its_recipient() {
    let service = "8c4f9a52-2f0b-4f6e-9d0e-6a2b8f1f3c11".parse().unwrap();
    assert!(!format!("{:?}", Handle::Slot { service, recipient: phone(143) }).contains("5550143"));
}
