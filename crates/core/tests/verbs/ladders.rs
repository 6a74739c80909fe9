//! Fallback channels, one after the other.

use std::time::Duration;

use countersign_core::{Later, Refusal, Send, SendError, Sent, SessionStatus};
use countersign_model::{Attempt, Channel, Dialect, FailureReason, PriceList};
use serde_json::json;

use crate::house::{House, SMS, phone};

const VOICE: Channel = Channel::Voice;
const WHATSAPP: Channel = Channel::Whatsapp;

/// A live send by text message, then by the others, a minute apart.
async fn climb(house: &House, to: u32, later: &[Channel]) -> Result<Sent, SendError> {
    let planned = |send: &mut Send| {
        for (channel, nth) in later.iter().zip(1..) {
            send.fallback.push(Later { channel: *channel, recipient: phone(to), after: Duration::from_mins(nth) });
        }
    };
    house.sent_by(&house.live, Dialect::Native, to, planned).await
}

fn unsent(climbed: Result<Sent, SendError>) -> Sent {
    match climbed {
        Err(SendError::Refused(Refusal::NothingSent(sent))) => *sent,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_channel_that_cannot_be_paid_for_is_left_out_and_where_none_is_left_the_session_is_over() {
    let prices: PriceList = serde_json::from_value(json!({"channels": {
        "sms": {"default": "0.05"}, "voice": {"default": "0.20"}, "whatsapp": {"default": "0.05"},
    }}))
    .unwrap();
    let house = House::selling(prices).await;
    let wallets = house.platform.wallets();
    let tenant = house.live.scope.tenant;
    wallets.top_up(tenant, "0.10".parse().unwrap(), "", "top-up").await.unwrap();
    house.gateway.refuses(true);

    let alone = unsent(climb(&house, 1, &[VOICE]).await);
    assert_eq!((alone.session.status(house.platform.now()), alone.channels), (SessionStatus::Failed, vec![SMS]));
    let between = unsent(climb(&house, 2, &[VOICE, WHATSAPP]).await);
    assert_eq!((between.session.status(house.platform.now()), between.channels), (SessionStatus::Failed, vec![SMS, WHATSAPP]));
    let wallet = wallets.show(tenant).await.unwrap().balance.unwrap();
    assert_eq!((wallet.balance.to_string(), wallet.held.to_string()), ("0.10".to_owned(), "0.00".to_owned()));
}

#[tokio::test]
async fn a_turn_that_somebody_else_took_is_not_taken_twice() {
    let house = House::new().await;
    house.gateway.refuses(true);
    house.store.be_quicker();
    let sent = climb(&house, 1, &[VOICE, WHATSAPP]).await.unwrap();
    let attempts: Vec<_> =
        sent.session.challenges().iter().map(|challenge| (challenge.channel, challenge.message.attempt.clone())).collect();
    let failed = Attempt::Failed(FailureReason::ProviderUnavailable);
    assert_eq!(attempts, [(SMS, failed), (VOICE, Attempt::Sending)], "whoever opened the call is handing it over");
    assert_eq!((sent.session.next_fallback(), sent.channels), (Some(WHATSAPP), vec![SMS, VOICE]));
}

#[tokio::test]
async fn a_session_that_cannot_be_read_holds_up_no_other_ones_turn() {
    let house = House::new().await;
    let mut climbed = Vec::new();
    for to in 1..=4 {
        climbed.push(climb(&house, to, &[VOICE]).await.unwrap().session);
        house.clock.advance(Duration::from_millis(1));
    }
    house.store.break_session(climbed[0].id());
    house.clock.advance(Duration::from_mins(1));
    house.platform.sweep().await.unwrap_err();
    house.platform.finish(Duration::from_mins(1)).await;
    for session in &climbed[1..] {
        let stands = house.session(session).await;
        let attempts: Vec<_> = stands.challenges().iter().map(|challenge| &challenge.message.attempt).collect();
        let failed = Attempt::Failed(FailureReason::ProviderUnavailable);
        assert_eq!(attempts[1..], [&failed], "its call was handed over, to nobody");
    }
}

#[tokio::test]
async fn a_round_full_of_sessions_that_cannot_be_read_is_no_end_of_the_line() {
    let house = House::new().await;
    for to in 1..=50 {
        let stuck = climb(&house, to, &[VOICE]).await.unwrap().session;
        house.store.break_session(stuck.id());
    }
    house.clock.advance(Duration::from_millis(1));
    let behind = climb(&house, 51, &[VOICE]).await.unwrap().session;
    house.clock.advance(Duration::from_mins(1));
    house.platform.sweep().await.unwrap_err();
    let round = house.platform.sweep().await.unwrap();
    assert_eq!((round.sessions, round.more), (1, false));
    house.platform.finish(Duration::from_mins(1)).await;
    assert_eq!(house.session(&behind).await.next_fallback(), None, "its call was made");
    house.clock.advance(Duration::from_secs(5));
    house.platform.sweep().await.unwrap_err();
}
