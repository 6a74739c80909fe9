//! Codes that say at most whose they are.

use std::time::Duration;

use countersign_core::{Check, Refusal, Session, SessionStatus};
use countersign_model::{Dialect, LimitName, ServiceProfile};

use crate::house::{House, code, guess, other_than, phone};

impl House {
    async fn check(&self, text: &str, to: Option<u32>) -> Result<Vec<Session>, Refusal> {
        self.platform.check(&self.test, Check { code: guess(text), recipient: to.map(phone) }).await
    }
}

#[tokio::test]
async fn a_right_code_of_a_recipient_is_consumed() {
    let house = House::new().await;
    let sent = house.sent(Dialect::GetOtp, 1, |_| {}).await.unwrap();
    assert_eq!(house.check(&code(&sent), Some(2)).await.unwrap(), []);
    let found = house.check(&code(&sent), Some(1)).await.unwrap();
    assert_eq!(found.iter().map(Session::id).collect::<Vec<_>>(), [sent.session.id()]);
    assert!(found[0].verified_at().is_some());
    assert_eq!(house.check(&code(&sent), Some(1)).await.unwrap(), []);
}

#[tokio::test]
async fn a_wrong_code_is_an_attempt_at_every_session_of_its_recipient() {
    let house = House::new().await;
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.push(house.sent(Dialect::GetOtp, 1, |_| {}).await.unwrap());
    }
    let codes: Vec<String> = sent.iter().map(code).collect();
    let wrong = ["111111", "222222", "333333", "444444"].into_iter().find(|it| !codes.iter().any(|code| code == it)).unwrap();
    for left in (0..5).rev() {
        assert_eq!(house.check(wrong, Some(1)).await.unwrap(), []);
        for sent in &sent {
            assert_eq!(house.status(sent).await.attempts_remaining(), left);
        }
    }
    assert_eq!(house.status(&sent[0]).await.status(house.platform.now()), SessionStatus::Locked);
    assert_eq!(house.check(&codes[0], Some(1)).await.unwrap(), [], "locked");
}

#[tokio::test]
async fn many_sessions_of_a_recipient_use_up_his_budget_only_once_a_guess() {
    let house = House::new().await;
    for round in 0..4 {
        let first = house.sent(Dialect::GetOtp, 1, |_| {}).await.unwrap();
        let second = house.sent(Dialect::GetOtp, 1, |_| {}).await.unwrap();
        for _ in 0..5 {
            let wrong =
                ["111111", "222222", "333333"].into_iter().find(|it| *it != code(&first) && *it != code(&second)).unwrap();
            assert_eq!(house.check(wrong, Some(1)).await.unwrap(), [], "round {round}");
        }
        house.clock.advance(Duration::from_mins(5));
    }
    let refused = house.sent(Dialect::GetOtp, 1, |_| {}).await.unwrap_err();
    assert!(refused.to_string().contains("failure budget"), "after twenty wrong guesses: {refused:?}");
}

#[tokio::test]
async fn a_code_alone_finds_its_session() {
    let house = House::new().await;
    let (one, other) =
        (house.sent(Dialect::GetOtp, 1, |_| {}).await.unwrap(), house.sent(Dialect::GetOtp, 2, |_| {}).await.unwrap());
    let found = house.check(&code(&one), None).await.unwrap();
    assert_eq!(found.iter().map(Session::id).collect::<Vec<_>>(), [one.session.id()]);
    assert_eq!(house.check(&code(&one), None).await.unwrap(), []);
    let foreign = Check { code: guess(&code(&other)), recipient: None };
    assert_eq!(house.platform.check(&house.live, foreign).await.unwrap(), []);
    house.clock.advance(Duration::from_mins(5));
    assert_eq!(house.check(&code(&other), None).await.unwrap(), [], "expired");
}

#[tokio::test]
async fn one_code_that_a_caller_gave_twice_opens_both_sessions() {
    let house = House::new().await;
    let given = |send: &mut countersign_core::Send| {
        let code = countersign_model::Code::parse("482913").unwrap();
        send.codes = countersign_core::Codes::Given([(crate::house::SMS, code)].into());
    };
    house.sent(Dialect::GetOtp, 1, given).await.unwrap();
    house.sent(Dialect::GetOtp, 2, given).await.unwrap();
    assert_eq!(house.check("482913", None).await.unwrap().len(), 2);
}

#[tokio::test]
async fn where_a_service_forbids_it_a_code_alone_finds_nothing() {
    let house = House::with(ServiceProfile { allow_code_only_check: Some(false), ..ServiceProfile::default() }).await;
    let sent = house.sent(Dialect::GetOtp, 1, |_| {}).await.unwrap();
    assert_eq!(house.check(&code(&sent), None).await.unwrap(), []);
    assert_eq!(house.check(&code(&sent), Some(1)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn sessions_of_other_dialects_are_not_looked_through() {
    let house = House::new().await;
    let sent = house.sent(Dialect::Kotp, 1, |_| {}).await.unwrap();
    assert_eq!(house.check(&code(&sent), Some(1)).await.unwrap(), []);
    assert_eq!(house.check(&code(&sent), None).await.unwrap(), []);
    assert_eq!(house.status(&sent).await.attempts_remaining(), 5);
}

#[tokio::test]
async fn codes_that_open_nothing_are_heard_a_hundred_times_a_minute() {
    let house = House::new().await;
    let sent = house.sent(Dialect::GetOtp, 1, |_| {}).await.unwrap();
    for _ in 0..100 {
        assert_eq!(house.check(&other_than(&code(&sent)), None).await.unwrap(), []);
    }
    let refused = house.check(&code(&sent), None).await.unwrap_err();
    assert!(matches!(refused, Refusal::Limited { limit: LimitName::CodeMisses, .. }), "{refused:?}");
    assert_eq!(house.check(&code(&sent), Some(1)).await.unwrap().len(), 1, "who says whose it is, is heard");
    // So many are counted in steps of a second, of which the oldest counts as full.
    house.clock.advance(Duration::from_secs(61));
    assert_eq!(house.check("999999", None).await.unwrap(), []);
}
