//! Texts that ask for no answer.

use countersign_core::{Handle, HistoryFilter, IdempotencyKey, Post, PostError, Refusal};
use countersign_model::{Dialect, LimitName, Mode, PhoneNumber};

use crate::house::House;

impl House {
    fn post(&self, body: &str) -> Post {
        let recipient = PhoneNumber::parse("+12025550143").unwrap();
        Post { dialect: Dialect::Antryk, service: Some(self.service), recipient, body: body.to_owned(), idempotency: None }
    }
}

#[tokio::test]
async fn a_text_goes_out_word_by_word() {
    let house = House::new().await;
    let body = "Your parcel {{code}} is here.\n\u{2603} ".to_owned() + &"x".repeat(1500);
    let posted = house.platform.post(&house.live, house.post(&body)).await.unwrap();
    assert_eq!((posted.mode, posted.replayed), (Mode::Live, false));
    assert_eq!(house.gateway.told()[0]["text"], body);
    house.project().await;
    let page = house.platform.history(&house.live, &HistoryFilter::default(), 0, 10).await.unwrap();
    assert_eq!((page.total, page.lag), (0, None), "it is no session");
}

#[tokio::test]
async fn in_the_sandbox_a_text_stays_in_the_house() {
    let house = House::new().await;
    assert_eq!(house.platform.post(&house.test, house.post("hello")).await.unwrap().mode, Mode::Sandbox);
    assert!(house.gateway.told().is_empty());
}

#[tokio::test]
async fn a_text_that_no_provider_took_is_an_error() {
    let house = House::new().await;
    house.gateway.refuses(true);
    let refused = house.platform.post(&house.live, house.post("hello")).await.unwrap_err();
    assert!(matches!(refused, PostError::NothingSent), "{refused:?}");
}

#[tokio::test]
async fn a_repeated_post_is_answered_and_not_sent_again() {
    let house = House::new().await;
    let idempotency = IdempotencyKey { path: "sms/send", key: "7".to_owned(), body: b"{}".to_vec() };
    let post = Post { idempotency: Some(idempotency), ..house.post("hello") };
    let first = house.platform.post(&house.live, post.clone()).await.unwrap();
    let again = house.platform.post(&house.live, post).await.unwrap();
    assert_eq!((again.message, again.replayed), (first.message, true));
    assert_eq!(house.gateway.told().len(), 1);
}

#[tokio::test]
async fn texts_and_codes_count_against_one_limit_of_their_recipient() {
    let house = House::new().await;
    house.sent(Dialect::Antryk, 143, |_| {}).await.unwrap();
    for _ in 0..9 {
        house.platform.post(&house.test, house.post("hello")).await.unwrap();
    }
    let refused = house.platform.post(&house.test, house.post("hello")).await.unwrap_err();
    let is_limited = matches!(refused, PostError::Refused(Refusal::Limited { limit: LimitName::SendsPerRecipient, .. }));
    assert!(is_limited, "{refused:?}");
}

#[tokio::test]
async fn a_text_does_not_take_the_slot_of_a_code() {
    let house = House::new().await;
    house.platform.post(&house.test, house.post("hello")).await.unwrap();
    let recipient = crate::house::phone(143);
    let found = house.platform.status(&house.test, &Handle::Slot { service: house.service, recipient }).await.unwrap_err();
    assert!(matches!(found, Refusal::Unknown), "{found:?}");
    house.sent(Dialect::Antryk, 143, |_| {}).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_is_refused_before_anything_happens() {
    let house = House::new().await;
    let unknown = Post { service: Some("8c4f9a52-2f0b-4f6e-9d0e-6a2b8f1f3c11".parse().unwrap()), ..house.post("hello") };
    assert!(matches!(house.platform.post(&house.live, unknown).await.unwrap_err(), PostError::UnknownService));
    let nowhere = Post { recipient: PhoneNumber::parse("+99912345678").unwrap(), ..house.post("hello") };
    assert!(matches!(house.platform.post(&house.live, nowhere).await.unwrap_err(), PostError::Recipient(_)));
    assert!(house.gateway.told().is_empty());
}

#[tokio::test]
async fn in_the_sandbox_a_number_decides_what_becomes_of_a_text() {
    let house = House::new().await;
    let to = |number: &str| Post { recipient: PhoneNumber::parse(number).unwrap(), ..house.post("hello") };
    for number in ["+12025550115", "+12025550116", "+12025550117", "+12025550118"] {
        let refused = house.platform.post(&house.test, to(number)).await.unwrap_err();
        assert!(matches!(refused, PostError::NothingSent), "{number}: {refused:?}");
    }
    let refused = house.platform.post(&house.test, to("+12025550122")).await.unwrap_err();
    assert!(matches!(refused, PostError::Refused(Refusal::InsufficientBalance(None))), "{refused:?}");
    let refused = house.platform.post(&house.test, to("+12025550123")).await.unwrap_err();
    assert!(matches!(refused, PostError::DestinationBlocked), "{refused:?}");
    let refused = house.platform.post(&house.test, to("+12025550125")).await.unwrap_err();
    let is_limited = matches!(refused, PostError::Refused(Refusal::Limited { limit: LimitName::SendsPerRecipient, .. }));
    assert!(is_limited, "{refused:?}");
    // Delivered, late, undelivered, not there, silent, unclear; and two that are about codes.
    for number in 110..=114 {
        house.platform.post(&house.test, to(&format!("+12025550{number}"))).await.unwrap();
    }
    for number in ["+12025550119", "+12025550121", "+12025550124"] {
        house.platform.post(&house.test, to(number)).await.unwrap();
    }
    assert!(house.gateway.told().is_empty());
}

#[tokio::test]
async fn a_live_text_goes_out_whatever_its_number_stands_for_in_the_sandbox() {
    let house = House::new().await;
    for number in 110..=125 {
        let post = Post { recipient: PhoneNumber::parse(&format!("+12025550{number}")).unwrap(), ..house.post("hello") };
        house.platform.post(&house.live, post).await.unwrap();
    }
    assert_eq!(house.gateway.told().len(), 16);
}
